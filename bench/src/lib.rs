//! What the core costs, beside its rivals and in the same run.
//!
//! A *benchmark* (one way, round trip, connect, …) measures several *candidates*: the
//! core, its own ring used otherwise, and channels that an embedder could take
//! instead. Two pinned threads run them, sample by sample and in turn, and each
//! sample is labelled with how far apart the two processors were (see [`topology`]). The
//! criterion benches and the binary `targets` run the same benchmarks.

pub mod allocation;
pub mod benchmark;
pub mod end_to_end;
pub mod load;
pub mod many_loops;
pub mod memory;
pub mod report;
pub mod sample;
pub mod scene;
pub mod targets;
pub mod topology;
pub mod transport;
pub mod two_threads;

/// The small browser of the core's tests.
#[path = "../../core/tests/browser/mod.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, unused_imports, reason = "the core's tests use all of it")]
pub mod browser;

/// Parts of the core that it keeps to itself, compiled once more from its source: the
/// lane to measure alone, and with the bell to build a ring per port from.
macro_rules! of_the_core {
    ($($name:ident = $path:literal),* $(,)?) => {
        $(
            #[path = $path]
            #[allow(dead_code, unreachable_pub, unused_imports, reason = "the core uses all of it")]
            mod $name;
        )*
    };
}

of_the_core! {
    concurrent = "../../core/src/concurrent/mod.rs",
    contain = "../../core/src/contain.rs",
    ids = "../../core/src/ids.rs",
    payload = "../../core/src/payload.rs",
    sync = "../../core/src/sync/mod.rs",
}
