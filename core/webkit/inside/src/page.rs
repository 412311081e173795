//! A web page: what one view shows in this process, with its two sockets to the browser.

use crate::control::{ContextKey, Control, DocumentNumber, FromPage, OpenTab, ToPage};
use crate::documents::Documents;
use crate::holding::Postponed;
use crate::natives;
use crate::process::Process;
use crate::values;
use crate::webkit::{self, Frame};
use crate::world::{Operation, Side, Waiting, World};
use gio::UnixFDList;
use glib::{ControlFlow, IOCondition, Priority};
use javascriptcore6::{Context, Value, WeakValue};
use port_core::{DocumentId, TabId, WindowId};
use port_core_gateway::unix::{Connection, pair};
use port_core_gateway::{Content, ContextNumber, InTab, OfExtension, PortNumber};
use port_core_webext::extension::manifest::ScriptKind;
use port_core_webext::{Refusal, TabDirectory, TabInfo};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};
use url::Url;

/// The name of the message that carries the sockets.
pub const SOCKETS: &str = "port-core-sockets";

/// A page.
pub(crate) struct Page {
    pub(crate) process: Weak<Process>,
    me: Weak<Self>,
    object: webkit::Page,
    /// Messages, over the gateway.
    pub(crate) connection: RefCell<Connection>,
    /// Everything else.
    control: RefCell<Control>,
    /// The browser's ends, until they are sent.
    theirs: RefCell<Option<[OwnedFd; 2]>>,
    /// Whether the browser is there no more.
    closed: Cell<bool>,
    pub(crate) documents: RefCell<Documents>,
    pub(crate) worlds: RefCell<HashMap<ContextKey, Rc<World>>>,
    /// The contexts by the numbers that the browser granted them under.
    pub(crate) granted: RefCell<HashMap<ContextNumber, ContextKey>>,
    pub(crate) ports: RefCell<Ports>,
    pub(crate) tabs: TabDirectory,
    latest_world: Cell<ContextKey>,
    flushing: Cell<bool>,
    pub(crate) turning: Cell<bool>,
    pub(crate) postponed: RefCell<Postponed>,
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
    /// Makes the sockets of a page that is new in this process, and listens to them.
    pub(crate) fn new(process: &Rc<Process>, object: &webkit::Page) -> io::Result<Rc<Self>> {
        let (ours, theirs) = pair()?;
        let (our_control, their_control) = pair()?;
        let page = Rc::new_cyclic(|me| Self {
            process: Rc::downgrade(process),
            me: Weak::clone(me),
            object: object.clone(),
            connection: RefCell::new(Connection::new(ours).expect("a socket does not block")),
            control: RefCell::new(Control::new(our_control).expect("a socket does not block")),
            theirs: RefCell::new(Some([theirs, their_control])),
            closed: Cell::new(false),
            documents: RefCell::default(),
            worlds: RefCell::default(),
            granted: RefCell::default(),
            ports: RefCell::default(),
            tabs: TabDirectory::default(),
            latest_world: Cell::new(0),
            flushing: Cell::new(false),
            turning: Cell::new(false),
            postponed: RefCell::default(),
        });
        let (messages, control) =
            (page.connection.borrow().as_fd().as_raw_fd(), page.control.borrow().as_fd().as_raw_fd());
        for socket in [messages, control] {
            let me = Rc::downgrade(&page);
            // The source ends with the page, or when the browser closes its end.
            glib::source::unix_fd_add_local(socket, IOCondition::IN | IOCondition::HUP, move |_, _| {
                let open = me.upgrade().is_some_and(|page| page.turn());
                if open { ControlFlow::Continue } else { ControlFlow::Break }
            });
        }
        Ok(page)
    }

    /// Sends the browser its ends of the sockets, once. Whoever calls sees to it that the page is not provisional: such
    /// a page's messages are lost.
    pub(crate) fn hand_over(&self) {
        if let Some(descriptors) = self.theirs.borrow_mut().take() {
            self.object.send(SOCKETS, &UnixFDList::from_array(descriptors));
        }
    }

    /// Tells the browser something. If it cannot be told, it is gone, and so will be this process.
    pub(crate) fn tell(&self, what: &FromPage) {
        if !self.closed.get() && self.control.borrow_mut().send(what).is_err() {
            self.closed.set(true);
        }
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
        let mut connection = self.connection.borrow_mut();
        let stub = connection.stub();
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
        drop(connection);
        self.flush_soon();
        Ok(())
    }

    /// Posts a message on a port of a world.
    pub(crate) fn post(&self, world: &World, port: u32, text: &[u8]) -> Result<(), Refusal> {
        let known = self.ports.borrow().open.get(&port).copied();
        match known {
            Some((holder, Some(number))) if holder == world.key => {
                self.connection.borrow_mut().stub().post_message(number, Content::from(text))?;
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

    // The sockets.

    /// Sends what was written once the script's turn is over: one system call for all of it.
    pub(crate) fn flush_soon(&self) {
        if self.flushing.replace(true) {
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

    pub(crate) fn flush(&self) {
        let messages = self.connection.borrow_mut().flush();
        let control = self.control.borrow_mut().flush();
        for (all, socket) in [
            (messages, self.connection.borrow().as_fd().as_raw_fd()),
            (control, self.control.borrow().as_fd().as_raw_fd()),
        ] {
            match all {
                Ok(true) => {}
                Err(_) => self.closed.set(true),
                Ok(false) => {
                    let me = Weak::clone(&self.me);
                    glib::source::unix_fd_add_local(socket, IOCondition::OUT, move |_, _| {
                        if let Some(page) = me.upgrade() {
                            page.flush_soon();
                        }
                        ControlFlow::Break
                    });
                }
            }
        }
    }

    /// Takes what the browser tells beside messages. Returns whether it is still there.
    pub(crate) fn take_control(self: &Rc<Self>) -> bool {
        loop {
            let postponed = self.postponed.borrow_mut().told.pop_front();
            match postponed.or_else(|| self.read_control()) {
                Some(told) => self.hear(told),
                None => return !self.closed.get(),
            }
        }
    }

    /// Reads the next thing that the browser tells beside messages.
    pub(crate) fn read_control(&self) -> Option<ToPage> {
        let came = self.control.borrow_mut().receive();
        if came.is_err() {
            self.closed.set(true);
        }
        came.ok().flatten()
    }

    /// Returns whether the browser is there no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
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
