//! `port.sender` as JSON.

use crate::extension::Extension;
use crate::profile::Profile;
use crate::tabs::TabDirectory;
use port_core::{ContextId, ContextKind, DocumentId, DocumentLifecycle, ExtensionId, FrameId, Sender, TabId};
use serde_json::json;
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// Writes the senders of one world's connections as JSON, and keeps the latest: who connects, mostly
/// connects again. `O` is the core's [`Sender`], or what an embedder has of one in another process.
#[derive(Debug)]
pub struct SenderText<O = Sender> {
    latest: RefCell<Option<Latest<O>>>,
}

impl<O> Default for SenderText<O> {
    fn default() -> Self {
        Self { latest: RefCell::default() }
    }
}

#[derive(Debug)]
struct Latest<O> {
    sender: O,
    /// What the open tabs were then; see [`TabDirectory::version`](crate::tabs::TabDirectory::version).
    tabs: u64,
    json: Rc<str>,
}

impl<O: Clone + PartialEq> SenderText<O>
where
    for<'a> Opener<'a>: From<&'a O>,
{
    /// Returns the sender as the profile shows it to an extension, as JSON. `is_page` tells pages of the extension
    /// from content scripts.
    pub fn of(
        &self,
        sender: &O,
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
        let opener = Opener::from(sender);
        let json: Rc<str> = opener.show(profile, directory, extension, is_page).to_string().into();
        *latest = Some(Latest { sender: sender.clone(), tabs, json: Rc::clone(&json) });
        json
    }
}

/// Who opened a connection, as the core's [`Sender`] describes it or as a renderer process was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Opener<'a> {
    /// Its extension; `None` for a page of the web.
    pub extension: Option<&'a ExtensionId>,
    /// What kind of context it is.
    pub kind: ContextKind,
    /// `sender.url`.
    pub url: &'a str,
    /// `sender.origin`.
    pub origin: &'a str,
    /// `sender.tab.id`.
    pub tab: Option<TabId>,
    /// `sender.frameId`.
    pub frame: Option<FrameId>,
    /// `sender.documentId`.
    pub document: Option<DocumentId>,
    /// `sender.documentLifecycle`.
    pub lifecycle: Option<DocumentLifecycle>,
    /// The context, where that is shown.
    pub context: Option<ContextId>,
}

impl<'a> From<&'a Sender> for Opener<'a> {
    fn from(sender: &'a Sender) -> Self {
        Self {
            extension: sender.extension(),
            kind: sender.kind(),
            url: sender.url(),
            origin: sender.origin(),
            tab: sender.tab(),
            frame: sender.frame(),
            document: sender.document(),
            lifecycle: sender.lifecycle(),
            context: sender.context(),
        }
    }
}

impl Opener<'_> {
    /// Returns it as the profile shows it to an extension. `is_page` tells pages of the extension from content
    /// scripts. Allocates; [`SenderText`] keeps the latest.
    pub fn show(
        &self,
        profile: Profile,
        directory: &TabDirectory,
        extension: &Extension,
        is_page: bool,
    ) -> serde_json::Value {
        // The URL stays the one that the document was loaded with (measured in both).
        let mut shown = match self.extension {
            Some(extension) => json!({ "id": extension.as_str(), "url": self.url }),
            None => json!({ "url": self.url }),
        };
        let is_worker = self.kind == ContextKind::Background && self.document.is_none();
        // What a worker of Chromium sends to pages of extensions has none.
        if profile == Profile::Firefox || !is_worker || !is_page {
            shown["origin"] = self.origin.into();
        }
        if profile == Profile::Firefox {
            let is_content = self.kind == ContextKind::ContentScript;
            shown["envType"] = if is_content { "content_child" } else { "addon_child" }.into();
        }
        if let Some(context) = self.context {
            shown["contextId"] = context_number(context).into();
        }
        if let Some(document) = self.document {
            shown["documentId"] = profile.show_document(document).into();
        }
        // In Firefox a tab that was closed is not there any more, though its documents still speak (measured).
        let is_shown = |tab: &TabId| profile == Profile::Chromium || directory.get(*tab).is_some();
        if let (Some(tab), Some(frame)) = (self.tab.filter(is_shown), self.frame) {
            shown["frameId"] = frame.get().into();
            if let Some(lifecycle) = self.lifecycle {
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
}

/// A context as a number that a script holds exactly.
fn context_number(context: ContextId) -> u64 {
    let mut hasher = DefaultHasher::new();
    context.hash(&mut hasher);
    hasher.finish() >> 12
}
