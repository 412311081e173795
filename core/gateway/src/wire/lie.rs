//! What no honest peer sends.

use std::error::Error;
use std::fmt;

/// Says what a peer sent that no honest peer sends, however calls and facts race, and where. The connection is of no
/// further use; the browser should end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lie {
    what: Lied,
    at: u64,
}

impl Lie {
    pub(crate) const fn new(what: Lied, at: u64) -> Self {
        Self { what, at }
    }

    /// Returns what it was.
    #[must_use]
    pub const fn what(self) -> Lied {
        self.what
    }

    /// Returns where the frame began, in bytes from the beginning of the connection.
    #[must_use]
    pub const fn at(self) -> u64 {
        self.at
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer lied: {}, in the frame at byte {}", self.what.text(), self.at)
    }
}

impl Error for Lie {}

macro_rules! lies {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)+) => {
        /// Names one kind of lie.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Lied {
            $($(#[$doc])* $variant,)+
        }

        impl Lied {
            /// Lists all kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns what was done, in English, in lower case, without a full stop.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

lies! {
    /// The frame is empty, or longer than frames may be.
    Length => "a frame of a length that may not be",
    /// No frame of this kind goes this way.
    Kind => "a frame of no known kind",
    /// A field reaches past the end of the frame.
    Short => "a frame that ends within a field",
    /// Something follows the last field.
    Long => "a frame that goes on after its last field",
    /// A text is not UTF-8.
    Text => "a text that is not UTF-8",
    /// A field has a value that it cannot have.
    Value => "a field with a value that it cannot have",
    /// The first frame is no greeting, or a later one is.
    Greeting => "a greeting missing or repeated",
    /// The other end speaks another version.
    Version => "another version of the protocol",
    /// A context was named that was never granted.
    Context => "a context that was never granted",
    /// A context was used that was granted and not attached.
    NotAttached => "a context that was never attached",
    /// A grant was used that is in use.
    Twice => "a grant used twice",
    /// A port was named that was never given.
    Port => "a port that never was",
    /// A new port has a number that is not the next one.
    Turn => "a new number out of turn",
    /// A content script connected to a tab.
    NotAllowed => "a connect that its context may not make",
    /// A connection was answered that was no question, or used before it was answered.
    Answer => "an answer to no question, or none",
    /// More was taken than had come, or it was said where there is no window.
    Taken => "more taken than came",
    /// More was sent than the windows let pass.
    Credit => "more than the windows let pass",
    /// A message is longer than messages may be.
    Message => "a message larger than the limit",
}

impl fmt::Display for Lied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
