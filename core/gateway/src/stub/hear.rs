//! From what the browser sends to events.

use super::{Context, Port, SharedMessage, Stub, StubEvent, StubMessage};
use crate::window::Amount;
use crate::wire::frames::{Frame, Outgoing};
use crate::wire::lie::{Lie, Lied};
use crate::wire::number::{ContextNumber, Given, PortNumber};
use crate::wire::{Content, Down, Up, VERSION};
use bytes::Bytes;
use port_core::{ConnectKind, Listening, MessageFormat};

impl Stub {
    /// Returns the next event, or `None` when there is nothing more in what came.
    ///
    /// Each event is valid when it is handed out, and nothing is handed out for a port or a context that has ended.
    ///
    /// # Errors
    ///
    /// Says what no browser of this version sends. From then on every call says the same. The renderer should end.
    #[must_use = "an event that is dropped is lost"]
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<StubEvent>, Lie> {
        match self.take_event() {
            None => self.lied.map_or(Ok(None), Err),
            event => Ok(event),
        }
    }

    /// Returns the next event if it is a message that lies in what came, as most do, and `None` if it is another or
    /// there is none, which [`next_event`](Self::next_event) then tells. Allocates nothing, where an event has its
    /// payload in memory of its own. For scripts' sides that are done with a message before they take the next.
    ///
    /// ```
    /// # fn take(stub: &mut port_core_gateway::Stub) -> Result<(), port_core_gateway::Lie> {
    /// loop {
    ///     while let Some(message) = stub.next_message() {
    ///         println!("{:?}: {} bytes", message.port, message.content.payload.len());
    ///     }
    ///     match stub.next_event()? {
    ///         Some(event) => println!("{event:?}"),
    ///         None => return Ok(()),
    ///     }
    /// }
    /// # }
    /// ```
    #[inline]
    pub fn next_message(&mut self) -> Option<StubMessage<'_>> {
        let is_first = self.shared.is_none() && self.room.is_empty();
        if !is_first || self.lied.is_some() || self.bounds.is_none() {
            return None;
        }
        let frame = self.incoming.peek()?;
        let (length, (port, content)) = (frame.len(), Down::read_message(frame)?);
        let Content { payload, format, user_activation } = content;
        let payload = payload.len();
        // Another's, or that of a port that has ended, is for `next_event` to find.
        let known = self.ports.get_mut(&port)?;
        let context = known.context;
        if let Some(taken) = known.take(payload, self.window) {
            tell_taken(&mut self.outgoing, port, taken);
        }
        let payload = self.incoming.take_peeked(length, payload);
        Some(StubMessage { context, port, content: Content { payload, format, user_activation } })
    }

    /// Returns the next event. If it is none because the browser lied, that is noted.
    ///
    /// A message, which is most of what comes, is read in here, and inlined with this: an event that was just put
    /// together from small stores waits for them wherever it is moved.
    #[inline(always)]
    pub(crate) fn take_event(&mut self) -> Option<StubEvent> {
        if let Some(StubMessage { context, port, content }) = self.next_message() {
            let Content { payload, format, user_activation } = content;
            let payload = Bytes::copy_from_slice(payload);
            return Some(StubEvent::Message { context, port, payload, format, user_activation });
        }
        self.take_any_event()
    }

    #[inline(never)]
    fn take_any_event(&mut self) -> Option<StubEvent> {
        if self.lied.is_some() {
            return None;
        }
        if self.shared.is_some() || !self.room.is_empty() {
            let waiting = self.next_copy().or_else(|| self.next_room());
            if waiting.is_some() {
                return waiting;
            }
        }
        loop {
            let at = self.incoming.at();
            let heard = match self.incoming.next(&mut &[][..], usize::MAX) {
                Ok(None) => return None,
                Ok(Some(frame)) => match Down::read_message(frame.bytes()) {
                    Some((port, content)) if self.bounds.is_some() => {
                        let Content { payload, format, user_activation } = content;
                        let payload = frame.keep(payload);
                        self.hear_message(port, payload, format, user_activation)
                    }
                    _ => {
                        let frame = frame.into_own();
                        self.hear(&frame)
                    }
                },
                Err(lie) => {
                    self.lied = Some(lie);
                    return None;
                }
            };
            match heard {
                Ok(None) => {}
                Ok(event) => return event,
                Err(lied) => {
                    self.lied = Some(Lie::new(lied, at));
                    return None;
                }
            }
        }
    }

    fn hear_message(
        &mut self,
        port: PortNumber,
        payload: Bytes,
        format: MessageFormat,
        user_activation: bool,
    ) -> Result<Option<StubEvent>, Lied> {
        let Some(known) = self.ports.get(&port) else { return self.numbers.was_port(port).map(|()| None) };
        let context = known.context;
        self.count_taken(port, payload.len());
        Ok(Some(StubEvent::Message { context, port, payload, format, user_activation }))
    }

    /// Returns the message that came for several ports, for the next of those that are open still.
    fn next_copy(&mut self) -> Option<StubEvent> {
        let shared = self.shared.as_mut()?;
        while let Some(port) = shared.ports.pop() {
            if let Some(known) = self.ports.get(&port) {
                let (context, payload) = (known.context, shared.payload.clone());
                let (format, user_activation) = (shared.format, shared.user_activation);
                self.count_taken(port, payload.len());
                return Some(StubEvent::Message { context, port, payload, format, user_activation });
            }
        }
        self.shared = None;
        None
    }

    /// Counts a message that is handed out, and tells the browser what it has to be told.
    fn count_taken(&mut self, port: PortNumber, bytes: usize) {
        let taken = self.ports.get_mut(&port).and_then(|known| known.take(bytes, self.window));
        if let Some(taken) = taken {
            tell_taken(&mut self.outgoing, port, taken);
        }
    }

    /// Returns the next port that has room again.
    fn next_room(&mut self) -> Option<StubEvent> {
        while let Some(port) = self.room.pop_front() {
            if let Some(known) = self.ports.get(&port) {
                return Some(StubEvent::Room { context: known.context, port });
            }
        }
        None
    }

    #[inline(never)]
    fn hear(&mut self, frame: &Frame<'_>) -> Result<Option<StubEvent>, Lied> {
        let down = Down::read(frame.bytes())?;
        if matches!(down, Down::Hello { .. }) == self.bounds.is_some() {
            return Err(Lied::Greeting);
        }
        let event = match down {
            Down::Hello { version: VERSION, bounds, window } => {
                self.bounds = Some(bounds);
                self.window = Amount::of_window(window);
                None
            }
            Down::Hello { .. } => return Err(Lied::Version),
            Down::Grant { context, kind, label } => {
                if self.numbers.contexts.given(context.to_bits()) != Given::Next {
                    return Err(Lied::Turn);
                }
                self.numbers.contexts.give();
                self.contexts
                    .insert(context, Context { kind, attached: false, listening: Listening::none() });
                Some(StubEvent::Granted { context, kind, label: frame.keep(label) })
            }
            Down::Revoke { context } => {
                self.numbers.was_context(context)?;
                // Race: it was attached or detached meanwhile.
                let unused = self.contexts.get(&context).is_some_and(|context| !context.attached);
                if unused {
                    self.contexts.remove(&context);
                }
                unused.then_some(StubEvent::Revoked { context })
            }
            Down::AttachRefused { context, error } => {
                self.ended(context)?.map(|ports| StubEvent::AttachRefused { context, error, ports })
            }
            Down::ContextGone { context, reason } => {
                self.ended(context)?.map(|ports| StubEvent::ContextGone { context, reason, ports })
            }
            Down::Connect { context, port, kind, undecided, external, name, sender } => {
                self.numbers.was_context(context)?;
                if self.numbers.accepted.given(port.to_bits()) != Given::Next {
                    return Err(Lied::Turn);
                }
                self.numbers.accepted.give();
                // Race: the context was detached meanwhile, which answers too.
                let asked = if undecided { self.decide(context, port, kind, external) } else { Some(false) };
                self.attached(context).and(asked).map(|undecided| {
                    self.ports.insert(port, Port { undecided, ..Port::new(context) });
                    let (name, sender) = (name.into(), Box::new(sender));
                    StubEvent::Connect { context, port, kind, name, sender, external, undecided }
                })
            }
            // Read where frames are taken; here it comes before the greeting alone.
            Down::Message { .. } => return Err(Lied::Greeting),
            Down::MessageToSeveral { ports, content } => {
                // No more are looked through than were given.
                self.numbers.was_port(ports.last())?;
                let Content { payload, format, user_activation } = content;
                let mut ports: Vec<_> = ports.iter().filter(|port| self.ports.contains_key(port)).collect();
                ports.reverse();
                let payload = frame.keep(payload);
                self.shared = Some(SharedMessage { ports, payload, format, user_activation });
                self.next_copy()
            }
            Down::End { port, reason, not_listening } => self.live_port(port)?.map(|context| {
                self.ports.remove(&port);
                StubEvent::Disconnect { context, port, reason, not_listening }
            }),
            Down::PortCredit { port, messages, bytes } => {
                self.live_port(port)?;
                if let Some(known) = self.ports.get_mut(&port) {
                    known.under_way.subtract(Amount { messages, bytes });
                }
                self.find_room()
            }
            Down::Credit { messages, bytes } => {
                self.under_way.subtract(Amount { messages, bytes });
                self.find_room()
            }
        };
        Ok(event)
    }

    /// Answers a connection by what its context listens for now, unless that asks. Returns whether its script is to
    /// decide; `None` if nobody hears of the connection.
    fn decide(
        &mut self,
        context: ContextNumber,
        port: PortNumber,
        kind: ConnectKind,
        external: bool,
    ) -> Option<bool> {
        let Context { attached: true, listening, .. } = *self.contexts.get(&context)? else { return None };
        if listening.asks {
            return Some(true);
        }
        let listens = match (kind, external) {
            (ConnectKind::OneOff, false) => listening.one_off,
            (ConnectKind::OneOff, true) => listening.external_one_off,
            (_, false) => listening.ports,
            (_, true) => listening.external_ports,
        };
        self.send(if listens { Up::Accept { port } } else { Up::Refuse { port } });
        // Race: the listener was removed while the connection was on its way.
        listens.then_some(false)
    }

    /// Forgets a context that the browser ended. Returns its ports; `None` if it was ended here as well.
    fn ended(&mut self, context: ContextNumber) -> Result<Option<Vec<PortNumber>>, Lied> {
        self.numbers.was_context(context)?;
        Ok(self.attached(context).map(|_| self.forget(context)))
    }

    /// Returns the context of a port; `None` if it was one and is no more.
    fn live_port(&self, port: PortNumber) -> Result<Option<ContextNumber>, Lied> {
        if let Some(port) = self.ports.get(&port) {
            return Ok(Some(port.context));
        }
        self.numbers.was_port(port).map(|()| None)
    }

    /// Finds the ports that were refused a post and have room now. Returns the first one's event.
    fn find_room(&mut self) -> Option<StubEvent> {
        let bounds = self.bounds?;
        if !self.under_way.is_below(bounds.of_connection()) {
            return None;
        }
        let (ports, room) = (&mut self.ports, &mut self.room);
        self.refused.retain(|number| {
            let Some(port) = ports.get_mut(number) else { return false };
            if port.under_way.is_below(bounds.of_port()) {
                port.refused = false;
                room.push_back(*number);
            }
            port.refused
        });
        self.next_room()
    }
}

/// Tells the browser how much the scripts took of a port.
#[cold]
fn tell_taken(outgoing: &mut Outgoing, port: PortNumber, Amount { messages, bytes }: Amount) {
    Up::Taken { port, messages, bytes }.write(outgoing.end());
}
