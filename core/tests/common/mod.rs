//! What the tests of the core share: a small browser, payloads that are counted, dormant backgrounds, and dice.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "every test file takes its part")]

#[path = "../browser/mod.rs"]
mod browser;
mod dice;
mod frames;
mod gathering;
mod ledger;
mod numbered;
mod sleeper;

pub use browser::*;

/// Whether a post is refused in the same call where a window or a lane is full. The tests of the gateway have it otherwise.
pub const REFUSES_AT_ONCE: bool = true;

/// Whether who is not asked answers a connection only when it hears of it, as a renderer does.
pub const ANSWERS_ON_HEARING: bool = false;
pub use dice::Dice;
pub use frames::Frames;
pub use gathering::Gathering;
pub use ledger::Ledger;
pub use numbered::{NumberedPort, post_numbered};
pub use sleeper::{READY, Sleeper};
