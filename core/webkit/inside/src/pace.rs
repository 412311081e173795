//! How many turns a page takes before its main loop sleeps.

use port_core_gateway::LookOut;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// For how long all other work of the page waits at most for what comes soon after each other.
const LONGEST: Duration = Duration::from_millis(2);

/// How soon after each other a page's turns come.
#[derive(Default)]
pub(crate) struct Pace {
    /// When the last one ended.
    ended: Cell<Option<Instant>>,
    look_out: RefCell<LookOut>,
}

impl Pace {
    /// Takes a turn, and others for as long as something comes soon. `take` takes one and returns whether there was
    /// nothing more to do; `has_come` returns whether there is, and is followed by `take` if so.
    pub(crate) fn take_turns(&self, mut take: impl FnMut() -> bool, has_come: impl Fn() -> bool) {
        let began = Instant::now();
        if let Some(ended) = self.ended.get() {
            self.look_out.borrow_mut().slept(began.duration_since(ended));
        }
        while take() && began.elapsed() < LONGEST && self.look_out.borrow_mut().look(&has_come) {}
        self.ended.set(Some(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::cell::Cell;

    /// What has come is taken: nothing else tells of it.
    #[test]
    fn what_was_seen_is_taken() {
        let (pace, seen, is_there) = (Pace::default(), Cell::new(0), Cell::new(false));
        let take = || {
            is_there.set(false);
            true
        };
        let has_come = || {
            seen.set(seen.get() + 1);
            is_there.set(seen.get() % 3 > 0);
            is_there.get()
        };
        while seen.get() < 10 {
            pace.take_turns(take, has_come);
            assert!(!is_there.get());
        }
    }
}
