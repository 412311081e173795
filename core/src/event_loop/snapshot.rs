//! An event loop's view of its channels.

use super::EventLoop;
use crate::event::Event;
use crate::event_loop::port::{PortState, Side, TargetState};
use crate::ids::ContextId;
use crate::snapshot::{
    ContextSnapshot, EventLoopSnapshot, LaneSnapshot, PortEnd, PortSnapshot, PortStatus, Queued,
};
use crate::sync::HashMap;
use crate::wire::channel::Channel;

impl EventLoop {
    /// Does [`EventLoop::snapshot`].
    pub(super) fn take_snapshot(&self) -> EventLoopSnapshot {
        let indices: Vec<_> = self.peer_of.values().copied().collect();
        let mut queued = HashMap::<_, Queued>::default();
        for (peer, &index) in indices.iter().filter_map(|index| Some((self.peer(*index)?, index))) {
            peer.look_over_messages(|channel, route, bytes| {
                queued.entry((index, channel, route.receiver().is_none())).or_default().add(bytes);
            });
        }
        let mut made = HashMap::<_, Queued>::default();
        let held = self.contexts.iter().filter_map(|(_, context)| context.suspended.as_ref());
        for event in self.events.iter().chain(held.flat_map(|suspended| &suspended.events)) {
            if let Event::Message { port, payload, .. } = event {
                made.entry(port.key()).or_default().add(payload.len());
            }
        }
        for (key, bytes) in self.fan_out.waiting() {
            made.entry(key).or_default().add(bytes);
        }
        let none = Queued::default();
        let waiting =
            |index, channel: Channel, towards| *queued.get(&(index, channel, towards)).unwrap_or(&none);
        let of_peer =
            |peer, key| ContextId::new(self.peer(peer).map_or(self.id, |peer| peer.shared.id()), key);
        let ports = self
            .ports
            .iter()
            .map(|(key, port)| {
                let mut received = *made.get(&key).unwrap_or(&none);
                let others = match &port.side {
                    // An ended port's peer index and channel may have been given to others since.
                    _ if !port.state.hears() && !port.state.is_left() => Vec::new(),
                    Side::Receiver(receiver) => {
                        received.merge(waiting(receiver.peer, receiver.channel, true));
                        self.peer(receiver.peer)
                            .and_then(|peer| peer.accepted.get(receiver.channel))
                            .map(|accepted| PortEnd {
                                context: of_peer(receiver.peer, accepted.opener()),
                                accepted: true,
                            })
                            .into_iter()
                            .collect()
                    }
                    Side::Opener(opener) => opener
                        .legs
                        .iter()
                        .flat_map(|at| {
                            received.merge(waiting(at.peer, at.channel, false));
                            let leg = self.peer(at.peer).and_then(|peer| peer.opened.get(at.channel.0));
                            let targets = leg.map(|leg| &*leg.targets).unwrap_or_default();
                            targets.iter().map(|target| (at.peer, target))
                        })
                        .filter(|(_, target)| !target.state.is_gone())
                        .map(|(peer, target)| PortEnd {
                            context: of_peer(peer, target.context),
                            accepted: target.state == TargetState::Open,
                        })
                        .collect(),
                };
                PortSnapshot {
                    port: self.port_id(key),
                    context: self.context_id(port.context),
                    name: port.name.clone(),
                    opener: matches!(port.side, Side::Opener(_)),
                    status: match port.state {
                        PortState::Open | PortState::Unanswered => PortStatus::Open,
                        PortState::Undecided => PortStatus::Undecided,
                        PortState::Opening | PortState::Leaving | PortState::Left => PortStatus::Opening,
                        PortState::Silent => PortStatus::Silent,
                        PortState::Ended(reason) => PortStatus::Ended(reason),
                    },
                    others,
                    queued: received,
                }
            })
            .collect();
        let contexts = self
            .contexts
            .iter()
            .map(|(key, context)| ContextSnapshot {
                context: self.context_id(key),
                extension: context.shared.extension().cloned(),
                kind: context.shared.description().kind,
                place: context.shared.description().place,
                listening: context.listening.into(),
                suspended: context.suspended.is_some(),
                gone: context.shared.killed(),
                ports: context.ports.len(),
            })
            .collect();
        // In the order of the event loops: those of one loop, one for each extension that opens connections, are together.
        let mut lanes = Vec::<LaneSnapshot>::new();
        let others = self.peer_of.iter().filter(|(id, _)| id.event_loop() != self.id);
        for peer in others.filter_map(|(_, &index)| self.peer(index)) {
            let (records, bytes) = peer.outstanding();
            match lanes.last_mut().filter(|lane| lane.peer == peer.shared.id()) {
                Some(lane) => {
                    lane.outbound_records += records;
                    lane.outbound_bytes += bytes;
                }
                None => lanes.push(LaneSnapshot {
                    peer: peer.shared.id(),
                    outbound_records: records,
                    outbound_bytes: bytes,
                }),
            }
        }
        EventLoopSnapshot {
            event_loop: self.id(),
            contexts,
            ports,
            lanes,
            events: self.events.len() + self.fan_out.waiting().count(),
        }
    }
}
