//! Port core: the messaging core that a native browser embeds so that
//! [WebExtensions ports](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/Port)
//! work between its threads: `tabs.connect()`, `runtime.connect()`,
//! `runtime.onConnect`, `postMessage` and `disconnect`.
//!
//! The core carries bytes and decides who is connected to whom. It has no script engine, no I/O, no threads and
//! no timers of its own, and no global state but the two counters that make ids unique in the process. The browser
//! tells it **facts** (a frame shows another document, an extension was unloaded)
//! and makes **calls** (connect, post, disconnect); it gives back **events**.
//!
//! - [`MessageService`] takes the facts, from any thread, and makes event loops.
//! - [`EventLoop`] belongs to one thread that runs script: contexts are attached
//!   to it, calls are made on it, events are taken from it. Two event loops that talk
//!   are joined by two lock-free lanes, one per direction; ports are plain data at
//!   either end, so ten thousand idle ones cost memory and no time.
//! - [`Event`] is what a context hears: connected, message, disconnected.
//! - [`Limits`] bound what is held; [`Policies`] choose between browsers' behaviours where these differ.
//!
//! # When not to use it
//!
//! - As a general channel. Several producers, values of any type, or a blocking send call for
//!   [crossbeam](https://docs.rs/crossbeam-channel), [flume](https://docs.rs/flume) or
//!   [tokio's channels](https://docs.rs/tokio/latest/tokio/sync/index.html); one producer and one consumer of a
//!   plain type, for [rtrb](https://docs.rs/rtrb), which is smaller.
//! - Between processes that share it: records hold pointers and trust the ids in them. Renderer processes are carried by the package
//!   `port-core-gateway`, which leaves the core in one process, whole.
//! - Where a thread must block until the other side has heard its message. A post returns once the message lies in
//!   the lanes; only an answer tells that it was heard.
//!
//! # Guarantees
//!
//! - **Delivery.** A message whose post returned `Ok` reaches every receiver still
//!   connected, exactly once, in order, before that receiver's disconnect. After a
//!   kill from outside (a closed tab, a hung thread) receivers get a prefix.
//! - **One end.** A port ends at most once; the side that called
//!   [`disconnect`](EventLoop::disconnect) hears nothing; nothing follows the end.
//! - **No half-open port.** A connect that races with anything going away gives a
//!   connection that is closed later, or "no receiver".
//! - **No lost wake-up**, and at most one wake for each time that the loop said "nothing".
//! - **Order.** What one event loop sends to one context on connections that one extension's contexts opened arrives in
//!   the order of the calls, across ports, connects, messages and disconnects. Not across senders, and not causally
//!   through a third loop: if A posts to C, then to B, and B answers by posting to C, then C may hear B first.
//! - **Bounds.** A refused call gives the message back, says why, and holds up nothing else.
//! - **Isolation.** A context reaches its own extension instance, and others that admit it; `sender` is what the browser said.
//! - **Nothing lost or leaked** in any order of teardown; a payload is dropped once,
//!   also when a destructor panics, or a waker, or what they panic with.
//! - **Hung threads** keep nobody waiting once they are declared gone: peers hear it,
//!   after what was already sent.
//! - **Fairness.** Every sender has its turn in bounded batches, the loop itself included.
//!
//! # Happens-before
//!
//! Everything a thread did before [`post_message`](EventLoop::post_message),
//! a connect or a disconnect is visible to the thread that takes the event it caused. What
//! a thread did before it reported a fact is visible to the thread that hears the end that the fact caused.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | tab, frame, document | A tab holds frames, each of which shows one document at a time. |
//! | extension, instance | An extension is known by its id; each load of it is another instance. |
//! | context | Where script runs: an extension's content scripts in one document, its background, or one of its pages. A page of the web is one too, of no extension. |
//! | event loop | One thread's part of the core: the contexts that live on the thread, and their ports. |
//! | opener, receiver | The context that connects, and one that takes the connection. |
//! | port | One end of a connection: a `runtime.Port` of one context. |
//! | channel | What joins an opener's port to its receivers on one event loop. |
//! | lane | A queue from one event loop to another. All channels between the two share it. |
//! | fact | Something that the browser reports to the service, such as a closed tab. |
//! | kill, detach | A fact ends a context from outside; its own event loop detaches it. |
//! | window | A bound on what one side of a port may have under way. |
//!
//! # Rooms
//!
//! A file at the root of `src` holds what an embedder names. A folder is private, and uses only those above it here:
//!
//! | room | holds | its nouns |
//! |---|---|---|
//! | `sync` | atomics, locks and maps: the standard library's, or loom's in models | **paired fence**: two fences, of which one is cheap. **Mutant**: a known mistake that a model must notice |
//! | `concurrent` | lanes, bells and wake-ups: the orderings, and the unsafe code that goes with them | **segment**: a ring of slots. **Slot**: a cache line for one record or a piece of its **tail**. **Turn**: a round through a segment. **Cursor**: where a reader stands. **Frontier**: where what a lane held ended. **Line**: one source of work. **Arm**: ask to be rung. **Ring**: tell an armed loop of work |
//! | `index` | who is where: tabs, frames, documents, extensions, contexts | **mark**: says that a context was killed or detached |
//! | `wire` | what event loops say to each other | **record**: one entry of a lane. **Signal**: a record without payload. **Route**: which way a record goes. **Ordinal**: a receiver's number in its channel. **Credit**: how much the other side has taken. **Announcement**, **farewell**: a context's key becomes known to a peer, or is forgotten |
//! | `shared` | what threads share under locks | **notice**: something rare that a loop must know. **Registry**: a loop's peers and contexts |
//! | `event_loop` | what one thread owns | **peer**: another event loop, or the loop itself. **Leg**: an opener's part of a channel. **Target**: a receiver as its leg knows it. **Key**: a slot of a slab and its generation. **Slot**: the memory that an event is written into. **Cut**: the end of what a peer sent before a fact. **Fan-out**: one message to several receivers |
//!
//! # Features
//!
//! - `stream` (off by default): [`EventLoop::events`](crate::EventLoop), a `futures_core::Stream`.
//!
//! # Two threads
//!
//! ```
//! use port_core::*;
//! use std::{task::Waker, thread};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = MessageService::default();
//! let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
//! let (tab, document) = (TabId::new(7), DocumentId::new(1));
//! service.tab_opened(tab, WindowId::new(1))?;
//! service.frame_attached(tab, FrameId::TOP, None, document)?;
//!
//! // The page's thread: a content script that answers.
//! let mut page = service.event_loop(Waker::noop().clone());
//! let place = Place::new(tab, FrameId::TOP, document);
//! let script = ContextDescription::content_script(extension, place)
//!     .url("https://example.org/")
//!     .origin("https://example.org");
//! let script = page.attach(script)?;
//! page.set_listening(script, Listening::PORTS)?;
//! let renderer = thread::spawn(move || loop {
//!     match page.wait() {
//!         Event::Message { port, payload, .. } => page.post_message(port, &*payload).unwrap(),
//!         Event::Disconnect { .. } => break,
//!         _ => {}
//!     }
//! });
//!
//! // The background's thread.
//! let mut event_loop = service.event_loop(Waker::noop().clone());
//! let background = ContextDescription::background(extension)
//!     .url("extension://greeter/background.js")
//!     .origin("extension://greeter");
//! let background = event_loop.attach(background)?;
//! let port = event_loop.connect_tab(background, &TabTarget::new(tab).name("echo"))?;
//! event_loop.post_message(port, "hello")?;
//! let Event::Message { payload, .. } = event_loop.wait() else { panic!("expected the echo") };
//! assert_eq!(&*payload, b"hello");
//! event_loop.disconnect(port);
//! renderer.join().unwrap();
//! # Ok(())
//! # }
//! ```

/// Includes the README, so that the tests compile its code.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod activity;
mod background;
mod concurrent;
mod contain;
mod description;
mod error;
mod event;
mod event_loop;
mod ids;
mod index;
mod limits;
mod message;
// In the package of the models, for which alone the crate is compiled with this cfg.
#[cfg(port_core_model)]
#[path = "../../loom-tests/src/model.rs"]
pub mod model;
mod name;
mod payload;
mod policy;
mod reason;
mod sender;
mod service;
mod shared;
mod snapshot;
mod sync;
mod target;
mod wire;

pub use activity::{ActivePort, Activity};
pub use bytes;
pub use description::{
    ContextDescription, ContextKind, DocumentLifecycle, ExtensionDescription, ExternalConnections, Place,
};
pub use error::{AttachError, ConnectError, ContextError, FactError, PostError, PostErrorKind};
pub use event::{EndedPort, Event, ReceivingPort};
pub use event_loop::EventLoop;
#[cfg(feature = "stream")]
pub use event_loop::stream::Events;
pub use ids::{
    ContextId, DocumentId, EventLoopId, ExtensionId, ExtensionInstance, FrameId, PortId, TabId, WindowId,
};
pub use limits::Limits;
pub use message::{Message, MessageFormat};
pub use name::PortName;
pub use payload::{INLINE_BYTES, Payload};
pub use policy::{
    BackForwardCache, ConnectListeners, DiscardedTab, DocumentTarget, FanOutOrder, OpeningPort, Policies,
    ReceiverDisconnects, ReceiverLost, SenderFields,
};
pub use reason::DisconnectReason;
pub use sender::Sender;
pub use service::{MessageService, MessageServiceBuilder};
pub use snapshot::{
    BackgroundState, ContextSnapshot, EventLoopSnapshot, ExtensionSnapshot, FrameSnapshot, LaneSnapshot,
    PortEnd, PortSnapshot, PortStatus, Queued, ServiceSnapshot, TabSnapshot,
};
pub use target::{ConnectKind, Listening, RuntimeTarget, TabTarget};
