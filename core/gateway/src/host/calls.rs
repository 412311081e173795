//! From what the renderer sends to calls on its event loop.

use super::Host;
use super::held::{Call, HeldCall};
use super::table::{Port, Receivers, State};
use crate::wire::frames::{Frame, Incoming};
use crate::wire::lie::{Lie, Lied};
use crate::wire::number::{ContextNumber, Given, PortNumber};
use crate::wire::{Down, InTab, OfExtension, Up, VERSION};
use port_core::{
    ConnectError, ContextId, DisconnectReason, EventLoop, Listening, Message, PortId, PostErrorKind,
    RuntimeTarget, TabTarget,
};
use std::collections::HashSet;

impl Host {
    /// Makes the calls of the frames that came, `fresh` ones last, while there is room for answers or `to_the_end`.
    /// Returns whether there were any.
    pub(super) fn take_frames(&mut self, fresh: &[u8], to_the_end: bool) -> Result<bool, Lie> {
        if let Some(lie) = self.lied {
            return Err(lie);
        }
        if fresh.is_empty() && self.incoming.unread() == 0 {
            return Ok(false);
        }
        let mut incoming = std::mem::take(&mut self.incoming);
        let began = incoming.at();
        let taken = self.take_frames_of(&mut incoming, fresh, to_the_end);
        let any = incoming.at() > began;
        self.incoming = incoming;
        self.lied = taken.err();
        self.lied.map_or(Ok(any), Err)
    }

    fn take_frames_of(
        &mut self,
        incoming: &mut Incoming,
        mut fresh: &[u8],
        to_the_end: bool,
    ) -> Result<(), Lie> {
        let longest = self.bounds.longest_frame();
        while to_the_end || self.has_room() {
            let at = incoming.at();
            let Some(frame) = incoming.next(&mut fresh, longest)? else { break };
            if let Some(port) = self.take_frame(&frame).map_err(|lied| Lie::new(lied, at))? {
                self.post_more(port, incoming, &mut fresh, to_the_end);
            }
        }
        if !fresh.is_empty() {
            incoming.push(fresh);
        }
        Ok(())
    }

    /// Makes the call of a frame. If that is a post, returns on which port.
    #[inline(always)]
    fn take_frame(&mut self, frame: &Frame<'_>) -> Result<Option<PortNumber>, Lied> {
        match Up::read_post(frame.bytes()) {
            Some((port, content)) if self.greeted => self.post(port, content, frame).map(|()| Some(port)),
            _ => self.take_other(frame).map(|()| None),
        }
    }

    #[inline(never)]
    fn take_other(&mut self, frame: &Frame<'_>) -> Result<(), Lied> {
        let up = Up::read(frame.bytes())?;
        if matches!(up, Up::Hello { .. }) == self.greeted {
            return Err(Lied::Greeting);
        }
        match up {
            Up::Hello { version: VERSION } => self.greeted = true,
            Up::Hello { .. } => return Err(Lied::Version),
            Up::Attach { context } => self.attach(context)?,
            Up::Detach { context } => self.detach(context)?,
            Up::Listen { context, listening } => self.listen(context, listening)?,
            Up::ConnectTab { context, port, target } => self.connect_tab(context, port, target)?,
            Up::ConnectRuntime { context, port, target } => self.connect_runtime(context, port, target)?,
            // Read where frames are taken; here it comes before the greeting alone.
            Up::Post { .. } => return Err(Lied::Greeting),
            Up::Taken { port, messages, bytes } => self.taken(port, messages, bytes)?,
            Up::Accept { port } => self.accept(port)?,
            Up::Refuse { port } => self.refuse(port)?,
            Up::Disconnect { port } => self.disconnect(port)?,
        }
        Ok(())
    }

    fn attach(&mut self, number: ContextNumber) -> Result<(), Lied> {
        let Some(context) = self.contexts.get_mut(&number) else {
            // Race: the grant was revoked.
            return self.numbers.was_context(number);
        };
        let State::Granted(description) = &mut context.state else { return Err(Lied::Twice) };
        match self.event_loop.attach((**description).clone()) {
            Ok(id) => {
                // It was attached just now.
                let known = self.event_loop.set_context_data(id, number.to_bits());
                debug_assert_eq!(known, Ok(()));
                context.state = State::Attached(id);
            }
            Err(error) => {
                self.contexts.remove(&number);
                Down::AttachRefused { context: number, error }.write(self.outgoing.end());
            }
        }
        Ok(())
    }

    fn detach(&mut self, number: ContextNumber) -> Result<(), Lied> {
        let Some((id, _)) = self.attached(number)? else { return Ok(()) };
        if self.held.any_of(number) {
            if let Some(context) = self.contexts.get_mut(&number) {
                context.state = State::Detaching(id);
            }
            // Nobody is to connect to it while it waits. Unless a fact ended it.
            let _ = self.event_loop.set_listening(id, Listening::none());
        } else {
            self.detach_now(number);
        }
        Ok(())
    }

    /// Detaches a context of which no call is held.
    fn detach_now(&mut self, number: ContextNumber) {
        let Some(context) = self.contexts.remove(&number) else { return };
        let Some(id) = context.state.id() else { return };
        for port in self.event_loop.ports(id) {
            self.ports.remove(&PortNumber::from_bits(self.event_loop.port_data(port)));
        }
        // Race: a fact ended it first.
        let _ = self.event_loop.detach(id);
    }

    fn listen(&mut self, number: ContextNumber, listening: Listening) -> Result<(), Lied> {
        if let Some((id, _)) = self.attached(number)? {
            // Race: a fact ended it.
            let _ = self.event_loop.set_listening(id, listening);
        }
        Ok(())
    }

    fn connect_tab(&mut self, context: ContextNumber, port: PortNumber, to: InTab<'_>) -> Result<(), Lied> {
        let kind = self.attached(context)?.map(|(_, kind)| kind);
        if kind.is_some_and(|kind| !to.is_open_to(kind)) {
            return Err(Lied::NotAllowed);
        }
        let mut target = TabTarget::new(to.tab).name(to.name).kind(to.kind);
        if let Some(frame) = to.frame {
            target = target.frame(frame);
        }
        if let Some(document) = to.document {
            target = target.document(document);
        }
        self.connect(context, port, Receivers::InTab(to.tab), Call::ConnectTab(target), to.name.len())
    }

    fn connect_runtime(
        &mut self,
        context: ContextNumber,
        port: PortNumber,
        to: OfExtension<'_>,
    ) -> Result<(), Lied> {
        let kind = self.attached(context)?.map(|(_, kind)| kind);
        if kind.is_some_and(|kind| !to.is_open_to(kind)) {
            return Err(Lied::NotAllowed);
        }
        let target = to.extension.map_or_else(RuntimeTarget::own, RuntimeTarget::extension);
        let call = Call::ConnectRuntime(target.name(to.name).kind(to.kind));
        let bytes = to.name.len() + to.extension.map_or(0, str::len);
        self.connect(context, port, Receivers::Elsewhere, call, bytes)
    }

    fn connect(
        &mut self,
        context: ContextNumber,
        port: PortNumber,
        receivers: Receivers,
        call: Call,
        bytes: usize,
    ) -> Result<(), Lied> {
        let attached = self.attached(context)?.is_some();
        if self.numbers.opened.given(port.to_bits()) != Given::Next {
            return Err(Lied::Turn);
        }
        self.window.check(self.bounds.of_connection())?;
        self.numbers.opened.give();
        self.window.hold(bytes);
        if attached {
            self.ports.insert(port, Port::new(context, None, receivers));
            self.make(receivers, HeldCall { context, port, bytes, call });
        } else {
            // Race: the context was ended by a fact. So was the port, before it began.
            self.finish_call(bytes);
        }
        Ok(())
    }

    fn taken(&mut self, port: PortNumber, messages: u32, bytes: u64) -> Result<(), Lied> {
        let Some(entry) = self.ports.get(&port) else {
            // Race: the port ended meanwhile.
            return self.numbers.was_port(port);
        };
        let windowed = self.event_loop.window() != (None, None);
        // Nothing comes on a port that is yet to be connected, and nobody takes anything of one that he has ended.
        let known = entry.id.filter(|_| windowed && messages > 0 && !entry.closing);
        match known.is_some_and(|id| self.event_loop.taken(id, messages, bytes)) {
            true => Ok(()),
            false => Err(Lied::Taken),
        }
    }

    fn accept(&mut self, port: PortNumber) -> Result<(), Lied> {
        if let Some(id) = self.answered(port)? {
            // At once, also where calls to the opener are held: nobody hears anything of it. Race: a fact ended the context.
            self.event_loop.accept(id);
        }
        Ok(())
    }

    fn refuse(&mut self, port: PortNumber) -> Result<(), Lied> {
        match self.answered(port)? {
            // The core takes the disconnect of a port that nobody has taken for a refusal.
            Some(_) => self.disconnect(port),
            None => Ok(()),
        }
    }

    /// Notes the answer to a question. Returns the port's id in the core, unless it has ended meanwhile.
    fn answered(&mut self, port: PortNumber) -> Result<Option<PortId>, Lied> {
        let Some(entry) = self.ports.get_mut(&port) else {
            // Race: the opener ended it, or a fact its context.
            return self.numbers.was_port(port).map(|()| None);
        };
        if !std::mem::take(&mut entry.undecided) {
            return Err(Lied::Answer);
        }
        Ok(entry.id)
    }

    fn disconnect(&mut self, port: PortNumber) -> Result<(), Lied> {
        let Some(entry) = self.ports.get_mut(&port) else {
            // Race: it ended on both sides.
            return self.numbers.was_port(port);
        };
        if entry.undecided {
            return Err(Lied::Answer);
        }
        if std::mem::replace(&mut entry.closing, true) {
            // Nobody ends a port that he has ended.
            return Err(Lied::Port);
        }
        let (context, receivers) = (entry.context, entry.receivers);
        self.make(receivers, HeldCall { context, port, bytes: 0, call: Call::Disconnect });
        Ok(())
    }

    /// Makes a call now, or holds it: behind others to the same receivers, or because the core would not take it.
    pub(super) fn make(&mut self, receivers: Receivers, call: HeldCall) {
        let behind = self.held.any_to(receivers);
        let held = if behind { Some(call) } else { self.attempt(call) };
        if let Some(call) = held {
            self.held.push(receivers, call);
        }
    }

    /// Makes held calls that the core takes now. Returns whether there were any.
    pub(super) fn retry_held(&mut self) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let mut held = std::mem::take(&mut self.held);
        let any = held.retry(|call| self.attempt(call));
        self.held = held;
        if any {
            self.detach_released();
        }
        any
    }

    /// Detaches the contexts that waited for their last held call.
    fn detach_released(&mut self) {
        let detaching = |(number, context): (&ContextNumber, &super::Context)| {
            matches!(context.state, State::Detaching(_)).then_some(*number)
        };
        let detaching: Vec<_> = self.contexts.iter().filter_map(detaching).collect();
        if detaching.is_empty() {
            return;
        }
        let waiting: HashSet<_> = self.held.contexts().collect();
        for context in detaching.into_iter().filter(|context| !waiting.contains(context)) {
            self.detach_now(context);
        }
    }

    /// Makes a call. Gives it back if the core would not take it now.
    fn attempt(&mut self, held: HeldCall) -> Option<HeldCall> {
        let HeldCall { context, port, bytes, call } = held;
        match call {
            Call::ConnectTab(target) => {
                self.open(context, port, |event_loop, opener| event_loop.connect_tab(opener, &target));
                self.finish_call(bytes);
            }
            Call::ConnectRuntime(target) => {
                self.open(context, port, |event_loop, opener| event_loop.connect_runtime(opener, &target));
                self.finish_call(bytes);
            }
            Call::Post(message) => {
                if let Some(message) = self.post_to_core(port, message) {
                    return Some(HeldCall { context, port, bytes, call: Call::Post(message) });
                }
                self.finish_post(port, bytes);
            }
            Call::Disconnect => {
                if let Some(Port { id: Some(id), .. }) = self.ports.remove(&port) {
                    self.event_loop.disconnect(id);
                }
            }
        }
        None
    }

    /// Connects for a port that is in the table.
    fn open(
        &mut self,
        context: ContextNumber,
        port: PortNumber,
        connect: impl FnOnce(&mut EventLoop, ContextId) -> Result<PortId, ConnectError>,
    ) {
        let opener = self.contexts.get(&context).and_then(|context| context.state.id());
        match opener.map(|opener| connect(&mut self.event_loop, opener)) {
            Some(Ok(id)) => {
                // It was opened just now.
                let open = self.event_loop.set_port_data(id, port.to_bits());
                debug_assert!(open);
                if let Some(entry) = self.ports.get_mut(&port) {
                    entry.id = Some(id);
                }
            }
            // Race: a fact ended the context; the renderer hears that, and nothing of its ports.
            None | Some(Err(ConnectError::UnknownContext | ConnectError::Gone)) => {
                self.ports.remove(&port);
            }
            Some(Err(ConnectError::Cached)) => self.end(port, DisconnectReason::BackForwardCache),
            Some(Err(_)) => self.end(port, DisconnectReason::LimitReached),
        }
    }

    /// Posts a message that may have been held. Gives it back if the core would not take it now.
    fn post_to_core(&mut self, port: PortNumber, message: Message<'static>) -> Option<Message<'static>> {
        // Race: the port ended while the message was held.
        let id = self.ports.get(&port)?.id?;
        let error = self.event_loop.post_message(id, message).err()?;
        match error.kind() {
            PostErrorKind::WindowFull | PostErrorKind::Busy => return error.into_message(),
            PostErrorKind::TooLarge => self.end_too_large(port, id),
            // Race: the port or its context has ended, and the renderer is yet to hear it.
            _ => {}
        }
        None
    }

    /// Ends a port because of a message that one side takes for too large and the other does not: to drop it would
    /// leave a gap.
    pub(super) fn end_too_large(&mut self, port: PortNumber, id: PortId) {
        self.event_loop.disconnect(id);
        self.end(port, DisconnectReason::LimitReached);
    }

    /// Ends a port for the renderer, on this end's own account.
    fn end(&mut self, port: PortNumber, reason: DisconnectReason) {
        self.end_told(port, reason, false);
    }

    /// Ends a port for the renderer, as the core tells it.
    pub(super) fn end_told(&mut self, port: PortNumber, reason: DisconnectReason, not_listening: bool) {
        if self.ports.remove(&port).is_some_and(|port| !port.closing) {
            Down::End { port, reason, not_listening }.write(self.outgoing.end());
        }
    }
}
