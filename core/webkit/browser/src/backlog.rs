//! How much of what a page said waits for the GTK thread: while it is too much, or something that is to be heard first, no
//! more of the page is done.

use crate::bell::Bell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes may wait.
const MOST: usize = 4 << 20;

/// What a word costs beside its own bytes.
const OF_EACH: usize = 256;

/// What waits of one page.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    /// How many words wait that are to be heard before anything else is done.
    first: AtomicUsize,
    bell: Arc<Bell>,
}

/// A word that waits. Dropped once it is heard.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: Vec<u8>,
    is_first: bool,
    backlog: Arc<Backlog>,
}

impl Backlog {
    /// Makes one in which nothing waits. The bell is rung when there is room again.
    pub(crate) fn new(bell: &Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), first: AtomicUsize::new(0), bell: Arc::clone(bell) })
    }

    /// Adds a word, and says whether it is to be heard before anything else is done.
    pub(crate) fn add(self: &Arc<Self>, text: Vec<u8>, is_first: bool) -> Word {
        // Mere counts.
        self.bytes.fetch_add(text.len() + OF_EACH, Ordering::Relaxed);
        self.first.fetch_add(is_first.into(), Ordering::Relaxed);
        Word { text, is_first, backlog: Arc::clone(self) }
    }

    /// Returns whether more may come.
    pub(crate) fn has_room(&self) -> bool {
        // Who finds no room here is woken by the bell, whose lock orders it behind the change.
        self.bytes.load(Ordering::Relaxed) < MOST && self.first.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        let bytes = self.text.len() + OF_EACH;
        let before = self.backlog.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if self.is_first {
            self.backlog.first.fetch_sub(1, Ordering::Relaxed);
        }
        if self.is_first || before >= MOST && before - bytes < MOST {
            self.backlog.bell.ring();
        }
    }
}
