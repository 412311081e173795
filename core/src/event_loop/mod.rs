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
mod wrap_tests;

use crate::description::ContextDescription;
use crate::error::{AttachError, ContextError};
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::fan_out::FanOut;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{PeerIndex, Port, QueuedPosts, ReceiverWindow};
use crate::event_loop::slab::{LAST_GENERATION, Slab};
#[cfg(feature = "stream")]
use crate::event_loop::stream::Events;
use crate::ids::{ContextId, EventLoopId, Key, PortId};
use crate::index::ContextShared;
use crate::payload::discard_all;
use crate::reason::DisconnectReason;
use crate::shared::event_loop::{EventLoopShared, Lanes};
use crate::shared::service::ServiceInner;
use crate::sync::{Arc, HashMap, mutant};
use crate::target::Listening;
use std::collections::VecDeque;
use std::fmt;
use std::task::Waker;

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
/// Dropping it ends its contexts: peers hear
/// [`EventLoopGone`](DisconnectReason::EventLoopGone), after what was sent before.
///
/// ```
/// use port_core::*;
/// use std::task::Waker;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = MessageService::default();
/// let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
/// let (tab, document) = (TabId::new(7), DocumentId::new(1));
/// service.tab_opened(tab, WindowId::new(1))?;
/// service.frame_attached(tab, FrameId::TOP, None, document)?;
///
/// let mut event_loop = service.event_loop(Waker::noop().clone());
/// let background = event_loop.attach(ContextDescription::background(extension))?;
/// let place = Place::new(tab, FrameId::TOP, document);
/// let page = event_loop.attach(ContextDescription::content_script(extension, place))?;
/// event_loop.set_listening(page, Listening::PORTS)?;
///
/// let port = event_loop.connect_tab(background, &TabTarget::new(tab).name("greetings"))?;
/// event_loop.post_message(port, "hello")?;
///
/// let Some(Event::Connect { name, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(name, "greetings");
/// let Some(Event::Message { payload, .. }) = event_loop.next_event() else { panic!() };
/// assert_eq!(&*payload, b"hello");
/// # Ok(())
/// # }
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
    /// The loop itself first; `None` where a peer is gone.
    peers: Vec<Option<Peer>>,
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
            peers: vec![Some(own)],
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

    /// This event loop's id.
    #[must_use]
    pub fn id(&self) -> EventLoopId {
        self.id
    }

    /// Gives the events as a stream, for a task of an asynchronous host. It never ends.
    ///
    /// After 64 events in a row it wakes its task and yields, so a loop that posts to itself, or a flood from
    /// another, does not starve the executor's other tasks; [`poll_event`](Self::poll_event) has no such budget. The
    /// loop itself counts, so a stream may be made anew for each event, and the loop be used in between. One task polls
    /// at a time, as with `poll_event`; a stream that is dropped loses nothing.
    ///
    /// ```
    /// use port_core::{Event, EventLoop};
    /// # use futures_core::Stream;
    /// # use std::{future::poll_fn, pin::pin};
    /// # async fn next<S: Stream<Item = Event>>(stream: S) -> Option<Event> {
    /// #     let mut stream = pin!(stream);
    /// #     poll_fn(|context| stream.as_mut().poll_next(context)).await
    /// # }
    ///
    /// async fn run(mut event_loop: EventLoop) {
    ///     // With `futures::StreamExt`: `event_loop.events().next().await`.
    ///     while let Some(event) = next(event_loop.events()).await {
    ///         if let Event::Message { port, payload, .. } = event {
    ///             let _ = event_loop.post_message(port, &payload);
    ///         }
    ///     }
    /// }
    /// ```
    #[cfg(feature = "stream")]
    pub fn events(&mut self) -> Events<'_> {
        Events::new(self)
    }

    /// Replaces the waker that [`event_loop`](crate::MessageService::event_loop) was given, where its contract stands:
    /// for a loop that moves to another thread, or whose main loop is made later.
    ///
    /// What woke the old one and was not yet taken wakes the new one at once. The old one may be called a last time
    /// by a thread that is about to, and is dropped on whichever thread is last to use it.
    ///
    /// ```
    /// # use port_core::*;
    /// # use std::{sync::mpsc, task::Waker, thread};
    /// # let service = MessageService::default();
    /// # struct Proxy(mpsc::Sender<()>);
    /// # impl std::task::Wake for Proxy { fn wake(self: std::sync::Arc<Self>) { let _ = self.0.send(()); } }
    /// let mut event_loop = service.event_loop(Waker::noop().clone());
    /// thread::spawn(move || {
    ///     # let proxy = Proxy(mpsc::channel().0);
    ///     event_loop.set_waker(Waker::from(std::sync::Arc::new(proxy)));
    ///     // … the thread's own main loop.
    /// });
    /// ```
    pub fn set_waker(&mut self, waker: Waker) {
        self.shared.set_waker(waker);
    }

    /// Returns whether the browser [declared](crate::MessageService::event_loop_gone) this event loop gone: for a
    /// thread that comes back from a hang. Takes a lock for a moment, so it is no question for every turn.
    ///
    /// Everything but [`attach`](Self::attach) would only say of each context that it is gone, and of a loop
    /// without contexts nothing would. Such a loop stays gone. The thread begins anew:
    ///
    /// ```
    /// # use port_core::*;
    /// # use std::task::Waker;
    /// # fn set_up(_: &mut EventLoop) {}
    /// # fn scripts_end(_: ContextId) {}
    /// # let service = MessageService::default();
    /// # let waker = || Waker::noop().clone();
    /// # let mut event_loop = service.event_loop(waker());
    /// # service.event_loop_gone(event_loop.id()).unwrap();
    /// if event_loop.is_gone() {
    ///     // Its contexts end, as the others were told long ago.
    ///     while let Some(event) = event_loop.next_event() {
    ///         if let Event::ContextGone { context, .. } = event {
    ///             scripts_end(context);
    ///         }
    ///     }
    ///     event_loop = service.event_loop(waker());
    ///     // Documents that still stand are attached again, as other contexts.
    ///     set_up(&mut event_loop);
    /// }
    /// # assert!(!event_loop.is_gone());
    /// ```
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.shared.is_retired()
    }

    /// Attaches a context to this event loop. From now on others may connect to it,
    /// and are refused until it is [listening](Self::set_listening). Allocates.
    ///
    /// # Errors
    ///
    /// See [`AttachError`].
    pub fn attach(&mut self, description: ContextDescription) -> Result<ContextId, AttachError> {
        let extension =
            self.service.index.extension_id(description.instance).ok_or(AttachError::UnknownExtension)?;
        let key = self.contexts.vacant_key().ok_or(AttachError::TooManyContexts)?;
        let id = ContextId::new(self.id, key);
        let shared = Arc::new(ContextShared::new(id, description, extension));
        // Local first: should the attach be refused further on, a connection or a notice
        // that found it meanwhile names a key that is never given again.
        let context = Context {
            shared: Arc::clone(&shared),
            generation: 0,
            listening: Listening::default(),
            ports: Vec::new(),
            suspended: None,
        };
        if self.contexts.insert(context).is_none() {
            return Err(AttachError::TooManyContexts);
        }
        if let Err(error) = self.publish(&shared) {
            self.contexts.remove(key);
            return Err(error);
        }
        Ok(id)
    }

    /// Makes a context known to other threads.
    fn publish(&self, context: &Arc<ContextShared>) -> Result<(), AttachError> {
        if !self.shared.enter(context) {
            return Err(AttachError::EventLoopGone);
        }
        self.service.index.enter(context).inspect_err(|_| self.shared.leave(&[context.id().key()]))
    }

    /// Detaches a context: its ports end, and the other sides hear
    /// [`ContextDetached`](DisconnectReason::ContextDetached) after what was posted before.
    /// No event for it is handed out any more.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext); detaching twice is one.
    pub fn detach(&mut self, context: ContextId) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        let shared = Arc::clone(&self.contexts.get(key).ok_or(ContextError::UnknownContext)?.shared);
        shared.set_detached();
        self.service.index.leave(&shared);
        self.shared.leave(&[key]);
        self.end_context(key, shared.killed().unwrap_or(DisconnectReason::ContextDetached));
        Ok(())
    }

    /// Sets which kinds of connection a context has listeners for; none after [`attach`](Self::attach). A
    /// connection that is taken from the lane while there is no listener for its kind is refused.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext), [`Gone`](ContextError::Gone).
    pub fn set_listening(&mut self, context: ContextId, listening: Listening) -> Result<(), ContextError> {
        let key = self.context_key(context)?;
        let context = self.contexts.get_mut(key).ok_or(ContextError::UnknownContext)?;
        if context.shared.killed().is_some() {
            return Err(ContextError::Gone);
        }
        context.listening = listening;
        Ok(())
    }

    /// Whether a port may be used: it has not ended, or its
    /// [`Event::Disconnect`] is not handed out yet. Messages posted in the latter
    /// case are dropped, as in browsers.
    #[must_use]
    pub fn is_open(&self, port: PortId) -> bool {
        self.holder_of(port).is_some()
    }

    /// Returns the context that holds a port; `None` where the port is not [open](Self::is_open), or is another loop's.
    #[must_use]
    pub fn context_of(&self, port: PortId) -> Option<ContextId> {
        self.holder_of(port)
    }

    /// Returns the [open](Self::is_open) ports of a context, opened and accepted, in no order; none for a context
    /// that is not attached here. Allocates nothing.
    pub fn ports(&self, context: ContextId) -> impl Iterator<Item = PortId> {
        self.ports_of(context)
    }

    #[inline]
    fn context_key(&self, context: ContextId) -> Result<Key, ContextError> {
        let key = Some(context.key()).filter(|_| context.event_loop() == self.id);
        key.filter(|&key| self.contexts.get(key).is_some()).ok_or(ContextError::UnknownContext)
    }

    #[inline]
    fn port_key(&self, port: PortId) -> Option<Key> {
        (port.event_loop() == self.id).then_some(port.key())
    }

    #[inline]
    fn context_id(&self, key: Key) -> ContextId {
        ContextId::new(self.id, key)
    }

    #[inline]
    fn port_id(&self, key: Key) -> PortId {
        PortId::new(self.id, key)
    }

    #[inline]
    fn peer_mut(&mut self, index: PeerIndex) -> Option<&mut Peer> {
        self.peers.get_mut(index as usize)?.as_mut()
    }

    #[inline]
    fn peer(&self, index: PeerIndex) -> Option<&Peer> {
        self.peers.get(index as usize)?.as_ref()
    }

    /// Enters the lanes to a peer.
    fn add_peer(&mut self, lanes: Lanes) -> PeerIndex {
        let id = lanes.peer.id();
        let peer = Some(Peer::other(lanes));
        let index = match self.peers.iter().position(Option::is_none) {
            Some(vacant) => {
                self.peers[vacant] = peer;
                vacant
            }
            None => {
                self.peers.push(peer);
                self.peers.len() - 1
            }
        };
        let index = PeerIndex::try_from(index).expect("there are fewer event loops than ids");
        self.peer_of.insert(id, index);
        index
    }

    /// Something for this loop was made by itself: if the embedder may sleep, wake it.
    fn made_work(&mut self) {
        if std::mem::take(&mut self.armed) && !mutant("own-work-wakes-nobody") {
            self.shared.nudge();
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
