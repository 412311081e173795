//! `port.sender` as JSON.

use super::host::Host;
use crate::extension::Extension;
use crate::profile::Profile;
use port_core::{ContextKind, DocumentId, DocumentLifecycle, Sender};
use serde_json::json;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// The latest sender of a world and its JSON: who connects, mostly connects again.
#[derive(Default)]
pub(super) struct SenderText {
    latest: RefCell<Option<Latest>>,
}

struct Latest {
    sender: Sender,
    /// What the open tabs were then; see [`TabDirectory::version`](crate::tabs::TabDirectory::version).
    tabs: u64,
    json: Rc<str>,
}

impl SenderText {
    /// The sender, as the profile shows it to an extension.
    pub(super) fn of(&self, sender: &Sender, host: &Host, extension: &Extension) -> Rc<str> {
        let tabs = host.shared.tabs.version();
        let mut latest = self.latest.borrow_mut();
        if let Some(known) = &*latest
            && known.tabs == tabs
            && known.sender == *sender
        {
            return Rc::clone(&known.json);
        }
        let json: Rc<str> = show(sender, host, extension).to_string().into();
        *latest = Some(Latest { sender: sender.clone(), tabs, json: Rc::clone(&json) });
        json
    }
}

fn show(sender: &Sender, host: &Host, extension: &Extension) -> serde_json::Value {
    let profile = host.shared.profile;
    let mut shown =
        json!({ "id": sender.extension().as_str(), "origin": sender.origin(), "url": sender.url() });
    if profile == Profile::Firefox {
        let (kind, document) = match sender.kind() {
            ContextKind::ContentScript => ("content_child", None),
            _ => ("addon_child", Some(document_of_background(sender))),
        };
        shown["envType"] = kind.into();
        shown["contextId"] = context_number(sender).into();
        if let Some(document) = document {
            shown["documentId"] = profile.show_document(document).into();
        }
    }
    if let (Some(tab), Some(frame), Some(document)) = (sender.tab(), sender.frame(), sender.document()) {
        shown["frameId"] = frame.get().into();
        shown["documentId"] = profile.show_document(document).into();
        if profile == Profile::Chromium {
            shown["documentLifecycle"] = match sender.lifecycle() {
                DocumentLifecycle::Cached => "cached",
                _ => "active",
            }
            .into();
        }
        if let Some(tab) = host.shared.tabs.get(tab) {
            shown["tab"] = tab.seen_by(extension);
        }
    }
    shown
}

/// The document of an extension's background, which has one in Firefox but no place in a tab.
fn document_of_background(sender: &Sender) -> DocumentId {
    DocumentId::new(crate::extension::hash(sender.url()))
}

/// A number for a context, which Firefox shows too.
fn context_number(sender: &Sender) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sender.url(), sender.document()).hash(&mut hasher);
    // As many bits as a number in a script holds exactly.
    hasher.finish() >> 12
}
