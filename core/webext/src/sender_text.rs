//! `port.sender` as JSON.

use crate::extension::Extension;
use crate::profile::Profile;
use crate::tabs::TabDirectory;
use port_core::{ContextId, ContextKind, DocumentLifecycle, Sender, TabId};
use serde_json::json;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use url::Url;

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
    /// Returns the sender as the profile shows it to an extension, as JSON.
    pub fn of(
        &self,
        sender: &Sender,
        profile: Profile,
        directory: &TabDirectory,
        extension: &Extension,
    ) -> Rc<str> {
        let tabs = directory.version();
        let mut latest = self.latest.borrow_mut();
        if let Some(known) = &*latest
            && known.tabs == tabs
            && known.sender == *sender
        {
            return Rc::clone(&known.json);
        }
        let json: Rc<str> = show(sender, profile, directory, extension).to_string().into();
        *latest = Some(Latest { sender: sender.clone(), tabs, json: Rc::clone(&json) });
        json
    }
}

fn show(
    sender: &Sender,
    profile: Profile,
    directory: &TabDirectory,
    extension: &Extension,
) -> serde_json::Value {
    // What the document has now: scripts and fragments change it.
    let url = sender.document().and_then(|document| directory.document_url(document));
    let url = url.as_ref().map_or(sender.url(), Url::as_str);
    let mut shown = json!({ "id": sender.extension().as_str(), "origin": sender.origin(), "url": url });
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
            shown["tab"] = tab.seen_by(extension);
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
