//! What threads share of event loops, under locks.

pub(crate) mod event_loop;
