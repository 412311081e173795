//! Payloads that are counted.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts payloads that are not dropped yet, and drops.
#[derive(Clone, Default)]
pub struct Ledger {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Ledger {
    /// A payload of `length` bytes that is counted.
    pub fn payload(&self, length: usize) -> Bytes {
        self.payload_of(vec![b'x'; length])
    }

    pub fn payload_of(&self, bytes: Vec<u8>) -> Bytes {
        self.made.fetch_add(1, Relaxed);
        Bytes::from_owner(Counted { bytes, ledger: self.clone(), explosive: false })
    }

    /// A payload of `length` bytes that is counted and whose destructor panics.
    pub fn explosive(&self, length: usize) -> Bytes {
        self.made.fetch_add(1, Relaxed);
        Bytes::from_owner(Counted { bytes: vec![b'x'; length], ledger: self.clone(), explosive: true })
    }

    pub fn made(&self) -> usize {
        self.made.load(Relaxed)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(Relaxed)
    }

    /// Every payload was dropped, once.
    #[track_caller]
    pub fn assert_balanced(&self) {
        assert_eq!(self.dropped(), self.made(), "payloads dropped against payloads made");
    }
}

struct Counted {
    bytes: Vec<u8>,
    ledger: Ledger,
    explosive: bool,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, Relaxed);
        assert!(!self.explosive, "a payload's destructor panics");
    }
}
