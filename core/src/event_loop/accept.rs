//! Connections that reach this event loop: who takes them, and who refuses.

use super::EventLoop;
use super::connect::enter_port;
use super::incoming::Received;
use crate::event::Event;
use crate::event_loop::context::Context;
use crate::event_loop::few::Few;
use crate::event_loop::peer::Offer;
use crate::event_loop::port::{PeerIndex, Receiver, ReceiverAt, Side};
use crate::ids::Key;
use crate::index::ContextShared;
use crate::name::PortName;
use crate::policy::ConnectListeners;
use crate::reason::DisconnectReason;
use crate::sender::Sender;
use crate::shared::service::ServiceInner;
use crate::sync::{Arc, mutant};
use crate::target::{ConnectInfo, ConnectKind};
use crate::wire::acquaintance::Introduction;
use crate::wire::channel::{Channel, Route};
use crate::wire::record::{Hearing, Signal};

impl EventLoop {
    /// A connection to one context.
    pub(super) fn connected(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        traits: ConnectInfo,
        opener: Introduction,
        target: Key,
        name: PortName,
    ) -> Received {
        if self.ports_for(target, traits.kind) > 1 {
            self.connected_to_many(index, channel, traits, opener, &name, &[target]);
            return Received::Record;
        }
        let Self { peers, contexts, ports, service, .. } = self;
        let Some(peer) = peers[index as usize].as_mut() else { return Received::Record };
        let ordinal = 0;
        let Some(opener) = peer.acquaintances.meet(opener) else {
            return self.refuse(index, channel, ordinal, DisconnectReason::NoReceiver);
        };
        let holder = match admit(service, contexts.get_mut(target), traits.kind, opener) {
            Ok(holder) => holder,
            Err(reason) => return self.refuse(index, channel, ordinal, reason),
        };
        let side = || Side::Receiver(Receiver { peer: index, channel, ordinal, position: 0 });
        let Some(port) = enter_port(ports, holder, target, side, |place| *place = name) else {
            return self.refuse(index, channel, ordinal, DisconnectReason::LimitReached);
        };
        let opener = Arc::clone(opener);
        peer.accept(channel, opener.id().key, ReceiverAt { port, context: target });
        Received::Connection { port, opener, traits }
    }

    /// Takes the connection that lies next in a peer's lane where it lies, if it is to make one port here.
    #[inline(always)]
    pub(super) fn connected_in_place(&mut self, index: PeerIndex) -> Received {
        let Self { peers, contexts, ports, service, .. } = self;
        let several = service.policies.connect_listeners == ConnectListeners::PortForEach;
        let Some(peer) = peers[index as usize].as_mut().filter(|_| !several) else {
            return Received::Nothing;
        };
        let Some(offer) = peer.offer() else { return Received::Nothing };
        let Offer { channel, traits, opener, target, .. } = offer;
        let Ok(holder) = admit(service, contexts.get_mut(target), traits.kind, opener) else {
            return Received::Nothing;
        };
        let side = move || Side::Receiver(Receiver { peer: index, channel, ordinal: 0, position: 0 });
        let Some(port) = enter_port(ports, holder, target, side, |place| offer.take(place)) else {
            return Received::Nothing;
        };
        let opener = Arc::clone(opener);
        peer.accept(channel, opener.id().key, ReceiverAt { port, context: target });
        Received::Connection { port, opener, traits }
    }

    /// The event of a connection that was taken just now.
    #[inline(always)]
    pub(super) fn connect_event(
        &self,
        port: Key,
        opener: Arc<ContextShared>,
        traits: ConnectInfo,
    ) -> Option<Event> {
        let Some(taken) = self.ports.get(port) else { unreachable!("it was made for this event") };
        let (context, port) = (self.context_id(taken.context), self.port_id(port));
        Event::connect(context, port, &taken.name, opener, traits, self.service.policies.sender)
    }

    #[cold]
    fn refuse(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        ordinal: u32,
        reason: DisconnectReason,
    ) -> Received {
        let (route, hearing) = (Route::to_opener(ordinal), Hearing::Told);
        self.send_signal(index, move || Signal::Close { channel, route, reason, hearing });
        Received::Record
    }

    pub(super) fn connected_to_many(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        traits: ConnectInfo,
        opener: Introduction,
        name: &PortName,
        targets: &[Key],
    ) {
        debug_assert!(self.peer(index).is_some_and(|peer| peer.is_vacant(channel)));
        let opener = self.peer_mut(index).and_then(|peer| peer.acquaintances.meet(opener)).cloned();
        let mut receivers = Few::Nothing;
        let shows = self.service.policies.sender;
        let mut next_ordinal = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for (&target, beside) in targets.iter().zip(0..) {
            for nth in 0..self.ports_for(target, traits.kind) {
                let ordinal = if nth == 0 { beside } else { next_ordinal };
                let receiver = Receiver { peer: index, channel, ordinal, position: 0 };
                match self.accept(target, receiver, traits.kind, opener.as_ref(), name) {
                    Ok(port) => {
                        let Some(opener) = opener.clone() else { return };
                        receivers.push(ReceiverAt { port, context: target });
                        if nth == 0 {
                            self.send_signal(index, move || Signal::Accept { channel, ordinal });
                        } else {
                            next_ordinal += 1;
                            self.send_signal(index, move || Signal::Join { channel, beside });
                        }
                        self.emit(Event::Connect {
                            context: self.context_id(target),
                            port: self.port_id(port),
                            kind: traits.kind,
                            name: name.clone(),
                            sender: Sender::new(opener, traits.lifecycle, shows),
                        });
                    }
                    Err(reason) if nth == 0 => {
                        self.refuse(index, channel, ordinal, reason);
                        break;
                    }
                    // The context has all the ports that it may have.
                    Err(_) => break,
                }
            }
        }
        if let Some(opener) = opener.filter(|_| !receivers.is_empty())
            && let Some(peer) = self.peer_mut(index)
        {
            peer.set_accepted(channel, opener.id().key, receivers);
        }
    }

    /// How many ports a connection makes in one of our contexts.
    #[inline]
    fn ports_for(&self, target: Key, kind: ConnectKind) -> u16 {
        match self.service.policies.connect_listeners {
            ConnectListeners::PortForEach if kind == ConnectKind::Port => {
                self.contexts.get(target).map_or(1, |context| context.listening.listeners.max(1))
            }
            _ => 1,
        }
    }

    /// Accepts a connection to one of our contexts, or says why not.
    fn accept(
        &mut self,
        target: Key,
        receiver: Receiver,
        kind: ConnectKind,
        opener: Option<&Arc<ContextShared>>,
        name: &PortName,
    ) -> Result<Key, DisconnectReason> {
        let opener = opener.ok_or(DisconnectReason::NoReceiver)?;
        let holder = admit(&self.service, self.contexts.get_mut(target), kind, opener)?;
        let side = || Side::Receiver(receiver);
        let port = enter_port(&mut self.ports, holder, target, side, |place| place.clone_from(name));
        port.ok_or(DisconnectReason::LimitReached)
    }
}

/// Whether one of our contexts takes a connection, or why not. Rights are looked at again here, for the
/// index may have known less or earlier. An opener that was killed is refused, for its notice may have
/// been here already, in which case it is not known any more; one that was detached has its `Close`
/// behind what it sent.
#[inline(always)]
fn admit<'a>(
    service: &ServiceInner,
    context: Option<&'a mut Context>,
    kind: ConnectKind,
    opener: &ContextShared,
) -> Result<&'a mut Context, DisconnectReason> {
    let refused = DisconnectReason::NoReceiver;
    let context = context.ok_or(refused)?;
    let instance = context.shared.description().instance;
    let external = instance != opener.description().instance && !mutant("instance-looked-at-nowhere");
    let admitted = (context.listening.covers(kind, external) || mutant("connection-to-deaf-ears"))
        && (context.suspended.is_none() || mutant("cached-page-connected"))
        && context.shared.killed().is_none()
        && (!external || service.index.admits(instance, opener.extension()))
        && context.shared.id() != opener.id()
        && (opener.killed().is_none() || mutant("killed-opener-accepted"));
    if !admitted {
        return Err(refused);
    }
    if context.ports.len() >= service.limits.ports_per_context as usize {
        return Err(DisconnectReason::LimitReached);
    }
    Ok(context)
}
