//! What was called and answered: a line each, with contexts, ports, loops and instances by number in order of appearance.

use super::core::{
    AttachError, BackForwardCache, ConnectError, ConnectKind, ConnectListeners, ContextError, ContextId,
    ContextKind, DiscardedTab, DocumentId, DocumentLifecycle, DocumentTarget, Event, EventLoopId,
    ExtensionInstance, FactError, FanOutOrder, FrameId, Limits, OpeningPort, Policies, PortId,
    ReceiverDisconnects, ReceiverLost, Sender, TabId, WindowId,
};
use super::format_number;
use std::cell::RefCell;

#[derive(Default)]
pub struct Record {
    text: String,
    loops: Vec<EventLoopId>,
    instances: Vec<ExtensionInstance>,
    contexts: Vec<ContextId>,
    ports: Vec<PortId>,
    operations: usize,
    /// `true` if a limit of 0 was asked for, which through C is the default.
    no_words_for_it: bool,
}

thread_local! {
    static RECORD: RefCell<Record> = RefCell::default();
}

/// Uses this thread's record.
pub fn with<T>(act: impl FnOnce(&mut Record) -> T) -> T {
    RECORD.with_borrow_mut(act)
}

/// Takes what was recorded, and how many operations that are; `None` if C has no words for it.
pub fn take() -> Option<(String, usize)> {
    let record = RECORD.take();
    (!record.no_words_for_it).then_some((record.text, record.operations))
}

/// The number of an error; 0 for none.
pub fn code<T, E: Code>(got: &Result<T, E>) -> u16 {
    got.as_ref().map_or_else(Code::code, |_| 0)
}

pub trait Code {
    fn code(&self) -> u16;
}

macro_rules! codes {
    ($($error:ident),+) => { $(impl Code for $error { fn code(&self) -> u16 { $error::code(*self) } })+ };
}

codes!(FactError, AttachError, ContextError, ConnectError);

/// An argument of a fact.
pub trait Shown {
    fn show(&self) -> String;
}

pub fn shown(argument: &impl Shown) -> String {
    argument.show()
}

macro_rules! shown_as_numbers {
    ($($id:ident),+) => { $(impl Shown for $id { fn show(&self) -> String { self.get().to_string() } })+ };
}

shown_as_numbers!(TabId, WindowId, FrameId);

impl Shown for DocumentId {
    fn show(&self) -> String {
        format!("{} {}", self.get() >> 64, self.get() & u128::from(u64::MAX))
    }
}

impl Shown for Option<FrameId> {
    fn show(&self) -> String {
        self.as_ref().map_or("-".into(), Shown::show)
    }
}

/// A payload is a number and spaces.
pub fn payload(bytes: &[u8]) -> String {
    let text = str::from_utf8(bytes).unwrap().replace(' ', "_");
    if text.is_empty() { "-".into() } else { text }
}

fn number_in<T: Copy + PartialEq + std::fmt::Debug>(all: &[T], one: T) -> usize {
    all.iter().rposition(|known| *known == one).unwrap_or_else(|| panic!("{one:?} is new"))
}

/// Enters what appeared, and gives its number; `-` for nothing.
fn enter<T>(all: &mut Vec<T>, new: Option<T>) -> String {
    let Some(new) = new else { return "-".into() };
    all.push(new);
    (all.len() - 1).to_string()
}

impl Record {
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
        self.operations += 1;
    }

    pub fn call(&mut self, call: &str, event_loop: EventLoopId, rest: &str) {
        let event_loop = self.loop_number(event_loop);
        self.line(format!("{call} {event_loop} {rest}"));
    }

    pub fn service(&mut self, limits: &Limits, policies: &Policies) {
        let (cache, messages, bytes) = match policies.back_forward_cache {
            BackForwardCache::LosesMessages => (2, 0, 0),
            BackForwardCache::QueuesMessages { messages, bytes, .. } => (3, messages, bytes),
            _ => (1, 0, 0),
        };
        let disconnects = match policies.receiver_disconnects {
            ReceiverDisconnects::EndsForAll => 1,
            ReceiverDisconnects::EndsForOpener => 2,
            _ => 3,
        };
        self.no_words_for_it |= limits.unanswered_connects == 0 || limits.description_bytes == 0;
        let of_two = |second: bool| if second { 2 } else { 1 };
        let policies = [
            disconnects,
            of_two(policies.receiver_lost == ReceiverLost::EndsForAll),
            cache,
            of_two(policies.document_target == DocumentTarget::DocumentDecides),
            of_two(policies.opening_port == OpeningPort::PostsWait),
            of_two(policies.fan_out_order == FanOutOrder::Arbitrary),
            of_two(policies.connect_listeners == ConnectListeners::PortForEach),
            of_two(policies.discarded_tab == DiscardedTab::TakesNewId),
            of_two(!policies.sender.lifecycle),
            of_two(!policies.sender.context),
        ];
        // A window of 0 counts as 1; in C 0 is no window.
        let limits = [
            limits.ports_per_context.into(),
            limits.external_ports_per_context.into(),
            limits.name_bytes.into(),
            limits.names_per_context.into(),
            limits.unanswered_connects.into(),
            limits.description_bytes.into(),
            limits.message_bytes as u64,
            limits.window_messages.map_or(0, |messages| messages.max(1).into()),
            limits.window_bytes.map_or(0, |bytes| bytes.max(1)),
            limits.lane_records,
            limits.lane_bytes,
        ];
        let policies = policies.map(|number: u32| number.to_string()).join(" ");
        let limits = limits.map(|number: u64| number.to_string()).join(" ");
        self.line(format!("service {policies} {messages} {bytes} {limits} = 0"));
    }

    pub fn event_loop(&mut self, id: EventLoopId) {
        self.loops.push(id);
        self.line("event_loop = 0");
    }

    pub fn end_of_loop(&mut self, id: EventLoopId) {
        self.call("drop", id, "= 0");
    }

    pub fn loop_number(&self, id: EventLoopId) -> usize {
        number_in(&self.loops, id)
    }

    pub fn instance(&self, id: ExtensionInstance) -> usize {
        number_in(&self.instances, id)
    }

    pub fn context(&self, id: ContextId) -> usize {
        number_in(&self.contexts, id)
    }

    pub fn port(&self, id: PortId) -> usize {
        number_in(&self.ports, id)
    }

    pub fn new_instance(&mut self, id: Option<ExtensionInstance>) -> String {
        enter(&mut self.instances, id)
    }

    pub fn new_context(&mut self, id: Option<ContextId>) -> String {
        enter(&mut self.contexts, id)
    }

    pub fn new_port(&mut self, id: Option<PortId>) -> String {
        enter(&mut self.ports, id)
    }

    /// An event in the words that the driver has for it.
    pub fn event(&mut self, event: Option<&Event>) -> String {
        let Some(event) = event else { return "none".into() };
        let context = self.context(event.context());
        match event {
            Event::Connect { port, kind, name, sender, undecided, .. } => {
                let port = self.new_port(Some(*port));
                let kind = u8::from(*kind == ConnectKind::OneOff);
                format!(
                    "connect {context} {port} {kind} {name} {} {}",
                    self.sender(sender),
                    u8::from(*undecided)
                )
            }
            Event::Message { port, payload: bytes, format, user_activation, .. } => {
                let (port, active) = (self.port(*port), u8::from(*user_activation));
                format!("message {context} {port} {} {} {active}", payload(bytes), format_number(*format))
            }
            Event::Disconnect { port, reason, not_listening, .. } => {
                let deaf = u8::from(*not_listening);
                format!("disconnect {context} {} {} {deaf}", self.port(*port), reason.code())
            }
            Event::Room { port, .. } => format!("room {context} {}", self.port(*port)),
            Event::ContextGone { reason, ports, .. } => {
                // In no order; those that were never heard of have no number.
                let known =
                    ports.iter().filter_map(|ended| self.ports.iter().position(|port| *port == ended.port));
                let mut known: Vec<_> = known.collect();
                known.sort_unstable();
                let known: String = known.iter().map(|port| format!(" {port}")).collect();
                format!("ended {context} {} {}{known}", reason.code(), ports.len())
            }
            other => panic!("{other:?}"),
        }
    }

    fn sender(&self, sender: &Sender) -> String {
        let kind = match (sender.kind(), sender.tab()) {
            (ContextKind::ContentScript, _) => 1,
            (ContextKind::Background, _) => 2,
            (ContextKind::WebPage, _) => 5,
            (_, None) => 3,
            (_, Some(_)) => 4,
        };
        let lifecycle = match sender.lifecycle() {
            None => 0,
            Some(DocumentLifecycle::Cached) => 2,
            Some(_) => 1,
        };
        let context = sender.context().map_or("-".into(), |context| self.context(context).to_string());
        let instance = sender.instance().map_or("-".into(), |instance| self.instance(instance).to_string());
        format!("{kind} {instance} {} {context} {lifecycle}", sender.url())
    }
}
