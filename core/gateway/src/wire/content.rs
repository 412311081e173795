//! What messages and connections carry, as it goes over the wire.

use super::fields::{LENGTH_BYTES, Reader, Writer};
use super::lie::Lied;
use super::number::PortNumber;
use port_core::{
    ConnectKind, ContextKind, DocumentId, DocumentLifecycle, ExtensionId, FrameId, Listening, MessageFormat,
    TabId,
};

/// The bytes of a message, how they were made, and whether the script that posted them says that it ran under user
/// activation. Made of a slice or a text; JSON and no activation unless told otherwise.
///
/// ```
/// use port_core::MessageFormat;
/// use port_core_gateway::Content;
///
/// let content = Content::from("{}").format(MessageFormat::StructuredClone).user_activation(true);
/// assert_eq!(content.payload, b"{}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Content<'a> {
    /// The bytes.
    pub payload: &'a [u8],
    /// How they were made.
    pub format: MessageFormat,
    /// Whether the poster claims user activation. The browser's end believes it only where the browser knows of it.
    pub user_activation: bool,
}

impl<'a> Content<'a> {
    /// Sets the format.
    pub const fn format(mut self, format: MessageFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets whether user activation is claimed.
    pub const fn user_activation(mut self, active: bool) -> Self {
        self.user_activation = active;
        self
    }

    const ACTIVATION: u8 = 1 << 7;

    /// The two bytes in front of the payload.
    const fn head(self) -> [u8; 2] {
        let (kind, other) = match self.format {
            MessageFormat::Json => (0, 0),
            MessageFormat::StructuredClone => (1, 0),
            MessageFormat::Other(other) => (2, other),
            // A format that this version does not know; the other end refuses it.
            _ => (3, 0),
        };
        [if self.user_activation { kind | Self::ACTIVATION } else { kind }, other]
    }

    pub(super) fn write(self, to: &mut Writer<'_>) {
        to.rest(&self.head()).rest(self.payload);
    }

    /// Writes a whole frame that has a port and this. Most frames are such: all that is in front of the payload is
    /// written at once.
    ///
    /// # Panics
    ///
    /// On a message of 4 GiB or more.
    #[inline(always)]
    pub(super) fn write_frame(self, kind: u8, port: PortNumber, to: &mut Vec<u8>) {
        let head = self.frame_head(kind, port);
        to.reserve(head.len() + self.payload.len());
        to.extend_from_slice(&head);
        to.extend_from_slice(self.payload);
    }

    /// Returns what is in front of the payload in such a frame.
    #[inline(always)]
    pub(super) fn frame_head(self, kind: u8, port: PortNumber) -> [u8; LENGTH_BYTES + HEAD_BYTES] {
        let length = u32::try_from(HEAD_BYTES + self.payload.len()).expect("frames are shorter than 4 GiB");
        let mut head = [0; LENGTH_BYTES + HEAD_BYTES];
        head[..4].copy_from_slice(&length.to_le_bytes());
        head[4] = kind;
        head[5..13].copy_from_slice(&port.to_bits().to_le_bytes());
        head[13..].copy_from_slice(&self.head());
        head
    }

    /// Reads a frame that [`write_frame`](Self::write_frame) wrote, without its length; `None` if it is of another kind, or
    /// is not as it should be, which [`read`](Self::read) then finds out.
    #[inline(always)]
    pub(super) fn read_frame(kind: u8, bytes: &'a [u8]) -> Option<(PortNumber, Self)> {
        let (head, payload) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let [first, port @ .., flags, other] = *head;
        let (format, user_activation) = Self::read_head(flags, other)?;
        let port = PortNumber::from_bits(u64::from_le_bytes(port));
        (first == kind).then_some((port, Self { payload, format, user_activation }))
    }

    /// Reads the two bytes in front of the payload.
    #[inline(always)]
    fn read_head(flags: u8, other: u8) -> Option<(MessageFormat, bool)> {
        let format = match (flags & !Self::ACTIVATION, other) {
            (0, 0) => MessageFormat::Json,
            (1, 0) => MessageFormat::StructuredClone,
            (2, other) => MessageFormat::Other(other),
            _ => return None,
        };
        Some((format, flags & Self::ACTIVATION != 0))
    }

    pub(super) fn read(from: &mut Reader<'a>) -> Result<Self, Lied> {
        let (format, user_activation) = Self::read_head(from.u8()?, from.u8()?).ok_or(Lied::Value)?;
        Ok(Self { payload: from.rest(), format, user_activation })
    }
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(payload: &'a [u8]) -> Self {
        Self { payload, format: MessageFormat::Json, user_activation: false }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(payload: &'a [u8; N]) -> Self {
        Self::from(payload.as_slice())
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(payload: &'a str) -> Self {
        Self::from(payload.as_bytes())
    }
}

/// The bytes of kind, port, format and activation, in a frame that has those and a payload.
const HEAD_BYTES: usize = 1 + 8 + 2;

/// Names what `tabs.connect` or `tabs.sendMessage` goes to, as [`port_core::TabTarget`] does. A renderer may name any
/// tab, frame and document: who is reached is the browser's to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct InTab<'a> {
    /// The tab.
    pub tab: TabId,
    /// The frame, if it is to be one alone.
    pub frame: Option<FrameId>,
    /// The document, if it is to be one alone.
    pub document: Option<DocumentId>,
    /// What the connection is for.
    pub kind: ConnectKind,
    /// The port's name.
    pub name: &'a str,
}

impl<'a> InTab<'a> {
    /// Names every frame of a tab, by a port with no name.
    pub const fn new(tab: TabId) -> Self {
        Self { tab, frame: None, document: None, kind: ConnectKind::Port, name: "" }
    }

    /// Returns whether a context of this kind may connect there.
    pub(crate) const fn is_open_to(&self, opener: ContextKind) -> bool {
        !matches!(opener, ContextKind::ContentScript | ContextKind::WebPage)
    }

    /// Sets the port's name.
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        let given = u8::from(self.frame.is_some()) | u8::from(self.document.is_some()) << 1;
        to.u64(self.tab.get()).u8(given);
        to.u64(self.frame.map_or(0, FrameId::get)).u128(self.document.map_or(0, DocumentId::get));
        to.u8(connect_kind_to_byte(self.kind)).text(self.name);
    }

    pub(super) fn read(from: &mut Reader<'a>) -> Result<Self, Lied> {
        let (tab, given) = (TabId::new(from.u64()?), from.u8()?);
        let (frame, document) = (from.u64()?, from.u128()?);
        if given > 3 {
            return Err(Lied::Value);
        }
        let frame = if_given(given & 1 != 0, frame)?.map(FrameId::new);
        let document = if_given(given & 2 != 0, document)?.map(DocumentId::new);
        Ok(Self { tab, frame, document, kind: connect_kind(from.u8()?)?, name: from.text()? })
    }
}

/// Names what `runtime.connect` or `runtime.sendMessage` goes to, as [`port_core::RuntimeTarget`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct OfExtension<'a> {
    /// Another extension; `None` for the opener's own.
    pub extension: Option<&'a str>,
    /// What the connection is for.
    pub kind: ConnectKind,
    /// The port's name.
    pub name: &'a str,
}

impl<'a> OfExtension<'a> {
    /// Names the opener's own extension, by a port with no name.
    pub const fn own() -> Self {
        Self { extension: None, kind: ConnectKind::Port, name: "" }
    }

    /// Returns whether a context of this kind may connect there: a page of the web has no extension of its own.
    pub(crate) const fn is_open_to(&self, opener: ContextKind) -> bool {
        self.extension.is_some() || !matches!(opener, ContextKind::WebPage)
    }

    /// Sets the port's name.
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        to.u8(connect_kind_to_byte(self.kind)).text(self.name);
        if let Some(extension) = self.extension {
            to.u8(1).text(extension);
        } else {
            to.u8(0);
        }
    }

    pub(super) fn read(from: &mut Reader<'a>) -> Result<Self, Lied> {
        let (kind, name) = (connect_kind(from.u8()?)?, from.text()?);
        let extension = match from.u8()? {
            0 => None,
            1 => Some(from.text()?),
            _ => return Err(Lied::Value),
        };
        Ok(Self { extension, kind, name })
    }
}

/// Describes the opener of a port to a renderer, as [`port_core::Sender`] does in the browser. Only the browser's end
/// writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderDescription {
    /// `sender.id`: the extension; `None` for a page of the web, and for no other kind.
    pub extension: Option<ExtensionId>,
    /// What kind of context it is.
    pub kind: ContextKind,
    /// `sender.url`.
    pub url: Box<str>,
    /// `sender.origin`.
    pub origin: Box<str>,
    /// `sender.tab.id`.
    pub tab: Option<TabId>,
    /// `sender.frameId`.
    pub frame: Option<FrameId>,
    /// `sender.documentId`.
    pub document: Option<DocumentId>,
    /// `sender.documentLifecycle`, where [`port_core::Policies::sender`] shows it.
    pub lifecycle: Option<DocumentLifecycle>,
    /// `sender.contextId`, where [`port_core::Policies::sender`] shows it: a number of the browser's, of no use but
    /// to compare.
    pub context: Option<u64>,
}

impl From<&port_core::Sender> for SenderDescription {
    fn from(sender: &port_core::Sender) -> Self {
        Self {
            extension: sender.extension().cloned(),
            kind: sender.kind(),
            url: sender.url().into(),
            origin: sender.origin().into(),
            tab: sender.tab(),
            frame: sender.frame(),
            document: sender.document(),
            lifecycle: sender.lifecycle(),
            context: sender.context().map(port_core::ContextId::to_bits),
        }
    }
}

impl SenderDescription {
    pub(super) fn write(&self, to: &mut Writer<'_>) {
        to.u8(context_kind_to_byte(self.kind))
            .text(self.extension.as_ref().map_or("", ExtensionId::as_str))
            .text(&self.url)
            .text(&self.origin);
        let given =
            [self.tab.is_some(), self.frame.is_some(), self.document.is_some(), self.context.is_some()];
        to.u8(given.iter().rev().fold(0, |bits, given| bits << 1 | u8::from(*given)));
        to.u64(self.tab.map_or(0, TabId::get)).u64(self.frame.map_or(0, FrameId::get));
        to.u128(self.document.map_or(0, DocumentId::get)).u64(self.context.unwrap_or(0));
        to.u8(match self.lifecycle {
            None => 0,
            Some(DocumentLifecycle::Active) => 1,
            Some(DocumentLifecycle::Cached) => 2,
            Some(_) => 3,
        });
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Lied> {
        let kind = context_kind(from.u8()?)?;
        let (extension, url, origin) = (from.text()?, from.text()?, from.text()?);
        let extension = match kind {
            ContextKind::WebPage if extension.is_empty() => None,
            ContextKind::WebPage => return Err(Lied::Value),
            _ => Some(ExtensionId::new(extension)),
        };
        let given = from.u8()?;
        if given > 15 {
            return Err(Lied::Value);
        }
        let (tab, frame, document, context) = (from.u64()?, from.u64()?, from.u128()?, from.u64()?);
        let lifecycle = match from.u8()? {
            0 => None,
            1 => Some(DocumentLifecycle::Active),
            2 => Some(DocumentLifecycle::Cached),
            _ => return Err(Lied::Value),
        };
        Ok(Self {
            extension,
            kind,
            url: url.into(),
            origin: origin.into(),
            tab: if_given(given & 1 != 0, tab)?.map(TabId::new),
            frame: if_given(given & 2 != 0, frame)?.map(FrameId::new),
            document: if_given(given & 4 != 0, document)?.map(DocumentId::new),
            lifecycle,
            context: if_given(given & 8 != 0, context)?,
        })
    }
}

/// Returns a number that may be left out, which is then 0: there is one way to say a thing.
fn if_given<T: Default + PartialEq>(given: bool, number: T) -> Result<Option<T>, Lied> {
    if given {
        Ok(Some(number))
    } else if number == T::default() {
        Ok(None)
    } else {
        Err(Lied::Value)
    }
}

pub(super) fn write_listening(listening: Listening, to: &mut Writer<'_>) {
    let Listening { ports, one_off, external_ports, external_one_off, listeners, ready, asks, .. } =
        listening;
    let kinds = [ports, one_off, external_ports, external_one_off, ready, asks];
    to.u8(kinds.iter().rev().fold(0, |bits, heard| bits << 1 | u8::from(*heard))).u16(listeners);
}

pub(super) fn read_listening(from: &mut Reader<'_>) -> Result<Listening, Lied> {
    let (kinds, listeners) = (from.u8()?, from.u16()?);
    if kinds > 63 {
        return Err(Lied::Value);
    }
    let heard = |bit: u8| kinds & bit != 0;
    let listening = Listening::none().ports(heard(1)).one_off(heard(2)).external_ports(heard(4));
    Ok(listening.external_one_off(heard(8)).ready(heard(16)).asks(heard(32)).listeners(listeners))
}

/// A kind that this version does not know; the other end refuses it.
const UNKNOWN: u8 = u8::MAX;

const fn connect_kind_to_byte(kind: ConnectKind) -> u8 {
    match kind {
        ConnectKind::Port => 0,
        ConnectKind::OneOff => 1,
        _ => UNKNOWN,
    }
}

pub(super) const fn connect_kind(byte: u8) -> Result<ConnectKind, Lied> {
    match byte {
        0 => Ok(ConnectKind::Port),
        1 => Ok(ConnectKind::OneOff),
        _ => Err(Lied::Value),
    }
}

pub(super) fn write_connect_kind(kind: ConnectKind, to: &mut Writer<'_>) {
    to.u8(connect_kind_to_byte(kind));
}

pub(super) const fn context_kind_to_byte(kind: ContextKind) -> u8 {
    match kind {
        ContextKind::ContentScript => 0,
        ContextKind::Background => 1,
        ContextKind::Page => 2,
        ContextKind::WebPage => 3,
        _ => UNKNOWN,
    }
}

pub(super) const fn context_kind(byte: u8) -> Result<ContextKind, Lied> {
    match byte {
        0 => Ok(ContextKind::ContentScript),
        1 => Ok(ContextKind::Background),
        2 => Ok(ContextKind::Page),
        3 => Ok(ContextKind::WebPage),
        _ => Err(Lied::Value),
    }
}
