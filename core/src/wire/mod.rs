//! What event loops say to each other: the records of a lane, and what these name.

pub(crate) mod acquaintance;
pub(crate) mod channel;
pub(crate) mod credit;
pub(crate) mod incoming;
pub(crate) mod record;
