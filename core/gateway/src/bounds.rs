//! Bounds on what one renderer can make the browser hold.

use crate::window::Amount;

/// Makes a builder's setters, each for the field of its name.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)+) => {
        $(
            $(#[$doc])*
            pub const fn $field(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )+
    };
}

/// Bounds on what one renderer can make the browser's end of its connection hold, beside what lies in the core's
/// lanes (see [`port_core::Limits`]). The renderer is told, so that an honest one refuses a call before it passes
/// one; to pass one is a [lie](crate::Lied::Credit).
///
/// The browser's end holds, for one renderer, at most
///
/// - `messages` posts and connects that the core would not take yet, with `bytes` and one message in them, and some
///   200 bytes for each,
/// - twice a message of `message_bytes` that is not complete,
/// - `output_bytes` and one message that the renderer has not read,
/// - and tables of its contexts, which the browser granted, and of its ports, which
///   [`port_core::Limits::ports_per_context`] bounds.
///
/// ```
/// use port_core_gateway::Bounds;
///
/// let bounds = Bounds::default().port_messages(16).message_bytes(1 << 20);
/// assert_eq!(bounds.bytes, Bounds::default().bytes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use]
pub struct Bounds {
    /// How many messages of one port may be on their way into the core; 0 counts as 1. Default 65,536.
    pub port_messages: u32,
    /// How many bytes of one port may be on their way into the core; 0 counts as 1. A message is admitted while the
    /// sum is below, so one larger than that passes when nothing else is under way. Default 64 MiB.
    pub port_bytes: u64,
    /// How many messages and connects of all ports may be on their way; 0 counts as 1. Default 262,144.
    pub messages: u32,
    /// How many bytes of all ports may be on their way, in messages, names and ids of extensions; 0 counts as 1.
    /// Default 256 MiB.
    pub bytes: u64,
    /// Largest message in bytes; no more than [`port_core::Limits::message_bytes`], and a kibibyte less than 4 GiB at
    /// most. Default 64 MiB.
    pub message_bytes: u32,
    /// How many bytes may wait for the renderer to read them, before no more events are taken from the core for it.
    /// Default 256 KiB.
    pub output_bytes: usize,
    /// How many bytes the core may hold for the renderer's scripts, in whatever lanes and ports: see
    /// [`limited_event_loop`](port_core::MessageService::limited_event_loop), by which [`Gateway::add`](crate::unix::Gateway::add) makes
    /// its event loop. What would pass it is refused, as where the service's own bytes are used up. A larger message is never taken, so it is more
    /// than [`message_bytes`](Self::message_bytes). Default 96 MiB, half of what a service has for all.
    pub held_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            port_messages: 1 << 16,
            port_bytes: 64 << 20,
            messages: 1 << 18,
            bytes: 256 << 20,
            message_bytes: 64 << 20,
            output_bytes: 256 << 10,
            held_bytes: 96 << 20,
        }
    }
}

impl Bounds {
    /// What may be on its way of one port.
    pub(crate) const fn of_port(&self) -> Amount {
        Amount { messages: self.port_messages, bytes: self.port_bytes }
    }

    /// What may be on its way of all ports.
    pub(crate) const fn of_connection(&self) -> Amount {
        Amount { messages: self.messages, bytes: self.bytes }
    }

    /// How long a frame of a renderer's may be, in bytes: the longest message or name, and the other fields.
    pub(crate) const fn longest_frame(&self) -> usize {
        (self.message_bytes as usize).saturating_add(Self::FIELDS_BYTES as usize)
    }

    /// More than all fields of a frame have that are no payload and no text.
    const FIELDS_BYTES: u32 = 1 << 10;

    /// The largest message that a frame can hold, in bytes.
    pub(crate) const LONGEST_MESSAGE: u32 = u32::MAX - Self::FIELDS_BYTES;

    setters! {
        /// Sets how many messages of one port may be on their way.
        port_messages: u32,
        /// Sets how many bytes of one port may be on their way.
        port_bytes: u64,
        /// Sets how many messages and connects of all ports may be on their way.
        messages: u32,
        /// Sets how many bytes of all ports may be on their way.
        bytes: u64,
        /// Sets the largest message, in bytes.
        message_bytes: u32,
        /// Sets how many bytes may wait for the renderer to read them.
        output_bytes: usize,
        /// Sets how many bytes the core may hold for the renderer's scripts.
        held_bytes: u64,
    }
}
