//! What two threads touch at the same time, and nothing else: the lanes, the bell and the
//! wake-up. All of the crate's atomics but the gone-marks lie here, and its unsafe code but
//! for the place of an event.

pub(crate) mod bell;
pub(crate) mod lane;
pub(crate) mod wakeup;
