//! Tables for the documents, a section each.

use super::{Findings, figure, machine, ratio};
use crate::benchmark::{connect, many_ports, one_way, usual};
use crate::end_to_end::{CHROMIUM, EndToEnd, FIREFOX};
use crate::sample::{Spread, Summary};
use crate::targets::{Bound, Verdict};
use crate::transport::{Core, CrossbeamUnbounded, FlumeUnbounded, Rtrb, TokioUnbounded, Transport};
use std::fmt::Write;

/// A section's name and its text.
pub type Section = (&'static str, String);

/// All sections, of a full run.
#[must_use]
pub fn sections(findings: &Findings, verdicts: &[Verdict]) -> Vec<Section> {
    let group = |prefix| group(findings, prefix);
    vec![
        ("machine", format!("{}.\n", machine())),
        ("targets", targets(verdicts)),
        ("one way", [group("lane alone"), group("one way")].join("\n")),
        ("round trip", group("round trip")),
        ("many ports", group("many ports")),
        ("fan-out", group("fan-out")),
        ("connect", group("connect")),
        ("index", group("index")),
        ("counts", counts(findings)),
        ("end to end", end_to_end(findings)),
        ("short", short(findings)),
    ]
}

/// A median, and its range where it has one.
#[must_use]
pub fn spread(Spread { median, min, max }: Spread) -> String {
    if min < max { format!("{} ({}–{})", figure(median), figure(min), figure(max)) } else { figure(median) }
}

/// A row of a table.
pub fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<_> = cells.into_iter().collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
#[must_use]
pub fn head(cells: &[&str]) -> String {
    row(cells.iter().copied()) + &"|---".repeat(cells.len()) + "|\n"
}

fn targets(verdicts: &[Verdict]) -> String {
    let mut text = head(&["", "", "Port core", "rival", "limit", "ratio", "target", "", "samples, topology"]);
    for verdict in verdicts {
        let ours = format!("{} {}", spread(verdict.ours), verdict.unit);
        let rival = verdict.rival.as_ref().map(|(name, theirs)| format!("{name}: {}", spread(*theirs)));
        let target = match verdict.bound {
            Bound::AtMost(bound) => format!("≤ {}", ratio(bound)),
            Bound::AtLeast(bound) => format!("≥ {}", ratio(bound)),
        };
        let samples = match verdict.label {
            Some(label) => format!("{}, {label}", verdict.samples),
            None if verdict.rival.is_none() => "exact".into(),
            None => verdict.samples.to_string(),
        };
        text += &row([
            verdict.target,
            &verdict.what,
            &ours,
            rival.as_deref().unwrap_or_default(),
            &verdict.limit.map(figure).unwrap_or_default(),
            &ratio(verdict.figure),
            &target,
            if verdict.is_met() { "met" } else { "**short**" },
            &samples,
        ]);
    }
    text
}

/// Benchmarks whose names begin alike, as columns; candidates as rows.
fn group(findings: &Findings, prefix: &str) -> String {
    let benchmarks: Vec<_> = findings
        .results
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .filter_map(|(name, results)| {
            let label = usual(results)?;
            Some((name, label, results.get(&label)?))
        })
        .collect();
    if benchmarks.is_empty() {
        return String::new();
    }
    let mut candidates: Vec<&str> = Vec::new();
    for (name, _) in benchmarks.iter().flat_map(|(_, _, rows)| *rows) {
        if !candidates.contains(name) {
            candidates.push(name);
        }
    }
    let titles: Vec<String> = benchmarks
        .iter()
        .map(|(name, label, rows)| {
            let counts = || rows.iter().map(|(_, Summary { count, .. })| *count);
            let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
            let samples = if least < most { format!("{least}–{most}") } else { most.to_string() };
            let name = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(", ")).unwrap_or(name);
            format!("{name}; {samples} samples, {label}")
        })
        .collect();
    let mut text =
        head(&[&["ns"], titles.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    for candidate in candidates {
        let cells: Vec<String> = benchmarks
            .iter()
            .map(|(_, _, rows)| {
                let Some((_, summary)) = rows.iter().find(|(name, _)| *name == candidate) else {
                    return String::new();
                };
                let p99 = summary.p99.map_or_else(String::new, |p99| format!(", p99 {}", spread(p99)));
                spread(summary.time) + &p99
            })
            .collect();
        text += &row([candidate].into_iter().chain(cells.iter().map(String::as_str)));
    }
    text
}

fn counts(findings: &Findings) -> String {
    let mut text = head(&["counted exactly", "", ""]);
    for count in &findings.counts {
        let _ = writeln!(text, "| {} | {} | {} |", count.name, figure(count.figure), count.unit);
    }
    text
}

fn end_to_end(findings: &Findings) -> String {
    let Some(ours) = findings.end_to_end else { return String::new() };
    let samples = format!("Port core's example browser, {} samples", ours.samples);
    let mut text = head(&["", &samples, "Chromium 156", "Firefox 153"]);
    let mut enter = |name: &str, of: fn(&EndToEnd) -> f64| {
        let [ours, chromium, firefox] = [&ours, &CHROMIUM, &FIREFOX].map(|browser| figure(of(browser)));
        text += &row([name, &ours, &chromium, &firefox]);
    };
    enter("round trip, mean, µs", |browser| browser.round_trip_us);
    enter("round trip, p99, µs", |browser| browser.round_trip_p99_us);
    enter("one way, messages/s", |browser| browser.one_way_per_second);
    enter("one way, 64 KiB, MB/s", |browser| browser.large_megabytes_per_second);
    enter("connect, a message, disconnect, per s", |browser| browser.connects_per_second);
    enter("fan-out to ten frames, events/s", |browser| browser.fan_out_per_second);
    enter("idle port, both ends, bytes", |browser| browser.bytes_per_idle_port);
    text
}

/// The one table for those who only want to know whether to read on.
fn short(findings: &Findings) -> String {
    let cell = |benchmark: &str, candidate: &str| {
        let label = findings.results(benchmark).and_then(usual);
        let summary = label.and_then(|label| findings.get(benchmark, label, candidate));
        summary.map_or_else(String::new, |summary| spread(summary.time))
    };
    let messages =
        [Core::NAME, Rtrb::NAME, CrossbeamUnbounded::NAME, TokioUnbounded::NAME, FlumeUnbounded::NAME];
    let connects = [Core::NAME, "", connect::CROSSBEAM, connect::TOKIO, connect::FLUME];
    let mut text = head(&["ns", "Port core", "rtrb", "crossbeam", "tokio", "flume"]);
    for (title, benchmark, candidates) in [
        ("100 bytes, slice to slice", one_way::SLICES.to_owned(), messages),
        ("32 static bytes, the listener may sleep", one_way::ASLEEP.to_owned(), messages),
        ("10,000 ports, 1 % active, one channel for all of them", many_ports::name(10_000, 1), messages),
        ("connect, accept, disconnect; rivals: a map and two channels", connect::APART.to_owned(), connects),
    ] {
        let cells = candidates.map(|candidate| cell(&benchmark, candidate));
        text += &row([title].into_iter().chain(cells.iter().map(String::as_str)));
    }
    text
}
