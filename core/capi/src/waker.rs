//! Wakers: a C function, what it is given, and what frees that.

use crate::sized::{Sized32, read};
use crate::status::{PC_NULL, pc_status};
use std::ffi::c_void;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// How the library wakes the main loop of a thread.
///
/// An event loop is *armed* when it is made, and whenever `pc_next_event()` has answered `PC_NONE`. The first thing
/// that is new for an armed loop disarms it and calls `wake`: once, however much comes. So a thread may sleep before its
/// first look; once woken it must take events until `PC_NONE`.
///
/// Both functions may be called on any thread, and at the same time on several. They are called under no lock of the
/// library, and may call it for other event loops, and for this one where the rule of threads allows that. They must
/// not block, and must not let an exception out. `wake` may be called late, but never after `drop`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct pc_waker {
    /// `sizeof(pc_waker)`.
    pub size: u32,
    /// Has the thread take its events soon: writes to an eventfd, posts a task.
    pub wake: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// Frees `data`, once, when nobody will call `wake` any more; may be null. Not called if the call that this waker was
    /// given to is refused.
    pub drop: Option<unsafe extern "C" fn(data: *mut c_void)>,
    /// What both are given.
    pub data: *mut c_void,
}

// SAFETY: it is `repr(C)`, and any pointers and nulls are a value of it.
unsafe impl Sized32 for pc_waker {}

/// A waker that the library has taken over.
struct Taken {
    wake: unsafe extern "C" fn(data: *mut c_void),
    drop: Option<unsafe extern "C" fn(data: *mut c_void)>,
    data: *mut c_void,
}

// SAFETY: C is told that any thread may call them.
unsafe impl Send for Taken {}
// SAFETY: C is told that several threads may call `wake` at a time; `drop` is called by the last owner.
unsafe impl Sync for Taken {}

impl Wake for Taken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // SAFETY: `data` is what C gave with it, and not dropped yet.
        unsafe { (self.wake)(self.data) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: this is the last use.
            unsafe { drop(self.data) }
        }
    }
}

/// Checks a waker, and returns what takes it over; from null, one that does nothing.
///
/// # Safety
///
/// `waker` is null, or points to as many bytes as its size says, whose functions do as C is told.
pub(crate) unsafe fn take_over(waker: *const pc_waker) -> Result<impl FnOnce() -> Waker, pc_status> {
    let taken = if waker.is_null() {
        None
    } else {
        // SAFETY: the same.
        let pc_waker { wake, drop, data, .. } = *unsafe { read(waker) }?;
        Some((wake.ok_or(PC_NULL)?, drop, data))
    };
    Ok(move || match taken {
        None => Waker::noop().clone(),
        Some((wake, drop, data)) => Arc::new(Taken { wake, drop, data }).into(),
    })
}
