//! What loops hand out and show, in the model's words.

use super::calls::format_of;
use super::run::{Attached, Both};
use super::state::State;
use super::{Channel, Context, Heard, Loop, Message as Posting, Nth};
use port_core::{ContextId, Event, PortStatus, Sender, TabId};
use std::collections::BTreeMap;
use std::rc::Rc;

impl Both {
    /// Takes events from a loop, so many at most.
    pub(super) fn take(&mut self, at: Loop, most: usize) {
        let own = self.index.extensions.iter();
        let own = own.map(|extension| (self.load_of(extension.instance), extension.own.clone())).collect();
        let own = Rc::new(own);
        self.model.does(|world| world.own = Rc::clone(&own));
        for _ in 0..most {
            let Some(event) = self.event_loop(at).next_event() else {
                self.tell(format!("loop {at} says nothing"));
                let before = self.model.next(at);
                let allowed = self.model.is_silent(at);
                return assert!(allowed, "loop {at} says nothing; to be heard next: {before:?}");
            };
            if let Event::Message { port, ref payload, .. } = event
                && self.credits_when_taken(at)
            {
                assert!(self.event_loop(at).taken(port, 1, payload.len() as u64));
            }
            let heard = self.translate(&event);
            self.used_by_hearing(&heard, event.port());
            self.tell(format!("loop {at} hands out {heard:?}"));
            self.ran.heard += 1;
            let allowed = self.model.hears(at, &heard);
            self.ran.ways = self.ran.ways.max(self.model.ways());
            assert!(allowed, "loop {at} handed out {heard:?}");
        }
    }

    pub(super) fn translate(&mut self, event: &Event) -> Heard {
        let context = self.context_of(event.context());
        if let Some(known) = event.port().and_then(|port| self.ports.get(&port)) {
            assert_eq!(known.1, context, "an event is for the context that holds the port");
        }
        match event {
            Event::Connect { port, name, sender, undecided, .. } => {
                let channel = name.as_str().parse::<Channel>().unwrap();
                let end = (channel, context, self.heard_of(channel, context));
                let opener = self.ends.iter().find(|(known, _)| known.0 == end.0).unwrap().0.1;
                self.check_sender(sender, opener);
                self.opened(end, *port);
                if *undecided {
                    self.undecided.push((end, *port));
                }
                Heard::Connect(end, sender.lifecycle(), *undecided)
            }
            Event::Message { port, payload, format, user_activation, .. } => {
                let number = std::str::from_utf8(payload).unwrap().trim_end().parse().unwrap();
                assert_eq!(*format, format_of(number));
                assert_eq!(*user_activation, number.is_multiple_of(3));
                Heard::Message(self.ports[port], Posting { number, length: payload.len() as u64 })
            }
            Event::Disconnect { port, reason, not_listening, .. } => {
                Heard::Disconnect(self.ports[port], *reason, *not_listening)
            }
            Event::Room { port, .. } => Heard::Room(self.ports[port]),
            Event::ContextGone { reason, .. } => {
                self.uses.remove(&context);
                Heard::ContextGone(context, *reason)
            }
            other => panic!("{other:?}"),
        }
    }

    /// How many ports of a channel a context has heard of.
    fn heard_of(&self, channel: Channel, context: Context) -> Nth {
        let ends = self.ends.iter().filter(|(end, _)| (end.0, end.1) == (channel, context));
        Nth::try_from(ends.count()).unwrap()
    }

    pub(super) fn context_of(&self, id: ContextId) -> Context {
        self.contexts.iter().position(|context| context.id == id).expect("a known context")
    }

    pub(super) fn check_sender(&self, sender: &Sender, opener: Context) {
        let Attached { instance, kind, place, .. } = self.contexts[opener];
        assert_eq!(sender.url(), format!("ext://{opener}"));
        let own = self.instances.get(instance);
        assert_eq!(sender.extension(), own.map(|own| &own.0));
        assert_eq!(sender.instance(), own.map(|own| own.1));
        assert_eq!(sender.kind(), kind);
        assert_eq!(sender.tab(), place.map(|place| place.tab));
        assert_eq!(sender.frame(), place.map(|place| place.frame));
        assert_eq!(sender.document(), place.map(|place| place.document));
        let shown = self.policies.sender.context.then_some(self.contexts[opener].id);
        assert_eq!(sender.context(), shown);
    }

    /// A loop shows of its contexts and ports what they are.
    pub(super) fn snapshot(&mut self, at: Loop) {
        let snapshot = self.event_loop(at).snapshot();
        self.tell(format!("snapshot of loop {at}"));
        let mut ports = BTreeMap::new();
        for port in &snapshot.ports {
            let end = self.ports.get(&port.port).copied();
            // A connection that was taken and not yet handed out has a port that nobody knows.
            let end = end.unwrap_or_else(|| {
                let (channel, context) = (port.name.as_str().parse().unwrap(), self.context_of(port.context));
                let mut nth = self.heard_of(channel, context);
                while ports.contains_key(&(channel, context, nth)) {
                    nth += 1;
                }
                (channel, context, nth)
            });
            let mut others: Vec<_> = port.others.iter().map(|other| self.context_of(other.context)).collect();
            others.sort_unstable();
            let state = match port.status {
                PortStatus::Open => State::Open,
                PortStatus::Opening => State::Opening,
                PortStatus::Undecided => State::Undecided,
                PortStatus::Silent => State::Silent,
                PortStatus::Ended(reason) => State::Ended(reason),
                other => panic!("{other:?}"),
            };
            ports.insert(end, (state, others));
        }
        let contexts: Vec<_> = snapshot
            .contexts
            .iter()
            .map(|context| {
                let number = self.context_of(context.context);
                (number, (context.listening, context.suspended, context.gone, context.ports))
            })
            .collect();
        let contexts: BTreeMap<_, _> = contexts.into_iter().collect();
        let allowed = self.model.allows(|world| world.shows(at, &contexts, &ports));
        assert!(allowed, "the model does not allow {snapshot:#?}");
    }

    /// The service shows of the index what it is.
    pub(super) fn compare_index(&mut self) {
        let shown = self.service.snapshot();
        let numbers = |ids: &[ContextId]| ids.iter().map(|id| self.context_of(*id)).collect::<Vec<_>>();
        let frames = |tab: TabId, kept: bool| {
            let frames = self.index.frames.iter().filter(|frame| frame.tab == tab);
            frames
                .filter(|frame| frame.kept_with.is_some() == kept)
                .map(|frame| (frame.id, frame.parent, frame.document, frame.contexts.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown.tabs.len(), self.index.tabs.len());
        for tab in &shown.tabs {
            assert!(self.index.tabs.contains(&(tab.tab, tab.window)), "{tab:?}");
            for (shown, kept) in [(&tab.frames, false), (&tab.cached, true)] {
                let shown: Vec<_> = shown
                    .iter()
                    .map(|frame| (frame.frame, frame.parent, frame.document, numbers(&frame.contexts)))
                    .collect();
                assert_eq!(shown, frames(tab.tab, kept), "{:?}", tab.tab);
            }
        }
        assert_eq!(shown.extensions.len(), self.index.extensions.len());
        for (shown, known) in shown.extensions.iter().zip(&self.index.extensions) {
            assert_eq!((&shown.extension, shown.instance), (&known.id, known.instance));
            assert_eq!(numbers(&shown.own), known.own);
            assert_eq!(shown.content_scripts, known.content_scripts.len());
        }
        for extension in &shown.extensions {
            let (load, state) = (self.load_of(extension.instance), extension.background);
            let allowed = self.model.allows(|world| world.background_is(load, state));
            assert!(allowed, "the background of {load} is {state:?}");
        }
        let living = self.living_loops().into_iter().filter(|at| !self.declared.contains(at));
        let living: Vec<_> = living.filter_map(|at| Some(self.loops[at].as_ref()?.id())).collect();
        let shown: Vec<_> = shown.event_loops.iter().map(|(id, _)| *id).collect();
        assert_eq!(shown, living);
    }
}
