//! The name of a port.

use smol_str::SmolStr;
use std::fmt;

/// The `name` given to `tabs.connect` or `runtime.connect`. A name of up to 23
/// bytes is held inline; a longer one is allocated once and shared, so cloning
/// never allocates.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortName(SmolStr);

impl Clone for PortName {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    // Writes the copy straight into its final place, which was made with an empty name. Not inlined, to keep store
    // forwarding: inlined, the compiler copies a name field by field in narrow stores, and the word-wide loads
    // that move the value on stall on them.
    #[inline(never)]
    fn clone_from(&mut self, source: &Self) {
        if self.is_shared() || source.is_shared() {
            self.share(source);
        } else {
            self.0 = source.0.clone();
        }
    }
}

impl PortName {
    /// Makes a name of this text. Allocates once when it is longer than 23 bytes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(SmolStr::new(name))
    }

    #[cold]
    #[inline(never)]
    fn share(&mut self, source: &Self) {
        *self = source.clone();
    }

    /// Returns how many bytes it holds on the heap.
    #[inline]
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.is_shared() { self.0.len() } else { 0 }
    }

    /// Returns whether the text is on the heap, so that dropping the name may have to free it.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.0.is_heap_allocated()
    }

    /// Returns the text; empty when the opener gave no name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for PortName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl AsRef<str> for PortName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for PortName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for PortName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
