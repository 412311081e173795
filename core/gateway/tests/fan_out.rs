//! A message to several frames of one process crosses once.

mod common;

use common::{Browser, Renderer, texts};
use port_core::TabTarget;
use port_core_gateway::StubEvent;

/// A background connected to so many frames of one renderer. Returns how many bytes a message of 100 takes, and how
/// many events it makes.
fn crossing(frames: usize) -> (usize, usize) {
    let browser = Browser::new();
    let top = browser.tab();
    let (mut there, background) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    for nth in 0..frames {
        let place = if nth == 0 { top } else { browser.frame_in(top) };
        renderer.content_script(&browser, place);
    }
    let port = there.connect_tab(background, &TabTarget::new(top.tab)).unwrap();
    let connects = renderer.hear();
    assert!(
        connects.iter().all(|event| matches!(event, StubEvent::Connect { .. })) && connects.len() == frames
    );
    let text = "x".repeat(100);
    there.post_message(port, &text).unwrap();
    renderer.host.turn().unwrap();
    let bytes = renderer.host.output().len();
    let heard = texts(&renderer.hear());
    assert!(heard.iter().all(|heard| *heard == text));
    (bytes, heard.len())
}

#[test]
fn a_message_to_ten_frames_takes_little_more_than_one() {
    let ((one, _), (ten, heard)) = (crossing(1), crossing(10));
    assert_eq!(heard, 10);
    assert!(10 * ten <= 12 * one, "{ten} bytes for ten frames, {one} for one");
}

#[test]
fn a_script_that_ends_a_port_hears_no_copy_on_it() {
    let browser = Browser::new();
    let top = browser.tab();
    let (mut there, background) = browser.background_loop();
    let mut renderer = Renderer::new(&browser.service);
    for place in [top, browser.frame_in(top), browser.frame_in(top)] {
        renderer.content_script(&browser, place);
    }
    let port = there.connect_tab(background, &TabTarget::new(top.tab)).unwrap();
    let received: Vec<_> = renderer
        .hear()
        .iter()
        .map(|event| match event {
            StubEvent::Connect { port, .. } => *port,
            other => panic!("{other:?}"),
        })
        .collect();
    there.post_message(port, "hello").unwrap();
    renderer.host.turn().unwrap();
    renderer.carry_down();
    let first = renderer.stub.next_event().unwrap();
    assert!(matches!(first, Some(StubEvent::Message { port, .. }) if port == received[0]), "{first:?}");
    // The first one's handler ends the second one's port.
    renderer.stub.disconnect(received[1]);
    let second = renderer.stub.next_event().unwrap();
    assert!(matches!(second, Some(StubEvent::Message { port, .. }) if port == received[2]), "{second:?}");
    assert_eq!(renderer.stub.next_event(), Ok(None));
}
