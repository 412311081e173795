//! A thread that does what its dice say, and writes down what it did and heard.

use super::world::{EXTENSIONS, LAST_ROUNDS, World, lock};
use super::{Channel, Context, End, Entry, Life, Lives, Sent, To};
use crate::common::{
    Dice, connect_runtime, describe_background_at, describe_content_script_at, describe_page_in_tab_at,
    listening_for_everything,
};
use bytes::Bytes;
use port_core::{
    ContextId, Event, EventLoop, ExtensionId, PortId, PortStatus, PostErrorKind, RuntimeTarget, TabTarget,
};
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

const STEPS: usize = 700;

/// A thread with its event loop, and what it wrote down.
pub struct Thread<'a> {
    world: &'a World,
    dice: Dice,
    event_loop: EventLoop,
    life: Life,
    step: u64,
    contexts: Vec<(Context, ContextId)>,
    numbers: HashMap<ContextId, Context>,
    ends: HashMap<PortId, End>,
    /// Ports that may be open, with the number of posts.
    ports: Vec<(PortId, u64)>,
    history: Vec<Entry>,
}

impl<'a> Thread<'a> {
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            dice: Dice::new(seed),
            event_loop: world.event_loop(),
            life: world.number(),
            step: 0,
            contexts: Vec::new(),
            numbers: HashMap::new(),
            ends: HashMap::new(),
            ports: Vec::new(),
            history: Vec::new(),
        }
    }

    fn attach(&mut self) {
        let load = {
            let loads = lock(&self.world.loads);
            if self.dice.below(3) > 0 { 0 } else { self.dice.below(loads.len()) }
        };
        let instance = lock(&self.world.loads)[load].1;
        let place = self.dice.pick(&lock(&self.world.places)).filter(|_| self.dice.below(3) > 0);
        let context = self.world.number();
        let url = context.to_string();
        let mut script = false;
        let description = match place {
            Some(place) if self.dice.below(4) == 0 => describe_page_in_tab_at(instance, place, &url, ""),
            Some(place) => {
                script = true;
                describe_content_script_at(instance, place, &url, "")
            }
            None => describe_background_at(instance, &url, ""),
        };
        let Ok(id) = self.event_loop.attach(description) else { return };
        let tab = place.map(|place| place.tab);
        let lives = Lives { life: self.life, load, tab, script };
        self.history.push(Entry::Attach { context, lives });
        let _ = self.event_loop.set_listening(id, listening_for_everything());
        self.contexts.push((context, id));
        self.numbers.insert(id, context);
    }

    fn connect(&mut self) {
        let Some((opener, id)) = self.dice.pick(&self.contexts) else { return };
        let channel = self.world.number();
        let name = channel.to_string();
        let tab = self.dice.pick(&lock(&self.world.places)).map(|place| place.tab);
        let (connected, to) = match (self.dice.below(6), tab) {
            (0..4, Some(tab)) => {
                (self.event_loop.connect_tab(id, &TabTarget::new(tab).name(&name)), To::Tab(tab))
            }
            (4, _) => (connect_runtime(&mut self.event_loop, id, &name), To::Own),
            _ => {
                let target = RuntimeTarget::extension(ExtensionId::new(EXTENSIONS[1])).name(&name);
                (self.event_loop.connect_runtime(id, &target), To::Other)
            }
        };
        if let Ok(port) = connected {
            let (life, step) = (self.life, self.step);
            self.history.push(Entry::Connect { channel, opener, life, step, to });
            self.own((channel, opener), port);
        }
    }

    fn own(&mut self, end: End, port: PortId) {
        assert_eq!(self.ends.insert(port, end), None, "a port's id is given once");
        self.ports.push((port, 0));
    }

    fn post(&mut self) {
        if self.ports.is_empty() {
            return;
        }
        let at = self.dice.below(self.ports.len());
        for _ in 0..1 + self.dice.below(12) {
            let (port, number) = self.ports[at];
            let end = self.ends[&port];
            let sent = [end.0, end.1, self.life, self.step, number];
            self.step += 1;
            let mut bytes: Vec<u8> = sent.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.resize([40, 120, 300][self.dice.below(3)], 0);
            let message: Bytes = self.world.ledger.payload_of(bytes);
            match self.event_loop.post_message(port, message.clone()) {
                Ok(()) => {
                    self.history.push(Entry::Post { end, number });
                    self.ports[at].1 += 1;
                }
                Err(refused) => {
                    let kind = refused.kind();
                    assert_eq!(refused.into_message(), Some(message.into()));
                    match kind {
                        PostErrorKind::Disconnected | PostErrorKind::Gone => {
                            self.history.push(Entry::Refused { end });
                            self.ports.swap_remove(at);
                            return;
                        }
                        PostErrorKind::WindowFull | PostErrorKind::Busy => return,
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }

    fn disconnect(&mut self) {
        let Some((port, _)) = self.dice.take(&mut self.ports) else { return };
        // A port whose end is on its way is closed too, and hears of it no more.
        if self.event_loop.disconnect(port) {
            self.history.push(Entry::Disconnect { end: self.ends[&port], step: self.step });
        }
        assert!(!self.event_loop.is_open(port) && !self.event_loop.disconnect(port));
    }

    fn detach(&mut self) {
        if self.contexts.len() < 2 {
            return;
        }
        let at = self.dice.below(self.contexts.len());
        let (context, id) = self.contexts.swap_remove(at);
        if self.event_loop.detach(id).is_ok() {
            // If a fact was first, that is how it died, and nobody hears of it here.
            self.history.push(Entry::Detach { context, step: self.step });
        }
    }

    fn take(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.event_loop.next_event() else { return };
            self.hear(&event);
        }
    }

    fn hear(&mut self, event: &Event) {
        let context = self.numbers[&event.context()];
        if let Some(end) = event.port().and_then(|port| self.ends.get(&port)) {
            assert_eq!(end.1, context);
        }
        match event {
            Event::Connect { port, name, sender, .. } => {
                let end: End = (name.as_str().parse::<Channel>().unwrap(), context);
                self.own(end, *port);
                let sender = sender.url().parse().unwrap();
                self.history.push(Entry::HeardConnect { end, sender });
            }
            Event::Message { port, payload, .. } => {
                let word = |at: usize| u64::from_le_bytes(payload[8 * at..8 * at + 8].try_into().unwrap());
                let [channel, from, life, step, number] = [0, 1, 2, 3, 4].map(word);
                let sent = Sent { channel, from, life, step, number };
                self.history.push(Entry::HeardMessage { end: self.ends[port], sent });
            }
            Event::Disconnect { port, reason, .. } => {
                self.history.push(Entry::HeardEnd { end: self.ends[port], reason: *reason });
            }
            Event::ContextGone { .. } => {
                self.contexts.retain(|known| known.0 != context);
                self.history.push(Entry::HeardGone { context });
            }
            Event::Room { port, .. } => assert!(self.event_loop.is_open(*port)),
            other => panic!("{other:?}"),
        }
    }

    /// The loop dies and another takes its place.
    fn begin_anew(&mut self) {
        let new = self.world.event_loop();
        let old = std::mem::replace(&mut self.event_loop, new);
        let id = old.id();
        drop(old);
        // From here on nobody can declare it gone.
        lock(&self.world.loops).retain(|known| *known != id);
        let declared = lock(&self.world.declared).contains(&id);
        self.history.push(Entry::LoopEnds { life: self.life, declared });
        self.life = self.world.number();
        self.contexts.clear();
        self.ports.clear();
    }

    fn act(&mut self) {
        self.step += 1;
        match self.dice.below(200) {
            0..60 => self.post(),
            60..80 => self.connect(),
            80..92 => self.disconnect(),
            92..106 => self.attach(),
            106..110 => self.detach(),
            110 => self.begin_anew(),
            111..114 if self.contexts.is_empty() => self.begin_anew(),
            _ => {
                let most = 1 + self.dice.below(30);
                self.take(most);
            }
        }
    }

    pub fn run(mut self) -> Vec<Entry> {
        for _ in 0..3 {
            self.attach();
        }
        self.world.meet(0);
        for _ in 0..STEPS {
            self.act();
        }
        self.world.active.fetch_sub(1, SeqCst);
        while self.world.active.load(SeqCst) > 0 && !self.world.broken.load(SeqCst) {
            self.take(usize::MAX);
            thread::yield_now();
        }
        for round in 1..=LAST_ROUNDS {
            self.world.meet(round);
            self.take(usize::MAX);
        }
        self.world.meet(LAST_ROUNDS + 1);
        for port in self.event_loop.snapshot().ports {
            if port.status == PortStatus::Open {
                self.history.push(Entry::OpenAtLast { end: self.ends[&port.port] });
            }
        }
        self.world.meet(LAST_ROUNDS + 2);
        std::mem::take(&mut self.history)
    }
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.broken.store(true, SeqCst);
        }
    }
}
