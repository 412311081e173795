//! The bytes of a message as a receiver gets them.

use crate::contain::contain;
use bytes::Bytes;
use std::fmt;
use std::mem::{self, MaybeUninit};
use std::ops::Deref;

/// How long a message may be to travel inside the lane itself, in bytes: the poster copies it in
/// and the receiver copies it out, and neither allocates. Longer messages travel by reference.
pub const INLINE_BYTES: usize = 160;

/// The bytes of a received message. Dereferences to `[u8]`.
///
/// A message of up to [`INLINE_BYTES`] is held in the value itself; a longer one is
/// a reference to the poster's [`Bytes`]. The thread that drops the last reference to a long
/// message frees it.
#[derive(Clone)]
pub struct Payload(Storage);

#[derive(Clone)]
enum Storage {
    Inline(Inline),
    Shared(Bytes),
}

#[derive(Clone, Copy)]
struct Inline {
    /// Two bytes wide: the compiler stores a one-byte length over all the uninitialised bytes after it too, which
    /// may take any value, and that fills the whole array.
    length: u16,
    /// The first `length` bytes are initialised.
    bytes: [MaybeUninit<u8>; INLINE_BYTES],
}

/// The first bytes of a short message, as a record holds them.
type Front = [MaybeUninit<u8>; HEAD_BYTES];

/// The bytes of a short message in one of the slots after its record.
pub(crate) type Piece = [MaybeUninit<u8>; PIECE_BYTES];

/// How many bytes of a short message lie in its record.
pub(crate) const HEAD_BYTES: usize = 40;

/// How many bytes of a short message lie in one of the slots after its record.
pub(crate) const PIECE_BYTES: usize = (INLINE_BYTES - HEAD_BYTES) / 2;

/// A short message where it lies, in a lane or in an event, in as many pieces as it needs.
#[derive(Clone, Copy)]
pub(crate) struct Pieces<'a, P> {
    length: u16,
    /// These are initialised as far as the message goes.
    front: &'a Front,
    further: P,
}

impl<'a, P: Fn(usize) -> &'a Piece> Pieces<'a, P> {
    /// Takes the pieces of a message of this length: `further` is asked for the first and the second after the front,
    /// counted from 1, where the message is longer than what comes before.
    ///
    /// # Safety
    ///
    /// The pieces are initialised as far as the message goes.
    #[inline(always)]
    pub(crate) unsafe fn new(length: u16, front: &'a Front, further: P) -> Self {
        Self { length, front, further }
    }

    /// Returns a payload of this length whose bytes are yet to be [written](Self::write).
    ///
    /// A payload is large: to put it together in one place and move it to another costs more than
    /// all the rest of a message. So an event is made with an unwritten payload, and the bytes are
    /// written once the event is where its caller wants it.
    ///
    /// # Safety
    ///
    /// These pieces are written to it before it is read.
    #[inline(always)]
    pub(crate) unsafe fn unwritten(&self) -> Payload {
        Payload(Storage::Inline(Inline { length: self.length, bytes: [MaybeUninit::uninit(); _] }))
    }

    /// Returns a payload of these pieces.
    pub(crate) fn into_payload(self) -> Payload {
        // SAFETY: written below.
        let mut payload = unsafe { self.unwritten() };
        self.write(&mut payload);
        payload
    }

    /// Writes the bytes of an [unwritten](Self::unwritten) payload, in pieces of fixed sizes.
    #[inline(always)]
    pub(crate) fn write(self, to: &mut Payload) {
        let Storage::Inline(inline) = &mut to.0 else { return };
        let (front, rest) = inline.bytes.split_at_mut(HEAD_BYTES);
        front.copy_from_slice(self.front);
        let length = usize::from(self.length);
        if length > HEAD_BYTES {
            rest[..PIECE_BYTES].copy_from_slice((self.further)(1));
            if length > HEAD_BYTES + PIECE_BYTES {
                rest[PIECE_BYTES..].copy_from_slice((self.further)(2));
            }
        }
    }
}

impl Payload {
    pub(crate) fn shared(bytes: Bytes) -> Self {
        Self(Storage::Shared(bytes))
    }

    /// Returns the bytes of a long payload.
    #[inline]
    pub(crate) fn as_shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Storage::Shared(bytes) => Some(bytes),
            Storage::Inline(_) => None,
        }
    }

    /// Returns the pieces of a short payload.
    #[inline(always)]
    pub(crate) fn pieces<'a>(&'a self) -> Option<Pieces<'a, impl Fn(usize) -> &'a Piece>> {
        let Storage::Inline(Inline { length, bytes }) = &self.0 else { return None };
        let (front, rest) = bytes.split_first_chunk()?;
        let (second, third) = rest.split_first_chunk()?;
        let third = third.first_chunk()?;
        Some(Pieces { length: *length, front, further: move |nth| if nth == 1 { second } else { third } })
    }

    /// Takes the payload, and leaves an empty one.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }

    /// Returns the message as [`Bytes`]: free for a long message, one allocation
    /// and a copy for a short one.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Storage::Shared(bytes) => bytes,
            _ => Bytes::copy_from_slice(&self),
        }
    }
}

impl Default for Payload {
    /// Returns an empty payload.
    fn default() -> Self {
        Self(Storage::Shared(Bytes::new()))
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Inline(inline) => {
                let filled = &inline.bytes[..usize::from(inline.length)];
                // SAFETY: the first `length` bytes are initialised: `Pieces::write` wrote them before any read.
                unsafe { filled.assume_init_ref() }
            }
            Storage::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    /// Writes the bytes as a byte string, cut after 64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ShownBytes(self).fmt(f)
    }
}

/// Bytes whose `Debug` is a byte string, cut after 64, with the full length behind.
pub(crate) struct ShownBytes<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for ShownBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        write!(f, "b\"{}\"", self.0[..self.0.len().min(SHOWN)].escape_ascii())?;
        if self.0.len() > SHOWN {
            write!(f, "… ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Drops something that may hold payloads. A payload's destructor is the embedder's code; if it panics,
/// the panic is caught, so that the core does not stop half-way.
pub(crate) fn discard<T>(value: T) {
    contain(|| drop(value));
}

/// Discards the items one by one, so that each is dropped even if another panics.
pub(crate) fn discard_all<T>(items: impl IntoIterator<Item = T>) {
    items.into_iter().for_each(discard);
}
