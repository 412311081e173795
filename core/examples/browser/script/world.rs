//! One world: a QuickJS context with the bindings, in which scripts of one extension
//! run.

use super::host::{Host, WorldIdentity};
use super::modules::{self, Modules};
use super::natives;
use super::rejections::RawContext;
use super::script_error::ScriptError;
use super::{Leave, WorldDescription};
use crate::extension::Script;
use crate::extension::manifest::{RunAt, ScriptKind};
use crate::profile::Profile;
use crate::tabs::place_label;
use port_core::{
    ConnectKind, ContextId, ContextKind, DisconnectReason, DocumentId, DocumentLifecycle, ExtensionId,
    PortId, PortName, Sender, TabId,
};
use rquickjs::function::IntoArgs;
use rquickjs::{CatchResultExt, CaughtResult, Context, Ctx, Function, Module, Object, Persistent, Runtime};
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// A world. Everything done to it is one task; the caller runs the microtask
/// checkpoint behind it.
pub(super) struct World {
    identity: WorldIdentity,
    kind: ContextKind,
    host: Rc<Host>,
    /// The functions that `install` in main.js gave.
    deliver: Persistent<Object<'static>>,
    /// The one of them that is called most.
    deliver_message: Persistent<Function<'static>>,
    context: Context,
}

impl World {
    /// Makes a context and installs the bindings.
    pub(super) fn new(
        runtime: &Runtime,
        host: &Rc<Host>,
        modules: &Modules,
        context_id: ContextId,
        description: &WorldDescription,
    ) -> rquickjs::Result<Self> {
        let identity = WorldIdentity {
            context: context_id,
            extension: description.extension.clone(),
            instance: description.instance,
            place: description.place,
            label: description.label.as_str().into(),
        };
        modules.add(&description.extension);
        let context = Context::full(runtime)?;
        let (deliver, deliver_message) = context.with(|context| {
            let natives = natives::create(&context, host, &identity)?;
            let module = Module::declare(context.clone(), modules::MAIN, modules::MAIN_SOURCE)?;
            let (module, evaluated) = module.eval()?;
            evaluated.finish::<()>()?;
            let install: Function<'_> = module.get("install")?;
            let world = context.json_parse(describe(host, description).to_string())?;
            let deliver: Object<'_> = install.call((natives, world))?;
            let message: Function<'_> = deliver.get("message")?;
            let hide: Function<'_> = deliver.get("leave")?;
            host.leaving.borrow_mut().insert(context_id, Persistent::save(&context, hide));
            Ok::<_, rquickjs::Error>((
                Persistent::save(&context, deliver),
                Persistent::save(&context, message),
            ))
        })?;
        host.counts.borrow_mut().contexts += 1;
        Ok(Self {
            identity,
            kind: description.kind,
            host: Rc::clone(host),
            deliver,
            deliver_message,
            context,
        })
    }

    /// Whether it is a page of the extension, background or not, and so is told of
    /// browser events.
    pub(super) fn is_extension_page(&self) -> bool {
        self.kind != ContextKind::ContentScript
    }

    /// Who the world is to the host.
    pub(super) fn identity(&self) -> &WorldIdentity {
        &self.identity
    }

    /// Whether this is the world of a QuickJS context.
    pub(super) fn is(&self, context: RawContext) -> bool {
        self.context.as_raw() == context
    }

    /// Runs a script.
    pub(super) fn run(&self, script: &Script) {
        self.enter(|context| match script.kind {
            ScriptKind::Classic => natives::evaluate(context, &script.url, &script.text).catch(context),
            // What goes wrong later in a module is an unhandled rejection.
            ScriptKind::Module => {
                Module::evaluate(context.clone(), &*script.url, &*script.text).map(drop).catch(context)
            }
        });
    }

    /// The document got to a moment of loading.
    pub(super) fn reach(&self, moment: RunAt) {
        let state = match moment {
            RunAt::Start => return,
            RunAt::End => "interactive",
            RunAt::Idle => "complete",
        };
        self.deliver("readyState", (state,));
    }

    /// The document goes away.
    pub(super) fn hide(&self, leave: Leave) {
        self.deliver("leave", (leave_name(leave),));
    }

    /// The document came back from the back/forward cache.
    pub(super) fn show(&self) {
        self.deliver("restored", ());
    }

    /// The user went back or forward within the document.
    pub(super) fn traversed(&self, delta: i32) {
        self.deliver("traversed", (delta,));
    }

    /// A script in the document posted a message to the window.
    pub(super) fn window_message(&self, json: &str) {
        self.deliver("windowMessage", (json,));
    }

    /// Runs a function and answers under the number.
    pub(super) fn execute(&self, function: &str, arguments: &str, number: u64) {
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        self.deliver("execute", (function, arguments, number as f64));
    }

    /// Somebody connected.
    pub(super) fn connect(&self, port: PortId, kind: ConnectKind, name: &PortName, sender: &Sender) {
        let number = self.host.accepted(
            &self.identity,
            port,
            kind,
            name,
            &label_of(sender, self.identity.extension.id()),
        );
        let sender = self.show_sender(sender).to_string();
        self.deliver("connect", (number, natives::kind_name(kind), name.as_str(), sender));
    }

    /// A message came.
    pub(super) fn message(&self, port: PortId, json: &str) {
        let Some(number) = self.host.received(&self.identity, port, json) else { return };
        self.enter(|context| {
            self.deliver_message
                .clone()
                .restore(context)
                .and_then(|message| message.call((number, json)))
                .catch(context)
        });
    }

    /// A port ended.
    pub(super) fn disconnect(&self, port: PortId, reason: DisconnectReason) {
        if let Some(number) = self.host.disconnected(&self.identity, port, reason) {
            self.deliver("disconnect", (number, natives::reason_name(reason)));
        }
    }

    /// A timer is due.
    pub(super) fn timer(&self, timer: u32) {
        self.deliver("timer", (timer,));
    }

    /// The browser process answered a call.
    pub(super) fn answer(&self, call: u32, outcome: Result<String, String>) {
        let (json, error) = match outcome {
            Ok(json) => (Some(json), None),
            Err(error) => (None, Some(error)),
        };
        self.deliver("answer", (call, json, error));
    }

    /// The browser process emitted an event.
    pub(super) fn emit(&self, event: &str, details: &str) {
        self.deliver("emit", (event, details));
    }

    /// Reports an error that belongs to this world.
    pub(super) fn report(&self, error: &ScriptError) {
        error.report(&self.host.shared.log, &self.identity.label, &self.identity.extension);
    }

    fn deliver<'a>(&'a self, name: &str, arguments: impl for<'js> IntoArgs<'js> + 'a) {
        self.enter(|context| {
            let call = || {
                let function: Function<'_> = self.deliver.clone().restore(context)?.get(name)?;
                function.call::<_, ()>(arguments)
            };
            call().catch(context)
        });
    }

    /// Runs script and reports what it throws.
    fn enter(&self, work: impl for<'js> FnOnce(&Ctx<'js>) -> CaughtResult<'js, ()>) {
        let error = self
            .context
            .with(|context| work(&context).err().map(|caught| ScriptError::of_caught(&context, caught)));
        if let Some(error) = error {
            self.report(&error);
        }
    }

    /// `port.sender`, as the profile shows it.
    fn show_sender(&self, sender: &Sender) -> serde_json::Value {
        let mut shown =
            json!({ "id": sender.extension().as_str(), "origin": sender.origin(), "url": sender.url() });
        let profile = self.host.shared.profile;
        if profile == Profile::Firefox {
            let is_content = sender.kind() == ContextKind::ContentScript;
            shown["envType"] = if is_content { "content_child" } else { "addon_child" }.into();
        }
        if let Some(context) = sender.context() {
            shown["contextId"] = context_number(context).into();
        }
        if let Some(document) = sender.document() {
            shown["documentId"] = profile.show_document(document).into();
        }
        if let (Some(tab), Some(frame)) = (sender.tab(), sender.frame()) {
            shown["frameId"] = frame.get().into();
            if let Some(lifecycle) = sender.lifecycle() {
                shown["documentLifecycle"] = match lifecycle {
                    DocumentLifecycle::Cached => "cached",
                    _ => "active",
                }
                .into();
            }
            if let Some(tab) = self.host.shared.tabs.get(tab) {
                shown["tab"] = tab.seen_by(&self.identity.extension);
            }
        }
        shown
    }
}

/// A context as a number that a script holds exactly.
fn context_number(context: ContextId) -> u64 {
    let mut hasher = DefaultHasher::new();
    context.hash(&mut hasher);
    hasher.finish() >> 12
}

/// How the bindings name why a document goes.
pub(super) fn leave_name(leave: Leave) -> String {
    format!("{leave:?}")
}

/// How the log names an opener.
fn label_of(sender: &Sender, own: &ExtensionId) -> String {
    let label = match (sender.tab(), sender.frame()) {
        (Some(tab), Some(frame)) => place_label(tab, frame),
        _ => "background".to_owned(),
    };
    if sender.extension() == own { label } else { format!("{label} of extension {}", sender.extension()) }
}

/// The world as main.js is told of it.
fn describe(host: &Host, description: &WorldDescription) -> serde_json::Value {
    let extension = &description.extension;
    let manifest: serde_json::Value = serde_json::from_str(extension.manifest_text()).unwrap_or_default();
    json!({
        "kind": match description.kind {
            ContextKind::ContentScript => "content-script",
            ContextKind::Background => "background",
            _ => "page",
        },
        "isWorker": description.is_worker,
        "profile": host.shared.profile.name(),
        "userAgent": host.shared.profile.user_agent(),
        "timeOrigin": host.shared.clock.time_origin(),
        "replays": host.shared.recorder.is_some(),
        "inspectedTab": description.inspected_tab.map(TabId::get),
        "isTop": description.place.is_none_or(|place| place.frame == port_core::FrameId::TOP),
        "isShown": description.place.and_then(|place| host.shared.tabs.get(place.tab)).is_some_and(|tab| tab.active),
        "url": description.url.as_str(),
        "title": description.title,
        "extension": {
            "id": extension.id().as_str(),
            "instance": Profile::Firefox.show_document(DocumentId::new(crate::extension::hash(extension.id().as_str()))),
            "base": extension.base().as_str(),
            "manifest": manifest,
        },
    })
}
