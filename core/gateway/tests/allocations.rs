//! Allocations and memory, exactly: what is counted here does not depend on the machine.

#[path = "../../../bench/src/allocation.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is needed here")]
mod allocation;
mod common;

use allocation::{Counting, Tally};
use common::{Browser, ConnectedRenderer, Renderer};
use port_core::INLINE_BYTES;
use port_core_gateway::Bounds;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_short_message_allocates_nothing_in_the_browser() {
    let browser = Browser::new();
    let ConnectedRenderer { mut renderer, port, mut there, received, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    for round in 0..100 {
        for _ in 0..50 {
            renderer.stub.post_message(port, &[7; INLINE_BYTES]).unwrap();
        }
        let (tally, ()) = Tally::of(|| {
            renderer.host.receive(renderer.stub.output()).unwrap();
            while let Some(event) = there.next_event_unarmed() {
                drop(event);
                there.post_message(received, &[7; INLINE_BYTES]).unwrap();
            }
            renderer.host.turn().unwrap();
        });
        renderer.stub.sent(renderer.stub.output().len());
        assert_eq!(common::texts(&renderer.hear()).len(), 50);
        // The first rounds are for both sides to get the memory that they keep.
        assert!(round < 50 || (tally.allocations, tally.bytes) == (0, 0), "round {round}: {tally:?}");
    }
}

#[test]
fn a_message_that_is_read_where_it_lies_allocates_nothing_in_the_renderer() {
    let browser = Browser::new();
    let ConnectedRenderer { mut renderer, mut there, received, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    for round in 0..100 {
        for _ in 0..50 {
            there.post_message(received, &[7; INLINE_BYTES]).unwrap();
        }
        renderer.host.turn().unwrap();
        let (tally, read) = Tally::of(|| {
            renderer.stub.receive(renderer.host.output());
            std::iter::from_fn(|| renderer.stub.next_message().map(|message| message.content.payload.len()))
                .filter(|length| *length == INLINE_BYTES)
                .count()
        });
        renderer.host.sent(renderer.host.output().len());
        assert_eq!(read, 50);
        renderer.carry_up().unwrap();
        assert!(round < 50 || (tally.allocations, tally.bytes) == (0, 0), "round {round}: {tally:?}");
    }
}

#[test]
fn an_idle_renderer_takes_little_memory() {
    let browser = Browser::new();
    let place = browser.tab();
    let (tally, mut renderer) = Tally::of(|| {
        let mut renderer = Renderer::new(&browser.service);
        renderer.content_script(&browser, place);
        renderer
    });
    assert!(tally.bytes < 16 << 10, "{tally:?}");
    // After a burst as well.
    let (mut there, background) = browser.background_loop();
    let port = there.connect_tab(background, &port_core::TabTarget::new(place.tab)).unwrap();
    let (tally, ()) = Tally::of(|| {
        for _ in 0..2_000 {
            there.post_message(port, &[7; 100]).unwrap();
        }
        assert_eq!(renderer.hear().len(), 2_001);
        assert!(renderer.host.arm());
        renderer.stub.trim();
        there.disconnect(port);
        renderer.hear();
        while !renderer.host.arm() {}
        renderer.stub.trim();
    });
    // What is left is the lane's.
    assert!(tally.bytes < 64 << 10, "{tally:?}");
}

/// The connection of a process reads much at once only while much comes.
#[cfg(unix)]
#[test]
fn an_idle_connection_takes_little_memory() {
    use port_core_gateway::StubEvent;
    use port_core_gateway::unix::{Connection, pair};
    use std::io::Write;
    let browser = Browser::new();
    let mut renderer = Renderer::new(&browser.service);
    renderer.host.grant(common::describe_background(browser.extension), &[7; 60_000]);
    let (ours, theirs) = pair().unwrap();
    let mut ours = std::os::unix::net::UnixStream::from(ours);
    let (tally, connection) = Tally::of(|| {
        let mut connection = Connection::new(theirs).unwrap();
        ours.write_all(renderer.host.output()).unwrap();
        let event = connection.wait(None).unwrap();
        assert!(matches!(event, Some(StubEvent::Granted { .. })));
        drop(event);
        assert!(connection.wait(Some(std::time::Duration::ZERO)).unwrap().is_none());
        connection
    });
    drop(connection);
    assert!(tally.bytes < 8 << 10, "{tally:?}");
}
