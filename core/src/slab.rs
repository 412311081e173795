//! Slots that are used again under a new generation.

use crate::ids::Key;
use crate::sync::mutant;

/// The last generation of a slot that nothing else bounds. Few in models, so that they
/// see slots retire.
pub(crate) const LAST_GENERATION: u32 = if cfg!(port_core_model) { 2 } else { u32::MAX };

/// A vector of slots named by [`Key`]s. A key stays valid until its slot is
/// removed and is never given again: each reuse raises the slot's generation, and
/// a slot whose generations are used up is retired.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    last_generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    /// `last_generation` is the last that a slot may have.
    pub(crate) const fn new(last_generation: u32) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), last_generation }
    }

    /// The key that [`insert`](Self::insert) will use next; `None` when no more fit.
    pub(crate) fn vacant_key(&self) -> Option<Key> {
        match self.free.last() {
            Some(&index) => Some(Key { index, generation: self.slots[index as usize].generation }),
            None => Some(Key { index: u32::try_from(self.slots.len()).ok()?, generation: 0 }),
        }
    }

    /// Fills a slot; gives the value back when no more fit.
    pub(crate) fn insert(&mut self, value: T) -> Result<Key, T> {
        let Some(key) = self.vacant_key() else { return Err(value) };
        if self.free.pop().is_some() {
            self.slots[key.index as usize].value = Some(value);
        } else {
            self.slots.push(Slot { generation: 0, value: Some(value) });
        }
        Ok(key)
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        let same = slot.generation == key.generation || mutant("generation-not-compared");
        if same { slot.value.as_ref() } else { None }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation == key.generation { slot.value.as_mut() } else { None }
    }

    /// Empties a slot. Its key, and every earlier one, stays invalid for ever.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        if slot.generation < self.last_generation {
            slot.generation += u32::from(!mutant("generation-not-raised"));
            self.free.push(key.index);
        } else if mutant("generations-start-over") {
            slot.generation = 0;
            self.free.push(key.index);
        }
        Some(value)
    }

    /// The filled slots in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, index)| {
            Some((Key { index, generation: slot.generation }, slot.value.as_ref()?))
        })
    }

    /// The keys of the filled slots in order of index.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slab = Slab::new(u32::MAX);
        let first = slab.insert('a').unwrap();
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b').unwrap();
        assert_eq!(first.index, second.index);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
    }

    #[test]
    fn a_slot_at_its_last_generation_is_retired() {
        let mut slab = Slab::new(1);
        for _ in 0..2 {
            let key = slab.insert(()).unwrap();
            assert_eq!(key.index, 0);
            slab.remove(key).unwrap();
        }
        assert_eq!(slab.insert(()).unwrap(), Key { index: 1, generation: 0 });
    }
}
