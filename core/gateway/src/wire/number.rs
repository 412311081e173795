//! The numbers by which the two ends of a connection name contexts and ports.

use super::lie::Lied;
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            /// Returns the number, as it goes over the wire.
            #[must_use]
            pub const fn to_bits(self) -> u64 {
                self.0
            }

            /// Makes the name of a number. Any number may be tried; one that was never given is refused wherever it
            /// is used.
            #[must_use]
            pub const fn from_bits(bits: u64) -> Self {
                Self(bits)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

number!(
    /// Names a context on one connection, and the grant that it is attached by: 1, 2, 3, … in the order in which the
    /// browser grants. Means nothing on another connection, and is never given twice on one.
    ContextNumber
);
number!(
    /// Names a port on one connection. Those that the renderer opens are even, from 2, those that it accepts odd,
    /// from 1; both without gaps, so that a number that was is told from one that never was. Means nothing on another
    /// connection.
    PortNumber
);

/// Counts out numbers in steps, without gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    next: u64,
    step: u64,
}

/// What a number is to those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It was given.
    Before,
    /// It is the next one.
    Next,
    /// It was never given.
    Never,
}

impl Numbers {
    /// Gives the next number.
    pub(crate) const fn give(&mut self) -> u64 {
        let number = self.next;
        self.next += self.step;
        number
    }

    /// Tells what a number is.
    pub(crate) const fn given(self, number: u64) -> Given {
        if number == 0 || number % self.step != self.next % self.step || number > self.next {
            Given::Never
        } else if number == self.next {
            Given::Next
        } else {
            Given::Before
        }
    }
}

/// The numbers that were given on one connection, as each end counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbering {
    pub(crate) contexts: Numbers,
    /// Of ports that the renderer opened.
    pub(crate) opened: Numbers,
    /// Of ports that the renderer accepted.
    pub(crate) accepted: Numbers,
}

impl Numbering {
    /// Nothing is given yet.
    pub(crate) const NEW: Self = Self {
        contexts: Numbers { next: 1, step: 1 },
        opened: Numbers { next: 2, step: 2 },
        accepted: Numbers { next: 1, step: 2 },
    };

    /// Says whether a context that is not known was: then its end crossed what names it.
    pub(crate) fn was_context(&self, context: ContextNumber) -> Result<(), Lied> {
        match self.contexts.given(context.to_bits()) {
            Given::Before => Ok(()),
            Given::Next | Given::Never => Err(Lied::Context),
        }
    }

    /// Says whether a port that is not known was: then its end crossed what names it.
    pub(crate) fn was_port(&self, port: PortNumber) -> Result<(), Lied> {
        let number = port.to_bits();
        match (self.opened.given(number), self.accepted.given(number)) {
            (Given::Before, _) | (_, Given::Before) => Ok(()),
            _ => Err(Lied::Port),
        }
    }
}
