//! Posting: copied, owned with a release function, or what was kept.

use crate::event_loop::pc_event_loop;
use crate::kept_bytes::{kept, pc_bytes};
use crate::sized::{Sized32, read};
use crate::status::{Coded, PC_NULL, PC_OK, PC_UNKNOWN_VALUE, pc_status};
use crate::text::bytes;
use crate::thread_rule::on_event_loop;
use port_core::{EventLoop, Message, MessageFormat, PortId};
use std::cell::Cell;
use std::ffi::c_void;

/// The format of a message: JSON text in UTF-8.
pub const PC_JSON: u32 = 0;
/// The format of a message: the browser's structured clone.
pub const PC_STRUCTURED_CLONE: u32 = 1;
/// The first of 256 formats of your own: `PC_OTHER_FORMAT + 0` to `PC_OTHER_FORMAT + 255`.
pub const PC_OTHER_FORMAT: u32 = 256;

#[inline]
fn format_of(format: u32) -> Result<MessageFormat, pc_status> {
    match format {
        PC_JSON => Ok(MessageFormat::Json),
        PC_STRUCTURED_CLONE => Ok(MessageFormat::StructuredClone),
        _ => {
            let other = format.checked_sub(PC_OTHER_FORMAT).and_then(|other| u8::try_from(other).ok());
            other.map(MessageFormat::Other).ok_or(PC_UNKNOWN_VALUE)
        }
    }
}

#[inline]
pub(crate) fn number_of(format: MessageFormat) -> u32 {
    match format {
        MessageFormat::StructuredClone => PC_STRUCTURED_CLONE,
        MessageFormat::Other(other) => PC_OTHER_FORMAT + u32::from(other),
        _ => PC_JSON,
    }
}

/// Sends a message to the other side of a port, from an opener to every receiver: `port.postMessage()`. Copies it: a
/// message of up to 160 bytes into the lane, a longer one into memory of its own. It is never delivered before
/// this returns. A refused post changes nothing.
///
/// Thread: the event loop's own. May call wakers.
///
/// @param data             the bytes; may be null if `length` is 0
/// @param length           how many there are
/// @param format           `PC_JSON`, `PC_STRUCTURED_CLONE`, or `PC_OTHER_FORMAT` and up to 255 more. The library gives it no meaning
/// @param user_activation  1 if the sending script ran under user activation, otherwise 0
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_POST_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_post(
    event_loop: *mut pc_event_loop,
    port: u64,
    data: *const u8,
    length: usize,
    format: u32,
    user_activation: u32,
) -> pc_status {
    let post = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let bytes = match unsafe { bytes(data, length) } {
            Ok(bytes) => bytes,
            Err(status) => return status,
        };
        let format = match format_of(format) {
            Ok(format) => format,
            Err(status) => return status,
        };
        let message = Message::from(bytes).format(format).user_activation(user_activation != 0);
        match event_loop.post_message(PortId::from_bits(port), message) {
            Ok(()) => PC_OK,
            Err(error) => error.kind().status(),
        }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, post) }
}

/// Bytes that you own, with the function that frees them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_owned_bytes {
    /// `sizeof(pc_owned_bytes)`.
    pub size: u32,
    /// The bytes. They may not change until they are released.
    pub data: *const u8,
    /// How many there are.
    pub length: usize,
    /// Frees them. Called once, on any thread, when nobody reads them any more: possibly before the post returns. It may
    /// call the library, must not block, and must not let an exception out.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, data: *const u8, length: usize)>,
    /// What `release` is given.
    pub context: *mut c_void,
}

// SAFETY: it is `repr(C)`, numbers and pointers.
unsafe impl Sized32 for pc_owned_bytes {}

/// Bytes of C's that were handed over.
struct Foreign {
    bytes: &'static [u8],
    release: unsafe extern "C" fn(context: *mut c_void, data: *const u8, length: usize),
    context: *mut c_void,
}

// SAFETY: C is told that any thread may read and release them.
unsafe impl Send for Foreign {}

impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

thread_local! {
    /// `true` while a refused message is let go of, whose bytes stay C's.
    static GIVEN_BACK: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if !GIVEN_BACK.get() {
            // SAFETY: nobody reads them any more, and this is the only call.
            unsafe { (self.release)(self.context, self.bytes.as_ptr(), self.bytes.len()) }
        }
    }
}

/// Sends a message like `pc_post()`, without copying a long one: the receivers read your bytes. If the post is
/// refused, the bytes stay yours and are not released (but with `PC_PANICKED` they are the library's, and may leak).
///
/// Thread: the event loop's own. May call wakers and `release`.
///
/// @return as `pc_post()`; `PC_NULL` also when there is no `release`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_post_owned(
    event_loop: *mut pc_event_loop,
    port: u64,
    owned: *const pc_owned_bytes,
    format: u32,
    user_activation: u32,
) -> pc_status {
    let post = |event_loop: &mut EventLoop| -> Result<(), pc_status> {
        // SAFETY: as C is told.
        let owned = unsafe { read(owned) }?;
        // SAFETY: as C is told, they live until they are released.
        let bytes = unsafe { bytes::<'static>(owned.data, owned.length) }?;
        let format = format_of(format)?;
        let release = owned.release.ok_or(PC_NULL)?;
        // Even of empty bytes, C gets back the address that it gave.
        let bytes = if bytes.is_empty() { empty_at(owned.data) } else { bytes };
        let message = Message::from_owner(Foreign { bytes, release, context: owned.context });
        let message = message.format(format).user_activation(user_activation != 0);
        event_loop.post_message(PortId::from_bits(port), message).map_err(|error| {
            let status = error.kind().status();
            GIVEN_BACK.set(true);
            drop(error);
            GIVEN_BACK.set(false);
            status
        })
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, |event_loop| post(event_loop).err().unwrap_or(PC_OK)) }
}

/// Returns no bytes, at this address if it is not null.
fn empty_at(data: *const u8) -> &'static [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: no byte of it is read.
    unsafe { std::slice::from_raw_parts(data, 0) }
}

/// Sends bytes that you keep, such as the payload of another message, without copying them if there are many.
/// The reference that you hold stays yours.
///
/// Thread: the event loop's own. May call wakers.
///
/// @return as `pc_post()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_post_kept(
    event_loop: *mut pc_event_loop,
    port: u64,
    bytes: *const pc_bytes,
    format: u32,
    user_activation: u32,
) -> pc_status {
    let post = |event_loop: &mut EventLoop| -> Result<(), pc_status> {
        // SAFETY: as C is told.
        let message = Message::from(unsafe { kept(bytes) }?);
        let message = message.format(format_of(format)?).user_activation(user_activation != 0);
        event_loop.post_message(PortId::from_bits(port), message).map_err(|error| error.kind().status())
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, |event_loop| post(event_loop).err().unwrap_or(PC_OK)) }
}
