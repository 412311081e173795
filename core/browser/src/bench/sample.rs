//! What the extension answers.

use super::{heap, processor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One answer of the extension.
#[derive(Debug)]
pub(super) enum Answer {
    /// One sample of every question about time.
    Sample(Sample),
    /// A question begins, or ends and came to so many units.
    Question {
        /// Its name.
        question: String,
        /// What was done; nothing at the beginning.
        units: u32,
        /// The processor time so far, where it is known.
        processor: Option<Duration>,
    },
    /// A moment to look at the heap.
    Memory {
        /// The heap at this moment, where it is known.
        bytes: Option<usize>,
        /// Idle ports opened so far.
        ports: u32,
    },
}

/// One sample of every question about time.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sample {
    pub(super) round_trip_us: RoundTrip,
    pub(super) one_way_per_second: f64,
    pub(super) large_megabytes_per_second: f64,
    pub(super) connects_per_second: f64,
    pub(super) fan_out_per_second: f64,
    /// Microseconds of processor time that a unit of each question took, all threads together.
    #[serde(skip)]
    pub(super) processor_us: BTreeMap<String, f64>,
}

/// Round trips, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct RoundTrip {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// What the extension says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Question {
        question: String,
        units: u32,
    },
    Memory {
        #[serde(rename = "memory")]
        _moment: String,
        ports: u32,
    },
    Sample(Sample),
}

impl Answer {
    /// Reads an answer. To be called while the script waits: heap and processor time are
    /// looked at here.
    pub(super) fn read(text: &str) -> serde_json::Result<Self> {
        Ok(match serde_json::from_str(text)? {
            Said::Question { question, units } => {
                Self::Question { question, units, processor: processor::time() }
            }
            Said::Memory { ports, .. } => Self::Memory { bytes: heap::allocated(), ports },
            Said::Sample(sample) => Self::Sample(sample),
        })
    }
}

impl Sample {
    /// The samples among answers, each with the processor time of the questions before it.
    pub(super) fn all_of(answers: Vec<Answer>) -> Vec<Self> {
        let mut samples = Vec::new();
        let mut processor_us = BTreeMap::new();
        let mut began = None;
        for answer in answers {
            match answer {
                Answer::Question { units: 0, processor, .. } => began = processor,
                Answer::Question { question, units, processor } => {
                    if let (Some(began), Some(ended)) = (began, processor) {
                        let taken = ended.saturating_sub(began).as_secs_f64() * 1e6;
                        processor_us.insert(question, taken / f64::from(units));
                    }
                }
                Answer::Sample(sample) => {
                    samples.push(Self { processor_us: std::mem::take(&mut processor_us), ..sample });
                }
                Answer::Memory { .. } => {}
            }
        }
        samples
    }
}
