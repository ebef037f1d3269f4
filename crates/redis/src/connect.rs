//! From an address to a connection that is ready for commands.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, Value};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ear::Ear;
use crate::failure::Failure;
use crate::options::{Address, Login, Options};
use crate::tls::Encryption;

/// Of a connection that nothing goes over: the system finds out whether the other side is still there, and the
/// boxes between see that the connection is in use.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What a connection goes over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Carries what goes over a connection for as long as it lives.
pub(crate) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How servers of one kind, nodes or Sentinels, are connected to.
pub(crate) struct Connector {
    encryption: Option<Encryption>,
    login: RedisConnectionInfo,
    timeout: Duration,
}

impl Connector {
    /// For Redis itself.
    pub(crate) fn of_nodes(options: &Options) -> Self {
        Self {
            encryption: options.tls.clone().map(Encryption::new),
            login: login(&options.login).set_db(options.db),
            timeout: options.connect_timeout,
        }
    }

    /// For the Sentinels.
    pub(crate) fn of_sentinels(options: &Options) -> Self {
        let tls = options.tls.clone().filter(|_| options.sentinel_tls);
        Self {
            encryption: tls.map(Encryption::new),
            login: login(&options.sentinel_login),
            timeout: options.connect_timeout,
        }
    }

    /// How long an attempt to connect may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Connects and logs in. There is no limit of time in it.
    pub(crate) async fn connect(&self, address: &Address) -> Result<(MultiplexedConnection, Driver), Failure> {
        let stream = self.open(address).await?;
        // Every call has its own deadline here, which that of redis-rs would only get in the way of.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let connected = MultiplexedConnection::new_with_config(&self.login, stream, config).await;
        let (connection, driver) = connected.map_err(|error| Failure::of(&error))?;
        Ok((connection, Box::pin(driver)))
    }

    /// Connects and logs in, to listen to channels. There is no limit of time in it.
    pub(crate) async fn listen(&self, address: &Address) -> Result<Ear, Failure> {
        Ear::new(self.open(address).await?, &self.login).await
    }

    /// The answer to one command, over a connection of its own.
    pub(crate) async fn ask(&self, address: &Address, command: &Cmd) -> Result<Value, Failure> {
        let asked = async {
            let (mut connection, driver) = self.connect(address).await?;
            let (answer, _) = carried(connection.send_packed_command(command), driver).await?;
            answer.and_then(Value::extract_error).map_err(|error| Failure::of(&error))
        };
        timeout(self.timeout, asked).await.unwrap_or_else(|_| Err(slow(address)))
    }

    async fn open(&self, address: &Address) -> Result<Box<dyn Stream>, Failure> {
        let (host, port) = match address {
            Address::Tcp(host, port) => (host.as_str(), *port),
            Address::Unix(path) => return open_unix(path).await,
        };
        let stream = TcpStream::connect((host, port)).await.map_err(|error| unreachable_at(address, &error))?;
        stream.set_nodelay(true).map_err(Failure::connection)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive).map_err(Failure::connection)?;
        let Some(encryption) = &self.encryption else { return Ok(Box::new(stream)) };
        let (name, connector) = (encryption.name(host)?, encryption.connector().await?);
        let stream = connector.connect(name, stream).await.map_err(|error| unreachable_at(address, &error))?;
        Ok(Box::new(stream))
    }
}

#[cfg(unix)]
async fn open_unix(path: &std::path::Path) -> Result<Box<dyn Stream>, Failure> {
    let stream = tokio::net::UnixStream::connect(path).await;
    Ok(Box::new(stream.map_err(|error| unreachable_at(&Address::Unix(path.to_owned()), &error))?))
}

#[cfg(not(unix))]
async fn open_unix(_path: &std::path::Path) -> Result<Box<dyn Stream>, Failure> {
    Err(Failure::connection("this system has no Unix sockets for Redis"))
}

fn unreachable_at(address: &Address, error: &std::io::Error) -> Failure {
    Failure::connection(format_args!("{address}: {error}"))
}

/// What it is called that an attempt to connect to `address` took too long.
pub(crate) fn slow(address: &Address) -> Failure {
    Failure::connection(format_args!("{address}: connecting took too long"))
}

/// Waits for what goes over a connection that nobody else carries yet.
pub(crate) async fn carried<T>(answer: impl Future<Output = T>, driver: Driver) -> Result<(T, Driver), Failure> {
    match select(pin!(answer), driver).await {
        Either::Left((answer, driver)) => Ok((answer, driver)),
        Either::Right(_) => Err(Failure::connection("the connection was closed")),
    }
}

fn login(login: &Login) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default().set_lib_name("keelson", env!("CARGO_PKG_VERSION"));
    if let Some(username) = &login.username {
        info = info.set_username(username);
    }
    if let Some(password) = &login.password {
        info = info.set_password(password);
    }
    info
}
