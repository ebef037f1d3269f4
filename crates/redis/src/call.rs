//! What goes to Redis and what comes back.

use std::sync::Arc;

use redis::{Cmd, Value};
use sha1_smol::Sha1;

use crate::failure::Failure;

/// A Lua script.
#[derive(Debug)]
pub struct Script {
    source: String,
    digest: String,
}

impl Script {
    /// Of its text.
    #[must_use]
    pub fn new(source: String) -> Arc<Self> {
        let digest = Sha1::from(&source).digest().to_string();
        Arc::new(Self { source, digest })
    }
}

/// The keys and the arguments of one call of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Of one slot, where Redis is a Cluster.
    pub keys: Vec<Vec<u8>>,
    /// As the script takes them.
    pub args: Vec<Vec<u8>>,
}

impl Call {
    /// The command as it goes over a connection; Redis has to have the script.
    #[must_use]
    pub fn packed(&self, script: &Script) -> Vec<u8> {
        self.command(script, false).get_packed_command()
    }

    /// The command: by the script's digest, or with its whole text, from which Redis then keeps it.
    pub(crate) fn command(&self, script: &Script, whole: bool) -> Cmd {
        let size = self.keys.iter().chain(&self.args).map(Vec::len).sum::<usize>();
        let mut command = Cmd::with_capacity(self.keys.len() + self.args.len() + 3, size + 64);
        if whole {
            command.arg("EVAL").arg(&script.source);
        } else {
            command.arg("EVALSHA").arg(&script.digest);
        }
        command.arg(self.keys.len());
        for part in self.keys.iter().chain(&self.args) {
            command.arg(part.as_slice());
        }
        command
    }
}

/// What a script returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `nil` or `false`.
    Nil,
    /// A number, cut to a whole one by Redis, or `true` as 1.
    Integer(i64),
    /// A string, or a status.
    Bytes(Vec<u8>),
    /// A table.
    List(Vec<Reply>),
}

impl Reply {
    /// The integers of a list that has nothing else.
    #[must_use]
    pub fn integers(&self) -> Option<Vec<i64>> {
        let Self::List(items) = self else { return None };
        let integer = |item: &Self| if let Self::Integer(integer) = item { Some(*integer) } else { None };
        items.iter().map(integer).collect()
    }

    /// From what redis-rs read; a kind that no script returns is a failure.
    pub(crate) fn of(value: Value) -> Result<Self, Failure> {
        Ok(match value {
            Value::Nil => Self::Nil,
            Value::Int(integer) => Self::Integer(integer),
            Value::BulkString(bytes) => Self::Bytes(bytes),
            Value::SimpleString(text) => Self::Bytes(text.into_bytes()),
            Value::Okay => Self::Bytes(b"OK".to_vec()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::of).collect::<Result<_, _>>()?),
            Value::ServerError(error) => return Err(Failure::answer(error.code(), error.details())),
            other => return Err(Failure::Server(format!("the script answered {other:?}").into())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(call: &Call, whole: bool) -> String {
        let script = Script::new("return 1".to_owned());
        String::from_utf8(call.command(&script, whole).get_packed_command()).expect("all of it is ASCII")
    }

    #[test]
    fn a_call_names_its_script_by_digest_or_carries_it() {
        let call = Call { keys: vec![b"k1".to_vec(), b"k2".to_vec()], args: vec![b"7".to_vec()] };
        let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        let rest = "$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$1\r\n7\r\n";
        assert_eq!(packed(&call, false), format!("*6\r\n$7\r\nEVALSHA\r\n$40\r\n{digest}\r\n{rest}"));
        assert_eq!(packed(&call, true), format!("*6\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n{rest}"));
    }

    #[test]
    fn replies_are_what_scripts_can_return() {
        let nested = Value::Array(vec![Value::Int(-3), Value::Nil, Value::BulkString(b"x".to_vec()), Value::Okay]);
        let expected = Reply::List(vec![
            Reply::Integer(-3),
            Reply::Nil,
            Reply::Bytes(b"x".to_vec()),
            Reply::Bytes(b"OK".to_vec()),
        ]);
        assert_eq!(Reply::of(nested), Ok(expected));
        assert!(matches!(Reply::of(Value::Boolean(true)), Err(Failure::Server(_))));
    }

    #[test]
    fn integers_are_all_or_nothing() {
        let list = |items: &[Reply]| Reply::List(items.to_vec()).integers();
        assert_eq!(list(&[Reply::Integer(1), Reply::Integer(2)]), Some(vec![1, 2]));
        assert_eq!(list(&[Reply::Integer(1), Reply::Nil]), None);
        assert_eq!(Reply::Integer(1).integers(), None);
    }
}
