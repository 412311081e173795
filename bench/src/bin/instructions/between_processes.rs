//! Messages between two renderers by way of the browser's ends, without their sockets.

use crate::work::{BURST, OPERATIONS, Part, WARM_UP, count_if};
use port_core::{ContextDescription, ExtensionId, Listening, MessageService};
use port_core_gateway::{Bounds, ContextNumber, Host, OfExtension, PortNumber, Stub, StubEvent};
use std::hint::black_box;
use std::task::Waker;

/// Both ends of a renderer's connection.
struct Renderer {
    host: Host,
    stub: Stub,
}

impl Renderer {
    /// Makes a renderer with one context, which it has attached.
    fn new(service: &MessageService, description: ContextDescription) -> (Self, ContextNumber) {
        let host = Host::new(service.event_loop(Waker::noop().clone()), Bounds::default());
        let mut renderer = Self { host, stub: Stub::new() };
        let context = renderer.host.grant(description, b"");
        renderer.carry_down();
        while renderer.stub.next_event().expect("honest").is_some() {}
        renderer.stub.attach(context).expect("granted");
        (renderer, context)
    }

    /// Carries what the renderer says to the browser, which does it.
    fn carry_up(&mut self) {
        self.host.receive(self.stub.output()).expect("honest");
        self.stub.sent(self.stub.output().len());
    }

    /// Has the browser take events, and carries them to the renderer.
    fn carry_down(&mut self) {
        self.host.turn().expect("honest");
        self.stub.receive(self.host.output());
        self.host.sent(self.host.output().len());
    }

    /// Takes all events; gives the port of the last connection.
    fn take(&mut self) -> Option<PortNumber> {
        let mut connected = None;
        while let Some(event) = &self.stub.next_event().expect("honest") {
            match event {
                StubEvent::Connect { port, .. } => connected = Some(*port),
                StubEvent::Message { payload, .. } => {
                    black_box(payload.first());
                }
                _ => {}
            }
        }
        connected
    }
}

/// Takes all messages where they lie, and looks at them.
fn read(stub: &mut Stub) {
    while let Some(message) = stub.next_message() {
        black_box(message.content.payload.first());
    }
}

/// Messages of 100 bytes one way: the renderer's post, what the browser does between its two sockets, and the other
/// renderer's event, or the message read where it lies.
pub(crate) fn messages(part: Part, in_place: bool) {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("between")).expect("new");
    let (mut receiver, context) = Renderer::new(&service, ContextDescription::background(extension));
    receiver.stub.set_listening(context, Listening::PORTS).expect("attached");
    receiver.carry_up();
    let (mut poster, context) = Renderer::new(&service, ContextDescription::page(extension));
    let port = poster.stub.connect_runtime(context, &OfExtension::own()).expect("a port");
    poster.carry_up();
    receiver.carry_down();
    receiver.take().expect("the connection");
    receiver.carry_up();
    for round in 0..WARM_UP + OPERATIONS / BURST {
        let counts = |this| round >= WARM_UP && part == this;
        count_if(counts(Part::Post), || {
            for _ in 0..BURST {
                poster.stub.post_message(port, black_box(&[7_u8; 100])).expect("far from full");
            }
        });
        count_if(counts(Part::Event), || {
            poster.host.receive(poster.stub.output()).expect("honest");
            receiver.host.turn().expect("honest");
        });
        poster.stub.sent(poster.stub.output().len());
        receiver.carry_down();
        count_if(counts(Part::Sleep), || {
            if in_place {
                read(&mut receiver.stub);
            }
            assert!(receiver.take().is_none());
        });
        // Credits.
        receiver.carry_up();
        poster.carry_down();
        poster.take();
    }
}
