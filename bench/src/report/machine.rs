//! On what it was measured.

use std::fs;
use std::process::Command;
use std::thread;

/// The processor, how many of it, the system and the compiler, as far as they tell.
#[must_use]
pub fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let virtual_one = fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor"));
    let count = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let compiler = Command::new("rustc").arg("--version").output().ok();
    let compiler = compiler.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    format!(
        "{}{count} processors of an {}; Linux {}; {}",
        if virtual_one { "Virtual machine, " } else { "" },
        processor.as_deref().unwrap_or("unnamed kind"),
        kernel.trim(),
        compiler.trim()
    )
}
