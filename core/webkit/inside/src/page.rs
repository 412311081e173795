//! A web page: what one view shows in this process, with its socket to the browser.

use crate::control::{ContextKey, DocumentNumber, FromPage, OpenTab, ToPage};
use crate::documents::Documents;
use crate::link::{Heard, Link};
use crate::natives;
use crate::pace::Pace;
use crate::process::Process;
use crate::values;
use crate::webkit::{self, Frame};
use crate::world::{Operation, Side, Waiting, World};
use gio::UnixFDList;
use glib::{ControlFlow, IOCondition, Priority};
use javascriptcore6::{Context, Value, WeakValue};
use port_core::{DocumentId, TabId, WindowId};
use port_core_gateway::unix::pair;
use port_core_gateway::{Content, ContextNumber, InTab, OfExtension, PortNumber};
use port_core_webext::extension::manifest::ScriptKind;
use port_core_webext::{Refusal, TabDirectory, TabInfo};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};
use url::Url;

/// The name of the message that carries the socket.
pub const SOCKET: &str = "port-core-socket";

/// A page.
pub(crate) struct Page {
    pub(crate) process: Weak<Process>,
    me: Weak<Self>,
    object: webkit::WeakPage,
    pub(crate) link: RefCell<Link>,
    /// The browser's end, until it is sent.
    theirs: RefCell<Option<OwnedFd>>,
    pub(crate) documents: RefCell<Documents>,
    pub(crate) worlds: RefCell<HashMap<ContextKey, Rc<World>>>,
    /// The contexts by the numbers that the browser granted them under.
    pub(crate) granted: RefCell<HashMap<ContextNumber, ContextKey>>,
    pub(crate) ports: RefCell<Ports>,
    pub(crate) tabs: TabDirectory,
    latest_world: Cell<ContextKey>,
    flushing: Cell<bool>,
    pub(crate) turning: Cell<bool>,
    pub(crate) pace: Pace,
    /// What came while scripts were held: it is heard after them.
    pub(crate) postponed: RefCell<VecDeque<Heard>>,
}

/// The ports of a page's scripts.
#[derive(Default)]
pub(crate) struct Ports {
    latest: u32,
    /// By the scripts' numbers: the context, and the gateway's number once it has one.
    pub(crate) open: HashMap<u32, (ContextKey, Option<PortNumber>)>,
    pub(crate) numbers: HashMap<PortNumber, u32>,
}

impl Page {
    /// Makes the socket of a page that is new in this process, and listens to it.
    pub(crate) fn new(process: &Rc<Process>, object: &webkit::Page) -> io::Result<Rc<Self>> {
        let (ours, theirs) = pair()?;
        let link = Link::new(ours)?;
        let socket = link.as_fd().as_raw_fd();
        let page = Rc::new_cyclic(|me| Self {
            process: Rc::downgrade(process),
            me: Weak::clone(me),
            // One that counts would keep the page, which then never says that it is gone.
            object: object.downgrade(),
            link: RefCell::new(link),
            theirs: RefCell::new(Some(theirs)),
            documents: RefCell::default(),
            worlds: RefCell::default(),
            granted: RefCell::default(),
            ports: RefCell::default(),
            tabs: TabDirectory::default(),
            latest_world: Cell::new(0),
            flushing: Cell::new(false),
            turning: Cell::new(false),
            pace: Pace::default(),
            postponed: RefCell::default(),
        });
        let me = Rc::downgrade(&page);
        // The source ends with the page, or when the browser closes its end.
        glib::source::unix_fd_add_local(socket, IOCondition::IN | IOCondition::HUP, move |_, _| {
            let open = me.upgrade().is_some_and(|page| page.turn());
            if open { ControlFlow::Continue } else { ControlFlow::Break }
        });
        Ok(page)
    }

    /// Sends the browser its end of the socket, once. Whoever calls sees to it that the page is not provisional: such a
    /// page's messages are lost.
    pub(crate) fn hand_over(&self) {
        let Some(object) = self.object.upgrade() else { return };
        if let Some(descriptor) = self.theirs.borrow_mut().take() {
            object.send(SOCKET, &UnixFDList::from_array([descriptor]));
        }
    }

    /// Tells the browser something, behind all that scripts have called until now. Returns whether it is short enough.
    pub(crate) fn tell(&self, what: &FromPage) -> bool {
        let is_short = self.link.borrow_mut().tell(what);
        self.flush_soon();
        is_short
    }

    /// Answers a call whose arguments are longer than the browser takes.
    pub(crate) fn answer_too_long(self: &Rc<Self>, context: ContextKey, number: u32) {
        let outcome = Err("the arguments are too long for this browser".to_owned());
        self.postponed.borrow_mut().push_back(Heard::Told(ToPage::Answer { context, number, outcome }));
        self.turn_soon(Priority::DEFAULT);
    }

    /// Tells the browser something once the scripts' turn is over.
    pub(crate) fn tell_at_last(&self, what: FromPage) {
        self.link.borrow_mut().tell_at_last(what);
        self.flush_soon();
    }

    /// Makes the world of an extension's scripts in the document of a frame.
    pub(crate) fn make_world(
        self: &Rc<Self>,
        frame: &Frame,
        document: DocumentNumber,
        extension: &Rc<crate::extensions::Loaded>,
        is_page: bool,
    ) -> Option<Rc<World>> {
        let process = self.process.upgrade()?;
        let context =
            if is_page { frame.context_in(&process.pages_own) } else { frame.context_in(&extension.world) };
        let key = self.latest_world.get() + 1;
        self.latest_world.set(key);
        let world = Rc::new(World {
            key,
            document,
            extension: Rc::clone(extension),
            is_page,
            side: RefCell::new(Side::Waiting(Waiting::default())),
            handle: RefCell::new(None),
            has_heard: Cell::new(false),
        });
        self.worlds.borrow_mut().insert(key, Rc::clone(&world));
        let id = extension.extension.id().as_str().to_owned();
        self.tell(&FromPage::World { context: key, document, extension: id, is_page });
        let native = natives::function(&context, self, &world);
        let bundle =
            context.evaluate_with_source_uri(port_core_webext::script::api(), "port-core:api.js", 1)?;
        let glue = context.evaluate_with_source_uri(include_str!("glue.js"), "port-core:glue.js", 1)?;
        let is_background = self.url_of(document).is_some_and(|url| {
            extension
                .extension
                .background()
                .is_some_and(|page| page.url.path() == url.path() || url.query() == Some("worker"))
        });
        let described = process.describe(extension, is_page, is_background);
        let is_worker = is_background && extension.extension.has_worker();
        let given =
            [bundle, native, values::text(&context, &described), Value::new_boolean(&context, is_worker)];
        let handle = glue.function_callv(&given)?;
        if let Some(thrown) = context.exception() {
            self.report(&world, &thrown.report().unwrap_or_default());
            context.clear_exception();
        }
        *world.handle.borrow_mut() = Some(WeakValue::new(&handle));
        Some(world)
    }

    fn url_of(&self, document: DocumentNumber) -> Option<Url> {
        self.documents.borrow().get(document).map(|shown| shown.matched.url.clone())
    }

    /// Returns the world of an extension in a document.
    pub(crate) fn world_in(&self, document: DocumentNumber, extension: &str) -> Option<Rc<World>> {
        let worlds = self.worlds.borrow();
        let mut worlds = worlds.values();
        worlds
            .find(|world| world.document == document && world.extension.extension.id().as_str() == extension)
            .cloned()
    }

    /// Writes an error to the extension's console.
    pub(crate) fn report(&self, world: &World, text: &str) {
        self.tell(&FromPage::Console {
            context: world.key,
            level: "error".to_owned(),
            text: text.to_owned(),
        });
    }

    /// The garbage of a world was collected.
    pub(crate) fn collected(&self, key: ContextKey) {
        self.worlds.borrow_mut().remove(&key);
        self.tell(&FromPage::Collected { context: key });
    }

    /// Runs another script of an extension's worker, as `importScripts` does.
    pub(crate) fn import(&self, world: &World, context: &Context, url: &str) -> Result<Value, String> {
        let parsed = Url::parse(url).map_err(|error| error.to_string())?;
        let script = world.extension.extension.script(&parsed, ScriptKind::Classic)?;
        let value = context.evaluate_with_source_uri(&script.text, url, 1);
        if let Some(thrown) = context.exception() {
            context.clear_exception();
            return Err(thrown.report().unwrap_or_default().into());
        }
        Ok(value.unwrap_or_else(|| Value::new_undefined(context)))
    }

    /// Reads a document's id as scripts have it.
    pub(crate) fn document_named(&self, text: &str) -> DocumentId {
        self.process
            .upgrade()
            .map_or(DocumentId::new(u128::MAX), |process| process.profile.parse_document(text))
    }

    // Ports.

    /// Gives a port a number, before the gateway does.
    pub(crate) fn new_port(&self, holder: ContextKey) -> u32 {
        let mut ports = self.ports.borrow_mut();
        ports.latest += 1;
        let port = ports.latest;
        ports.open.insert(port, (holder, None));
        port
    }

    /// Forgets a port.
    pub(crate) fn forget_port(&self, port: u32) {
        let mut ports = self.ports.borrow_mut();
        if let Some((_, Some(number))) = ports.open.remove(&port) {
            ports.numbers.remove(&number);
        }
    }

    /// Carries out a call of a world's scripts, or has it wait until the context is granted.
    pub(crate) fn carry_out(&self, world: &World, operation: Operation) -> Result<(), Refusal> {
        let context = match &mut *world.side.borrow_mut() {
            Side::Attached(context) => *context,
            Side::Gone => return Err(Refusal::Gone),
            Side::Waiting(waiting) | Side::Held(_, waiting) => {
                let taken = waiting.add(operation);
                return if taken {
                    Ok(())
                } else {
                    Err(Refusal::Other("the browser is too far behind".into()))
                };
            }
        };
        self.perform(context, operation)
    }

    /// Makes a call on the gateway.
    pub(crate) fn perform(&self, context: ContextNumber, operation: Operation) -> Result<(), Refusal> {
        let mut link = self.link.borrow_mut();
        let stub = link.stub();
        let opened = |port: u32, number: PortNumber| {
            let mut ports = self.ports.borrow_mut();
            if let Some(known) = ports.open.get_mut(&port) {
                known.1 = Some(number);
            }
            ports.numbers.insert(number, port);
        };
        match operation {
            Operation::Listen(listening) => {
                // A context that a fact has ended meanwhile listens to nothing anyway.
                let _ = stub.set_listening(context, listening);
            }
            Operation::Tab { port, tab, frame, document, kind, name } => {
                let target = InTab { frame, document, kind, ..InTab::new(tab).name(&name) };
                opened(port, stub.connect_tab(context, &target)?);
            }
            Operation::Runtime { port, extension, kind, name } => {
                let target = OfExtension { extension: extension.as_deref(), kind, name: &name };
                opened(port, stub.connect_runtime(context, &target)?);
            }
            Operation::Post { port, text } => {
                let number = self.ports.borrow().open.get(&port).and_then(|(_, number)| *number);
                stub.post_message(number.ok_or(Refusal::Disconnected)?, &text[..])?;
            }
            Operation::Disconnect { port } => {
                let known = self.ports.borrow_mut().open.remove(&port);
                if let Some((_, Some(number))) = known {
                    self.ports.borrow_mut().numbers.remove(&number);
                    stub.disconnect(number);
                }
            }
        }
        drop(link);
        self.flush_soon();
        Ok(())
    }

    /// Posts a message on a port of a world.
    pub(crate) fn post(&self, world: &World, port: u32, text: &[u8]) -> Result<(), Refusal> {
        let known = self.ports.borrow().open.get(&port).copied();
        match known {
            Some((holder, Some(number))) if holder == world.key => {
                self.link.borrow_mut().stub().post_message(number, Content::from(text))?;
                self.flush_soon();
                Ok(())
            }
            Some((holder, None)) if holder == world.key => {
                self.carry_out(world, Operation::Post { port, text: text.to_vec() })
            }
            _ => Err(Refusal::Disconnected),
        }
    }

    /// Ends a port of a world. Returns whether it was open.
    pub(crate) fn disconnect(&self, world: &World, port: u32) -> bool {
        let is_own = self.ports.borrow().open.get(&port).is_some_and(|(holder, _)| *holder == world.key);
        is_own && self.carry_out(world, Operation::Disconnect { port }).is_ok()
    }

    // The socket.

    /// Sends what was written once the script's turn is over: one system call for all of it.
    pub(crate) fn flush_soon(&self) {
        // A turn of this page's own ends with that.
        if self.turning.get() || self.flushing.replace(true) {
            return;
        }
        let me = Weak::clone(&self.me);
        glib::source::idle_add_local_full(Priority::HIGH, move || {
            if let Some(page) = me.upgrade() {
                page.flushing.set(false);
                page.flush();
            }
            ControlFlow::Break
        });
    }

    /// Sends what was written, now and once the socket takes more.
    pub(crate) fn flush(&self) {
        let mut link = self.link.borrow_mut();
        if link.flush() || self.flushing.replace(true) {
            return;
        }
        let me = Weak::clone(&self.me);
        glib::source::unix_fd_add_local(link.as_fd().as_raw_fd(), IOCondition::OUT, move |_, _| {
            if let Some(page) = me.upgrade() {
                page.flushing.set(false);
                page.flush();
            }
            ControlFlow::Break
        });
    }

    /// Takes over the open tabs.
    pub(crate) fn set_tabs(&self, open: Vec<OpenTab>) {
        self.tabs.change(|tabs| {
            tabs.clear();
            for tab in open {
                let Ok(url) = Url::parse(&tab.url) else { continue };
                let id = TabId::new(tab.id);
                let info = TabInfo {
                    id,
                    window: WindowId::new(tab.window),
                    index: tab.index,
                    active: tab.active,
                    url,
                    title: tab.title,
                    complete: tab.complete,
                    discarded: false,
                    last_accessed: tab.last_accessed,
                    granted: tab.granted.iter().map(|id| port_core::ExtensionId::new(id)).collect(),
                };
                tabs.insert(id, info);
            }
        });
    }
}
