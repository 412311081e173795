//! A list that nearly always has one item.

use std::ops::{Deref, DerefMut};
use std::slice;

/// Nothing, one item, or several. Takes the room of one item or of a pointer, so that
/// a port to one receiver allocates nothing and is small; several are allocated.
#[derive(Debug, Default)]
pub(crate) enum Few<T> {
    #[default]
    Nothing,
    One(T),
    #[allow(clippy::box_collection, reason = "a vector is three times as large as the pointer to it")]
    Several(Box<Vec<T>>),
}

impl<T> Few<T> {
    pub(crate) fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(item),
            Self::One(first) => Self::Several(Box::new(vec![first, item])),
            Self::Several(mut items) => {
                items.push(item);
                Self::Several(items)
            }
        };
    }

    /// The item where there is one. Quicker than to look for it among several.
    #[inline(always)]
    pub(crate) fn only(&self) -> Option<&T> {
        match self {
            Self::One(item) => Some(item),
            Self::Nothing | Self::Several(_) => None,
        }
    }

    /// Keeps the items for which `keep` says so, in order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        match self {
            Self::Nothing => {}
            Self::One(item) => {
                if !keep(item) {
                    *self = Self::Nothing;
                }
            }
            Self::Several(items) => {
                items.retain(keep);
                if items.len() < 2 {
                    *self = items.pop().map_or(Self::Nothing, Self::One);
                }
            }
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::Nothing => &[],
            Self::One(item) => slice::from_ref(item),
            Self::Several(items) => items,
        }
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Nothing => &mut [],
            Self::One(item) => slice::from_mut(item),
            Self::Several(items) => items,
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut few = Self::Nothing;
        for item in items {
            few.push(item);
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_whatever_the_number() {
        for count in 0..5 {
            let mut few: Few<u32> = (0..count).collect();
            assert_eq!(*few, *(0..count).collect::<Vec<_>>());
            few.retain(|item| item % 2 == 1);
            assert_eq!(*few, *(0..count).filter(|item| item % 2 == 1).collect::<Vec<_>>());
            assert_eq!(few.only(), few.first().filter(|_| few.len() == 1));
            few.push(9);
            assert_eq!(few.last(), Some(&9));
        }
    }
}
