//! The core's surface as the reference model's scripts use it, which writes down each call with its answer.
//!
//! The scripts name it `port_core`. What has no answer worth comparing is the core's own.

mod described;
mod record;

pub use described::{ContextDescription, ExtensionDescription, RuntimeTarget, TabTarget};
pub use record::take;

use port_core_itself as core;
use port_core_itself::{
    AttachError, ConnectError, ContextError, ContextId, DisconnectReason, DocumentId, Event, EventLoopId,
    ExtensionInstance, FactError, FrameId, Limits, Listening, Message, MessageFormat, Policies, PortId,
    PostError, ServiceSnapshot, TabId, WindowId,
};
use record::{code, with};
use std::ops::{Deref, DerefMut};
use std::task::Waker;

#[derive(Clone, Debug)]
pub struct MessageService(core::MessageService);

#[derive(Default)]
pub struct MessageServiceBuilder(Limits, Policies);

impl MessageServiceBuilder {
    pub fn limits(self, limits: Limits) -> Self {
        Self(limits, self.1)
    }

    pub fn policies(self, policies: Policies) -> Self {
        Self(self.0, policies)
    }

    pub fn build(self) -> MessageService {
        with(|record| record.service(&self.0, &self.1));
        MessageService(core::MessageService::builder().limits(self.0).policies(self.1).build())
    }
}

/// Facts whose arguments are written as numbers.
macro_rules! facts {
    ($($name:ident($($argument:ident: $type:ty),+);)+) => {
        impl MessageService {
            $(
                pub fn $name(&self, $($argument: $type),+) -> Result<(), FactError> {
                    let got = self.0.$name($($argument),+);
                    let arguments = [$(record::shown(&$argument)),+].join(" ");
                    with(|record| record.line(format!("{} {arguments} = {}", stringify!($name), code(&got))));
                    got
                }
            )+
        }
    };
}

facts! {
    tab_opened(tab: TabId, window: WindowId);
    tab_moved(tab: TabId, window: WindowId);
    tab_closed(tab: TabId);
    tab_crashed(tab: TabId);
    frame_attached(tab: TabId, frame: FrameId, parent: Option<FrameId>, document: DocumentId);
    frame_navigated(tab: TabId, frame: FrameId, document: DocumentId);
    frame_removed(tab: TabId, frame: FrameId);
    document_cached(document: DocumentId);
    document_restored(document: DocumentId);
    document_evicted(document: DocumentId);
}

impl Deref for MessageService {
    type Target = core::MessageService;

    fn deref(&self) -> &core::MessageService {
        &self.0
    }
}

impl MessageService {
    pub fn builder() -> MessageServiceBuilder {
        MessageServiceBuilder::default()
    }

    pub fn event_loop(&self, waker: Waker) -> EventLoop {
        let event_loop = self.0.event_loop(waker);
        with(|record| record.event_loop(event_loop.id()));
        EventLoop(event_loop)
    }

    pub fn tab_discarded(&self, tab: TabId, next: TabId) -> Result<TabId, FactError> {
        let got = self.0.tab_discarded(tab, next);
        let now = got.map_or(0, TabId::get);
        with(|record| record.line(format!("tab_discarded {tab} {next} = {} {now}", code(&got))));
        got
    }

    pub fn extension_loaded(
        &self,
        described: impl Into<ExtensionDescription>,
    ) -> Result<ExtensionInstance, FactError> {
        let described = described.into();
        let shown = described.shown();
        let got = self.0.extension_loaded(described.itself);
        with(|record| {
            let instance = record.new_instance(got.ok());
            record.line(format!("extension_loaded {shown} = {} {instance}", code(&got)));
        });
        got
    }

    pub fn extension_unloaded(&self, instance: ExtensionInstance) -> Result<(), FactError> {
        let got = self.0.extension_unloaded(instance);
        with(|record| {
            let instance = record.instance(instance);
            record.line(format!("extension_unloaded {instance} = {}", code(&got)));
        });
        got
    }

    pub fn stop_background(&self, instance: ExtensionInstance) -> Result<(), FactError> {
        let got = self.0.stop_background(instance);
        with(|record| {
            let instance = record.instance(instance);
            record.line(format!("stop_background {instance} = {}", code(&got)));
        });
        got
    }

    pub fn give_up_background(
        &self,
        instance: ExtensionInstance,
        reason: DisconnectReason,
    ) -> Result<(), FactError> {
        let got = self.0.give_up_background(instance, reason);
        with(|record| {
            let instance = record.instance(instance);
            record.line(format!("give_up_background {instance} {} = {}", reason.code(), code(&got)));
        });
        got
    }

    pub fn next_wanted_background(&self) -> Option<ExtensionInstance> {
        let wanted = self.0.next_wanted_background();
        with(|record| {
            let instance = wanted.map_or("-".into(), |wanted| record.instance(wanted).to_string());
            record.line(format!("next_wanted_background = {instance}"));
        });
        wanted
    }

    pub fn event_loop_gone(&self, event_loop: EventLoopId) -> Result<(), FactError> {
        let got = self.0.event_loop_gone(event_loop);
        Self::ended("event_loop_gone", event_loop, got)
    }

    pub fn event_loop_crashed(&self, event_loop: EventLoopId) -> Result<(), FactError> {
        let got = self.0.event_loop_crashed(event_loop);
        Self::ended("event_loop_crashed", event_loop, got)
    }

    fn ended(call: &str, event_loop: EventLoopId, got: Result<(), FactError>) -> Result<(), FactError> {
        with(|record| {
            let event_loop = record.loop_number(event_loop);
            record.line(format!("{call} {event_loop} = {}", code(&got)));
        });
        got
    }
}

#[derive(Debug)]
pub struct EventLoop(core::EventLoop);

impl Deref for EventLoop {
    type Target = core::EventLoop;

    fn deref(&self) -> &core::EventLoop {
        &self.0
    }
}

impl DerefMut for EventLoop {
    fn deref_mut(&mut self) -> &mut core::EventLoop {
        &mut self.0
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        let id = self.0.id();
        with(|record| record.end_of_loop(id));
    }
}

impl EventLoop {
    /// Not in the C interface: who uses it takes messages where they are handed out.
    pub fn credit_when_taken(&mut self, _: bool) {}

    pub fn taken(&mut self, _: PortId, _: u32, _: u64) -> bool {
        true
    }

    pub fn attach(&mut self, description: ContextDescription) -> Result<ContextId, AttachError> {
        let shown = with(|record| description.shown(record));
        let got = self.0.attach(description.itself);
        with(|record| {
            let context = record.new_context(got.ok());
            record.call("attach", self.0.id(), &format!("{shown} = {} {context}", code(&got)));
        });
        got
    }

    pub fn detach(&mut self, context: ContextId) -> Result<(), ContextError> {
        let got = self.0.detach(context);
        with(|record| {
            let context = record.context(context);
            record.call("detach", self.0.id(), &format!("{context} = {}", code(&got)));
        });
        got
    }

    pub fn set_listening(&mut self, context: ContextId, listening: Listening) -> Result<(), ContextError> {
        let got = self.0.set_listening(context, listening);
        let Listening { ports, one_off, external_ports, external_one_off, listeners, ready, asks, .. } =
            listening;
        let bits = [ports, one_off, external_ports, external_one_off, ready, asks];
        let bits: u32 =
            bits.into_iter().zip([1, 2, 4, 8, 16, 32]).map(|(heard, bit)| if heard { bit } else { 0 }).sum();
        with(|record| {
            let context = record.context(context);
            record.call(
                "set_listening",
                self.0.id(),
                &format!("{context} {bits} {listeners} = {}", code(&got)),
            );
        });
        got
    }

    pub fn connect_tab(&mut self, opener: ContextId, target: &TabTarget) -> Result<PortId, ConnectError> {
        let got = self.0.connect_tab(opener, &target.itself);
        self.connected("connect_tab", opener, &target.shown(), got)
    }

    pub fn connect_runtime(
        &mut self,
        opener: ContextId,
        target: &RuntimeTarget,
    ) -> Result<PortId, ConnectError> {
        let got = self.0.connect_runtime(opener, &target.itself);
        self.connected("connect_runtime", opener, &target.shown(), got)
    }

    fn connected(
        &self,
        call: &str,
        opener: ContextId,
        target: &str,
        got: Result<PortId, ConnectError>,
    ) -> Result<PortId, ConnectError> {
        with(|record| {
            let opener = record.context(opener);
            let port = record.new_port(got.ok());
            record.call(call, self.0.id(), &format!("{opener} {target} = {} {port}", code(&got)));
        });
        got
    }

    pub fn disconnect(&mut self, port: PortId) -> bool {
        let was_open = self.0.disconnect(port);
        self.answered("disconnect", port, was_open)
    }

    pub fn accept(&mut self, port: PortId) -> bool {
        let undecided = self.0.accept(port);
        self.answered("accept", port, undecided)
    }

    pub fn refuse(&mut self, port: PortId) -> bool {
        let undecided = self.0.refuse(port);
        self.answered("refuse", port, undecided)
    }

    fn answered(&self, call: &str, port: PortId, answer: bool) -> bool {
        with(|record| {
            let port = record.port(port);
            record.call(call, self.0.id(), &format!("{port} = {}", u8::from(answer)));
        });
        answer
    }

    pub fn post_message<'m>(
        &mut self,
        port: PortId,
        message: impl Into<Message<'m>>,
    ) -> Result<(), PostError> {
        let message = message.into();
        let payload = record::payload(message.bytes());
        // A message tells its format and activation to `Debug` alone.
        let debug = format!("{message:?}");
        let format = ["Json", "StructuredClone"].iter().position(|format| debug.contains(format));
        let other = debug.split_once("Other(").and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
        let format = format.unwrap_or_else(|| 256 + other.unwrap_or(0_usize));
        let active = u8::from(debug.contains("user_activation: true"));
        let got = self.0.post_message(port, message);
        let status = got.as_ref().map_or_else(|error| error.kind().code(), |()| 0);
        with(|record| {
            let port = record.port(port);
            record.call("post", self.0.id(), &format!("{port} {payload} {format} {active} = {status}"));
        });
        got
    }

    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.0.next_event();
        with(|record| {
            let shown = record.event(event.as_ref());
            record.call("next", self.0.id(), &format!("= {shown}"));
        });
        event
    }
}

fn format_number(format: MessageFormat) -> u32 {
    match format {
        MessageFormat::Json => 0,
        MessageFormat::StructuredClone => 1,
        MessageFormat::Other(other) => 256 + u32::from(other),
        other => panic!("{other:?}"),
    }
}
