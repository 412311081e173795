//! Processes of scripts that crash: what ran in them is gone, and the browser goes on.

use super::Browser;
use super::open_tab::OpenFrame;
use crate::messages::ThreadIndex;
use port_core::{DocumentId, TabId};

impl Browser {
    /// What waits for the scripts of a process that is no more waits no longer. Pages that are opened later get a new one.
    pub(super) fn process_crashed(&mut self, thread: ThreadIndex) {
        let was_there = |frame: &OpenFrame| self.sites.get(&frame.site()) == Some(&thread);
        let gone: Vec<(TabId, DocumentId)> = self
            .tabs
            .iter()
            .flat_map(|(tab, open)| open.frames.iter().map(move |frame| (*tab, frame)))
            .filter(|(_, frame)| was_there(frame))
            .map(|(tab, frame)| (tab, frame.document))
            .collect();
        self.backgrounds_crashed(thread);
        self.sites.retain(|_, of_site| *of_site != thread);
        for (tab, document) in gone {
            let open = self.tabs.get_mut(&tab);
            let Some(open) = open.filter(|open| open.loading.contains_key(&document)) else { continue };
            open.loading.remove(&document);
            if open.loading.is_empty() {
                self.tab_complete(tab);
            } else {
                self.complete_documents(tab);
            }
        }
        self.abandon_executions(thread);
    }
}
