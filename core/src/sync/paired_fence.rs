//! Two fences, of which one is passed far more often than the other.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};
use std::thread;
use std::time::Duration;

/// The two fences between "publish, then look" and "announce, then look": the side that
/// passes its fence second sees what the other did before its own fence.
///
/// If the system has `membarrier`, the fences are asymmetric: the frequent side pays nothing, and the
/// rare side makes the kernel interrupt every running thread of the process with a fence. Otherwise
/// both sides pass an ordinary fence. Which form is used is decided before the first use.
///
/// Why the asymmetric form is as good: the kernel's interrupt is a fence that the frequent side passes at
/// some point between two of its instructions. If its publishing comes before that point, the rare side sees it
/// afterwards. If not, its look comes after that point, and sees the announcement.
pub(crate) struct PairedFence {
    asymmetric: AtomicBool,
}

impl PairedFence {
    /// Asks the system which form it can have; where the asymmetric one is not wanted, asks nothing and takes the other.
    pub(crate) fn new(asymmetric: bool) -> Self {
        Self { asymmetric: AtomicBool::new(asymmetric && kernel::register()) }
    }

    /// Passes the fence of the side that publishes.
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

    /// Passes the fence of the side that announces.
    #[inline]
    pub(crate) fn rare(&self) {
        // ORDERING: pairs with the fence in `frequent`, or with the one that the kernel
        // has the other threads pass.
        fence(Ordering::SeqCst);
        if self.asymmetric.load(Ordering::Relaxed) && !kernel::fence_everyone() {
            self.give_up();
        }
    }

    /// Goes over to ordinary fences on both sides, because the system no longer offers `membarrier` (a sandbox
    /// that was entered after the start forbids it, for example). A thread may be between its old, empty fence and
    /// its look just now; stores become visible to other processors long before the sleep here is over.
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

// Miri does not know the call.
#[cfg(all(target_os = "linux", not(miri)))]
mod kernel {
    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes no pointers, and a command that is not known is refused.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Registers this process for the fence, and returns whether it may use it. May be called again.
    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    /// Makes every running thread of this process pass a full fence. Returns whether it did.
    pub(super) fn fence_everyone() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
}

#[cfg(any(not(target_os = "linux"), miri))]
mod kernel {
    pub(super) const fn register() -> bool {
        false
    }

    pub(super) const fn fence_everyone() -> bool {
        false
    }
}
