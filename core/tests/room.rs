//! G6: a port whose post was refused because a lane is full hears of room when it may post again.

mod common;

use common::*;
use port_core::DisconnectReason::{Disconnected, EventLoopGone};
use port_core::{BackForwardCache, Event, EventLoop, OpeningPort, Place, PortId, PostErrorKind, TabTarget};

fn browser_with_lanes_of(records: u64) -> Browser {
    Browser::with_limits(limits(|limits| limits.lane_records = records))
}

/// Posts until the lane is full; how many went.
fn fill(event_loop: &mut EventLoop, port: PortId) -> usize {
    for posted in 0..1_000 {
        match event_loop.post_message(port, "x").map_err(PostErrorKind::from) {
            Ok(()) => {}
            Err(PostErrorKind::Busy) => return posted,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("no budget")
}

fn outbound(event_loop: &EventLoop) -> u64 {
    event_loop.snapshot().lanes.iter().map(|lane| lane.outbound_records).sum()
}

#[test]
fn room_is_told_once_the_peer_has_taken_what_filled_the_lane() {
    let browser = browser_with_lanes_of(10);
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    drain(&mut there);
    for _ in 0..20 {
        // Two refusals, one event; and either way.
        assert_eq!((fill(&mut here, port), fill(&mut here, port)), (10, 0));
        assert_eq!(fill(&mut there, received), 10);
        assert_eq!(hear(&mut here).len(), 10, "messages, and no room before the other loop took anything");
        let heard = hear(&mut there);
        assert_eq!((heard.len(), heard.last()), (11, Some(&Heard::Room)));
        assert_eq!(hear(&mut here), [Heard::Room]);
        here.post_message(port, "room").unwrap();
        assert_eq!(hear(&mut there), [message("room")]);
        assert_eq!(hear(&mut here), []);
    }
}

#[test]
fn no_room_is_told_where_no_post_was_refused() {
    let browser = browser_with_lanes_of(10);
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    drain(&mut there);
    for _ in 0..20 {
        for _ in 0..10 {
            here.post_message(port, "x").unwrap();
        }
        assert_eq!(drain(&mut there).len(), 10);
        assert_eq!(hear(&mut here), []);
    }
}

#[test]
fn a_loop_answers_itself() {
    let browser = browser_with_lanes_of(10);
    let mut here = browser.event_loop();
    let place = browser.tab();
    let opener = browser.background(&mut here);
    browser.content_script(&mut here, place);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    drain(&mut here);
    for _ in 0..5 {
        assert_eq!(fill(&mut here, port), 10);
        let heard = hear(&mut here);
        assert_eq!((heard.len(), heard.last()), (11, Some(&Heard::Room)));
    }
}

#[test]
fn bytes_fill_a_lane_too() {
    let browser = Browser::with_limits(limits(|limits| limits.lane_bytes = 1_000));
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    drain(&mut there);
    here.post_message(port, vec![1; 5_000]).unwrap();
    let refused = here.post_message(port, vec![1; 5_000]).unwrap_err();
    assert_eq!(refused.kind(), PostErrorKind::Busy);
    assert_eq!(drain(&mut there).len(), 1);
    assert_eq!(hear(&mut here), [Heard::Room]);
    here.post_message(port, refused.into_message().unwrap()).unwrap();
}

#[test]
fn a_loop_asks_one_question_at_a_time() {
    let browser = browser_with_lanes_of(20);
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let ports = [(); 8].map(|()| browser.open_port(&mut here, opener, &mut there, place.tab).0);
    drain(&mut there);
    assert_eq!(fill(&mut here, ports[0]), 20);
    for port in ports {
        for _ in 0..100 {
            assert!(here.post_message(port, "x").is_err());
        }
    }
    assert_eq!(outbound(&here), 21);
    assert_eq!(drain(&mut there).len(), 20);
    let told = drain(&mut here);
    for port in ports {
        assert_eq!(heard_on(&told, port), [Heard::Room]);
    }
    // The first to post fills the lane for the others, and they are told again.
    assert_eq!(ports.map(|port| fill(&mut here, port)), [20, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(drain(&mut there).len(), 20);
    assert_eq!(drain(&mut here).len(), 8);
}

#[test]
fn who_is_told_of_room_finds_it() {
    // Another port fills the lane again while the answer is under way.
    let browser = browser_with_lanes_of(10);
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (waiting, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let (quick, _) = browser.open_port(&mut here, opener, &mut there, place.tab);
    drain(&mut there);
    fill(&mut here, waiting);
    drain(&mut there);
    for _ in 0..10 {
        here.post_message(quick, "x").unwrap();
    }
    assert_eq!(hear(&mut here), [], "it is asked for again");
    drain(&mut there);
    assert_eq!(heard_on(&drain(&mut here), waiting), [Heard::Room]);
    assert_eq!(fill(&mut here, waiting), 10);
}

/// An opener on the first of three loops, connected to a receiver on each of the others, with empty lanes.
fn fan_out(browser: &Browser) -> ([EventLoop; 3], PortId, [Place; 2]) {
    let [mut here, mut quick, mut slow] = [(); 3].map(|()| browser.event_loop());
    let top = browser.tab();
    let frame = browser.frame_in(top);
    let opener = browser.background(&mut here);
    browser.content_script(&mut quick, top);
    browser.content_script(&mut slow, frame);
    let port = here.connect_tab(opener, &TabTarget::new(top.tab)).unwrap();
    settle([&mut here, &mut quick, &mut slow]);
    ([here, quick, slow], port, [top, frame])
}

#[test]
fn every_lane_of_a_fan_out_has_room_when_it_is_told() {
    let browser = browser_with_lanes_of(10);
    let ([mut here, mut quick, mut slow], port, _) = fan_out(&browser);
    for quick_is_first in [false, true] {
        assert_eq!(fill(&mut here, port), 10);
        let (first, second) = if quick_is_first { (&mut quick, &mut slow) } else { (&mut slow, &mut quick) };
        assert_eq!(drain(first).len(), 10);
        assert_eq!(hear(&mut here), [], "the other one is still full");
        assert_eq!(drain(second).len(), 10);
        assert_eq!(hear(&mut here), [Heard::Room]);
        here.post_message(port, "to both").unwrap();
        assert_eq!((hear(&mut quick), hear(&mut slow)), (vec![message("to both")], vec![message("to both")]));
    }
}

#[test]
fn a_full_lane_that_goes_with_its_receiver_makes_room() {
    enum End {
        Killed,
        LoopDropped,
        LoopGone,
    }
    for end in [End::Killed, End::LoopDropped, End::LoopGone] {
        let browser = browser_with_lanes_of(10);
        let ([mut here, mut quick, slow], port, [_, frame]) = fan_out(&browser);
        while here.post_message(port, "x").is_ok() {
            drain(&mut quick);
        }
        assert_eq!(hear(&mut here), []);
        let mut slow = Some(slow);
        match end {
            End::Killed => browser.service.frame_removed(frame.tab, frame.frame).unwrap(),
            End::LoopDropped => slow = None,
            End::LoopGone => browser.service.event_loop_gone(slow.as_ref().unwrap().id()).unwrap(),
        }
        assert_eq!(hear(&mut here), [Heard::Room]);
        here.post_message(port, "to the one that is left").unwrap();
        assert_eq!(hear(&mut quick), [message("to the one that is left")]);
        drop(slow);
    }
}

#[test]
fn a_port_that_ends_while_it_waits_hears_no_room() {
    enum End {
        Disconnects,
        IsDisconnected,
        Detached,
        Killed,
        PeerGone,
    }
    use End::*;
    for end in [Disconnects, IsDisconnected, Detached, Killed, PeerGone] {
        let browser = browser_with_lanes_of(10);
        let Apart { mut here, mut there, place, opener, script } = browser.apart();
        // Of two receivers' ports that wait, one ends, or its context does.
        let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
        let (_, other_received) = browser.open_port(&mut here, opener, &mut there, place.tab);
        settle([&mut here, &mut there]);
        assert_eq!(fill(&mut there, received), 10);
        assert_eq!(fill(&mut there, other_received), 0);
        let (by_itself, by_the_other) = match end {
            Disconnects => {
                assert!(there.disconnect(received));
                (vec![], vec![Heard::Room])
            }
            IsDisconnected => {
                assert!(here.disconnect(port));
                (vec![disconnect(Disconnected)], vec![Heard::Room])
            }
            Detached => {
                there.detach(script).unwrap();
                (vec![], vec![])
            }
            Killed => {
                browser.service.tab_closed(place.tab).unwrap();
                (vec![], vec![])
            }
            PeerGone => {
                browser.service.event_loop_gone(here.id()).unwrap();
                (vec![disconnect(EventLoopGone)], vec![disconnect(EventLoopGone)])
            }
        };
        let [_, heard] = settle([&mut here, &mut there]);
        assert_eq!(heard_on(&heard, received), by_itself);
        assert_eq!(heard_on(&heard, other_received), by_the_other);
    }
}

#[test]
fn a_page_in_the_cache_is_told_of_room_once_it_is_back() {
    let browser = Browser::with(
        limits(|limits| limits.lane_records = 10),
        policies(|policies| policies.back_forward_cache = BackForwardCache::LosesMessages),
    );
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (_, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    browser.service.document_cached(place.document).unwrap();
    assert_eq!(hear(&mut there), []);
    for _ in 0..5 {
        assert_eq!(fill(&mut there, received), 10);
        assert_eq!(drain(&mut here).len(), 10);
        assert_eq!(hear(&mut there), []);
    }
    browser.service.document_restored(place.document).unwrap();
    assert_eq!(hear(&mut there), [Heard::Room]);
}

#[test]
fn posts_that_wait_for_an_answer_have_room_once_it_is_there() {
    let browser = Browser::with(
        limits(|limits| limits.lane_records = 5),
        policies(|policies| policies.opening_port = OpeningPort::PostsWait),
    );
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    assert_eq!(fill(&mut here, port), 5);
    assert_eq!(connected(&mut there).len(), 1);
    assert_eq!(hear(&mut here), [], "what waited fills the lane");
    assert_eq!(drain(&mut there).len(), 5);
    assert_eq!(hear(&mut here), [Heard::Room]);
    here.post_message(port, "open").unwrap();
    assert_eq!(hear(&mut there), [message("open")]);
}

#[test]
fn a_thread_that_sleeps_is_woken_by_room() {
    let browser = browser_with_lanes_of(10);
    let Apart { mut here, mut there, place, opener, .. } = browser.apart();
    let (port, received) = browser.open_port(&mut here, opener, &mut there, place.tab);
    let posting = std::thread::spawn(move || {
        let mut posted = 0;
        while posted < 10_000 {
            match here.post_message(port, "x") {
                Ok(()) => posted += 1,
                Err(error) => {
                    assert_eq!(error.kind(), PostErrorKind::Busy);
                    assert!(matches!(here.wait(), Event::Room { .. }));
                }
            }
        }
        here
    });
    for _ in 0..10_000 {
        assert!(matches!(there.wait(), Event::Message { port, .. } if port == received));
    }
    drop(posting.join().unwrap());
}
