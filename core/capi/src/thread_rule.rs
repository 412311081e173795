//! What every call passes on its way in: no panic comes out, and an event loop is used by its own thread, by one call at
//! a time.

use crate::event_loop::{KIND, Whole, pc_event_loop};
use crate::live;
use crate::status::{PC_IN_USE, PC_NULL, PC_OK, PC_PANICKED, PC_WRONG_THREAD, pc_status};
use port_core::EventLoop;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Runs a call, and makes a status of its panic.
#[inline]
pub(crate) fn contained(call: impl FnOnce() -> pc_status) -> pc_status {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        // What a panic carries may panic as well.
        std::mem::forget(panic);
        PC_PANICKED
    })
}

/// What an event loop is doing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Doing {
    Nothing,
    /// A call, which may have called the embedder.
    ACall,
    /// A call panicked, and what it left behind is not to be trusted.
    Panicked,
}

/// Whose an event loop is, and what it is doing.
pub(crate) struct Ownership {
    /// The thread, by the address of something of its own; 0 while it is nobody's.
    thread: AtomicUsize,
    /// For the owner's eyes alone.
    doing: Cell<Doing>,
}

impl Ownership {
    /// Makes the calling thread the owner.
    pub(crate) fn here() -> Self {
        Self { thread: AtomicUsize::new(this_thread()), doing: Cell::new(Doing::Nothing) }
    }

    /// Begins a call. It ends with [`end`](Self::end).
    #[inline]
    pub(crate) fn begin(&self) -> Result<(), pc_status> {
        // No other thread ever stores this thread's number, so this one's last store is what it sees.
        if self.thread.load(Relaxed) != this_thread() {
            return Err(PC_WRONG_THREAD);
        }
        match self.doing.get() {
            Doing::Nothing => {
                self.doing.set(Doing::ACall);
                Ok(())
            }
            Doing::ACall => Err(PC_IN_USE),
            Doing::Panicked => Err(PC_PANICKED),
        }
    }

    /// Begins the last call, which a loop that panicked allows too.
    pub(crate) fn begin_last(&self) -> Result<(), pc_status> {
        match self.begin() {
            Err(PC_PANICKED) => {
                self.doing.set(Doing::ACall);
                Ok(())
            }
            other => other,
        }
    }

    #[inline]
    pub(crate) fn end(&self) {
        self.doing.set(Doing::Nothing);
    }

    #[cold]
    fn panicked(&self) {
        self.doing.set(Doing::Panicked);
    }

    /// Leaves it to whichever thread takes it.
    pub(crate) fn leave(&self) -> Result<(), pc_status> {
        self.begin()?;
        self.end();
        // ORDERING: with `take`, whose thread sees all that this one did.
        self.thread.store(0, Release);
        Ok(())
    }

    /// Takes it, if it was left.
    pub(crate) fn take(&self) -> Result<(), pc_status> {
        // ORDERING: with `leave`.
        let taken = self.thread.compare_exchange(0, this_thread(), Acquire, Relaxed);
        taken.map(drop).map_err(|_| PC_WRONG_THREAD)
    }
}

/// Tells the calling thread from every other that lives.
#[inline]
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| (&raw const *here).addr())
}

/// Runs a call on an event loop.
///
/// # Safety
///
/// `handle` is null or a live event loop's.
#[inline]
pub(crate) unsafe fn on_event_loop(
    handle: *const pc_event_loop,
    call: impl FnOnce(&mut EventLoop) -> pc_status,
) -> pc_status {
    // SAFETY: the same.
    unsafe { on_all_of_it(handle, |whole| call(&mut whole.event_loop)) }
}

/// Runs a call on an event loop that gives C a number.
///
/// # Safety
///
/// As for [`on_event_loop`]; `to` is null or may be written.
#[inline]
pub(crate) unsafe fn give(
    handle: *const pc_event_loop,
    to: *mut u64,
    call: impl FnOnce(&mut EventLoop) -> Result<u64, pc_status>,
) -> pc_status {
    let call = |event_loop: &mut EventLoop| {
        // SAFETY: as above.
        let Some(to) = (unsafe { to.as_mut() }) else { return PC_NULL };
        match call(event_loop) {
            Ok(given) => {
                *to = given;
                PC_OK
            }
            Err(refused) => refused,
        }
    };
    // SAFETY: as above.
    unsafe { on_event_loop(handle, call) }
}

/// Runs a call on an event loop and the event that it shows.
///
/// # Safety
///
/// As for [`on_event_loop`].
#[inline]
pub(crate) unsafe fn on_all_of_it(
    handle: *const pc_event_loop,
    call: impl FnOnce(&mut Whole) -> pc_status,
) -> pc_status {
    // SAFETY: the same.
    let Some(event_loop) = (unsafe { handle.as_ref() }) else { return PC_NULL };
    live::check(handle, KIND);
    if let Err(refused) = event_loop.ownership.begin() {
        return refused;
    }
    // SAFETY: the thread owns it, and no other call of this thread's is under way.
    let whole = unsafe { &mut *event_loop.whole.get() };
    let answer = catch_unwind(AssertUnwindSafe(|| call(whole)));
    match answer {
        Ok(status) => {
            event_loop.ownership.end();
            status
        }
        Err(panic) => {
            std::mem::forget(panic);
            event_loop.ownership.panicked();
            PC_PANICKED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PC_OK, pc_disconnect, pc_event_loop_free, pc_event_loop_new, pc_service_free, pc_service_new,
    };
    use std::ptr::{null, null_mut};

    #[test]
    fn a_panic_is_told_and_the_loop_is_refused_from_then_on() {
        let (mut service, mut event_loop) = (null_mut(), null_mut());
        // SAFETY: what it is given is there.
        assert_eq!(unsafe { pc_service_new(null(), null(), 0, &raw mut service) }, PC_OK);
        // SAFETY: the same.
        assert_eq!(unsafe { pc_event_loop_new(service, null(), &raw mut event_loop) }, PC_OK);
        // SAFETY: the same.
        let answer = unsafe { on_event_loop(event_loop, |_| panic!("a mistake of the library's")) };
        assert_eq!(answer, PC_PANICKED);
        // SAFETY: the same.
        assert_eq!(unsafe { pc_disconnect(event_loop, 1) }, PC_PANICKED);
        // SAFETY: the same.
        assert_eq!(unsafe { pc_event_loop_free(event_loop) }, PC_OK);
        // SAFETY: the same.
        unsafe { pc_service_free(service) };
        assert_eq!(contained(|| panic!("another")), PC_PANICKED);
    }
}
