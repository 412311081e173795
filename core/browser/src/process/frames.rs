//! Frames on the one socket of a renderer process: pieces of the core's own stream, and messages of this browser, in one
//! order. A frame is its length in four bytes, its kind in one, and its bytes.

use std::fmt;
use std::ops::Range;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A piece of what a [`Host`](port_core_gateway::Host) and a [`Stub`](port_core_gateway::Stub) say to each other.
    Core,
    /// One message of this browser.
    Message,
    /// That a renderer is [idle](Idle).
    Idle,
}

/// What a renderer says when all that came is done, and nothing will happen by itself, timers aside. It is said for each
/// message that is answered, so it is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    /// How much it has read, in bytes.
    pub(crate) received: u64,
    /// Whether a timer is set.
    pub(crate) timer: bool,
}

impl Idle {
    pub(crate) fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [u8::from(self.timer); 9];
        bytes[..8].copy_from_slice(&self.received.to_le_bytes());
        bytes
    }

    /// Reads what was written; `None` if it is something else.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (received, timer) = bytes.split_first_chunk()?;
        let timer = match timer {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        Some(Self { received: u64::from_le_bytes(*received), timer })
    }
}

/// The most bytes that a frame from a renderer has. The memory for it comes as its bytes do.
pub(crate) const LONGEST: usize = 64 << 20;

/// The most bytes of the core's stream in one frame.
pub(crate) const PIECE: usize = 64 << 10;

const HEAD: usize = 5;

/// Writes a frame behind others. Its bytes are no more than four gibibytes.
pub(crate) fn write(out: &mut Vec<u8>, kind: Kind, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a frame is shorter than four gibibytes");
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(bytes);
}

/// A frame that no honest peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadFrame;

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame that is too long, or of no kind")
    }
}

/// What came and was not yet read.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    read: usize,
}

impl Incoming {
    /// Takes bytes, which may end anywhere.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 && (self.read == self.bytes.len() || self.read > 2 * PIECE) {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the next whole frame.
    pub(crate) fn next(&mut self, longest: usize) -> Result<Option<(Kind, Range<usize>)>, BadFrame> {
        let unread = &self.bytes[self.read..];
        let Some((head, rest)) = unread.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = match head[4] {
            0 => Kind::Core,
            1 => Kind::Message,
            2 => Kind::Idle,
            _ => return Err(BadFrame),
        };
        if length > longest || (kind == Kind::Core && length > PIECE) {
            return Err(BadFrame);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.read + HEAD;
        self.read = start + length;
        Ok(Some((kind, start..start + length)))
    }

    /// Returns the bytes of the frame that was returned last.
    pub(crate) fn bytes(&self, of: Range<usize>) -> &[u8] {
        &self.bytes[of]
    }

    /// Frees the buffer, if it is empty.
    pub(crate) fn trim(&mut self) {
        if self.read == self.bytes.len() {
            *self = Self::default();
        }
    }
}

/// What waits to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// All that ever came in here, in bytes.
    total: u64,
}

impl Outgoing {
    /// Adds a frame.
    pub(crate) fn frame(&mut self, kind: Kind, bytes: &[u8]) {
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
        let before = self.bytes.len();
        write(&mut self.bytes, kind, bytes);
        self.total += (self.bytes.len() - before) as u64;
    }

    /// Adds the core's stream, in pieces.
    pub(crate) fn core(&mut self, bytes: &[u8]) {
        bytes.chunks(PIECE).for_each(|piece| self.frame(Kind::Core, piece));
    }

    /// Returns what waits.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Takes note that so much was sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > 16 * PIECE {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Returns how many bytes ever came in here.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Frees the buffer, if it is empty.
    pub(crate) fn trim(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadFrame, Idle, Incoming, Kind, Outgoing, PIECE};

    #[test]
    fn there_is_one_way_to_say_that_one_is_idle() {
        for idle in [Idle { received: 0, timer: false }, Idle { received: u64::MAX - 1, timer: true }] {
            assert_eq!(Idle::read(&idle.to_bytes()), Some(idle));
        }
        for bytes in [&[][..], &[1; 8], &[2; 9], &[0; 10]] {
            assert_eq!(Idle::read(bytes), None);
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut outgoing = Outgoing::default();
        let stream = vec![7; PIECE + 1];
        outgoing.core(&stream);
        outgoing.frame(Kind::Message, b"{}");
        let sent = outgoing.waiting().to_vec();
        assert_eq!(outgoing.total(), sent.len() as u64);
        for size in [1, 3, 4_096, sent.len()] {
            let (mut incoming, mut core, mut messages) = (Incoming::default(), Vec::new(), Vec::new());
            for piece in sent.chunks(size) {
                incoming.push(piece);
                while let Some((kind, range)) = incoming.next(usize::MAX).expect("whole frames") {
                    match kind {
                        Kind::Core => core.extend_from_slice(incoming.bytes(range)),
                        Kind::Message => messages.push(incoming.bytes(range).to_vec()),
                        Kind::Idle => panic!("nobody is"),
                    }
                }
            }
            assert_eq!((core.as_slice(), messages), (stream.as_slice(), vec![b"{}".to_vec()]), "{size}");
        }
    }

    #[test]
    fn a_length_and_a_kind_are_not_believed() {
        for head in [[9, 0, 0, 0, 1], [1, 0, 0, 0, 3], [0, 0, 16, 0, 0]] {
            let mut incoming = Incoming::default();
            incoming.push(&head);
            assert_eq!(incoming.next(8), Err(BadFrame), "{head:?}");
        }
    }
}
