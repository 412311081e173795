//! Documents that go away: their scripts hear so before the core is told.

use super::Browser;
use crate::browser::open_tab::OpenFrame;
use crate::messages::{LastWords, Leave, Request, Task, ThreadIndex};
use port_core::DocumentId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a thread may take to do what is waited for, such as to have documents hear that they go away.
const PATIENCE: Duration = Duration::from_millis(500);

impl Browser {
    /// Has the scripts of documents hear that these go, in the order given, and waits
    /// until they did. What is asked of the browser process meanwhile waits.
    pub(super) fn unload<'a>(
        &mut self,
        frames: impl IntoIterator<Item = &'a OpenFrame>,
        leave: Leave,
        last_words: impl Fn(&OpenFrame) -> LastWords,
    ) {
        let mut by_thread = BTreeMap::<ThreadIndex, Vec<(DocumentId, LastWords)>>::new();
        for frame in frames {
            if let Some(&thread) = self.sites.get(&frame.site()) {
                by_thread.entry(thread).or_default().push((frame.document, last_words(frame)));
            }
        }
        let mut waiting = Vec::new();
        for (thread, documents) in by_thread {
            let number = self.number_of_task();
            waiting.push(number);
            self.threads[thread.0].send(Task::Unload { documents, leave, number });
        }
        self.let_last_words_be_heard(waiting);
    }

    /// Waits until scripts have said what they say, and until extensions have heard it: their contexts are about to end,
    /// and their tab is about to be another.
    fn let_last_words_be_heard(&mut self, waiting: Vec<u64>) -> bool {
        if waiting.is_empty() {
            return true;
        }
        let may_be_cached = self.wait_for(waiting);
        self.let_hear();
        may_be_cached
    }

    /// Asks documents, in the order given, whether they may go; says whether they may be cached.
    pub(super) fn ask_to_leave<'a>(&mut self, frames: impl IntoIterator<Item = &'a OpenFrame>) -> bool {
        let mut by_thread = BTreeMap::<ThreadIndex, Vec<DocumentId>>::new();
        for frame in frames {
            if let Some(&thread) = self.sites.get(&frame.site()) {
                by_thread.entry(thread).or_default().push(frame.document);
            }
        }
        let mut waiting = Vec::new();
        for (thread, documents) in by_thread {
            let number = self.number_of_task();
            waiting.push(number);
            self.threads[thread.0].send(Task::BeforeUnload { documents, number });
        }
        self.let_last_words_be_heard(waiting)
    }

    /// A number for a task that is to be waited for.
    pub(super) fn number_of_task(&mut self) -> u64 {
        self.latest_task += 1;
        self.latest_task
    }

    /// Waits until tasks have been done; says whether what they asked is so for all. What is asked of the browser
    /// process meanwhile waits.
    pub(super) fn wait_for(&mut self, waiting: Vec<u64>) -> bool {
        self.wait_until(waiting, Instant::now() + PATIENCE)
    }

    /// The same, until a time.
    pub(super) fn wait_until(&mut self, mut waiting: Vec<u64>, deadline: Instant) -> bool {
        let mut is_so_for_all = true;
        while !waiting.is_empty() {
            match self.requests.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(envelope) => match envelope.request {
                    Request::Done(number) => waiting.retain(|waiting| *waiting != number),
                    Request::Asked { number, is_so } => {
                        waiting.retain(|waiting| *waiting != number);
                        is_so_for_all &= is_so;
                    }
                    _ => self.postponed.push_back(envelope),
                },
                // A thread that hangs: its documents go without a word.
                Err(_) => break,
            }
        }
        is_so_for_all
    }

    /// The documents of a page are shown again.
    pub(super) fn show_again(&self, frames: &[OpenFrame]) {
        let mut by_thread = BTreeMap::<ThreadIndex, Vec<DocumentId>>::new();
        for frame in frames {
            if let Some(&thread) = self.sites.get(&frame.site()) {
                by_thread.entry(thread).or_default().push(frame.document);
            }
        }
        for (thread, documents) in by_thread {
            self.threads[thread.0].send(Task::Restore { documents });
        }
    }
}
