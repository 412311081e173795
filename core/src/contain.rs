//! Running what the embedder wrote where its panic must not come through: destructors and wakers.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the embedder's code. Its panic is caught, and so is that of a panic's payload that panics when it is dropped.
pub(crate) fn contain(run: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        let_go(panic);
    }
}

/// Drops what a panic carried. What the destructor of that panics with may panic when it is dropped, and so on for
/// ever, so the third is leaked.
#[cold]
fn let_go(panic: Box<dyn Any + Send>) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    if let Err(panic) = dropped {
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        if let Err(panic) = dropped {
            mem::forget(panic);
        }
    }
}
