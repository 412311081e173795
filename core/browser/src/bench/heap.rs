//! The heap of this process: what the script engine and the rest of the browser have allocated.

/// Bytes allocated and not freed, by everybody in this process; `None` where the system
/// does not tell.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn allocated() -> Option<usize> {
    // SAFETY: the call has no preconditions; it takes the allocator's own locks.
    let info = unsafe { libc::mallinfo2() };
    Some(info.uordblks + info.hblkhd)
}

/// Bytes allocated and not freed; this system does not tell.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn allocated() -> Option<usize> {
    None
}
