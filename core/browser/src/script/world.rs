//! One world: a QuickJS context with the bindings, in which scripts of one extension
//! run.

use super::host::{Host, WorldIdentity};
use super::modules::{self, Modules};
use super::natives;
use super::rejections::RawContext;
use super::script_error::ScriptError;
use super::sender_text::SenderText;
use super::{Leave, WorldDescription};
use crate::extension::Script;
use crate::extension::manifest::{RunAt, ScriptKind};
use crate::profile::Profile;
use crate::tabs::place_label;
use port_core::{
    ConnectKind, ContextId, ContextKind, DisconnectReason, DocumentId, ExtensionId, PortId, PortName, Sender,
    TabId,
};
use rquickjs::function::IntoArgs;
use rquickjs::{CatchResultExt, CaughtResult, Context, Ctx, Function, Module, Object, Persistent, Runtime};
use serde_json::json;
use std::rc::Rc;

/// A world. Everything done to it is one task; the caller runs the microtask
/// checkpoint behind it.
pub(super) struct World {
    identity: WorldIdentity,
    kind: ContextKind,
    host: Rc<Host>,
    senders: SenderText,
    /// The functions that `install` in main.js gave.
    deliver: Persistent<Object<'static>>,
    /// Those of them that are called most.
    deliver_connect: Persistent<Function<'static>>,
    deliver_message: Persistent<Function<'static>>,
    deliver_disconnect: Persistent<Function<'static>>,
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
        let (deliver, [connect, message, disconnect]) = context.with(|context| {
            let natives = natives::create(&context, host, &identity)?;
            let module = Module::declare(context.clone(), modules::MAIN, modules::MAIN_SOURCE)?;
            let (module, evaluated) = module.eval()?;
            evaluated.finish::<()>()?;
            let install: Function<'_> = module.get("install")?;
            let world = context.json_parse(describe(host, description).to_string())?;
            let deliver: Object<'_> = install.call((natives, world))?;
            let function = |name: &str| {
                let function: Function<'_> = deliver.get(name)?;
                Ok::<_, rquickjs::Error>(Persistent::save(&context, function))
            };
            let often = [function("connect")?, function("message")?, function("disconnect")?];
            let hide: Function<'_> = deliver.get("leave")?;
            host.leaving.borrow_mut().insert(context_id, Persistent::save(&context, hide));
            Ok::<_, rquickjs::Error>((Persistent::save(&context, deliver), often))
        })?;
        host.counts.borrow_mut().contexts += 1;
        Ok(Self {
            identity,
            kind: description.kind,
            host: Rc::clone(host),
            senders: SenderText::default(),
            deliver,
            deliver_connect: connect,
            deliver_message: message,
            deliver_disconnect: disconnect,
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

    /// A frame element of the document has loaded.
    pub(super) fn frame_loaded(&self, element: u32) {
        self.deliver("frameLoaded", (element,));
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
        let own = self.identity.extension.id();
        let opener = || label_of(sender, own);
        let number = self.host.accepted(&self.identity, port, kind, name, opener);
        let is_one_off = kind == ConnectKind::OneOff;
        let is_external = sender.extension() != own;
        let sender = self.senders.of(sender, &self.host, &self.identity.extension);
        self.call(&self.deliver_connect, (number, is_one_off, name.as_str(), &*sender, is_external));
    }

    /// A message came.
    pub(super) fn message(&self, port: PortId, json: &str) {
        let Some(number) = self.host.received(&self.identity, port, json) else { return };
        self.enter(|context| {
            let call = || {
                // With room for what ends it in the engine.
                let mut text = Vec::with_capacity(json.len() + 1);
                text.extend_from_slice(json.as_bytes());
                let message = context.json_parse(text)?;
                self.deliver_message.clone().restore(context)?.call((number, message))
            };
            call().catch(context)
        });
    }

    /// A port ended.
    pub(super) fn disconnect(&self, port: PortId, reason: DisconnectReason) {
        if let Some(number) = self.host.disconnected(&self.identity, port, reason) {
            self.call(&self.deliver_disconnect, (number, natives::reason_name(reason)));
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

    fn call(&self, function: &Persistent<Function<'static>>, arguments: impl for<'js> IntoArgs<'js>) {
        self.enter(|context| {
            let call = || function.clone().restore(context)?.call::<_, ()>(arguments);
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
