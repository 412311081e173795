//! The bytes of a message as a receiver gets them.

use crate::contain::contain;
use bytes::Bytes;
use std::fmt;
use std::mem::{self, MaybeUninit};
use std::ops::Deref;

/// The most bytes that travel inside the lane itself, copied in by the poster and out by the receiver with no
/// allocation on either side. Longer messages travel by reference.
pub const INLINE_BYTES: usize = 160;

/// The bytes of a received message. Dereferences to `[u8]`.
///
/// Messages of up to [`INLINE_BYTES`] are held in the value itself, longer ones are the poster's [`Bytes`] by
/// reference. Dropping the last reference to a long message frees it on whichever thread that happens.
#[derive(Clone)]
pub struct Payload(Storage);

#[derive(Clone)]
enum Storage {
    Inline(Inline),
    Shared(Bytes),
}

#[derive(Clone, Copy)]
struct Inline {
    /// Of two bytes, for one byte in front of the bytes that are not initialised would have the
    /// compiler write it over all of them.
    length: u16,
    /// The first `length` bytes are initialised.
    bytes: [MaybeUninit<u8>; INLINE_BYTES],
}

/// The front of a short message, as a record holds it.
type Front = [MaybeUninit<u8>; HEAD_BYTES];

/// What lies of a short message in one slot behind its record.
pub(crate) type Piece = [MaybeUninit<u8>; PIECE_BYTES];

/// Bytes of a lane's record that hold the front of a short message.
pub(crate) const HEAD_BYTES: usize = 40;

/// Bytes of a short message that lie in one slot behind the record.
pub(crate) const PIECE_BYTES: usize = (INLINE_BYTES - HEAD_BYTES) / 2;

/// A short message in as many pieces as it needs, as it lies in a lane.
#[derive(Clone, Copy)]
pub(crate) struct Pieces<'a> {
    length: u16,
    /// These are initialised as far as the message goes.
    front: &'a Front,
    second: Option<&'a Piece>,
    third: Option<&'a Piece>,
}

impl<'a> Pieces<'a> {
    /// The pieces of a message of this length.
    ///
    /// # Safety
    ///
    /// They are as many as it takes, and initialised as far as the message goes.
    #[inline(always)]
    pub(crate) unsafe fn new(
        length: u16,
        front: &'a Front,
        (second, third): (Option<&'a Piece>, Option<&'a Piece>),
    ) -> Self {
        Self { length, front, second, third }
    }

    /// A payload of these pieces that is yet to be [written](Self::write).
    ///
    /// A payload is large: put together in one place and moved to another it costs more than all the rest of
    /// a message. So an event is made with an unwritten one, which is written where the event will be.
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
        if let Some(second) = self.second {
            rest[..PIECE_BYTES].copy_from_slice(second);
            if let Some(third) = self.third {
                rest[PIECE_BYTES..].copy_from_slice(third);
            }
        }
    }
}

impl Payload {
    pub(crate) fn shared(bytes: Bytes) -> Self {
        Self(Storage::Shared(bytes))
    }

    /// The bytes of a long payload.
    #[inline]
    pub(crate) fn as_shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Storage::Shared(bytes) => Some(bytes),
            Storage::Inline(_) => None,
        }
    }

    /// Returns the pieces of a short payload.
    #[inline(always)]
    pub(crate) fn pieces(&self) -> Option<Pieces<'_>> {
        let Storage::Inline(Inline { length, bytes }) = &self.0 else { return None };
        let (front, rest) = bytes.split_first_chunk()?;
        let (second, third) = rest.split_first_chunk()?;
        let filled = usize::from(*length);
        let second = (filled > HEAD_BYTES).then_some(second);
        let third = if filled > HEAD_BYTES + PIECE_BYTES { third.first_chunk() } else { None };
        Some(Pieces { length: *length, front, second, third })
    }

    /// The payload, leaving an empty one.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        mem::take(self)
    }

    /// The message as [`Bytes`]: free of cost for a long message, one allocation and a copy for a short one.
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
                // SAFETY: whoever made the payload initialised the first `length` bytes.
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
    /// The bytes as a byte string, cut after 64.
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

/// Drops something that may hold payloads. A panic in a payload's destructor is
/// the embedder's and is caught: it must not stop the core half-way.
pub(crate) fn discard<T>(value: T) {
    contain(|| drop(value));
}

/// Discards the items one by one, so that each is dropped whatever the others do.
pub(crate) fn discard_all<T>(items: impl IntoIterator<Item = T>) {
    items.into_iter().for_each(discard);
}
