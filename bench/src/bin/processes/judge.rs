//! What is wanted, and whether it is so.

use port_core_bench::report::markdown::{head, row, spread as shown};
use port_core_bench::report::{document::renewed, ratio};
use port_core_bench::sample::Spread;
use std::fs;
use std::process::ExitCode;

/// What was found, and how much of it is as wanted. Printed as it comes, and kept for a document.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// How it was measured, a line each.
    pub(crate) circumstances: Vec<String>,
    figures: String,
    verdicts: String,
    short: usize,
}

/// The spread of samples; of none it is no number, which meets nothing.
pub(crate) fn spread(samples: &[f64]) -> Spread {
    Spread::of(samples.to_vec()).unwrap_or_else(|| Spread::exactly(f64::NAN))
}

/// Samples that were taken in turn: the one measured divided by its rival, pair by pair.
pub(crate) fn ratios(measured: &[f64], rival: &[f64]) -> Spread {
    let ratios: Vec<f64> = measured.iter().zip(rival).map(|(measured, rival)| measured / rival).collect();
    spread(&ratios)
}

impl Verdicts {
    /// Says what the figures that follow are of.
    pub(crate) fn about(&mut self, what: &str) {
        println!("{what}");
        self.figures += &row([what, "", ""]);
    }

    /// Prints what something took, to be read beside others.
    pub(crate) fn figure(&mut self, what: &str, unit: &str, found: Spread) {
        let Spread { median, min, max } = found;
        println!("  {what:<58} {median:>12.2} ({min:.2}–{max:.2}) {unit}");
        self.figures += &row(["", what, &format!("{} {unit}", shown(found))]);
    }

    /// Judges a number that should be no more than so much.
    pub(crate) fn at_most(&mut self, what: &str, found: Spread, wanted: f64) {
        self.judge(what, found, found.median <= wanted, &format!("≤ {}", ratio(wanted)));
    }

    /// Judges a number that should be no less than so much.
    pub(crate) fn at_least(&mut self, what: &str, found: Spread, wanted: f64) {
        self.judge(what, found, found.median >= wanted, &format!("≥ {}", ratio(wanted)));
    }

    /// Judges a count that is the same in every run.
    pub(crate) fn exactly_at_most(&mut self, what: &str, found: f64, wanted: f64) {
        self.at_most(what, Spread::exactly(found), wanted);
    }

    fn judge(&mut self, what: &str, found: Spread, is_met: bool, wanted: &str) {
        self.short += usize::from(!is_met);
        let Spread { median, min, max } = found;
        let verdict = if is_met { "met  " } else { "SHORT" };
        println!("{verdict} {what:<58} {median:>12.3} ({min:.3}–{max:.3}), wanted {wanted}");
        let range = if min < max { format!(" ({}–{})", ratio(min), ratio(max)) } else { String::new() };
        let found = format!("{}{range}", ratio(median));
        self.verdicts += &row([what, wanted, &found, if is_met { "met" } else { "**short**" }]);
    }

    /// Puts everything into a document, between the marks for it.
    pub(crate) fn write_into(&self, path: &str) -> Result<(), String> {
        let verdicts = head(&["", "wanted", "found", ""]) + &self.verdicts;
        let figures = head(&["", "", ""]) + &self.figures;
        let text = format!("{}.\n\n{verdicts}\n{figures}", self.circumstances.join("; "));
        let old = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let new = renewed(&old, "measured across processes", &[("all", text)])
            .ok_or_else(|| format!("{path}: a mark is wrong"))?;
        fs::write(path, new).map_err(|error| format!("{path}: {error}"))
    }

    pub(crate) fn finish(self) -> ExitCode {
        match self.short {
            0 => ExitCode::SUCCESS,
            short => {
                println!("{short} short");
                ExitCode::FAILURE
            }
        }
    }
}
