//! Seeded sequences of operations on two or three event loops, driven from one
//! thread: what each loop hands out must be what the reference model allows, whichever
//! way the seed lets the loops take turns, stop in the middle and go away.

mod common;
mod reference;

use common::{Browser, Dice, in_document, limits};
use port_core::{
    ConnectError, ContextDescription, ContextId, DisconnectReason, Event, EventLoop, FrameId, Place,
    Policies, PortId, PostError, ReceiverDisconnects, ReceiverLost, TabTarget,
};
use reference::{Channel, Context, End, Heard, Loop, Model};
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// How many sequences; `SEEDS` in the environment asks for more.
const SEEDS: u64 = 1_500;
const OPERATIONS: usize = 45;
const PORTS_PER_CONTEXT: usize = 4;

/// The core and the model side by side, and which of the one's ids is which of the other's.
struct Both {
    dice: Dice,
    browser: Browser,
    model: Model,
    loops: Vec<Option<EventLoop>>,
    frames: Vec<Place>,
    contexts: Vec<Attached>,
    channels: usize,
    ports: HashMap<PortId, End>,
    /// Ends that were opened, and the ports that they are.
    ends: Vec<(End, PortId)>,
    messages: u32,
    /// What was done, for a failing seed.
    story: Rc<RefCell<Vec<String>>>,
}

struct Attached {
    id: ContextId,
    home: Loop,
    /// `None` for a background.
    place: Option<Place>,
    alive: bool,
}

impl Both {
    fn new(seed: u64, story: Rc<RefCell<Vec<String>>>) -> Self {
        let mut dice = Dice::new(seed);
        let mut policies = Policies::default();
        policies.receiver_disconnects = [
            ReceiverDisconnects::EndsForAll,
            ReceiverDisconnects::EndsForOpener,
            ReceiverDisconnects::LeavesOthers,
        ][dice.below(3)];
        policies.receiver_lost = [ReceiverLost::EndsForAll, ReceiverLost::LeavesOthers][dice.below(2)];
        let limits = limits(|limits| limits.ports_per_context = PORTS_PER_CONTEXT as u32);
        let browser = Browser::with(limits, policies);
        let loops: Vec<_> = (0..2 + dice.below(2)).map(|_| Some(browser.event_loop())).collect();
        let mut frames = Vec::new();
        for _ in 0..2 {
            let top = browser.tab();
            frames.extend([top, browser.frame_in(top)]);
        }
        let model = Model::new(policies, PORTS_PER_CONTEXT);
        let mut both = Self {
            dice,
            browser,
            model,
            loops,
            frames,
            contexts: Vec::new(),
            channels: 0,
            ports: HashMap::new(),
            ends: Vec::new(),
            messages: 0,
            story,
        };
        for _ in 0..4 {
            both.attach();
        }
        both
    }

    fn tell(&self, what: impl Into<String>) {
        self.story.borrow_mut().push(what.into());
    }

    fn living_loops(&self) -> Vec<Loop> {
        (0..self.loops.len()).filter(|at| self.loops[*at].is_some()).collect()
    }

    fn living(&self) -> Vec<Context> {
        (0..self.contexts.len()).filter(|at| self.contexts[*at].alive).collect()
    }

    fn event_loop(&mut self, at: Loop) -> &mut EventLoop {
        self.loops[at].as_mut().unwrap()
    }

    fn attach(&mut self) {
        let Some(home) = self.dice.pick(&self.living_loops()) else { return };
        let extension = self.browser.extension;
        let frames = self.frames.clone();
        let place = if self.dice.below(3) == 0 { None } else { self.dice.pick(&frames) };
        let description = match place {
            Some(place) => in_document(extension, place),
            None => ContextDescription::background(extension, "ext://bg", "ext://"),
        };
        let event_loop = self.event_loop(home);
        let id = event_loop.attach(description).unwrap();
        event_loop.set_listening(id, true).unwrap();
        self.tell(format!("attach {} on loop {home}, {place:?}", self.contexts.len()));
        self.contexts.push(Attached { id, home, place, alive: true });
        self.model.attach(home);
    }

    fn set_listening(&mut self) {
        let Some(context) = self.dice.pick(&self.living()) else { return };
        let listening = self.dice.below(3) > 0;
        let Attached { id, home, .. } = self.contexts[context];
        self.event_loop(home).set_listening(id, listening).unwrap();
        self.tell(format!("listening of {context}: {listening}"));
        self.model.set_listening(context, listening);
    }

    fn connect(&mut self) {
        let Some(opener) = self.dice.pick(&self.living()) else { return };
        let Attached { id, home, place, .. } = self.contexts[opener];
        let tab = (place.is_none() && self.dice.below(4) > 0)
            .then(|| self.dice.pick(&self.frames.clone()).map(|place| place.tab))
            .flatten();
        let alive = self.living();
        let targets: Vec<Context> = match tab {
            // By frame, in the order in which they came.
            Some(tab) => self
                .frames
                .iter()
                .filter(|place| place.tab == tab)
                .flat_map(|frame| alive.iter().copied().filter(|at| self.contexts[*at].place == Some(*frame)))
                .collect(),
            None => {
                alive.into_iter().filter(|at| *at != opener && self.contexts[*at].place.is_none()).collect()
            }
        };
        let name = self.channels.to_string();
        let connected = match tab {
            Some(tab) => self.event_loop(home).connect_tab(id, &TabTarget::new(tab).name(&name)),
            None => self.event_loop(home).connect_runtime(id, name.as_str()),
        };
        let held = self.model.ports_of(opener);
        match connected {
            Ok(port) => {
                assert!(held.is_none_or(|held| held < PORTS_PER_CONTEXT));
                self.tell(format!("{opener} connects channel {} to {targets:?}", self.channels));
                self.model.connect(opener, &targets);
                self.opened((self.channels, opener), port);
                self.channels += 1;
            }
            Err(error) => {
                assert_eq!(error, ConnectError::TooManyPorts);
                assert!(held.is_none_or(|held| held >= PORTS_PER_CONTEXT));
            }
        }
    }

    fn opened(&mut self, end: End, port: PortId) {
        assert_eq!(self.ports.insert(port, end), None, "a port id is never given again");
        self.ends.push((end, port));
    }

    fn some_end(&mut self) -> Option<(End, PortId)> {
        // Rather a late one: the early ones have ended.
        let from = self.ends.len().saturating_sub(6);
        let recent: Vec<_> = self.ends[from..].to_vec();
        let (end, port) = self.dice.pick(&recent)?;
        self.loops[self.contexts[end.1].home].is_some().then_some((end, port))
    }

    fn post(&mut self) {
        let Some((end, port)) = self.some_end() else { return };
        let home = self.contexts[end.1].home;
        for _ in 0..=self.dice.below(3) {
            let number = self.messages;
            self.messages += 1;
            match self.event_loop(home).post_message(port, number.to_string()) {
                Ok(()) => {
                    assert_ne!(self.model.is_open(end), Some(false), "a port that is gone takes messages");
                    self.tell(format!("{end:?} posts {number}"));
                    self.model.post(end, number);
                }
                Err(PostError::Gone(_)) => assert!(!self.contexts[end.1].alive),
                Err(PostError::Disconnected(_)) => {
                    assert!(self.model.is_open(end) != Some(true) || !self.contexts[end.1].alive);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn disconnect(&mut self) {
        let Some((end, port)) = self.some_end() else { return };
        let Attached { home, alive, .. } = self.contexts[end.1];
        if !alive {
            return;
        }
        let expected = self.model.is_open(end);
        let was_open = self.event_loop(home).disconnect(port);
        assert!(expected.is_none_or(|expected| expected == was_open));
        self.tell(format!("{end:?} disconnects"));
        self.model.disconnect(end);
    }

    fn detach(&mut self) {
        let Some(context) = self.dice.pick(&self.living()) else { return };
        let Attached { id, home, .. } = self.contexts[context];
        self.event_loop(home).detach(id).unwrap();
        self.contexts[context].alive = false;
        self.tell(format!("detach {context}"));
        self.model.detach(context);
    }

    fn navigate(&mut self) {
        let which = self.dice.below(self.frames.len());
        let place = self.frames[which];
        if place.frame == FrameId::TOP {
            return;
        }
        let mut doomed = self.living();
        doomed.retain(|at| self.contexts[*at].place == Some(place));
        self.frames[which] = self.browser.navigate(place);
        self.tell(format!("navigate {place:?}: ends {doomed:?}"));
        let loops = self.living_loops();
        for &home in &loops {
            let here: Vec<_> = doomed.iter().copied().filter(|at| self.contexts[*at].home == home).collect();
            self.model.kill(&here, DisconnectReason::Navigated, &loops);
        }
        for context in doomed {
            self.contexts[context].alive = false;
        }
    }

    fn drop_loop(&mut self) {
        let loops = self.living_loops();
        let Some(gone) = self.dice.pick(&loops) else { return };
        if loops.len() < 2 {
            return;
        }
        self.loops[gone] = None;
        for context in self.contexts.iter_mut().filter(|context| context.home == gone) {
            context.alive = false;
        }
        self.tell(format!("drop loop {gone}"));
        self.model.drop_loop(gone, &loops);
        if self.loops.len() < 5 {
            self.loops.push(Some(self.browser.event_loop()));
        }
    }

    /// Takes events from a loop, so many at most.
    fn take(&mut self, at: Loop, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop(at).next_event() else {
                self.tell(format!("loop {at} says nothing"));
                assert!(self.model.pauses(at, true), "loop {at} says nothing and should have spoken");
                return;
            };
            let heard = self.translate(&event);
            self.tell(format!("loop {at} hands out {heard:?}"));
            assert!(self.model.hears(at, &heard), "loop {at} handed out {heard:?}");
        }
        assert!(self.model.pauses(at, false));
    }

    fn translate(&mut self, event: &Event) -> Heard {
        let context = self
            .contexts
            .iter()
            .position(|context| context.id == event.context())
            .expect("an event of a known context");
        match event {
            Event::Connect { port, name, .. } => {
                let end = (name.as_str().parse::<Channel>().unwrap(), context);
                self.opened(end, *port);
                Heard::Connect(end)
            }
            Event::Message { port, payload, .. } => {
                let number = std::str::from_utf8(payload).unwrap().parse().unwrap();
                Heard::Message(self.ports[port], number)
            }
            Event::Disconnect { port, reason, .. } => Heard::Disconnect(self.ports[port], *reason),
            Event::ContextGone { reason, .. } => Heard::ContextGone(context, *reason),
            other => panic!("{other:?}"),
        }
    }

    fn operate(&mut self) {
        match self.dice.below(100) {
            0..20 => self.connect(),
            20..45 => self.post(),
            45..54 => self.disconnect(),
            54..58 => self.attach(),
            58..62 => self.detach(),
            62..65 => self.set_listening(),
            65..68 => self.navigate(),
            68..69 => self.drop_loop(),
            _ => {
                let loops = self.living_loops();
                let at = self.dice.pick(&loops).unwrap();
                let most = if self.dice.below(3) == 0 { 1 + self.dice.below(3) } else { usize::MAX };
                self.take(at, most);
            }
        }
    }

    /// All is taken everywhere: whoever is connected has the whole of it.
    fn finish(mut self) {
        for _ in 0..4 {
            for at in self.living_loops() {
                self.take(at, usize::MAX);
            }
        }
        for at in self.living_loops() {
            let snapshot = self.event_loop(at).snapshot();
            for port in snapshot.ports {
                assert_eq!(port.queued.messages, 0);
                let end = self.ports[&port.port];
                assert_eq!(self.model.is_open(end), Some(true));
            }
            for lane in snapshot.lanes {
                assert_eq!((lane.outbound_records, lane.outbound_bytes), (0, 0));
            }
        }
    }
}

#[test]
fn what_is_handed_out_is_what_the_model_allows() {
    let (mut most_ways, mut heard) = (0, 0);
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    for seed in 0..seeds {
        let story = Rc::new(RefCell::new(Vec::new()));
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut both = Both::new(seed, Rc::clone(&story));
            for _ in 0..OPERATIONS {
                both.operate();
                most_ways = most_ways.max(both.model.ways());
            }
            heard += both.messages;
            both.finish();
        }));
        if let Err(panic) = ran {
            eprintln!("failing seed: {seed}");
            story.borrow().iter().for_each(|line| eprintln!("  {line}"));
            resume_unwind(panic);
        }
    }
    assert!(heard > 0);
    assert!(most_ways < 20_000, "the model loses itself: {most_ways}");
}
