//! What a thread's worlds share: the event loop, ports by number, timers and counts. What scripts
//! call comes through [`WorldHost`](super::world_host::WorldHost).

use super::documents::{Document, Documents};
use super::event_loop::{ScriptEventLoop, Target};
use super::idle::IdleBackgrounds;
use super::timers::Timers;
use crate::alarm::has_woken;
use crate::log::Event;
use crate::messages::{LastWords, Navigation, NavigationChange, Request, ThreadIndex};
use crate::shared::Shared;
use crate::summary::Counts;
use port_core::{
    ConnectKind, ContextId, DisconnectReason, DocumentId, ExtensionInstance, PortId, PortName, TabId,
};
use port_core_webext::extension::Extension;
use port_core_webext::{Ports, Refusal};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// A thread's native side.
pub(crate) struct Host {
    pub(super) thread: ThreadIndex,
    pub(super) shared: Shared,
    pub(super) event_loop: RefCell<ScriptEventLoop>,
    pub(super) timers: RefCell<Timers>,
    pub(super) idle: RefCell<IdleBackgrounds>,
    pub(super) counts: RefCell<Counts>,
    pub(super) documents: RefCell<Documents>,
    /// The numbers that the engine knows worlds by.
    pub(super) numbers: RefCell<HashMap<ContextId, u64>>,
    /// Those of background pages, by extension.
    pub(super) backgrounds: RefCell<HashMap<ExtensionInstance, (ContextId, u64)>>,
    /// The functions that worlds were given to run, by their numbers.
    pub(super) executions: RefCell<HashMap<u64, ContextId>>,
    /// `localStorage` and `sessionStorage`, by area and origin.
    pub(super) site_storage: RefCell<BTreeMap<(String, String), BTreeMap<String, String>>>,
    /// Messages of windows to themselves, by document, as JSON.
    pub(super) window_messages: RefCell<VecDeque<(DocumentId, String)>>,
    /// What becomes of what scripts say, while they hear that their document goes.
    pub(super) last_words: Cell<LastWords>,
    /// How many elements the latest click of a person found.
    pub(super) presses: Cell<u32>,
    /// Whether a document that is about to go must not be cached.
    pub(super) keeps_from_cache: Cell<bool>,
    /// Contexts that this thread has ended, and whose worlds are to be dropped.
    pub(super) detached: RefCell<Vec<ContextId>>,
    ports: RefCell<Ports<LoggedPort>>,
    /// Whether the log tells what happens to ports; most of it costs more than the port.
    logs_ports: bool,
}

/// A port as the log shows it.
pub(super) struct LoggedPort {
    name: PortName,
    /// How many of its messages were shown.
    shown: u64,
}

/// A channel that a script wants opened.
pub(super) struct Connection<'a> {
    pub(super) kind: ConnectKind,
    pub(super) name: &'a str,
    pub(super) target: Target<'a>,
    /// How the log names the target.
    pub(super) shown: &'a dyn Fn() -> String,
}

/// One of a host's worlds, as its native functions know it.
#[derive(Clone)]
pub(crate) struct WorldIdentity {
    pub(super) context: ContextId,
    pub(super) extension: Arc<Extension>,
    pub(super) instance: ExtensionInstance,
    pub(super) place: Option<port_core::Place>,
    pub(super) page: Option<u64>,
    pub(super) label: Rc<str>,
}

impl Host {
    pub(super) fn new(thread: ThreadIndex, shared: Shared, event_loop: ScriptEventLoop) -> Self {
        Self {
            thread,
            logs_ports: shared.log.tells_of_ports(),
            shared,
            event_loop: RefCell::new(event_loop),
            timers: RefCell::default(),
            idle: RefCell::default(),
            counts: RefCell::default(),
            documents: RefCell::default(),
            numbers: RefCell::default(),
            backgrounds: RefCell::default(),
            executions: RefCell::default(),
            site_storage: RefCell::default(),
            window_messages: RefCell::default(),
            last_words: Cell::default(),
            presses: Cell::default(),
            keeps_from_cache: Cell::default(),
            detached: RefCell::default(),
            ports: RefCell::default(),
        }
    }

    /// `connect` or `sendMessage`; gives the number of the new channel.
    pub(super) fn connect(&self, world: &WorldIdentity, connection: &Connection<'_>) -> Result<u32, Refusal> {
        let Connection { kind, name, target, shown } = connection;
        if self.logs_ports {
            self.log(world, &Event::Connect { port: name_in_log(*kind, name), target: &shown() });
        }
        // What nobody is to hear any more reaches no extension.
        let nobody = Target::Runtime(Some(""));
        let target = if self.last_words.get() == LastWords::Unsent { nobody } else { *target };
        let id = self.event_loop.borrow_mut().connect(world.context, target, *kind, name)?;
        if has_woken() {
            self.log(world, &Event::Wake { target: &shown() });
        }
        self.idle.borrow_mut().note_use(world.context);
        if *kind == ConnectKind::OneOff {
            self.idle.borrow_mut().note_request(world.context, id);
        }
        self.counts.borrow_mut().connects += 1;
        Ok(self.add_port(id, world, name_in_log(*kind, name)))
    }

    /// A context received its end of a channel; gives the channel's number.
    pub(super) fn accepted(
        &self,
        world: &WorldIdentity,
        id: PortId,
        kind: ConnectKind,
        name: &PortName,
        opener: impl FnOnce() -> String,
    ) -> u32 {
        let name = name_in_log(kind, name.as_str());
        if self.logs_ports {
            self.log(world, &Event::Accept { port: name, opener: &opener() });
        }
        self.counts.borrow_mut().accepts += 1;
        self.add_port(id, world, name)
    }

    fn add_port(&self, id: PortId, world: &WorldIdentity, name: &str) -> u32 {
        let logged = LoggedPort { name: PortName::new(name), shown: 0 };
        self.ports.borrow_mut().add(id, world.context, logged)
    }

    /// `port.postMessage`; gives why the message was refused.
    pub(super) fn post_message(
        &self,
        world: &WorldIdentity,
        number: u32,
        json: String,
    ) -> Result<(), Refusal> {
        let id = self.ports.borrow().id(world.context, number).ok_or(Refusal::Disconnected)?;
        if self.last_words.get() == LastWords::Unsent {
            return Ok(());
        }
        // Before it is sent: the receiver may be quick to write down that it has it.
        self.log_message(world, id, &json, |port, message| Event::Post { port, message });
        let mut counts = self.counts.borrow_mut();
        counts.first_post.get_or_insert_with(Instant::now);
        self.event_loop.borrow_mut().post_message(id, json)?;
        counts.posts += 1;
        Ok(())
    }

    /// A message is about to be delivered; gives its port's number.
    pub(super) fn received(&self, world: &WorldIdentity, id: PortId, json: &str) -> Option<u32> {
        let number = self.ports.borrow().number(id)?;
        self.log_message(world, id, json, |port, message| Event::Message { port, message });
        let mut counts = self.counts.borrow_mut();
        counts.deliveries += 1;
        counts.bytes += json.len() as u64;
        Some(number)
    }

    /// `port.disconnect`.
    pub(super) fn disconnect(&self, world: &WorldIdentity, number: u32) -> Result<(), Refusal> {
        let id = self.ports.borrow().id(world.context, number).ok_or(Refusal::Disconnected)?;
        let port = self.ports.borrow_mut().remove(id);
        if let Some(port) = port.filter(|_| self.logs_ports) {
            self.log(world, &Event::Disconnect { port: port.details.name.as_str() });
        }
        self.event_loop.borrow_mut().disconnect(id);
        Ok(())
    }

    /// A port was ended by something else; gives its number.
    pub(super) fn disconnected(
        &self,
        world: &WorldIdentity,
        id: PortId,
        reason: DisconnectReason,
    ) -> Option<u32> {
        let port = self.ports.borrow_mut().remove(id)?;
        if self.logs_ports {
            self.log(
                world,
                &Event::Disconnected { port: port.details.name.as_str(), reason: &reason.to_string() },
            );
        }
        *self.counts.borrow_mut().disconnects.entry(reason).or_default() += 1;
        Some(port.number)
    }

    /// Forgets what belonged to a context that is no more.
    pub(super) fn forget(&self, context: ContextId) {
        self.timers.borrow_mut().clear_context(context);
        self.idle.borrow_mut().remove(context);
        self.documents.borrow_mut().leave(context);
        self.numbers.borrow_mut().remove(&context);
        self.backgrounds.borrow_mut().retain(|_, (background, _)| *background != context);
        self.executions.borrow_mut().retain(|&number, runner| {
            if *runner == context {
                let outcome = Err("The frame was removed.".to_owned());
                self.request(Request::Executed { number, outcome });
            }
            *runner != context
        });
        self.ports.borrow_mut().remove_context(context);
        self.event_loop.borrow_mut().forget(context);
    }

    /// A frame element leaves its document: the scripts in it hear so at once, through `leave`, and end.
    pub(super) fn remove_frame(&self, world: &WorldIdentity, element: u32, leave: &mut dyn FnMut(u64)) {
        if self.with_document(world, |document| document.remove_element(element)) != Some(true) {
            return;
        }
        let Some(place) = world.place else { return };
        let worlds = self.documents.borrow().worlds_inside(place.document, element);
        for gone in &worlds {
            let number = self.numbers.borrow().get(gone).copied();
            if let Some(number) = number {
                // What a scenario writes down there is lost in browsers.
                self.last_words.set(LastWords::Unrecorded);
                leave(number);
                self.last_words.take();
            }
        }
        for gone in worlds {
            // Said in the lanes, and so in order with what this thread has sent.
            self.event_loop.borrow_mut().detach(gone);
            self.detached.borrow_mut().push(gone);
        }
        self.navigate(world, NavigationChange::RemoveFrame { element });
    }

    /// Does something with the document that a world lives in, if it has one.
    pub(super) fn with_document<R>(
        &self,
        world: &WorldIdentity,
        work: impl FnOnce(&mut Document) -> R,
    ) -> Option<R> {
        self.documents.borrow_mut().get_mut(world.place?.document).map(work)
    }

    /// A document has another URL and stays. Whoever it connects to from then on finds the URL in its tab.
    pub(super) fn set_document_url(&self, document: DocumentId, url: &Url, top_of: Option<TabId>) {
        if let Some(known) = self.documents.borrow_mut().get_mut(document) {
            known.url = url.clone();
        }
        if let Some(tab) = top_of {
            self.shared.tabs.change(|tabs| {
                if let Some(info) = tabs.get_mut(&tab) {
                    info.url = url.clone();
                }
            });
        }
    }

    /// Tells the browser process what a world did to its page.
    pub(super) fn navigate(&self, world: &WorldIdentity, change: NavigationChange) {
        if let Some(place) = world.place {
            self.request(Request::Navigation(Navigation { place, change }));
        }
    }

    /// Asks the browser process for something.
    pub(super) fn request(&self, request: Request) {
        let busy = self.shared.activity.begin();
        self.shared.requests.send(request, Some(busy));
    }

    /// Writes down what happened to a world.
    pub(super) fn log(&self, world: &WorldIdentity, event: &Event<'_>) {
        self.shared.log.write(&world.label, event);
    }

    /// Writes down a message, unless enough of its port were.
    fn log_message(
        &self,
        world: &WorldIdentity,
        port: PortId,
        json: &str,
        event: for<'a> fn(&'a str, &'a str) -> Event<'a>,
    ) {
        if !self.logs_ports {
            return;
        }
        let mut ports = self.ports.borrow_mut();
        let Some(port) = ports.get_mut(port) else { return };
        let port = &mut port.details;
        let before = port.shown;
        port.shown += 1;
        match before.cmp(&self.shared.shown_messages) {
            std::cmp::Ordering::Less => self.log(world, &event(port.name.as_str(), json)),
            std::cmp::Ordering::Equal => self.log(world, &Event::More { port: port.name.as_str() }),
            std::cmp::Ordering::Greater => {}
        }
    }
}

/// How the log names a channel.
fn name_in_log(kind: ConnectKind, name: &str) -> &str {
    if kind == ConnectKind::OneOff { "sendMessage" } else { name }
}
