//! What the browser reports of tabs, frames and extensions: who ends, with which
//! reason, and that a refused fact changes nothing.

mod common;

use common::*;
use port_core::DisconnectReason::{
    ExtensionUnloaded, FrameRemoved, Navigated, NoReceiver, TabClosed, TabCrashed, TabDiscarded,
};
use port_core::{
    AttachError, DisconnectReason, Event, ExtensionId, FactError, FrameId, Place, Policies, TabId, TabTarget,
    WindowId,
};

/// A tab with a frame, a frame in that, and one beside: each with a content script
/// that the background is connected to by a port of its own.
type Page = Frames<4>;

impl Page {
    /// Top, child, grandchild, sibling of the child.
    fn new() -> Self {
        let browser = Browser::new();
        let top = browser.tab();
        let child = browser.frame_in(top);
        let frames = [top, child, browser.frame_in(child), browser.frame_in(top)];
        Self::connected(browser, frames)
    }

    /// Exactly these ended, for this reason, on both sides; the others work.
    #[track_caller]
    fn assert_ended(&mut self, ended: &[usize], reason: DisconnectReason) {
        let events = drain(&mut self.here);
        assert_eq!(events.len(), ended.len());
        for at in 0..4 {
            let expected = if ended.contains(&at) { vec![disconnect(reason)] } else { vec![] };
            assert_eq!(heard_on(&events, self.ports[at]), expected, "frame {at}");
        }
        let mut gone = gone(&drain(&mut self.there));
        gone.sort();
        let expected: Vec<_> = ended.iter().map(|at| (self.scripts[*at], reason)).collect();
        assert_eq!(gone, expected);
        for at in (0..4).filter(|at| !ended.contains(at)) {
            self.here.post_message(self.ports[at], "alive").unwrap();
            assert_eq!(hear(&mut self.there), [message("alive")]);
        }
    }
}

#[test]
fn everything_in_a_tab_ends_with_it() {
    type Fact = fn(&Page) -> Result<(), FactError>;
    let facts: [(DisconnectReason, Fact); 3] = [
        (TabClosed, |page| page.browser.service.tab_closed(page.frames[0].tab)),
        (TabDiscarded, |page| {
            let tab = page.frames[0].tab;
            page.browser.service.tab_discarded(tab, tab).map(|now| assert_eq!(now, tab))
        }),
        (TabCrashed, |page| page.browser.service.tab_crashed(page.frames[0].tab)),
    ];
    for (reason, fact) in facts {
        let mut page = Page::new();
        fact(&page).unwrap();
        page.assert_ended(&[0, 1, 2, 3], reason);
        // Nobody is there any more, whatever is left of the tab.
        let tab = page.frames[0].tab;
        page.here.connect_tab(page.background, &TabTarget::new(tab)).unwrap();
        assert_eq!(hear(&mut page.here), [disconnect(NoReceiver)]);
        let script = describe_content_script(page.browser.extension, page.frames[0]);
        assert_eq!(page.there.attach(script), Err(AttachError::UnknownDocument));
        // A discarded or crashed tab shows a document again under the same id; a closed
        // one is opened anew.
        let document = page.browser.fresh_document();
        if reason == TabClosed {
            assert_eq!(page.browser.service.tab_crashed(tab), Err(FactError::UnknownTab));
            page.browser.service.tab_opened(tab, WINDOW).unwrap();
        } else {
            assert_eq!(page.browser.service.tab_opened(tab, WINDOW), Err(FactError::TabExists));
        }
        page.browser.service.frame_attached(tab, FrameId::TOP, None, document).unwrap();
        page.browser.content_script(&mut page.there, place(tab, FrameId::TOP, document));
        page.here.connect_tab(page.background, &TabTarget::new(tab)).unwrap();
        assert_eq!(hear(&mut page.there), [connect("")]);
    }
}

#[test]
fn a_frame_takes_those_below_it_along() {
    for (which, ended) in [(3, vec![3]), (2, vec![2]), (1, vec![1, 2]), (0, vec![0, 1, 2, 3])] {
        let mut page = Page::new();
        let Place { tab, frame, .. } = page.frames[which];
        page.browser.service.frame_removed(tab, frame).unwrap();
        page.assert_ended(&ended, FrameRemoved);
        let mut page = Page::new();
        let shown = page.browser.navigate(page.frames[which]);
        page.assert_ended(&ended, Navigated);
        // The frame itself is still there and shows the next document.
        let next = page.browser.content_script(&mut page.there, shown);
        let target = TabTarget::new(shown.tab).frame(shown.frame);
        page.here.connect_tab(page.background, &target).unwrap();
        let events = drain(&mut page.there);
        assert_eq!((events.len(), heard_by(&events, next)), (1, vec![connect("")]));
    }
}

#[test]
fn frames_that_come_later_do_not_join() {
    // a17, c04
    let mut page = Page::new();
    let tab = page.frames[0].tab;
    let port = page.here.connect_tab(page.background, &TabTarget::new(tab)).unwrap();
    let late = page.browser.frame_in(page.frames[0]);
    let newcomer = page.browser.content_script(&mut page.there, late);
    page.here.post_message(port, "x").unwrap();
    let events = drain(&mut page.there);
    assert_eq!((events.len(), heard_by(&events, newcomer)), (8, vec![]));
}

#[test]
fn a_fan_out_visits_frames_in_the_order_in_which_they_were_attached() {
    let mut page = Page::new();
    let tab = page.frames[0].tab;
    page.here.connect_tab(page.background, &TabTarget::new(tab)).unwrap();
    let order: Vec<_> = drain(&mut page.there).iter().map(Event::context).collect();
    assert_eq!(order, page.scripts);
}

#[test]
fn a_port_lives_on_when_its_tab_is_moved() {
    let mut page = Page::new();
    let tab = page.frames[0].tab;
    page.browser.service.tab_moved(tab, WindowId::new(2)).unwrap();
    page.assert_ended(&[], TabClosed);
    let snapshot = page.browser.service.snapshot();
    assert_eq!(snapshot.tabs[0].window, WindowId::new(2));
}

#[test]
fn an_unload_ends_the_extension_everywhere_and_nobody_else() {
    let browser = Browser::new();
    let other = browser.service.extension_loaded(ExtensionId::new("other@example")).unwrap();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let place = browser.tab();
    let ours = [browser.background(&mut here), browser.content_script(&mut there, place)];
    let theirs = [background_of(other, &mut here), content_script_of(other, &mut there, place)];
    let port = connect_runtime(&mut there, theirs[1], "").unwrap();
    connect_runtime(&mut there, ours[1], "").unwrap();
    assert_eq!(connected(&mut here).len(), 2);
    browser.service.extension_unloaded(browser.extension).unwrap();
    assert_eq!(gone(&drain(&mut here)), [(ours[0], ExtensionUnloaded)]);
    assert_eq!(gone(&drain(&mut there)), [(ours[1], ExtensionUnloaded)]);
    there.post_message(port, "untouched").unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_by(&events, theirs[0]), [message("untouched")]);
    let late = describe_background(browser.extension);
    assert_eq!(here.attach(late), Err(AttachError::UnknownExtension));
}

#[test]
fn a_page_of_the_extension_ends_with_its_tab() {
    let browser = Browser::new();
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let (shown, place) = (browser.tab(), browser.tab());
    let page = describe_page_in_tab_at(browser.extension, shown, "ext://p", "ext://");
    let page = listen(&mut there, page);
    let script = browser.content_script(&mut here, place);
    let port = connect_runtime(&mut here, script, "").unwrap();
    assert_eq!(connected(&mut there).len(), 1);
    browser.service.tab_closed(shown.tab).unwrap();
    let events = drain(&mut here);
    assert_eq!(heard_on(&events, port), [disconnect(TabClosed)]);
    assert_eq!(gone(&drain(&mut there)), [(page, TabClosed)]);
    connect_runtime(&mut here, script, "").unwrap();
    assert_eq!(hear(&mut here), [disconnect(NoReceiver)]);
}

#[test]
fn a_late_fact_about_a_closed_tab_does_not_touch_its_successor() {
    // The same tab id again, with a frame of the same id.
    let browser = Browser::new();
    let Apart { mut here, mut there, place, opener: background, script: first } = browser.apart();
    let (old, _) = browser.open_port(&mut here, background, &mut there, place.tab);
    browser.service.tab_closed(place.tab).unwrap();
    let again = browser.tab_with_id(place.tab);
    let second = browser.content_script(&mut there, again);
    let port = here.connect_tab(background, &TabTarget::new(place.tab)).unwrap();
    // The old document's facts are refused, and the notices of its end hit it alone.
    let service = &browser.service;
    assert_eq!(service.document_cached(place.document), Err(FactError::UnknownDocument));
    assert_eq!(service.document_evicted(place.document), Err(FactError::UnknownDocument));
    let events = drain(&mut there);
    assert_eq!(heard_by(&events, first), [Heard::ContextGone(TabClosed)]);
    assert_eq!(heard_by(&events, second), [connect("")]);
    assert!(there.detach(first).is_err());
    let events = drain(&mut here);
    assert_eq!((heard_on(&events, old), heard_on(&events, port)), (vec![disconnect(TabClosed)], vec![]));
    here.post_message(port, "x").unwrap();
    assert_eq!(hear(&mut there), [message("x")]);
}

#[test]
fn a_refused_fact_changes_nothing() {
    let mut page = Page::new();
    let service = page.browser.service.clone();
    let [top, child, ..] = page.frames;
    let (nowhere, no_frame) = (TabId::new(70_000), FrameId::new(70_000));
    let fresh = page.browser.fresh_document();
    let dropped = page.browser.event_loop().id();
    let before = service.snapshot();
    let refused = [
        (service.tab_opened(top.tab, WindowId::new(9)), FactError::TabExists),
        (service.tab_moved(nowhere, WINDOW), FactError::UnknownTab),
        (service.tab_closed(nowhere), FactError::UnknownTab),
        (service.tab_discarded(nowhere, top.tab).map(drop), FactError::UnknownTab),
        (service.tab_crashed(nowhere), FactError::UnknownTab),
        (service.frame_attached(nowhere, no_frame, None, fresh), FactError::UnknownTab),
        (service.frame_attached(top.tab, no_frame, Some(no_frame), fresh), FactError::UnknownFrame),
        (service.frame_attached(top.tab, child.frame, Some(top.frame), fresh), FactError::FrameExists),
        (service.frame_attached(top.tab, no_frame, None, top.document), FactError::DocumentExists),
        (service.frame_navigated(nowhere, top.frame, fresh), FactError::UnknownTab),
        (service.frame_navigated(top.tab, no_frame, fresh), FactError::UnknownFrame),
        (service.frame_navigated(top.tab, top.frame, child.document), FactError::DocumentExists),
        (service.frame_navigated(top.tab, top.frame, top.document), FactError::DocumentExists),
        (service.frame_removed(nowhere, top.frame), FactError::UnknownTab),
        (service.frame_removed(top.tab, no_frame), FactError::UnknownFrame),
        (service.document_cached(fresh), FactError::UnknownDocument),
        (service.document_restored(top.document), FactError::UnknownDocument),
        (service.document_evicted(top.document), FactError::UnknownDocument),
        (service.event_loop_gone(dropped), FactError::UnknownEventLoop),
    ];
    for (at, (result, error)) in refused.into_iter().enumerate() {
        assert_eq!(result, Err(error), "fact {at}");
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(service.snapshot(), before);
    page.assert_ended(&[], TabClosed);
    // The document that was refused so often is as good as new.
    service.frame_attached(top.tab, no_frame, Some(top.frame), fresh).unwrap();
}

#[test]
fn facts_come_from_any_thread_while_loops_run() {
    let browser = Browser::new();
    let mut here = browser.event_loop();
    browser.background(&mut here);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut there = browser.event_loop();
                for _ in 0..200 {
                    let place = browser.tab();
                    let script = browser.content_script(&mut there, place);
                    connect_runtime(&mut there, script, "").unwrap();
                    browser.service.tab_closed(place.tab).unwrap();
                    // Whatever else there is to hear, the end is the last word.
                    assert_eq!(hear(&mut there), [Heard::ContextGone(TabClosed)]);
                }
            });
        }
        let mut open = std::collections::HashSet::new();
        let mut rounds = 0;
        while rounds < 2_000 {
            rounds += 1;
            match here.next_event_unarmed() {
                Some(Event::Connect { port, .. }) => assert!(open.insert(port)),
                Some(Event::Disconnect { port, .. }) => assert!(open.remove(&port)),
                Some(other) => panic!("{other:?}"),
                None => std::thread::yield_now(),
            }
        }
    });
    assert_eq!(browser.service.snapshot().tabs, []);
    drain(&mut here);
    assert_eq!(here.snapshot().ports, []);
}

#[test]
fn a_discarded_tab_takes_another_id_where_the_policy_says_so() {
    let browser = Browser::with_policies(Policies::CHROMIUM);
    let service = &browser.service;
    let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
    let opener = browser.background(&mut here);
    let (place, bystander) = (browser.tab(), browser.tab());
    let script = browser.content_script(&mut there, place);
    let port = here.connect_tab(opener, &TabTarget::new(place.tab)).unwrap();
    settle([&mut here, &mut there]);

    let next = TabId::new(80_000);
    assert_eq!(service.tab_discarded(place.tab, bystander.tab), Err(FactError::TabExists));
    assert_eq!(service.tab_discarded(place.tab, place.tab), Err(FactError::TabExists));
    assert_eq!(service.tab_discarded(next, next), Err(FactError::UnknownTab));
    here.post_message(port, "nothing changed").unwrap();
    assert_eq!(heard_by(&settle([&mut here, &mut there]).concat(), script), [message("nothing changed")]);

    assert_eq!(service.tab_discarded(place.tab, next), Ok(next));
    let events = settle([&mut here, &mut there]).concat();
    assert_eq!(heard_on(&events, port), [disconnect(TabDiscarded)]);
    assert_eq!(heard_by(&events, script), [Heard::ContextGone(TabDiscarded)]);
    for tab in [place.tab, next] {
        let port = here.connect_tab(opener, &TabTarget::new(tab)).unwrap();
        assert_eq!(heard_on(&settle([&mut here, &mut there]).concat(), port), [disconnect(NoReceiver)]);
    }
    let tabs: Vec<_> =
        service.snapshot().tabs.iter().map(|tab| (tab.tab, tab.window, tab.frames.len())).collect();
    assert!(tabs.contains(&(next, WINDOW, 0)), "{tabs:?}");
    assert!(tabs.iter().all(|&(tab, ..)| tab != place.tab));

    // It is loaded again under its new id, and the old id is free.
    service.frame_attached(next, FrameId::TOP, None, browser.fresh_document()).unwrap();
    service.tab_opened(place.tab, WINDOW).unwrap();
}
