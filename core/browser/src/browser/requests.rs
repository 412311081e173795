//! What script threads ask of the browser process.

use crate::activity::Busy;
use crate::script::{Loaded, ThreadIndex};
use port_core::{ContextId, ExtensionInstance, Place};
use std::sync::mpsc::Sender;
use url::Url;

/// Something for the browser process to do.
#[derive(Debug)]
pub(crate) enum Request {
    /// Answer an API call.
    Call(Call),
    /// A document is loaded but for the frames in it.
    Interactive(Place),
    /// A document or a background has run its scripts.
    Loaded(Loaded),
    /// A script changed what its frame, or a frame in its document, shows.
    Navigation(Navigation),
    /// Documents heard that they go away.
    Unloaded(u64),
    /// A function of `scripting.executeScript` has run.
    Executed {
        /// The number of the execution.
        number: u64,
        /// Its result as JSON, or what it threw.
        outcome: Result<String, String>,
    },
    /// Nothing is under way any more, or was so a moment ago.
    Calm,
}

/// What a script did to its page.
#[derive(Debug)]
pub(crate) struct Navigation {
    /// Where the script runs.
    pub(crate) place: Place,
    /// What it did.
    pub(crate) change: NavigationChange,
}

/// A way for a script to change its page.
#[derive(Debug)]
pub(crate) enum NavigationChange {
    /// `location.href = …`, `location.replace()`.
    Go {
        /// Where to.
        url: Url,
        /// Whether the page takes the place of the one before in the history.
        replace: bool,
    },
    /// `location.reload()`.
    Reload,
    /// `history.go()`.
    Traverse(i32),
    /// `history.pushState()`, `replaceState()`, or a change of the fragment.
    SameDocument {
        /// The URL now.
        url: Url,
        /// Whether the history has no entry for it.
        replace: bool,
    },
    /// A frame element came into the document.
    AttachFrame {
        /// The number of the element in this document.
        element: u32,
        /// What it shows.
        url: Url,
    },
    /// A frame element shows something else.
    NavigateFrame {
        /// The number of the element in this document.
        element: u32,
        /// What it shows.
        url: Url,
    },
    /// A frame element left the document.
    RemoveFrame {
        /// The number of the element in this document.
        element: u32,
    },
}

/// An asynchronous API call.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who called.
    pub(crate) caller: Caller,
    /// The number the caller gave the call.
    pub(crate) number: u32,
    /// The method, such as `tabs.query`.
    pub(crate) method: String,
    /// The arguments as a JSON array, checked by the bindings; `null` for those left out.
    pub(crate) arguments: String,
}

/// A context that called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The thread it lives on.
    pub(crate) thread: ThreadIndex,
    /// The context.
    pub(crate) context: ContextId,
    /// Its extension.
    pub(crate) instance: ExtensionInstance,
    /// Where it lives.
    pub(crate) place: Option<Place>,
}

/// A request on its way. What it asks for is under way until it is carried out.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) request: Request,
    pub(super) busy: Option<Busy>,
}

/// The way to the browser process.
#[derive(Clone)]
pub(crate) struct Requests {
    sender: Sender<Envelope>,
}

impl Requests {
    pub(super) fn new(sender: Sender<Envelope>) -> Self {
        Self { sender }
    }

    /// Sends a request, with what shows that it is under way.
    pub(crate) fn send(&self, request: Request, busy: Option<Busy>) {
        // At the end of a run nobody listens any more.
        let _ = self.sender.send(Envelope { request, busy });
    }
}
