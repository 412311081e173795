//! What is wanted, and whether it is so.

use std::process::ExitCode;

/// What was found, and how much of it is as wanted.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    short: usize,
}

/// The middle of samples, with the least and the greatest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |at: usize| samples.get(at).copied().unwrap_or(f64::NAN);
        let last = samples.len().saturating_sub(1);
        Self { median: at(samples.len() / 2), least: at(0), greatest: at(last) }
    }
}

/// Samples that were taken in turn: the one measured divided by its rival, pair by pair.
pub(crate) fn ratios(measured: &[f64], rival: &[f64]) -> Spread {
    Spread::of(measured.iter().zip(rival).map(|(measured, rival)| measured / rival).collect())
}

impl Verdicts {
    /// Prints what something took, to be read beside others.
    pub(crate) fn figure(&self, what: &str, unit: &str, samples: &[f64]) {
        let Spread { median, least, greatest } = Spread::of(samples.to_vec());
        println!("  {what:<58} {median:>12.2} ({least:.2}–{greatest:.2}) {unit}");
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
        self.at_most(what, Spread { median: found, least: found, greatest: found }, wanted);
    }

    fn judge(&mut self, what: &str, found: Spread, is_met: bool, wanted: &str) {
        self.short += usize::from(!is_met);
        let Spread { median, least, greatest } = found;
        let verdict = if is_met { "met  " } else { "SHORT" };
        println!("{verdict} {what:<58} {median:>12.3} ({least:.3}–{greatest:.3}), wanted {wanted}");
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
