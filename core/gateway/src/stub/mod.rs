//! The renderer's end of the connection to the browser.

mod event;
mod hear;

pub use event::{StubEvent, StubMessage};

use crate::bounds::Bounds;
use crate::window::Amount;
use crate::wire::frames::{Incoming, Outgoing};
use crate::wire::lie::Lie;
use crate::wire::number::{ContextNumber, Numbering, PortNumber};
use crate::wire::{Content, InTab, OfExtension, Up, VERSION};
use bytes::Bytes;
use foldhash::HashMap;
use port_core::{ConnectError, ContextError, ContextKind, Listening, MessageFormat, PostErrorKind};
use std::collections::VecDeque;
use std::fmt;

/// A renderer's end of the connection to the browser: what an [`EventLoop`](port_core::EventLoop) is to a thread of
/// the browser, with the same calls and events. The event loop itself is in the browser. Does no input and output:
/// bytes go in and come out.
///
/// It belongs to the thread that talks to the browser; an embedder that runs scripts on several threads distributes
/// to them.
///
/// A call writes to the [output](Self::output) and returns at once; the embedder sends what waits there when a
/// script's turn ends. What the browser finds wrong with a call comes as an event. A post is refused while too much
/// is on its way (see [`Bounds`]).
///
/// What was posted and not yet sent, or lay in the browser because a receiver was far behind, is lost when the
/// process ends; receivers get what came before it.
pub struct Stub {
    incoming: Incoming,
    outgoing: Outgoing,
    /// `None` until the browser has told them, before it grants anything.
    bounds: Option<Bounds>,
    /// What may be under way to a port here; `None` if nobody counts.
    window: Option<Amount>,
    lied: Option<Lie>,
    contexts: HashMap<ContextNumber, Context>,
    ports: HashMap<PortNumber, Port>,
    numbers: Numbering,
    /// What is on its way on the whole connection.
    under_way: Amount,
    /// The ports on which a post was refused, and which wait for room.
    refused: Vec<PortNumber>,
    /// A message that several ports receive one after the other.
    shared: Option<SharedMessage>,
    /// The ones that have room and whose scripts are to be told.
    room: VecDeque<PortNumber>,
}

#[derive(Debug)]
struct Context {
    kind: ContextKind,
    attached: bool,
    listening: Listening,
}

#[derive(Debug)]
struct Port {
    context: ContextNumber,
    /// The script is to say whether it takes the connection.
    undecided: bool,
    under_way: Amount,
    /// What was handed out, and the browser is yet to be told.
    taken: Amount,
    /// A post was refused, and the script was not yet told that there is room.
    refused: bool,
}

/// A message that came once for several ports, some of which have yet to receive it.
struct SharedMessage {
    /// Those, the next one last.
    ports: Vec<PortNumber>,
    payload: Bytes,
    format: MessageFormat,
    user_activation: bool,
}

/// While so many bytes lie unread, no more are wanted.
const INPUT_BYTES: usize = 256 << 10;

impl Stub {
    /// Makes the end of a connection to the browser.
    #[must_use]
    pub fn new() -> Self {
        let mut outgoing = Outgoing::default();
        Up::Hello { version: VERSION }.write(outgoing.end());
        Self {
            incoming: Incoming::default(),
            outgoing,
            bounds: None,
            window: None,
            lied: None,
            contexts: HashMap::default(),
            ports: HashMap::default(),
            numbers: Numbering::NEW,
            under_way: Amount::default(),
            refused: Vec::new(),
            shared: None,
            room: VecDeque::new(),
        }
    }

    // Contexts.

    /// Attaches a context that was [granted](StubEvent::Granted), as
    /// [`EventLoop::attach`](port_core::EventLoop::attach). It may be used at once. If what it was granted for has
    /// ended, [`StubEvent::AttachRefused`] says so.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext) if there is no such grant, or it was used or revoked.
    pub fn attach(&mut self, context: ContextNumber) -> Result<(), ContextError> {
        let granted = self.contexts.get_mut(&context).filter(|granted| !granted.attached);
        granted.ok_or(ContextError::UnknownContext)?.attached = true;
        self.send(Up::Attach { context });
        Ok(())
    }

    /// Detaches a context, as [`EventLoop::detach`](port_core::EventLoop::detach): its ports end, without an event on
    /// this side.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext).
    pub fn detach(&mut self, context: ContextNumber) -> Result<(), ContextError> {
        self.attached(context).ok_or(ContextError::UnknownContext)?;
        self.forget(context);
        self.send(Up::Detach { context });
        Ok(())
    }

    /// Sets which kinds of connection a context has listeners for, as
    /// [`EventLoop::set_listening`](port_core::EventLoop::set_listening). The browser hears it a little later. A
    /// connection that crosses it is answered here when it is read, by what the context listens for then; nothing is
    /// handed out if it is refused. Only where each listener has [a port of its
    /// own](port_core::ConnectListeners::PortForEach), and there are several, is a connection that crosses it taken all
    /// the same.
    ///
    /// If the context [asks](Listening::asks), each connection is handed out as a question, for
    /// [`accept`](Self::accept) and [`refuse`](Self::refuse).
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ContextError::UnknownContext).
    pub fn set_listening(
        &mut self,
        context: ContextNumber,
        listening: Listening,
    ) -> Result<(), ContextError> {
        let known = self.contexts.get_mut(&context).filter(|context| context.attached);
        known.ok_or(ContextError::UnknownContext)?.listening = listening;
        // One port is asked about, and several listeners may have one each.
        let listening = listening.asks(listening.asks || listening.listeners <= 1);
        self.send(Up::Listen { context, listening });
        Ok(())
    }

    /// Returns the open ports of a context, in no particular order. Looks through all ports.
    pub fn ports(&self, context: ContextNumber) -> impl Iterator<Item = PortNumber> {
        self.ports.iter().filter_map(move |(number, port)| (port.context == context).then_some(*number))
    }

    // Connecting.

    /// Connects a background or page context to its extension's contexts in a tab, as
    /// [`EventLoop::connect_tab`](port_core::EventLoop::connect_tab). Messages may be posted right away.
    ///
    /// # Errors
    ///
    /// [`UnknownContext`](ConnectError::UnknownContext), [`NotAllowed`](ConnectError::NotAllowed) for a content
    /// script or a page of the web, [`Busy`](ConnectError::Busy) while too much is on its way, [`NameTooLong`](ConnectError::NameTooLong)
    /// for a name longer than a message may be. If the browser refuses, or the context holds as many ports as it may,
    /// the port ends with [`LimitReached`](port_core::DisconnectReason::LimitReached).
    pub fn connect_tab(
        &mut self,
        opener: ContextNumber,
        target: &InTab<'_>,
    ) -> Result<PortNumber, ConnectError> {
        let kind = self.attached(opener).ok_or(ConnectError::UnknownContext)?;
        if !target.is_open_to(kind) {
            return Err(ConnectError::NotAllowed);
        }
        self.open(opener, target.name.len(), |context, port| Up::ConnectTab {
            context,
            port,
            target: *target,
        })
    }

    /// Connects a context to the background and pages of an extension, as
    /// [`EventLoop::connect_runtime`](port_core::EventLoop::connect_runtime). Everything else is as for
    /// [`connect_tab`](Self::connect_tab).
    ///
    /// # Errors
    ///
    /// As for [`connect_tab`](Self::connect_tab), but `NotAllowed` for a page of the web that names no extension.
    pub fn connect_runtime(
        &mut self,
        opener: ContextNumber,
        target: &OfExtension<'_>,
    ) -> Result<PortNumber, ConnectError> {
        let kind = self.attached(opener).ok_or(ConnectError::UnknownContext)?;
        if !target.is_open_to(kind) {
            return Err(ConnectError::NotAllowed);
        }
        let bytes = target.name.len() + target.extension.map_or(0, str::len);
        self.open(opener, bytes, |context, port| Up::ConnectRuntime { context, port, target: *target })
    }

    fn open<'a>(
        &mut self,
        opener: ContextNumber,
        bytes: usize,
        frame: impl FnOnce(ContextNumber, PortNumber) -> Up<'a>,
    ) -> Result<PortNumber, ConnectError> {
        // A context is granted after the bounds were told.
        let bounds = self.bounds.ok_or(ConnectError::UnknownContext)?;
        if bytes > bounds.message_bytes as usize {
            return Err(ConnectError::NameTooLong);
        }
        if !self.under_way.is_below(bounds.of_connection()) {
            return Err(ConnectError::Busy);
        }
        self.under_way.add(bytes);
        let port = PortNumber::from_bits(self.numbers.opened.give());
        self.ports.insert(port, Port::new(opener));
        self.send(frame(opener, port));
        Ok(port)
    }

    /// Takes a connection that was handed out as a question, as [`EventLoop::accept`](port_core::EventLoop::accept). To
    /// post on the port does the same. Returns whether there was a decision to make here.
    pub fn accept(&mut self, port: PortNumber) -> bool {
        let known = self.ports.get_mut(&port);
        let undecided = known.is_some_and(|known| std::mem::take(&mut known.undecided));
        if undecided {
            self.send(Up::Accept { port });
        }
        undecided
    }

    /// Refuses a connection that was handed out as a question, as [`EventLoop::refuse`](port_core::EventLoop::refuse).
    /// To disconnect the port does the same. Returns whether there was a decision to make here.
    pub fn refuse(&mut self, port: PortNumber) -> bool {
        let undecided = self.ports.get(&port).is_some_and(|port| port.undecided);
        if undecided {
            self.ports.remove(&port);
            self.send(Up::Refuse { port });
        }
        undecided
    }

    /// Ends a port, as [`EventLoop::disconnect`](port_core::EventLoop::disconnect): this side hears nothing more of
    /// it. Returns whether it was open.
    pub fn disconnect(&mut self, port: PortNumber) -> bool {
        let Some(known) = self.ports.remove(&port) else { return false };
        self.send(if known.undecided { Up::Refuse { port } } else { Up::Disconnect { port } });
        true
    }

    // Posting.

    /// Posts a message on a port, as [`EventLoop::post_message`](port_core::EventLoop::post_message). Copies it to
    /// the output.
    ///
    /// # Errors
    ///
    /// [`Disconnected`](PostErrorKind::Disconnected); [`TooLarge`](PostErrorKind::TooLarge);
    /// [`WindowFull`](PostErrorKind::WindowFull) while too much is on its way, on this port or on the whole
    /// connection: [`StubEvent::Room`] tells when there is room again. A refused post changes nothing.
    pub fn post_message<'a>(
        &mut self,
        port: PortNumber,
        content: impl Into<Content<'a>>,
    ) -> Result<(), PostErrorKind> {
        let content = content.into();
        let bytes = content.payload.len();
        let known = self.ports.get_mut(&port).ok_or(PostErrorKind::Disconnected)?;
        let bounds = self.bounds.ok_or(PostErrorKind::Disconnected)?;
        if bytes > bounds.message_bytes as usize {
            return Err(PostErrorKind::TooLarge);
        }
        if !known.under_way.is_below(bounds.of_port()) || !self.under_way.is_below(bounds.of_connection()) {
            if !std::mem::replace(&mut known.refused, true) {
                self.refused.push(port);
            }
            return Err(PostErrorKind::WindowFull);
        }
        known.under_way.add(bytes);
        self.under_way.add(bytes);
        if known.undecided {
            self.accept(port);
        }
        Up::write_post(port, content, self.outgoing.end());
        Ok(())
    }

    /// Returns whether a port may be used: it has not ended, or its end was not yet handed out.
    #[must_use]
    pub fn is_open(&self, port: PortNumber) -> bool {
        self.ports.contains_key(&port)
    }

    /// Returns the context that holds a port; `None` if it is not open. Check this before you use a port whose number
    /// came from a script.
    #[must_use]
    pub fn context_of(&self, port: PortNumber) -> Option<ContextNumber> {
        self.ports.get(&port).map(|port| port.context)
    }

    // Bytes in, bytes out.

    /// Takes bytes that came from the browser; they may end anywhere. What they say is read as
    /// [events](Self::next_event) are taken.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.push(bytes);
    }

    /// Returns the buffer to append what comes from the browser to, with room for `least` bytes.
    #[cfg(unix)]
    pub(crate) fn room(&mut self, least: usize) -> &mut Vec<u8> {
        self.incoming.room(least)
    }

    /// Returns whether more bytes are wanted: not while many are there that no event was made of. Where the renderer
    /// then leaves them in the socket, the browser's end and the core hold back what comes after.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.incoming.is_partly_long() || self.incoming.unread() < INPUT_BYTES
    }

    /// Returns the bytes that wait to be sent to the browser.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.outgoing.waiting()
    }

    /// Takes note that the first `count` bytes of the output were sent.
    ///
    /// # Panics
    ///
    /// When there were not so many.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.sent(count);
    }

    /// Frees buffers that are empty. Meant for a thread that is about to sleep.
    pub fn trim(&mut self) {
        self.incoming.trim();
        self.outgoing.trim();
    }

    #[inline]
    fn send(&mut self, frame: Up<'_>) {
        frame.write(self.outgoing.end());
    }

    fn attached(&self, context: ContextNumber) -> Option<ContextKind> {
        self.contexts.get(&context).and_then(|context| context.attached.then_some(context.kind))
    }

    /// Forgets a context with its ports, which it returns in order.
    fn forget(&mut self, context: ContextNumber) -> Vec<PortNumber> {
        self.contexts.remove(&context);
        let mut ports: Vec<_> = self.ports(context).collect();
        ports.sort_unstable();
        for port in &ports {
            self.ports.remove(port);
        }
        ports
    }
}

impl Port {
    fn new(context: ContextNumber) -> Self {
        Self {
            context,
            undecided: false,
            under_way: Amount::default(),
            taken: Amount::default(),
            refused: false,
        }
    }

    /// Counts a message that is handed out. Returns what the browser is to be told, once it is half of the window, if
    /// there is one: who posts to the port may post as much again.
    fn take(&mut self, bytes: usize, window: Option<Amount>) -> Option<Amount> {
        let window = window?;
        self.taken.add(bytes);
        self.taken.is_half_of(window).then(|| std::mem::take(&mut self.taken))
    }
}

impl Default for Stub {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub")
            .field("contexts", &self.contexts.len())
            .field("ports", &self.ports.len())
            .field("output_bytes", &self.output().len())
            .finish_non_exhaustive()
    }
}
