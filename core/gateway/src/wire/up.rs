//! What a renderer sends to the browser.

use super::content::{Content, InTab, OfExtension, read_listening, write_listening};
use super::fields::{Reader, Writer};
use super::lie::Lied;
use super::number::{ContextNumber, PortNumber};
use port_core::Listening;

/// One frame from a renderer to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Up<'a> {
    /// The renderer's end speaks this version. Comes first, once.
    Hello {
        /// The version.
        version: u32,
    },
    /// Attach the context that was granted by this number.
    Attach {
        /// The grant.
        context: ContextNumber,
    },
    /// Detach a context.
    Detach {
        /// The context.
        context: ContextNumber,
    },
    /// A context has these listeners from now on.
    Listen {
        /// The context.
        context: ContextNumber,
        /// Its listeners.
        listening: Listening,
    },
    /// `tabs.connect`, by a port of this number.
    ConnectTab {
        /// The opener.
        context: ContextNumber,
        /// The next even number.
        port: PortNumber,
        /// What is connected to.
        target: InTab<'a>,
    },
    /// `runtime.connect`, by a port of this number.
    ConnectRuntime {
        /// The opener.
        context: ContextNumber,
        /// The next even number.
        port: PortNumber,
        /// What is connected to.
        target: OfExtension<'a>,
    },
    /// A connection that was told as a question is taken.
    Accept {
        /// The port.
        port: PortNumber,
    },
    /// A connection that was told as a question is not taken. Its port is no more.
    Refuse {
        /// The port.
        port: PortNumber,
    },
    /// `port.postMessage`.
    Post {
        /// The port.
        port: PortNumber,
        /// The message.
        content: Content<'a>,
    },
    /// So much of what came on a port since this was last said was taken by its script. Said where there is a
    /// [window](super::Down::Hello), once it is half of one.
    Taken {
        /// The port.
        port: PortNumber,
        /// Messages.
        messages: u32,
        /// Bytes.
        bytes: u64,
    },
    /// `port.disconnect`.
    Disconnect {
        /// The port.
        port: PortNumber,
    },
}

impl<'a> Up<'a> {
    /// The kind of a post.
    const POST: u8 = 6;

    /// Writes a post, as [`write`](Self::write) does.
    #[inline]
    pub(crate) fn write_post(port: PortNumber, content: Content<'_>, to: &mut Vec<u8>) {
        content.write_frame(Self::POST, port, to);
    }

    /// Reads a post, as [`read`](Self::read) does; `None` if it is something else, or
    /// not as it should be.
    #[inline(always)]
    pub(crate) fn read_post(bytes: &'a [u8]) -> Option<(PortNumber, Content<'a>)> {
        Content::read_frame(Self::POST, bytes)
    }

    /// Writes the frame to the end of a buffer, which grows.
    ///
    /// # Panics
    ///
    /// On a text or a message of 4 GiB or more.
    pub fn write(&self, to: &mut Vec<u8>) {
        if let Self::Post { port, content } = *self {
            return content.write_frame(Self::POST, port, to);
        }
        let mut frame = Writer::new(to);
        match *self {
            Self::Hello { version } => {
                frame.u8(0).u32(version);
            }
            Self::Attach { context } => {
                frame.u8(1).u64(context.to_bits());
            }
            Self::Detach { context } => {
                frame.u8(2).u64(context.to_bits());
            }
            Self::Listen { context, listening } => {
                write_listening(listening, frame.u8(3).u64(context.to_bits()));
            }
            Self::ConnectTab { context, port, target } => {
                target.write(frame.u8(4).u64(context.to_bits()).u64(port.to_bits()));
            }
            Self::ConnectRuntime { context, port, target } => {
                target.write(frame.u8(5).u64(context.to_bits()).u64(port.to_bits()));
            }
            Self::Post { .. } => {}
            Self::Disconnect { port } => {
                frame.u8(7).u64(port.to_bits());
            }
            Self::Accept { port } => {
                frame.u8(8).u64(port.to_bits());
            }
            Self::Refuse { port } => {
                frame.u8(9).u64(port.to_bits());
            }
            Self::Taken { port, messages, bytes } => {
                frame.u8(10).u64(port.to_bits()).u32(messages).u64(bytes);
            }
        }
        frame.finish();
    }

    /// Reads a frame, without its length. Allocates nothing.
    ///
    /// # Errors
    ///
    /// Says what no honest renderer sends.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Lied> {
        let mut from = Reader::new(bytes);
        let kind = from.u8().map_err(|_| Lied::Length)?;
        let context = |from: &mut Reader<'a>| from.u64().map(ContextNumber::from_bits);
        let port = |from: &mut Reader<'a>| from.u64().map(PortNumber::from_bits);
        let from = &mut from;
        let frame = match kind {
            0 => Self::Hello { version: from.u32()? },
            1 => Self::Attach { context: context(from)? },
            2 => Self::Detach { context: context(from)? },
            3 => Self::Listen { context: context(from)?, listening: read_listening(from)? },
            4 => Self::ConnectTab { context: context(from)?, port: port(from)?, target: InTab::read(from)? },
            5 => Self::ConnectRuntime {
                context: context(from)?,
                port: port(from)?,
                target: OfExtension::read(from)?,
            },
            Self::POST => Self::Post { port: port(from)?, content: Content::read(from)? },
            7 => Self::Disconnect { port: port(from)? },
            8 => Self::Accept { port: port(from)? },
            9 => Self::Refuse { port: port(from)? },
            10 => Self::Taken { port: port(from)?, messages: from.u32()?, bytes: from.u64()? },
            _ => return Err(Lied::Kind),
        };
        from.end()?;
        Ok(frame)
    }
}
