//! What to do with what Redis answered to a call.

use redis::{ServerError, ServerErrorKind, Value};

use crate::call::Reply;
use crate::failure::{Failure, answer_text};
use crate::options::Address;
use crate::slots::redirection;

/// What an answer means. But for the first kind, Redis did nothing, and the call can be sent again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done(Result<Reply, Failure>),
    /// With the script's text, which Redis does not have.
    Load,
    /// To the node that has this slot now.
    Moved(u16, Address),
    /// To this node, once.
    Ask(Address),
    /// In a while.
    Wait(Box<str>),
    /// In a while, when it is known who is in charge.
    Doubt(Box<str>),
}

impl Verdict {
    pub(crate) fn of(answer: Value) -> Self {
        match answer {
            Value::ServerError(error) => Self::of_error(&error),
            answer => Self::Done(Reply::of(answer)),
        }
    }

    fn of_error(error: &ServerError) -> Self {
        let text = || answer_text(error.code(), error.details());
        let target = || redirection(error.details()?);
        match error.kind() {
            Some(ServerErrorKind::NoScript) => Self::Load,
            Some(ServerErrorKind::Moved) => {
                target().map_or_else(|| Self::Doubt(text()), |(slot, to)| Self::Moved(slot, to))
            }
            Some(ServerErrorKind::Ask) => target().map_or_else(|| Self::Doubt(text()), |(_, to)| Self::Ask(to)),
            Some(ServerErrorKind::TryAgain | ServerErrorKind::BusyLoading) => Self::Wait(text()),
            Some(ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly) => {
                Self::Doubt(text())
            }
            // Another script runs for long.
            _ if error.code() == "BUSY" => Self::Wait(text()),
            _ => Self::Done(Err(Failure::answer(error.code(), error.details()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Redis's errors as redis-rs reads them.
    fn verdict(line: &str) -> Verdict {
        let answer = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("it is an error");
        Verdict::of(answer)
    }

    #[test]
    fn errors_before_anything_was_done_are_sent_again() {
        let node = || Address::Tcp("10.0.0.2".into(), 7_001);
        assert_eq!(verdict("NOSCRIPT No matching script. Please use EVAL."), Verdict::Load);
        assert_eq!(verdict("MOVED 42 10.0.0.2:7001"), Verdict::Moved(42, node()));
        assert_eq!(verdict("ASK 42 10.0.0.2:7001"), Verdict::Ask(node()));
        for line in
            ["TRYAGAIN Multiple keys request", "LOADING Redis is loading", "BUSY Redis is busy running a script"]
        {
            assert!(matches!(verdict(line), Verdict::Wait(_)), "{line}");
        }
        for line in
            ["MOVED 42 :7001", "CLUSTERDOWN Hash slot not served", "READONLY You can't write", "MASTERDOWN Link"]
        {
            assert!(matches!(verdict(line), Verdict::Doubt(_)), "{line}");
        }
    }

    #[test]
    fn other_errors_are_answers() {
        let code = |line: &str| match verdict(line) {
            Verdict::Done(Err(failure)) => failure.code(),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(code("NOPERM this user has no permissions"), 3);
        assert_eq!(code("NOAUTH Authentication required."), 3);
        assert_eq!(code("ERR user_script:1: oops"), 4);
        assert_eq!(code("OOM command not allowed when used memory > 'maxmemory'."), 4);
        assert_eq!(code("CROSSSLOT Keys in request don't hash to the same slot"), 4);
    }

    #[test]
    fn the_text_of_an_error_is_kept() {
        assert_eq!(verdict("ERR oops, again"), Verdict::Done(Err(Failure::Server("ERR oops, again".into()))));
    }
}
