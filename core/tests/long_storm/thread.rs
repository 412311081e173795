//! One thread of a storm: an event loop, its contexts, and its own books.

use crate::books::{End, Fate, Page};
use crate::common::{Dice, connect_runtime, describe_background, describe_content_script};
use crate::weather::{STAGES, Weather};
use port_core::{
    AttachError, ContextId, Event, EventLoop, Listening, PortId, PortStatus, PostErrorKind, TabTarget,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

const CONTEXTS: usize = 10;
const OPEN_PORTS: usize = 1_500;
const LONGEST: usize = 300;

pub struct Thread {
    weather: Arc<Weather>,
    number: usize,
    dice: Dice,
    event_loop: EventLoop,
    contexts: Vec<ContextId>,
    /// The ports that are open, as far as this thread knows.
    open: Vec<PortId>,
    /// Every port that this loop ever had, and its context.
    ends: HashMap<PortId, (End, ContextId)>,
    page: Page,
    posted: u64,
}

impl Thread {
    pub fn new(weather: Arc<Weather>, number: usize) -> Self {
        let dice = Dice::new(weather.seed * 1_000 + number as u64);
        let event_loop = weather.browser.event_loop();
        weather.lives_on(number, event_loop.id());
        Self {
            weather,
            number,
            dice,
            event_loop,
            contexts: Vec::new(),
            open: Vec::new(),
            ends: HashMap::new(),
            page: Page { ends: Vec::new(), most_open: 0 },
            posted: 0,
        }
    }

    /// Storms, comes to rest with the others, and gives its books.
    pub fn run(mut self) -> Page {
        self.weather.wait_for_start();
        while self.posted < self.weather.messages_each {
            self.act();
        }
        // No more of its own doing; others may still post here.
        self.weather.calm_down();
        while self.weather.is_anybody_active() {
            self.take(usize::MAX);
            thread::yield_now();
        }
        // All have stopped. Answers to answers are a few rounds deep.
        for stage in 0..STAGES - 1 {
            if !self.weather.meet(stage) {
                return Page { ends: Vec::new(), most_open: 0 };
            }
            self.take(usize::MAX);
        }
        self.check_quiet();
        // Nobody goes away under another's eyes.
        self.weather.meet(STAGES - 1);
        self.page.ends.extend(self.ends.drain().map(|(_, (end, _))| end));
        std::mem::replace(&mut self.page, Page { ends: Vec::new(), most_open: 0 })
    }

    fn act(&mut self) {
        match self.dice.below(1_000) {
            0..430 => self.post(),
            430..520 => self.connect(),
            520..555 => self.disconnect(),
            555..600 => self.attach(),
            600..602 => self.detach(),
            602..606 => self.weather.change(&mut self.dice, self.number),
            606..607 if self.dice.below(10) == 0 => self.die(),
            _ => {
                let most = 1 + self.dice.below(120);
                self.take(most);
            }
        }
    }

    fn attach(&mut self) {
        if self.contexts.len() >= CONTEXTS {
            return;
        }
        let (extension, place) = self.weather.some_place(&mut self.dice);
        let description = match self.dice.below(4) {
            0 => describe_background(extension),
            _ => describe_content_script(extension, place),
        };
        match self.event_loop.attach(description) {
            Ok(context) => {
                // Refused when a fact has ended it by now; the event that says so is queued.
                let _ =
                    self.event_loop.set_listening(context, Listening::none().ports(self.dice.below(5) > 0));
                self.contexts.push(context);
            }
            Err(AttachError::EventLoopGone) => self.die(),
            // Somebody was faster with a fact.
            Err(AttachError::UnknownDocument | AttachError::UnknownExtension) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn own(&mut self, port: PortId, context: ContextId, end: End) {
        self.open.push(port);
        self.page.most_open = self.page.most_open.max(self.open.len());
        let before = self.ends.insert(port, (end, context));
        assert!(before.is_none(), "a port's id is given once");
    }

    fn connect(&mut self) {
        let Some(opener) = self.dice.pick(&self.contexts) else { return };
        if self.open.len() >= OPEN_PORTS {
            return;
        }
        let tab = self.weather.some_tab(&mut self.dice);
        let number = self.weather.number_end();
        let name = number.to_string();
        let connected = self
            .event_loop
            .connect_tab(opener, &TabTarget::new(tab).name(&name))
            .or_else(|_| connect_runtime(&mut self.event_loop, opener, &name));
        if let Ok(port) = connected {
            self.own(port, opener, End::new(number, number, self.event_loop.id()));
        }
    }

    fn post(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let at = self.dice.below(self.open.len());
        let port = self.open[at];
        let (end, _) = self.ends.get_mut(&port).expect("an open port has an end");
        for _ in 0..1 + self.dice.below(20) {
            let length = [16, 16, 16, 100, LONGEST][self.dice.below(5)];
            let mut bytes = [0; LONGEST];
            bytes[..8].copy_from_slice(&end.number.to_le_bytes());
            bytes[8..16].copy_from_slice(&end.posted.to_le_bytes());
            let bytes = &bytes[..length];
            let posted = match self.dice.below(8) {
                0 => self.event_loop.post_message(port, self.weather.ledger.payload_of(bytes.to_vec())),
                _ => self.event_loop.post_message(port, bytes),
            };
            match posted.map_err(PostErrorKind::from) {
                Ok(()) => {
                    end.posted += 1;
                    self.posted += 1;
                }
                Err(PostErrorKind::Busy) => return,
                Err(PostErrorKind::Gone | PostErrorKind::Disconnected) => {
                    // It has ended, and the event that says so is queued; or its context is killed.
                    self.open.swap_remove(at);
                    return;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn disconnect(&mut self) {
        let Some(port) = self.dice.take(&mut self.open) else { return };
        if self.event_loop.disconnect(port) {
            self.end(port, Fate::Disconnected);
        }
    }

    fn end(&mut self, port: PortId, fate: Fate) {
        let (end, _) = self.ends.get_mut(&port).expect("a port that is known");
        assert_eq!(end.fate, Fate::Open, "two ends");
        end.end(fate);
        self.open.retain(|open| *open != port);
    }

    /// All ports of a context end.
    fn context_ends(&mut self, context: ContextId, fate: Fate) {
        self.contexts.retain(|living| *living != context);
        for (end, _) in self.ends.values_mut().filter(|(_, of)| *of == context) {
            end.end(fate);
        }
        let ends = &self.ends;
        self.open.retain(|port| ends[port].0.fate == Fate::Open);
    }

    fn detach(&mut self) {
        let Some(context) = self.dice.pick(&self.contexts) else { return };
        // Else its end is queued.
        if self.event_loop.detach(context).is_ok() {
            self.context_ends(context, Fate::Detached);
        }
    }

    /// This loop is dropped with all that it holds; another takes its place.
    fn die(&mut self) {
        // The old one goes when its place is taken.
        self.event_loop = self.weather.browser.event_loop();
        self.weather.lives_on(self.number, self.event_loop.id());
        self.contexts.clear();
        self.open.clear();
        self.page.ends.extend(self.ends.drain().map(|(_, (mut end, _))| {
            end.end(Fate::LoopDropped);
            end
        }));
    }

    fn take(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { return };
            self.hear(event);
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connect { context, port, name, .. } => {
                let opener = name.as_str().parse().expect("the name is the opener's number");
                let end = End::new(self.weather.number_end(), opener, self.event_loop.id());
                self.own(port, context, end);
            }
            Event::Message { port, payload, .. } => {
                let word = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().expect("8 bytes"));
                let (end, _) = self.ends.get_mut(&port).expect("a message comes after its connect");
                end.hear(word(0), word(8));
            }
            Event::Disconnect { port, reason, .. } => {
                self.end(port, Fate::Heard(reason));
                assert!(!self.event_loop.is_open(port));
            }
            Event::ContextGone { context, reason, .. } => {
                assert!(self.contexts.contains(&context), "gone twice, or not ours");
                self.context_ends(context, Fate::Killed(reason));
            }
            other => panic!("{other:?}"),
        }
    }

    /// All is taken: nothing lies about, and an open port has the other side open.
    fn check_quiet(&mut self) {
        let snapshot = self.event_loop.snapshot();
        assert_eq!(snapshot.events, 0);
        // Others let go of their ends of its lanes when it was declared gone.
        let is_gone = self.weather.declared_gone().contains(&self.event_loop.id());
        for lane in snapshot.lanes.iter().filter(|_| !is_gone) {
            assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
        }
        for port in &snapshot.ports {
            let (end, _) = &self.ends[&port.port];
            assert_eq!(end.fate, Fate::Open);
            assert_eq!(port.queued.messages, 0);
            // Where siblings end without a word, their ports stay to look at.
            if port.status == PortStatus::Silent {
                continue;
            }
            assert!(!port.others.is_empty(), "half open: {port:?}");
            assert!(port.others.iter().all(|other| other.accepted), "undecided: {port:?}");
        }
        let shown = snapshot.ports.len();
        assert_eq!(self.ends.values().filter(|(end, _)| end.fate == Fate::Open).count(), shown);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if thread::panicking() {
            self.weather.breaks();
        }
    }
}
