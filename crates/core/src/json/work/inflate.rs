//! Compressed input, told by its first bytes.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// As much as one call of [`Inflate::next`] gives, in bytes, so that a small input cannot become a huge output at once.
const STEP: usize = 65_536;

/// Turns gzip (RFC 1952, also several members) and Zstandard (RFC 8878, also several frames) that arrive in pieces
/// back into what they were made from, and hands on what is neither as it is.
pub(super) struct Inflate {
    form: Form,
    /// What was pushed has more to give than was asked for.
    full: bool,
}

enum Form {
    /// The first bytes, too few to tell.
    Unknown(Vec<u8>),
    Plain(VecDeque<Vec<u8>>),
    Gzip(Box<MultiGzDecoder<Pieces>>),
    Zstd(Box<Zstd>),
}

struct Zstd {
    decoder: Decoder<'static>,
    pieces: Pieces,
    /// Whether the input may end here.
    complete: bool,
}

/// Input that says "not now" rather than "the end" where it has not ended.
#[derive(Default)]
struct Pieces {
    queue: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that are used up.
    used: usize,
    ended: bool,
}

impl Pieces {
    fn push(&mut self, piece: Vec<u8>) {
        if !piece.is_empty() {
            self.queue.push_back(piece);
        }
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.queue.front() {
            Some(piece) => Ok(&piece[self.used..]),
            None if self.ended => Ok(&[]),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount;
        if self.queue.front().is_some_and(|piece| self.used == piece.len()) {
            self.queue.pop_front();
            self.used = 0;
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let count = from.len().min(to.len());
        to[..count].copy_from_slice(&from[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Inflate {
    /// `look`: whether to look for compression at all.
    pub(super) fn new(look: bool) -> Self {
        let form = if look { Form::Unknown(Vec::new()) } else { Form::Plain(VecDeque::new()) };
        Self { form, full: false }
    }

    /// Takes the next piece of input.
    pub(super) fn push(&mut self, piece: Vec<u8>) -> io::Result<()> {
        match &mut self.form {
            Form::Unknown(start) => {
                start.extend_from_slice(&piece);
                // No byte waits that tells all: it may be all there is for a long time.
                let open = |magic: &[u8]| magic.len() > start.len() && magic.starts_with(start);
                if !open(&GZIP) && !open(&ZSTD) {
                    self.decide()?;
                }
            }
            Form::Plain(pieces) => pieces.push_back(piece),
            Form::Gzip(decoder) => decoder.get_mut().push(piece),
            Form::Zstd(zstd) => zstd.pieces.push(piece),
        }
        Ok(())
    }

    /// Says that the last piece was the last.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.decide()?;
        match &mut self.form {
            Form::Gzip(decoder) => decoder.get_mut().ended = true,
            Form::Zstd(zstd) => zstd.pieces.ended = true,
            Form::Plain(_) | Form::Unknown(_) => {}
        }
        Ok(())
    }

    /// Settles what it is by the bytes that are there.
    pub(super) fn decide(&mut self) -> io::Result<()> {
        let Form::Unknown(start) = &mut self.form else { return Ok(()) };
        let start = std::mem::take(start);
        let mut pieces = Pieces::default();
        self.form = if start.starts_with(&GZIP) {
            pieces.push(start);
            Form::Gzip(Box::new(MultiGzDecoder::new(pieces)))
        } else if start.starts_with(&ZSTD) {
            pieces.push(start);
            Form::Zstd(Box::new(Zstd { decoder: Decoder::new()?, pieces, complete: false }))
        } else {
            Form::Plain(VecDeque::from([start]))
        };
        Ok(())
    }

    /// The next bytes of what was pushed, or `None` until more is pushed, or for good once it has ended.
    ///
    /// # Errors
    /// The input is damaged, or ends within compressed data.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let next = match &mut self.form {
            Form::Unknown(_) => None,
            Form::Plain(pieces) => pieces.pop_front(),
            Form::Gzip(decoder) => read_some(decoder)?,
            Form::Zstd(zstd) => zstd.next()?,
        };
        self.full = match &self.form {
            Form::Plain(pieces) => !pieces.is_empty(),
            _ => next.is_some(),
        };
        Ok(next)
    }

    /// Whether `next` may give something without another `push`.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }
}

fn read_some(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut out = vec![0; STEP];
    loop {
        match from.read(&mut out) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                out.truncate(count);
                return Ok(Some(out));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Zstd {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut out = vec![0; STEP];
        loop {
            let input = match self.pieces.fill_buf() {
                Ok(input) => input,
                Err(_) => return Ok(None),
            };
            if input.is_empty() && self.complete {
                return Ok(None);
            }
            let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(&mut out[..]));
            let hint = self.decoder.run(&mut from, &mut to)?;
            let (read, written) = (from.pos(), to.pos());
            let starved = input.is_empty();
            if read > 0 || written > 0 {
                self.complete = hint == 0;
            }
            self.pieces.consume(read);
            if written > 0 {
                out.truncate(written);
                return Ok(Some(out));
            }
            if starved {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "it ends within a frame"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn text() -> Vec<u8> {
        (0..6_000_u32)
            .flat_map(|n| format!("{{\"n\":{n},\"x\":{}}},", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).expect("writing to memory")
    }

    fn inflate(bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let (mut inflate, mut out) = (Inflate::new(true), Vec::new());
        for piece in bytes.chunks(step) {
            inflate.push(piece.to_vec())?;
            while let Some(some) = inflate.next()? {
                assert!(some.len() <= STEP.max(step));
                out.extend(some);
            }
        }
        inflate.end()?;
        while let Some(some) = inflate.next()? {
            out.extend(some);
        }
        Ok(out)
    }

    #[test]
    fn any_form_in_pieces_of_any_size_comes_back_whole() {
        let text = text();
        let halves = text.split_at(text.len() / 3);
        let forms = [
            text.clone(),
            gzip(&text),
            zstd(&text),
            [gzip(halves.0), gzip(halves.1)].concat(),
            [zstd(halves.0), zstd(halves.1)].concat(),
        ];
        for (index, form) in forms.iter().enumerate() {
            for step in [1, 2, 3, 7, 1_000, 65_536, usize::MAX] {
                let out = inflate(form, step).expect("whole input");
                assert!(out == text, "form {index} in pieces of {step}");
            }
        }
    }

    #[test]
    fn what_is_cut_short_or_damaged_is_an_error() {
        let text = text();
        for form in [gzip(&text), zstd(&text)] {
            for cut in [form.len() - 1, form.len() / 2, 5] {
                assert!(inflate(&form[..cut], 1_000).is_err(), "cut at {cut} of {}", form.len());
            }
        }
        let mut damaged = gzip(&text);
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x55;
        assert!(inflate(&damaged, 1_000).is_err());
    }

    #[test]
    fn short_plain_input_is_plain() {
        for text in ["", "1", "{}", "\u{1f}"] {
            assert_eq!(inflate(text.as_bytes(), 1).expect("plain"), text.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_compressed_does_not_wait() {
        let mut inflate = Inflate::new(true);
        for piece in ["", "1", "\n"] {
            inflate.push(piece.as_bytes().to_vec()).expect("plain");
            let next = inflate.next().expect("plain");
            assert_eq!(next.unwrap_or_default(), piece.as_bytes());
        }
    }

    #[test]
    fn a_bomb_comes_in_small_steps() {
        let bomb = zstd(&vec![b' '; 20_000_000]);
        assert!(bomb.len() < 10_000);
        let mut inflate = Inflate::new(true);
        inflate.push(bomb).expect("memory");
        assert_eq!(inflate.next().expect("good input").map(|some| some.len()), Some(STEP));
    }
}
