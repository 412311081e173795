//! loom's atomics, locks and cells, with a probe in between that can spoil one
//! ordering or put one known mistake back.

mod atomic;
mod probe;

use atomic::fence;
pub(crate) use atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};
pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::{Arc, MutexGuard};
pub(crate) use probe::{explored, mutant, mutated};

use super::HashMap;
use std::hash::Hash;
use std::time::Instant;

/// The two fences in their symmetric form, which loom can model.
#[derive(Debug)]
pub(crate) struct PairedFence(());

impl PairedFence {
    pub(crate) fn new(_asymmetric: bool) -> Self {
        Self(())
    }

    #[track_caller]
    pub(crate) fn frequent(&self) {
        fence(Ordering::SeqCst);
    }

    #[track_caller]
    pub(crate) fn rare(&self) {
        fence(Ordering::SeqCst);
    }
}

/// loom's mutex with `parking_lot`'s interface.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("models do not poison locks")
    }
}

#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Default for Condvar {
    fn default() -> Self {
        Self(loom::sync::Condvar::new())
    }
}

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).expect("models do not poison locks")
    }

    /// Returns at once: models have no time, so every deadline has passed.
    pub(crate) fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _deadline: Instant,
    ) -> (MutexGuard<'a, T>, bool) {
        (guard, true)
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }
}

/// A map with one shard, where accesses meet most often.
#[derive(Debug)]
pub(crate) struct ShardedMap<K: Eq + Hash, V>(loom::sync::RwLock<HashMap<K, V>>);

impl<K: Eq + Hash + Clone, V> ShardedMap<K, V> {
    pub(crate) fn new() -> Self {
        Self(loom::sync::RwLock::new(HashMap::default()))
    }

    pub(crate) fn insert_new(&self, key: K, value: V) -> bool {
        let mut map = self.0.write().expect("models do not poison locks");
        if map.contains_key(&key) {
            return false;
        }
        map.insert(key, value);
        true
    }

    pub(crate) fn remove(&self, key: &K) -> Option<V> {
        self.0.write().expect("models do not poison locks").remove(key)
    }

    pub(crate) fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.0.read().expect("models do not poison locks").get(key).map(read)
    }

    pub(crate) fn update<R>(&self, key: &K, write: impl FnOnce(&mut V) -> R) -> Option<R> {
        self.0.write().expect("models do not poison locks").get_mut(key).map(write)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.read().expect("models do not poison locks").len()
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for (key, value) in &*self.0.read().expect("models do not poison locks") {
            visit(key, value);
        }
    }
}

/// Numbers for what the core makes. Each service counts by itself: a count that outlived an execution would
/// give the next one other numbers, and models must repeat exactly.
#[derive(Debug)]
pub(crate) struct Numbers {
    event_loops: AtomicU32,
    instances: AtomicU64,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { event_loops: AtomicU32::new(1), instances: AtomicU64::new(1) }
    }

    pub(crate) fn next_event_loop(&self) -> u64 {
        self.event_loops.fetch_add(1, Ordering::Relaxed).into()
    }

    pub(crate) fn next_instance(&self) -> u64 {
        self.instances.fetch_add(1, Ordering::Relaxed)
    }
}
