//! The bytes of a message as a receiver gets them.

use bytes::Bytes;
use std::fmt;
use std::mem::{self, MaybeUninit};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The most bytes that travel inside the lane itself, copied in by the poster
/// and out by the receiver with no allocation on either side. Longer messages
/// travel by reference.
pub const INLINE_BYTES: usize = 160;

/// The bytes of a received message. Dereferences to `[u8]`.
///
/// Messages of up to [`INLINE_BYTES`] are held in the value itself, longer ones
/// are the poster's [`Bytes`] by reference. Dropping the last reference to a long
/// message frees it on whichever thread that happens.
#[derive(Clone)]
pub struct Payload(Held);

/// A short message is held in as little as its pieces need, so that a smaller one costs
/// less to move.
#[derive(Clone)]
enum Held {
    One(Inline<{ PIECES[0] }>),
    Two(Inline<{ PIECES[1] }>),
    Three(Inline<{ PIECES[2] }>),
    Shared(Bytes),
}

/// The bytes that fit a lane's record alone, with one slot behind it, and with two.
pub(crate) const PIECES: [usize; 3] = [40, 100, INLINE_BYTES];

#[derive(Clone, Copy)]
struct Inline<const N: usize> {
    length: u8,
    /// The first `length` bytes are initialised.
    bytes: [MaybeUninit<u8>; N],
}

impl<const N: usize> Inline<N> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        let filled = &self.bytes[..usize::from(self.length)];
        // SAFETY: the constructors of `Payload` initialised the first `length` bytes.
        unsafe { filled.assume_init_ref() }
    }
}

impl Payload {
    pub(crate) fn shared(bytes: Bytes) -> Self {
        Self(Held::Shared(bytes))
    }

    /// Joins the pieces of a message that lay in the lane.
    ///
    /// # Panics
    ///
    /// When the pieces are longer than [`INLINE_BYTES`] together; the lane admits no such record.
    #[inline]
    pub(crate) fn inline<'a>(first: &[u8], rest: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut bytes = [MaybeUninit::uninit(); INLINE_BYTES];
        bytes[..first.len()].write_copy_of_slice(first);
        let mut length = first.len();
        for piece in rest {
            bytes[length..length + piece.len()].write_copy_of_slice(piece);
            length += piece.len();
        }
        let length = u8::try_from(length).expect("INLINE_BYTES fits a byte");
        Self(Held::Three(Inline { length, bytes }))
    }

    /// The first `length` bytes of a record's own.
    ///
    /// # Safety
    ///
    /// They are initialised, and `length` is at most their number.
    #[inline(always)]
    pub(crate) unsafe fn one(length: u8, bytes: [MaybeUninit<u8>; PIECES[0]]) -> Self {
        Self(Held::One(Inline { length, bytes }))
    }

    /// The first `length` bytes of a record's own and those of the slot behind it.
    ///
    /// # Safety
    ///
    /// As for [`one`](Self::one).
    #[inline(always)]
    pub(crate) unsafe fn two(length: u8, first: &[MaybeUninit<u8>], second: &[MaybeUninit<u8>]) -> Self {
        let mut bytes = [MaybeUninit::uninit(); _];
        let (start, end) = bytes.split_at_mut(PIECES[0]);
        start.copy_from_slice(first);
        end.copy_from_slice(second);
        Self(Held::Two(Inline { length, bytes }))
    }

    /// The first `length` bytes of a record's own and those of the two slots behind it.
    ///
    /// # Safety
    ///
    /// As for [`one`](Self::one).
    #[inline(always)]
    pub(crate) unsafe fn three(
        length: u8,
        first: &[MaybeUninit<u8>],
        second: &[MaybeUninit<u8>],
        third: &[MaybeUninit<u8>],
    ) -> Self {
        let mut bytes = [MaybeUninit::uninit(); _];
        bytes[..PIECES[0]].copy_from_slice(first);
        bytes[PIECES[0]..PIECES[1]].copy_from_slice(second);
        bytes[PIECES[1]..].copy_from_slice(third);
        Self(Held::Three(Inline { length, bytes }))
    }

    /// Gives a copy to `then`, arm by arm so that each is made where it will be.
    #[inline(always)]
    pub(crate) fn copied<R>(&self, then: impl Fn(Self) -> R) -> R {
        match &self.0 {
            Held::One(inline) => then(Self(Held::One(*inline))),
            Held::Two(inline) => then(Self(Held::Two(*inline))),
            Held::Three(inline) => then(Self(Held::Three(*inline))),
            Held::Shared(bytes) => then(Self(Held::Shared(bytes.clone()))),
        }
    }

    /// The payload, leaving an empty one.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        mem::replace(self, Self(Held::Shared(Bytes::new())))
    }

    /// The message as [`Bytes`]: free of cost for a long message, one allocation
    /// and a copy for a short one.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Held::Shared(bytes) => bytes,
            _ => Bytes::copy_from_slice(&self),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Shared(bytes) => bytes,
            Held::One(inline) => inline.as_slice(),
            Held::Two(inline) => inline.as_slice(),
            Held::Three(inline) => inline.as_slice(),
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
        debug_bytes(self, f)
    }
}

/// Writes bytes as a byte string, cut after 64, with the full length behind.
pub(crate) fn debug_bytes(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const SHOWN: usize = 64;
    write!(f, "b\"{}\"", bytes[..bytes.len().min(SHOWN)].escape_ascii())?;
    if bytes.len() > SHOWN {
        write!(f, "… ({} bytes)", bytes.len())?;
    }
    Ok(())
}

/// Drops something that may hold payloads. A panic in a payload's destructor is
/// the embedder's and is caught: it must not stop the core half-way.
pub(crate) fn discard<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// Discards the items one by one, so that each is dropped whatever the others do.
pub(crate) fn discard_all<T>(items: impl IntoIterator<Item = T>) {
    items.into_iter().for_each(discard);
}
