//! Documents that load: each is complete once the frames in it are, and a tab once all are.

use super::Browser;
use super::open_tab::LoadState;
use crate::messages::{OtherWindow, Task};
use port_core::{DocumentId, FrameId, Place, TabId};
use port_core_webext::Profile;
use serde_json::json;
use url::Url;

impl Browser {
    /// A script thread has loaded a document but for the frames in it.
    pub(super) fn document_interactive(&mut self, place: Place) {
        let open = self.tabs.get_mut(&place.tab);
        if let Some(state) = open.and_then(|open| open.loading.get_mut(&place.document)) {
            *state = LoadState::Interactive;
            self.emit_moment("webNavigation.onDOMContentLoaded", place);
            self.complete_documents(place.tab);
        }
    }

    /// Has documents be complete that waited for the frames in them, if these are.
    pub(super) fn complete_documents(&mut self, tab: TabId) {
        let Some(open) = self.tabs.get_mut(&tab) else { return };
        for frame in open.take_completable() {
            if let Some(&thread) = self.sites.get(&frame.site()) {
                self.threads[thread.0].send(Task::Complete(frame.document));
            }
        }
    }

    /// A script thread has loaded a document.
    pub(super) fn document_loaded(&mut self, place: Place) {
        self.tell_of_loaded_frame(place);
        self.emit_moment("webNavigation.onCompleted", place);
        let Some(open) = self.tabs.get_mut(&place.tab) else { return };
        if open.loading.remove(&place.document).is_none() {
            return;
        }
        if open.loading.is_empty() {
            self.tab_complete(place.tab);
        } else {
            self.complete_documents(place.tab);
        }
    }

    /// The document around a frame hears that the frame has loaded.
    pub(super) fn tell_of_loaded_frame(&self, place: Place) {
        self.tell_container(place, |document, element| Task::FrameLoaded { document, element });
    }

    /// A frame must not show what it was to show. In Chromium the page about the error loads.
    pub(super) fn refuse_frame(&mut self, place: Place) {
        let open = self.tabs.get_mut(&place.tab);
        if let Some(frame) =
            open.and_then(|open| open.frames.iter_mut().find(|frame| frame.id == place.frame))
        {
            frame.url = Url::parse("about:neterror").expect("a constant");
        }
        if self.shared.profile == Profile::Firefox {
            self.tell_container(place, |document, element| Task::FrameFailed { document, element });
        } else {
            self.tell_of_loaded_frame(place);
        }
    }

    /// Delivers a message from one window of a tab to another.
    pub(super) fn send_window_message(&mut self, place: Place, to: OtherWindow, json: String) {
        let Some(sender) = self.open_frame(place).cloned() else { return };
        let Some(open) = self.tabs.get(&place.tab) else { return };
        let receiver = match to {
            OtherWindow::Parent => open.frames.iter().find(|frame| Some(frame.id) == sender.parent),
            OtherWindow::Top => open.top(),
            OtherWindow::Element(element) => {
                let inner = open.frame_in_element(sender.id, element);
                open.frames.iter().find(|frame| Some(frame.id) == inner)
            }
        };
        let Some(receiver) = receiver else { return };
        let from = if sender.parent == Some(receiver.id) {
            sender.element.map(OtherWindow::Element)
        } else if receiver.parent == Some(sender.id) {
            Some(OtherWindow::Parent)
        } else {
            (sender.id == FrameId::TOP).then_some(OtherWindow::Top)
        };
        if let Some(&thread) = self.sites.get(&receiver.site()) {
            let (document, origin) = (receiver.document, sender.origin());
            self.threads[thread.0].send(Task::WindowMessage { document, json, origin, from });
        }
    }

    fn tell_container(&self, place: Place, task: impl FnOnce(DocumentId, u32) -> Task) {
        let container = self.open_frame(place).and_then(|frame| self.container_of(place.tab, frame));
        let Some((document, element)) = container else { return };
        let around = self.tabs.get(&place.tab).and_then(|open| {
            let frame = open.frames.iter().find(|frame| frame.document == document)?;
            self.sites.get(&frame.site())
        });
        if let Some(thread) = around {
            self.threads[thread.0].send(task(document, element));
        }
    }

    /// Everything in a tab is loaded.
    pub(super) fn tab_complete(&mut self, tab: TabId) {
        let url = self.shared.tabs.change(|tabs| {
            let info = tabs.get_mut(&tab)?;
            info.complete = true;
            Some(info.url.clone())
        });
        if let Some(url) = url {
            self.log_tab(tab, "complete", &url);
            self.emit_change(tab, &json!({ "status": "complete" }));
        }
        self.tell_of_readiness();
    }
}
