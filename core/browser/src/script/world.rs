//! One world: a realm of the engine in which scripts of one extension run, with a context of the core's.

use super::event_loop::AnyOpener;
use super::host::{Host, WorldIdentity};
use super::world_host::WorldHost;
use crate::messages::{Code, Leave, WorldDescription};
use crate::quickjs::{Addition, Engine, Realm, RealmId};
use crate::script_error::ScriptError;
use port_core::{
    ConnectKind, ContextId, ContextKind, DisconnectReason, DocumentId, ExtensionId, Listening, PortId,
    PortName, TabId,
};
use port_core_webext::extension::Script;
use port_core_webext::extension::manifest::RunAt;
use port_core_webext::{Opener, Profile, ScriptEvent, ScriptSurface, SenderText, place_label};
use serde_json::json;
use std::cell::Cell;
use std::rc::Rc;

/// A world. Everything done to it is one task; the caller runs the microtask
/// checkpoint behind it.
pub(super) struct World {
    kind: ContextKind,
    /// Whether its extension is no more.
    is_orphan: bool,
    /// Whether it is told of events: a background is not until the browser process knows that it runs.
    hears: bool,
    host: Rc<WorldHost>,
    senders: SenderText<AnyOpener>,
    realm: Realm,
}

impl World {
    /// Makes a realm with the API in it.
    pub(super) fn new(
        engine: &Engine,
        host: &Rc<Host>,
        context: ContextId,
        description: &WorldDescription,
    ) -> Result<Self, String> {
        let extension = &description.extension;
        let world = WorldIdentity {
            context,
            extension: extension.clone(),
            instance: description.instance,
            place: description.place,
            page: description.page,
            label: description.label.as_str().into(),
        };
        let mut counts = host.counts.borrow_mut();
        let number = counts.contexts;
        counts.contexts += 1;
        drop(counts);
        let described = describe(host, description);
        let host = Rc::new(WorldHost {
            host: Rc::clone(host),
            world,
            kind: description.kind,
            listening: Cell::new(Listening::none()),
        });
        let scenario_global =
            host.host.shared.scenario_global.filter(|_| description.kind != ContextKind::WebPage);
        let addition = scenario_global.map(|(name, source)| {
            let host = Rc::clone(&host);
            Addition { name, source, native: Box::new(move |events| host.record(events)) }
        });
        let realm = engine.realm(Rc::clone(&host), extension, number, &described, addition)?;
        host.host.numbers.borrow_mut().insert(context, number);
        if description.kind == ContextKind::Background && !description.is_worker {
            host.host.backgrounds.borrow_mut().insert(description.instance, (context, number));
        }
        Ok(Self {
            kind: description.kind,
            is_orphan: false,
            hears: description.kind != ContextKind::Background,
            host,
            senders: SenderText::default(),
            realm,
        })
    }

    /// Whether it is a page of the extension, background or not, and so is told of
    /// browser events.
    pub(super) fn is_extension_page(&self) -> bool {
        matches!(self.kind, ContextKind::Background | ContextKind::Page)
    }

    /// Whether it is the world of the page itself.
    pub(super) fn is_pages_own(&self) -> bool {
        self.kind == ContextKind::WebPage
    }

    /// Whether its extension is no more.
    pub(super) fn is_orphan(&self) -> bool {
        self.is_orphan
    }

    /// Its extension is no more; its scripts live on, and hear so.
    pub(super) fn orphan(&mut self) {
        self.is_orphan = true;
        self.deliver(&ScriptEvent::Invalidated);
    }

    /// Who the world is to the host.
    pub(super) fn identity(&self) -> &WorldIdentity {
        &self.host.world
    }

    /// The realm.
    pub(super) fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Whether this is the world of a realm.
    pub(super) fn is(&self, realm: RealmId) -> bool {
        self.realm.id() == realm
    }

    /// Whether it is told of events.
    pub(super) fn hears(&self) -> bool {
        self.hears
    }

    /// Has it be told of events from now on.
    pub(super) fn begin_to_hear(&mut self) {
        self.hears = true;
    }

    /// The background has run its script: whoever waits for it may come.
    pub(super) fn set_ready(&self) {
        self.host.set_ready();
    }

    /// The background is about to be stopped: nobody decides about what connects to it any more.
    pub(super) fn listen_no_more(&self) {
        self.host.listen_no_more();
    }

    /// Runs a script; says whether it threw nothing.
    pub(super) fn run(&self, script: &Script) -> bool {
        self.realm.run(script)
    }

    /// Tells the world of something.
    pub(super) fn deliver(&self, event: &ScriptEvent<'_>) {
        self.realm.deliver(event);
    }

    /// The document got to a moment of loading.
    pub(super) fn reach(&self, moment: RunAt) {
        match moment {
            RunAt::Start => {}
            RunAt::End => self.deliver(&ScriptEvent::ReadyState("interactive")),
            RunAt::Idle => self.deliver(&ScriptEvent::ReadyState("complete")),
        }
    }

    /// The document goes away.
    pub(super) fn hide(&self, leave: Leave) {
        self.deliver(&ScriptEvent::Leave(match leave {
            Leave::Cached => "Cached",
            Leave::Navigated => "Navigated",
            Leave::Removed => "Removed",
            Leave::Closed => "Closed",
        }));
    }

    /// Runs something and answers under the number.
    pub(super) fn execute(&self, code: &Code, number: u64) {
        self.host.host.executions.borrow_mut().insert(number, self.identity().context);
        match code {
            Code::Function { text, arguments } => {
                self.deliver(&ScriptEvent::Execute { function: text, arguments, number });
            }
            Code::Scripts(scripts) => {
                let scripts =
                    scripts.iter().map(|script| json!({ "url": &*script.url, "text": &*script.text }));
                let scripts = serde_json::Value::from_iter(scripts).to_string();
                self.deliver(&ScriptEvent::Inject { scripts: &scripts, number });
            }
        }
    }

    /// Somebody connected.
    pub(super) fn connect(&self, port: PortId, kind: ConnectKind, name: &PortName, sender: &AnyOpener) {
        let WorldHost { host, world, .. } = &*self.host;
        let own = world.extension.id();
        let opener = || label_of(&Opener::from(sender), own);
        let port = host.accepted(world, port, kind, name, opener);
        let is_external = Opener::from(sender).extension != Some(own);
        let sender = self.senders.of(
            sender,
            host.shared.profile,
            &host.shared.tabs,
            &world.extension,
            self.is_extension_page(),
        );
        let (name, is_one_off) = (name.as_str(), kind == ConnectKind::OneOff);
        self.deliver(&ScriptEvent::Connect { port, is_one_off, name, sender: &sender, is_external });
    }

    /// A message came.
    pub(super) fn message(&self, port: PortId, message: &str) {
        if let Some(port) = self.host.host.received(self.identity(), port, message) {
            self.deliver(&ScriptEvent::Message { port, message });
        }
    }

    /// A port ended.
    pub(super) fn disconnect(&self, port: PortId, reason: DisconnectReason) {
        if let Some(port) = self.host.host.disconnected(self.identity(), port, reason) {
            self.deliver(&ScriptEvent::Disconnect { port, reason: &format!("{reason:?}") });
        }
    }

    /// The browser process answered a call.
    pub(super) fn answer(&self, call: u32, outcome: &Result<String, String>) {
        let (result, error) = (outcome.as_deref().ok(), outcome.as_ref().err().map(String::as_str));
        self.deliver(&ScriptEvent::Answer { call, result, error });
    }

    /// Reports an error that belongs to this world.
    pub(super) fn report(&self, error: &ScriptError) {
        error.report(&self.host.host.shared.log, &self.identity().label, &self.identity().extension);
    }
}

/// How the log names an opener.
fn label_of(opener: &Opener<'_>, own: &ExtensionId) -> String {
    let label = match (opener.tab, opener.frame) {
        (Some(tab), Some(frame)) => place_label(tab, frame),
        _ => "background".to_owned(),
    };
    match opener.extension {
        Some(extension) if extension == own => label,
        Some(extension) => format!("{label} of extension {extension}"),
        None => format!("{label} of the web"),
    }
}

/// The world as its scripts' side is told of it, see `host.d.ts`.
fn describe(host: &Host, description: &WorldDescription) -> serde_json::Value {
    let extension = &description.extension;
    let manifest: serde_json::Value = serde_json::from_str(extension.manifest_text()).unwrap_or_default();
    json!({
        "kind": match description.kind {
            ContextKind::WebPage => "main",
            ContextKind::ContentScript => "content-script",
            ContextKind::Background => "background",
            _ => "page",
        },
        "isAdmitted": !description.admitted_by.is_empty(),
        "isWorker": description.is_worker,
        "profile": host.shared.profile.name(),
        "userAgent": host.shared.profile.user_agent(),
        "timeOrigin": host.shared.clock.time_origin(),
        "inspectedTab": description.inspected_tab.map(TabId::get),
        "isTop": description.place.is_none_or(|place| place.frame == port_core::FrameId::TOP),
        "isShown": description.place.and_then(|place| host.shared.tabs.get(place.tab)).is_some_and(|tab| tab.active),
        "url": description.url.as_str(),
        "title": description.title,
        "html": &*description.html,
        "above": description.above,
        "isOwnDocument": description.is_own_document,
        "extension": {
            "id": extension.id().as_str(),
            "instance": Profile::Firefox.show_document(DocumentId::new(port_core_webext::extension::hash(extension.id().as_str()))),
            "base": extension.base().as_str(),
            "manifest": manifest,
            "permissions": extension.permissions(),
            "absentNamespaces": extension.absent_namespaces(),
            "messages": extension.messages(),
        },
    })
}
