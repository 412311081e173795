//! For whoever waits for the run.

use super::{figure, ratio};
use crate::benchmark::{Benchmark, Results};
use crate::memory::Count;
use crate::sample::{Spread, Summary};
use crate::targets::{Bound, Verdict};
use std::fmt::Write;

/// Prints a benchmark's rows: nanoseconds per operation, beside the first candidate's.
pub fn print_results(benchmark: &Benchmark, results: &Results, left_out: usize) {
    let mut text = format!("\n{}", benchmark.name);
    if left_out > 0 {
        let _ = write!(text, " ({left_out} samples left out: the machine was busy or changed)");
    }
    let _ = write!(
        text,
        "\n  {:12} {:26} {:>9} {:>9} {:>9} {:>4} {:>7} {:>9} {:>5}",
        "topology", "candidate", "median", "min", "max", "n", "ratio", "p99", "line"
    );
    let ours = benchmark.candidates.first().map_or("", |candidate| candidate.name);
    for (label, rows) in results {
        let reference = rows.iter().find(|(name, _)| *name == ours).map(|(_, ours)| ours.time.median);
        for (name, Summary { time: Spread { median, min, max }, count, p99, line }) in rows {
            let ratio = reference.map_or("-".into(), |ours| format!("{:.2}", ours / median));
            let whole = |spread: &Option<Spread>| spread.map_or("-".into(), |s| format!("{:.0}", s.median));
            let (p99, line) = (whole(p99), whole(line));
            let _ = write!(
                text,
                "\n  {label:12} {name:26} {median:9.1} {min:9.1} {max:9.1} {count:4} {ratio:>7} {p99:>9} {line:>5}"
            );
        }
    }
    println!("{text}");
}

/// Prints what was counted.
pub fn print_counts(counts: &[Count]) {
    println!("counted");
    for Count { name, figure, unit } in counts {
        println!("  {name:52} {figure:12.3} {unit}");
    }
}

fn spread(Spread { median, min, max }: Spread) -> String {
    if min < max { format!("{} ({}–{})", figure(median), figure(min), figure(max)) } else { figure(median) }
}

/// Prints each verdict on two lines: what is held against the bound, then with what
/// it was found.
pub fn print_verdicts(verdicts: &[Verdict]) {
    println!("\ntargets");
    for verdict in verdicts {
        let word = if verdict.is_met() { "met" } else { "short" };
        let bound = match verdict.bound {
            Bound::AtMost(bound) => format!("at most {}", ratio(bound)),
            Bound::AtLeast(bound) => format!("at least {}", ratio(bound)),
        };
        let Verdict { target, what, unit, ours, samples, .. } = verdict;
        let of = ratio(verdict.figure);
        println!("  {target:4} {word:6} {of:>9} of {bound:14} {what}");
        let mut text = format!("ours {} {unit}", spread(*ours));
        if let Some((name, theirs)) = &verdict.rival {
            let _ = write!(text, ", {name} {}", spread(*theirs));
        }
        if let Some(limit) = verdict.limit {
            let _ = write!(text, ", limit {}", figure(limit));
        }
        if let Some(label) = verdict.label {
            let _ = write!(text, "; {samples} samples, {label}");
        }
        println!("{:34}{text}", "");
    }
}
