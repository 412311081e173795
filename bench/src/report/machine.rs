//! On what it was measured.

use std::fs;
use std::process::Command;

/// The processor, how many of it, the system and the compiler, as far as they tell.
#[must_use]
pub fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    // Not those that this thread may use: it may be pinned.
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let kind = if processors.contains(" hypervisor") { "virtual processors" } else { "processors" };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel: Vec<&str> = kernel.split('.').take(2).collect();
    let compiler = Command::new("rustc").arg("--version").output().ok();
    let compiler = compiler.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    format!(
        "{count} {kind}, {}; Linux {}; {}",
        name.map_or("of a kind that is not named", |(_, name)| name.trim()),
        kernel.join("."),
        compiler.split(" (").next().unwrap_or_default().trim()
    )
}
