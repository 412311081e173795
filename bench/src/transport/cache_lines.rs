//! What the hardware allows where every message is waited for: cache lines with a number in them.

use super::{End, Transport, both_ways};
use crate::load::Load;
use crossbeam_utils::CachePadded;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines each way, used in turn: as many as an idle lane has slots.
const LINES: usize = 8;

/// Carries nothing and never looks whether there is room, so it is good for benchmarks and results
/// alone. It says what remains of these where all that is done is to write a line and to see it.
#[derive(Debug)]
pub struct CacheLines;

/// One end of the lines of both directions.
#[derive(Debug)]
pub struct LinesEnd {
    outbound: Position,
    inbound: Position,
}

type Lines = [CachePadded<AtomicU64>; LINES];

#[derive(Debug)]
struct Position {
    lines: Arc<Lines>,
    /// Messages that went through here.
    count: u64,
}

impl Position {
    #[inline]
    fn line(&self) -> &AtomicU64 {
        #[allow(clippy::cast_possible_truncation, reason = "below LINES")]
        &self.lines[(self.count % LINES as u64) as usize]
    }
}

impl Transport for CacheLines {
    const NAME: &'static str = "limit: cache lines";

    type End = LinesEnd;

    fn between(_ports: usize) -> (LinesEnd, LinesEnd) {
        let lines = || {
            let lines = Arc::new(Lines::default());
            let position = |lines| Position { lines, count: 0 };
            (position(Arc::clone(&lines)), position(lines))
        };
        both_ways(lines, |outbound, inbound| LinesEnd { outbound, inbound })
    }
}

impl End for LinesEnd {
    ports_by_number!();

    #[inline]
    fn post<L: Load>(&mut self, _port: usize, _load: &L) {
        self.outbound.line().store(self.outbound.count + 1, Ordering::Release);
        self.outbound.count += 1;
    }

    #[inline]
    fn take(&mut self) -> bool {
        let taken = self.inbound.line().load(Ordering::Acquire) == self.inbound.count + 1;
        self.inbound.count += u64::from(taken);
        taken
    }
}
