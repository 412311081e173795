//! What a message holds, for the payload dwarfs the ring: a benchmark that moves
//! nothing but static `Bytes` flatters everyone.

use bytes::Bytes;
use port_core::Message;

/// A kind of message, as the core is given it and as a channel of [`Bytes`] is.
pub trait Load: Copy + Send + Sync + 'static {
    /// What a figure is labelled with.
    const NAME: &'static str;

    /// For a channel.
    fn bytes(&self) -> Bytes;

    /// For the core.
    fn message(&self) -> Message<'_>;
}

/// 32 bytes that nobody allocates or counts: what remains is the way itself.
#[derive(Clone, Copy, Debug)]
pub struct Static32;

impl Load for Static32 {
    const NAME: &'static str = "32 static bytes";

    fn bytes(&self) -> Bytes {
        Bytes::from_static(&[7; 32])
    }

    fn message(&self) -> Message<'_> {
        self.bytes().into()
    }
}

/// 100 bytes that the poster has as a slice and the listener reads as a slice: the
/// usual case, for a typical message is a little JSON.
#[derive(Clone, Copy, Debug)]
pub struct Slice100;

static SLICE: [u8; 100] = [7; 100];

impl Load for Slice100 {
    const NAME: &'static str = "100 bytes, slice to slice";

    fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&SLICE)
    }

    fn message(&self) -> Message<'_> {
        (&SLICE).into()
    }
}

/// 32 bytes that the poster allocated for the message.
#[derive(Clone, Copy, Debug)]
pub struct Allocated32;

impl Load for Allocated32 {
    const NAME: &'static str = "32 bytes, allocated";

    fn bytes(&self) -> Bytes {
        vec![7; 32].into()
    }

    fn message(&self) -> Message<'_> {
        self.bytes().into()
    }
}

/// 4 KiB that the poster allocated for the message; travels by reference everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Allocated4096;

impl Load for Allocated4096 {
    const NAME: &'static str = "4 KiB, allocated";

    fn bytes(&self) -> Bytes {
        vec![7; 4096].into()
    }

    fn message(&self) -> Message<'_> {
        self.bytes().into()
    }
}

/// So many bytes that the poster has as a slice.
#[derive(Clone, Copy, Debug)]
pub struct Sliced(pub &'static [u8]);

impl Load for Sliced {
    const NAME: &'static str = "from a slice";

    fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.0)
    }

    fn message(&self) -> Message<'_> {
        self.0.into()
    }
}

/// So many bytes that the poster shares with the listener.
#[derive(Clone, Copy, Debug)]
pub struct Shared(pub &'static Bytes);

impl Load for Shared {
    const NAME: &'static str = "by reference";

    fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    fn message(&self) -> Message<'_> {
        self.bytes().into()
    }
}
