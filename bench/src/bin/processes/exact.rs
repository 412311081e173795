//! What is the same in every run: allocations, memory, bytes on the wire. Both ends lie in this process.

use super::judge::Verdicts;
use super::roles::{RAW_FRAME, SHORT};
use port_core::{
    ContextDescription, DocumentId, Event, EventLoop, ExtensionId, ExtensionInstance, FrameId, INLINE_BYTES,
    Listening, MessageService, Place, TabId, TabTarget, WindowId,
};
use port_core_bench::allocation::Tally;
use port_core_gateway::unix::{Connection, pair};
use port_core_gateway::{Bounds, ContextNumber, Host, OfExtension, Stub, StubEvent};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::task::Waker;
use std::time::Duration;

const TAB: TabId = TabId::new(1);

/// A browser with a background, and one renderer with frames of one tab.
struct Ends {
    background: EventLoop,
    context: port_core::ContextId,
    host: Host,
    stub: Stub,
    frames: Vec<ContextNumber>,
    service: MessageService,
}

impl Ends {
    fn with_frames(count: u64) -> Self {
        let service = MessageService::default();
        let extension = service.extension_loaded(ExtensionId::new("exact")).expect("new");
        service.tab_opened(TAB, WindowId::new(1)).expect("new");
        let mut background = service.event_loop(Waker::noop().clone());
        let context = background.attach(ContextDescription::background(extension)).expect("loaded");
        background.set_listening(context, Listening::PORTS).expect("attached");
        let (host, stub) = renderer(&service);
        let mut ends = Self { background, context, host, stub, frames: Vec::new(), service };
        (0..count).for_each(|frame| ends.add_frame(extension, frame));
        ends.exchange();
        ends
    }

    fn add_frame(&mut self, extension: ExtensionInstance, number: u64) {
        let (frame, document) = (FrameId::new(number), DocumentId::new(u128::from(number) + 1));
        let parent = (number > 0).then_some(FrameId::TOP);
        self.service.frame_attached(TAB, frame, parent, document).expect("new");
        let place = Place::new(TAB, frame, document);
        self.host.grant(ContextDescription::content_script(extension, place), b"");
        for event in self.exchange() {
            if let StubEvent::Granted { context, .. } = event {
                self.stub.attach(context).expect("granted");
                self.stub.set_listening(context, Listening::PORTS).expect("attached");
                self.frames.push(context);
            }
        }
    }

    /// Carries everything both ways until all is quiet; gives what the renderer heard.
    fn exchange(&mut self) -> Vec<StubEvent> {
        let mut events = Vec::new();
        loop {
            self.host.receive(self.stub.output()).expect("honest");
            self.stub.sent(self.stub.output().len());
            while self.host.turn().expect("honest") {}
            // Not armed: a host that is about to sleep frees what it would need again.
            if self.host.output().is_empty() {
                return events;
            }
            self.stub.receive(self.host.output());
            self.host.sent(self.host.output().len());
            while let Some(event) = self.stub.next_event().expect("honest") {
                events.push(event);
            }
        }
    }
}

fn renderer(service: &MessageService) -> (Host, Stub) {
    (Host::new(service.event_loop(Waker::noop().clone()), Bounds::default()), Stub::new())
}

/// Measures all of it.
pub(crate) fn measure(verdicts: &mut Verdicts) {
    assert_eq!(frame_of_a_post(), RAW_FRAME, "the rivals carry frames of other lengths");
    let found = [1, SHORT, INLINE_BYTES].map(per_message);
    let most = |of: fn(&(f64, f64)) -> f64| found.iter().map(of).fold(0.0, f64::max);
    verdicts.exactly_at_most(
        "allocations in the host, a message of up to 160 bytes",
        most(|found| found.0),
        0.0,
    );
    verdicts.exactly_at_most(
        "bytes kept in the host, a message of up to 160 bytes",
        most(|found| found.1),
        0.0,
    );
    verdicts.exactly_at_most("bytes of an idle renderer, both processes' ends", idle(), 16_384.0);
    let fan_out = fan_out(10) / fan_out(1);
    verdicts.exactly_at_most("bytes on the wire to 10 frames of a process, by those to one", fan_out, 1.2);
}

/// What the host allocates for one message of so many bytes each way, once both sides have the memory that they keep:
/// how often, and how many bytes of it stay.
fn per_message(length: usize) -> (f64, f64) {
    const ROUNDS: u64 = 50;
    const MESSAGES: u64 = 50;
    let message = vec![7; length];
    let mut ends = Ends::with_frames(1);
    let port = ends.stub.connect_runtime(ends.frames[0], &OfExtension::own()).expect("a port");
    ends.exchange();
    let Some(Event::Connect { port: received, .. }) = ends.background.next_event() else {
        panic!("expected the connect")
    };
    let mut total = Tally::default();
    for round in 0..2 * ROUNDS {
        for _ in 0..MESSAGES {
            ends.stub.post_message(port, &*message).expect("far from full");
        }
        let Ends { host, stub, background, .. } = &mut ends;
        let (tally, ()) = Tally::of(|| {
            host.receive(stub.output()).expect("honest");
            while let Some(event) = background.next_event_unarmed() {
                drop(event);
                background.post_message(received, &*message).expect("far from full");
            }
            host.turn().expect("honest");
        });
        stub.sent(stub.output().len());
        ends.exchange();
        if round >= ROUNDS {
            total.allocations += tally.allocations;
            total.bytes += tally.bytes;
        }
    }
    let messages = (2 * ROUNDS * MESSAGES) as f64;
    (total.allocations as f64 / messages, total.bytes as f64 / messages)
}

/// The bytes that a renderer with one content script takes, that does nothing: the host, and the connection of a process.
fn idle() -> f64 {
    let service = MessageService::default();
    let extension = service.extension_loaded(ExtensionId::new("idle")).expect("new");
    let (ours, theirs) = pair().expect("sockets");
    let mut ours = UnixStream::from(ours);
    let (tally, ends) = Tally::of(|| {
        let (mut host, _) = renderer(&service);
        let mut connection = Connection::new(theirs).expect("a connection");
        host.grant(ContextDescription::page(extension), b"");
        ours.write_all(host.output()).expect("far from full");
        host.sent(host.output().len());
        let Ok(Some(StubEvent::Granted { context, .. })) = connection.next_event() else {
            panic!("expected the grant")
        };
        connection.stub().attach(context).expect("granted");
        connection.stub().set_listening(context, Listening::PORTS).expect("attached");
        host.receive(connection.stub().output()).expect("honest");
        let sent = connection.stub().output().len();
        connection.stub().sent(sent);
        while !host.arm() {}
        // It waits for nothing, as a thread does that goes to sleep.
        assert!(matches!(connection.wait(Some(Duration::ZERO)), Ok(None)));
        (host, connection)
    });
    drop(ends);
    tally.bytes as f64
}

/// The bytes of the frame by which a renderer posts a short message.
fn frame_of_a_post() -> usize {
    let mut ends = Ends::with_frames(1);
    let port = ends.stub.connect_runtime(ends.frames[0], &OfExtension::own()).expect("a port");
    ends.exchange();
    ends.stub.post_message(port, &[7; SHORT]).expect("far from full");
    ends.stub.output().len()
}

/// The bytes that one message to so many frames of one renderer takes on the wire.
fn fan_out(frames: u64) -> f64 {
    let mut ends = Ends::with_frames(frames);
    let port = ends.background.connect_tab(ends.context, &TabTarget::new(TAB)).expect("a port");
    ends.exchange();
    while ends.background.next_event().is_some() {}
    ends.background.post_message(port, &[7; SHORT]).expect("far from full");
    while ends.host.turn().expect("honest") {}
    ends.host.output().len() as f64
}
