//! What the browser sends to a renderer.

use super::content::{
    Content, SenderDescription, connect_kind, context_kind, context_kind_to_byte, write_connect_kind,
};
use super::fields::{Reader, Writer};
use super::lie::Lied;
use super::number::{ContextNumber, PortNumber};
use super::port_runs::PortRuns;
use crate::bounds::Bounds;
use port_core::{AttachError, ConnectKind, ContextKind, DisconnectReason};

/// One frame from the browser to a renderer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Down<'a> {
    /// The browser's end speaks this version, and these bounds hold. Comes first, once.
    Hello {
        /// The version.
        version: u32,
        /// What the renderer may have under way.
        bounds: Bounds,
        /// How many messages, and how many bytes, whoever posts to this renderer may have under way on one port, until
        /// they are [taken](super::Up::Taken); 0 counts as 1.
        window: (Option<u32>, Option<u64>),
    },
    /// A context may be attached.
    Grant {
        /// The grant, and the context once it is attached.
        context: ContextNumber,
        /// What kind of context it is.
        kind: ContextKind,
        /// What the embedder tells its renderer of it.
        label: &'a [u8],
    },
    /// A grant that was not used is void.
    Revoke {
        /// The grant.
        context: ContextNumber,
    },
    /// A context could not be attached, for what it was granted for is gone.
    AttachRefused {
        /// The context, which is no more.
        context: ContextNumber,
        /// Why.
        error: AttachError,
    },
    /// Somebody connected to a context.
    Connect {
        /// The receiver.
        context: ContextNumber,
        /// The next odd number.
        port: PortNumber,
        /// What the connection is for.
        kind: ConnectKind,
        /// Whether the renderer is to answer, by [`Up::Accept`](super::Up::Accept) or [`Up::Refuse`](super::Up::Refuse).
        undecided: bool,
        /// Whether the opener is another extension's.
        external: bool,
        /// The name that the opener gave.
        name: &'a str,
        /// The opener.
        sender: SenderDescription,
    },
    /// A message came.
    Message {
        /// The port that it came on.
        port: PortNumber,
        /// The message.
        content: Content<'a>,
    },
    /// A message came on several ports at once.
    MessageToSeveral {
        /// The ports that it came on.
        ports: PortRuns<'a>,
        /// The message.
        content: Content<'a>,
    },
    /// A port ended.
    End {
        /// The port, which is no more.
        port: PortNumber,
        /// Why.
        reason: DisconnectReason,
        /// Whether somebody was there who did not listen.
        not_listening: bool,
    },
    /// So much of what was posted on a port has left the browser's end.
    PortCredit {
        /// The port.
        port: PortNumber,
        /// Messages.
        messages: u32,
        /// Bytes.
        bytes: u64,
    },
    /// So much of what was sent on this connection has left the browser's end.
    Credit {
        /// Messages and connects.
        messages: u32,
        /// Bytes.
        bytes: u64,
    },
    /// A context ended by a fact, with its ports.
    ContextGone {
        /// The context, which is no more.
        context: ContextNumber,
        /// Why.
        reason: DisconnectReason,
    },
}

impl<'a> Down<'a> {
    /// The kind of a message.
    const MESSAGE: u8 = 5;

    /// Writes a message as [`write`](Self::write) does.
    #[inline(always)]
    pub(crate) fn write_message(port: PortNumber, content: Content<'_>, to: &mut Vec<u8>) {
        content.write_frame(Self::MESSAGE, port, to);
    }

    /// Writes a message as [`write`](Self::write) does, but for its payload.
    pub(crate) fn write_message_head(port: PortNumber, content: Content<'_>, to: &mut Vec<u8>) {
        to.extend_from_slice(&content.frame_head(Self::MESSAGE, port));
    }

    /// Reads a message, as [`read`](Self::read) does; `None` if it is something else, or
    /// not as it should be.
    #[inline(always)]
    pub(crate) fn read_message(bytes: &'a [u8]) -> Option<(PortNumber, Content<'a>)> {
        Content::read_frame(Self::MESSAGE, bytes)
    }

    /// Writes the frame to the end of a buffer, which grows.
    ///
    /// # Panics
    ///
    /// On a text or a message of 4 GiB or more.
    pub fn write(&self, to: &mut Vec<u8>) {
        if let Self::Message { port, content } = *self {
            return content.write_frame(Self::MESSAGE, port, to);
        }
        let mut frame = Writer::new(to);
        match *self {
            Self::Hello { version, bounds, window: (messages, bytes) } => {
                frame.u8(0).u32(version).u32(bounds.port_messages).u64(bounds.port_bytes);
                frame.u32(bounds.messages).u64(bounds.bytes).u32(bounds.message_bytes);
                frame.u8(u8::from(messages.is_some()));
                if let Some(messages) = messages {
                    frame.u32(messages);
                }
                frame.u8(u8::from(bytes.is_some()));
                if let Some(bytes) = bytes {
                    frame.u64(bytes);
                }
            }
            Self::Grant { context, kind, label } => {
                frame.u8(1).u64(context.to_bits()).u8(context_kind_to_byte(kind)).rest(label);
            }
            Self::Revoke { context } => {
                frame.u8(2).u64(context.to_bits());
            }
            Self::AttachRefused { context, error } => {
                frame.u8(3).u64(context.to_bits()).u16(error.code());
            }
            Self::Connect { context, port, kind, undecided, external, name, ref sender } => {
                write_connect_kind(kind, frame.u8(4).u64(context.to_bits()).u64(port.to_bits()));
                frame.u8(u8::from(undecided)).u8(u8::from(external));
                sender.write(frame.text(name));
            }
            Self::Message { .. } => {}
            Self::MessageToSeveral { ports, content } => {
                ports.write(frame.u8(10));
                content.write(&mut frame);
            }
            Self::End { port, reason, not_listening } => {
                frame.u8(6).u64(port.to_bits()).u16(reason.code()).u8(u8::from(not_listening));
            }
            Self::PortCredit { port, messages, bytes } => {
                frame.u8(7).u64(port.to_bits()).u32(messages).u64(bytes);
            }
            Self::Credit { messages, bytes } => {
                frame.u8(8).u32(messages).u64(bytes);
            }
            Self::ContextGone { context, reason } => {
                frame.u8(9).u64(context.to_bits()).u16(reason.code());
            }
        }
        frame.finish();
    }

    /// Reads a frame, without its length. Allocates for a sender alone, whose bytes are there.
    ///
    /// # Errors
    ///
    /// Says what no browser sends.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Lied> {
        let mut from = Reader::new(bytes);
        let kind = from.u8().map_err(|_| Lied::Length)?;
        let context = |from: &mut Reader<'a>| from.u64().map(ContextNumber::from_bits);
        let port = |from: &mut Reader<'a>| from.u64().map(PortNumber::from_bits);
        let from = &mut from;
        let frame = match kind {
            0 => {
                let version = from.u32()?;
                let bounds = Bounds::default().port_messages(from.u32()?).port_bytes(from.u64()?);
                let bounds = bounds.messages(from.u32()?).bytes(from.u64()?).message_bytes(from.u32()?);
                let messages = if flag(from)? { Some(from.u32()?) } else { None };
                let bytes = if flag(from)? { Some(from.u64()?) } else { None };
                Self::Hello { version, bounds, window: (messages, bytes) }
            }
            1 => Self::Grant { context: context(from)?, kind: context_kind(from.u8()?)?, label: from.rest() },
            2 => Self::Revoke { context: context(from)? },
            3 => Self::AttachRefused {
                context: context(from)?,
                error: numbered(from.u16()?, AttachError::ALL, AttachError::code)?,
            },
            4 => Self::Connect {
                context: context(from)?,
                port: port(from)?,
                kind: connect_kind(from.u8()?)?,
                undecided: flag(from)?,
                external: flag(from)?,
                name: from.text()?,
                sender: SenderDescription::read(from)?,
            },
            Self::MESSAGE => Self::Message { port: port(from)?, content: Content::read(from)? },
            6 => Self::End { port: port(from)?, reason: reason(from)?, not_listening: flag(from)? },
            7 => Self::PortCredit { port: port(from)?, messages: from.u32()?, bytes: from.u64()? },
            8 => Self::Credit { messages: from.u32()?, bytes: from.u64()? },
            10 => Self::MessageToSeveral { ports: PortRuns::read(from)?, content: Content::read(from)? },
            9 => Self::ContextGone { context: context(from)?, reason: reason(from)? },
            _ => return Err(Lied::Kind),
        };
        from.end()?;
        Ok(frame)
    }
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Lied> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Lied::Value),
    }
}

fn reason(from: &mut Reader<'_>) -> Result<DisconnectReason, Lied> {
    numbered(from.u16()?, DisconnectReason::ALL, DisconnectReason::code)
}

/// Finds the variant that has this number.
fn numbered<T: Copy>(number: u16, all: &[T], code: impl Fn(T) -> u16) -> Result<T, Lied> {
    all.iter().copied().find(|one| code(*one) == number).ok_or(Lied::Value)
}
