//! Promise rejections that nobody handles.

use super::RealmId;
use crate::script_error::ScriptError;
use rquickjs::runtime::RejectionTracker;
use rquickjs::{Persistent, Value};
use std::cell::RefCell;
use std::rc::Rc;

/// The promises that were rejected since the latest microtask checkpoint and have no
/// handler so far. Empty between tasks, so that no value outlives its world.
#[derive(Clone, Default)]
pub(super) struct Rejections {
    pending: Rc<RefCell<Vec<Rejection>>>,
}

struct Rejection {
    values: Rejected,
    error: ScriptError,
    realm: RealmId,
}

/// A promise that was rejected, and with what.
pub(crate) struct Rejected {
    pub(super) promise: Persistent<Value<'static>>,
    pub(super) reason: Persistent<Value<'static>>,
}

impl Rejections {
    /// What the runtime calls for each rejection, and for each handler added late.
    pub(super) fn tracker(&self) -> RejectionTracker {
        let rejections = self.clone();
        Box::new(move |context, promise, reason, is_handled| {
            let mut pending = rejections.pending.borrow_mut();
            if is_handled {
                pending.retain(|rejection| {
                    rejection.values.promise.clone().restore(&context).ok().as_ref() != Some(&promise)
                });
            } else {
                pending.push(Rejection {
                    error: ScriptError::of(&context, &reason),
                    realm: RealmId::of(&context),
                    values: Rejected {
                        promise: Persistent::save(&context, promise),
                        reason: Persistent::save(&context, reason),
                    },
                });
            }
        })
    }

    /// Reports what is left once the microtasks have run; says whether there was any.
    pub(super) fn report(&self, report: impl Fn(RealmId, &ScriptError, &Rejected)) -> bool {
        let pending = self.pending.take();
        for Rejection { values, error, realm } in &pending {
            report(*realm, error, values);
        }
        !pending.is_empty()
    }
}
