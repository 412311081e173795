//! One thread of the storm: of content scripts and pages, or of an extension's background.

use crate::common::*;
use crate::{EXTENSIONS, ROUNDS, STAGES, STARTS, Weather};
use port_core::{
    BackgroundState, ContextDescription, ContextError, ContextId, DisconnectReason, Event, EventLoop,
    EventLoopId, ExtensionInstance, PortId, PortStatus, RuntimeTarget, TabTarget,
};
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

/// What one port has heard.
#[derive(Default)]
struct Life {
    ended: bool,
    /// The sender at the other end, if that is the opener's.
    opener: Option<u64>,
    /// The next number expected of each sender.
    next: HashMap<u64, u64>,
}

/// One thread: an event loop, its contexts, and its own books.
pub(crate) struct Thread<'a> {
    weather: &'a Weather,
    dice: Dice,
    event_loop: EventLoop,
    contexts: Vec<ContextId>,
    /// Open ports with the number of the sender, which is unique, and of its next message.
    ports: Vec<NumberedPort>,
    lives: HashMap<PortId, Life>,
    /// The last sender that each context heard connect from each loop, of those of each extension.
    connected: HashMap<(ContextId, EventLoopId, ExtensionInstance), u64>,
    taken: usize,
}

impl<'a> Thread<'a> {
    pub(crate) fn new(weather: &'a Weather, seed: u64) -> Self {
        Self {
            weather,
            dice: Dice::new(seed),
            event_loop: weather.browser.event_loop(),
            contexts: Vec::new(),
            ports: Vec::new(),
            lives: HashMap::new(),
            connected: HashMap::new(),
            taken: 0,
        }
    }

    /// Drops the loop with all there is on it, and goes on with another.
    fn start_over(&mut self) {
        self.event_loop = self.weather.browser.event_loop();
        self.contexts.clear();
        self.ports.clear();
    }

    /// A content script or a page; its extension may be either.
    fn attach(&mut self) {
        let extension = self.weather.extensions[self.dice.below(2)];
        let place = self.dice.pick(&self.weather.places.lock().unwrap()).unwrap();
        let description = match self.dice.below(3) {
            0 => describe_page(extension),
            _ => describe_content_script(extension, place),
        };
        // The document may be gone by now.
        if let Some(context) = self.enter(description) {
            self.contexts.push(context);
        }
    }

    fn enter(&mut self, description: ContextDescription) -> Option<ContextId> {
        let context = self.event_loop.attach(description).ok()?;
        let listening = self.event_loop.set_listening(context, listening_for_everything());
        assert!(matches!(listening, Ok(()) | Err(ContextError::Gone)));
        Some(context)
    }

    fn own(&mut self, port: PortId, sender: u64, opener: Option<u64>) {
        self.ports.push((port, sender, 0));
        let life = Life { opener, ..Life::default() };
        assert!(self.lives.insert(port, life).is_none(), "a port's id is given once");
    }

    fn connect(&mut self) {
        let Some(opener) = self.dice.pick(&self.contexts) else { return };
        let sender = self.weather.browser.fresh();
        let name = sender.to_string();
        let connected = match self.dice.below(6) {
            0 => {
                let place = self.dice.pick(&self.weather.places.lock().unwrap()).unwrap();
                self.event_loop.connect_tab(opener, &TabTarget::new(place.tab).name(&name))
            }
            1 => {
                let other = RuntimeTarget::extension(EXTENSIONS[self.dice.below(2)]);
                self.event_loop.connect_runtime(opener, &other.name(&name))
            }
            _ => connect_runtime(&mut self.event_loop, opener, &name),
        };
        // Else the lanes are full, the context has enough ports, or its end is queued.
        if let Ok(port) = connected {
            self.own(port, sender, None);
        }
    }

    fn post(&mut self) {
        if self.ports.is_empty() {
            return;
        }
        let Self { event_loop, weather, dice, ports, .. } = self;
        let at = dice.below(ports.len());
        if !post_numbered(event_loop, &mut ports[at], &weather.ledger, dice, 10) {
            ports.swap_remove(at);
        }
    }

    fn disconnect(&mut self) {
        let Some((port, ..)) = self.dice.take(&mut self.ports) else { return };
        self.event_loop.disconnect(port);
        assert!(!self.event_loop.is_open(port));
        self.lives.entry(port).and_modify(|life| life.ended = true);
    }

    fn detach_any(&mut self) {
        if let Some(context) = self.dice.pick(&self.contexts) {
            self.detach(context);
        }
    }

    fn detach(&mut self, context: ContextId) {
        self.contexts.retain(|known| *known != context);
        if self.event_loop.detach(context).is_ok() {
            // Its ports are closed without a word.
            let event_loop = &self.event_loop;
            self.ports.retain(|(port, ..)| event_loop.is_open(*port));
        }
    }

    fn take(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { return };
            self.taken += 1;
            self.heard(event);
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Connect { context, port, name, sender, .. } => {
                let opener = name.as_str().parse().unwrap();
                let from = sender.context().unwrap().event_loop();
                let theirs = sender.instance().unwrap();
                let before = self.connected.insert((context, from, theirs), opener);
                assert!(before.is_none_or(|before| before < opener), "in the order of the connects");
                let own = self.weather.browser.fresh();
                self.own(port, own, Some(opener));
            }
            Event::Message { port, payload, .. } => {
                let life = self.lives.get_mut(&port).expect("a message comes after its connect");
                assert!(!life.ended, "a message after the end");
                let word = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().unwrap());
                let next = life.next.entry(word(0)).or_default();
                assert_eq!(word(8), *next, "each once and in order");
                *next += 1;
            }
            Event::Disconnect { port, .. } => {
                let life = self.lives.get_mut(&port).expect("an end comes after its connect");
                assert!(!std::mem::replace(&mut life.ended, true), "two ends");
                self.ports.retain(|(open, ..)| *open != port);
                assert!(!self.event_loop.is_open(port));
            }
            Event::Room { port, .. } => assert!(!self.lives[&port].ended, "room after the end"),
            Event::ContextGone { context, ports, .. } => {
                self.contexts.retain(|living| *living != context);
                self.ports.retain(|(port, ..)| ports.iter().all(|ended| ended.port != *port));
            }
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self) {
        match self.dice.below(100) {
            0..40 => self.post(),
            40..52 => self.connect(),
            52..58 => self.disconnect(),
            58..62 => self.attach(),
            62..64 => self.detach_any(),
            _ => {
                let most = 1 + self.dice.below(60);
                self.take(most);
            }
        }
    }

    /// Starts the background of an extension; sometimes nothing comes of it.
    fn start(&mut self, extension: usize, surely: bool) {
        self.weather.starts.fetch_add(1, SeqCst);
        let instance = self.weather.extensions[extension];
        let fate = if surely { usize::MAX } else { self.dice.below(12) };
        if fate == 0 {
            let reason = DisconnectReason::BackgroundNotStarted;
            return self.weather.browser.service.give_up_background(instance, reason).unwrap();
        }
        let background = self.event_loop.attach(describe_background(instance)).unwrap();
        self.contexts.push(background);
        // Its script runs, and may connect to anyone already.
        for _ in 0..self.dice.below(4) {
            self.act();
        }
        match fate {
            1 => self.detach(background),
            2 => self.start_over(),
            _ => {
                let ready = listening_for_everything().ready(true);
                // It may have been stopped meanwhile, or have ended itself.
                let set = self.event_loop.set_listening(background, ready);
                assert!(matches!(set, Ok(()) | Err(ContextError::Gone | ContextError::UnknownContext)));
            }
        }
    }

    /// Ends the background that runs here, in one way or another.
    fn stop(&mut self, extension: usize) {
        let service = &self.weather.browser.service;
        match self.dice.below(5) {
            0 => self.start_over(),
            1 => self.detach_any(),
            2 => {
                service.event_loop_gone(self.event_loop.id()).unwrap();
                self.take(usize::MAX);
                assert_eq!(self.contexts, []);
                self.start_over();
            }
            _ => service.stop_background(self.weather.extensions[extension]).unwrap(),
        }
    }

    /// The thread of content scripts and pages.
    pub(crate) fn run_scripts(mut self) -> usize {
        let mut round = 0;
        while round < ROUNDS || self.weather.starts.load(SeqCst) < STARTS {
            if self.weather.gathering.is_broken() {
                break;
            }
            self.act();
            round += 1;
            // As a thread that runs pages does, it leaves the processor to others.
            thread::yield_now();
            if round == ROUNDS / 2 && self.dice.below(3) == 0 {
                self.start_over();
            }
        }
        self.weather.gathering.calm_down();
        while self.weather.gathering.is_anybody_active() {
            self.take(usize::MAX);
            thread::yield_now();
        }
        self.end(None)
    }

    /// The thread of an extension's background.
    pub(crate) fn run_background(mut self, extension: usize) -> usize {
        while self.weather.gathering.is_anybody_active() {
            if self.contexts.is_empty() {
                self.take(usize::MAX);
                if self.weather.is_wanted(extension) {
                    self.start(extension, false);
                }
            } else if self.dice.below(16) == 0 {
                self.stop(extension);
            } else if self.dice.below(3) == 0 {
                self.post();
            } else {
                self.take(200);
            }
            thread::yield_now();
        }
        self.end(Some(extension))
    }

    /// All have stopped: what waits for a background is served, and whoever is connected has the whole of it.
    fn end(mut self, extension: Option<usize>) -> usize {
        let (weather, mut met) = (self.weather, 0);
        for _ in 0..STAGES {
            if !weather.gathering.meet(&mut met) {
                return self.taken;
            }
            self.take(usize::MAX);
            if let Some(extension) = extension.filter(|extension| weather.is_wanted(*extension)) {
                // Else one that was about to start is ready by now, or was given up.
                self.start(extension, true);
            }
        }
        let open = self.open_ports();
        for (_, sender, posted) in self.ports.iter().filter(|(port, ..)| open.contains(port)) {
            weather.posted.lock().unwrap().insert(*sender, *posted);
        }
        if weather.gathering.meet(&mut met) {
            self.check_quiet();
            self.check_delivered(&open);
            // Nobody goes away under another's eyes.
            weather.gathering.meet(&mut met);
        }
        self.taken
    }

    fn open_ports(&self) -> Vec<PortId> {
        let ports = self.event_loop.snapshot().ports;
        ports.iter().filter(|port| port.status == PortStatus::Open).map(|port| port.port).collect()
    }

    /// All is taken: nothing waits, and an open port has the other side open.
    fn check_quiet(&self) {
        let snapshot = self.event_loop.snapshot();
        assert_eq!(snapshot.events, 0);
        for lane in &snapshot.lanes {
            assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
        }
        for port in snapshot.ports.iter().filter(|port| port.status != PortStatus::Silent) {
            assert_eq!(port.status, PortStatus::Open);
            assert!(!port.others.is_empty(), "half open: {port:?}");
            assert!(port.others.iter().all(|other| other.accepted), "undecided: {port:?}");
            assert_eq!(port.queued.messages, 0);
        }
        for extension in self.weather.browser.service.snapshot().extensions {
            assert_ne!(extension.background, BackgroundState::Wanted, "{extension:?}");
        }
    }

    /// Between two ends that are open everything posted has arrived.
    fn check_delivered(&self, open: &[PortId]) {
        let posted = self.weather.posted.lock().unwrap();
        for life in open.iter().map(|port| &self.lives[port]) {
            let heard = life.next.keys().copied().chain(life.opener);
            for sender in heard.filter(|sender| posted.contains_key(sender)) {
                let next = life.next.get(&sender).copied().unwrap_or(0);
                assert_eq!(next, posted[&sender], "delivered against posted");
            }
        }
    }
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.weather.gathering.breaks();
        }
    }
}
