//! What the models share: running one, and a small browser to run it in.

#![allow(dead_code, reason = "each file of models uses a part")]

pub(crate) mod sides;

use bytes::Bytes;
use loom::sync::Arc;
use port_core_model::model::mutated;
use port_core_model::{
    ContextDescription, ContextId, DisconnectReason, DocumentId, Event, EventLoop, ExtensionId,
    ExtensionInstance, FrameId, Limits, Listening, MessageService, Place, Policies, PortId, TabId, TabTarget,
    WindowId,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

/// Explores `body` in every interleaving, or those with at most `preemptions`
/// preemptions, and demands that at least so many executions were explored: a model
/// that went blind shows as a handful. `LOOM_MAX_PREEMPTIONS` in the environment explores
/// bounded models deeper and leaves the others alone.
pub(crate) fn model(preemptions: Option<usize>, at_least: usize, body: impl Fn() + Send + Sync + 'static) {
    let explored = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    let deeper = builder.preemption_bound.unwrap_or(0);
    builder.preemption_bound = preemptions.map(|bound| bound.max(deeper));
    builder.max_branches = 100_000;
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
pub(crate) const PLACE: Place = Place::new(TAB, FrameId::TOP, DocumentId::new(1));

/// The top frame of another tab, for those who open it.
pub(crate) const OTHER_PLACE: Place = Place::new(TabId::new(8), FrameId::TOP, DocumentId::new(2));

/// A frame below the first tab's top frame, for those who attach it.
pub(crate) const INNER_PLACE: Place = Place::new(TAB, FrameId::new(1), DocumentId::new(3));

/// A browser with one extension and one tab.
pub(crate) struct Browser {
    pub(crate) service: MessageService,
    pub(crate) extension: ExtensionInstance,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::with_policies(Policies::default())
    }

    pub(crate) fn with_policies(policies: Policies) -> Self {
        Self::with(Limits::default(), policies)
    }

    /// A browser whose ports have a window of so many messages.
    pub(crate) fn with_window(messages: u32) -> Self {
        let mut limits = Limits::default();
        limits.window_messages = Some(messages);
        Self::with(limits, Policies::default())
    }

    pub(crate) fn with(limits: Limits, policies: Policies) -> Self {
        let service = MessageService::builder().limits(limits).policies(policies).build();
        let extension = service.extension_loaded(ExtensionId::new("extension")).unwrap();
        let browser = Self { service, extension };
        browser.tab(PLACE);
        browser
    }

    /// Opens a tab with a document in its top frame.
    pub(crate) fn tab(&self, place: Place) {
        self.service.tab_opened(place.tab, WindowId::new(1)).unwrap();
        self.service.frame_attached(place.tab, place.frame, None, place.document).unwrap();
    }

    /// Puts a frame into a tab's top frame.
    pub(crate) fn frame(&self, place: Place) {
        self.service.frame_attached(place.tab, place.frame, Some(FrameId::TOP), place.document).unwrap();
    }

    pub(crate) fn event_loop(&self) -> EventLoop {
        self.service.event_loop(Waker::noop().clone())
    }

    /// A listening background on a loop of its own.
    pub(crate) fn background(&self) -> (EventLoop, ContextId) {
        let mut event_loop = self.event_loop();
        let context = event_loop.attach(ContextDescription::background(self.extension)).unwrap();
        event_loop.set_listening(context, Listening::PORTS).unwrap();
        (event_loop, context)
    }

    /// A listening content script in the tab, on a loop of its own.
    pub(crate) fn content_script(&self) -> (EventLoop, ContextId) {
        let mut event_loop = self.event_loop();
        let context = self.content_script_in(&mut event_loop, PLACE);
        (event_loop, context)
    }

    /// A listening content script in a document.
    pub(crate) fn content_script_in(&self, event_loop: &mut EventLoop, place: Place) -> ContextId {
        let description = ContextDescription::content_script(self.extension, place);
        let context = event_loop.attach(description).unwrap();
        event_loop.set_listening(context, Listening::PORTS).unwrap();
        context
    }

    pub(crate) fn content_script_description(&self) -> ContextDescription {
        ContextDescription::content_script(self.extension, PLACE)
    }

    /// A background with a port to the tab's content script, which has just taken the
    /// connection; neither is asleep, and the opener has not heard that it was taken.
    pub(crate) fn connected(&self) -> Connected {
        let (mut background, opener) = self.background();
        let (mut page, receiver) = self.content_script();
        let port = background.connect_tab(opener, &TabTarget::new(TAB)).unwrap();
        let received = take_connect(&mut page);
        Connected { background, opener, port, page, receiver, received }
    }
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

/// Takes a connection, which must be what comes next.
pub(crate) fn take_connect(event_loop: &mut EventLoop) -> PortId {
    match event_loop.next_event() {
        Some(Event::Connect { port, .. }) => port,
        other => panic!("expected a connection, got {other:?}"),
    }
}

/// Has two event loops answer each other until both are quiet; what each saw.
pub(crate) fn settle(one: &mut EventLoop, other: &mut EventLoop) -> (Vec<Seen>, Vec<Seen>) {
    let (mut by_one, mut by_other) = (Vec::new(), Vec::new());
    loop {
        let (first, second) = (drain(one), drain(other));
        if first.is_empty() && second.is_empty() {
            // Records without an event may still be answered.
            let (first, second) = (drain(one), drain(other));
            if first.is_empty() && second.is_empty() {
                return (by_one, by_other);
            }
            by_one.extend(first);
            by_other.extend(second);
        }
        by_one.extend(first);
        by_other.extend(second);
    }
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

/// A waker that counts its wakes, and its counter.
pub(crate) fn counting_waker() -> (Waker, std::sync::Arc<Wakes>) {
    let wakes = std::sync::Arc::new(Wakes(AtomicUsize::new(0)));
    (Waker::from(std::sync::Arc::clone(&wakes)), wakes)
}

/// Counts wakes.
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
