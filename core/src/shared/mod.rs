//! What threads share, under locks.

pub(crate) mod background;
mod control;
pub(crate) mod event_loop;
pub(crate) mod pool;
pub(crate) mod service;
