//! A stream of bytes cut into frames, and one put together.

use super::fields::LENGTH_BYTES;
use super::lie::{Lie, Lied};
use bytes::Bytes;

/// Bytes that came and are not yet read, cut into frames. Memory grows with the bytes that came, whatever lengths
/// they speak of.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// How many of them are read.
    read: usize,
    /// A frame longer than [`LONG`] of which not all has come.
    long: Option<LongFrame>,
    /// How many bytes lay before these since the beginning of the connection.
    before: u64,
}

/// A long frame: it is put together where it will stay, so that its message need not be copied again.
#[derive(Debug)]
struct LongFrame {
    bytes: Vec<u8>,
    length: usize,
}

impl LongFrame {
    /// Appends bytes that came. Memory doubles as they come, up to the frame's length and no further: what is in it
    /// then stays.
    fn extend(&mut self, more: &[u8]) {
        let wanted = self.bytes.len() + more.len();
        if wanted > self.bytes.capacity() {
            let capacity = wanted.max(2 * self.bytes.capacity()).min(self.length);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(more);
    }
}

/// From this length on, in bytes, a frame has memory of its own.
const LONG: usize = 64 << 10;

/// A frame whose bytes are all there, without its length.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Short(&'a [u8]),
    Long(Bytes),
}

impl Frame<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(bytes) => bytes,
        }
    }

    /// Returns a part of this frame as bytes that stay: shares a long frame's memory, copies from a short one.
    pub(crate) fn keep(&self, part: &[u8]) -> Bytes {
        match self {
            Self::Short(_) => Bytes::copy_from_slice(part),
            Self::Long(bytes) => bytes.slice_ref(part),
        }
    }
}

impl Incoming {
    /// Takes bytes that came.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        if let Some(long) = &mut self.long {
            let (more, rest) = bytes.split_at(bytes.len().min(long.length - long.bytes.len()));
            long.extend(more);
            bytes = rest;
        }
        // What was read makes room first.
        if self.read > 0 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns where the next frame begins, in bytes from the beginning of the connection.
    pub(crate) fn at(&self) -> u64 {
        self.before
    }

    /// Takes the next frame, if all of it has come. It may be `longest` bytes long after its length.
    pub(crate) fn next(&mut self, longest: usize) -> Result<Option<Frame<'_>>, Lie> {
        if let Some(long) = &self.long {
            if long.bytes.len() < long.length {
                return Ok(None);
            }
            let bytes = self.long.take().map(|long| long.bytes).unwrap_or_default();
            self.before += (LENGTH_BYTES + bytes.len()) as u64;
            return Ok(Some(Frame::Long(bytes.into())));
        }
        let Some((length, rest)) = self.bytes[self.read..].split_first_chunk() else { return Ok(None) };
        // On 16-bit targets a length that does not fit is longer than any frame may be.
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length == 0 || length > longest {
            return Err(Lie::new(Lied::Length, self.before));
        }
        let there = rest.len();
        if there < length {
            if length > LONG {
                let bytes = rest.to_vec();
                self.bytes.clear();
                self.read = 0;
                self.long = Some(LongFrame { bytes, length });
            }
            return Ok(None);
        }
        let start = self.read + LENGTH_BYTES;
        self.read = start + length;
        self.before += (LENGTH_BYTES + length) as u64;
        Ok(Some(Frame::Short(&self.bytes[start..self.read])))
    }

    /// Returns how many bytes lie here unread.
    pub(crate) fn unread(&self) -> usize {
        self.bytes.len() - self.read + self.long.as_ref().map_or(0, |long| long.bytes.len())
    }

    /// Returns whether a long frame is being put together.
    pub(crate) fn is_partly_long(&self) -> bool {
        self.long.as_ref().is_some_and(|long| long.bytes.len() < long.length)
    }

    /// Frees memory that nothing lies in.
    pub(crate) fn trim(&mut self) {
        if self.bytes.len() == self.read {
            *self = Self { long: self.long.take(), before: self.before, ..Self::default() };
        }
    }
}

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// Returns the buffer that frames are written to the end of.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Returns what waits.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Takes note that the first `count` bytes were sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.sent += count;
        assert!(self.sent <= self.bytes.len(), "no more is sent than there is");
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > LONG && self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Frees memory that nothing lies in.
    pub(crate) fn trim(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames' lengths that come of some bytes, cut anywhere.
    fn cut(bytes: &[u8], piece: usize) -> Vec<usize> {
        let (mut incoming, mut lengths) = (Incoming::default(), Vec::new());
        for bytes in bytes.chunks(piece) {
            incoming.push(bytes);
            while let Some(frame) = incoming.next(usize::MAX).unwrap() {
                lengths.push(frame.bytes().len());
                assert!(frame.bytes().iter().all(|byte| usize::from(*byte) == frame.bytes().len() % 251));
            }
        }
        assert_eq!((incoming.unread(), incoming.at()), (0, bytes.len() as u64));
        lengths
    }

    #[test]
    fn frames_come_whole_however_they_are_cut() {
        let lengths = [1, 2, 300, LONG, LONG + 1, 3, 3 * LONG, 5, 1];
        let mut bytes = Vec::new();
        for length in lengths {
            bytes.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
            bytes.extend(std::iter::repeat_n((length % 251) as u8, length));
        }
        for piece in [1, 2, 3, 7, 1_000, LONG, LONG + 4, bytes.len()] {
            assert_eq!(cut(&bytes, piece), lengths, "in pieces of {piece}");
        }
    }

    #[test]
    fn memory_grows_with_bytes_and_not_with_what_they_say() {
        let mut incoming = Incoming::default();
        incoming.push(&u32::MAX.to_le_bytes());
        incoming.push(&[0; 100]);
        assert!(incoming.next(usize::MAX).unwrap().is_none());
        let long = incoming.long.as_ref().unwrap();
        assert!(long.bytes.capacity() + incoming.bytes.capacity() < 1_000);
        assert_eq!(incoming.unread(), 100);
    }

    #[test]
    fn a_long_frame_takes_no_more_memory_than_it_has_bytes() {
        let mut long = LongFrame { bytes: Vec::new(), length: 300_000 };
        for piece in vec![1; long.length].chunks(7_001) {
            long.extend(piece);
            assert!(long.bytes.capacity() <= 2 * long.bytes.len() && long.bytes.capacity() <= long.length);
        }
        assert_eq!(long.bytes.len(), long.length);
    }

    #[test]
    fn a_length_that_may_not_be_is_a_lie_at_once() {
        for length in [0_u32, 11, u32::MAX] {
            let mut incoming = Incoming::default();
            incoming.push(&length.to_le_bytes());
            assert_eq!(incoming.next(10).unwrap_err(), Lie::new(Lied::Length, 0));
        }
    }

    #[test]
    fn what_waits_is_what_was_not_sent() {
        let mut outgoing = Outgoing::default();
        let all: Vec<u8> = (0..4 * LONG).map(|byte| (byte % 251) as u8).collect();
        outgoing.end().extend_from_slice(&all);
        let mut sent = Vec::new();
        while !outgoing.waiting().is_empty() {
            let some = outgoing.waiting().len().min(10_007);
            sent.extend_from_slice(&outgoing.waiting()[..some]);
            outgoing.sent(some);
        }
        assert!(sent == all);
        outgoing.trim();
        assert_eq!(outgoing.bytes.capacity(), 0);
    }
}
