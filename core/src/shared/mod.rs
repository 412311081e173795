//! What threads share, under locks.

mod control;
pub(crate) mod event_loop;
pub(crate) mod service;
