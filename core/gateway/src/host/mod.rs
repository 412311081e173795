//! The browser's end of one renderer's connection.

mod calls;
mod events;
mod held;
mod posts;
mod table;

use crate::bounds::Bounds;
use crate::window::{Amount, Window};
use crate::wire::frames::{Incoming, Outgoing};
use crate::wire::lie::Lie;
use crate::wire::number::{ContextNumber, Numbering, PortNumber};
use crate::wire::{Down, VERSION};
use foldhash::HashMap;
use held::HeldCalls;
use port_core::{ContextDescription, EventLoop};
use std::fmt;
use table::{Context, Port, State};

/// The browser's end of one renderer's connection: turns what the renderer sends into calls on an event loop of its
/// own, and that loop's events into what is sent to the renderer. Does no input and output: bytes go in and come out.
///
/// It belongs to the thread that its [`EventLoop`] belongs to, which may have many. That thread
///
/// 1. hands in what came from the renderer ([`receive`](Self::receive)), while it is [wanted](Self::wants_input),
/// 2. gives each host its [`turn`](Self::turn), until none has anything to do,
/// 3. sends what [waits](Self::output), and says [how much](Self::sent) it could,
/// 4. [arms](Self::arm) each host, and sleeps until the renderer sends something, reads something, or a loop's waker
///    is called; while a host [wants to try again](Self::wants_retry), some milliseconds at most.
///
/// When the renderer's process has ended, hand in what it had sent, then [finish](Self::finish).
///
/// The renderer is not trusted. It names only contexts that it was [granted](Self::grant), and its own ports. What no
/// honest renderer sends is a [`Lie`]: the host has done nothing with it, and does nothing any more. End that
/// process.
pub struct Host {
    event_loop: EventLoop,
    bounds: Bounds,
    incoming: Incoming,
    outgoing: Outgoing,
    /// Whoever sends what waits asks for it in [pieces](Self::output_pieces).
    sends_pieces: bool,
    greeted: bool,
    lied: Option<Lie>,
    contexts: HashMap<ContextNumber, Context>,
    ports: HashMap<PortNumber, Port>,
    numbers: Numbering,
    /// All that came of posts and connects.
    window: Window,
    held: HeldCalls,
}

impl Host {
    /// Makes the end of a connection to a renderer that has just been started, on an event loop that has no context
    /// yet. The loop's waker is to wake the thread that gives this host its turns.
    #[must_use]
    pub fn new(mut event_loop: EventLoop, bounds: Bounds) -> Self {
        event_loop.group_receivers(true);
        event_loop.credit_when_taken(true);
        let bounds = bounds.message_bytes(bounds.message_bytes.min(Bounds::LONGEST_MESSAGE));
        let mut outgoing = Outgoing::default();
        Down::Hello { version: VERSION, bounds, window: event_loop.window() }.write(outgoing.end());
        Self {
            event_loop,
            bounds,
            incoming: Incoming::default(),
            outgoing,
            sends_pieces: false,
            greeted: false,
            lied: None,
            contexts: HashMap::default(),
            ports: HashMap::default(),
            numbers: Numbering::NEW,
            window: Window::default(),
            held: HeldCalls::default(),
        }
    }

    // What the browser says.

    /// Grants the renderer one context: an extension's, in a document that this process shows, or a background of it.
    /// The renderer is told, with `label`, which the embedder may fill as it likes. It may attach the context once.
    /// What receivers see of it as `sender` is this description, which never comes from the renderer.
    ///
    /// If the document or the extension ends before the renderer attaches the context, the grant is worth nothing. It
    /// takes memory until it is used or [revoked](Self::revoke). Allocates.
    ///
    /// # Panics
    ///
    /// On a label of 4 GiB or more.
    pub fn grant(&mut self, description: ContextDescription, label: &[u8]) -> ContextNumber {
        let context = ContextNumber::from_bits(self.numbers.contexts.give());
        let kind = description.kind();
        Down::Grant { context, kind, label }.write(self.outgoing.end());
        self.contexts.insert(context, Context::granted(description));
        context
    }

    /// Takes a grant back that the renderer has not used. Returns whether it had not.
    pub fn revoke(&mut self, context: ContextNumber) -> bool {
        let unused = matches!(self.contexts.get(&context), Some(Context { state: State::Granted(_), .. }));
        if unused {
            self.contexts.remove(&context);
            Down::Revoke { context }.write(self.outgoing.end());
        }
        unused
    }

    /// Sets whether the user is known to have activated the document of a context. A renderer's claim that a message
    /// was posted under user activation is passed on only while this is set; it is not at first. Returns whether
    /// there is such a context.
    pub fn set_user_activation(&mut self, context: ContextNumber, active: bool) -> bool {
        let context = self.contexts.get_mut(&context);
        context.map(|context| context.user_activation = active).is_some()
    }

    // Bytes in, bytes out.

    /// Takes bytes that came from the renderer, and makes the calls that they ask for, behind what the event loop has
    /// by now: a fact that was reported before the renderer sent them comes first. So this is a [`turn`](Self::turn)
    /// too. The bytes may end anywhere. What cannot be done yet because the renderer does not read waits, and no more is
    /// [wanted](Self::wants_input).
    ///
    /// # Errors
    ///
    /// Says what no honest renderer sends. From then on every call says the same, and does nothing.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Lie> {
        self.turn()?;
        self.receive_at_once(bytes)
    }

    /// Does what [`receive`](Self::receive) does, without the turn. For an embedder that took the event loop's events
    /// itself after the renderer sent these bytes.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn receive_at_once(&mut self, bytes: &[u8]) -> Result<(), Lie> {
        self.take_frames(bytes, false).map(drop)
    }

    /// Returns whether bytes from the renderer can be done something with now. While it does not read what waits for
    /// it, they are better left where they are.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.has_room()
    }

    /// Gives the host its turn: calls that were held are tried again, then what came and was not yet read is, then
    /// events are taken until there is none or [`Bounds::output_bytes`] wait. Returns whether anything was done.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn turn(&mut self) -> Result<bool, Lie> {
        let retried = self.retry_held();
        let mut busy = self.take_frames(&[], false)? || retried;
        while self.has_room() {
            // By reference: moving it costs as much as all the rest.
            let Some(event) = &self.event_loop.next_event_unarmed() else { break };
            self.tell(event);
            busy = true;
        }
        Ok(busy)
    }

    /// Arms the event loop, so that its waker is called for what comes from now on, and frees buffers that are empty.
    /// Returns whether the thread may sleep; if not, there was something, and the host wants another turn.
    pub fn arm(&mut self) -> bool {
        // Without room nothing would be taken. Once some was sent there is another turn, and this is asked again.
        if self.has_room()
            && let Some(event) = self.event_loop.next_event()
        {
            self.tell(&event);
            return false;
        }
        self.incoming.trim();
        self.outgoing.trim();
        true
    }

    /// Returns whether calls are held that the core was too far behind to take, and nothing tells when it can: the
    /// event that would waits behind others that the renderer does not read. Then the thread should not sleep for
    /// more than some milliseconds.
    #[must_use]
    pub fn wants_retry(&self) -> bool {
        !self.held.is_empty() && !self.has_room()
    }

    /// Returns the bytes that wait to be sent to the renderer.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.outgoing.waiting()
    }

    /// Has long payloads wait where they are. The output is in [pieces](Self::output_pieces) from then on, and
    /// [`output`](Self::output) the first of them.
    #[cfg(unix)]
    pub(crate) fn send_pieces(&mut self) {
        self.sends_pieces = true;
    }

    /// Returns the next two pieces of the bytes that wait to be sent. Both are empty when there is nothing more.
    #[cfg(unix)]
    pub(crate) fn output_pieces(&self) -> [&[u8]; 2] {
        self.outgoing.pieces()
    }

    /// Returns the memory of a long frame of which not all has come, if there is one, for bytes that come to be read into.
    /// They are then [received](Self::receive) with no others.
    #[cfg(unix)]
    pub(crate) fn room_for_long(&mut self, least: usize) -> Option<&mut Vec<u8>> {
        self.incoming.room_for_long(least)
    }

    /// Takes note that the first `count` bytes of the output were sent.
    ///
    /// # Panics
    ///
    /// When there were not so many.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.sent(count);
    }

    /// Does what is left to do when the renderer's process has ended: makes the calls of what had come whole, and
    /// drops the rest with what is still held. Then drop the host: its contexts end, and the other sides hear
    /// [`EventLoopGone`](port_core::DisconnectReason::EventLoopGone) after what it had sent. Or report first that the
    /// process [crashed](port_core::MessageService::event_loop_crashed), and they hear that.
    ///
    /// # Errors
    ///
    /// Says what no honest renderer sends, if that was among the last. What came before it is done.
    pub fn finish(&mut self) -> Result<(), Lie> {
        let taken = self.take_frames(&[], true);
        self.retry_held();
        taken.map(drop)
    }

    // Looking.

    /// Returns the event loop, to look at it, or for its id.
    #[must_use]
    pub fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    /// Returns how much this end holds, for a developer's panel or a test.
    #[must_use]
    pub fn snapshot(&self) -> HostSnapshot {
        let Amount { messages, bytes } = self.window.waiting();
        HostSnapshot {
            contexts: self.contexts.len(),
            ports: self.ports.len(),
            held_calls: self.held.count(),
            waiting_messages: messages,
            waiting_bytes: bytes,
            input_bytes: self.incoming.unread(),
            output_bytes: self.outgoing.len(),
        }
    }

    fn has_room(&self) -> bool {
        self.outgoing.has_room(&self.bounds)
    }
}

/// What a [`Host`] holds, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSnapshot {
    /// Contexts that are granted or attached.
    pub contexts: usize,
    /// Ports that the renderer has, by the last that it was told.
    pub ports: usize,
    /// Calls that the core would not take yet.
    pub held_calls: usize,
    /// Messages and connects that the core has not taken.
    pub waiting_messages: u32,
    /// The bytes of these.
    pub waiting_bytes: u64,
    /// Bytes that came and are not read.
    pub input_bytes: usize,
    /// Bytes that wait to be sent.
    pub output_bytes: usize,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("event_loop", &self.event_loop.id())
            .field("holds", &self.snapshot())
            .finish_non_exhaustive()
    }
}
