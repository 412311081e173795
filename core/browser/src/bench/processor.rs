//! The processor time of this process: what the work takes, whoever else uses the machine.

use std::fs;
use std::time::Duration;

/// Processor time of all threads that run now, as the kernel counts it; `None` where it
/// does not tell.
pub(super) fn time() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let nanoseconds = threads.map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanoseconds.sum::<Option<u64>>().map(Duration::from_nanos)
}
