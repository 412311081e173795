//! The bytes of a message as a receiver gets them.

use bytes::Bytes;
use std::fmt;
use std::mem::MaybeUninit;
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

#[derive(Clone)]
enum Held {
    Inline(Inline),
    Shared(Bytes),
}

#[derive(Clone, Copy)]
struct Inline {
    length: u8,
    /// The first `length` bytes are initialised.
    bytes: [MaybeUninit<u8>; INLINE_BYTES],
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
        Self(Held::Inline(Inline { length, bytes }))
    }

    /// The first `length` bytes of what fixed pieces hold.
    #[inline(always)]
    pub(crate) fn fixed<const HEAD: usize, const CELL: usize, const CELLS: usize>(
        length: u8,
        head: &[MaybeUninit<u8>; HEAD],
        cells: [&[MaybeUninit<u8>; CELL]; CELLS],
    ) -> Self {
        const { assert!(HEAD + CELL * CELLS <= INLINE_BYTES) };
        let length = length.min(const { (HEAD + CELL * CELLS) as u8 });
        let mut bytes = [MaybeUninit::uninit(); INLINE_BYTES];
        bytes[..HEAD].copy_from_slice(head);
        for (cell, number) in cells.into_iter().zip(0..) {
            let start = HEAD + number * CELL;
            bytes[start..start + CELL].copy_from_slice(cell);
        }
        Self(Held::Inline(Inline { length, bytes }))
    }

    /// The message as [`Bytes`]: free of cost for a long message, one allocation
    /// and a copy for a short one.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Held::Shared(bytes) => bytes,
            Held::Inline(_) => Bytes::copy_from_slice(&self),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Shared(bytes) => bytes,
            Held::Inline(inline) => {
                let filled = &inline.bytes[..usize::from(inline.length)];
                // SAFETY: `Payload::inline`, the only constructor, initialised the first `length` bytes.
                unsafe { filled.assume_init_ref() }
            }
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
