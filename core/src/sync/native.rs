//! The real thing: `std`, `parking_lot`, `dashmap`.

pub(crate) use parking_lot::{Mutex, MutexGuard};
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};

pub(crate) use super::paired_fence::PairedFence;

use dashmap::DashMap;
use std::hash::Hash;
use std::time::Instant;

/// Returns `false`: no mistake is put back outside of models.
#[inline(always)]
pub(crate) const fn mutant(_name: &'static str) -> bool {
    false
}

/// `std`'s cell with loom's closure interface.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// `parking_lot`'s condition variable with an interface that loom's fits too.
#[derive(Debug, Default)]
pub(crate) struct Condvar(parking_lot::Condvar);

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard);
        guard
    }

    /// Waits until notified or until `deadline`. Returns the guard, and whether the deadline passed.
    pub(crate) fn wait_until<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        deadline: Instant,
    ) -> (MutexGuard<'a, T>, bool) {
        let result = self.0.wait_until(&mut guard, deadline);
        (guard, result.timed_out())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }
}

/// A sharded concurrent map, reached through closures alone.
#[derive(Debug)]
pub(crate) struct ShardedMap<K: Eq + Hash, V>(DashMap<K, V, foldhash::fast::FixedState>);

impl<K: Eq + Hash + Clone, V> ShardedMap<K, V> {
    pub(crate) fn new() -> Self {
        Self(DashMap::with_hasher(foldhash::fast::FixedState::default()))
    }

    /// Inserts a value unless the key is taken. Returns whether it did.
    pub(crate) fn insert_new(&self, key: K, value: V) -> bool {
        match self.0.entry(key) {
            dashmap::Entry::Occupied(_) => false,
            dashmap::Entry::Vacant(entry) => {
                entry.insert(value);
                true
            }
        }
    }

    pub(crate) fn remove(&self, key: &K) -> Option<V> {
        self.0.remove(key).map(|(_, value)| value)
    }

    /// Runs `read` under the shard's read lock.
    pub(crate) fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.0.get(key).map(|value| read(&value))
    }

    /// Runs `write` under the shard's write lock.
    pub(crate) fn update<R>(&self, key: &K, write: impl FnOnce(&mut V) -> R) -> Option<R> {
        self.0.get_mut(key).map(|mut value| write(&mut value))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Visits every entry, each under its shard's read lock.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for entry in &self.0 {
            visit(entry.key(), entry.value());
        }
    }
}

/// Numbers for what the core makes, from 1 on. Counted for the whole process, so that an id of one service
/// means nothing to another.
pub(crate) struct Numbers(());

static EVENT_LOOPS: AtomicU64 = AtomicU64::new(1);
static INSTANCES: AtomicU64 = AtomicU64::new(1);

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    pub(crate) fn next_event_loop(&self) -> u64 {
        // Relaxed: only uniqueness matters.
        EVENT_LOOPS.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_instance(&self) -> u64 {
        // Relaxed: only uniqueness matters.
        INSTANCES.fetch_add(1, Ordering::Relaxed)
    }
}
