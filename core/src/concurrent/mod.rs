//! What two threads touch at the same time, and nothing else: the lanes, the bell and the
//! wake-up. They hold the crate's atomics and its unsafe code, except for the marks of contexts, what `sync` wraps,
//! and what writes payloads and events in place.

pub(crate) mod bell;
pub(crate) mod lane;
pub(crate) mod wakeup;
