//! Script to script: what the example browser measures, run as a process of its own.

use serde_json::Value;
use std::env;
use std::fs;
use std::process::{Command, Stdio};

/// What is measured in a whole browser, and judged.
#[derive(Clone, Copy, Debug)]
pub struct EndToEnd {
    /// 100 bytes of JSON there and back, on average, in microseconds.
    pub round_trip_us: f64,
    /// Messages of 100 bytes of JSON one way.
    pub one_way_per_second: f64,
    /// Ports connected, answered and disconnected.
    pub connects_per_second: f64,
}

/// The same in Chromium 156, with its processes and all; see docs/performance.md.
pub const CHROMIUM: EndToEnd =
    EndToEnd { round_trip_us: 834.0, one_way_per_second: 8_260.0, connects_per_second: 671.0 };

/// Builds the example browser and has it measure itself. Needs cargo.
///
/// # Errors
///
/// What went wrong, in words.
pub fn measure() -> Result<EndToEnd, String> {
    let file = env::temp_dir().join(format!("port-core-end-to-end-{}.json", std::process::id()));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "run",
            "--release",
            "--quiet",
            "-p",
            "port-core",
            "--example",
            "browser",
            "--",
            "bench",
            "--json",
        ])
        .arg(&file)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("the example browser does not run: {error}"))?;
    let text = fs::read_to_string(&file);
    let _ = fs::remove_file(&file);
    match text {
        Ok(text) if status.success() => read(&text),
        _ => Err(format!("the example browser measured nothing: {status}")),
    }
}

fn read(text: &str) -> Result<EndToEnd, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let figure = |pointer: &str| {
        value.pointer(pointer).and_then(Value::as_f64).ok_or_else(|| format!("{pointer} is missing"))
    };
    Ok(EndToEnd {
        round_trip_us: figure("/round_trip_us/mean")?,
        one_way_per_second: figure("/one_way_per_second")?,
        connects_per_second: figure("/connects_per_second")?,
    })
}
