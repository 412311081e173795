//! One realm: a QuickJS context with the API and the polyfills, in which scripts of one
//! extension run.

use super::natives;
use super::rejections::Rejected;
use crate::script_error::ScriptError;
use port_core_webext::extension::Script;
use port_core_webext::extension::manifest::ScriptKind;
use port_core_webext::{PageHost, ScriptEvent, ScriptHost, ScriptSurface, script};
use rquickjs::context::EvalOptions;
use rquickjs::function::IntoArgs;
use rquickjs::promise::PromiseState;
use rquickjs::{CatchResultExt, CaughtResult, Context, Ctx, Function, Module, Object, Persistent, Promise};
use rquickjs::{Result, Runtime, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::rc::Rc;

/// What realms of an engine reach of each other, by the world's number.
pub(super) type Registered = Rc<RefCell<HashMap<u64, Reachable>>>;

/// What others reach of a realm.
pub(super) struct Reachable {
    /// Has it hear that its page goes.
    pub(super) leave: Persistent<Function<'static>>,
    /// Its global object.
    pub(super) global: Persistent<Object<'static>>,
}

/// Which realm something happened in; only ever compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RealmId(NonNull<rquickjs::qjs::JSContext>);

impl RealmId {
    pub(super) fn of(context: &Ctx<'_>) -> Self {
        Self(context.as_raw())
    }
}

/// Another global beside the API: what a function, given as text, makes of a native function that takes
/// a text, and of what makes asynchronous methods.
pub(crate) struct Addition {
    /// The global's name.
    pub(crate) name: &'static str,
    /// The function.
    pub(crate) source: &'static str,
    /// The native function.
    pub(crate) native: Box<dyn Fn(String)>,
}

/// A realm. Everything done to it is one task; the caller runs the microtask checkpoint behind it.
pub(crate) struct Realm {
    host: Rc<dyn ScriptHost>,
    number: u64,
    /// The functions that `install` gave.
    deliver: Persistent<Object<'static>>,
    /// Those of them that are called most.
    deliver_connect: Persistent<Function<'static>>,
    deliver_message: Persistent<Function<'static>>,
    deliver_disconnect: Persistent<Function<'static>>,
    /// What came of the module that ran last, until that is looked at.
    module: RefCell<Option<Persistent<Promise<'static>>>>,
    context: Context,
}

impl Realm {
    pub(super) fn new<H>(
        runtime: &Runtime,
        host: Rc<H>,
        registered: Registered,
        number: u64,
        description: &serde_json::Value,
        addition: Option<Addition>,
    ) -> std::result::Result<Self, String>
    where
        H: ScriptHost + PageHost + 'static,
    {
        let context = Context::full(runtime).map_err(|error| error.to_string())?;
        let made = |context: &Ctx<'_>| {
            let context = context.clone();
            let natives = natives::create(&context, &host, &registered)?;
            let exports: Object<'_> = evaluate(&context, "browser://webext.js", script::with_polyfills())?;
            let install: Function<'_> = exports.get("install")?;
            let world = context.json_parse(description.to_string())?;
            let installed: Object<'_> = install.call((natives, world))?;
            let deliver: Object<'_> = installed.get("deliver")?;
            if let Some(Addition { name, source, native }) = addition {
                let make: Function<'_> = evaluate(&context, "browser://addition.js", source)?;
                let native = Function::new(context.clone(), native)?;
                let calls: Value<'_> = installed.get("calls")?;
                context.globals().set(name, make.call::<_, Value<'_>>((native, calls))?)?;
            }
            let function = |name: &str| {
                let function: Function<'_> = deliver.get(name)?;
                Ok::<_, rquickjs::Error>(Persistent::save(&context, function))
            };
            let often = [function("connect")?, function("message")?, function("disconnect")?];
            let leave = function("leave")?;
            let global = Persistent::save(&context, context.globals());
            registered.borrow_mut().insert(number, Reachable { leave, global });
            Ok::<_, rquickjs::Error>((Persistent::save(&context, deliver), often))
        };
        let (deliver, [connect, message, disconnect]) = context.with(|context| {
            made(&context).catch(&context).map_err(|caught| ScriptError::of_caught(&context, caught).message)
        })?;
        Ok(Self {
            host,
            number,
            deliver,
            deliver_connect: connect,
            deliver_message: message,
            deliver_disconnect: disconnect,
            module: RefCell::default(),
            context,
        })
    }

    /// Which realm it is.
    pub(crate) fn id(&self) -> RealmId {
        RealmId(self.context.as_raw())
    }

    /// The world's number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Runs a script; says whether it threw nothing.
    pub(crate) fn run(&self, script: &Script) -> bool {
        self.enter(|context| match script.kind {
            ScriptKind::Classic => {
                evaluate::<Value<'_>>(context, &script.url, &script.text).map(drop).catch(context)
            }
            // What goes wrong in a module is an unhandled rejection.
            ScriptKind::Module => {
                let evaluated = Module::evaluate(context.clone(), &*script.url, &*script.text);
                let keep = |promise| *self.module.borrow_mut() = Some(Persistent::save(context, promise));
                evaluated.map(keep).catch(context)
            }
        })
    }

    /// Whether the script that ran last is a module that has thrown. To be asked behind the microtask checkpoint, in which a
    /// module goes on that awaits something.
    pub(crate) fn has_module_thrown(&self) -> bool {
        let Some(module) = self.module.take() else { return false };
        self.context.with(|context| {
            module.restore(&context).is_ok_and(|promise| promise.state() == PromiseState::Rejected)
        })
    }

    /// Tells scripts of a rejection that nobody handles; gives whether one of them took it.
    pub(crate) fn tell_of_rejection(&self, rejected: &Rejected) -> bool {
        self.context.with(|context| {
            let call = || {
                let deliver = self.deliver.clone().restore(&context)?;
                let function: Function<'_> = deliver.get("rejected")?;
                let reason = rejected.reason.clone().restore(&context)?;
                let promise = rejected.promise.clone().restore(&context)?;
                function.call::<_, bool>((reason, promise))
            };
            let taken: Result<bool> = call();
            taken.unwrap_or_else(|_| {
                context.catch();
                false
            })
        })
    }

    fn message(&self, port: u32, json: &str) {
        self.enter(|context| {
            let call = || {
                // With room for what ends it in the engine.
                let mut text = Vec::with_capacity(json.len() + 1);
                text.extend_from_slice(json.as_bytes());
                let message = context.json_parse(text)?;
                self.deliver_message.clone().restore(context)?.call((port, message))
            };
            call().catch(context)
        });
    }

    fn call_named<'a>(&'a self, name: &str, arguments: impl for<'js> IntoArgs<'js> + 'a) {
        self.enter(|context| {
            let call = || {
                let function: Function<'_> = self.deliver.clone().restore(context)?.get(name)?;
                function.call::<_, ()>(arguments)
            };
            call().catch(context)
        });
    }

    fn call(&self, function: &Persistent<Function<'static>>, arguments: impl for<'js> IntoArgs<'js>) {
        self.enter(|context| {
            let call = || function.clone().restore(context)?.call::<_, ()>(arguments);
            call().catch(context)
        });
    }

    /// Runs script and reports what it throws; says whether that is nothing.
    fn enter(&self, work: impl for<'js> FnOnce(&Ctx<'js>) -> CaughtResult<'js, ()>) -> bool {
        let error = self
            .context
            .with(|context| work(&context).err().map(|caught| ScriptError::of_caught(&context, caught)));
        match error {
            Some(ScriptError { message, stack }) => {
                self.host.report_exception(&message, &stack);
                false
            }
            None => true,
        }
    }
}

impl ScriptSurface for Realm {
    fn deliver(&self, event: &ScriptEvent<'_>) {
        let name = event.function();
        match *event {
            ScriptEvent::Message { port, message } => self.message(port, message),
            ScriptEvent::Connect { port, is_one_off, name, sender, is_external } => {
                self.call(&self.deliver_connect, (port, is_one_off, name, sender, is_external));
            }
            ScriptEvent::Disconnect { port, reason } => self.call(&self.deliver_disconnect, (port, reason)),
            ScriptEvent::Answer { call, result, error } => self.call_named(name, (call, result, error)),
            ScriptEvent::Emit { event, details } => self.call_named(name, (event, details)),
            ScriptEvent::Timer(number)
            | ScriptEvent::FrameLoaded(number)
            | ScriptEvent::FrameFailed(number) => {
                self.call_named(name, (number,));
            }
            ScriptEvent::FrameMessage { message, origin, from } => {
                self.call_named(name, (message, origin, from));
            }
            ScriptEvent::ReadyState(text)
            | ScriptEvent::Leave(text)
            | ScriptEvent::Press(text)
            | ScriptEvent::Type(text)
            | ScriptEvent::WindowMessage(text) => {
                self.call_named(name, (text,));
            }
            ScriptEvent::Restored | ScriptEvent::BeforeUnload | ScriptEvent::Invalidated => {
                self.call_named(name, ());
            }
            ScriptEvent::Traversed(delta) => self.call_named(name, (delta,)),
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            ScriptEvent::Execute { function, arguments, number } => {
                self.call_named(name, (function, arguments, number as f64));
            }
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            ScriptEvent::Inject { scripts, number } => self.call_named(name, (scripts, number as f64)),
            _ => {}
        }
    }
}

/// Runs a classic script in the global scope.
pub(super) fn evaluate<'js, V: rquickjs::FromJs<'js>>(
    context: &Ctx<'js>,
    url: &str,
    text: &str,
) -> Result<V> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(url.to_owned());
    context.eval_with_options(text, options)
}
