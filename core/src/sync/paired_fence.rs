//! Two fences of which one is passed far more often than the other.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};
use std::thread;
use std::time::Duration;

/// The two fences between "publish, then look" and "announce, then look": whoever
/// passes its fence second sees what the other did before its own.
///
/// Where the system has `membarrier`, the side that passes often pays nothing and the
/// rare side has the kernel interrupt every running thread of the process with a fence; where
/// it does not, or where a sandbox would kill who asks, both sides pass a fence. Which of the two is settled
/// before the first use.
/// The asymmetric form is the symmetric one with the frequent side's fence moved: the
/// kernel passes it for that thread, at some point between two of its instructions, and
/// wherever that point is, either its publishing lies before it (and is visible to the rare side
/// afterwards) or its look lies behind it (and sees the announcement).
pub(crate) struct PairedFence {
    asymmetric: AtomicBool,
}

impl PairedFence {
    /// Asks the system which form it can have; where the asymmetric one is not wanted, asks nothing and takes the other.
    pub(crate) fn new(asymmetric: bool) -> Self {
        Self { asymmetric: AtomicBool::new(asymmetric && kernel::register()) }
    }

    /// The side that publishes.
    #[inline(always)]
    pub(crate) fn frequent(&self) {
        // Relaxed: it changes once at most, and `rare` allows for that.
        if self.asymmetric.load(Ordering::Relaxed) {
            compiler_fence(Ordering::SeqCst);
        } else {
            // ORDERING: pairs with the fence in `rare`.
            fence(Ordering::SeqCst);
        }
    }

    /// The side that announces.
    #[inline]
    pub(crate) fn rare(&self) {
        // ORDERING: pairs with the fence in `frequent`, or with the one that the kernel
        // has the other threads pass.
        fence(Ordering::SeqCst);
        if self.asymmetric.load(Ordering::Relaxed) && !kernel::fence_everyone() {
            self.give_up();
        }
    }

    /// The system took `membarrier` away, as a sandbox does that was not there at the
    /// start. From now on both sides pass a fence. Somebody may be between its old,
    /// empty fence and its look; a processor's stores reach the others within far less than this.
    #[cold]
    fn give_up(&self) {
        self.asymmetric.store(false, Ordering::Relaxed);
        // ORDERING: as in `rare`.
        fence(Ordering::SeqCst);
        thread::sleep(Duration::from_millis(10));
    }
}

impl fmt::Debug for PairedFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asymmetric = self.asymmetric.load(Ordering::Relaxed);
        f.debug_struct("PairedFence").field("asymmetric", &asymmetric).finish()
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes no pointers, and a command that is not known is refused.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Says that this process will use the fence; whether it may. May be said again.
    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    /// Has every running thread of this process pass a full fence; whether it did.
    pub(super) fn fence_everyone() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    pub(super) const fn register() -> bool {
        false
    }

    pub(super) const fn fence_everyone() -> bool {
        false
    }
}
