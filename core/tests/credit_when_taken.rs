//! Windows where the embedder says when a message was taken.

mod common;

use common::*;
use port_core::{BackForwardCache, Event, EventLoop, PortId, PostErrorKind, TabTarget};

const WINDOW: u32 = 4;

/// A background that opened a port to as many frames of one tab as there are loops.
struct Scene {
    here: EventLoop,
    there: Vec<EventLoop>,
    port: PortId,
    received: Vec<PortId>,
}

fn scene(browser: &Browser, frames: usize) -> Scene {
    let top = browser.tab();
    let places: Vec<_> = (0..frames).map(|at| if at == 0 { top } else { browser.frame_in(top) }).collect();
    let (mut here, opener) = browser.background_loop();
    let mut there: Vec<_> = places.iter().map(|place| browser.content_script_loop(*place).0).collect();
    here.credit_when_taken(true);
    there.iter_mut().for_each(|there| there.credit_when_taken(true));
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    let received = there.iter_mut().map(take_connect).collect();
    assert_eq!(hear(&mut here), []);
    Scene { here, there, port, received }
}

fn windowed() -> Browser {
    Browser::with_limits(limits(|limits| limits.window_messages = Some(WINDOW)))
}

/// Posts of two bytes until refused; how many went.
fn fill(event_loop: &mut EventLoop, port: PortId) -> u32 {
    let full = |count: &u32| {
        let posted = event_loop.post_message(port, format!("{count:2}").as_str());
        posted.map_err(PostErrorKind::from).is_err_and(|error| error == PostErrorKind::WindowFull)
    };
    (0..100).find(full).expect("a window")
}

#[test]
fn what_was_handed_out_is_under_way_until_it_is_taken() {
    let Scene { mut here, mut there, port, received, .. } = scene(&windowed(), 1);
    let there = &mut there[0];
    assert_eq!(fill(&mut here, port), WINDOW);
    assert_eq!(drain(there).len(), WINDOW as usize);
    assert_eq!((hear(&mut here), fill(&mut here, port)), (vec![], 0));
    assert!(there.taken(received[0], 1, 2));
    // Half a window is worth telling.
    assert_eq!(fill(&mut here, port), 0);
    assert!(there.taken(received[0], 1, 2));
    assert!(matches!(drain(&mut here)[..], [Event::Room { .. }]));
    assert_eq!(fill(&mut here, port), 2);
}

#[test]
fn no_more_is_taken_than_was_handed_out() {
    let Scene { mut here, mut there, port, received, .. } = scene(&windowed(), 1);
    let there = &mut there[0];
    assert!(!there.taken(received[0], 1, 0) && !there.taken(received[0], 0, 1));
    assert!(there.taken(received[0], 0, 0));
    fill(&mut here, port);
    assert!(!there.taken(received[0], 1, 2), "none of it was handed out");
    for _ in 0..3 {
        assert!(there.next_event().is_some());
    }
    assert!(!there.taken(received[0], 4, 6) && !there.taken(received[0], 3, 7));
    assert_eq!(fill(&mut here, port), 0, "a refused word changes nothing");
    assert!(there.taken(received[0], 3, 6));
    assert!(!there.taken(received[0], 1, 0));
    assert_eq!(fill(&mut here, port), 3);
}

#[test]
fn bytes_that_were_kept_quiet_about_come_with_their_messages() {
    let Scene { mut here, mut there, port, received, .. } =
        scene(&Browser::with_limits(limits(|limits| limits.window_bytes = Some(8))), 1);
    let there = &mut there[0];
    assert_eq!(fill(&mut here, port), 4);
    drain(there);
    assert!(there.taken(received[0], 4, 0));
    assert!(!there.taken(received[0], 0, 1));
    assert_eq!(fill(&mut here, port), 4);
}

#[test]
fn an_opener_credits_each_receiver_what_it_took_of_it() {
    let Scene { mut here, mut there, port, received, .. } = scene(&windowed(), 2);
    for (there, received) in there.iter_mut().zip(&received) {
        assert_eq!(fill(there, *received), WINDOW);
    }
    assert_eq!(drain(&mut here).len(), 2 * WINDOW as usize);
    let counts = |there: &mut [EventLoop]| -> Vec<_> {
        there.iter_mut().zip(&received).map(|(there, received)| fill(there, *received)).collect()
    };
    assert_eq!(counts(&mut there), [0, 0]);
    assert!(here.taken(port, WINDOW, u64::from(WINDOW) * 2));
    // Whose messages were taken first is a matter of turns.
    assert_eq!(counts(&mut there).iter().sum::<u32>(), WINDOW);
    assert!(here.taken(port, WINDOW, u64::from(WINDOW) * 2));
    assert_eq!(counts(&mut there).iter().sum::<u32>(), WINDOW);
    assert!(!here.taken(port, 1, 0));
}

#[test]
fn receivers_that_post_in_turn_make_the_opener_remember_a_bounded_number() {
    const MESSAGES: usize = 5_000;
    let browser = Browser::with_limits(limits(|limits| limits.window_messages = Some(1_000_000)));
    let Scene { mut here, mut there, port, received, .. } = scene(&browser, 2);
    for _ in 0..MESSAGES {
        for (there, received) in there.iter_mut().zip(&received) {
            there.post_message(*received, "x").unwrap();
            assert!(matches!(here.next_event(), Some(Event::Message { .. })));
        }
    }
    let all = 2 * u32::try_from(MESSAGES).unwrap();
    assert!(!here.taken(port, all + 1, 0));
    assert!(here.taken(port, all, all.into()));
    assert!(!here.taken(port, 1, 0));
}

#[test]
fn each_receiver_of_one_event_loop_takes_for_itself() {
    let browser = windowed();
    let top = browser.tab();
    let places = [top, browser.frame_in(top)];
    let (mut here, opener) = browser.background_loop();
    let mut there = browser.event_loop();
    there.group_receivers(true);
    there.credit_when_taken(true);
    for place in places {
        browser.content_script(&mut there, place);
    }
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    let received = connected(&mut there);
    assert_eq!((hear(&mut here), fill(&mut here, port)), (vec![], WINDOW));
    drain(&mut there);
    assert!(there.taken(received[0], WINDOW, 8));
    assert_eq!(fill(&mut here, port), 0, "the slowest sets the pace");
    assert!(there.taken(received[1], WINDOW, 8));
    assert_eq!(fill(&mut here, port), WINDOW);
}

#[test]
fn a_port_that_has_ended_takes_no_word_amiss() {
    let Scene { mut here, mut there, port, received, .. } = scene(&windowed(), 1);
    fill(&mut here, port);
    drain(&mut there[0]);
    here.disconnect(port);
    assert!(here.taken(port, 1, 1));
    // Its end is not handed out yet.
    assert!(there[0].taken(received[0], 1, 2));
    drain(&mut there[0]);
    assert!(there[0].taken(received[0], 1, 2));
    assert!(here.taken(received[0], 1, 2), "another loop's port");
}

#[test]
fn what_was_handed_out_is_taken_once_messages_need_not_be() {
    let Scene { mut here, mut there, port, received, .. } = scene(&windowed(), 1);
    fill(&mut here, port);
    drain(&mut there[0]);
    there[0].credit_when_taken(false);
    assert_eq!(fill(&mut here, port), WINDOW);
    assert!(!there[0].taken(received[0], 1, 2));
}

#[test]
fn what_a_cached_page_loses_is_credited_at_once_and_what_it_kept_when_it_is_taken() {
    for (keeps, credited) in
        [(BackForwardCache::LosesMessages, WINDOW), (BackForwardCache::queues_messages(9, 99), 0)]
    {
        let limits = limits(|limits| limits.window_messages = Some(WINDOW));
        let browser = Browser::with(limits, policies(|policies| policies.back_forward_cache = keeps));
        let place = browser.tab();
        let (mut here, opener) = browser.background_loop();
        let (mut there, _) = browser.content_script_loop(place);
        there.credit_when_taken(true);
        let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
        browser.service.document_cached(place.document).unwrap();
        fill(&mut here, port);
        assert_eq!(hear(&mut there), []);
        assert_eq!(fill(&mut here, port), credited);
        if credited == 0 {
            browser.service.document_restored(place.document).unwrap();
            assert_eq!(drain(&mut there).len(), WINDOW as usize);
            assert_eq!(fill(&mut here, port), 0);
            assert!(there.taken(received, WINDOW, 8));
            assert_eq!(fill(&mut here, port), WINDOW);
        }
    }
}
