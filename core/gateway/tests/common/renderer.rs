//! A renderer whose two ends lie in one process.

use super::{Browser, connected, describe_background, describe_content_script};
use port_core::{
    ContextDescription, ContextId, DisconnectReason, EventLoop, Listening, MessageService, Place, PortId,
};
use port_core_gateway::wire::Up;
use port_core_gateway::{Bounds, ContextNumber, Host, Lie, OfExtension, PortNumber, Stub, StubEvent};
use std::task::Waker;

/// Both ends of a renderer's connection, with what is on its way between them.
pub struct Renderer {
    pub host: Host,
    pub stub: Stub,
}

impl Renderer {
    pub fn new(service: &MessageService) -> Self {
        Self::with(service, Bounds::default())
    }

    pub fn with(service: &MessageService, bounds: Bounds) -> Self {
        let event_loop = service.limited_event_loop(Waker::noop().clone(), bounds.held_bytes);
        let host = Host::new(event_loop, bounds);
        Self { host, stub: Stub::new() }
    }

    /// Carries everything from the browser to the renderer.
    pub fn carry_down(&mut self) {
        self.stub.receive(self.host.output());
        self.host.sent(self.host.output().len());
    }

    /// Carries everything from the renderer to the browser.
    pub fn carry_up(&mut self) -> Result<(), Lie> {
        let received = self.host.receive(self.stub.output());
        self.stub.sent(self.stub.output().len());
        received
    }

    /// Carries both ways until nothing is on its way, and gives what the renderer heard.
    #[track_caller]
    pub fn hear(&mut self) -> Vec<StubEvent> {
        let mut heard = Vec::new();
        loop {
            self.carry_up().unwrap();
            let busy = self.host.turn().unwrap();
            self.carry_down();
            let before = heard.len();
            heard.extend(std::iter::from_fn(|| self.stub.next_event().unwrap()));
            if !busy
                && heard.len() == before
                && self.stub.output().is_empty()
                && self.host.output().is_empty()
            {
                return heard;
            }
        }
    }

    /// Grants a context and attaches it.
    #[track_caller]
    pub fn attach(&mut self, description: ContextDescription) -> ContextNumber {
        let context = self.host.grant(description, b"");
        self.carry_down();
        assert!(
            matches!(self.stub.next_event(), Ok(Some(StubEvent::Granted { context: granted, .. })) if granted == context)
        );
        self.stub.attach(context).unwrap();
        self.stub.set_listening(context, Listening::PORTS).unwrap();
        self.carry_up().unwrap();
        context
    }

    pub fn background(&mut self, browser: &Browser) -> ContextNumber {
        self.attach(describe_background(browser.extension))
    }

    pub fn content_script(&mut self, browser: &Browser, place: Place) -> ContextNumber {
        self.attach(describe_content_script(browser.extension, place))
    }

    /// Sends a frame that the stub would not send.
    pub fn forge(&mut self, frame: Up<'_>) -> Result<(), Lie> {
        let mut bytes = Vec::new();
        frame.write(&mut bytes);
        self.host.receive(&bytes)
    }
}

/// A renderer with a content script, connected to a background on a thread of the browser.
pub struct ConnectedRenderer {
    pub renderer: Renderer,
    pub place: Place,
    pub script: ContextNumber,
    pub port: PortNumber,
    pub there: EventLoop,
    pub background: ContextId,
    /// The background's end.
    pub received: PortId,
}

impl ConnectedRenderer {
    pub fn new(browser: &Browser, bounds: Bounds) -> Self {
        let place = browser.tab();
        let (mut there, background) = browser.background_loop();
        let mut renderer = Renderer::with(&browser.service, bounds);
        let script = renderer.content_script(browser, place);
        let port = renderer.stub.connect_runtime(script, &OfExtension::own()).unwrap();
        assert!(renderer.hear().is_empty());
        let received = connected(&mut there)[0];
        Self { renderer, place, script, port, there, background, received }
    }
}

/// Lets renderers take turns until none has anything; gives what each heard.
#[track_caller]
pub fn settle_renderers<const N: usize>(mut renderers: [&mut Renderer; N]) -> [Vec<StubEvent>; N] {
    let mut all = [const { Vec::new() }; N];
    let mut quiet_rounds = 0;
    while quiet_rounds < 3 {
        quiet_rounds += 1;
        for (renderer, all) in renderers.iter_mut().zip(&mut all) {
            let heard = renderer.hear();
            if !heard.is_empty() {
                quiet_rounds = 0;
            }
            all.extend(heard);
        }
    }
    all
}

/// The port of a connect, which must be all that was heard.
#[track_caller]
pub fn the_connect(heard: &[StubEvent]) -> PortNumber {
    match heard {
        [StubEvent::Connect { port, .. }] => *port,
        other => panic!("expected a connect, got {other:?}"),
    }
}

/// What the messages say.
pub fn texts(heard: &[StubEvent]) -> Vec<String> {
    let text = |event: &StubEvent| match event {
        StubEvent::Message { payload, .. } => Some(String::from_utf8_lossy(payload).into_owned()),
        _ => None,
    };
    heard.iter().filter_map(text).collect()
}

/// The ports that ended, and why.
pub fn ends(heard: &[StubEvent]) -> Vec<(PortNumber, DisconnectReason)> {
    let end = |event: &StubEvent| match event {
        StubEvent::Disconnect { port, reason, .. } => Some((*port, *reason)),
        _ => None,
    };
    heard.iter().filter_map(end).collect()
}
