//! What frames that come and go, and tabs of many frames, make a loop that hangs hold: what it is told of contexts that have
//! ended meanwhile, and the lists of those that a connection is for. Bounded by what was announced and what was attached.
//! And what extensions that come and go make loops hold, which have lanes for each.

mod common;
#[path = "common/heap.rs"]
mod heap;

use common::*;
use heap::{KIB, held, most_held};
use port_core::{
    ConnectError, ContextId, Event, EventLoop, ExtensionDescription, ExternalConnections, RuntimeTarget,
    TabTarget,
};

/// A frame comes, its content script connects to the background, and both go. Returns whether it could connect.
fn comes_and_goes(event_loop: &mut EventLoop, script: ContextId) -> bool {
    let connected = connect_runtime(event_loop, script, "");
    event_loop.detach(script).unwrap();
    assert!(matches!(connected, Ok(_) | Err(ConnectError::Busy)), "{connected:?}");
    connected.is_ok()
}

fn lying(event_loop: &EventLoop) -> u64 {
    event_loop.snapshot().lanes.iter().map(|lane| lane.outbound_records).sum()
}

#[test]
fn frames_that_come_and_go_beside_a_hung_background_end_at_the_budget() {
    const BUDGET: u64 = 4_000;
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = BUDGET));
    let (mut here, mut hung, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    browser.background(&mut hung);
    let attach = |here: &mut EventLoop| browser.content_script(here, place);
    let mut told = 0;
    loop {
        let script = attach(&mut here);
        if !comes_and_goes(&mut here, script) {
            break;
        }
        told += 1;
    }
    // An announcement, a connection and an end of it each, and between two of them a farewell.
    assert!((BUDGET / 4..=BUDGET / 2).contains(&told), "{told} contexts");
    assert_eq!(lying(&here), told * 4 - 1, "a farewell waits for the next announcement");
    // From here on nothing is held for those that come and go: nobody was told of them.
    let before = held();
    for _ in 0..1_000 {
        let script = attach(&mut here);
        assert!(!comes_and_goes(&mut here, script));
    }
    assert_eq!(lying(&here), told * 4 - 1);
    assert!(held() - before < 4 * KIB, "{} bytes", held() - before);
    // It goes on after all, and hears each of them come and go.
    let mut comings = [0_u64; 2];
    for event in std::iter::from_fn(|| hung.next_event()) {
        match event {
            Event::Connect { .. } => comings[0] += 1,
            Event::Disconnect { .. } => comings[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(comings, [told; 2]);
    let script = attach(&mut here);
    assert!(comes_and_goes(&mut here, script));
    assert_eq!(drain(&mut hung).len(), 2);
}

#[test]
fn a_background_forgets_the_frames_that_have_gone() {
    let browser = Browser::new();
    let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    browser.background(&mut there);
    // So many at once, then none of them.
    let mut crowd = || {
        let scripts: Vec<_> = (0..500).map(|_| browser.content_script(&mut here, place)).collect();
        for &script in &scripts {
            connect_runtime(&mut here, script, "").unwrap();
        }
        assert_eq!(connected(&mut there).len(), 500);
        assert_eq!(hear(&mut here), []);
        for script in scripts {
            here.detach(script).unwrap();
        }
        assert_eq!(drain(&mut there).len(), 500);
        held()
    };
    crowd();
    let once = crowd();
    for round in 0..10 {
        let again = crowd();
        assert!(again - once < 4 * KIB, "{} bytes more after {round} rounds", again - once);
    }
    // And those of the last crowd, once the next one is told of.
    let last = browser.content_script(&mut here, place);
    connect_runtime(&mut here, last, "").unwrap();
    assert_eq!(connected(&mut there).len(), 1);
    assert!(held() - once < -100 * 500, "{} bytes", held() - once);
}

#[test]
fn the_farewells_of_frames_that_have_gone_use_no_share() {
    const BUDGET: u64 = 800;
    let browser = Browser::with_limits(limits(|limits| limits.lane_records = BUDGET));
    let other = ExtensionDescription::new("other@example").external(ExternalConnections::Everyone);
    let other = browser.service.extension_loaded(other).unwrap();
    let (mut here, mut hung, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    let background = browser.background(&mut hung);
    // More frames than a share of records, all known to the background, go at once.
    let scripts: Vec<_> = (0..2 * BUDGET / 8).map(|_| browser.content_script(&mut here, place)).collect();
    for &script in &scripts {
        connect_runtime(&mut here, script, "").unwrap();
        assert_eq!(connected(&mut hung).len(), 1);
    }
    // The background connects to another extension, whose answers go by the lane of the frames.
    listen_for(&mut here, describe_background(other), listening_for_everything());
    hung.connect_runtime(background, &RuntimeTarget::extension("other@example")).unwrap();
    let [answering] = connected(&mut here)[..] else { panic!("one connection") };
    assert_eq!(hear(&mut hung), []);
    for script in scripts {
        here.detach(script).unwrap();
    }
    // It hangs, and the other extension floods it.
    let flooded = (0..2 * BUDGET).take_while(|_| here.post_message(answering, "flood").is_ok()).count();
    assert!(flooded < usize::try_from(BUDGET).unwrap());
    let script = browser.content_script(&mut here, place);
    let connects = (0..BUDGET).take_while(|_| connect_runtime(&mut here, script, "").is_ok()).count();
    assert_eq!(connects, 99, "an eighth, of which the announcement is one");
}

#[test]
fn an_extension_that_is_loaded_again_and_again_holds_a_bounded_heap() {
    // Beside others that stay, so that the next load has a number to find.
    let browser = Browser::new();
    let (mut here, mut there, place) = (browser.event_loop(), browser.event_loop(), browser.tab());
    for id in ["one@example", "two@example"] {
        browser.load(id);
    }
    let mut reload = |number: u32| {
        // Any extension may have the number that another gave back.
        let extension = browser.load(["again@example", "instead@example"][number as usize % 2]);
        let background = background_of(extension, &mut here);
        content_script_of(extension, &mut there, place);
        content_script_of(extension, &mut here, place);
        let port = here.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
        here.post_message(port, "to both loops").unwrap();
        let [ours, theirs] = settle([&mut here, &mut there]);
        assert_eq!((ours.len(), theirs.len()), (2, 2));
        browser.service.extension_unloaded(extension).unwrap();
        settle([&mut here, &mut there]);
    };
    (0..100).for_each(&mut reload);
    let most = most_held(1_000, reload);
    assert!(most < 16 * KIB, "{most} bytes");
}

#[test]
fn a_connection_is_for_those_that_are_attached_and_lists_no_more() {
    let browser = Browser::new();
    let (mut here, opener) = browser.background_loop();
    let (mut hung, top) = (browser.event_loop(), browser.tab());
    let target = TabTarget::new(top.tab);
    let mut bytes = |listed: u64| {
        let before = here.snapshot().lanes.first().map_or(0, |lane| lane.outbound_bytes);
        here.connect_tab(opener, &target).unwrap();
        let lane = &here.snapshot().lanes[0];
        (listed, lane.outbound_bytes - before)
    };
    let scripts: Vec<_> =
        (0..1_000).map(|_| browser.content_script(&mut hung, browser.frame_in(top))).collect();
    // The first brings along who connects.
    bytes(1_000);
    assert_eq!(bytes(1_000), (1_000, 8_000), "a key each");
    // Those that have gone are in no list, and one that is alone needs none.
    for &script in &scripts[1..501] {
        hung.detach(script).unwrap();
    }
    assert_eq!(bytes(500), (500, 4_000));
    for &script in &scripts[501..] {
        hung.detach(script).unwrap();
    }
    assert_eq!(bytes(1), (1, 0));
    // What was sent to those that have gone in the meantime is heard by nobody else.
    let heard = connected(&mut hung).len();
    assert_eq!(heard, 4, "the one that stayed, by each connection");
}
