//! What the tests of the gateway share: the small browser of the core's tests, and renderers whose two ends lie in
//! one process.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "every test file takes its part")]

#[path = "../../../tests/browser/mod.rs"]
mod browser;
#[path = "../../../tests/common/dice.rs"]
mod dice;
#[cfg(unix)]
mod processes;
mod recording;
mod renderer;
#[cfg(unix)]
mod roles;

pub use browser::*;
pub use dice::Dice;
#[cfg(unix)]
pub use processes::Processes;
pub use recording::*;
pub use renderer::*;
#[cfg(unix)]
pub use roles::play;
