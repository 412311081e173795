//! The reference model of the core, held against renderers: the same scripts and the same model as the core's own
//! `random_operations`, with a [`Stub`](port_core_gateway::Stub) and a [`Host`](port_core_gateway::Host) in the place
//! of each event loop.
//!
//! The core's tests take what they use from a crate `port_core`. Here that is this crate itself, which has the core's
//! surface, but for what a renderer has of its own.
//!
//! `SEEDS=20000` runs more, `SEED=7` one alone.

#![allow(
    dead_code,
    missing_docs,
    unreachable_patterns,
    unreachable_pub,
    unused_imports,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    reason = "the tests of the core know more of its surface than there is here"
)]

extern crate self as port_core;

#[path = "../../../tests/browser/mod.rs"]
mod browser;
#[path = "../../../tests/common/dice.rs"]
mod dice;
#[path = "../../../tests/common/ledger.rs"]
mod ledger;
#[path = "../../../tests/reference/mod.rs"]
mod reference;
mod surface;
mod words;

pub use port_core_gateway::port_core::*;
pub use surface::{EventLoop, MessageService, MessageServiceBuilder};
pub use words::{Event, Message, PostError, RuntimeTarget, Sender, TabTarget};

/// What the core's tests share.
mod common {
    pub(crate) use crate::browser::*;
    pub(crate) use crate::ledger::Ledger;

    /// What a renderer posts is held where a window or a lane is full; other tests are about that.
    pub(crate) const REFUSES_AT_ONCE: bool = false;

    /// A stub answers connections when it hears of them.
    pub(crate) const ANSWERS_ON_HEARING: bool = true;
}

use dice::Dice;
use reference::run::Story;
use reference::script::{script_of_bytes, script_of_seed};

/// How many scripts; `SEEDS` in the environment asks for more.
const SEEDS: u64 = 300;
const OPERATIONS: usize = 60;

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

/// Runs a script; of a failing one the story is told.
fn check(script: &[u64], name: &str) -> usize {
    struct Teller<'a>(&'a Story, &'a str);
    impl Drop for Teller<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("{} fails:", self.1);
                self.0.borrow().iter().for_each(|line| eprintln!("  {line}"));
            }
        }
    }
    let story = Story::default();
    let _teller = Teller(&story, name);
    reference::run(script, &story).heard
}

#[test]
fn what_a_renderer_hears_is_what_the_model_allows() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let mut heard = 0;
    for seed in seeds {
        let mut dice = Dice::new(seed);
        heard += check(&script_of_seed(|| dice.roll(), OPERATIONS), &format!("SEED={seed}"));
    }
    assert!(heard > 0);
}

#[test]
fn what_a_fuzzer_found_worth_keeping_is_allowed() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/operations");
    let mut heard = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        heard += check(&script_of_bytes(&std::fs::read(&path).unwrap()), &path.display().to_string());
    }
    assert!(heard > 0, "the corpus is not where it was");
}
