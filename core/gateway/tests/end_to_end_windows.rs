//! A port's window holds from script to script: what a renderer's script has not taken is under way.

mod common;

use common::{Browser, ConnectedRenderer, Renderer, connected, settle_renderers, the_connect};
use port_core::{Event, EventLoop, Limits, PostErrorKind, TabTarget};
use port_core_gateway::{Bounds, OfExtension, StubEvent};

const WINDOW: u32 = 4;

fn windowed() -> Browser {
    Browser::with_limits(Limits::default().window_messages(WINDOW))
}

/// Posts until refused; how many went.
fn fill(mut post: impl FnMut() -> Result<(), PostErrorKind>) -> u32 {
    for posted in 0..100 {
        match post() {
            Ok(()) => {}
            Err(PostErrorKind::WindowFull) => return posted,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("no window")
}

fn fill_from(event_loop: &mut EventLoop, port: port_core::PortId) -> u32 {
    fill(|| event_loop.post_message(port, "x").map_err(PostErrorKind::from))
}

/// Has a stub hand out so many messages.
fn take(renderer: &mut Renderer, messages: u32) {
    for _ in 0..messages {
        let event = renderer.stub.next_event().unwrap();
        assert!(matches!(event, Some(StubEvent::Message { .. })), "{event:?}");
    }
    renderer.carry_up().unwrap();
}

#[test]
fn what_a_renderers_script_has_not_taken_is_under_way() {
    let browser = windowed();
    let ConnectedRenderer { mut renderer, mut there, received, .. } =
        ConnectedRenderer::new(&browser, Bounds::default());
    assert_eq!(fill_from(&mut there, received), WINDOW);
    // The renderer has it, and its script does not.
    while renderer.host.turn().unwrap() {}
    renderer.carry_down();
    assert_eq!(fill_from(&mut there, received), 0);
    take(&mut renderer, 1);
    assert_eq!(fill_from(&mut there, received), 0, "half a window is worth a word");
    take(&mut renderer, 1);
    assert!(matches!(there.next_event(), Some(Event::Room { .. })));
    assert_eq!(fill_from(&mut there, received), 2);
    take(&mut renderer, 2);
    while renderer.host.turn().unwrap() {}
    renderer.carry_down();
    take(&mut renderer, 2);
    assert_eq!(fill_from(&mut there, received), WINDOW);
}

#[test]
fn the_slowest_frame_of_a_process_sets_the_pace_for_a_fan_out() {
    let browser = windowed();
    let place = browser.tab();
    let mut renderer = Renderer::new(&browser.service);
    renderer.content_script(&browser, place);
    renderer.content_script(&browser, browser.frame_in(place));
    let (mut there, opener) = browser.background_loop();
    let port = there.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(renderer.hear().len(), 2);
    assert!(connected(&mut there).is_empty());
    assert_eq!(fill_from(&mut there, port), WINDOW);
    while renderer.host.turn().unwrap() {}
    renderer.carry_down();
    // Each message goes to both frames, one after the other.
    take(&mut renderer, 3);
    assert_eq!(fill_from(&mut there, port), 0);
    take(&mut renderer, 1);
    assert_eq!(fill_from(&mut there, port), 2);
}

#[test]
fn a_renderer_that_posts_to_one_that_takes_nothing_is_held_up_and_goes_on_when_it_does() {
    let browser = windowed();
    let place = browser.tab();
    let bounds = Bounds::default().port_messages(8);
    let [mut here, mut there] = [(); 2].map(|()| Renderer::with(&browser.service, bounds));
    let script = here.content_script(&browser, place);
    there.background(&browser);
    let port = here.stub.connect_runtime(script, &OfExtension::own()).unwrap();
    let [_, heard] = settle_renderers([&mut here, &mut there]);
    let received = the_connect(&heard);
    let mut posted = 0;
    let mut turn = |here: &mut Renderer, there: &mut Renderer| {
        posted += fill(|| here.stub.post_message(port, "x"));
        for _ in 0..9 {
            here.carry_up().unwrap();
            for renderer in [&mut *here, &mut *there] {
                while renderer.host.turn().unwrap() {}
                renderer.carry_down();
            }
            while here.stub.next_event().unwrap().is_some() {}
        }
        posted
    };
    let before = (0..9).map(|_| turn(&mut here, &mut there)).last().unwrap();
    assert!(before <= WINDOW + 2 * 8, "{before}");
    for _ in 0..20 {
        while let Some(event) = there.stub.next_event().unwrap() {
            assert!(matches!(event, StubEvent::Message { port, .. } if port == received));
        }
        there.carry_up().unwrap();
        turn(&mut here, &mut there);
    }
    assert!(turn(&mut here, &mut there) >= before + 20 * WINDOW / 2);
}
