//! Which numbers loaded extensions have.

use crate::ids::ExtensionNumber;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Gives the least number that no loaded extension has.
pub(super) struct Numbering {
    next: ExtensionNumber,
    given_back: BinaryHeap<Reverse<ExtensionNumber>>,
}

impl Numbering {
    pub(super) const fn new() -> Self {
        Self { next: ExtensionNumber::FIRST, given_back: BinaryHeap::new() }
    }

    pub(super) fn take(&mut self) -> ExtensionNumber {
        if let Some(Reverse(number)) = self.given_back.pop() {
            return number;
        }
        let number = self.next;
        self.next = number.next();
        number
    }

    /// Has a number given again. Contexts of the extension that had it may still end; theirs and the next one's records
    /// lie in the same lanes meanwhile.
    pub(super) fn give_back(&mut self, number: ExtensionNumber) {
        self.given_back.push(Reverse(number));
    }
}
