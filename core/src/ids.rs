//! Identifiers: what the browser names (tabs, frames, documents, extensions) and
//! what the core names (event loops, contexts, ports).
//!
//! Each id that the core gives has a number, for C and for scripts (`to_bits`, `from_bits`). No number is
//! given twice in one process, by whichever service, and 0 is never given:
//!
//! | bits | 63–40 | 39–20 | 19–0 |
//! |---|---|---|---|
//! | [`EventLoopId`] | the event loop | 0 | 0 |
//! | [`ContextId`], [`PortId`] | its event loop | a slot | the slot's generation |
//!
//! So a process can make 2<sup>24</sup> − 1 event loops in its life. A loop holds at most 2<sup>20</sup> − 1
//! contexts and as many ports at a time. It uses each slot 2<sup>20</sup> times, then never again.

use std::fmt;
use std::sync::Arc;

macro_rules! browser_id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($inner);

        impl $name {
            /// Wraps the number that the browser uses.
            #[must_use]
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// Returns the number that the browser uses.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

macro_rules! shown_as_its_number {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

browser_id!(
    /// Names a tab, as [`tabs.Tab.id`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/Tab) does.
    /// Unique in one [`MessageService`](crate::MessageService); chosen by the browser.
    TabId,
    u64
);
browser_id!(
    /// Names a window that holds tabs. The core only shows it in [`snapshot`](crate::MessageService::snapshot).
    WindowId,
    u64
);
browser_id!(
    /// Names a frame of a tab. [`FrameId::TOP`] is the top frame, as in `frameId: 0`.
    /// Unique within its tab; chosen by the browser.
    FrameId,
    u64
);

shown_as_its_number!(TabId);
shown_as_its_number!(WindowId);
shown_as_its_number!(FrameId);

impl FrameId {
    /// The top frame of every tab (`frameId: 0` in the WebExtensions APIs).
    pub const TOP: Self = Self(0);
}

browser_id!(
    /// Names one document shown by a frame: a navigation gives the same frame another
    /// document. Has 128 bits, so that a browser's UUID fits. Unique in one
    /// [`MessageService`](crate::MessageService) and never used again; chosen by the browser.
    DocumentId,
    u128
);

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({:032X})", self.0)
    }
}

impl fmt::Display for DocumentId {
    /// Writes thirty-two hexadecimal digits, the form that Chromium shows to scripts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032X}", self.0)
    }
}

/// Names an extension as scripts see it (`runtime.id`): by 32 letters in Chromium,
/// any short string in Firefox. Cloning does not copy the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionId(Arc<str>);

impl ExtensionId {
    /// Makes an id of this text, to which the core gives no meaning. Allocates.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ExtensionId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl fmt::Debug for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionId({})", self.0)
    }
}

impl fmt::Display for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one load of an extension. To load the same extension again (an update, a
/// reload) gives another instance, so that content scripts left over from the
/// old one never reach the new background. Given by
/// [`MessageService::extension_loaded`](crate::MessageService::extension_loaded).
///
/// Unique in the process; another service refuses it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionInstance(u64);

/// Names an event loop. Unique in the process, and never used again after the loop is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventLoopId(u64);

/// Index and generation of a slot in one event loop: the lower bits of an id.
///
/// One number, the index above the generation, for the sake of store forwarding: ids are copied in whole words soon
/// after they are made, and such a load would stall on two halves stored one by one (a connect stalled three times).
/// Aligned to four bytes, as two halves would be, so that the structures that hold keys stay small.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(Rust, packed(4))]
pub(crate) struct Key(u64);

impl Key {
    const INDEX_BITS: u32 = 20;
    const GENERATION_BITS: u32 = 20;
    const BITS: u32 = Self::INDEX_BITS + Self::GENERATION_BITS;
    const MASK: u64 = (1 << Self::BITS) - 1;

    /// The first index that is too large.
    pub(crate) const END_OF_INDICES: u32 = (1 << Self::INDEX_BITS) - 1;
    pub(crate) const LAST_GENERATION: u32 = (1 << Self::GENERATION_BITS) - 1;

    /// The least and the greatest that there may be.
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(Self::MASK);

    #[inline(always)]
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        debug_assert!(index < Self::END_OF_INDICES && generation <= Self::LAST_GENERATION);
        Self((index as u64) << Self::GENERATION_BITS | generation as u64)
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "a key has 40 bits")]
    pub(crate) const fn index(self) -> u32 {
        (self.0 >> Self::GENERATION_BITS) as u32
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        self.stamp() & Self::LAST_GENERATION
    }

    /// Returns the generation, with some of the index above it: what a slot keeps to recognise its key.
    /// To mask the index out would cost each look-up an instruction.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "the lower bits")]
    pub(crate) const fn stamp(self) -> u32 {
        self.0 as u32
    }

    /// Returns the key of the slot at this index that keeps this stamp.
    #[inline(always)]
    pub(crate) const fn of_slot(index: u32, stamp: u32) -> Self {
        Self::new(index, stamp & Self::LAST_GENERATION)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index(), self.generation())
    }
}

impl EventLoopId {
    /// The first number that is too large for an id.
    const END_OF_NUMBERS: u64 = 1 << (u64::BITS - Key::BITS);

    /// Stands for event loops made after all numbers were used up; they hold nothing.
    pub(crate) const UNNUMBERED: Self = Self(0);

    /// Makes the id of the event loop with this number; `None` once numbers are used up.
    pub(crate) const fn numbered(number: u64) -> Option<Self> {
        if number < Self::END_OF_NUMBERS { Some(Self(number << Key::BITS)) } else { None }
    }

    const fn number(self) -> u64 {
        self.0 >> Key::BITS
    }
}

/// Numbers a loaded extension, as small as may be: when it is unloaded, the next one has its number. What is kept
/// apart by it is bounded by how many extensions are loaded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExtensionNumber(u32);

impl ExtensionNumber {
    /// That of pages of the web, which have no extension.
    pub(crate) const WEB_PAGES: Self = Self(0);
    pub(crate) const FIRST: Self = Self(1);

    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names a peer of an event loop: another event loop, or itself, for the connections that one extension opens.
///
/// In one number: those of event loops leave as many bits free. Peers of one event loop are next to each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(u64);

impl PeerId {
    #[inline(always)]
    pub(crate) const fn new(event_loop: EventLoopId, opens: ExtensionNumber) -> Self {
        Self(event_loop.0 | opens.0 as u64)
    }

    pub(crate) const fn event_loop(self) -> EventLoopId {
        EventLoopId(self.0 & !Key::MASK)
    }

    pub(crate) const fn opens(self) -> ExtensionNumber {
        ExtensionNumber((self.0 & Key::MASK) as u32)
    }

    /// Returns the least and the greatest that there may be of an event loop.
    pub(crate) const fn all_of(event_loop: EventLoopId) -> std::ops::RangeInclusive<Self> {
        Self(event_loop.0)..=Self(event_loop.0 | Key::MASK)
    }
}

const _: () = assert!(Key::BITS > u32::BITS);

impl ExtensionInstance {
    pub(crate) const fn numbered(number: u64) -> Self {
        Self(number)
    }
}

macro_rules! number_of_the_core {
    ($name:ident) => {
        impl $name {
            /// Returns the id as a number, for C or a table. In one process no two ids of this type have the same number.
            #[must_use]
            pub const fn to_bits(self) -> u64 {
                self.0
            }

            /// Makes an id from its number. Any number may be tried: one that was never given, or that names
            /// something that is gone, is refused wherever the id is used.
            #[must_use]
            pub const fn from_bits(bits: u64) -> Self {
                Self(bits)
            }
        }
    };
}

number_of_the_core!(ExtensionInstance);
number_of_the_core!(EventLoopId);

impl fmt::Debug for ExtensionInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionInstance({})", self.0)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({}, {})", self.event_loop().number(), self.0 & Key::MASK)
    }
}

impl fmt::Debug for EventLoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventLoopId({})", self.number())
    }
}

macro_rules! loop_local_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        number_of_the_core!($name);

        impl $name {
            #[inline(always)]
            pub(crate) const fn new(event_loop: EventLoopId, key: Key) -> Self {
                Self(event_loop.0 | key.0)
            }

            /// Returns the event loop that this id belongs to; any other refuses it.
            #[inline(always)]
            #[must_use]
            pub const fn event_loop(self) -> EventLoopId {
                EventLoopId(self.0 & !Key::MASK)
            }

            /// Returns the key, if the id belongs to this event loop.
            #[inline(always)]
            pub(crate) const fn key_in(self, event_loop: EventLoopId) -> Option<Key> {
                // One exclusive or compares the loop and extracts the key: equal upper bits cancel out.
                let key = self.0 ^ event_loop.0;
                if key >> Key::BITS == 0 { Some(Key(key)) } else { None }
            }

            #[inline(always)]
            pub(crate) const fn key(self) -> Key {
                Key(self.0 & Key::MASK)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}.{:?})"), self.event_loop().number(), self.key())
            }
        }
    };
}

loop_local_id!(
    /// Names a script context attached to an event loop: one extension's content-script
    /// world in one document, a background page or worker, or an extension page.
    /// Carries a generation, so a late call with the id of a detached context is
    /// refused and never reaches its successor.
    ContextId
);
loop_local_id!(
    /// Names one end of a connection, a `runtime.Port` of one context. Carries a
    /// generation, so a late call with the id of an ended port is refused and
    /// never reaches its successor.
    ///
    /// It says nothing of who may use the port: many extensions share an event loop, and
    /// the numbers can be guessed. An embedder whose scripts name ports by number must check that the
    /// port [belongs to the calling script's context](crate::EventLoop::context_of). Otherwise one extension's
    /// script can post on another's port, and end it.
    PortId
);
