//! What is asked: each question is put to several contenders in turn.

pub mod connect;
pub mod event_loops;
pub mod fan_out;
pub mod index;
pub mod many_ports;
pub mod one_way;
pub mod round_trip;

use crate::sample::{Label, Sample, Summary, summarise};
use crate::topology::{Processors, Regime};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// The contender that the others are compared with.
pub const OURS: &str = "port-core";

/// Operations that everything is measured in multiples of, for the sake of those
/// that go in blocks or bursts.
pub const BLOCK: usize = 64;

/// How often a sample is taken that turns out to be no good, while there is time.
const ATTEMPTS: usize = 40;

/// What one sample of a contender is taken with.
type Run = Box<dyn FnMut(&Processors, usize) -> Sample>;

/// One of those to whom a question is put.
pub struct Contender {
    /// What its row is labelled with.
    pub name: &'static str,
    run: Run,
    /// By how much its samples have fewer operations than the others'.
    divisor: usize,
}

impl Contender {
    /// The same under another name.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// A contender that answers by `run`, given the number of operations.
    pub fn new(name: &'static str, run: impl FnMut(&Processors, usize) -> Sample + 'static) -> Self {
        Self { name, run: Box::new(run), divisor: 1 }
    }

    /// Has it do so many times fewer operations, for it is so much slower than the others.
    #[must_use]
    pub fn slow(self, times: usize) -> Self {
        Self { divisor: times, ..self }
    }

    /// Takes a sample of so many operations, rounded up to whole blocks.
    pub fn sample(&mut self, processors: &Processors, operations: usize) -> Sample {
        (self.run)(processors, (operations / self.divisor).next_multiple_of(BLOCK).max(BLOCK))
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A question and those who answer it.
#[derive(Debug)]
pub struct Question {
    /// Its name: the group, then what varies.
    pub name: String,
    /// The targets that are judged by its answers.
    pub targets: &'static [&'static str],
    /// Operations of one sample.
    pub operations: usize,
    /// The core first.
    pub contenders: Vec<Contender>,
}

/// What each contender answered, by label.
pub type Answers = BTreeMap<Label, Vec<(&'static str, Summary)>>;

/// How long a question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Samples of each contender, at most.
    pub rounds: usize,
    /// Samples of each contender that are worth twice the allowance.
    pub least: usize,
    /// What each contender's samples may take.
    pub allowance: Duration,
}

/// The label under which the most was answered; the usual one comes first.
#[must_use]
pub fn usual(answers: &Answers) -> Option<Label> {
    let samples = |rows: &[(_, Summary)]| rows.iter().map(|(_, summary)| summary.count).sum::<usize>();
    let usual = Label::TwoThreads(Regime::SameComplex);
    answers.iter().max_by_key(|(label, rows)| (**label == usual, samples(rows))).map(|(label, _)| *label)
}

impl Question {
    /// Puts the question to everyone in turn. A sample that is no good is taken again, a
    /// few times; those that never came good are counted in the second result and otherwise
    /// left out.
    pub fn ask(&mut self, processors: &Processors, pace: Pace) -> (Answers, usize) {
        let mut samples: Vec<Vec<Sample>> = self.contenders.iter().map(|_| Vec::new()).collect();
        let mut left_out = 0;
        let (start, contenders) = (Instant::now(), self.contenders.len() as f64);
        let late = |times: f64| start.elapsed() > pace.allowance.mul_f64(contenders * times);
        for round in 0..pace.rounds {
            if late(if round < pace.least { 2.0 } else { 1.0 }) {
                break;
            }
            for (contender, samples) in self.contenders.iter_mut().zip(&mut samples) {
                let good = (0..ATTEMPTS)
                    .take_while(|&attempt| attempt == 0 || !late(1.0))
                    // Shorter and shorter, to fit between two turns of other processes.
                    .map(|attempt| contender.sample(processors, self.operations >> (attempt / 8)))
                    .find(|sample| sample.label().is_some());
                match good {
                    Some(sample) => samples.push(sample),
                    None => left_out += 1,
                }
            }
        }
        let mut answers = Answers::new();
        for (contender, samples) in self.contenders.iter().zip(&samples) {
            for (label, summary) in summarise(samples) {
                answers.entry(label).or_default().push((contender.name, summary));
            }
        }
        (answers, left_out)
    }
}

/// Every question, in the order in which they are asked.
#[must_use]
pub fn all() -> Vec<Question> {
    let mut all = one_way::questions();
    all.extend(round_trip::questions());
    all.extend(connect::questions());
    all.extend(index::questions());
    all.extend(fan_out::questions());
    all.extend(many_ports::questions());
    all
}
