//! The core as a thread's scripts reach it: an event loop on this thread, or one in the browser's process, reached over a
//! socket. Both have the same calls and the same events.

use crate::messages::Attachment;
#[cfg(unix)]
use crate::process::Link;
use port_core::bytes::Bytes;
use port_core::{
    ActivePort, ConnectError, ConnectKind, ContextId, DisconnectReason, DocumentId, Event, EventLoop,
    ExtensionId, FrameId, INLINE_BYTES, Listening, Message, Payload, PortId, PortName, PostErrorKind,
    RuntimeTarget, Sender, TabId, TabTarget,
};
#[cfg(unix)]
use port_core_gateway::{
    ContextNumber, InTab, OfExtension, PortNumber, SenderDescription, StubEvent, port_core::AttachError,
};
use port_core_webext::Opener;
use std::ops::Deref;
#[cfg(unix)]
use std::sync::{Arc, atomic::Ordering};

/// An event loop of the core, here or in the browser's process. In a process of its own, contexts and ports have the
/// numbers of that process's connection for ids.
#[allow(clippy::large_enum_variant, reason = "there is one in a thread")]
pub(crate) enum ScriptEventLoop {
    /// On this thread.
    Here(EventLoop),
    /// In the browser's process.
    #[cfg(unix)]
    Elsewhere(Remote),
}

/// An event loop in the browser's process.
#[cfg(unix)]
pub(crate) struct Remote {
    link: Arc<Link>,
    /// Channels of one-off messages that are open, or were.
    one_offs: Vec<(ContextId, PortNumber)>,
}

/// Where a channel goes.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// To the frames of a tab.
    Tab { tab: TabId, frame: Option<FrameId>, document: Option<DocumentId> },
    /// To the pages of an extension, by default the opener's own.
    Runtime(Option<&'a str>),
}

/// What happened to a context: the core's [`Event`], as far as scripts hear it.
pub(super) enum CoreEvent {
    Connect {
        context: ContextId,
        port: PortId,
        kind: ConnectKind,
        name: PortName,
        opener: AnyOpener,
    },
    Message {
        context: ContextId,
        port: PortId,
        payload: AnyPayload,
    },
    Disconnect {
        context: ContextId,
        port: PortId,
        reason: DisconnectReason,
    },
    ContextGone {
        context: ContextId,
        reason: DisconnectReason,
    },
    /// What scripts do not hear.
    Other,
}

/// The bytes of a message.
pub(super) enum AnyPayload {
    Here(Payload),
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no other processes"))]
    Elsewhere(Bytes),
}

/// Who opened a port.
#[derive(Clone, PartialEq)]
pub(super) enum AnyOpener {
    Here(Sender),
    #[cfg(unix)]
    Elsewhere(Arc<SenderDescription>),
}

impl ScriptEventLoop {
    /// Attaches a context; `None` if what it is for has ended.
    pub(super) fn attach(&mut self, attachment: &Attachment) -> Option<ContextId> {
        match (self, attachment) {
            (Self::Here(event_loop), Attachment::Described(context)) => {
                event_loop.attach(context.clone()).ok()
            }
            #[cfg(unix)]
            (Self::Elsewhere(Remote { link, .. }), Attachment::Granted(grant)) => {
                let attached = link.attach(grant.number);
                // ORDERING: one thread uses it.
                grant.is_used.store(attached, Ordering::Relaxed);
                attached.then(|| ContextId::from_bits(grant.number))
            }
            #[cfg(unix)]
            _ => None,
        }
    }

    /// Detaches a context: its ports end. One that a fact has ended meanwhile is detached.
    pub(super) fn detach(&mut self, context: ContextId) {
        match self {
            Self::Here(event_loop) => {
                let _ = event_loop.detach(context);
            }
            #[cfg(unix)]
            Self::Elsewhere(Remote { link, .. }) => {
                let _ = link.stub(|stub| stub.detach(context_number(context)));
            }
        }
    }

    /// A context is no more, and nobody will speak of it.
    pub(super) fn forget(&mut self, context: ContextId) {
        match self {
            Self::Here(_) => {}
            #[cfg(unix)]
            Self::Elsewhere(Remote { link, .. }) => link.forget(context),
        }
    }

    /// Sets what a context listens to. One that a fact has ended meanwhile listens to nothing anyway.
    pub(super) fn set_listening(&mut self, context: ContextId, listening: Listening) {
        match self {
            Self::Here(event_loop) => {
                let _ = event_loop.set_listening(context, listening);
            }
            #[cfg(unix)]
            Self::Elsewhere(Remote { link, .. }) => {
                let _ = link.stub(|stub| stub.set_listening(context_number(context), listening));
            }
        }
    }

    /// Opens a channel.
    pub(super) fn connect(
        &mut self,
        opener: ContextId,
        target: Target<'_>,
        kind: ConnectKind,
        name: &str,
    ) -> Result<PortId, ConnectError> {
        match (self, target) {
            (Self::Here(event_loop), Target::Tab { tab, frame, document }) => {
                let mut target = TabTarget::new(tab).name(name).kind(kind);
                if let Some(frame) = frame {
                    target = target.frame(frame);
                }
                if let Some(document) = document {
                    target = target.document(document);
                }
                event_loop.connect_tab(opener, &target)
            }
            (Self::Here(event_loop), Target::Runtime(extension)) => {
                let target = match extension {
                    None => RuntimeTarget::own(),
                    Some(id) => RuntimeTarget::extension(ExtensionId::new(id)),
                };
                event_loop.connect_runtime(opener, &target.name(name).kind(kind))
            }
            #[cfg(unix)]
            (Self::Elsewhere(remote), Target::Tab { tab, frame, document }) => {
                let target = InTab { tab, frame, document, kind, name };
                let port = remote.link.stub(|stub| stub.connect_tab(context_number(opener), &target))?;
                Ok(remote.note(opener, kind, port))
            }
            #[cfg(unix)]
            (Self::Elsewhere(remote), Target::Runtime(extension)) => {
                let target = OfExtension { extension, kind, name };
                let port = remote.link.stub(|stub| stub.connect_runtime(context_number(opener), &target))?;
                Ok(remote.note(opener, kind, port))
            }
        }
    }

    /// The one-off messages of a context that have no answer yet, its own and those that it was sent.
    pub(super) fn one_offs(&mut self, context: ContextId) -> Vec<PortId> {
        match self {
            Self::Here(event_loop) => {
                let is_one_off = |port: &ActivePort| port.kind == ConnectKind::OneOff;
                let ports = event_loop.why_awake(context).map(|activity| activity.ports).unwrap_or_default();
                ports.into_iter().filter(is_one_off).map(|port| port.port).collect()
            }
            #[cfg(unix)]
            Self::Elsewhere(remote) => {
                remote.forget_ended();
                let own = remote.one_offs.iter().filter(|(holder, _)| *holder == context);
                own.map(|(_, port)| port_id(*port)).collect()
            }
        }
    }

    /// Posts a message.
    pub(super) fn post_message(&mut self, port: PortId, json: String) -> Result<(), PostErrorKind> {
        match self {
            Self::Here(event_loop) => {
                // A short message is copied into the lane, a long one goes over as it is.
                let message =
                    if json.len() <= INLINE_BYTES { Message::from(&*json) } else { Message::from(json) };
                event_loop.post_message(port, message).map_err(|error| error.kind())
            }
            #[cfg(unix)]
            Self::Elsewhere(Remote { link, .. }) => {
                link.stub(|stub| stub.post_message(port_number(port), json.as_str()))
            }
        }
    }

    /// Ends a port.
    pub(super) fn disconnect(&mut self, port: PortId) {
        match self {
            Self::Here(event_loop) => {
                let _ = event_loop.disconnect(port);
            }
            #[cfg(unix)]
            Self::Elsewhere(Remote { link, .. }) => {
                link.stub(|stub| stub.disconnect(port_number(port)));
            }
        }
    }

    /// Takes the next event; if there is none, the bell is rung for what comes after.
    pub(super) fn next_event(&mut self) -> Option<CoreEvent> {
        match self {
            Self::Here(event_loop) => event_loop.next_event().map(CoreEvent::from),
            #[cfg(unix)]
            Self::Elsewhere(remote) => remote.next_event(),
        }
    }

    /// Takes the next event, without a promise of a bell.
    pub(super) fn next_event_unarmed(&mut self) -> Option<CoreEvent> {
        match self {
            Self::Here(event_loop) => event_loop.next_event_unarmed().map(CoreEvent::from),
            #[cfg(unix)]
            Self::Elsewhere(remote) => remote.next_event(),
        }
    }
}

#[cfg(unix)]
impl Remote {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, one_offs: Vec::new() }
    }

    /// Takes note of a channel, if it is of a one-off message; gives its id.
    fn note(&mut self, context: ContextId, kind: ConnectKind, port: PortNumber) -> PortId {
        if kind == ConnectKind::OneOff {
            if self.one_offs.len() == self.one_offs.capacity() {
                self.forget_ended();
            }
            self.one_offs.push((context, port));
        }
        port_id(port)
    }

    fn forget_ended(&mut self) {
        let one_offs = &mut self.one_offs;
        self.link.stub(|stub| one_offs.retain(|(_, port)| stub.is_open(*port)));
    }

    fn next_event(&mut self) -> Option<CoreEvent> {
        let event = self.link.next_event()?;
        if let StubEvent::Connect { context, port, kind, .. } = &event {
            self.note(context_id(*context), *kind, *port);
        }
        Some(event.into())
    }
}

#[cfg(unix)]
fn context_number(context: ContextId) -> ContextNumber {
    ContextNumber::from_bits(context.to_bits())
}

#[cfg(unix)]
fn context_id(context: ContextNumber) -> ContextId {
    ContextId::from_bits(context.to_bits())
}

#[cfg(unix)]
fn port_number(port: PortId) -> PortNumber {
    PortNumber::from_bits(port.to_bits())
}

#[cfg(unix)]
fn port_id(port: PortNumber) -> PortId {
    PortId::from_bits(port.to_bits())
}

impl CoreEvent {
    /// The context that hears of it.
    pub(super) fn context(&self) -> Option<ContextId> {
        match self {
            Self::Connect { context, .. }
            | Self::Message { context, .. }
            | Self::Disconnect { context, .. }
            | Self::ContextGone { context, .. } => Some(*context),
            Self::Other => None,
        }
    }
}

impl From<Event> for CoreEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Connect { context, port, kind, name, sender, .. } => {
                Self::Connect { context, port, kind, name, opener: AnyOpener::Here(sender) }
            }
            Event::Message { context, port, payload, .. } => {
                Self::Message { context, port, payload: AnyPayload::Here(payload) }
            }
            Event::Disconnect { context, port, reason, .. } => Self::Disconnect { context, port, reason },
            Event::ContextGone { context, reason, .. } => Self::ContextGone { context, reason },
            // Scripts know no room: a post that was refused threw.
            _ => Self::Other,
        }
    }
}

#[cfg(unix)]
impl From<StubEvent> for CoreEvent {
    fn from(event: StubEvent) -> Self {
        match event {
            StubEvent::Connect { context, port, kind, name, sender, .. } => Self::Connect {
                context: context_id(context),
                port: port_id(port),
                kind,
                name: PortName::new(&name),
                opener: AnyOpener::Elsewhere((*sender).into()),
            },
            StubEvent::Message { context, port, payload, .. } => Self::Message {
                context: context_id(context),
                port: port_id(port),
                payload: AnyPayload::Elsewhere(payload),
            },
            StubEvent::Disconnect { context, port, reason, .. } => {
                Self::Disconnect { context: context_id(context), port: port_id(port), reason }
            }
            StubEvent::ContextGone { context, reason, .. } => {
                Self::ContextGone { context: context_id(context), reason }
            }
            StubEvent::AttachRefused { context, error, .. } => {
                let reason = match error {
                    AttachError::UnknownExtension => DisconnectReason::ExtensionUnloaded,
                    _ => DisconnectReason::Navigated,
                };
                Self::ContextGone { context: context_id(context), reason }
            }
            _ => Self::Other,
        }
    }
}

impl Deref for AnyPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(payload) => payload,
            Self::Elsewhere(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a AnyOpener> for Opener<'a> {
    fn from(opener: &'a AnyOpener) -> Self {
        match opener {
            AnyOpener::Here(sender) => sender.into(),
            #[cfg(unix)]
            AnyOpener::Elsewhere(sender) => Self {
                extension: sender.extension.as_ref(),
                kind: sender.kind,
                url: &sender.url,
                origin: &sender.origin,
                tab: sender.tab,
                frame: sender.frame,
                document: sender.document,
                lifecycle: sender.lifecycle,
                context: sender.context.map(ContextId::from_bits),
            },
        }
    }
}
