//! What messaging takes between scripts in real pages, beside what is wanted. Run by `core/webkit/measure`.

#[allow(dead_code, reason = "every test uses a part of it")]
mod common;

use common::{ExtensionFolder, Opened, Site, with_main_thread_blocked};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::Duration;

const FRAMES: &str = "<!doctype html><title>Nine frames</title><iframe src=/plain></iframe><iframe src=/plain></iframe>\
    <iframe src=/plain></iframe><iframe src=/plain></iframe><iframe src=/plain></iframe><iframe src=/plain></iframe>\
    <iframe src=/plain></iframe><iframe src=/plain></iframe><iframe src=/plain></iframe>";

/// The next thing of the name that the extension reports.
fn next(site: &Site, name: &str) -> String {
    let report = site.report();
    assert!(report.starts_with(name), "{report}");
    report[name.len()..].trim().to_owned()
}

fn rate(site: &Site, name: &str) -> f64 {
    next(site, name).parse().unwrap()
}

/// What processes hold that no other does, in bytes.
fn private_bytes(processes: &[u32]) -> u64 {
    let of = |process: &u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let kib = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Some((kib("Private_Clean:")? + kib("Private_Dirty:")?) << 10)
    };
    processes.iter().filter_map(of).sum()
}

fn row(name: &str, wanted: &str, have: &str, is_met: bool) {
    println!("| {name} | {wanted} | {have} | {} |", if is_met { "met" } else { "short" });
}

/// Prints the table. It fails if something could not be measured; what a figure should be is for a quiet machine.
#[test]
#[ignore = "figures are for a quiet machine: core/webkit/measure"]
fn measure() {
    let site = Site::new(&[
        ("/isolated", "<!doctype html><title>Alone</title>"),
        ("/plain", "<!doctype html><title>Plain</title>"),
        ("/frames", FRAMES),
    ]);
    let base = format!("const SITE = '{}'; const TEXT = '{}';", site.url(""), "x".repeat(98));
    let folder = ExtensionFolder::new(
        "measure",
        &[
            ("manifest.json", include_str!("measure/manifest.json")),
            ("base.js", &base),
            ("background.js", include_str!("measure/background.js")),
            ("content.js", include_str!("measure/content.js")),
        ],
    );
    let browser = Opened::new(&[], &[&folder.0], &[]);
    println!("\n| figure | wanted | have | |\n|---|---|---|---|");

    next(&site, "warm");
    let web = browser.web_processes();
    let (own, theirs) = (private_bytes(&[browser.process()]), private_bytes(&web));
    site.go_on();
    let count = rate(&site, "idle");
    let own = private_bytes(&[browser.process()]).saturating_sub(own) as f64 / count;
    let theirs = private_bytes(&web).saturating_sub(theirs) as f64 / count;
    let have = format!("{:.0} B: {own:.0} in the browser, {theirs:.0} in web processes", own + theirs);
    row("memory of an idle port, both ends", "≤ 4,096 B", &have, own + theirs <= 4_096.0);

    let trips: Value = serde_json::from_str(&next(&site, "trips")).unwrap();
    let figure = |name: &str| trips[name].as_f64().unwrap();
    assert_eq!(trips["isExact"], true, "WebKit shows the page the time to a millisecond");
    row("round trip, p50", "≤ 100 µs", &format!("{:.0} µs", figure("p50")), figure("p50") <= 100.0);
    row("round trip, p99", "≤ 1,000 µs", &format!("{:.0} µs", figure("p99")), figure("p99") <= 1_000.0);
    println!("| round trip, mean | | {:.1} µs | |", figure("mean"));

    next(&site, "running");
    let stopped = with_main_thread_blocked(browser.process(), || thread::sleep(Duration::from_secs(2)));
    let tenths: Vec<u64> = serde_json::from_str(&next(&site, "blocked")).unwrap();
    match stopped {
        // The first and the last may be of the time before and after.
        Ok(()) => {
            let blocked = &tenths[2..18];
            let least = blocked.iter().min().copied().unwrap_or_default();
            let rate = blocked.iter().sum::<u64>() * 10 / 16;
            let have = format!("{rate}/s, {least} in the slowest tenth of a second");
            row("round trips while the GTK thread is blocked", "go on", &have, least > 0);
        }
        Err(error) => {
            println!("| round trips while the GTK thread is blocked | go on | {error} | not measured |")
        }
    }

    for (name, title, wanted, least) in [
        ("one way", "one way, 1,000 a turn", "≥ 100,000 messages/s", 100_000.0),
        ("connects", "connect, reply and end, 32 at a time", "≥ 5,000/s", 5_000.0),
        ("fan-out", "to ten frames, 100 a turn", "≥ 200,000 deliveries/s", 200_000.0),
    ] {
        let have = rate(&site, name);
        row(title, wanted, &format!("{have:.0}/s"), have >= least);
    }
}
