//! For programs.

use super::Findings;
use crate::sample::{Spread, Summary};
use crate::targets::{Bound, Verdict};
use serde_json::{Value, json};

fn spread(Spread { median, min, max }: Spread) -> Value {
    json!({ "median": median, "min": min, "max": max })
}

/// Everything, as one JSON text.
#[must_use]
pub fn to_json(findings: &Findings, verdicts: &[Verdict]) -> String {
    let mut rows = Vec::new();
    for (benchmark, results) in &findings.results {
        for (label, candidates) in results {
            for (candidate, Summary { time, p99, line, count }) in candidates {
                rows.push(json!({
                    "benchmark": benchmark,
                    "candidate": candidate,
                    "topology": label.to_string(),
                    "nanoseconds": spread(*time),
                    "p99_nanoseconds": p99.map(spread),
                    "line_nanoseconds": line.map(spread),
                    "samples": count,
                }));
            }
        }
    }
    let counts: Vec<_> = findings
        .counts
        .iter()
        .map(|count| json!({ "count": count.name, "figure": count.figure, "unit": count.unit }))
        .collect();
    let verdicts: Vec<_> = verdicts
        .iter()
        .map(|verdict| {
            let (bound, sense) = match verdict.bound {
                Bound::AtMost(bound) => (bound, "at most"),
                Bound::AtLeast(bound) => (bound, "at least"),
            };
            json!({
                "target": verdict.target,
                "of": verdict.what,
                "unit": verdict.unit,
                "topology": verdict.label.map(|label| label.to_string()),
                "ours": spread(verdict.ours),
                "rival": verdict.rival.as_ref().map(|(name, _)| name),
                "theirs": verdict.rival.as_ref().map(|(_, theirs)| spread(*theirs)),
                "limit": verdict.limit,
                "figure": verdict.figure,
                "bound": bound,
                "sense": sense,
                "samples": verdict.samples,
                "met": verdict.is_met(),
            })
        })
        .collect();
    let whole = json!({ "rows": rows, "counts": counts, "verdicts": verdicts });
    format!("{whole:#}\n")
}
