//! The event loop: what one thread that runs script owns of the core.

pub(crate) mod one_or_many;
pub(crate) mod peer;
pub(crate) mod port;
pub(crate) mod slab;

mod accept;
mod cached;
mod close;
mod connect;
pub(crate) mod context;
mod credit;
mod deliver;
pub(crate) mod fan_out;
mod lookup;
mod notices;
mod opening;
mod post;
mod receive;
mod search;
mod slot;
mod snapshot;
#[cfg(feature = "stream")]
pub(crate) mod stream;
mod turns;
mod wait;
#[cfg(test)]
#[path = "../../tests/inside/wrap.rs"]
mod wrap_tests;

use crate::description::ContextDescription;
use crate::error::{AttachError, ConnectError, ContextError, PostError};
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::fan_out::FanOut;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{PeerIndex, Port, PortData, QueuedPosts, ReceiverWindow};
use crate::event_loop::slab::{LAST_GENERATION, Slab};
use crate::event_loop::slot::EventSlot;
#[cfg(feature = "stream")]
use crate::event_loop::stream::Events;
use crate::ids::{ContextId, EventLoopId, Key, PortId};
use crate::index::ContextShared;
use crate::message::Message;
use crate::payload::discard_all;
use crate::shared::event_loop::EventLoopShared;
use crate::shared::service::ServiceInner;
use crate::snapshot::EventLoopSnapshot;
use crate::sync::{Arc, HashMap, mutant};
use crate::target::{Listening, RuntimeTarget, TabTarget};
use std::collections::VecDeque;
use std::fmt;
use std::task::{self, Poll, Waker};
use std::time::Duration;

/// The loop itself among its peers.
const OWN: PeerIndex = 0;

/// The core's part of one browser thread that runs script: the contexts that live on
/// the thread, their ports, and the lanes to other event loops.
///
/// Made by [`MessageService::event_loop`](crate::MessageService::event_loop). It may be
/// moved to another thread but is used by one at a time; no method blocks, but for
/// [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout). Everything in it is
/// plain single-threaded data; only the lanes are shared.
///
/// It has five kinds of methods. Contexts come and go ([`attach`](Self::attach), [`detach`](Self::detach),
/// [`set_listening`](Self::set_listening), [`ports`](Self::ports)). They connect
/// ([`connect_tab`](Self::connect_tab), [`connect_runtime`](Self::connect_runtime),
/// [`disconnect`](Self::disconnect)) and post ([`post_message`](Self::post_message)); such a call
/// never hands out an event and never blocks. What the others did comes as events, for the embedder
/// to take when its thread is woken ([`next_event`](Self::next_event) and its relatives, of which a
/// loop may mix several). And one may look ([`is_gone`](Self::is_gone), [`snapshot`](Self::snapshot)).
///
/// Dropping it ends its contexts: peers hear
/// [`EventLoopGone`](crate::DisconnectReason::EventLoopGone), after what was sent before.
///
/// ```
#[doc = include_str!("examples/set_up.md")]
/// let port = event_loop.connect_tab(background, &TabTarget::new(tab).name("greetings"))?;
/// event_loop.post_message(port, "hello")?;
///
/// let Some(Event::Connect { name, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(name, "greetings");
/// let Some(Event::Message { payload, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(&*payload, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventLoop {
    service: Arc<ServiceInner>,
    /// Its own, at hand.
    id: EventLoopId,
    /// Whether the limits name a window.
    windowed: bool,
    shared: Arc<EventLoopShared>,
    contexts: Slab<Context>,
    ports: Slab<Port>,
    /// The embedder's numbers of these.
    port_data: PortData,
    /// The loop itself first; `None` where a peer is gone.
    peers: Vec<Option<Box<Peer>>>,
    peer_of: HashMap<EventLoopId, PeerIndex>,
    /// The peer of the last target that was found.
    last_peer: PeerIndex,
    /// Events made and not yet handed out; before anything in a lane.
    events: VecDeque<Event>,
    /// A message that several receivers here get one after the other; before `events`.
    fan_out: FanOut,
    /// The peers that are polled, each once.
    polled: Vec<PeerIndex>,
    round: turns::Round,
    /// Whether the bell is armed: the embedder was told "nothing", or has not asked yet, and may sleep.
    armed: bool,
    /// How often a waiting thread looks again before it sleeps.
    looks: u32,
    /// Targets of the connect being made; kept for its memory.
    found: Vec<search::FoundTarget>,
    /// What is counted of receivers' ports where there are windows.
    receiver_windows: HashMap<Key, ReceiverWindow>,
    /// What opening ports hold, where posts wait for the receivers' answers.
    queued_posts: HashMap<Key, QueuedPosts>,
    /// Events that a stream gave since it last yielded.
    #[cfg(feature = "stream")]
    streamed: u32,
}

impl EventLoop {
    // Contexts.

    /// Attaches a context to this event loop. From now on others may connect to it,
    /// and are refused until it is [listening](Self::set_listening). Allocates.
    ///
    /// # Errors
    ///
    /// See [`AttachError`]. [`ExtensionInstance`](crate::ExtensionInstance)s of another service are unknown here.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let popup = ContextDescription::page(extension).url("ext://greeter/popup.html").origin("ext://greeter");
    /// let popup = event_loop.attach(popup)?;
    /// assert_eq!(popup.event_loop(), event_loop.id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attach(&mut self, description: ContextDescription) -> Result<ContextId, AttachError> {
        self.attach_context(description)
    }

    /// Detaches a context: its ports end, and the other sides hear
    /// [`ContextDetached`](crate::DisconnectReason::ContextDetached) after what was posted before.
    /// No event for it is handed out any more, and its ports end without one here.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext); detaching twice is one.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.detach(page)?;
    /// assert_eq!(event_loop.detach(page), Err(ContextError::UnknownContext));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn detach(&mut self, context: ContextId) -> Result<(), ContextError> {
        self.detach_context(context)
    }

    /// Sets which kinds of connection a context has listeners for; none after [`attach`](Self::attach). A
    /// connection that is taken from the lane while there is no listener for its kind is refused.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext), [`Gone`](ContextError::Gone).
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_listening(page, Listening::PORTS.one_off(true))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_listening(&mut self, context: ContextId, listening: Listening) -> Result<(), ContextError> {
        self.set_listeners(context, listening)
    }

    /// Returns the [open](Self::is_open) ports of a context, opened and accepted, in no order; none for a context
    /// that is not attached here. Allocates nothing.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.ports(background).eq([port]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ports(&self, context: ContextId) -> impl Iterator<Item = PortId> {
        self.ports_of(context)
    }

    // Connecting.

    /// Connects a background or page context to the content scripts of its own extension in a tab, and to pages of the
    /// extension there (as measured in Chromium and Firefox), itself excepted, and gives the opener's end at once:
    /// [`tabs.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/connect).
    ///
    /// The receivers are those in the index now; frames that come later never join. Each takes the connection
    /// if it is listening when the connection reaches it. When none does, or there is none, the port ends
    /// with [`NoReceiver`](crate::DisconnectReason::NoReceiver), never before this returns. Messages may be
    /// posted right away.
    ///
    /// Rings the event loops concerned. Allocates for the port when memory kept from
    /// earlier ones does not do, for a fan-out to several contexts on one event loop,
    /// and for the lanes the first time that two event loops meet.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let everywhere = TabTarget::new(tab).name("greetings");
    /// let port = event_loop.connect_tab(background, &everywhere)?;
    /// let top_frame_only = event_loop.connect_tab(background, &everywhere.frame(FrameId::TOP))?;
    /// assert!(matches!(event_loop.next_event(), Some(Event::Connect { context, .. }) if context == page));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect_tab(&mut self, opener: ContextId, target: &TabTarget) -> Result<PortId, ConnectError> {
        self.connect_to_tab(opener, target)
    }

    /// Connects a context to the background and page contexts of its own extension, itself excepted, or of another that
    /// admits it, and gives the opener's end at once:
    /// [`runtime.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/connect).
    /// It is like [`connect_tab`](Self::connect_tab) in everything else.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_runtime(page, &RuntimeTarget::own().name("to the background"))?;
    /// assert!(matches!(event_loop.next_event(), Some(Event::Connect { context, .. }) if context == background));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect_runtime(
        &mut self,
        opener: ContextId,
        target: &RuntimeTarget,
    ) -> Result<PortId, ConnectError> {
        self.connect_to_extension(opener, target)
    }

    /// Ends a port, as [`port.disconnect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/disconnect)
    /// does. The other side receives everything posted before, then
    /// [`Disconnected`](crate::DisconnectReason::Disconnected); this side hears nothing more of it. Where
    /// this is one of several receivers, the others fare as
    /// [`Policies::receiver_disconnects`](crate::Policies::receiver_disconnects) says.
    ///
    /// Returns whether the port was open; calling it again is harmless.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.disconnect(port));
    /// assert!(!event_loop.disconnect(port));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disconnect(&mut self, port: PortId) -> bool {
        self.disconnect_port(port)
    }

    // Posting.

    /// Sends a message to the other side of a port, from an opener to every receiver:
    /// [`port.postMessage`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/postMessage).
    ///
    /// When this returns `Ok` the message lies in the lanes of all receivers and their event loops were rung.
    /// It is never delivered before this returns. A message of up to [`INLINE_BYTES`](crate::INLINE_BYTES) is
    /// copied into the lane and allocates nothing; a longer one travels by reference, and is copied once
    /// before if it was borrowed. A full lane allocates a segment now and then.
    ///
    /// A message to a port whose [`Event::Disconnect`] is on its way is
    /// accepted and goes nowhere, as in browsers (measured).
    ///
    /// # Errors
    ///
    /// Changes nothing and says why; gives a message back that was not borrowed. See
    /// [`PostErrorKind`](crate::PostErrorKind).
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// event_loop.post_message(port, r#"{"greeting":"hello"}"#)?;
    /// event_loop.post_message(port, Message::from(vec![0; 1 << 20]).format(MessageFormat::StructuredClone))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn post_message<'m>(
        &mut self,
        port: PortId,
        message: impl Into<Message<'m>>,
    ) -> Result<(), PostError> {
        self.post_to_port(port, message.into())
    }

    /// Returns whether a port may be used: it has not ended, or its [`Event::Disconnect`] is not handed out
    /// yet. Messages posted in the latter case are dropped, as in browsers.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.is_open(port));
    /// event_loop.disconnect(port);
    /// assert!(!event_loop.is_open(port));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_open(&self, port: PortId) -> bool {
        self.holder_of(port).is_some()
    }

    /// Returns the context that holds a port; `None` where the port is not [open](Self::is_open), or is another loop's.
    /// Whoever takes a port's number from a script asks this first.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert_eq!(event_loop.context_of(port), Some(background));
    /// let forged = PortId::from_bits(port.to_bits() + 1);
    /// assert_eq!(event_loop.context_of(forged), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn context_of(&self, port: PortId) -> Option<ContextId> {
        self.holder_of(port)
    }

    /// Keeps a number of the embedder's with a context: every event for the context hands it out. An index
    /// or a pointer, say, that spares the embedder a table of its own. It is 0 at first.
    ///
    /// # Errors
    ///
    /// Fails with [`UnknownContext`](ContextError::UnknownContext) where this loop has no such context.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// event_loop.set_context_data(background, 7)?;
    /// assert_eq!(event_loop.context_data(background), 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_context_data(&mut self, context: ContextId, data: u64) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        self.contexts.get_mut(key).ok_or(ContextError::UnknownContext)?.data = data;
        Ok(())
    }

    /// Returns the number that was [set](Self::set_context_data) on a context, or 0.
    #[must_use]
    pub fn context_data(&self, context: ContextId) -> u64 {
        self.context_key(context)
            .ok()
            .and_then(|key| self.contexts.get(key))
            .map_or(0, |context| context.data)
    }

    /// Keeps a number of the embedder's with a port: every event for the port hands it out from now on, those that
    /// wait already included. It is 0 at first. Returns whether the port is [open](Self::is_open); nothing is kept where it is not.
    /// Allocates eight bytes for each port of the loop, once.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.set_port_data(port, 42));
    /// assert_eq!(event_loop.port_data(port), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_port_data(&mut self, port: PortId, data: u64) -> bool {
        let open = self.is_open(port);
        if open {
            self.port_data.set(port.key(), data);
        }
        open
    }

    /// Returns the number that was [set](Self::set_port_data) on a port, or 0.
    #[must_use]
    pub fn port_data(&self, port: PortId) -> u64 {
        if self.is_open(port) { self.port_data.get(port.key()) } else { 0 }
    }

    // Events.

    /// Returns the next event, or `None` when there is nothing now. After `None` anything new
    /// calls the waker, once; so the embedder takes events until `None` and then may
    /// sleep. A handler may call anything on this loop before it takes the next event.
    ///
    /// To be told "nothing" is not cheap: the lanes are armed first, which where the system has
    /// `membarrier` interrupts the process's other running threads, some 16 microseconds on a virtual
    /// machine. A main loop that expects an answer at once does better to ask
    /// [`next_event_unarmed`](Self::next_event_unarmed) for a moment before it asks this, as [`wait`](Self::wait) does.
    ///
    /// Event loops that sent something have their turn in batches of 64, the loop's own messages to itself
    /// included, so a flood from one holds up no other. Allocates nothing for a message.
    ///
    /// An event holds a short message in itself, so it is some two hundred bytes large. Match on a
    /// reference to it where it need not be kept: moving it can take as long as all the rest of a message.
    ///
    /// Handlers run script, and script calls back. Where the loop is in a `RefCell`, the borrow must end before
    /// a handler runs, so take the event in a statement of its own. In `while let Some(event) = cell.borrow_mut().next_event()`
    /// the borrow would last through the body, and the first call from there would panic.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    #[doc = include_str!("examples/next_event.md")]
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "an event that is dropped is lost"]
    #[inline(never)]
    pub fn next_event(&mut self) -> Option<Event> {
        EventSlot::event_or_none(|slot| self.deliver_or_arm(slot))
    }

    /// Returns the next event as [`next_event`](Self::next_event) does, but leaves the waker alone: after `None` nothing is
    /// called, so the embedder must ask again by itself. For a loop that spins, or looks out for a moment
    /// before it falls asleep; some ten nanoseconds where there is nothing.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// let found = (0..100).find_map(|_| event_loop.next_event_unarmed());
    /// assert!(matches!(found, Some(Event::Connect { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "an event that is dropped is lost"]
    #[inline(never)]
    pub fn next_event_unarmed(&mut self) -> Option<Event> {
        EventSlot::event_or_none(|slot| self.deliver(slot))
    }

    /// Returns the next event to a plain thread: sleeps until there is one, after it looked
    /// [for a moment](Self::set_looks_before_sleep).
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(matches!(event_loop.wait(), Event::Connect { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "an event that is dropped is lost"]
    pub fn wait(&mut self) -> Event {
        self.wait_for_event()
    }

    /// Returns the next event as [`wait`](Self::wait) does, but waits no longer than this; `None` when nothing came.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// use std::time::Duration;
    ///
    /// assert_eq!(event_loop.wait_timeout(Duration::from_millis(1)), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "an event that is dropped is lost"]
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Event> {
        self.wait_for_event_until(timeout)
    }

    /// Returns the next event to an asynchronous host, and registers the task instead of
    /// sleeping. One task polls at a time; only the last is woken.
    ///
    /// A loop that posts to itself is always ready: an executor that has other tasks is better served by a task that
    /// yields now and then, as the stream of the feature `stream` does.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// use std::task::{Context, Poll};
    ///
    /// let mut task = Context::from_waker(Waker::noop());
    /// assert!(event_loop.poll_event(&mut task).is_pending());
    /// event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// let Poll::Ready(event) = event_loop.poll_event(&mut task) else { panic!("the task was woken") };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "an event that is dropped is lost"]
    pub fn poll_event(&mut self, task: &mut task::Context<'_>) -> Poll<Event> {
        self.poll_next(task)
    }

    /// Gives the events as a stream, for a task of an asynchronous host. It never ends.
    ///
    /// After 64 events in a row it wakes its task and yields, so a loop that posts to itself, or a flood from
    /// another, does not starve the executor's other tasks; [`poll_event`](Self::poll_event) has no such budget. The
    /// loop itself counts, so a stream may be made anew for each event, and the loop be used in between. One task polls
    /// at a time, as with `poll_event`; a stream that is dropped loses nothing.
    ///
    #[doc = include_str!("examples/events.md")]
    #[cfg(feature = "stream")]
    pub fn events(&mut self) -> Events<'_> {
        Events::new(self)
    }

    /// Sets how many times [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout) look for an event
    /// before they sleep, with a pause of the processor between two looks. The default, 400, takes some five
    /// microseconds. Use more where answers come at once (to sleep and be woken takes ten times as long), and
    /// 0 where there are more threads than processors. The other ways to take events never spin.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_looks_before_sleep(0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_looks_before_sleep(&mut self, looks: u32) {
        self.looks = looks;
    }

    /// Replaces the waker that [`event_loop`](crate::MessageService::event_loop) was given, where its contract stands:
    /// for a loop that moves to another thread, or whose main loop is made later.
    ///
    /// What woke the old one and was not yet taken wakes the new one at once. The old one may be called a last time
    /// by a thread that is about to, and is dropped on whichever thread is last to use it.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// # fn waker_of_the_main_loop() -> Waker { Waker::noop().clone() }
    /// std::thread::spawn(move || {
    ///     event_loop.set_waker(waker_of_the_main_loop());
    ///     // … the thread's own main loop.
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_waker(&mut self, waker: Waker) {
        self.shared.set_waker(waker);
    }

    // Looking.

    /// Returns this event loop's id.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// assert_eq!(background.event_loop(), event_loop.id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> EventLoopId {
        self.id
    }

    /// Returns whether the browser [declared](crate::MessageService::event_loop_gone) this event loop gone: for a
    /// thread that comes back from a hang. Takes a lock for a moment, so it is no question for every turn.
    ///
    /// Everything but [`attach`](Self::attach) would only say of each context that it is gone, and of a loop
    /// without contexts nothing would. Such a loop stays gone. The thread begins anew:
    ///
    #[doc = include_str!("examples/is_gone.md")]
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.shared.is_retired()
    }

    /// Shows everything this event loop knows: contexts, ports with their other sides,
    /// states and what is queued for them, lanes. For a developer's panel, a test or
    /// a bug report; `Debug` of it is readable. Looks at everything that lies in the lanes, and allocates.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.connect_tab(background, &TabTarget::new(tab).name("greetings"))?;
    /// let shown = event_loop.snapshot();
    /// assert_eq!((shown.contexts.len(), shown.ports[0].name.as_str()), (2, "greetings"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> EventLoopSnapshot {
        self.take_snapshot()
    }
}

impl EventLoop {
    pub(crate) fn new(service: Arc<ServiceInner>, shared: Arc<EventLoopShared>) -> Self {
        let own = Peer::own(Arc::clone(&shared));
        let peer_of = [(shared.id(), OWN)].into_iter().collect();
        let limits = &service.limits;
        let windowed = limits.window_messages.is_some() || limits.window_bytes.is_some();
        Self {
            service,
            id: shared.id(),
            windowed,
            shared,
            contexts: Slab::new(LAST_GENERATION),
            ports: Slab::new(LAST_GENERATION),
            port_data: PortData::default(),
            peers: vec![Some(Box::new(own))],
            peer_of,
            last_peer: OWN,
            events: VecDeque::new(),
            fan_out: FanOut::default(),
            polled: Vec::new(),
            round: turns::Round::default(),
            armed: true,
            looks: wait::LOOKS,
            found: Vec::new(),
            receiver_windows: HashMap::default(),
            queued_posts: HashMap::default(),
            #[cfg(feature = "stream")]
            streamed: 0,
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        if !mutant("held-posts-dropped-with-their-loop") {
            self.release_all();
        }
        self.service.retire(&self.shared, ContextShared::set_detached);
        self.shared.close();
        self.fan_out.discard();
        discard_all(self.events.drain(..));
        for key in self.contexts.keys() {
            let held = self.contexts.remove(key).and_then(|context| context.suspended);
            discard_all(held.into_iter().flat_map(|suspended| suspended.events));
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("id", &self.id()).finish_non_exhaustive()
    }
}
