//! Slots that are used again under a new generation.

use crate::ids::Key;
use crate::sync::mutant;
use std::mem;

/// The last generation of a slot. Small in models, so that they see slots retire.
pub(crate) const LAST_GENERATION: u32 = if cfg!(port_core_model) { 2 } else { Key::LAST_GENERATION };

/// A vector of slots named by [`Key`]s. A key stays valid until its slot is removed and is never given again:
/// each reuse raises the slot's generation, and a slot whose generations are used up is retired.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<SlabSlot<T>>,
    /// The empty slot to fill next, or [`NONE`].
    vacant: u32,
    /// How many slots it may have.
    allowed: u32,
    last_generation: u32,
}

/// A value that lies in a slab. It keeps the [stamp](Key::stamp) of its slot's key, so that a slot is no larger than
/// its value (an empty slot is told by a niche).
pub(crate) trait Occupant {
    /// Returns the stamp of the slot that it lies in.
    fn stamp(&self) -> u32;

    /// Sets that stamp. Called by the slab alone.
    fn set_stamp(&mut self, stamp: u32);
}

/// Implements [`Occupant`] for a type with a field `stamp`.
macro_rules! occupant {
    ($name:ty) => {
        impl crate::event_loop::slab::Occupant for $name {
            #[inline(always)]
            fn stamp(&self) -> u32 {
                self.stamp
            }

            #[inline(always)]
            fn set_stamp(&mut self, stamp: u32) {
                self.stamp = stamp;
            }
        }
    };
}
pub(crate) use occupant;

#[derive(Debug)]
enum SlabSlot<T> {
    Full(T),
    Empty {
        generation: u32,
        /// The vacant slot that is filled after this one, or [`NONE`], as in a retired one.
        next: u32,
    },
}

/// No slot: an index that is too large for any.
const NONE: u32 = u32::MAX;

impl<T: Occupant> Slab<T> {
    /// Makes an empty slab, whose slots retire after `last_generation`.
    pub(crate) const fn new(last_generation: u32) -> Self {
        Self { slots: Vec::new(), vacant: NONE, allowed: Key::END_OF_INDICES, last_generation }
    }

    /// Makes an empty slab that has no slot until it is [allowed](Self::allow_more) some.
    pub(crate) const fn counted(last_generation: u32) -> Self {
        Self { slots: Vec::new(), vacant: NONE, allowed: 0, last_generation }
    }

    /// Returns how many slots it may have.
    pub(crate) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Returns whether ids can name more slots than it may have.
    pub(crate) fn may_have_more(&self) -> bool {
        self.allowed < Key::END_OF_INDICES
    }

    /// Lets it have so many slots more.
    pub(crate) fn allow_more(&mut self, slots: u32) {
        self.allowed = (self.allowed + slots).min(Key::END_OF_INDICES);
    }

    /// The key that [`insert`](Self::insert) will use next; `None` when no more fit.
    #[inline]
    pub(crate) fn vacant_key(&self) -> Option<Key> {
        match self.slots.get(self.vacant as usize) {
            Some(&SlabSlot::Empty { generation, .. }) => Some(Key::new(self.vacant, generation)),
            Some(SlabSlot::Full(_)) => unreachable!("the next slot to fill is vacant"),
            None => {
                let index = u32::try_from(self.slots.len()).ok().filter(|index| *index < self.allowed)?;
                Some(Key::new(index, 0))
            }
        }
    }

    /// Fills a slot and returns its key. Drops the value and returns `None` when no more fit.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Option<Key> {
        self.insert_with(|| value, |_| ())
    }

    /// Fills a slot like [`insert`](Self::insert), but makes and finishes the value in its slot: moving one
    /// that was just written fails store forwarding.
    #[inline(always)]
    pub(crate) fn insert_with(
        &mut self,
        make: impl FnOnce() -> T,
        finish: impl FnOnce(&mut T),
    ) -> Option<Key> {
        if self.vacant as usize >= self.slots.len() {
            self.add_slot()?;
        }
        let index = self.vacant;
        let slot = &mut self.slots[index as usize];
        let SlabSlot::Empty { generation, next } = *slot else {
            unreachable!("the next slot to fill is vacant")
        };
        let key = Key::new(index, generation);
        self.vacant = next;
        overwrite_vacant(slot, SlabSlot::Full(make()));
        if let SlabSlot::Full(value) = slot {
            value.set_stamp(key.stamp());
            finish(value);
        }
        Some(key)
    }

    /// Adds a slot, which is filled next. Returns `None` when no more fit.
    #[cold]
    fn add_slot(&mut self) -> Option<()> {
        let key = self.vacant_key()?;
        grow_gently(&mut self.slots, 1);
        self.slots.push(SlabSlot::Empty { generation: 0, next: NONE });
        self.vacant = key.index();
        Some(())
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.index() as usize)? {
            SlabSlot::Full(value) if value.stamp() == key.stamp() || mutant("generation-not-compared") => {
                Some(value)
            }
            _ => None,
        }
    }

    /// Returns what fills the slot at this index, with its key.
    pub(crate) fn at(&self, index: u32) -> Option<(Key, &T)> {
        match self.slots.get(index as usize)? {
            SlabSlot::Full(value) => Some((Key::of_slot(index, value.stamp()), value)),
            SlabSlot::Empty { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.index() as usize)? {
            SlabSlot::Full(value) if value.stamp() == key.stamp() => Some(value),
            _ => None,
        }
    }

    /// Empties a slot. Its key, and every earlier one, stays invalid for ever.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        match slot {
            SlabSlot::Full(value) if value.stamp() == key.stamp() => {}
            _ => return None,
        }
        let empty = Self::vacated(key, self.last_generation, &mut self.vacant);
        match mem::replace(slot, empty) {
            SlabSlot::Full(value) => Some(value),
            SlabSlot::Empty { .. } => None,
        }
    }

    /// Returns what an emptied slot becomes: vacant, or retired.
    #[inline(always)]
    fn vacated(key: Key, last_generation: u32, vacant: &mut u32) -> SlabSlot<T> {
        let generation = key.generation();
        let generation = if generation < last_generation {
            generation + u32::from(!mutant("generation-not-raised"))
        } else if mutant("generations-start-over") {
            0
        } else {
            return SlabSlot::Empty { generation, next: NONE };
        };
        SlabSlot::Empty { generation, next: mem::replace(vacant, key.index()) }
    }

    /// Empties a slot like [`remove`](Self::remove), but shows the value to `look` and drops it where it lies.
    #[inline(always)]
    pub(crate) fn discard<R>(&mut self, key: Key, look: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        match slot {
            SlabSlot::Full(value) if value.stamp() == key.stamp() => {
                let result = look(value);
                *slot = Self::vacated(key, self.last_generation, &mut self.vacant);
                Some(result)
            }
            _ => None,
        }
    }

    /// Returns the filled slots in the order of their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, index)| match slot {
            SlabSlot::Full(value) => Some((Key::of_slot(index, value.stamp()), value)),
            SlabSlot::Empty { .. } => None,
        })
    }

    /// Returns the keys of the filled slots in the order of their indices.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

/// Overwrites a value that holds nothing to drop. The compiler does not know that, and would add a check and a drop.
#[inline(always)]
pub(crate) fn overwrite_vacant<T>(place: &mut T, value: T) {
    mem::forget(mem::replace(place, value));
}

/// Makes room for more items, at least an eighth of those there are. With doubling, ten thousand idle ports
/// would hold the memory of sixteen thousand. Growing by a fraction
/// still moves each item a constant number of times, on average.
#[inline]
pub(crate) fn grow_gently<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more.max(items.len() / 8).max(4));
    }
}

#[cfg(test)]
#[path = "../../tests/inside/slab.rs"]
mod tests;
