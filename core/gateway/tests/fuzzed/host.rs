//! A renderer that is honest for a while and then is not, beside one that is always honest.

use super::Choices;
use port_core::{
    ConnectKind, ContextDescription, DocumentId, Event, EventLoop, ExtensionId, ExtensionInstance, FrameId,
    Limits, Listening, MessageFormat, MessageService, Place, PortId, TabId, TabTarget, WindowId,
};
use port_core_gateway::wire::{Up, VERSION};
use port_core_gateway::{
    Bounds, Content, ContextNumber, Host, InTab, Lie, OfExtension, PortNumber, Stub, StubEvent,
};
use std::task::Waker;

/// What messages are pieces of.
static LETTERS: [u8; 100_000] = [b'x'; 100_000];

/// How much a fuzzed renderer did.
#[derive(Debug, Default)]
pub struct Ran {
    /// Frames that honest renderers sent.
    pub frames: usize,
    /// Frames made by hand.
    pub forged: usize,
    /// Lies that were told.
    pub lies: usize,
    /// Connections, and how many of them carried [`LONG`] frames or more.
    pub connections: usize,
    pub long: usize,
}

/// So many frames of a renderer's make its connection a long one: what goes wrong only then is looked for too.
pub const LONG: usize = 1_000;

impl Ran {
    /// Counts a connection that ended after so many frames.
    fn end_of_connection(&mut self, frames: usize) {
        self.connections += 1;
        self.long += usize::from(frames >= LONG);
    }

    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.forged += other.forged;
        self.lies += other.lies;
        self.connections += other.connections;
        self.long += other.long;
    }
}

/// Runs the script that any bytes are.
///
/// # Panics
///
/// When an honest renderer is taken for a liar, when more is held than may be, or when anything is left over.
pub fn host(input: &[u8]) -> Ran {
    let mut choices = Choices::new(input);
    let mut world = World::new(&mut choices, false);
    while !choices.is_empty() {
        world.operate(&mut choices);
    }
    world.finish()
}

/// Runs scripts one after the other, until renderers have sent so many frames, most of them on [`LONG`] connections.
///
/// # Panics
///
/// As [`host`].
pub fn long_conversation(mut next_script: impl FnMut() -> Vec<u8>, frames: usize) -> Ran {
    let mut world = World::new(&mut Choices::new(&next_script()), true);
    while world.ran.frames < frames {
        let script = next_script();
        let mut choices = Choices::new(&script);
        while !choices.is_empty() {
            world.operate(&mut choices);
        }
    }
    world.finish()
}

struct World {
    service: MessageService,
    extension: ExtensionInstance,
    bounds: Bounds,
    tabs: Vec<TabId>,
    /// What each tab shows, as the service last told.
    shown: Vec<(TabId, DocumentId)>,
    documents: u128,
    /// A thread of the browser, with a background.
    there: EventLoop,
    received: Vec<PortId>,
    /// One that may lie, and one that never does.
    renderers: [Renderer; 2],
    /// Whether the first is honest for long, as a rule, before it lies.
    honest_for_long: bool,
    ran: Ran,
}

struct Renderer {
    host: Host,
    stub: Stub,
    contexts: Vec<ContextNumber>,
    ports: Vec<PortNumber>,
    /// How many frames its stub wrote.
    frames: usize,
}

impl Renderer {
    fn new(service: &MessageService, bounds: Bounds) -> Self {
        let host = Host::new(service.event_loop(Waker::noop().clone()), bounds);
        Self { host, stub: Stub::new(), contexts: Vec::new(), ports: Vec::new(), frames: 0 }
    }

    /// Carries so many bytes up, and all the rest down.
    fn carry(&mut self, most: usize) -> Result<(), Lie> {
        if self.host.wants_input() {
            let count = self.stub.output().len().min(most);
            let received = self.host.receive(&self.stub.output()[..count]);
            self.stub.sent(count);
            received?;
        }
        self.host.turn().map(drop)
    }

    fn hear(&mut self, most: usize) {
        let count = self.host.output().len().min(most);
        self.stub.receive(&self.host.output()[..count]);
        self.host.sent(count);
        while let Some(event) = self.stub.next_event().expect("a host does not lie") {
            match event {
                StubEvent::Granted { context, .. } => self.contexts.push(context),
                StubEvent::Connect { port, context, .. } => {
                    assert_eq!(self.stub.context_of(port), Some(context));
                    self.ports.push(port);
                }
                StubEvent::Message { port, .. } | StubEvent::Room { port, .. } => {
                    assert!(self.stub.is_open(port));
                }
                StubEvent::Disconnect { port, .. } => assert!(!self.stub.is_open(port)),
                _ => {}
            }
        }
    }
}

impl World {
    fn new(choices: &mut Choices<'_>, honest_for_long: bool) -> Self {
        let lane = [1 << 22, 64, 8, 2][choices.below(4)];
        let window = [None, None, Some(1), Some(3)][choices.below(4)];
        let limits = Limits::default().lane_records(lane).window_messages(window).ports_per_context(20);
        let service = MessageService::builder().limits(limits).build();
        let bounds = Bounds::default()
            .port_messages([1 << 10, 5, 1][choices.below(3)])
            .port_bytes([1 << 20, 300, 1][choices.below(3)])
            .messages([1 << 12, 20, 1][choices.below(3)])
            .bytes([1 << 22, 1_000][choices.below(2)])
            .message_bytes([100_000, 500][choices.below(2)])
            .output_bytes([1 << 16, 200, 1][choices.below(3)]);
        let extension = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
        let mut there = service.event_loop(Waker::noop().clone());
        let background = there.attach(ContextDescription::background(extension)).unwrap();
        there.set_listening(background, Listening::PORTS).unwrap();
        let renderers = [(); 2].map(|()| Renderer::new(&service, bounds));
        let mut world = Self {
            service,
            extension,
            bounds,
            tabs: Vec::new(),
            shown: Vec::new(),
            documents: 0,
            there,
            received: Vec::new(),
            renderers,
            honest_for_long,
            ran: Ran::default(),
        };
        for number in 0..2 {
            world.open_tab(TabId::new(number));
        }
        world.look_at_tabs();
        world
    }

    /// Asks the service what the tabs show. Only facts change that, and to ask costs more than all else here.
    fn look_at_tabs(&mut self) {
        let tabs = self.service.snapshot().tabs;
        let shown = tabs.iter().filter_map(|tab| Some((tab.tab, tab.frames.first()?.document?)));
        self.shown = shown.collect();
    }

    fn open_tab(&mut self, tab: TabId) {
        self.documents += 1;
        self.service.tab_opened(tab, WindowId::new(1)).unwrap();
        self.service.frame_attached(tab, FrameId::TOP, None, DocumentId::new(self.documents)).unwrap();
        self.tabs.push(tab);
    }

    fn place(&self, choices: &mut Choices<'_>) -> Place {
        let tab = choices.recent(&self.tabs).unwrap_or(TabId::new(0));
        let shown = self.shown.iter().find(|(shown, _)| *shown == tab);
        Place::new(tab, FrameId::TOP, shown.map_or(DocumentId::new(0), |(_, document)| *document))
    }

    fn operate(&mut self, choices: &mut Choices<'_>) {
        let which = choices.below(2);
        match choices.below(32) {
            0..=1 => self.grant(which, choices),
            2..=14 => self.call(which, choices),
            15..=19 => self.carry(which, choices),
            20..=22 => {
                let most = [usize::MAX, usize::MAX, 7, 300][choices.below(4)];
                self.renderers[which].hear(most);
            }
            23..=25 => self.take(choices),
            26..=27 => self.post_from_the_browser(choices),
            28 => self.fact(choices),
            29 => {
                self.renderers[which].host.arm();
            }
            // Now and then, so that most connections live long.
            _ if choices.below(64) == 63 && self.may_lie(choices) => {
                self.forge(choices);
            }
            _ => self.call(which, choices),
        }
        for Renderer { host, .. } in &self.renderers {
            let holds = host.snapshot();
            assert!(holds.waiting_messages <= self.bounds.messages.max(1), "{holds:?}");
            let most = self.bounds.bytes + u64::from(self.bounds.message_bytes);
            assert!(
                holds.waiting_bytes <= most && holds.ports <= 20 * holds.contexts.max(1) + 64,
                "{holds:?}"
            );
        }
    }

    fn may_lie(&self, choices: &mut Choices<'_>) -> bool {
        !self.honest_for_long
            || self.renderers[0].frames >= LONG
            || choices.number() == u64::MAX && choices.below(4) == 0
    }

    fn grant(&mut self, which: usize, choices: &mut Choices<'_>) {
        let place = self.place(choices);
        let description = match choices.below(4) {
            0 | 1 => ContextDescription::content_script(self.extension, place),
            2 => ContextDescription::page_in_tab(self.extension, place),
            _ => ContextDescription::background(self.extension),
        };
        let host = &mut self.renderers[which].host;
        if host.snapshot().contexts < 30 {
            let context = host.grant(description, b"label");
            if choices.below(8) == 7 {
                host.revoke(context);
            }
            host.set_user_activation(context, choices.below(2) == 0);
        }
    }

    /// A call of an honest renderer, whatever comes of it there.
    fn call(&mut self, which: usize, choices: &mut Choices<'_>) {
        let tab = choices.recent(&self.tabs).unwrap_or(TabId::new(9));
        let Renderer { stub, contexts, ports, .. } = &mut self.renderers[which];
        let context = choices.recent(contexts).unwrap_or(ContextNumber::from_bits(0));
        let port = choices.recent(ports).unwrap_or(PortNumber::from_bits(0));
        let before = stub.output().len();
        match choices.below(14) {
            0 | 1 => drop(stub.attach(context)),
            12 => drop(stub.accept(port)),
            13 => drop(stub.refuse(port)),
            2 => {
                let listening = [Listening::PORTS, Listening::PORTS.asks(true), Listening::none()];
                let _ = stub.set_listening(context, listening[choices.below(3)]);
            }
            3 if choices.below(4) == 0 => drop(stub.detach(context)),
            3 | 4 => ports.extend(stub.connect_tab(context, &InTab::new(tab).name("name"))),
            5 => ports.extend(stub.connect_runtime(context, &OfExtension::own())),
            6 => drop(stub.disconnect(port)),
            _ => {
                let length = [0, 5, 41, 160, 161, 499, 70_000, 100_000][choices.below(8)];
                let content =
                    Content::from(&LETTERS[..length]).format(MessageFormat::Other(3)).user_activation(true);
                let _ = stub.post_message(port, content);
            }
        }
        let wrote = usize::from(stub.output().len() > before);
        self.ran.frames += wrote;
        self.renderers[which].frames += wrote;
    }

    fn carry(&mut self, which: usize, choices: &mut Choices<'_>) {
        let most = [usize::MAX, usize::MAX, 1, 13, 300][choices.below(5)];
        self.renderers[which].carry(most).expect("an honest renderer is not taken for a liar");
    }

    fn take(&mut self, choices: &mut Choices<'_>) {
        for _ in 0..1 + choices.below(20) {
            match self.there.next_event() {
                Some(Event::Connect { port, .. }) => self.received.push(port),
                Some(_) => {}
                None => break,
            }
        }
    }

    fn post_from_the_browser(&mut self, choices: &mut Choices<'_>) {
        let Some(port) = choices.recent(&self.received) else { return };
        match choices.below(4) {
            0 => drop(self.there.disconnect(port)),
            length => drop(self.there.post_message(port, vec![0; length * 100])),
        }
    }

    fn fact(&mut self, choices: &mut Choices<'_>) {
        let place = self.place(choices);
        self.documents += 1;
        let next = DocumentId::new(self.documents);
        // Some are refused, which changes nothing.
        let _ = match choices.below(5) {
            0 => self.service.frame_navigated(place.tab, place.frame, next),
            1 => self.service.document_cached(place.document),
            2 => self.service.document_restored(DocumentId::new(u128::from(choices.number()))),
            3 => {
                let target = TabTarget::new(place.tab);
                let background = self.there.snapshot().contexts[0].context;
                self.received.extend(self.there.connect_tab(background, &target));
                Ok(())
            }
            _ => {
                let closed = self.service.tab_closed(place.tab);
                self.tabs.retain(|tab| *tab != place.tab);
                self.open_tab(TabId::new(u64::try_from(self.documents).unwrap()));
                closed
            }
        };
        self.look_at_tabs();
    }

    /// Has the first renderer say something by hand, in the middle of what it said. It may be a lie; then it is
    /// started anew.
    fn forge(&mut self, choices: &mut Choices<'_>) {
        self.ran.forged += 1;
        let port = PortNumber::from_bits(choices.number());
        let context = ContextNumber::from_bits(choices.number());
        let target = InTab {
            document: Some(DocumentId::new(1)),
            kind: ConnectKind::OneOff,
            ..InTab::new(self.tabs[0])
        };
        let mut bytes = Vec::new();
        match choices.below(13) {
            12 => {
                let messages = u32::from(choices.byte() % 4);
                Up::Taken { port, messages, bytes: choices.number() % 16 }.write(&mut bytes);
            }
            10 => Up::Accept { port }.write(&mut bytes),
            11 => Up::Refuse { port }.write(&mut bytes),
            0 => Up::Hello { version: VERSION }.write(&mut bytes),
            1 => Up::Attach { context }.write(&mut bytes),
            2 => Up::Detach { context }.write(&mut bytes),
            3 => Up::Listen { context, listening: Listening::PORTS.listeners(3) }.write(&mut bytes),
            4 => Up::ConnectTab { context, port, target }.write(&mut bytes),
            5 => Up::ConnectRuntime { context, port, target: OfExtension::own().name("forged") }
                .write(&mut bytes),
            6 => Up::Post { port, content: Content::from("forged") }.write(&mut bytes),
            7 => Up::Disconnect { port }.write(&mut bytes),
            8 => (0..choices.below(40)).for_each(|_| bytes.push(choices.byte())),
            _ => {
                Up::Post { port, content: Content::from("changed") }.write(&mut bytes);
                let at = choices.below(bytes.len());
                bytes[at] = choices.byte();
            }
        }
        let renderer = &mut self.renderers[0];
        let lied = match renderer.carry(usize::MAX) {
            Ok(()) if renderer.stub.output().is_empty() => {
                renderer.host.receive(&bytes).and(renderer.host.turn())
            }
            Ok(()) => return,
            Err(lie) => panic!("an honest renderer is taken for a liar: {lie}"),
        };
        self.ran.lies += usize::from(lied.is_err());
        // What it said by hand, its stub knows nothing of.
        let mut renderer = std::mem::replace(renderer, Renderer::new(&self.service, self.bounds));
        self.ran.end_of_connection(renderer.frames);
        let finished = renderer.host.finish();
        assert!(lied.is_ok() || finished.is_err(), "a lie is not forgotten");
    }

    /// Everything is taken, and nothing is left over.
    fn finish(mut self) -> Ran {
        for _ in 0..6 {
            for renderer in &mut self.renderers {
                while !renderer.stub.output().is_empty() || renderer.host.snapshot().input_bytes > 0 {
                    let before = (renderer.stub.output().len(), renderer.host.snapshot());
                    renderer.carry(usize::MAX).expect("an honest renderer is not taken for a liar");
                    renderer.hear(usize::MAX);
                    while self.there.next_event().is_some() {}
                    if before == (renderer.stub.output().len(), renderer.host.snapshot()) {
                        break;
                    }
                }
                renderer.carry(usize::MAX).expect("an honest renderer is not taken for a liar");
                renderer.hear(usize::MAX);
            }
            while self.there.next_event().is_some() {}
        }
        for mut renderer in self.renderers {
            self.ran.end_of_connection(renderer.frames);
            renderer.host.finish().expect("an honest renderer is not taken for a liar");
        }
        while self.there.next_event().is_some() {}
        assert_eq!(self.there.snapshot().ports.len(), 0);
        let left = self.service.snapshot();
        assert_eq!((left.event_loops.len(), left.extensions[0].own.len()), (1, 1));
        assert_eq!(left.extensions[0].content_scripts, 0);
        self.ran
    }
}
