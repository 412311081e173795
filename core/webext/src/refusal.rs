//! Why a call of a script was refused, in words that the script's side understands.

use port_core::{ConnectError, PostError, PostErrorKind};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// Why the host refused what a script called for. Nothing was changed by the call.
///
/// Its text, which [`as_str`](Refusal::as_str) returns, is what the native function hands to the
/// script's side. That makes an error of it, with the words of the browser in question where these
/// are known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The port has ended, was never opened, or is another context's: a script that guesses numbers
    /// does not learn which.
    Disconnected,
    /// The message is longer than messages may be.
    TooLarge,
    /// The value is none that messages can carry. Engines say so that write values down themselves.
    Unserializable,
    /// The script's context is no more.
    Gone,
    /// Anything else, in words.
    Other(Cow<'static, str>),
}

impl Refusal {
    /// Returns the refusal as the script's side is told of it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Disconnected => "Disconnected",
            Self::TooLarge => "TooLarge",
            Self::Unserializable => "Unserializable",
            Self::Gone => "Gone",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disconnected => "the port is not open",
            Self::TooLarge => "the message is too large",
            Self::Unserializable => "the value cannot be sent in a message",
            Self::Gone => "the context is gone",
            Self::Other(text) => text,
        })
    }
}

impl Error for Refusal {}

impl From<ConnectError> for Refusal {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Gone | ConnectError::UnknownContext => Self::Gone,
            error => Self::Other(error.to_string().into()),
        }
    }
}

impl From<PostErrorKind> for Refusal {
    fn from(kind: PostErrorKind) -> Self {
        match kind {
            PostErrorKind::Disconnected => Self::Disconnected,
            PostErrorKind::Gone => Self::Gone,
            PostErrorKind::TooLarge => Self::TooLarge,
            PostErrorKind::WindowFull => Self::Other("the port's window is full".into()),
            _ => Self::Other("a receiver is too far behind".into()),
        }
    }
}

impl From<PostError> for Refusal {
    fn from(error: PostError) -> Self {
        error.kind().into()
    }
}
