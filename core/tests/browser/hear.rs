//! What contexts hear, short to write down.

use port_core::{ContextId, DisconnectReason, Event, EventLoop, PortId};

/// An event without ids, short to write down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Heard {
    Connect(String),
    Message(String),
    Disconnect(DisconnectReason),
    Room,
    ContextGone(DisconnectReason),
}

pub fn connect(name: &str) -> Heard {
    Heard::Connect(name.into())
}

pub fn message(text: impl Into<String>) -> Heard {
    Heard::Message(text.into())
}

pub fn disconnect(reason: DisconnectReason) -> Heard {
    Heard::Disconnect(reason)
}

impl From<&Event> for Heard {
    fn from(event: &Event) -> Self {
        match event {
            Event::Connect { name, .. } => Self::Connect(name.to_string()),
            Event::Message { payload, .. } => Self::Message(String::from_utf8_lossy(payload).into_owned()),
            Event::Disconnect { reason, .. } => Self::Disconnect(*reason),
            Event::Room { .. } => Self::Room,
            Event::ContextGone { reason, .. } => Self::ContextGone(*reason),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

/// Everything an event loop hands out until it says "nothing".
pub fn drain(event_loop: &mut EventLoop) -> Vec<Event> {
    std::iter::from_fn(|| event_loop.next_event()).collect()
}

/// Everything that [`drain`] gives, without ids.
pub fn hear(event_loop: &mut EventLoop) -> Vec<Heard> {
    drain(event_loop).iter().map(Heard::from).collect()
}

/// What one context hears, without ids.
pub fn heard_by(events: &[Event], context: ContextId) -> Vec<Heard> {
    events.iter().filter(|event| event.context() == context).map(Heard::from).collect()
}

/// What is heard on one port, without ids.
pub fn heard_on(events: &[Event], port: PortId) -> Vec<Heard> {
    events.iter().filter(|event| event.port() == Some(port)).map(Heard::from).collect()
}

/// The contexts that ended and why, which must be all that happened.
#[track_caller]
pub fn gone(events: &[Event]) -> Vec<(ContextId, DisconnectReason)> {
    events
        .iter()
        .map(|event| match event {
            Event::ContextGone { context, reason, .. } => (*context, *reason),
            other => panic!("expected a context's end, got {other:?}"),
        })
        .collect()
}

/// The ports that an event loop accepts until it says "nothing", which must be all that happens.
pub fn connected(event_loop: &mut EventLoop) -> Vec<PortId> {
    drain(event_loop)
        .into_iter()
        .map(|event| match event {
            Event::Connect { port, .. } => port,
            other => panic!("expected a connect, got {other:?}"),
        })
        .collect()
}

/// Takes a connection, which must be what comes next.
pub fn take_connect(event_loop: &mut EventLoop) -> PortId {
    match event_loop.next_event() {
        Some(Event::Connect { port, .. }) => port,
        other => panic!("expected a connect, got {other:?}"),
    }
}

/// Lets event loops take turns until none has anything; gives what each handed out.
pub fn settle<const N: usize>(mut event_loops: [&mut EventLoop; N]) -> [Vec<Event>; N] {
    let mut all = [const { Vec::new() }; N];
    // A record may be answered without an event, and that answer again.
    let mut quiet_rounds = 0;
    while quiet_rounds < 3 {
        quiet_rounds += 1;
        for (event_loop, all) in event_loops.iter_mut().zip(&mut all) {
            let events = drain(event_loop);
            if !events.is_empty() {
                quiet_rounds = 0;
            }
            all.extend(events);
        }
    }
    all
}
