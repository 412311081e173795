//! The fields of a frame, little-endian: written to a buffer that the writer owns, read from bytes that have arrived.

use super::lie::Lied;

/// Writes one frame, its kind first. The length in front is filled in when it is finished.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    to: &'a mut Vec<u8>,
    start: usize,
}

/// How long the length in front of a frame is, in bytes.
pub(super) const LENGTH_BYTES: usize = 4;

impl<'a> Writer<'a> {
    pub(super) fn new(to: &'a mut Vec<u8>) -> Self {
        let start = to.len();
        to.extend_from_slice(&[0; LENGTH_BYTES]);
        Self { to, start }
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.to.push(value);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.rest(&value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.rest(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.rest(&value.to_le_bytes())
    }

    pub(super) fn u128(&mut self, value: u128) -> &mut Self {
        self.rest(&value.to_le_bytes())
    }

    /// Writes a text with its length in front.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let length = u32::try_from(text.len()).expect("texts are shorter than 4 GiB");
        self.u32(length).rest(text.as_bytes())
    }

    /// Writes bytes that go on to the end of the frame.
    pub(super) fn rest(&mut self, bytes: &[u8]) -> &mut Self {
        self.to.extend_from_slice(bytes);
        self
    }

    pub(super) fn finish(&mut self) {
        let length = self.to.len() - self.start - LENGTH_BYTES;
        let length = u32::try_from(length).expect("frames are shorter than 4 GiB");
        self.to[self.start..self.start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    }
}

/// Reads the fields of a frame whose bytes are all there. Allocates nothing.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Takes so many bytes as they are.
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Lied> {
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Lied> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Lied::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Lied> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(Lied::Short)?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Lied> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Lied> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Lied> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Lied> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Result<u128, Lied> {
        self.array().map(u128::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Lied> {
        let length = usize::try_from(self.u32()?).map_err(|_| Lied::Short)?;
        str::from_utf8(self.take(length)?).map_err(|_| Lied::Text)
    }

    /// Returns what is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Says that nothing may be left.
    pub(super) fn end(&self) -> Result<(), Lied> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Lied::Long) }
    }
}
