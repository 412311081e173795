//! The calls on event loops that a script makes.

use super::background::Load;
use super::index::Extension;
use super::run::{Attached, Both, EXTENSIONS, NO_LOAD};
use super::script::Draw;
use super::world::{Connecting, Posted};
use super::{Context, End, Loop, Message as Posting};
use crate::common::{
    connect_runtime, describe_background_at, describe_content_script_at, describe_page_at,
    describe_page_in_tab_at, describe_web_page_at, listening_for_everything,
};
use port_core::{
    AttachError, ConnectError, ConnectKind, ContextError, ContextKind, DocumentTarget, ExtensionId,
    FanOutOrder, Listening, Message, MessageFormat, Place, PortId, PostErrorKind, RuntimeTarget, TabTarget,
};

impl Both {
    pub(super) fn attach(&mut self, draw: &mut Draw) {
        let Some(home) = draw.pick(&self.living_loops()) else { return };
        let loads = self.instances.len();
        let instance = if draw.below(4) == 3 { draw.below(loads) } else { self.loaded_instance(draw) };
        let what = draw.below(13);
        let Some(place) = draw.recent(&self.places, 6) else { return };
        let (kind, place) = match what {
            0..6 => (ContextKind::ContentScript, Some(place)),
            6..8 => (ContextKind::Background, None),
            8..10 => (ContextKind::Page, None),
            10..12 => (ContextKind::Page, Some(place)),
            _ => (ContextKind::WebPage, Some(place)),
        };
        self.attach_at(home, instance, kind, place, draw.below(2) == 0);
    }

    pub(super) fn attach_at(
        &mut self,
        home: Loop,
        instance: Load,
        kind: ContextKind,
        place: Option<Place>,
        ready: bool,
    ) {
        let load = self.instances[instance].1;
        let (url, origin) = (format!("ext://{}", self.contexts.len()), "ext://origin");
        let is_web_page = kind == ContextKind::WebPage;
        let admitted_by =
            [is_web_page && instance.is_multiple_of(2), is_web_page && !instance.is_multiple_of(3)];
        let admitting =
            || EXTENSIONS.into_iter().zip(admitted_by).filter_map(|(id, admits)| admits.then_some(id));
        let described = url.len() + origin.len() + admitting().map(str::len).sum::<usize>();
        let description = match (kind, place) {
            (ContextKind::WebPage, Some(place)) => describe_web_page_at(place, admitting(), &url, origin),
            (ContextKind::Background, _) => describe_background_at(load, &url, origin),
            (ContextKind::ContentScript, Some(place)) => {
                describe_content_script_at(load, place, &url, origin)
            }
            (_, Some(place)) => describe_page_in_tab_at(load, place, &url, origin),
            (_, None) => describe_page_at(load, &url, origin),
        };
        let expected = if described > self.limits.description_bytes as usize {
            Err(AttachError::DescriptionTooLong)
        } else if !is_web_page && !self.index.is_loaded(load) {
            Err(AttachError::UnknownExtension)
        } else if self.declared.contains(&home) {
            Err(AttachError::EventLoopGone)
        } else if place.is_some_and(|place| !self.index.shows(place)) {
            Err(AttachError::UnknownDocument)
        } else {
            Ok(())
        };
        let attached = self.event_loop(home).attach(description);
        assert_eq!(attached.map(drop), expected);
        let Ok(id) = attached else { return };
        let context = self.contexts.len();
        let entered = (!is_web_page).then_some(load);
        let instance = if is_web_page { NO_LOAD } else { instance };
        self.tell(format!("attach {context} on loop {home}: {kind:?} of load {instance}, {place:?}"));
        self.contexts.push(Attached { id, home, instance, kind, place, admitted_by });
        self.index.enter(context, entered, kind, place);
        self.model.does(|world| world.attach(home, kind, instance, described as u64));
        self.set_listening(context, listening_for_everything().listeners(2).ready(ready));
    }

    pub(super) fn loaded_instance(&self, draw: &mut Draw) -> usize {
        let loaded = |at: &usize| self.index.is_loaded(self.instances[*at].1);
        let loaded: Vec<_> = (0..self.instances.len()).filter(loaded).collect();
        draw.pick(&loaded).unwrap_or_default()
    }

    pub(super) fn listen(&mut self, draw: &mut Draw) {
        let Some(context) = self.some_context(draw) else { return };
        let listeners = [2, 0, 1, 3][draw.below(4)];
        let [ports, one_off, external_ports, external_one_off] = [(); 4].map(|()| draw.below(3) > 0);
        // Two from one byte, for a number has eight.
        let both = draw.below(8);
        self.set_listening(
            context,
            Listening::none()
                .ports(ports)
                .one_off(one_off)
                .external_ports(external_ports)
                .external_one_off(external_one_off)
                .listeners(listeners)
                .ready(!both.is_multiple_of(4))
                .asks(both / 4 == 1),
        );
    }

    pub(super) fn set_listening(&mut self, context: Context, listening: Listening) {
        let Attached { id, home, .. } = self.contexts[context];
        let got = self.event_loop(home).set_listening(id, listening);
        self.tell(format!("{context} listens: {listening:?}: {got:?}"));
        let allowed = self.model.allows(|world| world.set_listening(context, listening, got));
        self.check(allowed, "set_listening");
    }

    pub(super) fn connect_tab(&mut self, draw: &mut Draw) {
        let Some(opener) = self.some_context(draw) else { return };
        let Attached { id, home, kind, instance, .. } = self.contexts[opener];
        let Some(place) = draw.recent(&self.places, 6) else { return };
        let Some(other) = draw.recent(&self.places, 6) else { return };
        let (frame, document) = match draw.below(8) {
            0..5 => (None, None),
            5 => (Some(place.frame), None),
            6 => (None, Some(other.document)),
            _ => (Some(place.frame), Some(other.document)),
        };
        let (name, connect_kind) = self.name_and_kind(draw);
        let mut target = TabTarget::new(place.tab).name(&name).kind(connect_kind);
        if let Some(frame) = frame {
            target = target.frame(frame);
        }
        if let Some(document) = document {
            target = target.document(document);
        }
        let decides = document.is_some() && self.policies.document_target == DocumentTarget::DocumentDecides;
        let mut targets = self.index.in_tab(place.tab, frame.filter(|_| !decides), document);
        targets.retain(|target| *target != opener && self.contexts[*target].instance == instance);
        if self.policies.fan_out_order == FanOutOrder::Arbitrary && targets.len() > 2 {
            // Every other one, and on the way back the rest.
            let back = targets.iter().skip(1).step_by(2).rev();
            targets = targets.iter().step_by(2).chain(back).copied().collect();
        }
        let not_allowed = matches!(kind, ContextKind::ContentScript | ContextKind::WebPage);
        let got = self.event_loop(home).connect_tab(id, &target);
        let (kind, bytes) = (connect_kind, name.len() as u64);
        self.connected(&Connecting { opener, targets, kind, bytes, not_allowed, background: None }, got);
    }

    pub(super) fn connect_runtime(&mut self, draw: &mut Draw) {
        let Some(opener) = self.some_context(draw) else { return };
        let Attached { id, home, instance, kind: opener_kind, admitted_by, .. } = self.contexts[opener];
        let which = draw.below(4).checked_sub(2);
        let extension = which.map(|which| ExtensionId::new(EXTENSIONS[which]));
        let (name, kind) = self.name_and_kind(draw);
        let target = extension.clone().map_or_else(RuntimeTarget::own, RuntimeTarget::extension);
        let own = self.instances.get(instance).cloned();
        let reached = match (&extension, &own) {
            (Some(extension), None) => {
                let admits = which.is_some_and(|which| admitted_by[which]);
                self.index.reached(extension, extension).filter(|_| admits)
            }
            (None, None) => None,
            (Some(extension), Some((own, _))) if extension != own => self.index.reached(extension, own),
            // Its own load, and no later one.
            (_, Some((own, load))) => {
                self.index.reached(own, own).filter(|reached| reached.instance == *load)
            }
        };
        // One that starts does not wait for itself.
        let is_own = |reached: &Extension| own.as_ref().is_some_and(|(own, _)| reached.id == *own);
        let waits = |reached: &&Extension| opener_kind != ContextKind::Background || !is_own(reached);
        let background = reached.filter(waits).map(|reached| self.load_of(reached.instance));
        let targets = reached.map(|reached| reached.own.clone()).unwrap_or_default();
        let got = self.event_loop(home).connect_runtime(id, &target.name(&name).kind(kind));
        let (bytes, not_allowed) = (name.len() as u64, own.is_none() && extension.is_none());
        self.connected(&Connecting { opener, targets, kind, bytes, not_allowed, background }, got);
    }

    /// The name is the channel's number, sometimes a long one.
    pub(super) fn name_and_kind(&self, draw: &mut Draw) -> (String, ConnectKind) {
        let kind = if draw.below(4) == 3 { ConnectKind::OneOff } else { ConnectKind::Port };
        let width = if draw.below(4) == 3 { 40 } else { 1 };
        (format!("{:0width$}", self.channels), kind)
    }

    pub(super) fn connected(&mut self, connecting: &Connecting, got: Result<PortId, ConnectError>) {
        let answer = got.map(drop);
        self.tell(format!("channel {}: {connecting:?}: {answer:?}", self.channels));
        let allowed = self.model.allows(|world| world.connect(connecting, answer));
        self.check(allowed, "connect");
        if let Ok(port) = got {
            self.opened((self.channels, connecting.opener, 0), port);
            self.used(connecting.opener, Some(port));
            self.openers.push(connecting.opener);
            self.kinds.push(connecting.kind);
            self.channels += 1;
        }
    }

    pub(super) fn opened(&mut self, end: End, port: PortId) {
        assert_eq!(self.ports.insert(port, end), None, "a port id is never given again");
        self.ends.push((end, port));
    }

    pub(super) fn post(&mut self, draw: &mut Draw) {
        let Some((end, port)) = self.some_end(draw) else { return };
        let home = self.contexts[end.1].home;
        for _ in 0..=draw.below(3) {
            let length = [0, 0, 30, 90, 150, 161, 300][draw.below(7)];
            let mut text = format!("{:<length$}", self.messages);
            let posting = Posting { number: self.messages, length: text.len() as u64 };
            self.messages += 1;
            let owned = text.len() > 200;
            let message = if owned {
                Message::from(self.ledger.payload_of(std::mem::take(&mut text).into_bytes()))
            } else {
                Message::from(text.as_str())
            };
            let message =
                message.format(format_of(posting.number)).user_activation(posting.number.is_multiple_of(3));
            let got = match self.event_loop(home).post_message(port, message.clone()) {
                Ok(()) => Posted::Sent,
                Err(error) => {
                    let kind = match error.kind() {
                        PostErrorKind::Disconnected => Posted::Disconnected,
                        PostErrorKind::Gone => Posted::Gone,
                        PostErrorKind::TooLarge => Posted::TooLarge,
                        PostErrorKind::WindowFull => Posted::WindowFull,
                        PostErrorKind::Busy => Posted::Busy,
                        other => panic!("{other:?}"),
                    };
                    let expected = owned.then_some(message);
                    assert_eq!(error.into_message(), expected, "a refused message comes back");
                    kind
                }
            };
            self.tell(format!("{end:?} posts {posting:?}: {got:?}"));
            let allowed = self.model.allows(|world| world.post(end, posting, got));
            self.check(allowed, "post");
            if got == Posted::Sent {
                self.used(end.1, Some(port));
            }
            if matches!(got, Posted::Sent | Posted::Gone) {
                self.is_decided(port);
            }
        }
    }

    pub(super) fn disconnect(&mut self, draw: &mut Draw) {
        let Some((end, port)) = self.some_end(draw) else { return };
        let home = self.contexts[end.1].home;
        let is_open = self.event_loop(home).is_open(port);
        let allowed = self.model.allows(|world| world.is_open(end) == is_open);
        self.check(allowed, "is_open");
        let was_open = self.event_loop(home).disconnect(port);
        self.tell(format!("{end:?} disconnects: {was_open}"));
        let allowed = self.model.allows(|world| world.disconnect(end, was_open));
        self.check(allowed, "disconnect");
        if was_open {
            self.used(end.1, None);
        }
    }

    /// Takes or refuses a connection, sometimes one that nobody asks about.
    pub(super) fn decide(&mut self, draw: &mut Draw) {
        let takes = draw.below(3) > 0;
        let asked = |(end, _): &&(End, PortId)| self.loops[self.contexts[end.1].home].is_some();
        let asked: Vec<_> = self.undecided.iter().filter(asked).copied().collect();
        let Some((end, port)) = draw.recent(&asked, 6).or_else(|| self.some_end(draw)) else { return };
        self.decide_on(end, port, takes);
    }

    /// Notes that there is nothing to decide about a port. Returns whether there was, as far as its context knows.
    fn is_decided(&mut self, port: PortId) -> bool {
        let before = self.undecided.len();
        self.undecided.retain(|(_, asked)| *asked != port);
        self.undecided.len() < before
    }

    pub(super) fn decide_on(&mut self, end: End, port: PortId, takes: bool) {
        let event_loop = self.event_loop(self.contexts[end.1].home);
        let got = if takes { event_loop.accept(port) } else { event_loop.refuse(port) };
        self.tell(format!("{end:?} {}: {got}", if takes { "accepts" } else { "refuses" }));
        let asked = self.is_decided(port);
        let allowed = self.model.allows(|world| world.decide(end, asked, takes, got));
        self.check(allowed, "accept or refuse");
        if got && !takes {
            self.used(end.1, None);
        }
    }

    pub(super) fn detach(&mut self, draw: &mut Draw) {
        let Some(context) = self.some_context(draw) else { return };
        let Attached { id, home, .. } = self.contexts[context];
        let got = self.event_loop(home).detach(id);
        self.tell(format!("detach {context}: {got:?}"));
        self.index.leave(&[context]);
        self.uses.remove(&context);
        let allowed = self.model.allows(|world| world.detach(context, got));
        self.check(allowed, "detach");
    }

    /// Ids of one loop mean nothing to another.
    pub(super) fn stranger(&mut self, draw: &mut Draw) {
        let (Some(context), Some((_, port))) = (self.some_context(draw), draw.recent(&self.ends, 6)) else {
            return;
        };
        let id = self.contexts[context].id;
        let Some(at) = draw.pick(&self.living_loops()) else { return };
        let event_loop = self.loops[at].as_mut().expect("it lives");
        if event_loop.id() != id.event_loop() {
            assert_eq!(event_loop.set_listening(id, Listening::PORTS), Err(ContextError::UnknownContext));
            assert_eq!(event_loop.detach(id), Err(ContextError::UnknownContext));
            assert_eq!(connect_runtime(event_loop, id, ""), Err(ConnectError::UnknownContext));
        }
        if event_loop.id() != port.event_loop() {
            assert!(!event_loop.is_open(port));
            assert!(!event_loop.disconnect(port));
            assert_eq!(
                event_loop.post_message(port, "").map_err(PostErrorKind::from),
                Err(PostErrorKind::Disconnected)
            );
        }
    }
}

pub(super) fn format_of(number: u32) -> MessageFormat {
    match number % 3 {
        0 => MessageFormat::Json,
        1 => MessageFormat::StructuredClone,
        _ => MessageFormat::Other(number as u8),
    }
}
