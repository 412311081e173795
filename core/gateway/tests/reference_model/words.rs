//! The words of the core's surface that only the core can make, as a renderer has them.

use bytes::Bytes;
use port_core_gateway::port_core::{
    ConnectKind, ContextId, ContextKind, DisconnectReason, DocumentId, DocumentLifecycle, ExtensionId,
    ExtensionInstance, FrameId, MessageFormat, PortId, PortName, PostErrorKind, TabId,
};
use port_core_gateway::{InTab, OfExtension, SenderDescription};

/// An event, as the core has it.
#[derive(Clone, Debug)]
pub enum Event {
    Connect { context: ContextId, port: PortId, name: PortName, sender: Sender, undecided: bool },
    Message { context: ContextId, port: PortId, payload: Bytes, format: MessageFormat, user_activation: bool },
    Disconnect { context: ContextId, port: PortId, reason: DisconnectReason, not_listening: bool },
    Room { context: ContextId, port: PortId },
    ContextGone { context: ContextId, reason: DisconnectReason },
}

impl Event {
    pub fn context(&self) -> ContextId {
        match self {
            Self::Connect { context, .. }
            | Self::Message { context, .. }
            | Self::Disconnect { context, .. }
            | Self::Room { context, .. }
            | Self::ContextGone { context, .. } => *context,
        }
    }

    pub fn port(&self) -> Option<PortId> {
        match self {
            Self::Connect { port, .. }
            | Self::Message { port, .. }
            | Self::Disconnect { port, .. }
            | Self::Room { port, .. } => Some(*port),
            Self::ContextGone { .. } => None,
        }
    }
}

/// What a renderer was told of an opener. Of the instance it is not told.
#[derive(Clone, Debug)]
pub struct Sender {
    pub(crate) told: SenderDescription,
    pub(crate) instance: Option<ExtensionInstance>,
}

impl Sender {
    pub fn extension(&self) -> Option<&ExtensionId> {
        self.told.extension.as_ref()
    }

    pub fn instance(&self) -> Option<ExtensionInstance> {
        self.instance
    }

    pub fn kind(&self) -> ContextKind {
        self.told.kind
    }

    pub fn url(&self) -> &str {
        &self.told.url
    }

    pub fn tab(&self) -> Option<TabId> {
        self.told.tab
    }

    pub fn frame(&self) -> Option<FrameId> {
        self.told.frame
    }

    pub fn document(&self) -> Option<DocumentId> {
        self.told.document
    }

    pub fn lifecycle(&self) -> Option<DocumentLifecycle> {
        self.told.lifecycle
    }

    pub fn context(&self) -> Option<ContextId> {
        self.told.context.map(ContextId::from_bits)
    }
}

/// A message to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub(crate) payload: Payload<'a>,
    pub(crate) format: MessageFormat,
    pub(crate) user_activation: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    Borrowed(&'a [u8]),
    Owned(Bytes),
}

impl<'a> Message<'a> {
    const fn new(payload: Payload<'a>) -> Self {
        Self { payload, format: MessageFormat::Json, user_activation: false }
    }

    pub fn format(self, format: MessageFormat) -> Self {
        Self { format, ..self }
    }

    pub fn user_activation(self, user_activation: bool) -> Self {
        Self { user_activation, ..self }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.payload {
            Payload::Borrowed(bytes) => bytes,
            Payload::Owned(bytes) => bytes,
        }
    }

    pub(crate) fn if_owned(self) -> Option<Message<'static>> {
        match self.payload {
            Payload::Borrowed(_) => None,
            Payload::Owned(bytes) => {
                Some(Message { payload: Payload::Owned(bytes), ..Message::new(Payload::Borrowed(b"")) })
                    .map(|message| message.format(self.format).user_activation(self.user_activation))
            }
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(Payload::Borrowed(text.as_bytes()))
    }
}

impl From<Bytes> for Message<'_> {
    fn from(bytes: Bytes) -> Self {
        Self::new(Payload::Owned(bytes))
    }
}

/// Why a post was refused, with the message if it was not borrowed.
#[derive(Debug)]
pub struct PostError {
    pub(crate) kind: PostErrorKind,
    pub(crate) message: Option<Message<'static>>,
}

impl PostError {
    pub fn kind(&self) -> PostErrorKind {
        self.kind
    }

    pub fn into_message(self) -> Option<Message<'static>> {
        self.message
    }
}

impl From<PostError> for PostErrorKind {
    fn from(error: PostError) -> Self {
        error.kind
    }
}

/// What `tabs.connect` goes to.
#[derive(Clone, Debug)]
pub struct TabTarget {
    target: InTab<'static>,
    name: String,
}

impl TabTarget {
    pub fn new(tab: TabId) -> Self {
        Self { target: InTab::new(tab), name: String::new() }
    }

    pub fn frame(mut self, frame: FrameId) -> Self {
        self.target.frame = Some(frame);
        self
    }

    pub fn document(mut self, document: DocumentId) -> Self {
        self.target.document = Some(document);
        self
    }

    pub fn name(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    pub fn kind(mut self, kind: ConnectKind) -> Self {
        self.target.kind = kind;
        self
    }

    pub(crate) fn on_the_wire(&self) -> InTab<'_> {
        self.target.name(&self.name)
    }
}

/// What `runtime.connect` goes to.
#[derive(Clone, Debug)]
pub struct RuntimeTarget {
    extension: Option<ExtensionId>,
    kind: ConnectKind,
    name: String,
}

impl RuntimeTarget {
    pub fn own() -> Self {
        Self { extension: None, kind: ConnectKind::Port, name: String::new() }
    }

    pub fn extension(extension: ExtensionId) -> Self {
        Self { extension: Some(extension), ..Self::own() }
    }

    pub fn name(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    pub fn kind(self, kind: ConnectKind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn on_the_wire(&self) -> OfExtension<'_> {
        OfExtension {
            extension: self.extension.as_ref().map(ExtensionId::as_str),
            kind: self.kind,
            name: &self.name,
        }
    }
}
