//! Texts: a pointer and a length, checked to be UTF-8.

use crate::status::{PC_CONTAINS_NUL, PC_LONE_SURROGATE, PC_NOT_UTF8, PC_NULL, PC_WRONG_SIZE, pc_status};
use std::ffi::c_char;
use std::slice;

/// A text: UTF-8 with its length in bytes, and no NUL at its end. `data` may be null if `length` is 0.
/// What you hand in is copied where it is kept, so it need live no longer than the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_string {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes there are.
    pub length: usize,
}

impl pc_string {
    /// Shows a text to C for as long as it lives.
    #[inline]
    pub(crate) const fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }

    /// Returns the text.
    ///
    /// # Safety
    ///
    /// `data` points to `length` bytes that live and do not change for `'a`.
    #[inline]
    pub(crate) unsafe fn read<'a>(self) -> Result<&'a str, pc_status> {
        // SAFETY: the same.
        let bytes = unsafe { bytes(self.data.cast(), self.length) }?;
        // Nearly all are, and to see that takes half the time.
        if bytes.is_ascii() {
            // SAFETY: ASCII is UTF-8.
            return Ok(unsafe { str::from_utf8_unchecked(bytes) });
        }
        other_text(bytes)
    }

    /// Returns a text that names something, in which a NUL would make two names look alike to C.
    ///
    /// # Safety
    ///
    /// As for [`read`](Self::read).
    pub(crate) unsafe fn read_name<'a>(self) -> Result<&'a str, pc_status> {
        // SAFETY: the same.
        let text = unsafe { self.read() }?;
        if text.contains('\0') { Err(PC_CONTAINS_NUL) } else { Ok(text) }
    }
}

/// Returns a text that is not ASCII.
#[cold]
fn other_text(bytes: &[u8]) -> Result<&str, pc_status> {
    str::from_utf8(bytes).map_err(|error| {
        let rest = &bytes[error.valid_up_to()..];
        if matches!(rest, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]) { PC_LONE_SURROGATE } else { PC_NOT_UTF8 }
    })
}

/// Returns the bytes at a pointer.
///
/// # Safety
///
/// `data` points to `length` bytes that live and do not change for `'a`.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const u8, length: usize) -> Result<&'a [u8], pc_status> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(PC_NULL);
    }
    if length > isize::MAX as usize {
        return Err(PC_WRONG_SIZE);
    }
    // SAFETY: as above.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}
