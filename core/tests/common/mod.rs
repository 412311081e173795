//! A browser small enough to read, for the tests of the core.
#![allow(dead_code, unreachable_pub, reason = "every test file takes its part")]

use bytes::Bytes;
use port_core::{
    ContextDescription, ContextId, DisconnectReason, DocumentId, Event, EventLoop, ExtensionId,
    ExtensionInstance, FrameId, Limits, Listening, MessageService, Place, Policies, PortId, TabId, TabTarget,
    WindowId,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

/// A browser with one extension loaded. Gives out fresh tabs, frames and documents.
pub struct Browser {
    pub service: MessageService,
    pub extension: ExtensionInstance,
    next_id: AtomicU64,
}

pub const WINDOW: WindowId = WindowId::new(1);

/// A background on one event loop and a content script in a tab of another's, both listening.
pub struct Apart {
    pub here: EventLoop,
    pub opener: ContextId,
    pub there: EventLoop,
    pub script: ContextId,
    pub place: Place,
}

impl Browser {
    pub fn new() -> Self {
        Self::with(Limits::default(), Policies::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, Policies::default())
    }

    pub fn with_policies(policies: Policies) -> Self {
        Self::with(Limits::default(), policies)
    }

    pub fn with(limits: Limits, policies: Policies) -> Self {
        Self::of(MessageService::builder().limits(limits).policies(policies).build())
    }

    pub fn of(service: MessageService) -> Self {
        let extension = service.extension_loaded(ExtensionId::new("greeter@example")).unwrap();
        Self { service, extension, next_id: AtomicU64::new(1) }
    }

    pub fn fresh(&self) -> u64 {
        self.next_id.fetch_add(1, SeqCst)
    }

    pub fn fresh_document(&self) -> DocumentId {
        DocumentId::new(u128::from(self.fresh()))
    }

    /// An event loop for a thread that looks by itself.
    pub fn event_loop(&self) -> EventLoop {
        self.service.event_loop(Waker::noop().clone())
    }

    /// An event loop whose wakes are counted.
    pub fn counted_event_loop(&self) -> (EventLoop, Arc<Wakes>) {
        let wakes = Arc::new(Wakes::default());
        (self.service.event_loop(Waker::from(Arc::clone(&wakes))), wakes)
    }

    /// Opens a tab; gives its top frame.
    pub fn tab(&self) -> Place {
        self.tab_with_id(TabId::new(self.fresh()))
    }

    pub fn tab_with_id(&self, tab: TabId) -> Place {
        let document = self.fresh_document();
        self.service.tab_opened(tab, WINDOW).unwrap();
        self.service.frame_attached(tab, FrameId::TOP, None, document).unwrap();
        Place::new(tab, FrameId::TOP, document)
    }

    /// Puts a frame into another.
    pub fn frame_in(&self, parent: Place) -> Place {
        let (frame, document) = (FrameId::new(self.fresh()), self.fresh_document());
        self.service.frame_attached(parent.tab, frame, Some(parent.frame), document).unwrap();
        Place::new(parent.tab, frame, document)
    }

    /// Sends a frame to another document.
    pub fn navigate(&self, place: Place) -> Place {
        let document = self.fresh_document();
        self.service.frame_navigated(place.tab, place.frame, document).unwrap();
        Place::new(place.tab, place.frame, document)
    }

    /// The extension's background, listening.
    pub fn background(&self, event_loop: &mut EventLoop) -> ContextId {
        background_of(self.extension, event_loop)
    }

    /// The extension's content script in a document, listening.
    pub fn content_script(&self, event_loop: &mut EventLoop, place: Place) -> ContextId {
        content_script_of(self.extension, event_loop, place)
    }

    /// The extension in two places that lie apart.
    pub fn apart(&self) -> Apart {
        let (mut here, mut there) = (self.event_loop(), self.event_loop());
        let place = self.tab();
        let opener = self.background(&mut here);
        let script = self.content_script(&mut there, place);
        Apart { here, opener, there, script, place }
    }

    /// Connects `opener` to the one receiver that there is in `tab`, which lives on
    /// `there`; gives both ends, with nothing left to hear.
    pub fn open_port(
        &self,
        here: &mut EventLoop,
        opener: ContextId,
        there: &mut EventLoop,
        tab: TabId,
    ) -> (PortId, PortId) {
        let port = here.connect_tab(opener, &TabTarget::new(tab)).unwrap();
        let receivers = connected(there);
        assert_eq!(receivers.len(), 1, "one receiver in {tab:?}");
        assert_eq!(hear(here), []);
        (port, receivers[0])
    }
}

pub fn background_of(extension: ExtensionInstance, event_loop: &mut EventLoop) -> ContextId {
    let description =
        ContextDescription::background(extension).url("ext://greeter/bg.js").origin("ext://greeter");
    let context = event_loop.attach(description).unwrap();
    event_loop.set_listening(context, Listening::PORTS).unwrap();
    context
}

pub fn content_script_of(
    extension: ExtensionInstance,
    event_loop: &mut EventLoop,
    place: Place,
) -> ContextId {
    let context = event_loop.attach(in_document(extension, place)).unwrap();
    event_loop.set_listening(context, Listening::PORTS).unwrap();
    context
}

/// How the browser describes a content script.
pub fn in_document(extension: ExtensionInstance, place: Place) -> ContextDescription {
    ContextDescription::content_script(extension, place)
        .url("https://example.org/a")
        .origin("https://example.org")
}

/// The same service limits, changed.
pub fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// The default policies, changed.
pub fn policies(change: impl FnOnce(&mut Policies)) -> Policies {
    let mut policies = Policies::default();
    change(&mut policies);
    policies
}

/// An event without ids, short to write down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Heard {
    Connect(String),
    Message(String),
    Disconnect(DisconnectReason),
    Room,
    ContextGone(DisconnectReason),
}

pub fn connect(name: &str) -> Heard {
    Heard::Connect(name.into())
}

pub fn message(text: impl Into<String>) -> Heard {
    Heard::Message(text.into())
}

pub fn disconnect(reason: DisconnectReason) -> Heard {
    Heard::Disconnect(reason)
}

impl From<&Event> for Heard {
    fn from(event: &Event) -> Self {
        match event {
            Event::Connect { name, .. } => Self::Connect(name.to_string()),
            Event::Message { payload, .. } => Self::Message(String::from_utf8_lossy(payload).into_owned()),
            Event::Disconnect { reason, .. } => Self::Disconnect(*reason),
            Event::Room { .. } => Self::Room,
            Event::ContextGone { reason, .. } => Self::ContextGone(*reason),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

/// Everything an event loop hands out until it says "nothing".
pub fn drain(event_loop: &mut EventLoop) -> Vec<Event> {
    std::iter::from_fn(|| event_loop.next_event()).collect()
}

/// As [`drain`], without ids.
pub fn hear(event_loop: &mut EventLoop) -> Vec<Heard> {
    drain(event_loop).iter().map(Heard::from).collect()
}

/// As [`hear`], what one context hears.
pub fn heard_by(events: &[Event], context: ContextId) -> Vec<Heard> {
    events.iter().filter(|event| event.context() == context).map(Heard::from).collect()
}

/// As [`hear`], what is heard on one port.
pub fn heard_on(events: &[Event], port: PortId) -> Vec<Heard> {
    events.iter().filter(|event| event.port() == Some(port)).map(Heard::from).collect()
}

/// The contexts that ended and why, which must be all that happened.
#[track_caller]
pub fn gone(events: &[Event]) -> Vec<(ContextId, DisconnectReason)> {
    events
        .iter()
        .map(|event| match event {
            Event::ContextGone { context, reason, .. } => (*context, *reason),
            other => panic!("expected a context's end, got {other:?}"),
        })
        .collect()
}

/// The ports that an event loop accepts until it says "nothing", which must be all that happens.
pub fn connected(event_loop: &mut EventLoop) -> Vec<PortId> {
    drain(event_loop)
        .into_iter()
        .map(|event| match event {
            Event::Connect { port, .. } => port,
            other => panic!("expected a connect, got {other:?}"),
        })
        .collect()
}

/// Lets event loops take turns until none has anything; gives what each handed out.
pub fn settle<const N: usize>(mut event_loops: [&mut EventLoop; N]) -> [Vec<Event>; N] {
    let mut all = [const { Vec::new() }; N];
    // A record may be answered without an event, and that answer again.
    let mut quiet_rounds = 0;
    while quiet_rounds < 3 {
        quiet_rounds += 1;
        for (event_loop, all) in event_loops.iter_mut().zip(&mut all) {
            let events = drain(event_loop);
            if !events.is_empty() {
                quiet_rounds = 0;
            }
            all.extend(events);
        }
    }
    all
}

/// Counts wakes.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    /// How many since the last look.
    pub fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waker that runs a closure, on whichever thread wakes.
pub fn waker_fn(wake: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Call<F>(F);
    impl<F: Fn() + Send + Sync> Wake for Call<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(Call(wake)))
}

/// Counts payloads that are not dropped yet, and drops.
#[derive(Clone, Default)]
pub struct Ledger {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Ledger {
    /// A payload of `length` bytes that is counted.
    pub fn payload(&self, length: usize) -> Bytes {
        self.payload_of(vec![b'x'; length])
    }

    pub fn payload_of(&self, bytes: Vec<u8>) -> Bytes {
        self.made.fetch_add(1, SeqCst);
        Bytes::from_owner(Counted { bytes, ledger: self.clone(), explosive: false })
    }

    /// As [`payload`](Self::payload); its destructor panics.
    pub fn explosive(&self, length: usize) -> Bytes {
        self.made.fetch_add(1, SeqCst);
        Bytes::from_owner(Counted { bytes: vec![b'x'; length], ledger: self.clone(), explosive: true })
    }

    pub fn made(&self) -> usize {
        self.made.load(SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(SeqCst)
    }

    /// Every payload was dropped, once.
    #[track_caller]
    pub fn assert_balanced(&self) {
        assert_eq!(self.dropped(), self.made(), "payloads dropped against payloads made");
    }
}

struct Counted {
    bytes: Vec<u8>,
    ledger: Ledger,
    explosive: bool,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, SeqCst);
        assert!(!self.explosive, "a payload's destructor panics");
    }
}

/// A small generator of repeatable numbers (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }

    /// One of several, if there is any.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }
}
