//! A list that nearly always has one item.

use std::ops::{Deref, DerefMut};
use std::slice;

/// Empty, one item, or several. As large as one item or a pointer, so that
/// a port to one receiver is small and allocates nothing; several items are on the heap.
#[derive(Debug, Default)]
pub(crate) enum OneOrMany<T> {
    #[default]
    Empty,
    One(T),
    #[allow(clippy::box_collection, reason = "a vector is three times as large as the pointer to it")]
    Many(Box<Vec<T>>),
}

impl<T> OneOrMany<T> {
    pub(crate) fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Self::Empty => Self::One(item),
            Self::One(first) => Self::Many(Box::new(vec![first, item])),
            Self::Many(mut items) => {
                items.push(item);
                Self::Many(items)
            }
        };
    }

    /// Keeps the items for which `keep` returns `true`, in order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        match self {
            Self::Empty => {}
            Self::One(item) => {
                if !keep(item) {
                    *self = Self::Empty;
                }
            }
            Self::Many(items) => {
                items.retain(keep);
                if items.len() < 2 {
                    *self = items.pop().map_or(Self::Empty, Self::One);
                }
            }
        }
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::Empty => &[],
            Self::One(item) => slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

impl<T> DerefMut for OneOrMany<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Empty => &mut [],
            Self::One(item) => slice::from_mut(item),
            Self::Many(items) => items,
        }
    }
}

impl<T> FromIterator<T> for OneOrMany<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Self::Empty;
        for item in items {
            list.push(item);
        }
        list
    }
}

#[cfg(test)]
#[path = "../../tests/inside/one_or_many.rs"]
mod tests;
