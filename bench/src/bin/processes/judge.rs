//! What is wanted, and whether it is so.

use port_core_bench::sample::Spread;
use std::process::ExitCode;

/// What was found, and how much of it is as wanted.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    short: usize,
}

/// The spread of samples; of none it is no number, which meets nothing.
pub(crate) fn spread(samples: Vec<f64>) -> Spread {
    Spread::of(samples).unwrap_or_else(|| Spread::exactly(f64::NAN))
}

/// Samples that were taken in turn: the one measured divided by its rival, pair by pair.
pub(crate) fn ratios(measured: &[f64], rival: &[f64]) -> Spread {
    spread(measured.iter().zip(rival).map(|(measured, rival)| measured / rival).collect())
}

impl Verdicts {
    /// Prints what something took, to be read beside others.
    pub(crate) fn figure(&self, what: &str, unit: &str, samples: &[f64]) {
        let Spread { median, min, max } = spread(samples.to_vec());
        println!("  {what:<58} {median:>12.2} ({min:.2}–{max:.2}) {unit}");
    }

    /// Judges a number that should be no more than so much.
    pub(crate) fn at_most(&mut self, what: &str, found: Spread, wanted: f64) {
        self.judge(what, found, found.median <= wanted, &format!("≤ {wanted}"));
    }

    /// Judges a number that should be no less than so much.
    pub(crate) fn at_least(&mut self, what: &str, found: Spread, wanted: f64) {
        self.judge(what, found, found.median >= wanted, &format!("≥ {wanted}"));
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
