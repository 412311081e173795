//! Bounds on what one service holds.

/// Makes a builder's setters, each for the field of its name.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident($value:ident: $type:ty),)+) => {
        $(
            $(#[$doc])*
            pub const fn $field(mut self, $value: $type) -> Self {
                self.$field = $value;
                self
            }
        )+
    };
}
pub(crate) use setters;

/// Bounds on messages, ports and lanes. A call that would pass one is refused
/// with an error and changes nothing; nothing else on the thread is held up.
///
/// Sizes are bytes of payload as posted; counts are messages, records or ports.
///
/// ```
/// use port_core::Limits;
///
/// let limits = Limits::default().message_bytes(1 << 20).window_messages(1_000);
/// assert_eq!(limits.window_messages, Some(1_000));
/// assert_eq!(limits.lane_bytes, Limits::default().lane_bytes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use]
pub struct Limits {
    /// Largest message in bytes. Default 64 MiB, Chromium's limit.
    pub message_bytes: usize,
    /// How many messages one side of a port may have under way to a receiver that has not
    /// taken them yet; 0 counts as 1. `None` (the default, and what browsers do) sets no window.
    pub window_messages: Option<u32>,
    /// How many bytes one side of a port may have under way; 0 counts as 1. A message is admitted while
    /// the window is not full, so a message larger than the whole window passes
    /// an empty one. `None` (the default, and what browsers do) sets no window.
    pub window_bytes: Option<u64>,
    /// How many records (messages, connects, answers) one direction
    /// between two event loops may hold, for the connections that one extension's contexts open. Where another extension
    /// answers on these, seven eighths are common; beyond these each may use an eighth of its
    /// own, so that neither shuts the other out. Default 1,048,576.
    pub lane_records: u64,
    /// How many bytes of payload, names, context descriptions and target lists such a direction
    /// may hold, shared out like records. Default 128 MiB. A message is admitted while the sum is below the budget.
    pub lane_bytes: u64,
    /// How many bytes everything that the service holds for scripts may take together, beyond a little for each event
    /// loop and lane: records, payload, names and lists in lanes, ports and their names, posts that wait. Default 192 MiB.
    pub service_bytes: u64,
    /// How many bytes each extension, and all pages of the web together, may hold besides while [`service_bytes`](Self::service_bytes) are used up, so that
    /// none shuts another out. It is drawn in pieces of up to 96 KiB, so less than that is nothing. Default 8 MiB.
    pub extension_bytes: u64,
    /// How many ports one context may hold, opened or accepted from its own extension. Default 16,384.
    pub ports_per_context: u32,
    /// How many ports that other extensions and pages of the web opened one context may hold besides. Default 8,192.
    pub external_ports_per_context: u16,
    /// How many bytes a context's URL and origin may have together. Pages choose their URLs, so a browser shortens
    /// longer ones (`data:` URLs, say) before it attaches a context. Default 16 KiB.
    pub description_bytes: u32,
    /// Longest name of a port, in bytes. Default 64 KiB.
    pub name_bytes: u32,
    /// How many bytes the names of one context's ports may have in all; those of up to 23 bytes, which lie in their
    /// ports, do not count. Default 4 MiB.
    pub names_per_context: u32,
    /// How many connections of one extension's contexts one event loop may have sent to another, or to itself, and not taken the answer. Each
    /// context that is connected to counts, also when the opener has disconnected meanwhile. A connect is
    /// admitted while the sum is below the limit. Default 65,536.
    pub unanswered_connects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            window_messages: None,
            window_bytes: None,
            lane_records: 1 << 20,
            lane_bytes: 128 << 20,
            service_bytes: 192 << 20,
            extension_bytes: 8 << 20,
            ports_per_context: 1 << 14,
            external_ports_per_context: 1 << 13,
            description_bytes: 1 << 14,
            name_bytes: 1 << 16,
            names_per_context: 4 << 20,
            unanswered_connects: 1 << 16,
        }
    }
}

impl Limits {
    /// Sets the window of messages, or `None`.
    pub fn window_messages(mut self, messages: impl Into<Option<u32>>) -> Self {
        self.window_messages = messages.into();
        self
    }

    /// Sets the window of bytes, or none.
    pub fn window_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.window_bytes = bytes.into();
        self
    }

    setters! {
        /// Sets the largest message, in bytes.
        message_bytes(bytes: usize),
        /// Sets how many records one direction between two event loops may hold.
        lane_records(records: u64),
        /// Sets how many bytes one direction between two event loops may hold.
        lane_bytes(bytes: u64),
        /// Sets how many bytes everything that the service holds for scripts may take together.
        service_bytes(bytes: u64),
        /// Sets how many bytes each extension may hold besides while those of the service are used up.
        extension_bytes(bytes: u64),
        /// Sets how many ports one context may hold, those aside that other extensions and web pages opened.
        ports_per_context(ports: u32),
        /// Sets how many ports that other extensions opened one context may hold.
        external_ports_per_context(ports: u16),
        /// Sets how many bytes a context's URL and origin may have together.
        description_bytes(bytes: u32),
        /// Sets the longest name of a port, in bytes.
        name_bytes(bytes: u32),
        /// Sets how many bytes the names of one context's ports may have in all.
        names_per_context(bytes: u32),
        /// Sets how many connections may wait for their answers between two event loops.
        unanswered_connects(connections: u32),
    }
}
