//! What script threads ask of the browser process.

use crate::activity::Busy;
use crate::script::{Loaded, ThreadIndex};
use port_core::{ContextId, ExtensionInstance, Place};
use std::sync::mpsc::Sender;

/// Something for the browser process to do.
#[derive(Debug)]
pub(crate) enum Request {
    /// Answer an API call.
    Call(Call),
    /// A document or a background has run its scripts.
    Loaded(Loaded),
    /// Nothing is under way any more, or was so a moment ago.
    Calm,
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
