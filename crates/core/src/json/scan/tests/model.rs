//! JSON read in the plainest way: recursively, from a whole text.

use crate::json::Container;

pub(super) fn is_json(text: &[u8]) -> bool {
    let mut reader = Reader { rest: text };
    reader.element().is_some() && reader.rest.is_empty()
}

/// How many children the text of a group has; none if it is not a list of children.
pub(super) fn children(within: Container, text: &[u8]) -> Option<usize> {
    let mut reader = Reader { rest: text };
    let count = reader.list(within)?;
    reader.rest.is_empty().then_some(count)
}

/// The text of a document without white space between tokens.
pub(super) fn strip(text: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let keeps = |&&byte: &&u8| {
        if inside && escaped {
            escaped = false;
        } else if inside && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            inside = !inside;
        }
        inside || !b" \t\r\n".contains(&byte)
    };
    text.iter().filter(keeps).copied().collect()
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn white(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn takes(&mut self, token: &[u8]) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn element(&mut self) -> Option<()> {
        self.white();
        match self.rest.first()? {
            b'"' => self.string()?,
            b'[' => self.container(Container::Array, b"[", b"]")?,
            b'{' => self.container(Container::Object, b"{", b"}")?,
            b't' => self.takes(b"true").then_some(())?,
            b'f' => self.takes(b"false").then_some(())?,
            b'n' => self.takes(b"null").then_some(())?,
            _ => self.number()?,
        }
        self.white();
        Some(())
    }

    fn container(&mut self, kind: Container, open: &[u8], close: &[u8]) -> Option<()> {
        self.takes(open);
        self.white();
        if self.takes(close) {
            return Some(());
        }
        self.list(kind)?;
        self.takes(close).then_some(())
    }

    fn list(&mut self, kind: Container) -> Option<usize> {
        let mut count = 0;
        loop {
            if kind == Container::Object {
                self.white();
                self.string()?;
                self.white();
                self.takes(b":").then_some(())?;
            }
            self.element()?;
            count += 1;
            if !self.takes(b",") {
                return Some(count);
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.takes(b"\"").then_some(())?;
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        if byte == b'u' {
            let (digits, rest) = self.rest.split_at_checked(4)?;
            self.rest = rest;
            return digits.iter().all(u8::is_ascii_hexdigit).then_some(());
        }
        b"\"\\/bfnrt".contains(&byte).then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        self.takes(b"-");
        if !self.takes(b"0") {
            self.digits()?;
        }
        if self.takes(b".") {
            self.digits()?;
        }
        if self.takes(b"e") || self.takes(b"E") {
            let _sign = self.takes(b"+") || self.takes(b"-");
            self.digits()?;
        }
        Some(())
    }
}
