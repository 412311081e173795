//! What the fuzzers run, taken from where the tests have it: operation sequences from
//! the core's tests, parsers from the example browser.
#![allow(dead_code, unused_imports, reason = "the browser's main function is not among it")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/reference/mod.rs"]
mod reference;

#[path = "../examples/browser/tests/parsers/mod.rs"]
pub mod parsers;

// The modules of the example browser, as its main.rs has them.
#[path = "../examples/browser/activity.rs"]
mod activity;
#[path = "../examples/browser/arguments.rs"]
mod arguments;
#[path = "../examples/browser/bench/mod.rs"]
mod bench;
#[path = "../examples/browser/browser/mod.rs"]
mod browser;
#[path = "../examples/browser/clock.rs"]
mod clock;
#[path = "../examples/browser/extension/mod.rs"]
mod extension;
#[path = "../examples/browser/log.rs"]
mod log;
#[path = "../examples/browser/profile.rs"]
mod profile;
#[path = "../examples/browser/script/mod.rs"]
mod script;
#[path = "../examples/browser/summary.rs"]
mod summary;
#[path = "../examples/browser/tabs.rs"]
mod tabs;
#[path = "../examples/browser/trace/mod.rs"]
mod trace;
#[path = "../examples/browser/web.rs"]
mod web;

/// Operations on the core that are held against the reference model.
pub fn operations(input: &[u8]) {
    reference::run(&reference::script::script_of_bytes(input), &reference::run::Story::default());
}
