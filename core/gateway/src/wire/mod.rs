//! What goes over the wire between a renderer and the browser: numbers and frames.
//!
//! A frame is its length in four bytes, its kind in one, and its fields, all little-endian. The length does not count
//! itself. A text is its length in four bytes and its bytes, which are UTF-8; a message's payload goes on to the
//! frame's end. Both ends ship together, so there is one [`VERSION`], which must be the same, and nothing is
//! negotiated.
//!
//! Reading allocates nothing by a number that a peer sent: bytes are counted once they are there.

mod content;
mod down;
mod fields;
pub(crate) mod frames;
pub(crate) mod lie;
pub(crate) mod number;
mod port_runs;
mod up;

pub use content::{Content, InTab, OfExtension, SenderDescription};
pub use down::Down;
pub use port_runs::PortRuns;
pub use up::Up;

/// The version of the protocol: changed by every change to a frame.
pub const VERSION: u32 = 3;
