//! The C interface of [`port_core`], for embedders that write C or C++. C reads `include/port_core.h`, C++ also
//! `include/port_core.hpp`; `docs/embedding.md` leads from nothing to a first message.
//!
//! Everything here says the same as the core does of the item it calls, in C's words:
//!
//! - A handle is a pointer to something unknown; an id is a number. What is stale, forged or another event loop's is refused.
//! - Every call answers a [`pc_status`], and what it gives comes through its last pointer.
//! - A struct starts with its size. One that has fields from a later version is taken as long as these are zero.
//! - An event loop belongs to one thread (`thread_rule`); every function says which thread may call it.
//! - No panic comes out. Functions of the embedder's are called under no lock.
//! - A handle that was freed is C's to know. Debug builds look, and abort (`live`).
#![allow(non_camel_case_types, reason = "C's names")]
#![allow(rustdoc::broken_intra_doc_links, reason = "the header's `@param[out]` is no link")]
#![allow(missing_debug_implementations, reason = "C prints no handles")]
#![allow(
    clippy::missing_safety_doc,
    reason = "each function tells C what it asks, and the first lines here say the rest"
)]

mod background;
mod connect;
mod context;
mod event;
mod event_loop;
mod kept_bytes;
mod live;
mod options;
mod post;
mod service;
mod sized;
mod status;
mod text;
mod thread_rule;
mod waker;

pub use background::*;
pub use connect::*;
pub use context::*;
pub use event::*;
pub use event_loop::*;
pub use kept_bytes::*;
pub use options::*;
pub use post::*;
pub use service::*;
pub use status::*;
pub use text::pc_string;
pub use waker::pc_waker;

/// The version of this interface as the header has it: the major part in the upper 16 bits, the minor one in the lower.
pub const PC_ABI_VERSION: u32 = 1;

/// Returns the version of this interface as the library has it. A program works with a library whose major part is the
/// same as its header's, and whose minor part is not less.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn pc_abi_version() -> u32 {
    PC_ABI_VERSION
}
