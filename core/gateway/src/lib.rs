//! Carries [`port_core`] to renderer processes that need not be trusted.
//!
//! The core stays in the browser's process, whole. For each renderer process there is an event loop in it, behind a
//! [`Host`], which turns what comes from the renderer into calls, and the loop's events into what is sent there. In
//! the renderer a [`Stub`] has the same calls and events. What goes between them are [frames](wire), over anything
//! that carries bytes in order: a socket, a pipe, the embedder's own transport.
//!
//! - [`Host`] and [`Stub`] do no input and output, run no thread and contain no unsafe code; they work on every
//!   system.
//! - [`unix`] carries them over a socket pair, and gives a thread's many hosts their turns. Elsewhere the transport
//!   is the embedder's.
//!
//! `docs/processes.md` has the protocol, what is a race and what is a lie, and the threats that are met.
//!
//! # What a renderer may do
//!
//! A renderer names contexts that the browser [granted](Host::grant) it, one by one, and its own ports. It says
//! nothing of who it is: `sender` is what the browser said when it granted the context. Whatever else it sends, it is
//! [caught](Lie), or has no effect but on itself. What it can make the browser hold is [bounded](Bounds).
//!
//! # Guarantees
//!
//! Those of the core hold across processes, with these differences.
//!
//! - **Delivery.** `Ok` at the stub means that the message is on its way. If the renderer's process dies, what it had
//!   not sent is lost, and so is what the browser held for receivers that were far behind; receivers get a prefix.
//! - **Order.** Calls are made in the browser in the order in which the stub was called. Where the core would not
//!   take one, what follows it to the same receivers waits, and the rest goes on. Receivers in one tab count as the
//!   same, and so do those in no tab. So the core's order holds, but for one case: a page of an extension in a tab
//!   that the same renderer reaches by `tabs.connect` *and* `runtime.connect` may hear the one before the other while
//!   some of it is held.
//! - **Errors.** A call is refused at once only where the renderer's end knows. What the browser finds comes as an
//!   event: a refused connect is a port that ends, with [`LimitReached`](port_core::DisconnectReason::LimitReached),
//!   or with [`BackForwardCache`](port_core::DisconnectReason::BackForwardCache) from a cached page.
//! - **Large messages.** One holds up what the same renderer sends or hears after it, for the sake of order, and
//!   nobody else.
//! - **Listening.** That a context listens is heard in the browser a little later. Whether it still does is answered
//!   by the stub when the connection is read there, or later by the [scripts' side](Stub::accept).
//!
//! # Two ends in one process
//!
//! ```
//! use port_core::*;
//! use port_core_gateway::{Bounds, Host, OfExtension, Stub, StubEvent};
//! use std::task::Waker;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = MessageService::default();
//! let extension = service.extension_loaded(ExtensionId::new("greeter@example"))?;
//! let (tab, document) = (TabId::new(7), DocumentId::new(1));
//! service.tab_opened(tab, WindowId::new(1))?;
//! service.frame_attached(tab, FrameId::TOP, None, document)?;
//!
//! // The browser's process: a background that listens, and the end of a renderer's connection.
//! let mut background = service.event_loop(Waker::noop().clone());
//! let context = background.attach(ContextDescription::background(extension))?;
//! background.set_listening(context, Listening::PORTS)?;
//! let mut host = Host::new(service.event_loop(Waker::noop().clone()), Bounds::default());
//! let place = Place::new(tab, FrameId::TOP, document);
//! host.grant(ContextDescription::content_script(extension, place).url("https://example.org/"), b"greeter in 1");
//!
//! // The renderer's process: a content script that connects.
//! let mut stub = Stub::new();
//! stub.receive(host.output());
//! host.sent(host.output().len());
//! let Some(StubEvent::Granted { context, .. }) = stub.next_event()? else { panic!("expected the grant") };
//! stub.attach(context)?;
//! let port = stub.connect_runtime(context, &OfExtension::own().name("greetings"))?;
//! stub.post_message(port, "hello")?;
//!
//! // The browser's process again.
//! host.receive(stub.output())?;
//! stub.sent(stub.output().len());
//! let Some(Event::Connect { sender, .. }) = background.next_event() else { panic!("expected the connect") };
//! assert_eq!((sender.url(), sender.tab()), ("https://example.org/", Some(tab)));
//! let Some(Event::Message { payload, .. }) = background.next_event() else { panic!("expected the message") };
//! assert_eq!(&*payload, b"hello");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod bounds;
mod host;
mod look_out;
mod stub;
#[cfg(unix)]
pub mod unix;
mod window;
pub mod wire;

pub use bounds::Bounds;
pub use host::{Host, HostSnapshot};
pub use look_out::LookOut;
pub use port_core;
pub use stub::{Stub, StubEvent, StubMessage};
pub use wire::lie::{Lie, Lied};
pub use wire::number::{ContextNumber, PortNumber};
pub use wire::{Content, InTab, OfExtension, SenderDescription};
