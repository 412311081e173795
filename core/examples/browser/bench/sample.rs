//! What the extension answers.

use super::heap;
use serde::{Deserialize, Serialize};

/// One answer of the extension.
#[derive(Debug)]
pub(super) enum Answer {
    /// One sample of every question about time.
    Sample(Sample),
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
}

/// Round trips, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct RoundTrip {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

#[derive(Deserialize)]
struct Memory {
    #[allow(dead_code, reason = "tells it from a sample")]
    memory: String,
    ports: u32,
}

impl Answer {
    /// Reads an answer. To be called while the script waits: the heap is looked at here.
    pub(super) fn read(text: &str) -> serde_json::Result<Self> {
        match serde_json::from_str::<Memory>(text) {
            Ok(Memory { ports, .. }) => Ok(Self::Memory { bytes: heap::allocated(), ports }),
            Err(_) => serde_json::from_str(text).map(Self::Sample),
        }
    }
}
