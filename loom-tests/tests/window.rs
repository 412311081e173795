//! Windows and budgets: credits on their way against posts that want them.

extern crate port_core_model as port_core;

mod support;

use loom::thread;
use port_core_model::{
    BackForwardCache, ConnectError, DisconnectReason, EventLoop, FrameId, Limits, Policies, PortId,
    PostErrorKind, TabTarget,
};
use support::{
    Browser, Connected, INNER_PLACE, PLACE, Seen, TAB, browser_with, browser_with_window, connected, drain,
    limits, model, seen, settle, take_connect,
};

/// A post is refused for want of window while the receiver takes what fills it:
/// either the post finds the credit in its lane, or the context is told of room.
#[test]
fn credit_against_a_post_that_wants_it() {
    model(None, 8_200, || {
        let browser = browser_with_window(1);
        let Connected { mut background, port, mut page, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        background.post_message(port, &[1]).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        let posted = background.post_message(port, &[2]).is_ok();
        let (mut page, mut page_saw) = taking.join().unwrap();
        let opener_saw = drain(&mut background);
        page_saw.extend(drain(&mut page));
        if posted {
            assert_eq!(opener_saw, []);
            assert_eq!(page_saw, [Seen::Message(1), Seen::Message(2)]);
        } else {
            assert_eq!(opener_saw, [Seen::Room]);
            assert_eq!(page_saw, [Seen::Message(1)]);
        }
        // What the receiver took, it took before the next post.
        background.post_message(port, &[3]).unwrap_or_else(|error| assert!(posted, "{error:?}"));
    });
}

/// A post without credit takes in what lies in its inbound lane before it gives up,
/// and leaves the messages there in order.
#[test]
fn a_post_finds_the_credit_that_lies_in_its_lane() {
    model(None, 1, || {
        let browser = browser_with_window(1);
        let Connected { mut background, port, mut page, received, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        background.post_message(port, &[1]).unwrap();
        page.post_message(received, &[7]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        background.post_message(port, &[2]).unwrap();
        assert_eq!(drain(&mut background), [Seen::Message(7)]);
        assert_eq!(drain(&mut page), [Seen::Message(2)]);
    });
}

/// Removing the slowest receiver recomputes room and tells of it.
#[test]
fn losing_the_slowest_receiver_makes_room() {
    model(None, 89, || {
        let browser = browser_with_window(1);
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let mut slow = browser.event_loop();
        browser.content_script(&mut slow, INNER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        take_connect(&mut slow);
        assert_eq!(drain(&mut background), []);
        background.post_message(port, &[1]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        let service = browser.service.clone();
        let killer = thread::spawn(move || service.frame_removed(TAB, INNER_PLACE.frame).unwrap());
        let refused = background.post_message(port, &[2]);
        assert_eq!(refused.map_err(PostErrorKind::from), Err(PostErrorKind::WindowFull));
        let mut saw = drain(&mut background);
        killer.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw, [Seen::Room]);
        background.post_message(port, &[3]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(3)]);
        drop(slow);
    });
}

/// A receiver without credit towards an opener that takes and then goes.
#[test]
fn a_receiver_that_waits_for_room_hears_the_end() {
    model(None, 11_000, || {
        let browser = browser_with_window(1);
        let Connected { mut background, port, mut page, received, .. } = connected(&browser);
        assert_eq!(drain(&mut background), []);
        page.post_message(received, &[1]).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut background);
            background.disconnect(port);
            (background, saw)
        });
        let posted = page.post_message(received, &[2]).is_ok();
        let (background, opener_saw) = taking.join().unwrap();
        let page_saw = drain(&mut page);
        // Another post may be heard only if the opener drained again, which it did not.
        assert!(matches!(opener_saw[..], [Seen::Message(1)] | [Seen::Message(1), Seen::Message(2)]));
        let end = Seen::Disconnect(DisconnectReason::Disconnected);
        if posted {
            assert_eq!(page_saw, [end]);
        } else {
            assert!(page_saw == [end] || page_saw == [Seen::Room, end], "{page_saw:?}");
        }
        drop(background);
    });
}

/// The lane's budget covers connects, outlives ports, and opens again as the peer takes.
#[test]
fn a_full_lane_refuses_connects_and_posts_until_the_peer_takes() {
    model(None, 15_000, || {
        let mut limits = Limits::default();
        // The page is told of the opener, then connected to, then posted to.
        limits.lane_records = 3;
        let browser = browser_with(limits, Policies::default());
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        background.post_message(port, &[1]).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        let second = background.connect_tab(opener, &TabTarget::new(TAB));
        assert!(matches!(second, Ok(_) | Err(ConnectError::Busy)), "{second:?}");
        let (mut page, mut page_saw) = taking.join().unwrap();
        page_saw.extend(drain(&mut page));
        let connects = page_saw.iter().filter(|seen| **seen == Seen::Connect).count();
        assert_eq!(connects, 1 + usize::from(second.is_ok()));
        background.post_message(port, &[2]).unwrap();
        // A disconnect is always admitted.
        background.post_message(port, &[3]).unwrap();
        background.post_message(port, &[4]).unwrap();
        assert_eq!(
            background.post_message(port, &[5]).map_err(PostErrorKind::from),
            Err(PostErrorKind::Busy)
        );
        background.disconnect(port);
        let end = Seen::Disconnect(DisconnectReason::Disconnected);
        assert_eq!(drain(&mut page), [Seen::Message(2), Seen::Message(3), Seen::Message(4), end]);
    });
}

/// An answer makes room for the next connect, also where the opener has left the port meanwhile.
#[test]
fn an_answer_to_a_port_that_leaves_counts() {
    model(Some(3), 1_800, || {
        let browser = browser_with(limits(|limits| limits.unanswered_connects = 1), Policies::default());
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        let target = TabTarget::new(TAB);
        let port = background.connect_tab(opener, &target).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        background.disconnect(port);
        // Its answer may be there, and not taken.
        assert_eq!(background.connect_tab(opener, &target), Err(ConnectError::Busy));
        assert_eq!(drain(&mut background), []);
        let next = background.connect_tab(opener, &target);
        let (mut page, mut saw) = taking.join().unwrap();
        saw.extend(drain(&mut page));
        let connects = 1 + usize::from(next.is_ok());
        assert_eq!(saw.iter().filter(|seen| **seen == Seen::Connect).count(), connects, "{saw:?}");
        assert_eq!(drain(&mut background), []);
        assert!(background.connect_tab(opener, &target).is_ok());
    });
}

/// Two event loops whose lanes are empty and hold two records, and a port between them.
fn with_small_lanes() -> (Browser, Connected) {
    let browser = browser_with(limits(|limits| limits.lane_records = 2), Policies::default());
    let mut both = connected(&browser);
    assert_eq!(drain(&mut both.page), []);
    assert_eq!(drain(&mut both.background), []);
    (browser, both)
}

/// Fills the lane with messages; returns how many it took.
fn fill(event_loop: &mut EventLoop, port: PortId) -> usize {
    for posted in 0..9 {
        match event_loop.post_message(port, &[1]).map_err(PostErrorKind::from) {
            Ok(()) => {}
            refused => {
                assert_eq!(refused, Err(PostErrorKind::Busy));
                return posted;
            }
        }
    }
    panic!("no budget")
}

/// A post finds the lane full while the peer takes what fills it: either it goes, or the context is told of room. So it
/// is the next time.
#[test]
fn a_question_for_room_against_taking_the_last_record() {
    model(Some(3), 950, || {
        let (_browser, Connected { mut background, port, mut page, .. }) = with_small_lanes();
        assert_eq!(fill(&mut background, port), 2);
        assert_eq!(drain(&mut page).len(), 2);
        assert_eq!(drain(&mut background), [Seen::Room]);
        background.post_message(port, &[2]).unwrap();
        background.post_message(port, &[3]).unwrap();
        let taking = thread::spawn(move || {
            let saw = drain(&mut page);
            (page, saw)
        });
        let posted = background.post_message(port, &[4]).is_ok();
        let mut opener_saw = drain(&mut background);
        let (mut page, page_saw) = taking.join().unwrap();
        assert_eq!(page_saw[..2], [Seen::Message(2), Seen::Message(3)]);
        let (by_opener, by_page) = settle(&mut background, &mut page);
        opener_saw.extend(by_opener);
        assert_eq!(opener_saw, [Seen::Room][usize::from(posted)..]);
        assert_eq!(page_saw.len() + by_page.len(), 2 + usize::from(posted));
        background.post_message(port, &[5]).unwrap();
    });
}

/// While one port asks for room, another fills the lane again: who is told of room finds it.
#[test]
fn room_is_told_of_while_it_is_there() {
    model(Some(2), 1_280, || {
        let (_browser, Connected { mut background, opener, port, mut page, .. }) = with_small_lanes();
        let other = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        assert_eq!(drain(&mut page), []);
        assert_eq!(drain(&mut background), []);
        assert_eq!(fill(&mut background, port), 2);
        let taking = thread::spawn(move || {
            drain(&mut page);
            page
        });
        background.post_message(other, &[2]).ok();
        background.post_message(other, &[3]).ok();
        let mut page = taking.join().unwrap();
        let mut told = false;
        for _ in 0..4 {
            while let Some(event) = background.next_event() {
                assert_eq!(seen(&event), Seen::Room);
                if event.port() == Some(port) {
                    assert!(!told);
                    told = true;
                    background.post_message(port, &[4]).unwrap();
                }
            }
            drain(&mut page);
        }
        assert!(told);
    });
}

/// The loop whose lane is full is declared gone while it is asked for room. The port hears its end, or of room where
/// another receiver is left.
#[test]
fn a_question_for_room_against_the_end_of_the_peer() {
    for others in [false, true] {
        model(None, 36, move || {
            let (browser, Connected { mut background, opener, mut page, port: first, .. }) =
                with_small_lanes();
            let mut quick = browser.event_loop();
            if others {
                browser.frame_at(INNER_PLACE, FrameId::TOP);
                browser.content_script(&mut quick, INNER_PLACE);
            }
            let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
            background.disconnect(first);
            drain(&mut page);
            drain(&mut quick);
            assert_eq!(drain(&mut background), []);
            while background.post_message(port, &[1]).is_ok() {
                drain(&mut quick);
            }
            let (service, id) = (browser.service.clone(), page.id());
            let killer = thread::spawn(move || service.event_loop_gone(id).unwrap());
            let again = background.post_message(port, &[2]).map_err(PostErrorKind::from);
            assert_eq!(again, Err(PostErrorKind::Busy));
            let mut saw = drain(&mut background);
            killer.join().unwrap();
            saw.extend(drain(&mut background));
            if others {
                assert_eq!(saw, [Seen::Room]);
                background.post_message(port, &[3]).unwrap();
            } else {
                assert_eq!(saw, [Seen::Disconnect(DisconnectReason::EventLoopGone)]);
            }
        });
    }
}

/// Of two receivers on one loop the slower sets the pace. When it goes, what the other
/// took by then is told.
#[test]
fn the_slowest_of_one_loop_goes_and_there_is_room() {
    model(Some(3), 88, || {
        let mut limits = Limits::default();
        limits.window_messages = Some(1);
        let mut policies = Policies::default();
        policies.back_forward_cache = BackForwardCache::queues_messages(9, 9_000);
        let browser = browser_with(limits, policies);
        let (mut background, opener) = browser.background_loop();
        let (mut page, _) = browser.content_script_loop(PLACE);
        browser.frame_at(INNER_PLACE, FrameId::TOP);
        let slow = browser.content_script(&mut page, INNER_PLACE);
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        take_connect(&mut page);
        take_connect(&mut page);
        assert_eq!(drain(&mut background), []);
        browser.service.document_cached(INNER_PLACE.document).unwrap();
        assert_eq!(drain(&mut page), []);
        background.post_message(port, &[1]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(1)]);
        assert_eq!(
            background.post_message(port, &[2]).map_err(PostErrorKind::from),
            Err(PostErrorKind::WindowFull)
        );
        let leaving = thread::spawn(move || {
            page.detach(slow).unwrap();
            page
        });
        let mut saw = drain(&mut background);
        let mut page = leaving.join().unwrap();
        saw.extend(drain(&mut background));
        assert_eq!(saw, [Seen::Room]);
        background.post_message(port, &[3]).unwrap();
        assert_eq!(drain(&mut page), [Seen::Message(3)]);
    });
}
