//! The reference model's operation sequences, recorded in Rust and run again in C++ over the C interface: every call is answered
//! the same, and the same is heard, event for event.
//!
//! The scripts and the model are the core's own tests, compiled with a surface that records (`recorder/`) in place of the core.
#![allow(unreachable_pub, dead_code, unused_imports, reason = "not everything of the core's tests is used")]
#![allow(missing_docs, missing_debug_implementations, reason = "the surface that records is no surface")]

// What the scripts call `port_core` is this file.
extern crate port_core as port_core_itself;
extern crate self as port_core;

#[path = "../../tests/common/mod.rs"]
mod common;
mod cpp_program;
mod recorder;
#[path = "../../tests/reference/mod.rs"]
mod reference;

pub use port_core_itself::{
    AttachError, BackForwardCache, BackgroundState, ConnectError, ConnectKind, ConnectListeners,
    ContextError, ContextId, ContextKind, DiscardedTab, DisconnectReason, DocumentId, DocumentLifecycle,
    DocumentTarget, EndedPort, Event, EventLoopId, ExtensionId, ExtensionInstance, ExternalConnections,
    FactError, FanOutOrder, FrameId, Limits, Listening, Message, MessageFormat, OpeningPort, Place, Policies,
    PortId, PortStatus, PostError, PostErrorKind, ReceiverDisconnects, ReceiverLost, Sender, TabId, WindowId,
};
pub use recorder::{
    ContextDescription, EventLoop, ExtensionDescription, MessageService, RuntimeTarget, TabTarget,
};

use common::Dice;
use reference::run::Story;
use reference::script::script_of_seed;
use std::fmt::Write;
use std::path::Path;

/// How many scripts.
const SEEDS: u64 = 330;
const OPERATIONS: usize = 60;

#[test]
fn what_is_heard_over_the_c_interface_is_what_was_heard_in_rust() {
    let (mut text, mut operations) = (String::new(), 0);
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed);
        let script = script_of_seed(|| dice.roll(), OPERATIONS);
        reference::run(&script, &Story::default());
        let Some((recorded, count)) = recorder::take() else { continue };
        let _ = write!(text, "# seed {seed}\n{recorded}");
        operations += count;
    }
    let heard = text.lines().filter(|line| line.starts_with("next ") && !line.ends_with("= none")).count();
    assert!(operations > 20_000 && heard > 2_000, "{operations} operations, {heard} events");
    let recording = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operations.txt");
    std::fs::write(&recording, text).unwrap();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay.cpp");
    let printed = cpp_program::run(&driver, &[recording.to_str().unwrap()]);
    assert_eq!(printed, format!("{operations} operations, {heard} events\n"));
}
