//! A host without an engine: scripts are this file. What it takes to put the script surface on the
//! core, and what holds at the boundary whatever engine is behind it.

use port_core::{
    ConnectKind, ContextDescription, ContextId, DocumentId, Event, EventLoop, ExtensionId, ExtensionInstance,
    FrameId, Listening, Message, MessageService, Place, RuntimeTarget, TabId, TabTarget, WindowId,
};
use port_core_webext::{Ports, Refusal, ScriptEvent, ScriptHost, ScriptSurface};
use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

/// What the worlds of a thread share.
struct Thread {
    event_loop: RefCell<EventLoop>,
    ports: RefCell<Ports<()>>,
}

/// A world: the host of its scripts, and in place of these a list of what they were told.
struct MockWorld {
    thread: Rc<Thread>,
    context: ContextId,
    told: RefCell<Vec<String>>,
}

impl MockWorld {
    fn kind(is_one_off: bool) -> ConnectKind {
        if is_one_off { ConnectKind::OneOff } else { ConnectKind::Port }
    }
}

impl ScriptHost for MockWorld {
    fn connect_tab(
        &self,
        tab: u64,
        _frame: Option<u64>,
        _document: Option<&str>,
        name: &str,
        is_one_off: bool,
    ) -> Result<u32, Refusal> {
        let target = TabTarget::new(TabId::new(tab)).name(name).kind(Self::kind(is_one_off));
        let port = self.thread.event_loop.borrow_mut().connect_tab(self.context, &target)?;
        Ok(self.thread.ports.borrow_mut().add(port, self.context, ()))
    }

    fn connect_runtime(&self, extension: Option<&str>, name: &str, is_one_off: bool) -> Result<u32, Refusal> {
        let target = extension.map(|id| RuntimeTarget::extension(ExtensionId::new(id)));
        let target = target.unwrap_or_else(RuntimeTarget::own).name(name).kind(Self::kind(is_one_off));
        let port = self.thread.event_loop.borrow_mut().connect_runtime(self.context, &target)?;
        Ok(self.thread.ports.borrow_mut().add(port, self.context, ()))
    }

    fn post_message(&self, port: u32, message: String) -> Result<(), Refusal> {
        let id = self.thread.ports.borrow().id(self.context, port).ok_or(Refusal::Disconnected)?;
        Ok(self.thread.event_loop.borrow_mut().post_message(id, Message::from(message))?)
    }

    fn disconnect(&self, port: u32) -> Result<(), Refusal> {
        let id = self.thread.ports.borrow().id(self.context, port).ok_or(Refusal::Disconnected)?;
        self.thread.ports.borrow_mut().remove(id);
        self.thread.event_loop.borrow_mut().disconnect(id);
        Ok(())
    }

    fn set_listening(&self, ports: bool, one_off: bool, external_ports: bool, external_one_off: bool) {
        let listening = Listening::none()
            .ports(ports)
            .one_off(one_off)
            .external_ports(external_ports)
            .external_one_off(external_one_off);
        let _ = self.thread.event_loop.borrow_mut().set_listening(self.context, listening);
    }

    fn call(&self, number: u32, method: String, _arguments: String) {
        let error = format!("{method} is not supported");
        self.deliver(&ScriptEvent::Answer { call: number, result: None, error: Some(&error) });
    }

    fn console(&self, level: &str, text: &str) {
        self.told.borrow_mut().push(format!("{level}: {text}"));
    }

    fn report_exception(&self, message: &str, _stack: &str) {
        self.told.borrow_mut().push(format!("thrown: {message}"));
    }
}

impl ScriptSurface for MockWorld {
    fn deliver(&self, event: &ScriptEvent<'_>) {
        self.told.borrow_mut().push(format!("{event:?}"));
    }
}

/// What a main loop does: hands each event to the world that it is for.
fn take_events(thread: &Thread, worlds: &[&MockWorld]) {
    loop {
        let event = thread.event_loop.borrow_mut().next_event();
        let Some(event) = event else { break };
        let Some(world) = worlds.iter().find(|world| world.context == event.context()) else { continue };
        match &event {
            Event::Connect { port, kind, name, sender, .. } => {
                let port = thread.ports.borrow_mut().add(*port, world.context, ());
                let (sender, is_one_off) = (format!("\"{}\"", sender.url()), *kind == ConnectKind::OneOff);
                let name = name.as_str();
                let sender = sender.as_str();
                world.deliver(&ScriptEvent::Connect { port, is_one_off, name, sender, is_external: false });
            }
            Event::Message { port, payload, .. } => {
                let number = thread.ports.borrow().number(*port);
                let Some(port) = number else { continue };
                let message = str::from_utf8(payload).expect("JSON");
                world.deliver(&ScriptEvent::Message { port, message });
            }
            Event::Disconnect { port, reason, .. } => {
                let closed = thread.ports.borrow_mut().remove(*port);
                let Some(port) = closed.map(|port| port.number) else { continue };
                world.deliver(&ScriptEvent::Disconnect { port, reason: &format!("{reason:?}") });
            }
            _ => {}
        }
    }
}

/// Two pages of an extension, one of another and one of the web, which the first admits, on one thread.
struct Scene {
    thread: Rc<Thread>,
    page: MockWorld,
    background: MockWorld,
    stranger: MockWorld,
    web: MockWorld,
}

impl Scene {
    fn new() -> Self {
        let service = MessageService::default();
        let event_loop = service.event_loop(Waker::noop().clone());
        let thread = Rc::new(Thread { event_loop: event_loop.into(), ports: RefCell::default() });
        let load = |id: &str| service.extension_loaded(ExtensionId::new(id)).expect("loaded once");
        let world = |instance: ExtensionInstance, url: &str| {
            let description = ContextDescription::background(instance).url(url).origin("extension://a");
            let context = thread.event_loop.borrow_mut().attach(description).expect("attached");
            MockWorld { thread: Rc::clone(&thread), context, told: RefCell::default() }
        };
        let (own, other) = (load("a"), load("b"));
        let (page, background, stranger) = (world(own, "page"), world(own, "background"), world(other, "b"));
        let place = Place::new(TabId::new(1), FrameId::TOP, DocumentId::new(1));
        service.tab_opened(place.tab, WindowId::new(1)).expect("new");
        service.frame_attached(place.tab, place.frame, None, place.document).expect("new");
        let of_web = ContextDescription::web_page(place, ["a"]).url("web");
        let context = thread.event_loop.borrow_mut().attach(of_web).expect("attached");
        let web = MockWorld { thread: Rc::clone(&thread), context, told: RefCell::default() };
        Self { thread, page, background, stranger, web }
    }

    /// Lets everything happen, and gives what the page and the background were told.
    fn told(&self) -> [Vec<String>; 2] {
        take_events(&self.thread, &[&self.page, &self.background, &self.stranger, &self.web]);
        [self.page.told.take(), self.background.told.take()]
    }
}

/// The number in what a world was told.
fn number(told: &str) -> u32 {
    let digits = told.split("port: ").nth(1).and_then(|rest| rest.split([',', ' ']).next());
    digits.and_then(|digits| digits.parse().ok()).expect("a number")
}

#[test]
fn a_port_carries_messages_both_ways_until_one_side_ends_it() {
    let scene = Scene::new();
    scene.background.set_listening(true, false, false, false);
    let opened = scene.page.connect_runtime(None, "name", false).expect("connected");
    scene.page.post_message(opened, "[1]".to_owned()).expect("posted");
    let [page, background] = scene.told();
    let accepted = number(&background[0]);
    assert!(page.is_empty());
    assert_eq!(
        background,
        [
            format!(
                "Connect {{ port: {accepted}, is_one_off: false, name: \"name\", sender: \"\\\"page\\\"\", is_external: false }}"
            ),
            format!("Message {{ port: {accepted}, message: \"[1]\" }}"),
        ]
    );
    scene.background.post_message(accepted, "2".to_owned()).expect("posted");
    scene.background.disconnect(accepted).expect("open");
    let [page, background] = scene.told();
    assert_eq!(
        page,
        [
            format!("Message {{ port: {opened}, message: \"2\" }}"),
            format!("Disconnect {{ port: {opened}, reason: \"Disconnected\" }}"),
        ]
    );
    assert!(background.is_empty(), "who ends a port is told nothing: {background:?}");
    for (world, port) in [(&scene.page, opened), (&scene.background, accepted)] {
        assert_eq!(world.post_message(port, "3".to_owned()), Err(Refusal::Disconnected));
        assert_eq!(world.disconnect(port), Err(Refusal::Disconnected));
    }
}

#[test]
fn a_one_off_message_is_a_channel_with_one_answer() {
    let scene = Scene::new();
    scene.background.set_listening(false, true, false, false);
    let asked = scene.page.connect_runtime(None, "", true).expect("connected");
    scene.page.post_message(asked, "\"question\"".to_owned()).expect("posted");
    let [_, background] = scene.told();
    assert!(background[0].contains("is_one_off: true") && background[1].contains("question"));
    let answering = number(&background[0]);
    scene.background.post_message(answering, r#"{"response":1}"#.to_owned()).expect("posted");
    scene.background.disconnect(answering).expect("open");
    let [page, _] = scene.told();
    assert!(page[0].contains("response") && page[1].contains("Disconnected"), "{page:?}");
}

#[test]
fn nobody_who_listens_is_no_receiver() {
    let scene = Scene::new();
    // For ports alone: one-off messages have no receiver.
    scene.background.set_listening(true, false, false, false);
    let port = scene.page.connect_runtime(None, "", true).expect("connected");
    let nowhere = scene.page.connect_tab(99, None, None, "", false).expect("connected");
    let [mut page, background] = scene.told();
    page.sort();
    let mut expected =
        [port, nowhere].map(|port| format!("Disconnect {{ port: {port}, reason: \"NoReceiver\" }}"));
    expected.sort();
    assert_eq!((page, background), (expected.to_vec(), vec![]));
}

#[test]
fn a_port_number_counts_in_its_own_context_alone() {
    let scene = Scene::new();
    scene.background.set_listening(true, false, false, false);
    let port = scene.page.connect_runtime(None, "", false).expect("connected");
    scene.told();
    // Another extension's script on the thread, and another context of the same extension.
    for world in [&scene.stranger, &scene.background] {
        assert_eq!(world.post_message(port, "\"forged\"".to_owned()), Err(Refusal::Disconnected));
        assert_eq!(world.disconnect(port), Err(Refusal::Disconnected));
    }
    for guessed in [0, port + 2, u32::MAX] {
        assert_eq!(scene.stranger.post_message(guessed, String::new()), Err(Refusal::Disconnected));
    }
    scene.page.post_message(port, "\"honest\"".to_owned()).expect("the port is open");
    let [_, background] = scene.told();
    assert!(background.len() == 1 && background[0].contains("honest"), "{background:?}");
}

#[test]
fn what_is_too_large_is_refused_and_the_channel_stays() {
    let scene = Scene::new();
    scene.background.set_listening(true, true, false, false);
    for is_one_off in [false, true] {
        let port = scene.page.connect_runtime(None, "", is_one_off).expect("connected");
        assert_eq!(scene.page.post_message(port, "x".repeat(65 << 20)), Err(Refusal::TooLarge));
        scene.page.post_message(port, "0".to_owned()).expect("the channel is open");
        assert_eq!(scene.told()[1].len(), 2);
    }
}

#[test]
fn a_context_that_is_gone_is_refused_everything() {
    let scene = Scene::new();
    scene.background.set_listening(true, false, false, false);
    let port = scene.page.connect_runtime(None, "", false).expect("connected");
    scene.thread.event_loop.borrow_mut().detach(scene.page.context).expect("attached");
    scene.thread.ports.borrow_mut().remove_context(scene.page.context);
    assert_eq!(scene.page.post_message(port, String::new()), Err(Refusal::Disconnected));
    assert_eq!(scene.page.connect_runtime(None, "", false), Err(Refusal::Gone));
    scene.page.set_listening(true, true, true, true);
}

#[test]
fn a_page_of_the_web_reaches_who_admits_it_by_its_id_alone() {
    let scene = Scene::new();
    for world in [&scene.background, &scene.stranger, &scene.web] {
        world.set_listening(true, true, true, true);
    }
    scene.web.connect_runtime(None, "", false).expect_err("it has no extension");
    scene.web.connect_tab(1, None, None, "", false).expect_err("only extensions connect to tabs");
    let port = scene.web.connect_runtime(Some("a"), "from the web", false).expect("connected");
    scene.web.post_message(port, "1".to_owned()).expect("posted");
    let refused = scene.web.connect_runtime(Some("b"), "", false).expect("connected");
    let [page, background] = scene.told();
    assert!(
        page.is_empty() && background.len() == 2 && background[0].contains("from the web"),
        "{background:?}"
    );
    assert!(scene.stranger.told.take().is_empty());
    let ended = format!("Disconnect {{ port: {refused}, reason: \"NoReceiver\" }}");
    assert_eq!(scene.web.told.take(), [ended]);
}
