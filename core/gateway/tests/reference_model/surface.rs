//! An event loop of the core's, as a renderer has it: a stub and a host in one process, with nothing left on its way
//! between them after a call.
//!
//! What an event loop tells in the same call, and a stub cannot, is looked up in the host's event loop before the
//! call. The call is made all the same, and what comes of it is the model's to judge.

use crate::words::{Event, Message, PostError, RuntimeTarget, Sender, TabTarget};
use port_core_gateway::port_core::{
    self as core, Activity, AttachError, BackForwardCache, ConnectError, ContextDescription, ContextError,
    ContextId, DisconnectReason, EventLoopId, EventLoopSnapshot, ExtensionInstance, Limits, Listening,
    Policies, PortId, PortName, PostErrorKind,
};
use port_core_gateway::{Bounds, Content, ContextNumber, Host, PortNumber, Stub, StubEvent};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Deref;
use std::task::Waker;

/// The core's service, whose event loops are renderers'.
#[derive(Clone, Debug)]
pub struct MessageService {
    service: core::MessageService,
    bounds: Bounds,
    ports_per_context: usize,
    cache: BackForwardCache,
}

impl MessageService {
    pub fn builder() -> MessageServiceBuilder {
        MessageServiceBuilder { limits: Limits::default(), policies: Policies::default() }
    }

    pub fn event_loop(&self, waker: Waker) -> EventLoop {
        EventLoop {
            host: Some(Host::new(self.service.event_loop(waker), self.bounds)),
            stub: Stub::new(),
            service: self.service.clone(),
            message_bytes: self.bounds.message_bytes as usize,
            ports_per_context: self.ports_per_context,
            cache: self.cache,
            contexts: HashMap::new(),
            ports: HashMap::new(),
            heard: VecDeque::new(),
            asking: HashSet::new(),
        }
    }
}

impl Deref for MessageService {
    type Target = core::MessageService;

    fn deref(&self) -> &core::MessageService {
        &self.service
    }
}

#[derive(Debug)]
pub struct MessageServiceBuilder {
    limits: Limits,
    policies: Policies,
}

impl MessageServiceBuilder {
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub fn policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }

    pub fn build(self) -> MessageService {
        let message_bytes = u32::try_from(self.limits.message_bytes).unwrap();
        MessageService {
            service: core::MessageService::builder().limits(self.limits).policies(self.policies).build(),
            // So little that a turn hands out one event.
            bounds: Bounds::default().message_bytes(message_bytes).output_bytes(1),
            ports_per_context: self.limits.ports_per_context as usize,
            cache: self.policies.back_forward_cache,
        }
    }
}

/// A renderer.
#[derive(Debug)]
pub struct EventLoop {
    host: Option<Host>,
    stub: Stub,
    service: core::MessageService,
    message_bytes: usize,
    ports_per_context: usize,
    cache: BackForwardCache,
    /// The core's ids of what the renderer knows by numbers.
    contexts: HashMap<ContextNumber, ContextId>,
    ports: HashMap<PortNumber, PortId>,
    /// What the stub handed out and the script has not heard: a message that came once for several ports.
    heard: VecDeque<StubEvent>,
    /// The contexts whose scripts are asked about connections. The browser's end asks the stub about all others as well.
    asking: HashSet<ContextId>,
}

impl EventLoop {
    fn host(&mut self) -> &mut Host {
        self.host.as_mut().unwrap()
    }

    fn core(&self) -> &core::EventLoop {
        self.host.as_ref().unwrap().event_loop()
    }

    /// Has the browser's end hear what the renderer's said. Returns what is answered at once.
    fn carry(&mut self) -> Option<StubEvent> {
        let host = self.host.as_mut().unwrap();
        // The model's event loops take events when they are asked for them, and at no other time.
        host.receive_at_once(self.stub.output()).unwrap();
        self.stub.sent(self.stub.output().len());
        self.carry_down()
    }

    fn carry_down(&mut self) -> Option<StubEvent> {
        let host = self.host.as_mut().unwrap();
        self.stub.receive(host.output());
        host.sent(host.output().len());
        self.stub.next_event().unwrap()
    }

    fn context_number(&self, context: ContextId) -> ContextNumber {
        ContextNumber::from_bits(self.core().context_data(context))
    }

    fn port_number(&self, port: PortId) -> PortNumber {
        PortNumber::from_bits(self.core().port_data(port))
    }

    /// The core's id of a port of this number.
    fn port_of(&self, number: PortNumber) -> Option<PortId> {
        let ports = self.core().snapshot().ports;
        ports.iter().map(|port| port.port).find(|port| self.core().port_data(*port) == number.to_bits())
    }

    /// Whether a fact ended a context, and the renderer is yet to hear it.
    fn is_killed(&self, context: ContextId) -> bool {
        let contexts = self.core().snapshot().contexts;
        contexts.iter().any(|shown| shown.context == context && shown.gone.is_some())
    }

    /// Why the core refuses a connect of this context before it looks at where it goes.
    fn refusal(&self, opener: ContextId) -> Option<ConnectError> {
        let contexts = self.core().snapshot().contexts;
        let shown = contexts.iter().find(|shown| shown.context == opener)?;
        if shown.gone.is_some() {
            Some(ConnectError::Gone)
        } else if shown.suspended && self.cache == BackForwardCache::Ends {
            Some(ConnectError::Cached)
        } else {
            (shown.ports >= self.ports_per_context).then_some(ConnectError::TooManyPorts)
        }
    }

    pub fn id(&self) -> EventLoopId {
        self.core().id()
    }

    pub fn snapshot(&self) -> EventLoopSnapshot {
        let mut snapshot = self.core().snapshot();
        for shown in &mut snapshot.contexts {
            shown.listening.asks = self.asking.contains(&shown.context);
        }
        snapshot
    }

    pub fn ports(&self, context: ContextId) -> impl Iterator<Item = PortId> {
        self.core().ports(context)
    }

    pub fn why_awake(&self, context: ContextId) -> Result<Activity, ContextError> {
        self.core().why_awake(context)
    }

    /// The host's loop is credited by its stub's word, or not at all: this changes nothing.
    pub fn credit_when_taken(&mut self, _: bool) {}

    pub fn taken(&mut self, _: PortId, _: u32, _: u64) -> bool {
        true
    }

    pub fn attach(&mut self, description: ContextDescription) -> Result<ContextId, AttachError> {
        let number = self.host().grant(description, b"");
        self.host().set_user_activation(number, true);
        assert!(matches!(self.carry_down(), Some(StubEvent::Granted { context, .. }) if context == number));
        self.stub.attach(number).unwrap();
        match self.carry() {
            None => {
                let contexts = self.core().snapshot().contexts;
                let mut contexts = contexts.iter().map(|context| context.context);
                let id = contexts.find(|id| self.context_number(*id) == number).expect("it was attached");
                self.contexts.insert(number, id);
                Ok(id)
            }
            Some(StubEvent::AttachRefused { error, .. }) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub fn detach(&mut self, context: ContextId) -> Result<(), ContextError> {
        let number = self.context_number(context);
        self.stub.detach(number)?;
        assert_eq!(self.carry(), None);
        assert_eq!(self.stub.ports(number).count(), 0);
        Ok(())
    }

    pub fn set_listening(&mut self, context: ContextId, listening: Listening) -> Result<(), ContextError> {
        let killed = self.is_killed(context);
        self.stub.set_listening(self.context_number(context), listening)?;
        assert_eq!(self.carry(), None);
        if killed {
            return Err(ContextError::Gone);
        }
        if listening.asks {
            self.asking.insert(context);
        } else {
            self.asking.remove(&context);
        }
        Ok(())
    }

    pub fn connect_tab(&mut self, opener: ContextId, target: &TabTarget) -> Result<PortId, ConnectError> {
        let killed = self.is_killed(opener);
        match self.stub.connect_tab(self.context_number(opener), &target.on_the_wire()) {
            Err(ConnectError::NotAllowed) => Err(self.refusal(opener).unwrap_or(ConnectError::NotAllowed)),
            port => self.opened(killed, port?),
        }
    }

    pub fn connect_runtime(
        &mut self,
        opener: ContextId,
        target: &RuntimeTarget,
    ) -> Result<PortId, ConnectError> {
        let killed = self.is_killed(opener);
        match self.stub.connect_runtime(self.context_number(opener), &target.on_the_wire()) {
            Err(ConnectError::NotAllowed) => Err(self.refusal(opener).unwrap_or(ConnectError::NotAllowed)),
            port => self.opened(killed, port?),
        }
    }

    fn opened(&mut self, killed: bool, number: PortNumber) -> Result<PortId, ConnectError> {
        match self.carry() {
            None if killed => {
                assert_eq!(self.port_of(number), None, "a context that is gone opens no port");
                Err(ConnectError::Gone)
            }
            None => {
                let id = self.port_of(number).expect("it was opened");
                self.ports.insert(number, id);
                Ok(id)
            }
            Some(StubEvent::Disconnect { port, reason, .. }) if port == number => match reason {
                DisconnectReason::LimitReached => Err(ConnectError::TooManyPorts),
                DisconnectReason::BackForwardCache => Err(ConnectError::Cached),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub fn post_message<'m>(
        &mut self,
        port: PortId,
        message: impl Into<Message<'m>>,
    ) -> Result<(), PostError> {
        let message = message.into();
        let number = self.port_number(port);
        let holder = self.core().snapshot().ports.into_iter().find(|shown| shown.port == port);
        let known = holder.is_some();
        let killed = holder.is_some_and(|holder| self.is_killed(holder.context));
        let content =
            Content::from(message.bytes()).format(message.format).user_activation(message.user_activation);
        let posted = self.stub.post_message(number, content);
        assert_eq!(self.carry(), None);
        let kind = match posted {
            _ if killed => PostErrorKind::Gone,
            Ok(()) => return Ok(()),
            // The core looks at the length first, also while a port waits to leave.
            Err(PostErrorKind::Disconnected) if known && message.bytes().len() > self.message_bytes => {
                PostErrorKind::TooLarge
            }
            Err(kind) => kind,
        };
        Err(PostError { kind, message: message.if_owned() })
    }

    pub fn is_open(&self, port: PortId) -> bool {
        let open = self.core().is_open(port);
        assert!(
            !open || self.stub.is_open(self.port_number(port)),
            "the renderer knows every port that it has"
        );
        open
    }

    pub fn disconnect(&mut self, port: PortId) -> bool {
        let open = self.core().is_open(port);
        let number = self.port_number(port);
        let disconnected = self.stub.disconnect(number);
        assert!(disconnected || !open);
        assert_eq!(self.carry(), None);
        assert!(!self.core().is_open(port) && !self.stub.is_open(number));
        open
    }

    pub fn accept(&mut self, port: PortId) -> bool {
        self.decide(port, Stub::accept)
    }

    pub fn refuse(&mut self, port: PortId) -> bool {
        self.decide(port, Stub::refuse)
    }

    fn decide(&mut self, port: PortId, decide: impl FnOnce(&mut Stub, PortNumber) -> bool) -> bool {
        let shown = self.core().snapshot().ports.into_iter().find(|shown| shown.port == port);
        let asked = shown.filter(|shown| shown.status == core::PortStatus::Undecided);
        let undecided = asked.is_some_and(|shown| !self.is_killed(shown.context));
        let number = self.port_number(port);
        assert!(decide(&mut self.stub, number) || !undecided);
        assert_eq!(self.carry(), None);
        undecided
    }

    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            while let Some(event) = self.heard.pop_front() {
                if self.hears(&event) {
                    return Some(self.translated(event));
                }
            }
            let busy = self.host().turn().unwrap();
            let first = self.carry_down();
            self.heard.extend(first);
            while let Some(event) = self.stub.next_event().unwrap() {
                self.heard.push_back(event);
            }
            let messages = self.heard.iter().all(|event| matches!(event, StubEvent::Message { .. }));
            assert!(self.heard.len() <= 1 || messages, "one event at a time, or one message");
            // A connection is answered where it is heard of, also one that nobody is told of.
            assert_eq!(self.carry(), None);
            // Armed, as after an event loop's "nothing".
            if self.heard.is_empty() && !busy && self.host().arm() && self.host().output().is_empty() {
                return None;
            }
        }
    }

    /// Whether the core would still hand this out, had it not done so for all ports at once.
    fn hears(&self, event: &StubEvent) -> bool {
        let StubEvent::Message { context, port, .. } = event else { return true };
        !self.is_killed(self.contexts[context]) && self.stub.is_open(*port)
    }

    fn translated(&mut self, event: StubEvent) -> Event {
        match event {
            StubEvent::Connect { context, port, name, sender, undecided, .. } => {
                let id = self.port_of(port).expect("it was accepted");
                self.ports.insert(port, id);
                let instance = sender.extension.as_ref().map(|id| self.instance_of(id.as_str()));
                let sender = Sender { instance, told: *sender };
                Event::Connect {
                    context: self.contexts[&context],
                    port: id,
                    name: PortName::new(&name),
                    sender,
                    undecided,
                }
            }
            StubEvent::Message { context, port, payload, format, user_activation, .. } => {
                let (context, port) = (self.contexts[&context], self.ports[&port]);
                Event::Message { context, port, payload, format, user_activation }
            }
            StubEvent::Disconnect { context, port, reason, not_listening, .. } => {
                let (context, port) = (self.contexts[&context], self.ports[&port]);
                Event::Disconnect { context, port, reason, not_listening }
            }
            StubEvent::Room { context, port, .. } => {
                Event::Room { context: self.contexts[&context], port: self.ports[&port] }
            }
            StubEvent::ContextGone { context, reason, .. } => {
                assert_eq!(self.stub.ports(context).count(), 0);
                Event::ContextGone { context: self.contexts[&context], reason }
            }
            other => panic!("{other:?}"),
        }
    }

    fn instance_of(&self, extension: &str) -> ExtensionInstance {
        let extensions = self.service.snapshot().extensions;
        let loaded = extensions.iter().find(|loaded| loaded.extension.as_str() == extension);
        loaded.expect("who connects is loaded").instance
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.host.take().unwrap().finish().unwrap();
    }
}
