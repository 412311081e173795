//! What event loops say to each other: the records of a lane, and what these name.

pub(crate) mod channel;
pub(crate) mod context_table;
pub(crate) mod credit;
pub(crate) mod record;
