//! A connection that listens to a channel.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::StreamExt;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use redis::{RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;
use tokio::time::timeout;

use crate::failure::Failure;

/// A connection that was silent for so long gets a PING; one that is silent for as long after it is given up. What has
/// died without a word is hence noticed within three of these.
pub const PULSE: Duration = Duration::from_secs(3);

/// Dropped, it closes the connection.
pub(crate) struct Ear {
    sink: PubSubSink,
    messages: PubSubStream,
    heard: Arc<AtomicBool>,
}

impl Ear {
    /// Logs in over what leads to a server. Runs on the link's thread.
    pub(crate) async fn new<S>(stream: S, login: &RedisConnectionInfo) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let heard = Arc::<AtomicBool>::default();
        let stream = Heard { stream, heard: Arc::clone(&heard) };
        let connection = PubSub::new(login, stream).await.map_err(|error| Failure::of(&error))?;
        let (sink, messages) = connection.split();
        Ok(Self { sink, messages, heard })
    }

    pub(crate) async fn subscribe(&mut self, channel: &[u8]) -> Result<(), Failure> {
        self.sink.subscribe(channel).await.map_err(|error| Failure::of(&error))
    }

    /// Passes messages on for as long as they come; returns why they do not any more.
    pub(crate) async fn listen(mut self, mut message: impl FnMut(Vec<u8>)) -> Failure {
        let mut asked = false;
        loop {
            // Unconstrained, since what reads them does not stop after a few either.
            match timeout(PULSE, unconstrained(self.messages.next())).await {
                Ok(Some(arrived)) => message(arrived.get_payload_bytes().to_vec()),
                Ok(None) => return Failure::connection("the connection was closed"),
                // An answer to the PING, or a part of a message that is long.
                Err(_) if self.heard.swap(false, Ordering::Relaxed) => asked = false,
                Err(_) if asked => return Failure::connection("the connection is silent"),
                Err(_) => {
                    asked = true;
                    // Sent at once. What counts is that something comes.
                    _ = self.sink.ping::<Value>().now_or_never();
                }
            }
        }
    }
}

/// Notes that bytes have come.
struct Heard<S> {
    stream: S,
    heard: Arc<AtomicBool>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, to);
        if to.filled().len() > before {
            self.heard.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
