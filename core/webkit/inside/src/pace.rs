//! Whether a page looks for what comes next before its main loop sleeps.
//!
//! A process that falls asleep has its processor fall asleep too, if that has nothing else to do, and to be woken takes
//! longer then than another page takes to answer. So a page that is answered at once, time after time, looks for the
//! next answer for a while. It lets others have the processor meanwhile, and on a machine where they keep it that is
//! costly, so each time that it looked in vain it waits longer before it tries again.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// For how long it looks at most, and for how long all other work of the page waits at most for what is done meanwhile.
const LOOK: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_millis(2);

/// How soon after the last turn the next one comes where it is worth to look.
const SOON: Duration = Duration::from_micros(250);

/// After how many turns that came so soon it looks: at least, and at most.
const BEFORE: [u32; 2] = [8, 8 << 10];

/// How soon after each other a page's turns come.
pub(crate) struct Pace {
    last: Cell<Option<Instant>>,
    /// How many turns in a row came soon.
    soon: Cell<u32>,
    /// After how many it looks.
    before: Cell<u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: Cell::new(None), soon: Cell::new(0), before: Cell::new(BEFORE[0]) }
    }
}

impl Pace {
    /// Takes a turn, and others for as long as something comes soon. `take` takes one and returns whether there was
    /// nothing more to do; `has_come` returns whether there is, and is followed by `take` if so.
    pub(crate) fn take_turns(&self, mut take: impl FnMut() -> bool, has_come: impl Fn() -> bool) {
        let began = Instant::now();
        let is_soon = self.last.get().is_some_and(|last| began.duration_since(last) < SOON);
        self.soon.set(if is_soon { self.soon.get().saturating_add(1) } else { 0 });
        while take()
            && self.soon.get() >= self.before.get()
            && began.elapsed() < LONGEST
            && self.look(&has_come)
        {}
        self.last.set(Some(Instant::now()));
    }

    /// Looks for a while. Returns whether something has come.
    fn look(&self, has_come: impl Fn() -> bool) -> bool {
        let began = Instant::now();
        loop {
            let has_come = has_come();
            let is_late = began.elapsed() > LOOK;
            if is_late {
                self.soon.set(0);
                self.before.set((self.before.get() * 2).min(BEFORE[1]));
            } else if has_come {
                self.before.set(self.before.get().saturating_sub(1).max(BEFORE[0]));
            }
            if has_come || is_late {
                return has_come;
            }
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BEFORE, LOOK, Pace};
    use std::cell::Cell;
    use std::thread;

    /// What has come is taken, however late it was seen: nothing else tells of it.
    #[test]
    fn what_was_seen_is_taken() {
        let (pace, seen, is_there) = (Pace::default(), Cell::new(0), Cell::new(false));
        let take = || {
            is_there.set(false);
            true
        };
        let has_come = || {
            seen.set(seen.get() + 1);
            is_there.set(true);
            if seen.get() % 3 == 0 {
                thread::sleep(2 * LOOK);
            }
            true
        };
        while seen.get() < 10 {
            pace.take_turns(take, has_come);
            assert!(!is_there.get());
        }
    }

    #[test]
    fn who_looks_in_vain_waits_longer_before_the_next_look() {
        let (pace, has_looked, mut in_vain) = (Pace::default(), Cell::new(false), 0);
        while in_vain < 5 {
            pace.take_turns(
                || true,
                || {
                    has_looked.set(true);
                    false
                },
            );
            in_vain += u32::from(has_looked.take());
            assert_eq!(pace.before.get(), BEFORE[0] << in_vain);
        }
    }
}
