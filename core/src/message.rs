//! A message as a poster hands it in.

use crate::payload::{Payload, ShownBytes};
use bytes::Bytes;
use std::fmt;

/// Tells how the bytes of a message were made. The core carries it and gives it no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum MessageFormat {
    /// JSON text in UTF-8, Chromium's default.
    #[default]
    Json,
    /// The browser's structured clone, Firefox's way and Chromium's option.
    StructuredClone,
    /// A format of the embedder's own.
    Other(u8),
}

/// A message to post: bytes, their format, and whether the sender had user activation.
///
/// It is made from anything that has bytes:
///
/// | made from | up to [`INLINE_BYTES`](crate::INLINE_BYTES) | longer |
/// |---|---|---|
/// | a slice, an array, a `str` or a `String`, by reference | copied into the lane | copied once, when it is posted |
/// | [`Bytes`], `Vec<u8>`, `String` | copied into the lane | passed by reference |
/// | a received [`Payload`](crate::Payload), by reference or by value | copied into the lane | passed by reference |
/// | [an owner](Self::from_owner) | copied into the lane | passed by reference |
///
/// ```
/// use port_core::{Message, MessageFormat, bytes};
///
/// let short = Message::from(&b"{\"greeting\":\"hi\"}"[..]).user_activation(true);
/// assert_eq!(short.bytes().len(), 17);
/// let long = Message::from(bytes::Bytes::from(vec![0; 1 << 20])).format(MessageFormat::StructuredClone);
/// assert_eq!(long.bytes().len(), 1 << 20);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Message<'a> {
    pub(crate) body: Body<'a>,
    pub(crate) format: MessageFormat,
    pub(crate) user_activation: bool,
}

#[derive(Clone)]
pub(crate) enum Body<'a> {
    Borrowed(&'a [u8]),
    Owned(Bytes),
}

impl Body<'_> {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Body::Borrowed(bytes) => bytes,
            Body::Owned(bytes) => bytes,
        }
    }
}

impl PartialEq for Body<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Body<'_> {}

impl<'a> Message<'a> {
    #[inline]
    const fn new(body: Body<'a>) -> Self {
        Self { body, format: MessageFormat::Json, user_activation: false }
    }

    /// Makes a message from bytes that somebody else allocated, such as a script engine's buffer or memory
    /// that C hands over. A long message is not copied: the receivers read the owner's bytes. `owner` is dropped once,
    /// when nobody reads its bytes any more: once it is sent if the message is short, otherwise when the last receiver
    /// has dropped its payload, or with the message if that is refused and not posted again. That may be on any
    /// thread. Allocates a few words for a reference count.
    ///
    /// ```
    /// use port_core::Message;
    ///
    /// /// A buffer that came over C's interface, with the function that frees it.
    /// struct Foreign {
    ///     bytes: *const u8,
    ///     length: usize,
    ///     free: extern "C" fn(*const u8, usize),
    /// }
    ///
    /// // SAFETY: the caller handed the buffer over and keeps no pointer to it; any thread may free it.
    /// unsafe impl Send for Foreign {}
    ///
    /// impl AsRef<[u8]> for Foreign {
    ///     fn as_ref(&self) -> &[u8] {
    ///         // SAFETY: it is valid for this length until it is freed.
    ///         unsafe { std::slice::from_raw_parts(self.bytes, self.length) }
    ///     }
    /// }
    ///
    /// impl Drop for Foreign {
    ///     fn drop(&mut self) {
    ///         (self.free)(self.bytes, self.length);
    ///     }
    /// }
    ///
    /// # extern "C" fn free(_: *const u8, _: usize) {}
    /// # let bytes = b"from C".as_ptr();
    /// let message = Message::from_owner(Foreign { bytes, length: 6, free });
    /// assert_eq!(message.bytes(), b"from C");
    /// ```
    pub fn from_owner(owner: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::new(Body::Owned(Bytes::from_owner(owner)))
    }

    /// Sets the format; [`MessageFormat::Json`] by default.
    #[inline]
    pub const fn format(mut self, format: MessageFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets whether the sending script ran under user activation; `false` by default.
    /// Chromium carries this to the receiver.
    #[inline]
    pub const fn user_activation(mut self, active: bool) -> Self {
        self.user_activation = active;
        self
    }

    /// Returns the payload.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.body.as_slice()
    }

    /// Returns whether dropping the message may run an owner's code.
    #[inline]
    pub(crate) const fn is_owned(&self) -> bool {
        matches!(self.body, Body::Owned(_))
    }

    /// Takes the message, and leaves an empty one.
    pub(crate) fn take(&mut self) -> Self {
        Self { body: std::mem::replace(&mut self.body, Body::Borrowed(&[])), ..*self }
    }

    /// Returns a copy that owns its bytes, which it shares if they are owned already.
    pub(crate) fn share(&self) -> Message<'static> {
        let bytes = match &self.body {
            Body::Owned(bytes) => bytes.clone(),
            Body::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
        };
        Message { body: Body::Owned(bytes), format: self.format, user_activation: self.user_activation }
    }

    /// Returns the message if it owns its bytes.
    pub(crate) fn if_owned(self) -> Option<Message<'static>> {
        self.is_owned().then(|| self.into_owned())
    }

    /// Returns the message with bytes that it owns; copies borrowed ones.
    pub(crate) fn into_owned(self) -> Message<'static> {
        let Self { format, user_activation, .. } = self;
        Message { body: Body::Owned(self.into_bytes()), format, user_activation }
    }

    /// Returns the payload as [`Bytes`]. Copies a borrowed one.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.body {
            Body::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Body::Owned(bytes) => bytes,
        }
    }
}

/// Makes messages from what has bytes: `[parameters] type as value => body`.
macro_rules! message_from {
    ($($(#[$doc:meta])* [$($parameter:tt)*] $type:ty as $value:ident => $body:expr,)+) => {
        $(
            impl<'a, $($parameter)*> From<$type> for Message<'a> {
                $(#[$doc])*
                #[inline]
                fn from($value: $type) -> Self {
                    Self::new($body)
                }
            }
        )+
    };
}

message_from! {
    [] &'a [u8] as bytes => Body::Borrowed(bytes),
    [const N: usize] &'a [u8; N] as bytes => Body::Borrowed(bytes),
    [] &'a str as text => Body::Borrowed(text.as_bytes()),
    [] &'a String as text => Body::Borrowed(text.as_bytes()),
    /// The bytes of a received message, as JSON unless [told otherwise](Message::format): what their format was,
    /// the event says. Allocates nothing; a long payload is passed on, not copied.
    [] &'a Payload as payload => match payload.as_shared() {
        Some(bytes) => Body::Owned(bytes.clone()),
        None => Body::Borrowed(payload),
    },
    /// As from a reference, but borrows nothing; a short payload is copied to memory of its own for that.
    [] Payload as payload => Body::Owned(payload.into_bytes()),
    [] Bytes as bytes => Body::Owned(bytes),
    [] Vec<u8> as bytes => Body::Owned(bytes.into()),
    [] String as text => Body::Owned(text.into()),
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &ShownBytes(self.bytes()))
            .field("format", &self.format)
            .field("user_activation", &self.user_activation)
            .finish()
    }
}

/// Format and user activation of a message, in two bytes: the lower holds the kind of format and the activation
/// bit, the upper the number of an [`Other`](MessageFormat::Other) format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageFlags(u16);

impl MessageFlags {
    const ACTIVATION: u16 = 1 << 7;

    #[inline]
    pub(crate) fn new(format: MessageFormat, user_activation: bool) -> Self {
        let format = match format {
            MessageFormat::Json => 0,
            MessageFormat::StructuredClone => 1,
            MessageFormat::Other(other) => 2 | u16::from(other) << 8,
        };
        Self(if user_activation { format | Self::ACTIVATION } else { format })
    }

    /// Returns the format, and whether there was user activation.
    #[inline(always)]
    pub(crate) fn parts(self) -> (MessageFormat, bool) {
        // The usual case costs one comparison.
        if self.0 == 0 { (MessageFormat::Json, false) } else { (self.format(), self.user_activation()) }
    }

    #[inline]
    pub(crate) fn format(self) -> MessageFormat {
        let [kind, other] = (self.0 & !Self::ACTIVATION).to_le_bytes();
        match kind {
            0 => MessageFormat::Json,
            1 => MessageFormat::StructuredClone,
            _ => MessageFormat::Other(other),
        }
    }

    #[inline]
    pub(crate) fn user_activation(self) -> bool {
        self.0 & Self::ACTIVATION != 0
    }
}
