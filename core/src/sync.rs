//! The one place that knows about models.
//!
//! The core takes its atomics, locks, cells and maps from here. Normally they are
//! the standard library's, `parking_lot`'s and `dashmap`'s; compiled with
//! `--cfg port_core_model` (as the crate `loom-tests` does, of this same source)
//! they are loom's, so that every interleaving and every permitted reordering of
//! the real code is explored.
//!
//! Locks and maps are reached through closures or short guards that never span
//! another operation of this module: a real lock held across a modelled operation
//! would hang a model, and a guard that escapes is how sharded maps deadlock.

pub(crate) use imp::*;

/// A map without randomness, so that runs and models repeat exactly. Keys are
/// numbers chosen by the browser or the core, not by a script.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::FixedState>;

/// A set of the same kind.
pub(crate) type HashSet<T> = std::collections::HashSet<T, foldhash::fast::FixedState>;

#[cfg(not(port_core_model))]
mod imp {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::sync::Arc;
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence,
    };

    use dashmap::DashMap;
    use std::hash::Hash;
    use std::time::Instant;

    /// `std`'s cell behind loom's closure interface.
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

    /// `parking_lot`'s condition variable behind an interface that loom's fits too.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(parking_lot::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(&mut guard);
            guard
        }

        /// The guard, and whether `deadline` passed.
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

        /// Inserts unless the key is taken; whether it did.
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

        /// Visits every entry, each under its shard's read lock.
        pub(crate) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
            for entry in &self.0 {
                visit(entry.key(), entry.value());
            }
        }
    }
}

#[cfg(port_core_model)]
mod imp {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence,
    };
    pub(crate) use loom::sync::{Arc, MutexGuard};

    use super::HashMap;
    use std::hash::Hash;
    use std::time::Instant;

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

        /// Models have no time: every deadline has passed.
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

    /// One shard, which is the sharpest case.
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

        pub(crate) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
            for (key, value) in &*self.0.read().expect("models do not poison locks") {
                visit(key, value);
            }
        }
    }
}
