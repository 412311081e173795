//! From the event loop's events to what is sent to the renderer.

use super::Host;
use super::table::{Context, Port, Receivers, State};
use crate::bounds::Bounds;
use crate::wire::frames::LONG;
use crate::wire::number::{ContextNumber, PortNumber};
use crate::wire::{Content, Down, PortRuns};
use port_core::Event;

impl Host {
    /// Tells the renderer of an event.
    #[inline(always)]
    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Message { payload, format, user_activation, port_data, .. } if payload.len() < LONG => {
                let content = Content::from(&**payload).format(*format).user_activation(*user_activation);
                Down::write_message(PortNumber::from_bits(*port_data), content, self.outgoing.end());
            }
            event => self.tell_unusual(event),
        }
    }

    #[inline(never)]
    fn tell_unusual(&mut self, event: &Event) {
        match event {
            Event::Connect { port: id, kind, name, sender, undecided, context_data, .. } => {
                let context = ContextNumber::from_bits(*context_data);
                let port = PortNumber::from_bits(self.numbers.accepted.give());
                // It was accepted just now.
                let open = self.event_loop.set_port_data(*id, port.to_bits());
                debug_assert!(open);
                let entry = Port::new(context, Some(*id), Receivers::from(sender));
                self.ports.insert(port, Port { undecided: *undecided, ..entry });
                let own = self.contexts.get(&context).and_then(|context| context.extension);
                let (external, undecided) = (own != sender.instance(), *undecided);
                let (kind, name, sender) = (*kind, name.as_str(), sender.into());
                Down::Connect { context, port, kind, undecided, external, name, sender }
                    .write(self.outgoing.end());
            }
            Event::Message { port: id, payload, format, user_activation, port_data, .. } => {
                let port = PortNumber::from_bits(*port_data);
                if payload.len() > Bounds::LONGEST_MESSAGE as usize {
                    // No frame holds it, and to leave it out would be a gap. Only where the service allows messages
                    // of 4 GiB.
                    return self.end_too_large(port, *id);
                }
                let content = Content::from(&**payload).format(*format).user_activation(*user_activation);
                if self.sends_pieces {
                    Down::write_message_head(port, content, self.outgoing.end());
                    self.outgoing.push_long(payload.clone().into_bytes());
                } else {
                    Down::write_message(port, content, self.outgoing.end());
                }
            }
            Event::MessageToSeveral { receivers, payload, format, user_activation, .. } => {
                if payload.len() > Bounds::LONGEST_MESSAGE as usize {
                    for receiver in receivers {
                        self.end_too_large(PortNumber::from_bits(receiver.port_data), receiver.port);
                    }
                    return;
                }
                let mut ports: Vec<_> =
                    receivers.iter().map(|receiver| PortNumber::from_bits(receiver.port_data)).collect();
                ports.sort_unstable();
                let content = Content::from(&**payload).format(*format).user_activation(*user_activation);
                for ports in PortRuns::in_frames(&PortRuns::to_bytes(&ports)) {
                    Down::MessageToSeveral { ports, content }.write(self.outgoing.end());
                }
            }
            Event::Disconnect { reason, not_listening, port_data, .. } => {
                self.end_told(PortNumber::from_bits(*port_data), *reason, *not_listening);
            }
            Event::ContextGone { reason, context_data, ports, .. } => {
                for port in ports {
                    self.ports.remove(&PortNumber::from_bits(port.data));
                }
                let context = ContextNumber::from_bits(*context_data);
                if let Some(Context { state: State::Attached(_), .. }) = self.contexts.remove(&context) {
                    Down::ContextGone { context, reason: *reason }.write(self.outgoing.end());
                }
            }
            // Held calls are tried again in every turn, and nothing else was refused. This had the turn come.
            Event::Room { .. } => {}
            // An event that this version does not know.
            _ => {}
        }
    }
}
