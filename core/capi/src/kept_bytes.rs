//! Bytes that C keeps: a payload beyond the next event, or the text of a snapshot.

use crate::event_loop::pc_event_loop;
use crate::live;
use crate::service::{on_service, pc_service};
use crate::status::{PC_NONE, PC_NULL, PC_OK, pc_status};
use crate::thread_rule::{contained, on_all_of_it};
use port_core::Event;
use port_core::bytes::Bytes;
use std::sync::Arc;

/// Bytes that you keep, counted by references. They never change, and any thread may read and release them.
pub struct pc_bytes {
    pub(crate) bytes: Bytes,
}

const KIND: &str = "kept bytes";

/// Hands bytes to C.
///
/// # Safety
///
/// `to` is null or may be written.
unsafe fn hand_out(bytes: impl FnOnce() -> Option<Bytes>, to: *mut *mut pc_bytes) -> pc_status {
    // SAFETY: as above.
    let Some(to) = (unsafe { to.as_mut() }) else { return PC_NULL };
    *to = std::ptr::null_mut();
    let Some(bytes) = bytes() else { return PC_NONE };
    *to = Arc::into_raw(Arc::new(pc_bytes { bytes })).cast_mut();
    live::made(*to, KIND);
    PC_OK
}

/// Keeps the payload of the message that the event loop handed out last, beyond the next event. A message of up
/// to 160 bytes is copied; a longer one is not.
///
/// Thread: the event loop's own.
///
/// @param[out] kept  for `pc_bytes_release()`; null if nothing is kept
/// @return `PC_OK`; `PC_NONE` when the last event was no message; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_payload_retain(
    event_loop: *mut pc_event_loop,
    kept: *mut *mut pc_bytes,
) -> pc_status {
    let keep = |whole: &mut crate::event_loop::Whole| {
        let bytes = || match &whole.shown.event {
            Some(Event::Message { payload, .. }) => Some(payload.clone().into_bytes()),
            _ => None,
        };
        // SAFETY: as C is told.
        unsafe { hand_out(bytes, kept) }
    };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, keep) }
}

/// Gives the text of what an event loop knows: contexts, ports with their other sides and states, what is queued,
/// lanes. For a developer's panel or a bug report; the form of the text may change. Walks everything that lies in the lanes.
///
/// Thread: the event loop's own.
///
/// @param[out] text  UTF-8, for `pc_bytes_release()`
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_snapshot(
    event_loop: *mut pc_event_loop,
    text: *mut *mut pc_bytes,
) -> pc_status {
    let show = |whole: &mut crate::event_loop::Whole| {
        // SAFETY: as C is told.
        unsafe { hand_out(|| Some(format!("{:#?}", whole.event_loop.snapshot()).into()), text) }
    };
    // SAFETY: as C is told.
    unsafe { on_all_of_it(event_loop, show) }
}

/// Gives the text of what a service knows: tabs, frames, extensions, contexts, event loops. As for
/// `pc_event_loop_snapshot()`.
///
/// Thread: any.
///
/// @param[out] text  UTF-8, for `pc_bytes_release()`
/// @return `PC_OK`, `PC_NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_service_snapshot(
    service: *const pc_service,
    text: *mut *mut pc_bytes,
) -> pc_status {
    // SAFETY: as C is told.
    let show = |service: &port_core::MessageService| unsafe {
        hand_out(|| Some(format!("{:#?}", service.snapshot()).into()), text)
    };
    // SAFETY: as C is told.
    unsafe { on_service(service, show) }
}

/// Returns the first of the bytes, which live until the last reference is released; null for null.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_bytes_data(bytes: *const pc_bytes) -> *const u8 {
    // SAFETY: as C is told.
    unsafe { bytes.as_ref() }.map_or(std::ptr::null(), |kept| {
        live::check(kept, KIND);
        kept.bytes.as_ptr()
    })
}

/// Returns how many bytes there are; 0 for null.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_bytes_length(bytes: *const pc_bytes) -> usize {
    // SAFETY: as C is told.
    unsafe { bytes.as_ref() }.map_or(0, |kept| {
        live::check(kept, KIND);
        kept.bytes.len()
    })
}

/// Takes one more reference, which is to be released as well; null is ignored.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_bytes_retain(bytes: *mut pc_bytes) {
    if !bytes.is_null() {
        live::check(bytes, KIND);
        live::made(bytes, KIND);
        // SAFETY: as C is told, it holds a reference to what `Arc::into_raw` gave.
        unsafe { Arc::increment_strong_count(bytes.cast_const()) };
    }
}

/// Releases a reference; null is ignored. With the last one the bytes go, and if they were posted by
/// `pc_post_owned()` and nobody else reads them, their release function is called.
///
/// Thread: any. In a debug build, to release more references than there are aborts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_bytes_release(bytes: *mut pc_bytes) {
    contained(|| {
        if !bytes.is_null() {
            live::let_go(bytes, KIND);
            // SAFETY: as C is told, it holds a reference to what `Arc::into_raw` gave.
            drop(unsafe { Arc::from_raw(bytes.cast_const()) });
        }
        PC_OK
    });
}

/// Returns what C keeps, for a post.
///
/// # Safety
///
/// `bytes` is null or kept.
pub(crate) unsafe fn kept(bytes: *const pc_bytes) -> Result<Bytes, pc_status> {
    // SAFETY: as above.
    let kept = unsafe { bytes.as_ref() }.ok_or(PC_NULL)?;
    live::check(kept, KIND);
    Ok(kept.bytes.clone())
}
