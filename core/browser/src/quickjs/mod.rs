//! Everything that is QuickJS's: an engine for each script thread, a realm for each world. The
//! rest of the browser knows scripts as text, numbers and [`ScriptEvent`](port_core_webext::ScriptEvent)s.

mod evaluator;
pub(crate) mod json;
mod modules;
mod natives;
mod port_object;
mod realm;
mod rejections;
mod thrown;

pub(crate) use evaluator::Evaluator;
pub(crate) use realm::{Addition, Realm, RealmId};
pub(crate) use rejections::Rejected;

use crate::script_error::ScriptError;
use modules::Modules;
use port_core_webext::extension::Extension;
use port_core_webext::{PageHost, ScriptHost};
use realm::Registered;
use rejections::Rejections;
use rquickjs::Runtime;
use std::rc::Rc;
use std::sync::Arc;

/// How deep scripts may call, in bytes of native stack.
const SCRIPT_STACK: usize = 8 << 20;

/// A thread's engine. It outlives its realms.
pub(crate) struct Engine {
    rejections: Rejections,
    modules: Modules,
    registered: Registered,
    runtime: Runtime,
}

impl Engine {
    /// Creates an engine whose scripts are stopped, even in the middle of a loop, once `is_stopping`
    /// says so.
    pub(crate) fn new(is_stopping: impl Fn() -> bool + Send + 'static) -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let modules = Modules::default();
        let rejections = Rejections::default();
        runtime.set_max_stack_size(SCRIPT_STACK);
        runtime.set_loader(modules.clone(), modules.clone());
        runtime.set_host_promise_rejection_tracker(Some(rejections.tracker()));
        runtime.set_interrupt_handler(Some(Box::new(is_stopping)));
        Ok(Self { rejections, modules, registered: Registered::default(), runtime })
    }

    /// Makes the realm of a world, with the API and the polyfills in it. `number` names the world to
    /// [`PageHost::remove_frame_element`].
    pub(crate) fn realm<H>(
        &self,
        host: Rc<H>,
        extension: &Arc<Extension>,
        number: u64,
        description: &serde_json::Value,
        addition: Option<Addition>,
    ) -> Result<Realm, String>
    where
        H: ScriptHost + PageHost + 'static,
    {
        let registered = Rc::clone(&self.registered);
        let realm = Realm::new(&self.runtime, host, registered, number, description, addition)?;
        self.modules.add(realm.id(), extension);
        Ok(realm)
    }

    /// A realm is about to be dropped: nothing of it may stay here.
    pub(crate) fn forget(&self, realm: &Realm) {
        self.modules.remove(realm.id());
        self.registered.borrow_mut().remove(&realm.number());
    }

    /// The microtask checkpoint: runs promise jobs until there are none, then reports rejections that nobody handles, with
    /// what scripts are to be told of them, and what comes of that.
    pub(crate) fn checkpoint(&self, report: impl Fn(RealmId, &ScriptError, Option<&Rejected>)) {
        self.run_jobs(&report);
        if self.rejections.report(|realm, error, values| report(realm, error, Some(values))) {
            self.run_jobs(&report);
            // Scripts that are told of rejections and make others are not told of these, without end.
            self.rejections.report(|realm, error, _| report(realm, error, None));
        }
    }

    fn run_jobs(&self, report: &impl Fn(RealmId, &ScriptError, Option<&Rejected>)) {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failed) => failed.0.with(|context| {
                    let thrown = context.catch();
                    report(RealmId::of(&context), &ScriptError::of(&context, &thrown), None);
                }),
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.registered.borrow_mut().clear();
    }
}
