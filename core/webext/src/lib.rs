//! The script surface of WebExtensions messaging, for browsers that embed [`port_core`] with an engine
//! of their own: V8, JavaScriptCore, SpiderMonkey, QuickJS.
//!
//! No engine, no thread, no input and output: this package is what lies between the core's events and the
//! functions that an extension's scripts see.
//!
//! - **What scripts see** is JavaScript ([`script`]): `runtime`, `tabs`, `Port`, events, one-off messages,
//!   arguments checked with each browser's texts. It is the same in every engine.
//! - **What scripts call** is the trait [`ScriptHost`], in plain numbers and text; [`PageHost`] is what
//!   the optional polyfills call besides. `script::HOST_TYPES` describes both for the engine's side.
//! - **What scripts are told** goes through one entry, [`ScriptSurface::deliver`].
//! - [`Ports`] gives the core's ports the numbers that scripts know them by, and refuses a number
//!   in any context but its own; [`Refusal`] makes errors of what the core refuses.
//! - [`extension`] reads manifests and match patterns, and decides which scripts run where.
//! - [`Profile`] says where browsers differ; [`TabDirectory`] and [`SenderText`] make `port.sender`.
//! - [`StorageAreas`] carry out calls of `storage`, [`MenuItems`] those of `menus`; [`contexts_that_match`]
//!   filters what `runtime.getContexts` returns.
//!
//! `tests/mock_host.rs` is a host of about a hundred lines without an engine; `port-core-browser` is
//! a whole one with QuickJS.

pub mod extension;
pub mod script;

mod contexts;
mod event;
mod host;
mod menu;
mod ports;
mod profile;
mod refusal;
mod sender_text;
mod storage;
mod tabs;
mod urls;

pub use contexts::contexts_that_match;
pub use event::{ScriptEvent, ScriptSurface};
pub use host::{PageHost, ScriptHost};
pub use menu::MenuItems;
pub use ports::{OpenPort, Ports};
pub use profile::Profile;
pub use refusal::Refusal;
pub use sender_text::{Opener, SenderText};
pub use storage::{StorageAreas, StorageOutcome};
pub use tabs::{TabDirectory, TabInfo, place_label};
pub use urls::{origin_of, parse_url};
