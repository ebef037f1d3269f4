//! Why a call of a script came to nothing.

use std::fmt;

use redis::{ErrorKind, RedisError};

/// Why a call has no reply. Whether Redis carried it out is unknown after a timeout and a lost connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The deadline came first; with what stood in the way, where that is known.
    Timeout(Option<Box<str>>),
    /// There is no connection, or it was lost before the reply.
    Connection(Box<str>),
    /// Redis knows neither name nor password, or does not let this user do what is asked.
    Permission(Box<str>),
    /// Redis answered with an error.
    Server(Box<str>),
    /// Too much is in flight.
    Overloaded,
    /// The link was closed.
    Closed,
}

impl Failure {
    /// A number that never changes its meaning.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Timeout(_) => 1,
            Self::Connection(_) => 2,
            Self::Permission(_) => 3,
            Self::Server(_) => 4,
            Self::Overloaded => 5,
            Self::Closed => 6,
        }
    }

    /// What an error of a connection, or of a command that it takes to connect, means.
    pub(crate) fn of(error: &RedisError) -> Self {
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) => Self::Permission(error.to_string().into()),
            (_, Some(code)) => Self::answer(code, error.detail()),
            _ => Self::Connection(error.to_string().into()),
        }
    }

    /// What an error that Redis answered with means: `code` is its first word.
    pub(crate) fn answer(code: &str, detail: Option<&str>) -> Self {
        let text = answer_text(code, detail);
        match code {
            "NOPERM" | "NOAUTH" | "WRONGPASS" => Self::Permission(text),
            _ => Self::Server(text),
        }
    }

    pub(crate) fn connection(text: impl fmt::Display) -> Self {
        Self::Connection(text.to_string().into())
    }
}

/// An error as Redis wrote it.
pub(crate) fn answer_text(code: &str, detail: Option<&str>) -> Box<str> {
    detail.map_or_else(|| code.into(), |detail| format!("{code} {detail}").into())
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(None) => to.write_str("no reply in time"),
            Self::Timeout(Some(text)) => write!(to, "no reply in time: {text}"),
            Self::Connection(text) | Self::Permission(text) | Self::Server(text) => to.write_str(text),
            Self::Overloaded => to.write_str("too much is in flight"),
            Self::Closed => to.write_str("the connection was closed"),
        }
    }
}

impl std::error::Error for Failure {}
