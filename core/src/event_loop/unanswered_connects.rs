//! Which connects are unanswered, and from which lives of which backgrounds. Each is found by its port, so that answers
//! take as long in any order, and what is asked of a background is counted, so that nobody walks over its connects.

use crate::description::DocumentLifecycle;
use crate::event_loop::slab::grow_gently;
use crate::ids::{ExtensionInstance, Key};
use crate::index::background::Life;
use crate::target::{ConnectInfo, ConnectKind};

/// A connect to a background that runs, which nobody has taken.
#[derive(Clone, Copy)]
pub(super) struct Unanswered {
    /// Its turn among the connects and posts of the loop that are kept or wait.
    pub(super) turn: u64,
    /// The position of the [`Life`] in which the background was found, with [`ANSWERED`] if that has refused it, or is
    /// gone; [`NONE`] if there is no such connect.
    life: u32,
    pub(super) info: ConnectInfo,
    /// `true` if the opener is another extension's, or a page of the web.
    pub(super) external: bool,
    /// `true` if a target refused it because it was stopped.
    pub(super) stopped: bool,
}

const ANSWERED: u32 = 1 << 31;
const NONE: u32 = u32::MAX;

const _: () = assert!(size_of::<Unanswered>() == 16);

impl Unanswered {
    #[inline(always)]
    pub(super) const fn new(turn: u64, info: ConnectInfo, external: bool) -> Self {
        Self { turn, life: NONE, info, external, stopped: false }
    }

    const fn position(self) -> usize {
        (self.life & !ANSWERED) as usize
    }

    /// Returns whether the background has yet to answer.
    pub(super) const fn is_pending(self) -> bool {
        self.life & ANSWERED == 0
    }

    const fn is_there(self) -> bool {
        self.life != NONE
    }
}

/// How many connects from one life are unanswered.
struct OfLife {
    life: Life,
    /// Those that the background has yet to answer.
    pending: u32,
    /// Those that it has refused, and others have not.
    answered: u32,
}

/// The connects of an event loop that are unanswered.
pub(super) struct UnansweredConnects {
    /// By the index of the port. Beside the ports, which are a line of their own each, and most of which are open.
    by_port: Vec<Unanswered>,
    count: u32,
    /// An entry without connects is used again.
    lives: Vec<OfLife>,
    /// That of the last connect, which probably is the next one's too.
    latest: Life,
    latest_at: u32,
    /// That in which a background was found last, if it was another.
    found: Life,
}

impl UnansweredConnects {
    pub(super) const fn new() -> Self {
        Self {
            by_port: Vec::new(),
            count: 0,
            lives: Vec::new(),
            latest: Life::NONE,
            latest_at: NONE,
            found: Life::NONE,
        }
    }

    #[inline(always)]
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the life of the last connect.
    #[inline(always)]
    pub(super) const fn latest(&self) -> Life {
        self.latest
    }

    /// Notes that a background was found in this life. Returns whether it is the latest.
    #[inline(always)]
    pub(super) fn find(&mut self, life: Life) -> bool {
        let is_latest = life == self.latest;
        if !is_latest {
            self.found = life;
        }
        is_latest
    }

    /// Returns the life in which a background was found last: `anew`, or in the latest.
    pub(super) const fn life_found(&self, anew: bool) -> Life {
        if anew { self.found } else { self.latest }
    }

    /// Returns whether connects went to a background in this life.
    pub(super) fn knows(&self, life: Life) -> bool {
        self.lives.iter().any(|of| of.life == life)
    }

    /// Notes that the next connect goes to a background in this life.
    pub(super) fn begin(&mut self, life: Life) {
        if self.latest == life {
            return;
        }
        let known = self.lives.iter().position(|of| of.life == life);
        let at = known.or_else(|| self.lives.iter().position(|of| of.pending == 0 && of.answered == 0));
        let at = at.unwrap_or(self.lives.len());
        if known.is_none() {
            let begun = OfLife { life, pending: 0, answered: 0 };
            match self.lives.get_mut(at) {
                Some(of) => *of = begun,
                None => self.lives.push(begun),
            }
        }
        self.latest = life;
        // There are fewer connects that are unanswered than ports, which have 20 bits.
        self.latest_at = at as u32;
    }

    /// Enters a connect in the [latest](Self::latest) life, which the background is to answer, or is not among the targets of.
    #[inline(always)]
    pub(super) fn insert(&mut self, port: Key, connect: Unanswered, pending: bool) {
        let index = port.index() as usize;
        let of = &mut self.lives[self.latest_at as usize];
        let mut life = self.latest_at;
        if pending {
            of.pending += 1;
        } else {
            of.answered += 1;
            life |= ANSWERED;
        }
        let place = match self.by_port.get_mut(index) {
            Some(place) => place,
            None => self.grow(index),
        };
        debug_assert!(!place.is_there(), "a port ends without it");
        *place = Unanswered { life, ..connect };
        self.count += 1;
    }

    #[cold]
    fn grow(&mut self, index: usize) -> &mut Unanswered {
        let more = index + 1 - self.by_port.len();
        grow_gently(&mut self.by_port, more);
        let info = ConnectInfo { kind: ConnectKind::Port, lifecycle: DocumentLifecycle::Active };
        self.by_port.resize(index + 1, Unanswered::new(0, info, false));
        &mut self.by_port[index]
    }

    /// Forgets a connect that the background had yet to answer. Returns `false`, and does nothing, if there is none for
    /// this port.
    #[inline(always)]
    pub(super) fn remove_pending(&mut self, port: Key) -> bool {
        let Some(connect) = self.by_port.get_mut(port.index() as usize) else { return false };
        let Some(of) = self.lives.get_mut(connect.life as usize) else { return false };
        connect.life = NONE;
        of.pending -= 1;
        self.count -= 1;
        true
    }

    /// Forgets a connect. Returns it, and its life.
    pub(super) fn remove(&mut self, port: Key) -> Option<(Unanswered, Life)> {
        let (connect, life) = self.get(port)?;
        let (place, of) = (&mut self.by_port[port.index() as usize], &mut self.lives[connect.position()]);
        place.life = NONE;
        if connect.is_pending() {
            of.pending -= 1;
        } else {
            of.answered -= 1;
        }
        self.count -= 1;
        Some((connect, life))
    }

    /// Returns the connect of a port, which is there, and its life.
    pub(super) fn get(&self, port: Key) -> Option<(Unanswered, Life)> {
        let connect = *self.by_port.get(port.index() as usize).filter(|connect| connect.is_there())?;
        Some((connect, self.lives[connect.position()].life))
    }

    /// Notes that a stop met a connect.
    pub(super) fn note_stopped(&mut self, port: Key) {
        if let Some(connect) = self.by_port.get_mut(port.index() as usize) {
            connect.stopped = true;
        }
    }

    /// Notes that the background has refused a connect, or will say nothing of it. Returns whether it had not before.
    pub(super) fn note_answered(&mut self, port: Key) -> bool {
        let Some(connect) = self.by_port.get_mut(port.index() as usize) else { return false };
        let Some(of) = self.lives.get_mut(connect.life as usize) else { return false };
        connect.life |= ANSWERED;
        of.pending -= 1;
        of.answered += 1;
        true
    }

    /// Returns whether a background has yet to answer a connect from a life that `is_over`.
    pub(super) fn awaits(&self, instance: ExtensionInstance, is_over: impl Fn(Life) -> bool) -> bool {
        let mut lives = self.lives.iter().filter(|of| of.life.instance == instance && of.pending > 0);
        lives.any(|of| is_over(of.life))
    }

    /// Returns whether a background has yet to answer a connect from this life.
    pub(super) fn is_pending(&self, life: Life) -> bool {
        self.lives.iter().any(|of| of.life == life && of.pending > 0)
    }
}
