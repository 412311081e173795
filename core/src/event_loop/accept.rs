//! Connections that reach this event loop: which contexts take them, and which refuse.

use super::EventLoop;
use super::connect::enter_port;
use super::deliver::Taken;
use super::slot::{Addressee, EventSlot};
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::holdings::admit_port;
use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::port::{PeerIndex, PortState, Receiver, ReceiverAt, Side};
use crate::ids::{ContextId, Key, PortId};
use crate::index::ContextShared;
use crate::payload::discard;
use crate::policy::ConnectListeners;
use crate::sender::Sender;
use crate::shared::service::ServiceInner;
use crate::sync::{Arc, mutant};
use crate::target::{ConnectKind, Listening};
use crate::wire::channel::Channel;
use crate::wire::record::{ConnectMany, Record, Refusal, Signal};

impl EventLoop {
    /// Takes the connection to one context that is next in a peer's lane.
    #[inline(never)]
    pub(super) fn take_connect(&mut self, index: PeerIndex, slot: &mut EventSlot) -> Taken {
        if self.service.policies.connect_listeners == ConnectListeners::PortForEach {
            return self.take_unusual_connect(index);
        }
        let event_loop = self.id;
        let Self { peers, contexts, ports, service, round, holdings, .. } = self;
        let Some(peer) = peers[index as usize].as_mut() else {
            debug_assert!(false, "it sent the connection");
            return Taken::Nothing;
        };
        let Some(offer) = peer.offer() else {
            debug_assert!(false, "a look said that it is a connection");
            return Taken::Nothing;
        };
        let (channel, info, target) = (offer.channel, offer.info, offer.target);
        let (holder, opener, external) =
            match admit(service, contexts.get_mut(target), info.kind, offer.name_bytes, offer.opener) {
                Ok(admitted) => admitted,
                Err(refusal) => return self.refuse_next(index, channel, refusal),
            };
        if holder.listening.asks() {
            return self.take_unusual_connect(index);
        }
        let (opener, context_data) = (Arc::clone(opener), holder.data);
        if (ports.vacant_key().is_none() || offer.name_bytes > 0) && {
            let extension = opener.description().instance;
            admit_port((holdings, &service.pool), ports, None, extension, offer.name_bytes).is_err()
        } {
            return self.refuse_next(index, channel, Refusal::LimitReached);
        }
        let receiver = Receiver { peer: index, channel, ordinal: 0, index_in_context: 0 };
        let entered = enter_port(
            ports,
            holder,
            (target, external),
            PortState::Open,
            move || Side::Receiver(receiver),
            |name| offer.take(name),
        );
        let Some(key) = entered else {
            return self.refuse_next(index, channel, Refusal::LimitReached);
        };
        round.count_record();
        let (context, id) = (ContextId::new(event_loop, target), PortId::new(event_loop, key));
        peer.accept(channel, opener.id().key(), ReceiverAt { port: id, context });
        let Some(port) = ports.get(key) else { unreachable!("entered above") };
        let sender = Sender::new(opener, info.lifecycle, service.policies.sender);
        let to = Addressee { context, port: id, context_data, port_data: 0 };
        Taken::Event(slot.put_connect(to, info, &port.name, sender))
    }

    /// Refuses the connection that is next in a peer's lane.
    #[cold]
    fn refuse_next(&mut self, index: PeerIndex, channel: Channel, refusal: Refusal) -> Taken {
        self.drop_next(index);
        self.send_signal(index, move || Signal::Refuse { channel, ordinal: 0, refusal });
        Taken::Record
    }

    /// Takes the connection to one context that is next in a peer's lane, when each listener may
    /// get a port of its own, or the context asks.
    #[cold]
    fn take_unusual_connect(&mut self, index: PeerIndex) -> Taken {
        let record = self.peer_mut(index).and_then(|peer| peer.take(|record, _| record));
        self.round.count_record();
        match record {
            Some(Record::Connect { channel, info, opener, target, name }) => {
                let connect = ConnectMany { channel, opener, info, name, targets: vec![target] };
                self.connected_to_many(index, &connect);
            }
            other => {
                debug_assert!(false, "a look said that it is a connection");
                discard(other);
            }
        }
        Taken::Record
    }

    /// Takes a connection to several contexts, or to several listeners.
    pub(super) fn connected_to_many(&mut self, index: PeerIndex, connect: &ConnectMany) {
        let &ConnectMany { channel, opener, info, ref name, ref targets } = connect;
        debug_assert!(self.peer(index).is_some_and(|peer| peer.accepted.is_vacant(channel)));
        let opener = self.peer(index).and_then(|peer| peer.contexts.known(opener)).cloned();
        let mut receivers = OneOrMany::Empty;
        let shows = self.service.policies.sender;
        let mut next_ordinal = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for (&target, beside) in targets.iter().zip(0..) {
            for nth in 0..self.ports_for(target, info.kind) {
                // A target's first port has the target's ordinal; further ones follow after all targets.
                let ordinal = if nth == 0 { beside } else { next_ordinal };
                let Self { service, contexts, ports, holdings, peers, .. } = self;
                // Answers pass a full lane, one for each target. Further ones do not.
                if nth > 0
                    && let (Some(peer), Some(context)) =
                        (peers[index as usize].as_mut(), contexts.get(target))
                    && !peer.admits_join(&context.shared)
                {
                    break;
                }
                let admitted =
                    admit(service, contexts.get_mut(target), info.kind, name.heap_bytes(), opener.as_ref());
                let taken = admitted.and_then(|(holder, opener, external)| {
                    let extension = opener.description().instance;
                    admit_port((holdings, &service.pool), ports, None, extension, name.heap_bytes())
                        .map_err(|_| Refusal::LimitReached)?;
                    let receiver = Receiver { peer: index, channel, ordinal, index_in_context: 0 };
                    let side = move || Side::Receiver(receiver);
                    let (of, state) = ((target, external), PortState::Open);
                    let port = enter_port(ports, holder, of, state, side, |place| place.clone_from(name));
                    Ok((port.ok_or(Refusal::LimitReached)?, Arc::clone(opener)))
                });
                match taken {
                    Ok((port, opener)) => {
                        receivers
                            .push(ReceiverAt { port: self.port_id(port), context: self.context_id(target) });
                        let undecided = self.asks(target);
                        if undecided {
                            self.ask(port);
                        } else if nth == 0 {
                            self.send_signal(index, move || Signal::Accept { channel, ordinal });
                        } else {
                            next_ordinal += 1;
                            self.send_signal(index, move || Signal::Join { channel, beside });
                        }
                        self.emit(Event::Connect {
                            context: self.context_id(target),
                            port: self.port_id(port),
                            kind: info.kind,
                            name: name.clone(),
                            sender: Sender::new(opener, info.lifecycle, shows),
                            undecided,
                            context_data: 0,
                            port_data: 0,
                        });
                    }
                    Err(refusal) if nth == 0 => {
                        self.send_signal(index, move || Signal::Refuse { channel, ordinal, refusal });
                        break;
                    }
                    // The context holds as many ports as it may; its first port answered for it already.
                    Err(_) => break,
                }
            }
        }
        if let Some(opener) = opener.filter(|_| !receivers.is_empty())
            && let Some(peer) = self.peer_mut(index)
        {
            peer.accepted.insert(channel, opener.id().key(), receivers);
        }
    }

    /// Returns how many ports a connection makes in one of our contexts.
    #[inline]
    fn ports_for(&self, target: Key, kind: ConnectKind) -> u16 {
        match self.service.policies.connect_listeners {
            ConnectListeners::PortForEach if kind == ConnectKind::Port && !self.asks(target) => self
                .contexts
                .get(target)
                .map_or(1, |context| Listening::from(context.listening).listeners.max(1)),
            _ => 1,
        }
    }
}

/// Returns the context that takes a connection, the opener, and whether that is another extension's or a web page; or why the
/// connection is refused. Rights are checked
/// again, because they may have changed since the opener looked into the index.
///
/// Race: the opener was killed while its connection was under way. The notice of that may have been taken already,
/// and then nothing would end the port; so a killed opener is refused, known or not. A detached one is not: its
/// `Close` follows in the lane.
#[inline(always)]
fn admit<'a, 'o>(
    service: &ServiceInner,
    context: Option<&'a mut Context>,
    kind: ConnectKind,
    name_bytes: usize,
    opener: Option<&'o Arc<ContextShared>>,
) -> Result<(&'a mut Context, &'o Arc<ContextShared>, bool), Refusal> {
    let opener = opener.ok_or(Refusal::NoReceiver)?;
    let context = context.ok_or(Refusal::NoReceiver)?;
    let instance = context.shared.description().instance;
    let external = instance != opener.description().instance && !mutant("instance-looked-at-nowhere");
    let admitted = (context.suspended.is_none() || mutant("cached-page-connected"))
        && !context.shared.is_killed()
        && (!external || instance.is_some_and(|instance| service.index.admits(instance, opener)))
        && context.shared.id() != opener.id()
        && (!opener.is_killed() || mutant("killed-opener-accepted"));
    if !admitted {
        return Err(Refusal::NoReceiver);
    }
    if !Listening::from(context.listening).covers(kind, external) && !mutant("connection-to-deaf-ears") {
        return Err(Refusal::NotListening);
    }
    if !context.has_room(&service.limits, name_bytes, external) {
        return Err(Refusal::LimitReached);
    }
    Ok((context, opener, external))
}
