//! What is asked: each question is put to several contenders in turn.

pub mod connect;
pub mod fan_out;
pub mod many_ports;
pub mod one_way;
pub mod round_trip;

use crate::sample::{Label, Sample, Summary, summarise};
use crate::topology::Processors;
use std::collections::BTreeMap;
use std::fmt;

/// The contender that the others are compared with.
pub const OURS: &str = "port-core";

/// Operations that everything is measured in multiples of, for the sake of those
/// that go in blocks or bursts.
pub const BLOCK: usize = 64;

/// How often a sample is taken that turns out to be no good.
const ATTEMPTS: usize = 40;

/// What one sample of a contender is taken with.
type Run = Box<dyn FnMut(&Processors, usize) -> Sample>;

/// One of those to whom a question is put.
pub struct Contender {
    /// What its row is labelled with.
    pub name: &'static str,
    run: Run,
}

impl Contender {
    /// A contender that answers by `run`, given the number of operations.
    pub fn new(name: &'static str, run: impl FnMut(&Processors, usize) -> Sample + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// Takes a sample of so many operations, rounded up to whole blocks.
    pub fn sample(&mut self, processors: &Processors, operations: usize) -> Sample {
        (self.run)(processors, operations.next_multiple_of(BLOCK).max(BLOCK))
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
    /// Operations of one sample.
    pub operations: usize,
    /// The core first.
    pub contenders: Vec<Contender>,
}

/// What each contender answered, by label.
pub type Answers = BTreeMap<Label, Vec<(&'static str, Summary)>>;

impl Question {
    /// Puts the question to everyone in turn, so many times. A sample that is no good is
    /// taken again, a few times; those that never came good are counted in the second
    /// result and otherwise left out.
    pub fn ask(&mut self, processors: &Processors, rounds: usize) -> (Answers, usize) {
        let mut samples: Vec<Vec<Sample>> = self.contenders.iter().map(|_| Vec::new()).collect();
        let mut left_out = 0;
        for _ in 0..rounds {
            for (contender, samples) in self.contenders.iter_mut().zip(&mut samples) {
                // Shorter and shorter, to fit between two turns of other processes.
                let mut attempts = (0..ATTEMPTS)
                    .map(|attempt| contender.sample(processors, self.operations >> (attempt / 8)));
                match attempts.find(|sample| sample.label().is_some()) {
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
    all.extend(fan_out::questions());
    all.extend(many_ports::questions());
    all
}
