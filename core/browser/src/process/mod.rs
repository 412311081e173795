//! Renderer processes: each site's scripts, and each extension's, in a process of their own, without the core.
//!
//! The core stays in the browser's process. For each renderer there is an event loop in it, behind a
//! [`Host`](port_core_gateway::Host), on one gateway thread (`gateway.rs`). In the renderer a
//! [`Stub`](port_core_gateway::Stub) has the same calls (`link.rs`). What the main loop of a script thread says to the
//! browser beside that, `Task`s and `Request`s, crosses as JSON (`words.rs`). Both go over one socket, in one order
//! (`frames.rs`): a task comes behind the events that were there before it, a request behind the calls before it.
//!
//! A renderer is not trusted. Which documents and extensions it speaks for is what it was given (`renderer.rs`); what no
//! honest one sends has its process killed.

mod claims;
mod frames;
mod gateway;
mod link;
mod poll_bell;
mod renderer;
mod words;

pub(crate) use gateway::{Gateway, ProcessHandle};
pub(crate) use link::Link;
