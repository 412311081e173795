//! Whether a thread that has nothing to do looks for what comes next before it sleeps.

use std::thread;
use std::time::{Duration, Instant};

/// For how long it looks at most.
const LOOK: Duration = Duration::from_micros(100);

/// A sleep that is shorter than this shows that somebody answers at once.
const SHORT: Duration = Duration::from_micros(250);

/// After how many short sleeps in a row it looks: at least, and at most.
const BEFORE: [u32; 2] = [8, 8 << 10];

/// Decides whether a thread that has nothing to do, a renderer's or a gateway's, looks for what comes next for a moment, of 100 µs
/// at most, before it sleeps.
///
/// A thread that falls asleep has its processor fall asleep too, if that has nothing else to do, and to be woken takes
/// longer then than another process takes to answer. So one that is answered at once, time after time, looks for the
/// next answer for a while. It lets others have the processor meanwhile, and on a machine where they keep it that is
/// costly: each time that it looked in vain, or was held up, it sleeps twice as often before it tries again.
///
/// Allocates nothing, and wakes nobody.
///
/// ```
/// use port_core_gateway::LookOut;
/// use std::sync::mpsc::channel;
/// use std::time::Instant;
///
/// let (sender, receiver) = channel();
/// sender.send("an answer").unwrap();
/// let (mut look_out, mut found) = (LookOut::default(), None);
/// let has_come = || {
///     found = receiver.try_recv().ok();
///     found.is_some()
/// };
/// if !look_out.look(has_come) {
///     let began = Instant::now();
///     found = receiver.recv().ok();
///     look_out.slept(began.elapsed());
/// }
/// assert_eq!(found, Some("an answer"));
/// ```
#[derive(Clone, Debug)]
pub struct LookOut {
    /// How many sleeps in a row were short.
    short: u32,
    /// After how many it looks.
    before: u32,
}

impl Default for LookOut {
    fn default() -> Self {
        Self { short: 0, before: BEFORE[0] }
    }
}

impl LookOut {
    /// Looks for a while whether something has come, if that is likely, and returns whether it has. If not, the thread is to
    /// sleep. `has_come` must not block; what it has seen is the caller's to do, however late it was seen.
    pub fn look(&mut self, mut has_come: impl FnMut() -> bool) -> bool {
        if self.short < self.before {
            return false;
        }
        let began = Instant::now();
        loop {
            let has_come = has_come();
            let is_late = began.elapsed() > LOOK;
            if is_late {
                self.short = 0;
                self.before = (self.before * 2).min(BEFORE[1]);
            } else if has_come {
                self.before = (self.before - 1).max(BEFORE[0]);
            }
            if has_come || is_late {
                return has_come;
            }
            thread::yield_now();
        }
    }

    /// Takes note of how long it was, in a sleep, until something came.
    pub fn slept(&mut self, time: Duration) {
        self.short = if time < SHORT { self.short.saturating_add(1) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::{BEFORE, LOOK, LookOut};
    use std::thread;
    use std::time::Duration;

    fn looks(look_out: &mut LookOut, mut has_come: impl FnMut() -> bool) -> Option<bool> {
        let mut has_looked = false;
        let found = look_out.look(|| {
            has_looked = true;
            has_come()
        });
        has_looked.then_some(found)
    }

    #[test]
    fn it_looks_once_sleeps_are_short_and_until_one_is_long() {
        let mut look_out = LookOut::default();
        for _ in 0..BEFORE[0] {
            assert_eq!(looks(&mut look_out, || true), None);
            look_out.slept(Duration::ZERO);
        }
        assert_eq!(looks(&mut look_out, || true), Some(true));
        look_out.slept(Duration::from_secs(1));
        assert_eq!(looks(&mut look_out, || true), None);
    }

    #[test]
    fn what_was_seen_late_was_seen() {
        let mut look_out = LookOut { short: BEFORE[0], ..LookOut::default() };
        let late = || {
            thread::sleep(2 * LOOK);
            true
        };
        assert_eq!(looks(&mut look_out, late), Some(true));
        assert_eq!(looks(&mut look_out, late), None);
    }

    #[test]
    fn who_looks_in_vain_sleeps_more_often_before_the_next_look() {
        let (mut look_out, mut sleeps, mut in_vain) = (LookOut::default(), 0, 0);
        while in_vain < 5 {
            match looks(&mut look_out, || false) {
                Some(found) => {
                    assert!(!found);
                    assert_eq!(sleeps, BEFORE[0] << in_vain);
                    (sleeps, in_vain) = (0, in_vain + 1);
                }
                None => {
                    look_out.slept(Duration::ZERO);
                    sleeps += 1;
                }
            }
        }
    }
}
