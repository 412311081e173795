//! Slots that are used again under a new generation.

use crate::ids::Key;
use crate::sync::mutant;
use std::mem;

/// The last generation of a slot that nothing else bounds. Few in models, so that they
/// see slots retire.
pub(crate) const LAST_GENERATION: u32 = if cfg!(port_core_model) { 2 } else { u32::MAX };

/// A vector of slots named by [`Key`]s. A key stays valid until its slot is
/// removed and is never given again: each reuse raises the slot's generation, and
/// a slot whose generations are used up is retired.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The empty slot to fill next, or [`NONE`].
    vacant: u32,
    last_generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Full(T),
    /// The vacant slot that is filled after this one, or [`NONE`], as in a retired one.
    Empty(u32),
}

/// No slot: there are fewer.
const NONE: u32 = u32::MAX;

impl<T> Slab<T> {
    /// `last_generation` is the last that a slot may have.
    pub(crate) const fn new(last_generation: u32) -> Self {
        Self { slots: Vec::new(), vacant: NONE, last_generation }
    }

    /// A slab whose first slots are all vacant and at this generation.
    #[cfg(test)]
    pub(crate) fn aged(slots: u32, generation: u32) -> Self {
        let slot =
            |index| Slot { generation, content: Content::Empty(if index == 0 { NONE } else { index - 1 }) };
        let vacant = slots.checked_sub(1).unwrap_or(NONE);
        Self { slots: (0..slots).map(slot).collect(), vacant, last_generation: u32::MAX }
    }

    /// The key that [`insert`](Self::insert) will use next; `None` when no more fit.
    #[inline]
    pub(crate) fn vacant_key(&self) -> Option<Key> {
        match self.slots.get(self.vacant as usize) {
            Some(slot) => Some(Key::new(self.vacant, slot.generation)),
            None => {
                let index = u32::try_from(self.slots.len()).ok().filter(|index| *index != NONE)?;
                Some(Key::new(index, 0))
            }
        }
    }

    /// Fills a slot; `None` when no more fit, and the value is dropped.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Option<Key> {
        self.insert_with(|| value, |_| ())
    }

    /// As [`insert`](Self::insert), but has the value made and then finished in its slot: moving one
    /// that was just put together waits for its own stores.
    #[inline(always)]
    pub(crate) fn insert_with(
        &mut self,
        make: impl FnOnce() -> T,
        finish: impl FnOnce(&mut T),
    ) -> Option<Key> {
        let key = self.vacant_key()?;
        if key.index() as usize == self.slots.len() {
            grow_gently(&mut self.slots, 1);
            self.slots.push(Slot { generation: 0, content: Content::Empty(NONE) });
        }
        let content = &mut self.slots[key.index() as usize].content;
        if let Content::Empty(next) = *content {
            self.vacant = next;
        }
        // A vacant slot has nothing to drop, which the compiler does not know.
        mem::forget(mem::replace(content, Content::Full(make())));
        if let Content::Full(value) = content {
            finish(value);
        }
        Some(key)
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index() as usize)?;
        let same = slot.generation == key.generation() || mutant("generation-not-compared");
        match &slot.content {
            Content::Full(value) if same => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        match &mut slot.content {
            Content::Full(value) if slot.generation == key.generation() => Some(value),
            _ => None,
        }
    }

    /// Empties a slot. Its key, and every earlier one, stays invalid for ever.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if slot.generation != key.generation() || matches!(slot.content, Content::Empty(_)) {
            return None;
        }
        let next = Self::leave(&mut slot.generation, self.last_generation, &mut self.vacant, key.index());
        match mem::replace(&mut slot.content, Content::Empty(next)) {
            Content::Full(value) => Some(value),
            Content::Empty(_) => None,
        }
    }

    /// Makes a slot vacant, or retires it. Gives the vacant slot behind it.
    #[inline(always)]
    fn leave(generation: &mut u32, last_generation: u32, vacant: &mut u32, index: u32) -> u32 {
        if *generation < last_generation {
            *generation += u32::from(!mutant("generation-not-raised"));
        } else if mutant("generations-start-over") {
            *generation = 0;
        } else {
            return NONE;
        }
        mem::replace(vacant, index)
    }

    /// As [`remove`](Self::remove), but drops the value where it lies, after a look at it.
    #[inline(always)]
    pub(crate) fn discard<R>(&mut self, key: Key, look: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        match &slot.content {
            Content::Full(value) if slot.generation == key.generation() => {
                let result = look(value);
                let vacant = &mut self.vacant;
                let next = Self::leave(&mut slot.generation, self.last_generation, vacant, key.index());
                slot.content = Content::Empty(next);
                Some(result)
            }
            _ => None,
        }
    }

    /// The filled slots in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, index)| match &slot.content {
            Content::Full(value) => Some((Key::new(index, slot.generation), value)),
            Content::Empty(_) => None,
        })
    }

    /// The keys of the filled slots in order of index.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

/// Makes room for more items, an eighth of what is there at least. Doubling would have
/// ten thousand idle ports hold the memory of sixteen thousand; growing by a part
/// still moves each item a constant number of times, on average.
#[inline]
pub(crate) fn grow_gently<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more.max(items.len() / 8).max(4));
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
        assert_eq!(first.index(), second.index());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
    }

    #[test]
    fn a_slot_at_its_last_generation_is_retired() {
        let mut slab = Slab::new(1);
        for _ in 0..2 {
            let key = slab.insert(()).unwrap();
            assert_eq!(key.index(), 0);
            slab.remove(key).unwrap();
        }
        assert_eq!(slab.insert(()).unwrap(), Key::new(1, 0));
    }
}
