//! Identifiers: what the browser names (tabs, frames, documents, extensions) and
//! what the core names (event loops, contexts, ports).

use std::fmt;
use std::sync::Arc;

macro_rules! browser_id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($inner);

        impl $name {
            /// Wraps the number the browser uses.
            #[must_use]
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The number the browser uses.
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
    /// A tab, as in [`tabs.Tab.id`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/Tab).
    /// Unique in one [`MessageService`](crate::MessageService); chosen by the browser.
    TabId,
    u64
);
browser_id!(
    /// A window that holds tabs. The core keeps it for [`snapshot`](crate::MessageService::snapshot) alone.
    WindowId,
    u64
);
browser_id!(
    /// A frame of a tab. [`FrameId::TOP`] is the top frame, as in `frameId: 0`;
    /// unique within its tab, chosen by the browser.
    FrameId,
    u64
);

impl FrameId {
    /// The top frame of every tab (`frameId: 0` in the WebExtensions APIs).
    pub const TOP: Self = Self(0);
}

/// One document shown by a frame: a navigation gives the same frame another
/// document. 128 bits, so that a browser's UUID fits. Unique in one
/// [`MessageService`](crate::MessageService) and never used again; chosen by the browser.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(u128);

impl DocumentId {
    /// Wraps the number the browser uses.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The number the browser uses.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({:032X})", self.0)
    }
}

impl fmt::Display for DocumentId {
    /// Thirty-two hexadecimal digits, the form Chromium shows to scripts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032X}", self.0)
    }
}

/// An extension's id as scripts see it (`runtime.id`): 32 letters in Chromium,
/// any short string in Firefox. Cloning does not copy the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionId(Arc<str>);

impl ExtensionId {
    /// Takes the text as it is; the core gives it no meaning.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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

/// One load of an extension. Loading the same extension again (an update, a
/// reload) gives another instance, so that content scripts left over from the
/// old one never reach the new background. Given by
/// [`MessageService::extension_loaded`](crate::MessageService::extension_loaded).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtensionInstance(pub(crate) u64);

impl fmt::Debug for ExtensionInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionInstance({})", self.0)
    }
}

/// An event loop of this service. Never used again after the loop is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventLoopId(pub(crate) u32);

impl fmt::Debug for EventLoopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventLoopId({})", self.0)
    }
}

/// Index and generation of a slot in one event loop.
///
/// One number, the index in front: an id that was just made is copied in whole words, which would wait for
/// halves that were stored one by one. Aligned as its halves would be, so that an id takes twelve bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(Rust, packed(4))]
pub(crate) struct Key(u64);

impl Key {
    #[inline(always)]
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Self((index as u64) << 32 | generation as u64)
    }

    #[inline(always)]
    pub(crate) const fn index(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(crate) const fn generation(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index(), self.generation())
    }
}

macro_rules! loop_local_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            pub(crate) event_loop: EventLoopId,
            pub(crate) key: Key,
        }

        impl $name {
            pub(crate) const fn new(event_loop: EventLoopId, key: Key) -> Self {
                Self { event_loop, key }
            }

            /// The event loop that this id belongs to; any other refuses it.
            #[must_use]
            pub const fn event_loop(self) -> EventLoopId {
                self.event_loop
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    concat!(stringify!($name), "({}.{}#{})"),
                    self.event_loop.0, self.key.index(), self.key.generation()
                )
            }
        }
    };
}

loop_local_id!(
    /// A script context attached to an event loop: one extension's content-script
    /// world in one document, a background page or worker, or an extension page.
    /// Carries a generation, so a late call with the id of a detached context is
    /// refused and never reaches its successor.
    ContextId
);
loop_local_id!(
    /// One end of a connection, a `runtime.Port` of one context. Carries a
    /// generation, so a late call with the id of an ended port is refused and
    /// never reaches its successor.
    PortId
);
