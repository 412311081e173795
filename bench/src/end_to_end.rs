//! Script to script: what the example browser measures, run as a process of its own.

use crate::sample::Spread;
use serde_json::Value;
use std::env;
use std::fs;
use std::process::Command;

/// What is measured in a whole browser.
#[derive(Clone, Copy, Debug)]
pub struct EndToEnd {
    /// 100 bytes of JSON there and back, on average, in microseconds.
    pub round_trip_us: f64,
    /// The 99th percentile of the same.
    pub round_trip_p99_us: f64,
    /// Messages of 100 bytes of JSON one way.
    pub one_way_per_second: f64,
    /// Megabytes in messages of 64 KiB.
    pub large_megabytes_per_second: f64,
    /// Ports connected, answered and disconnected.
    pub connects_per_second: f64,
    /// Events delivered of posts to ten frames.
    pub fan_out_per_second: f64,
    /// Memory of an idle port, both ends.
    pub bytes_per_idle_port: f64,
    /// How many samples these are the medians of.
    pub samples: usize,
}

/// The same in Chromium 156, with its processes and all, on two virtual processors of an AMD EPYC.
pub const CHROMIUM: EndToEnd = EndToEnd {
    round_trip_us: 834.0,
    round_trip_p99_us: 3_300.0,
    one_way_per_second: 8_260.0,
    large_megabytes_per_second: 86.0,
    connects_per_second: 671.0,
    fan_out_per_second: 16_500.0,
    bytes_per_idle_port: 16_600.0,
    samples: 1,
};

/// The same in Firefox 153, on the same machine.
pub const FIREFOX: EndToEnd = EndToEnd {
    round_trip_us: 963.0,
    round_trip_p99_us: 3_070.0,
    one_way_per_second: 8_170.0,
    large_megabytes_per_second: 66.0,
    connects_per_second: 589.0,
    fan_out_per_second: 22_200.0,
    bytes_per_idle_port: 17_800.0,
    samples: 1,
};

/// What the samples of a run came to, figure by figure.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Of each figure the middle one.
    pub median: EndToEnd,
    /// Of each figure the least.
    pub least: EndToEnd,
    /// Of each figure the greatest.
    pub greatest: EndToEnd,
}

impl Range {
    /// Returns one figure's.
    #[must_use]
    pub fn of(&self, figure: fn(&EndToEnd) -> f64) -> Spread {
        Spread { median: figure(&self.median), min: figure(&self.least), max: figure(&self.greatest) }
    }
}

/// Builds the example browser and has it measure itself, with further arguments of its command `bench`. Needs cargo.
///
/// # Errors
///
/// What went wrong, in words.
pub fn measure(arguments: &[&str]) -> Result<Range, String> {
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
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .map_err(|error| format!("the example browser does not run: {error}"))?;
    let text = fs::read_to_string(&file);
    let _ = fs::remove_file(&file);
    match text {
        Ok(text) if status.success() => read(&text),
        _ => Err(format!("the example browser measured nothing: {status}")),
    }
}

fn read(text: &str) -> Result<Range, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let samples = value["samples"].as_u64().ok_or("/samples is missing")? as usize;
    let [median, least, greatest] = [&value, &value["least"], &value["greatest"]];
    Ok(Range {
        median: figures(median, samples)?,
        least: figures(least, samples)?,
        greatest: figures(greatest, samples)?,
    })
}

fn figures(value: &Value, samples: usize) -> Result<EndToEnd, String> {
    let figure = |pointer: &str| {
        value.pointer(pointer).and_then(Value::as_f64).ok_or_else(|| format!("{pointer} is missing"))
    };
    Ok(EndToEnd {
        round_trip_us: figure("/round_trip_us/mean")?,
        one_way_per_second: figure("/one_way_per_second")?,
        connects_per_second: figure("/connects_per_second")?,
        round_trip_p99_us: figure("/round_trip_us/p99")?,
        large_megabytes_per_second: figure("/large_megabytes_per_second")?,
        fan_out_per_second: figure("/fan_out_per_second")?,
        bytes_per_idle_port: figure("/bytes_per_idle_port")?,
        samples,
    })
}
