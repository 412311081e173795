//! The one place that knows about models.
//!
//! The core takes its atomics, locks, cells and maps from here. Normally they are the standard library's,
//! `parking_lot`'s and `dashmap`'s; compiled with `--cfg port_core_model` (as the crate `loom-tests` does, of
//! this same source) they are loom's, so that every interleaving and every permitted reordering of the real
//! code is explored.
//!
//! Locks and maps are reached through closures or short guards that never span
//! another operation of this module: a real lock held across a modelled operation
//! would hang a model, and a guard that escapes is how sharded maps deadlock.
//!
//! `mutant("name")` marks a place where a known mistake can be put back, to see whether
//! a model notices. It is always `false` in a normal build, and in models `true` for the one
//! mutant that the run chose.

// In the package of the models, for which alone the crate is compiled with this cfg.
#[cfg(port_core_model)]
#[path = "../../../loom-tests/src/sync/mod.rs"]
mod model;
#[cfg(not(port_core_model))]
mod native;
#[cfg(not(port_core_model))]
mod paired_fence;

#[cfg(port_core_model)]
pub(crate) use model::*;
#[cfg(not(port_core_model))]
pub(crate) use native::*;

/// A map without randomness, so that runs and models repeat exactly. Keys are
/// numbers chosen by the browser or the core, not by a script.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::FixedState>;

/// A set of the same kind.
pub(crate) type HashSet<T> = std::collections::HashSet<T, foldhash::fast::FixedState>;
