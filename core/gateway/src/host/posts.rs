//! Posts, which most of what a renderer sends is.

use super::Host;
use super::held::{Call, HeldCall};
use crate::window::Amount;
use crate::wire::frames::{Frame, Incoming, Outgoing};
use crate::wire::lie::Lied;
use crate::wire::number::PortNumber;
use crate::wire::{Content, Down, Up};
use port_core::{EventLoop, Message, PortId, PostErrorKind};

impl Host {
    #[inline(always)]
    pub(super) fn post(
        &mut self,
        port: PortNumber,
        content: Content<'_>,
        frame: &Frame<'_>,
    ) -> Result<(), Lied> {
        let Content { payload, format, user_activation } = content;
        let bytes = payload.len();
        if bytes > self.bounds.message_bytes as usize {
            return Err(Lied::Message);
        }
        self.window.check(self.bounds.of_connection())?;
        let Some(entry) = self.ports.get_mut(&port) else {
            self.numbers.was_port(port)?;
            // Race: the port ended meanwhile.
            self.window.hold(bytes);
            self.finish_call(bytes);
            return Ok(());
        };
        if entry.closing {
            // Nobody posts on a port that he has ended.
            return Err(Lied::Port);
        }
        if entry.undecided {
            // Nobody posts on a port that he has not taken.
            return Err(Lied::Answer);
        }
        entry.window.check(self.bounds.of_port())?;
        let (context, receivers) = (entry.context, entry.receivers);
        let activated =
            user_activation && self.contexts.get(&context).is_some_and(|known| known.user_activation);
        let message = Message::from(payload).format(format).user_activation(activated);
        if let (Some(id), Frame::Short(_), false) = (entry.id, frame, self.held.any_to(receivers))
            && is_taken(&mut self.event_loop, id, message)
        {
            if let Some(amount) = entry.window.pass(bytes, self.bounds.of_port()) {
                credit_port(port, amount, &mut self.outgoing);
            }
            if let Some(amount) = self.window.pass(bytes, self.bounds.of_connection()) {
                credit(amount, &mut self.outgoing);
            }
            return Ok(());
        }
        entry.window.hold(bytes);
        self.window.hold(bytes);
        let message = Message::from(frame.keep(payload)).format(format).user_activation(activated);
        self.make(receivers, HeldCall { context, port, bytes, call: Call::Post(message) });
        Ok(())
    }

    /// Makes the posts that follow in `fresh`, as long as they are on the same port and there is nothing unusual about
    /// them: messages mostly come several together, and so the port is looked up once for all of them. Leaves any other
    /// frame there.
    #[inline(always)]
    pub(super) fn post_more(
        &mut self,
        port: PortNumber,
        incoming: &mut Incoming,
        fresh: &mut &[u8],
        to_the_end: bool,
    ) {
        let longest = self.bounds.longest_frame();
        let next = |incoming: &Incoming, fresh| {
            let (frame, rest) = incoming.whole_in(fresh, longest)?;
            let (on, content) = Up::read_post(frame)?;
            (on == port).then_some((frame, content, rest))
        };
        let Some(mut following) = next(incoming, *fresh) else { return };
        let Self { event_loop, bounds, contexts, ports, window, outgoing, held, .. } = self;
        let Some(entry) = ports.get_mut(&port).filter(|entry| entry.takes_posts()) else { return };
        let Some(id) = entry.id.filter(|_| !held.any_to(entry.receivers)) else { return };
        if !to_the_end && !outgoing.has_room(bounds) {
            return;
        }
        let activated = contexts.get(&entry.context).is_some_and(|known| known.user_activation);
        let [of_port, of_all] =
            [entry.window.before_credit(bounds.of_port()), window.before_credit(bounds.of_connection())];
        let mut posted = Amount::default();
        loop {
            let (frame, Content { payload, format, user_activation }, rest) = following;
            let mut with_this = posted;
            with_this.add(payload.len());
            let is_usual = payload.len() <= bounds.message_bytes as usize
                && with_this.is_within(of_port)
                && with_this.is_within(of_all);
            let message = Message::from(payload).format(format).user_activation(user_activation && activated);
            if !is_usual || !is_taken(event_loop, id, message) {
                break;
            }
            posted = with_this;
            incoming.took(frame);
            *fresh = rest;
            let Some(next) = next(incoming, rest) else { break };
            following = next;
        }
        entry.window.pass_all(posted);
        window.pass_all(posted);
    }

    /// Credits a post that was held.
    pub(super) fn finish_post(&mut self, port: PortNumber, bytes: usize) {
        if let Some(entry) = self.ports.get_mut(&port)
            && let Some(credit) = entry.window.finish(bytes, self.bounds.of_port())
        {
            credit_port(port, credit, &mut self.outgoing);
        }
        self.finish_call(bytes);
    }

    /// Credits a post or a connect that was held on the connection.
    pub(super) fn finish_call(&mut self, bytes: usize) {
        if let Some(amount) = self.window.finish(bytes, self.bounds.of_connection()) {
            credit(amount, &mut self.outgoing);
        }
    }
}

/// Posts a message, which for a short one allocates nothing. Returns whether it is done with: whether the core did not
/// refuse it, or will never take it.
#[inline(always)]
fn is_taken(event_loop: &mut EventLoop, id: PortId, message: Message<'_>) -> bool {
    match event_loop.post_message(id, message).map_err(|error| error.kind()) {
        Err(PostErrorKind::WindowFull | PostErrorKind::Busy | PostErrorKind::TooLarge) => false,
        // Or a race: the port or its context has ended, and the renderer is yet to hear it.
        Ok(()) | Err(_) => true,
    }
}

/// Tells of what a port is credited.
#[cold]
fn credit_port(port: PortNumber, Amount { messages, bytes }: Amount, outgoing: &mut Outgoing) {
    Down::PortCredit { port, messages, bytes }.write(outgoing.end());
}

/// Tells of what the connection is credited.
#[cold]
fn credit(Amount { messages, bytes }: Amount, outgoing: &mut Outgoing) {
    Down::Credit { messages, bytes }.write(outgoing.end());
}
