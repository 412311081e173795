//! The event loop: the part of the core that one thread that runs script owns.

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
mod handed_out;
mod holdings;
mod lookup;
mod notices;
mod opening;
mod post;
mod question;
mod receive;
mod room;
mod search;
pub(crate) mod slot;
mod snapshot;
#[cfg(feature = "stream")]
pub(crate) mod stream;
mod turns;
mod unanswered;
mod unanswered_connects;
mod uses;
mod wait;
mod waiting;
#[cfg(test)]
#[path = "../../tests/inside/wrap.rs"]
mod wrap_tests;

use crate::activity::Activity;
use crate::description::ContextDescription;
use crate::error::{AttachError, ConnectError, ContextError, PostError};
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::fan_out::FanOut;
use crate::event_loop::handed_out::HandedOut;
use crate::event_loop::holdings::Holdings;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{PeerIndex, Port, PortData, QueuedPosts, ReceiverWindow};
use crate::event_loop::slab::{LAST_GENERATION, Slab};
use crate::event_loop::slot::EventSlot;
#[cfg(feature = "stream")]
use crate::event_loop::stream::Events;
use crate::event_loop::unanswered_connects::UnansweredConnects;
use crate::event_loop::uses::Uses;
use crate::event_loop::waiting::WaitingConnects;
use crate::ids::{ContextId, EventLoopId, ExtensionInstance, Key, PeerId, PortId};
use crate::index::ContextShared;
use crate::message::Message;
use crate::payload::discard_all;
use crate::reason::DisconnectReason;
use crate::shared::event_loop::EventLoopShared;
use crate::shared::service::ServiceInner;
use crate::snapshot::EventLoopSnapshot;
use crate::sync::{Arc, HashMap, HashSet};
use crate::target::{Listening, RuntimeTarget, TabTarget};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::task::{self, Poll, Waker};
use std::time::Duration;

/// The core's part of one browser thread that runs script: the contexts that live on
/// the thread, their ports, and the lanes to other event loops.
///
/// Made by [`MessageService::event_loop`](crate::MessageService::event_loop). It may be
/// moved to another thread, but only one thread uses it at a time. No method blocks except
/// [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout). Everything in it is
/// plain single-threaded data; only the lanes are shared.
///
/// It has five kinds of methods:
///
/// - *Contexts* come and go: [`attach`](Self::attach), [`detach`](Self::detach),
///   [`set_listening`](Self::set_listening), [`ports`](Self::ports).
/// - They *connect*: [`connect_tab`](Self::connect_tab), [`connect_runtime`](Self::connect_runtime),
///   [`disconnect`](Self::disconnect).
/// - They *post*: [`post_message`](Self::post_message). A connect or a post never hands out an event.
/// - What others did comes as *events*, which the embedder takes when its thread is woken:
///   [`next_event`](Self::next_event) and its variants. One loop may use several of these.
/// - *Looking* changes nothing: [`is_gone`](Self::is_gone), [`snapshot`](Self::snapshot).
///
/// Dropping it ends its contexts: the other sides hear
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
    /// A copy of the shared part's id: one load fewer for each id that is checked.
    id: EventLoopId,
    /// `true` if the limits set a window.
    windowed: bool,
    shared: Arc<EventLoopShared>,
    contexts: Slab<Context>,
    ports: Slab<Port>,
    /// What the loop holds for scripts, as far as it is counted for the service's pool.
    holdings: Holdings,
    /// The embedder's numbers of these.
    port_data: PortData,
    /// The loop itself is among them, where it connects to itself. `None` where a peer is gone.
    peers: Vec<Option<Box<Peer>>>,
    peer_of: BTreeMap<PeerId, PeerIndex>,
    /// The peer of the last target that was found.
    last_peer: PeerIndex,
    /// Events made and not yet handed out. They come before anything in a lane.
    events: VecDeque<Event>,
    /// A message that several receivers here get one after the other. It comes before `events`.
    fan_out: FanOut,
    /// The peers that are polled, each once.
    polled: Vec<PeerIndex>,
    round: turns::Round,
    /// `true` if the bell is armed: the embedder was told "nothing", or has not asked yet, and may sleep.
    armed: bool,
    /// `true` if each event is counted, in windows or as a use, or receivers are grouped.
    counts_events: bool,
    /// `true` if a message to several receivers here is handed out as one event.
    groups_receivers: bool,
    /// The uses of backgrounds that are started on demand.
    uses: Uses,
    /// How many times a waiting thread looks before it sleeps.
    looks: u32,
    /// Targets of the connect being made. Kept empty in between, to reuse its memory.
    found: Vec<search::FoundTarget>,
    /// The windows of receivers' ports, if the limits set any.
    receiver_windows: HashMap<Key, ReceiverWindow>,
    /// What was handed out and not taken, if the embedder says when it is.
    handed_out: Option<HashMap<Key, HandedOut>>,
    /// What opening ports hold, if the policy has posts wait for the receivers' answers, or they wait for a background;
    /// and copies of what unanswered ports sent.
    queued_posts: HashMap<Key, QueuedPosts>,
    /// How many receivers' ports wait for their context to take or refuse the connection.
    undecided: u32,
    /// Ports of which a post was refused because the pool is used up.
    waiting_for_pool: HashSet<Key>,
    /// Connects that wait for a background, by its extension.
    waiting: HashMap<ExtensionInstance, WaitingConnects>,
    /// Connects to backgrounds that run and may be stopped, which nobody has taken yet.
    unanswered: UnansweredConnects,
    /// Extensions whose backgrounds have answered what others waited for. Empty between calls.
    settled: Vec<ExtensionInstance>,
    /// The last turn of a connect or a post that is kept or waits.
    last_turn: u64,
    /// How many events a stream gave since it last yielded.
    #[cfg(feature = "stream")]
    streamed: u32,
}

impl EventLoop {
    // Contexts.

    /// Attaches a context to this event loop. From now on connects find it, but it refuses them
    /// until it is [listening](Self::set_listening). Allocates.
    ///
    /// # Errors
    ///
    /// See [`AttachError`]. An [`ExtensionInstance`](crate::ExtensionInstance) of another service is unknown here.
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
    /// No event for it is handed out any more, and its ports end without an event on this side.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext), also when it was detached before.
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
    /// connection is refused if there is no listener for its kind when the event loop takes it from the lane. If it
    /// [asks](crate::Listening::asks), it decides later.
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

    /// Returns the [open](Self::is_open) ports of a context, opened and accepted, in no particular order; none for a
    /// context that is not attached here. Allocates nothing.
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

    /// Connects a background or page context to its own extension's content scripts in a tab, and to pages of the
    /// extension there (as measured in Chromium and Firefox), but never to itself. Returns the opener's end at once:
    /// [`tabs.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/connect).
    ///
    /// The receivers are the contexts that the index holds now; frames that come later never join.
    /// Each takes the connection if it is listening when the connection reaches it.
    /// When none does, or there is none, the port ends with
    /// [`NoReceiver`](crate::DisconnectReason::NoReceiver), never before this returns. Messages may be
    /// posted right away.
    ///
    /// Wakes the event loops concerned if they are armed. Allocates for the port when the memory of
    /// earlier ones does not suffice, for a fan-out to several contexts on one event loop,
    /// for an opener's first connect to an event loop, and for the lanes when two event loops first meet.
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
        let port = self.connect_to_tab(opener, target)?;
        if !self.uses.is_empty() {
            self.count_use(port);
        }
        Ok(port)
    }

    /// Connects a context to the background and page contexts of its own extension, except itself, or of another
    /// extension that admits it. A [page of the web](ContextDescription::web_page) has no extension of its own and must name
    /// one. Returns the opener's end at once:
    /// [`runtime.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/connect).
    /// Everything else is as for [`connect_tab`](Self::connect_tab).
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
        let port = self.connect_to_extension(opener, target)?;
        if !self.uses.is_empty() {
            self.count_use(port);
        }
        Ok(port)
    }

    /// Ends a port, as [`port.disconnect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/disconnect)
    /// does. The other side receives everything posted before, then
    /// [`Disconnected`](crate::DisconnectReason::Disconnected); this side hears nothing more of it. If
    /// this is one of several receivers,
    /// [`Policies::receiver_disconnects`](crate::Policies::receiver_disconnects) decides what happens to the others.
    ///
    /// Returns whether the port was open; calling it again changes nothing.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.disconnect(port));
    /// assert!(!event_loop.disconnect(port));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disconnect(&mut self, port: PortId) -> bool {
        if !self.uses.is_empty() {
            return self.disconnect_and_count(port);
        }
        self.disconnect_port(port)
    }

    /// Takes a connection that was handed out as a [question](crate::Listening::asks). Its opener hears that it has a
    /// receiver. To post on the port does the same.
    ///
    /// Returns whether there was a decision to make: `false` if it was made before, or if the port or its context has
    /// ended meanwhile. May wake the opener's event loop.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_listening(page, Listening::PORTS.asks(true))?;
    /// let opened = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// let Some(Event::Connect { port, undecided: true, .. }) = event_loop.next_event() else { panic!() };
    /// assert!(event_loop.accept(port));
    /// assert!(!event_loop.accept(port));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept(&mut self, port: PortId) -> bool {
        self.decide(port, true)
    }

    /// Refuses a connection that was handed out as a [question](crate::Listening::asks), as if no listener had been
    /// there. The port is closed, with no event of its own. If nobody else takes the connection, the opener's port ends
    /// with [`NoReceiver`](crate::DisconnectReason::NoReceiver). To disconnect the port does the same, and so does
    /// whatever ends it before the decision.
    ///
    /// Returns whether there was a decision to make. May wake the opener's event loop.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_listening(page, Listening::PORTS.asks(true))?;
    /// let opened = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// let Some(Event::Connect { port, .. }) = event_loop.next_event() else { panic!() };
    /// assert!(event_loop.refuse(port));
    /// let Some(Event::Disconnect { port, reason, .. }) = event_loop.next_event() else { panic!() };
    /// assert_eq!((port, reason), (opened, DisconnectReason::NoReceiver));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refuse(&mut self, port: PortId) -> bool {
        self.decide(port, false)
    }

    // Posting.

    /// Sends a message to the other side of a port, from an opener to every receiver:
    /// [`port.postMessage`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port/postMessage).
    ///
    /// When this returns `Ok` the message lies in the lanes to all receivers, and those of their
    /// event loops that were armed are woken. (Under [`PostsWait`](crate::OpeningPort::PostsWait) it may first wait for
    /// the receivers' answers, and for a background that is started on demand it waits until that is ready.)
    /// It is never delivered before this returns. A message of up to [`INLINE_BYTES`](crate::INLINE_BYTES) is copied into the lane and allocates nothing; a
    /// longer one travels by reference, after one copy if it was borrowed.
    /// A lane that fills up allocates a segment now and then.
    ///
    /// A message to a port whose [`Event::Disconnect`] is on its way is
    /// accepted and goes nowhere, as in browsers (measured).
    ///
    /// # Errors
    ///
    /// A refused post changes nothing. The error says why, and gives back a message that was not borrowed. See
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

    /// Returns whether a port may be used: it has not ended, or its
    /// [`Event::Disconnect`] has not been handed out yet. In the latter
    /// case, what is posted is dropped, as in browsers.
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

    /// Returns the context that holds a port; `None` if the port is not [open](Self::is_open) or is another loop's.
    /// Check this before you use a port whose number came from a script.
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
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_context_data(background, 7)?;
    /// assert_eq!(event_loop.context_data(background), 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_context_data(&mut self, context: ContextId, data: u64) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        self.contexts.get_mut(key).ok_or(ContextError::UnknownContext)?.data = data;
        self.fan_out.note_change();
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
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.set_port_data(port, 42));
    /// assert_eq!(event_loop.port_data(port), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_port_data(&mut self, port: PortId, data: u64) -> bool {
        let open = self.is_open(port);
        if open {
            self.port_data.set(port.key(), data);
            self.fan_out.note_change();
        }
        open
    }

    /// Returns the number that was [set](Self::set_port_data) on a port, or 0.
    #[must_use]
    pub fn port_data(&self, port: PortId) -> u64 {
        if self.is_open(port) { self.port_data.get(port.key()) } else { 0 }
    }

    // Events.

    /// Returns the next event, or `None` when there is nothing now. After `None` the next new thing
    /// calls the waker, once; so the embedder takes events until `None` and may then
    /// sleep. If it took 65,536 records that nobody hears, because a context was killed, say, it calls the
    /// waker itself and returns `None`, so that the thread has its turn. A handler may call anything on this loop before the next event is taken.
    ///
    /// `None` is not cheap. The loop arms its lanes first; if the system has
    /// `membarrier`, this interrupts the process's other running threads and takes about 16 microseconds on a virtual
    /// machine. A main loop that expects an answer at once should first try
    /// [`next_event_unarmed`](Self::next_event_unarmed) for a moment, as [`wait`](Self::wait) does.
    ///
    /// The event loops that sent something take turns in batches of 64 records, and so do this loop's
    /// messages to itself, each for every extension whose contexts opened the connections; of 2 records if several
    /// have something: a flood from one holds up no other.
    /// Allocates nothing for a message.
    ///
    /// A short message lies in the event itself, so an event is about two hundred bytes large. Match on a
    /// reference to it if you need not keep it: moving it can take as long as all the rest of a message.
    ///
    /// Handlers run script, and script calls back. If the loop is in a `RefCell`, the borrow must end before
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

    /// Returns the next event like [`next_event`](Self::next_event), but does not arm the waker: after `None` nothing is
    /// called, so the embedder must ask again by itself. Meant for a loop that spins, or that polls for a moment
    /// before it sleeps. `None` takes about ten nanoseconds.
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
        EventSlot::event_or_none(|slot| slot.put_next(self))
    }

    /// Puts the next event, or `None`, where the caller keeps it, and returns whether there was one. Otherwise it is
    /// [`next_event`](Self::next_event), or [`next_event_unarmed`](Self::next_event_unarmed) if `arm` is `false`.
    /// The event that lay there is dropped first.
    ///
    /// Meant for an embedder whose event is read by others after this returns, such as the C interface: moving it there
    /// would take as long as all the rest of a message.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let mut kept = None;
    /// assert!(!event_loop.next_event_into(&mut kept, true));
    /// event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// assert!(event_loop.next_event_into(&mut kept, true));
    /// assert!(matches!(kept, Some(Event::Connect { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_event_into(&mut self, event: &mut Option<Event>, arm: bool) -> bool {
        EventSlot::fill(event, |slot| if arm { self.deliver_or_arm(slot) } else { slot.put_next(self) })
    }

    /// Returns the next event to a plain thread. Polls [for a moment](Self::set_looks_before_sleep), then blocks until
    /// there is one.
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

    /// Returns the next event like [`wait`](Self::wait), or `None` if none came within `timeout`.
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

    /// Returns the next event to an asynchronous task, or registers the task to be woken for
    /// it. One task polls at a time; only the last is woken.
    ///
    /// A loop that posts to itself is always ready. On an executor with other tasks its task should
    /// yield now and then, as the stream of the feature `stream` does.
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

    /// Returns the events as a stream, for an asynchronous task. It never ends.
    ///
    /// After 64 events in a row it wakes its task and yields, so a loop that posts to itself, or a flood from
    /// another, does not starve the executor's other tasks; [`poll_event`](Self::poll_event) has no such budget. The
    /// event loop keeps the count, so you may make a new stream for each event and use the loop in between. One task
    /// polls at a time, as with `poll_event`. Dropping the stream loses no event.
    ///
    #[doc = include_str!("examples/events.md")]
    #[cfg(feature = "stream")]
    pub fn events(&mut self) -> Events<'_> {
        Events::new(self)
    }

    /// Sets whether a message that several contexts of this loop receive is handed out as one
    /// [`Event::MessageToSeveral`], in the place of an event for each. Meant for an embedder that carries it to them
    /// together, into another process, say. It is not at first. Such an event allocates.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let other = event_loop.attach(ContextDescription::page_in_tab(extension, Place::new(tab, FrameId::TOP, document)))?;
    /// event_loop.set_listening(other, Listening::PORTS)?;
    /// event_loop.group_receivers(true);
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// event_loop.post_message(port, "hello")?;
    /// while let Some(event) = event_loop.next_event() {
    ///     match &event {
    ///         Event::Connect { .. } => {}
    ///         Event::MessageToSeveral { receivers, .. } => assert_eq!(receivers.len(), 2),
    ///         other => panic!("{other:?}"),
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group_receivers(&mut self, groups: bool) {
        self.groups_receivers = groups;
        self.counts_events |= groups;
    }

    /// Sets whether a message counts as under way, for its sender's [window](crate::Limits::window_messages), until
    /// [`taken`](Self::taken) says that it was taken, in the place of until it was handed out. Meant for an embedder
    /// that carries events on, into another process, say: then the window bounds all that the script there has not
    /// taken. It is not at first. If it is unset, what was handed out counts as taken. Without windows it does nothing.
    ///
    /// ```
    /// use port_core::*;
    /// # use std::task::Waker;
    /// let service = MessageService::builder().limits(Limits::default().window_messages(1)).build();
    /// let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
    /// let mut event_loop = service.event_loop(Waker::noop().clone());
    /// event_loop.credit_when_taken(true);
    /// let background = event_loop.attach(ContextDescription::background(extension))?;
    /// let page = event_loop.attach(ContextDescription::page(extension))?;
    /// event_loop.set_listening(background, Listening::PORTS)?;
    /// let port = event_loop.connect_runtime(page, &RuntimeTarget::own())?;
    /// event_loop.post_message(port, "hello")?;
    /// let messages = std::iter::from_fn(|| event_loop.next_event()).filter_map(|event| match event {
    ///     Event::Message { port, payload, .. } => Some((port, payload.len() as u64)),
    ///     _ => None,
    /// });
    /// let (receiver, bytes) = messages.last().expect("the message");
    /// assert_eq!(event_loop.post_message(port, "again").unwrap_err().kind(), PostErrorKind::WindowFull);
    ///
    /// assert!(event_loop.taken(receiver, 1, bytes));
    /// assert!(matches!(event_loop.next_event(), Some(Event::Room { .. })));
    /// event_loop.post_message(port, "again")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn credit_when_taken(&mut self, when_taken: bool) {
        self.set_credit_when_taken(when_taken);
    }

    /// Says that a script has taken the oldest messages that were handed out on a port: so many, with so many bytes of
    /// payload together. Their senders may post as much again. See [`credit_when_taken`](Self::credit_when_taken).
    ///
    /// Returns `false`, and changes nothing, if fewer messages or bytes wait to be taken: whoever said so made it up.
    /// Returns `true` for a port that has ended meanwhile, and where there are no windows. May wake the senders'
    /// event loops.
    pub fn taken(&mut self, port: PortId, messages: u32, bytes: u64) -> bool {
        self.credit_taken(port, messages, bytes)
    }

    /// Returns the window of this event loop's ports, in messages and in bytes: how much one side of a port may have
    /// under way to a receiver that has not taken it. `None` where there is none.
    #[must_use]
    pub fn window(&self) -> (Option<u32>, Option<u64>) {
        (self.service.limits.window_messages, self.service.limits.window_bytes)
    }

    /// Sets how many times [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout) poll before they
    /// block, with a spin hint between two polls. The default, 400, takes about five
    /// microseconds. Use more where answers come at once (blocking and waking takes about ten times
    /// as long), and 0 where threads outnumber processors.
    /// The other ways to take events never spin.
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// event_loop.set_looks_before_sleep(0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_looks_before_sleep(&mut self, looks: u32) {
        self.looks = looks;
    }

    /// Replaces the waker that was given to [`event_loop`](crate::MessageService::event_loop), whose
    /// contract the new one keeps. Meant for a loop that moves to another thread, or whose main loop is made later.
    ///
    /// If the old waker was called for something that is not yet taken, the new one is called at once. A thread that
    /// is about to call the old one may still do so once; the last thread that uses it drops it.
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

    /// Returns whether the browser [declared](crate::MessageService::event_loop_gone) this event loop gone. Meant for a
    /// thread that comes back from a hang: it takes a lock for a moment, so do not call it on every turn.
    ///
    /// Except for [`attach`](Self::attach), other calls only tell that a context is gone, and for a loop
    /// without contexts they tell nothing. A loop that is gone stays gone. The thread makes another:
    ///
    #[doc = include_str!("examples/is_gone.md")]
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.shared.is_retired()
    }

    /// Returns what keeps a background awake: its open ports, among them one-off messages that wait for an answer, and
    /// when each was last used. The browser's timer decides what of this counts, by its engine's rules. Allocates.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext).
    ///
    /// ```
    #[doc = include_str!("examples/set_up.md")]
    /// let port = event_loop.connect_tab(background, &TabTarget::new(tab))?;
    /// let activity = event_loop.why_awake(background)?;
    /// assert!(activity.ports[0].port == port && activity.ports[0].opened);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn why_awake(&self, context: ContextId) -> Result<Activity, ContextError> {
        self.activity_of(context)
    }

    /// Returns everything that this event loop knows: contexts, ports with their other sides, their
    /// states and what is queued for them, lanes. Meant for a developer's panel, a test or
    /// a bug report; its `Debug` is readable. Walks everything that lies in the lanes, and allocates.
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
        let limits = &service.limits;
        let holdings = Holdings::within(shared.limit());
        let windowed = limits.window_messages.is_some() || limits.window_bytes.is_some();
        Self {
            service,
            id: shared.id(),
            windowed,
            shared,
            contexts: Slab::new(LAST_GENERATION),
            ports: Slab::counted(LAST_GENERATION),
            holdings,
            port_data: PortData::default(),
            peers: Vec::new(),
            peer_of: BTreeMap::new(),
            last_peer: 0,
            events: VecDeque::new(),
            fan_out: FanOut::default(),
            polled: Vec::new(),
            round: turns::Round::default(),
            armed: true,
            counts_events: windowed,
            groups_receivers: false,
            uses: Uses::default(),
            looks: wait::LOOKS,
            found: Vec::new(),
            receiver_windows: HashMap::default(),
            handed_out: None,
            queued_posts: HashMap::default(),
            undecided: 0,
            waiting_for_pool: HashSet::default(),
            waiting: HashMap::default(),
            unanswered: UnansweredConnects::new(),
            settled: Vec::new(),
            last_turn: 0,
            #[cfg(feature = "stream")]
            streamed: 0,
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.release_all();
        self.service.retire(&self.shared, DisconnectReason::EventLoopGone, ContextShared::set_detached);
        self.shared.close();
        self.fan_out.discard();
        discard_all(self.events.drain(..));
        for key in self.contexts.keys() {
            let held = self.contexts.remove(key).and_then(|context| context.suspended);
            discard_all(held.into_iter().flat_map(|suspended| suspended.events));
        }
        self.release_holdings();
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("id", &self.id()).finish_non_exhaustive()
    }
}
