//! How often the system is called, and what is copied, exactly.

use super::{Connection, Gateway, RendererId, pair};
use crate::{Bounds, ContextNumber, Host, OfExtension, PortNumber, Stub, StubEvent};
use bytes::Bytes;
use port_core::{ContextDescription, Event, ExtensionId, ExtensionInstance, Listening, MessageService};
use std::cell::Cell;
use std::task::Waker;
use std::time::Duration;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts a call to read, to send or to wait.
pub(super) fn count() {
    CALLS.set(CALLS.get() + 1);
}

/// Counts the calls that something makes.
fn calls<R>(of: impl FnOnce() -> R) -> (usize, R) {
    let before = CALLS.get();
    let result = of();
    (CALLS.get() - before, result)
}

/// A gateway with two renderers that have a port between them, all on this thread.
struct Between {
    gateway: Gateway,
    poster: Connection,
    port: PortNumber,
    receiver: Connection,
    received: PortNumber,
}

fn renderer(
    gateway: &mut Gateway,
    service: &MessageService,
    description: ContextDescription,
) -> (Connection, ContextNumber, RendererId) {
    let (ours, theirs) = pair().unwrap();
    let renderer = gateway.add(service, ours, Bounds::default()).unwrap();
    gateway.host(renderer).unwrap().grant(description, b"");
    let mut connection = Connection::new(theirs).unwrap();
    connection.flush().unwrap();
    gateway.turn(Some(Duration::ZERO)).unwrap();
    let Some(StubEvent::Granted { context, .. }) = connection.wait(None).unwrap() else {
        panic!("expected the grant")
    };
    connection.stub().attach(context).unwrap();
    (connection, context, renderer)
}

fn hear(connection: &mut Connection) -> PortNumber {
    match connection.wait(None).unwrap() {
        Some(StubEvent::Connect { port, .. } | StubEvent::Message { port, .. }) => port,
        other => panic!("expected a message or a connection, not {other:?}"),
    }
}

impl Between {
    fn new() -> Self {
        let service = MessageService::default();
        let extension: ExtensionInstance = service.extension_loaded(ExtensionId::new("calls")).unwrap();
        let mut gateway = Gateway::new().unwrap();
        let (mut receiver, context, _) =
            renderer(&mut gateway, &service, ContextDescription::background(extension));
        receiver.stub().set_listening(context, Listening::PORTS).unwrap();
        receiver.flush().unwrap();
        gateway.turn(None).unwrap();
        let (mut poster, context, _) = renderer(&mut gateway, &service, ContextDescription::page(extension));
        let port = poster.stub().connect_runtime(context, &OfExtension::own()).unwrap();
        poster.flush().unwrap();
        gateway.turn(None).unwrap();
        let received = hear(&mut receiver);
        receiver.flush().unwrap();
        gateway.turn(None).unwrap();
        let mut between = Self { gateway, poster, port, receiver, received };
        // The answer to the connection is told, and memory is there.
        (0..3).for_each(|_| between.round_trip());
        between
    }

    fn round_trip(&mut self) {
        self.poster.stub().post_message(self.port, b"there").unwrap();
        self.poster.flush().unwrap();
        self.gateway.turn(None).unwrap();
        hear(&mut self.receiver);
        self.receiver.stub().post_message(self.received, b"and back").unwrap();
        self.receiver.flush().unwrap();
        self.gateway.turn(None).unwrap();
        hear(&mut self.poster);
    }
}

/// Each way: one sends, the gateway waits, reads and sends, the other reads.
#[test]
fn a_round_trip_takes_ten_calls() {
    let mut between = Between::new();
    for _ in 0..100 {
        assert_eq!(calls(|| between.round_trip()).0, 10);
    }
}

/// Messages that are sent together are read, and sent on, together.
#[test]
fn a_thousand_messages_sent_together_take_few_calls() {
    const MESSAGES: usize = 1_000;
    let mut between = Between::new();
    for _ in 0..10 {
        let (calls, ()) = calls(|| {
            for _ in 0..MESSAGES {
                between.poster.stub().post_message(between.port, &[7; 100]).unwrap();
            }
            assert!(between.poster.flush().unwrap(), "the socket takes them all");
            for _ in 0..MESSAGES {
                // Nothing comes by itself: who waits for a message must have been sent it.
                while between.receiver.next_event().unwrap().is_none() {
                    between.gateway.turn(None).unwrap();
                }
            }
        });
        assert!(calls <= 8, "{calls} calls");
    }
}

/// What is sent of a long message is the poster's own memory, and what is in front of it goes with it.
#[test]
fn a_long_message_is_sent_from_where_its_poster_has_it() {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("long")).unwrap();
    let mut background = service.event_loop(Waker::noop().clone());
    let context = background.attach(ContextDescription::background(extension)).unwrap();
    background.set_listening(context, Listening::PORTS).unwrap();
    let (mut host, mut stub) =
        (Host::new(service.event_loop(Waker::noop().clone()), Bounds::default()), Stub::new());
    host.send_pieces();
    let context = host.grant(ContextDescription::page(extension), b"");
    stub.receive(host.output());
    host.sent(host.output().len());
    assert!(matches!(stub.next_event(), Ok(Some(StubEvent::Granted { .. }))));
    stub.attach(context).unwrap();
    stub.connect_runtime(context, &OfExtension::own()).unwrap();
    host.receive(stub.output()).unwrap();
    let Some(Event::Connect { port, .. }) = background.next_event() else { panic!("expected the connect") };

    let long = Bytes::from(vec![7; 1 << 20]);
    for message in [long.clone(), Bytes::from_static(b"behind it")] {
        background.post_message(port, message).unwrap();
    }
    host.turn().unwrap();
    let [_, payload] = host.output_pieces();
    assert_eq!(payload.as_ptr_range(), long.as_ptr_range());
    let mut heard = Vec::new();
    while host.snapshot().output_bytes > 0 {
        let pieces = host.output_pieces().concat();
        stub.receive(&pieces);
        host.sent(pieces.len());
        // There is room for what is behind it.
        host.turn().unwrap();
    }
    while let Some(event) = stub.next_event().unwrap() {
        if let StubEvent::Message { payload, .. } = event {
            heard.push(payload);
        }
    }
    assert!(heard == [long, Bytes::from_static(b"behind it")]);
}
