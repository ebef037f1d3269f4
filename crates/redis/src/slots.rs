//! The 16,384 slots of a Cluster: which one a key is in, and which node has it.

use redis::Value;

use crate::options::Address;

/// How many there are.
pub(crate) const SLOTS: u16 = 16_384;

/// A run of slots, first and last, and the node that has them.
pub(crate) type Range = (u16, u16, Address);

/// The slot of a key: that of its hash tag, where it has one.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

/// What is between the first `{` and the next `}`, unless that is nothing.
fn tag(key: &[u8]) -> Option<&[u8]> {
    let rest = &key[key.iter().position(|&byte| byte == b'{')? + 1..];
    let end = rest.iter().position(|&byte| byte == b'}')?;
    (end > 0).then(|| &rest[..end])
}

/// CRC-16/XMODEM, as Redis has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, &byte| {
        let shift = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        (0..8).fold(crc ^ u16::from(byte) << 8, shift)
    })
}

/// Reads the answer to CLUSTER SLOTS; `asked` is the host that gave it, which may not know its own name.
pub(crate) fn ranges(answer: &Value, asked: &str) -> Option<Vec<Range>> {
    let Value::Array(ranges) = answer else { return None };
    ranges.iter().map(|range| self::range(range, asked)).collect()
}

fn range(range: &Value, asked: &str) -> Option<Range> {
    let Value::Array(range) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else { return None };
    let [host, Value::Int(port), ..] = master.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() => str::from_utf8(host).ok()?,
        _ => asked,
    };
    let slot = |number: i64| u16::try_from(number).ok().filter(|slot| *slot < SLOTS);
    Some((slot(*first)?, slot(*last)?, Address::Tcp(host.to_owned(), u16::try_from(*port).ok()?)))
}

/// Reads where a slot is from the text of MOVED and ASK: `slot host:port`. Without a host there is no telling.
pub(crate) fn redirection(text: &str) -> Option<(u16, Address)> {
    let (slot, address) = text.split_once(' ')?;
    let (host, port) = address.rsplit_once(':')?;
    let slot = slot.parse().ok().filter(|slot| *slot < SLOTS)?;
    (!host.is_empty()).then_some(())?;
    Some((slot, Address::Tcp(host.to_owned(), port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn slots_are_those_of_redis() {
        // By CLUSTER KEYSLOT.
        let cases =
            [("", 0), ("123456789", 12_739), ("foo", 12_182), ("{user1000}.following", 3_443), ("foo{}{bar}", 8_363)];
        for (key, slot) in cases {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(slot_of(b"a{foo}b{bar}"), slot_of(b"foo"));
        assert_eq!(slot_of(b"x{{foo}}"), slot_of(b"{foo"));
        assert_eq!(slot_of(b"{foo"), crc16(b"{foo") % SLOTS);
    }

    #[test]
    fn the_answer_names_masters() {
        let node = |host: Value, port| Value::Array(vec![host, Value::Int(port), bulk("id")]);
        let range = |first, last, nodes: &[Value]| {
            Value::Array([Value::Int(first), Value::Int(last)].into_iter().chain(nodes.iter().cloned()).collect())
        };
        let answer = Value::Array(vec![
            range(0, 5_460, &[node(bulk("10.0.0.1"), 7_000), node(bulk("10.0.0.9"), 7_000)]),
            range(5_461, 16_383, &[node(bulk(""), 7_001)]),
        ]);
        let expected = vec![
            (0, 5_460, Address::Tcp("10.0.0.1".into(), 7_000)),
            (5_461, 16_383, Address::Tcp("seed".into(), 7_001)),
        ];
        assert_eq!(ranges(&answer, "seed"), Some(expected));
        assert_eq!(ranges(&Value::Array(vec![range(0, 16_384, &[node(Value::Nil, 1)])]), "seed"), None);
        assert_eq!(ranges(&Value::Okay, "seed"), None);
    }

    #[test]
    fn redirections_say_where() {
        assert_eq!(redirection("3999 127.0.0.1:6381"), Some((3_999, Address::Tcp("127.0.0.1".into(), 6_381))));
        assert_eq!(redirection("1 ::1:6381"), Some((1, Address::Tcp("::1".into(), 6_381))));
        for bad in ["", "1", "1 :6381", "x a:1", "16384 a:1", "1 a:b"] {
            assert_eq!(redirection(bad), None, "{bad}");
        }
    }
}
