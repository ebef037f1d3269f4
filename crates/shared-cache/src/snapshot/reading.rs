//! Reading with an eye on the checksum and on the end.

use std::io::{ErrorKind, Read};

use super::SnapshotError;

pub(super) struct Reading<'a, R> {
    from: &'a mut R,
    checksum: crc32fast::Hasher,
    offset: u64,
}

impl<'a, R: Read> Reading<'a, R> {
    pub(super) fn new(from: &'a mut R) -> Self {
        Self { from, checksum: crc32fast::Hasher::new(), offset: 0 }
    }

    /// The bytes that were read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The checksum of all bytes that were read.
    pub(super) fn checksum(&self) -> u32 {
        self.checksum.clone().finalize()
    }

    /// Fills `to`; false if the end comes before.
    pub(super) fn fill(&mut self, to: &mut [u8]) -> Result<bool, SnapshotError> {
        match self.from.read_exact(to) {
            Ok(()) => {
                self.took(to);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut array = [0; N];
        if self.fill(&mut array)? { Ok(array) } else { Err(SnapshotError::Damaged { offset: self.offset }) }
    }

    /// So many bytes. Memory is taken as they come, because the number may be wrong.
    pub(super) fn bytes(&mut self, length: u64) -> Result<Vec<u8>, SnapshotError> {
        let mut bytes = Vec::new();
        self.from.take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(SnapshotError::Damaged { offset: self.offset });
        }
        self.took(&bytes);
        Ok(bytes)
    }

    fn took(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
        self.offset += bytes.len() as u64;
    }
}
