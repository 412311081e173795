//! A renderer's part of a connection, to be cut anywhere.

use super::{Heard, connect, disconnect, message};
use port_core::{DisconnectReason, Event, Listening};
use port_core_gateway::wire::{Up, VERSION};
use port_core_gateway::{Content, ContextNumber, OfExtension, PortNumber};

/// The frames of a renderer with one context that connects and posts, by hand: where each begins, and their bytes.
pub fn recording() -> (Vec<usize>, Vec<u8>) {
    let context = ContextNumber::from_bits(1);
    let port = PortNumber::from_bits(2);
    let long = vec![b'x'; 70_000];
    let mut bytes = Vec::new();
    let mut begins = Vec::new();
    let mut record = |frame: Up<'_>| {
        begins.push(bytes.len());
        frame.write(&mut bytes);
    };
    record(Up::Hello { version: VERSION });
    record(Up::Attach { context });
    record(Up::Listen { context, listening: Listening::PORTS });
    record(Up::ConnectRuntime { context, port, target: OfExtension::own().name("recorded") });
    for number in 0..8 {
        record(Up::Post { port, content: Content::from(&*format!("{number}")) });
    }
    record(Up::Post { port, content: Content::from(&long[..]) });
    record(Up::Post { port, content: Content::from("last") });
    record(Up::Disconnect { port });
    record(Up::Detach { context });
    (begins, bytes)
}

/// Checks what the other side heard of so many whole frames of the recording, after the process has ended.
#[track_caller]
pub fn check_recorded(events: &[Event], frames: usize) {
    let mut expected = Vec::new();
    if frames >= 4 {
        expected.push(connect("recorded"));
        expected.extend((0..8).take(frames - 4).map(|number| message(number.to_string())));
        expected.extend((frames > 12).then(|| message("x".repeat(70_000))));
        expected.extend((frames > 13).then(|| message("last")));
        let reason =
            if frames > 14 { DisconnectReason::Disconnected } else { DisconnectReason::EventLoopGone };
        expected.push(disconnect(reason));
    }
    let heard: Vec<_> = events.iter().map(Heard::from).collect();
    assert!(heard == expected, "of {frames} frames: {} events, not {}", heard.len(), expected.len());
}
