//! Slots that are used again, and used up.

use super::*;

impl<T: Occupant> Slab<T> {
    /// A slab whose first slots are all vacant and at this generation.
    pub(crate) fn aged(slots: u32, generation: u32) -> Self {
        let slot = |index| SlabSlot::Empty { generation, next: if index == 0 { NONE } else { index - 1 } };
        let vacant = slots.checked_sub(1).unwrap_or(NONE);
        let slots = (0..slots).map(slot).collect();
        Self { slots, vacant, allowed: Key::END_OF_INDICES, last_generation: Key::LAST_GENERATION }
    }
}

/// A letter in a slot.
#[derive(Debug, PartialEq)]
struct Letter(char, u32);

impl Occupant for Letter {
    fn stamp(&self) -> u32 {
        self.1
    }

    fn set_stamp(&mut self, stamp: u32) {
        self.1 = stamp;
    }
}

#[test]
fn a_stale_key_finds_nothing() {
    let mut slab = Slab::new(Key::LAST_GENERATION);
    let first = slab.insert(Letter('a', 0)).unwrap();
    assert_eq!(slab.remove(first), Some(Letter('a', 0)));
    let second = slab.insert(Letter('b', 0)).unwrap();
    assert_eq!(first.index(), second.index());
    assert_eq!(slab.get(first), None);
    assert_eq!(slab.remove(first), None);
    assert_eq!(slab.get(second), Some(&Letter('b', 1)));
}

#[test]
fn a_slot_at_its_last_generation_is_retired() {
    let mut slab = Slab::new(1);
    for _ in 0..2 {
        let key = slab.insert(Letter('c', 0)).unwrap();
        assert_eq!(key.index(), 0);
        slab.remove(key).unwrap();
    }
    assert_eq!(slab.insert(Letter('c', 0)).unwrap(), Key::new(1, 0));
}

#[test]
#[cfg_attr(miri, ignore = "a million slots take hours")]
fn there_are_as_many_slots_as_an_id_can_name() {
    let mut slab = Slab::aged(Key::END_OF_INDICES, 0);
    for _ in 0..Key::END_OF_INDICES {
        assert!(slab.insert(Letter('d', 0)).is_some());
    }
    assert_eq!(slab.insert(Letter('e', 0)), None);
    let last = Key::new(Key::END_OF_INDICES - 1, 0);
    assert_eq!(slab.remove(last), Some(Letter('d', last.stamp())));
    assert_eq!(slab.insert(Letter('f', 0)), Some(Key::new(Key::END_OF_INDICES - 1, 1)));
}
