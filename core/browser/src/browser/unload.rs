//! Documents that go away: their scripts hear so before the core is told.

use super::Browser;
use crate::browser::open_tab::OpenFrame;
use crate::messages::{LastWords, Leave, Request, Task, ThreadIndex};
use port_core::DocumentId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a thread may take to have its documents hear that they go away.
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
            self.latest_unload += 1;
            let number = self.latest_unload;
            waiting.push(number);
            self.threads[thread.0].send(Task::Unload { documents, leave, number });
        }
        let deadline = Instant::now() + PATIENCE;
        while !waiting.is_empty() {
            match self.requests.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(envelope) => match envelope.request {
                    Request::Unloaded(number) => waiting.retain(|waiting| *waiting != number),
                    _ => self.postponed.push_back(envelope),
                },
                // A thread that hangs: its documents go without a word.
                Err(_) => break,
            }
        }
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
