//! What the browser's end knows of the renderer's contexts and ports.

use super::Host;
use crate::window::Window;
use crate::wire::lie::Lied;
use crate::wire::number::ContextNumber;
use port_core::{ContextDescription, ContextId, ContextKind, ExtensionInstance, PortId, Sender, TabId};

/// A context that is granted or attached. One that is no more is not in the table.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) kind: ContextKind,
    /// `None` for a page of the web.
    pub(super) extension: Option<ExtensionInstance>,
    pub(super) user_activation: bool,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    /// The renderer may attach it, once.
    Granted(Box<ContextDescription>),
    /// It is attached.
    Attached(ContextId),
    /// The renderer detached it, while this many calls of it were held: it ends when these are made.
    Detaching(ContextId),
}

impl Context {
    pub(super) fn granted(description: ContextDescription) -> Self {
        let (kind, extension) = (description.kind(), description.extension());
        Self { kind, extension, user_activation: false, state: State::Granted(Box::new(description)) }
    }
}

impl State {
    /// Returns the id of a context that is attached.
    pub(super) const fn id(&self) -> Option<ContextId> {
        match self {
            Self::Granted(_) => None,
            Self::Attached(id) | Self::Detaching(id) => Some(*id),
        }
    }
}

/// A port that the renderer has not heard the end of, nor ended.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) context: ContextNumber,
    /// Its id in the core; `None` while its connect is held.
    pub(super) id: Option<PortId>,
    /// The renderer was asked whether it takes the connection, and has not answered.
    pub(super) undecided: bool,
    /// Its disconnect is held.
    pub(super) closing: bool,
    pub(super) receivers: Receivers,
    /// What the renderer posted on it.
    pub(super) window: Window,
}

impl Port {
    /// Returns whether the renderer may post on it.
    pub(super) fn takes_posts(&self) -> bool {
        !self.closing && !self.undecided
    }

    pub(super) fn new(context: ContextNumber, id: Option<PortId>, receivers: Receivers) -> Self {
        Self { context, id, undecided: false, closing: false, receivers, window: Window::default() }
    }
}

/// Where a port's receivers live. What is sent to the same receivers keeps its order, also where some of it must be
/// held.
///
/// All contexts of a tab count as one, and so do all that are in no tab. One receiver can be reached by both ways: a
/// page of an extension in a tab, by `tabs.connect` and by `runtime.connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Receivers {
    InTab(TabId),
    Elsewhere,
}

impl From<&Sender> for Receivers {
    fn from(sender: &Sender) -> Self {
        sender.tab().map_or(Self::Elsewhere, Self::InTab)
    }
}

impl Host {
    /// Returns the attached context of this number; `None` if it was one and is no more.
    pub(super) fn attached(&self, context: ContextNumber) -> Result<Option<(ContextId, ContextKind)>, Lied> {
        match self.contexts.get(&context) {
            Some(Context { state: State::Attached(id), kind, .. }) => Ok(Some((*id, *kind))),
            Some(Context { state: State::Detaching(_), .. }) => Ok(None),
            Some(Context { state: State::Granted(_), .. }) => Err(Lied::NotAttached),
            None => self.numbers.was_context(context).map(|()| None),
        }
    }
}
