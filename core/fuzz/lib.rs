//! What the fuzzers run, taken from where the tests have it: operation sequences from
//! the core's tests, calls from those of the C interface, both ends of a renderer's connection from the gateway's, parsers
//! from the browser.
#![allow(dead_code, unused_imports, reason = "not everything of the tests is among it")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../capi/tests/random_calls/mod.rs"]
mod random_calls;
#[path = "../gateway/tests/fuzzed/mod.rs"]
mod fuzzed;
#[path = "../tests/reference/mod.rs"]
mod reference;

/// What holds for the parsers of the browser.
pub use port_core_browser::checks as parsers;

/// Operations on the core that are held against the reference model.
pub fn operations(input: &[u8]) {
    reference::run(&reference::script::script_of_bytes(input), &reference::run::Story::default());
}

/// Calls of the C interface.
pub fn c_interface(input: &[u8]) {
    random_calls::calls(input);
}

/// The browser's end of a renderer's connection, with a renderer that may lie.
pub fn host(input: &[u8]) {
    fuzzed::host(input);
}

/// The renderer's end, with a browser that sends anything.
pub fn stub(input: &[u8]) {
    fuzzed::stub(input);
}
