//! The handle of an event loop: made, moved between threads, freed.

use crate::event::Shown;
use crate::live;
use crate::service::{on_service, pc_service};
use crate::status::{PC_NULL, PC_OK, pc_status};
use crate::thread_rule::{Ownership, contained, give, on_event_loop};
use crate::waker::{pc_waker, take_over};
use port_core::EventLoop;
use std::alloc::{Layout, dealloc};
use std::cell::UnsafeCell;
use std::ptr;

/// The part of one browser thread that runs script: the contexts that live on the thread, and their ports.
///
/// It belongs to one thread, at first the one that made it. `pc_event_loop_leave()` and `pc_event_loop_take()` move
/// it to another. Any other thread's calls are refused with `PC_WRONG_THREAD`. A function that the library calls (a waker,
/// a release function) may use the library, but not the event loop whose call it is made from: that is `PC_IN_USE`.
pub struct pc_event_loop {
    pub(crate) ownership: Ownership,
    pub(crate) whole: UnsafeCell<Whole>,
}

/// An event loop, and what it has shown last.
pub(crate) struct Whole {
    pub(crate) event_loop: EventLoop,
    pub(crate) shown: Shown,
}

pub(crate) const KIND: &str = "event loop";

/// Makes an event loop, which belongs to the calling thread.
///
/// Thread: any.
///
/// @param waker  wakes the thread's own main loop; null for a thread that takes its events by `pc_wait()`
/// @param[out] event_loop  for `pc_event_loop_free()`; null if the call is refused
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_new(
    service: *const pc_service,
    waker: *const pc_waker,
    event_loop: *mut *mut pc_event_loop,
) -> pc_status {
    // SAFETY: as C is told.
    unsafe { make(service, waker, None, event_loop) }
}

/// Makes an event loop like `pc_event_loop_new()`, for one whose scripts are trusted less than others': those of a renderer process,
/// say. All that it has the service hold takes at most so many bytes of `service_bytes` and the extensions' own: what lies in
/// the lanes that it sends on, its ports, names, and posts that wait. What would pass that is refused with `PC_BUSY`.
///
/// Thread: any.
///
/// @param waker  as for `pc_event_loop_new()`
/// @param bytes  drawn in pieces of up to 96 KiB, so less than that is nothing
/// @param[out] event_loop  for `pc_event_loop_free()`; null if the call is refused
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_new_limited(
    service: *const pc_service,
    waker: *const pc_waker,
    bytes: u64,
    event_loop: *mut *mut pc_event_loop,
) -> pc_status {
    // SAFETY: as C is told.
    unsafe { make(service, waker, Some(bytes), event_loop) }
}

/// # Safety
///
/// As for [`pc_event_loop_new`].
unsafe fn make(
    service: *const pc_service,
    waker: *const pc_waker,
    bytes: Option<u64>,
    event_loop: *mut *mut pc_event_loop,
) -> pc_status {
    let make = |service: &port_core::MessageService| {
        // SAFETY: as C is told.
        let Some(to) = (unsafe { event_loop.as_mut() }) else { return PC_NULL };
        *to = ptr::null_mut();
        // SAFETY: as C is told.
        let waker = match unsafe { take_over(waker) } {
            Ok(waker) => waker(),
            Err(status) => return status,
        };
        let event_loop = match bytes {
            Some(bytes) => service.limited_event_loop(waker, bytes),
            None => service.event_loop(waker),
        };
        let whole = Whole { event_loop, shown: Shown::default() };
        let made = pc_event_loop { ownership: Ownership::here(), whole: UnsafeCell::new(whole) };
        *to = Box::into_raw(Box::new(made));
        live::made(*to, KIND);
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_service(service, make) }
}

/// Frees an event loop; null is ignored. Its contexts end: the other sides hear `PC_REASON_EVENT_LOOP_GONE`,
/// after what was sent before. A view of an event goes with it.
///
/// Thread: the event loop's own. May call wakers and release functions. In a debug build a second call for the same handle aborts.
///
/// @return `PC_OK`, `PC_WRONG_THREAD`, `PC_IN_USE`. Only after `PC_OK` is it freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_free(event_loop: *mut pc_event_loop) -> pc_status {
    contained(|| {
        // SAFETY: as C is told.
        let Some(handle) = (unsafe { event_loop.as_ref() }) else { return PC_OK };
        live::check(event_loop, KIND);
        if let Err(refused) = handle.ownership.begin_last() {
            return refused;
        }
        // While it goes it may call the embedder, whose calls on it are refused: they find it in use.
        // SAFETY: the thread owns it, no other call is under way, and none will come to look.
        let gone = contained(|| unsafe {
            ptr::drop_in_place(handle.whole.get());
            PC_OK
        });
        live::let_go(event_loop, KIND);
        // SAFETY: a box gave it, and what needed to be dropped was.
        unsafe { dealloc(event_loop.cast(), Layout::new::<pc_event_loop>()) };
        gone
    })
}

/// Leaves an event loop to another thread, which then calls `pc_event_loop_take()`. Until then it belongs to nobody.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_leave(event_loop: *mut pc_event_loop) -> pc_status {
    // SAFETY: as C is told.
    unsafe { change_owner(event_loop, Ownership::leave) }
}

/// Takes an event loop that another thread left: it belongs to the calling thread now.
///
/// Thread: any.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD` when nobody left it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_take(event_loop: *mut pc_event_loop) -> pc_status {
    // SAFETY: as C is told.
    unsafe { change_owner(event_loop, Ownership::take) }
}

/// Changes the owner.
///
/// # Safety
///
/// `handle` is null or a live event loop's.
unsafe fn change_owner(
    handle: *const pc_event_loop,
    change: impl FnOnce(&Ownership) -> Result<(), pc_status>,
) -> pc_status {
    contained(|| {
        // SAFETY: as above.
        let Some(event_loop) = (unsafe { handle.as_ref() }) else { return PC_NULL };
        live::check(handle, KIND);
        change(&event_loop.ownership).err().unwrap_or(PC_OK)
    })
}

/// Tells the id of an event loop, for `pc_event_loop_gone()`.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_id(event_loop: *mut pc_event_loop, id: *mut u64) -> pc_status {
    // SAFETY: as C is told.
    unsafe { give(event_loop, id, |event_loop| Ok(event_loop.id().to_bits())) }
}

/// Tells whether the browser declared this event loop gone by `pc_event_loop_gone()`. Meant for a thread that comes back
/// from a hang: a loop that is gone stays gone, so the thread frees it and makes another.
///
/// Thread: the event loop's own. Takes a lock for a moment, so do not call it on every turn.
///
/// @param[out] gone  1 if it is gone, otherwise 0
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_is_gone(event_loop: *mut pc_event_loop, gone: *mut u32) -> pc_status {
    let tell = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        let Some(gone) = (unsafe { gone.as_mut() }) else { return PC_NULL };
        *gone = event_loop.is_gone().into();
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, tell) }
}

/// Replaces the waker. If the old one was called for something that is not yet taken, the new one is called at once.
/// The last thread that uses the old one drops it.
///
/// Thread: the event loop's own.
///
/// @param waker  null for one that does nothing
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_set_waker(
    event_loop: *mut pc_event_loop,
    waker: *const pc_waker,
) -> pc_status {
    let set = |event_loop: &mut EventLoop| {
        // SAFETY: as C is told.
        match unsafe { take_over(waker) } {
            Ok(waker) => {
                event_loop.set_waker(waker());
                PC_OK
            }
            Err(status) => status,
        }
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, set) }
}

/// Sets how many times `pc_wait()` and `pc_wait_for()` poll before they block. The default, 400, takes about five microseconds; use
/// more where answers come at once, and 0 where threads outnumber processors.
///
/// Thread: the event loop's own.
///
/// @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pc_event_loop_set_looks_before_sleep(
    event_loop: *mut pc_event_loop,
    looks: u32,
) -> pc_status {
    let set = |event_loop: &mut EventLoop| {
        event_loop.set_looks_before_sleep(looks);
        PC_OK
    };
    // SAFETY: as C is told.
    unsafe { on_event_loop(event_loop, set) }
}
