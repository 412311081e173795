//! What the core costs, beside its rivals and in the same run.
//!
//! A *question* (one way, round trip, connect, …) is put to several *contenders*: the
//! core, its own ring used otherwise, and channels that an embedder could take
//! instead. Two pinned threads answer it, sample by sample and in turn, and each
//! sample is labelled with how far apart the two processors were (see [`topology`]). The
//! criterion benches and the binary `targets` put the same questions.

pub mod allocation;
pub mod carrier;
pub mod crowd;
pub mod duo;
pub mod end_to_end;
pub mod judgement;
pub mod load;
pub mod memory;
pub mod question;
pub mod report;
pub mod sample;
pub mod scene;
pub mod topology;

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
