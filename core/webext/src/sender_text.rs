//! `port.sender` as JSON.

use crate::extension::Extension;
use crate::profile::Profile;
use crate::tabs::TabDirectory;
use port_core::{ContextId, ContextKind, DocumentLifecycle, Sender, TabId};
use serde_json::json;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// Writes the senders of one world's connections as JSON, and keeps the latest: who connects, mostly
/// connects again.
#[derive(Debug, Default)]
pub struct SenderText {
    latest: RefCell<Option<Latest>>,
}

#[derive(Debug)]
struct Latest {
    sender: Sender,
    /// What the open tabs were then; see [`TabDirectory::version`](crate::tabs::TabDirectory::version).
    tabs: u64,
    json: Rc<str>,
}

impl SenderText {
    /// Returns the sender as the profile shows it to an extension, as JSON. `is_page` tells pages of the extension
    /// from content scripts.
    pub fn of(
        &self,
        sender: &Sender,
        profile: Profile,
        directory: &TabDirectory,
        extension: &Extension,
        is_page: bool,
    ) -> Rc<str> {
        let tabs = directory.version();
        let mut latest = self.latest.borrow_mut();
        if let Some(known) = &*latest
            && known.tabs == tabs
            && known.sender == *sender
        {
            return Rc::clone(&known.json);
        }
        let json: Rc<str> = show(sender, profile, directory, extension, is_page).to_string().into();
        *latest = Some(Latest { sender: sender.clone(), tabs, json: Rc::clone(&json) });
        json
    }
}

fn show(
    sender: &Sender,
    profile: Profile,
    directory: &TabDirectory,
    extension: &Extension,
    is_page: bool,
) -> serde_json::Value {
    // The URL stays the one that the document was loaded with (measured in both).
    let mut shown = json!({ "id": sender.extension().as_str(), "url": sender.url() });
    let is_worker = sender.kind() == ContextKind::Background && sender.document().is_none();
    // What a worker of Chromium sends to pages of extensions has none.
    if profile == Profile::Firefox || !is_worker || !is_page {
        shown["origin"] = sender.origin().into();
    }
    if profile == Profile::Firefox {
        let is_content = sender.kind() == ContextKind::ContentScript;
        shown["envType"] = if is_content { "content_child" } else { "addon_child" }.into();
    }
    if let Some(context) = sender.context() {
        shown["contextId"] = context_number(context).into();
    }
    if let Some(document) = sender.document() {
        shown["documentId"] = profile.show_document(document).into();
    }
    // In Firefox a tab that was closed is not there any more, though its documents still speak (measured).
    let is_shown = |tab: &TabId| profile == Profile::Chromium || directory.get(*tab).is_some();
    if let (Some(tab), Some(frame)) = (sender.tab().filter(is_shown), sender.frame()) {
        shown["frameId"] = frame.get().into();
        if let Some(lifecycle) = sender.lifecycle() {
            shown["documentLifecycle"] = match lifecycle {
                DocumentLifecycle::Cached => "cached",
                _ => "active",
            }
            .into();
        }
        if let Some(tab) = directory.get(tab) {
            // In Chromium a sender's tab is shown whole, whatever the permissions.
            shown["tab"] = match profile {
                Profile::Chromium => tab.shown_whole(extension),
                Profile::Firefox => tab.seen_by(extension),
            };
        }
    }
    shown
}

/// A context as a number that a script holds exactly.
fn context_number(context: ContextId) -> u64 {
    let mut hasher = DefaultHasher::new();
    context.hash(&mut hasher);
    hasher.finish() >> 12
}
