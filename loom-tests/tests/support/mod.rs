//! What the models share: running one, and a small browser to run it in.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each file of models uses a part")]

// The small browser of the core's own tests. It says `port_core`, so each file of models makes that a name
// of the core as it is compiled here.
#[path = "../../../core/tests/browser/mod.rs"]
mod browser;
pub(crate) mod sides;

pub(crate) use browser::{
    Apart, Browser, background_of, connect_runtime, content_script_of, counting_waker, describe_background,
    describe_content_script, limits, listen_for, policies, take_connect, with_document,
};

use browser::place;
use bytes::Bytes;
use loom::sync::Arc;
use port_core_model::model::{mutated, tell_explored};
use port_core_model::{
    ContextId, DisconnectReason, DocumentId, Event, EventLoop, FrameId, Limits, Place, Policies, PortId,
    TabId, TabTarget,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Explores `body` in every interleaving, or those with at most `preemptions`
/// preemptions, and demands that at least so many executions were explored: a model
/// that went blind shows as a handful. `LOOM_MAX_PREEMPTIONS` in the environment explores
/// bounded models deeper and leaves the others alone.
pub(crate) fn model(preemptions: Option<usize>, at_least: usize, body: impl Fn() + Send + Sync + 'static) {
    explore(preemptions, at_least, Box::new(body));
}

/// Compiled once, and not for each model with all of loom that it runs.
fn explore(preemptions: Option<usize>, at_least: usize, body: Box<dyn Fn() + Send + Sync>) {
    let explored = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    let deeper = builder.preemption_bound.unwrap_or(0);
    builder.preemption_bound = preemptions.map(|bound| bound.max(deeper));
    builder.max_branches = 100_000;
    let began = Instant::now();
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let explored = explored.load(Ordering::Relaxed);
    println!("explored {explored} executions");
    // A mutant must be found by what it breaks.
    assert!(
        mutated() || explored >= at_least,
        "explored {explored} executions, expected {at_least} at least"
    );
    tell_explored(began.elapsed());
}

/// A payload that loom's leak check watches, longer than what travels inline.
pub(crate) fn watched_payload(mark: u8) -> Bytes {
    counted_payload(mark).0
}

/// Such a payload, and a count of who holds it besides this count.
pub(crate) fn counted_payload(mark: u8) -> (Bytes, Arc<()>) {
    struct Owner(Vec<u8>, #[allow(dead_code, reason = "dropped")] Arc<()>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let count = Arc::new(());
    (Bytes::from_owner(Owner(vec![mark; 200], Arc::clone(&count))), count)
}

pub(crate) const TAB: TabId = TabId::new(7);

/// The top frame of the tab that every browser has.
pub(crate) const PLACE: Place = place(TAB, FrameId::TOP, DocumentId::new(1));

/// The top frame of another tab, for those who open it.
pub(crate) const OTHER_PLACE: Place = place(TabId::new(8), FrameId::TOP, DocumentId::new(2));

/// A frame below the first tab's top frame, for those who attach it.
pub(crate) const INNER_PLACE: Place = place(TAB, FrameId::new(1), DocumentId::new(3));

/// A browser with one tab.
pub(crate) fn browser() -> Browser {
    browser_with(Limits::default(), Policies::default())
}

/// A browser with one tab whose ports have a window of so many messages.
pub(crate) fn browser_with_window(messages: u32) -> Browser {
    browser_with(limits(|limits| limits.window_messages = Some(messages)), Policies::default())
}

pub(crate) fn browser_with(limits: Limits, policies: Policies) -> Browser {
    let browser = Browser::with(limits, policies);
    browser.tab_at(PLACE);
    browser
}

/// Connects a background to the tab's content script, which has just taken the
/// connection; neither is asleep, and the opener has not heard that it was taken.
pub(crate) fn connected(browser: &Browser) -> Connected {
    let Apart { here: mut background, opener, there: mut page, script: receiver, .. } =
        browser.apart_in(PLACE);
    let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
    let received = take_connect(&mut page);
    Connected { background, opener, port, page, receiver, received }
}

/// Two event loops and a port between them.
pub(crate) struct Connected {
    pub(crate) background: EventLoop,
    pub(crate) opener: ContextId,
    /// The opener's end of the port.
    pub(crate) port: PortId,
    pub(crate) page: EventLoop,
    pub(crate) receiver: ContextId,
    /// The receiver's end of the port.
    pub(crate) received: PortId,
}

/// What happened to a side of a port, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Connect,
    Message(u8),
    Disconnect(DisconnectReason),
    Room,
    Gone(DisconnectReason),
}

pub(crate) fn seen(event: &Event) -> Seen {
    match event {
        Event::Connect { .. } => Seen::Connect,
        Event::Message { payload, .. } => Seen::Message(payload[0]),
        Event::Disconnect { reason, .. } => Seen::Disconnect(*reason),
        Event::Room { .. } => Seen::Room,
        Event::ContextGone { reason, .. } => Seen::Gone(*reason),
        other => panic!("unexpected {other:?}"),
    }
}

/// Takes what an event loop has now.
pub(crate) fn drain(event_loop: &mut EventLoop) -> Vec<Seen> {
    std::iter::from_fn(|| event_loop.next_event()).map(|event| seen(&event)).collect()
}

/// How many ends there are among what was seen.
pub(crate) fn ends(saw: &[Seen]) -> usize {
    saw.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count()
}

/// Has two event loops answer each other until both are quiet; what each saw.
pub(crate) fn settle(one: &mut EventLoop, other: &mut EventLoop) -> (Vec<Seen>, Vec<Seen>) {
    let [one, other] = browser::settle([one, other]).map(|events| events.iter().map(seen).collect());
    (one, other)
}

/// Asserts that a receiver saw a connection, a prefix of the messages 1, 2, …, and an end at most.
pub(crate) fn assert_prefix(saw: &[Seen], sent: u8) {
    let mut rest = saw.iter();
    match rest.next() {
        None => return,
        first => assert_eq!(first, Some(&Seen::Connect), "{saw:?}"),
    }
    let mut next = 1;
    for event in rest.by_ref() {
        if *event != Seen::Message(next) {
            assert!(matches!(event, Seen::Disconnect(_) | Seen::Gone(_)), "{saw:?}");
            break;
        }
        next += 1;
    }
    assert!(next <= sent + 1, "{saw:?}");
    assert_eq!(rest.next(), None, "{saw:?}");
}
