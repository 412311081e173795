//! How findings are shown: as text, as JSON, as tables for the documents.

pub mod document;
mod json;
mod machine;
pub mod markdown;
mod text;

pub use json::to_json;
pub use machine::machine;
pub use text::{print_counts, print_results, print_verdicts};

use crate::benchmark::Results;
use crate::end_to_end::EndToEnd;
use crate::memory::Count;
use crate::sample::{Label, Summary};

/// Everything found in one run.
#[derive(Debug, Default)]
pub struct Findings {
    /// Each benchmark's name and results, in the order in which they ran.
    pub results: Vec<(String, Results)>,
    /// What was counted, not timed.
    pub counts: Vec<Count>,
    /// What the example browser measured, if it ran.
    pub end_to_end: Option<EndToEnd>,
}

impl Findings {
    /// Enters what a benchmark found, in place of what it had found before.
    pub fn enter(&mut self, benchmark: &str, results: Results) {
        match self.results.iter_mut().find(|(name, _)| name == benchmark) {
            Some((_, before)) => *before = results,
            None => self.results.push((benchmark.into(), results)),
        }
    }

    /// Returns what a benchmark found.
    #[must_use]
    pub fn results(&self, benchmark: &str) -> Option<&Results> {
        self.results.iter().find(|(name, _)| name == benchmark).map(|(_, results)| results)
    }

    /// Returns what a candidate took under a label.
    #[must_use]
    pub fn get(&self, benchmark: &str, label: Label, candidate: &str) -> Option<Summary> {
        let rows = self.results(benchmark)?.get(&label)?;
        rows.iter().find(|(name, _)| *name == candidate).map(|(_, summary)| *summary)
    }

    /// Lists the labels under which a benchmark has results.
    pub fn labels(&self, benchmark: &str) -> impl Iterator<Item = Label> {
        self.results(benchmark).into_iter().flat_map(|results| results.keys().copied())
    }
}

/// A ratio, or what it may be, with the places that decide about it.
#[must_use]
pub fn ratio(value: f64) -> String {
    if value.abs() < 10.0 { ((value * 1000.0).round() / 1000.0).to_string() } else { figure(value) }
}

/// A figure with as many places as it deserves, thousands set apart.
#[must_use]
pub fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let places = match value.abs() {
        size if size < 1.0 => 3,
        size if size < 20.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.places$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}
