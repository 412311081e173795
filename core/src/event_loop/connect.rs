//! `tabs.connect` and `runtime.connect`: finding the receivers and reaching for them.

use super::{EventLoop, OWN};
use crate::context::ContextShared;
use crate::error::ConnectError;
use crate::event_loop_shared::{EventLoopShared, NoLanes};
use crate::ids::{ContextId, Key, PortId};
use crate::name::PortName;
use crate::policy::{BackForwardCache, DocumentTarget, FanOutOrder};
use crate::port::{Leg, LegAt, Opener, PeerIndex, Port, PortState, Side, Target, TargetState};
use crate::record::{Channel, Connect, Credit, Incoming, Record};
use crate::sender::{ContextKind, DocumentLifecycle};
use crate::sync::{Arc, mutant};
use crate::target::{ConnectKind, ConnectTraits, RuntimeTarget, TabTarget};
use smallvec::SmallVec;

/// The targets of one connect that live on one event loop.
struct Reach {
    peer: PeerIndex,
    targets: SmallVec<[Arc<ContextShared>; 1]>,
    /// Whether the lanes were created for this connect.
    new: bool,
}

type Reaches = SmallVec<[Reach; 1]>;

impl EventLoop {
    /// [`tabs.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/tabs/connect):
    /// connects a background or page context to the content scripts of its own
    /// extension in a tab, and to pages of the extension there (as measured in Chromium
    /// and Firefox), itself excepted, and gives the opener's end at once.
    ///
    /// The receivers are those in the index now; frames that come later never join.
    /// Each takes the connection if it is listening when the connection reaches it.
    /// When none does, or there is none, the port ends with
    /// [`NoReceiver`](crate::DisconnectReason::NoReceiver), never before this returns. Messages may be
    /// posted right away.
    ///
    /// Rings the event loops concerned. Allocates for the port when memory kept from
    /// earlier ones does not do, for a fan-out to several contexts on one event loop,
    /// and for the lanes the first time that two event loops meet.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    pub fn connect_tab(&mut self, opener: ContextId, target: &TabTarget) -> Result<PortId, ConnectError> {
        let shared = self.opener(opener)?;
        let description = shared.description();
        if description.kind == ContextKind::ContentScript {
            return Err(ConnectError::NotAllowed);
        }
        let mut filter = target.filter;
        if filter.document.is_some()
            && self.service.policies.document_target == DocumentTarget::DocumentDecides
        {
            filter.frame = None;
        }
        let mut found = std::mem::take(&mut self.found);
        self.service.index.contexts_in_tab(filter, description.instance, &mut found);
        if self.service.policies.fan_out_order == FanOutOrder::Arbitrary {
            found = there_and_back(found);
        }
        self.connect(&shared, found, target.name.clone(), target.kind)
    }

    /// [`runtime.connect`](https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/connect):
    /// connects a context to the background and page contexts of its own extension,
    /// itself excepted, or of another that admits it, and gives the opener's end at
    /// once. As [`connect_tab`](Self::connect_tab) in everything else.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    pub fn connect_runtime(
        &mut self,
        opener: ContextId,
        target: impl Into<RuntimeTarget>,
    ) -> Result<PortId, ConnectError> {
        let RuntimeTarget { extension, name, kind } = target.into();
        let shared = self.opener(opener)?;
        let mut found = std::mem::take(&mut self.found);
        let index = &self.service.index;
        match extension {
            Some(other) if other != *shared.extension() => {
                index.external_contexts(&other, shared.extension(), &mut found);
            }
            _ => index.own_contexts(shared.description().instance, &mut found),
        }
        self.connect(&shared, found, name, kind)
    }

    fn opener(&self, opener: ContextId) -> Result<Arc<ContextShared>, ConnectError> {
        let key = self.context_key(opener).map_err(|_| ConnectError::UnknownContext)?;
        let context = self.contexts.get(key).ok_or(ConnectError::UnknownContext)?;
        if context.shared.killed().is_some() {
            return Err(ConnectError::Gone);
        }
        if context.suspended.is_some() && self.service.policies.back_forward_cache == BackForwardCache::Ends {
            return Err(ConnectError::Cached);
        }
        if context.ports.len() >= self.service.limits.ports_per_context as usize {
            return Err(ConnectError::TooManyPorts);
        }
        Ok(Arc::clone(&context.shared))
    }

    fn connect(
        &mut self,
        opener: &Arc<ContextShared>,
        mut found: Vec<Arc<ContextShared>>,
        name: PortName,
        kind: ConnectKind,
    ) -> Result<PortId, ConnectError> {
        let mut reaches = Reaches::new();
        for target in found.drain(..) {
            if target.id() != opener.id() && !target.is_gone() {
                self.reach(target, &mut reaches);
            }
        }
        self.found = found;
        let limits = &self.service.limits;
        for reach in &reaches {
            let peer = self.peers[reach.peer as usize].as_mut();
            if !peer.is_some_and(|peer| peer.within_budget(limits)) {
                return Err(ConnectError::Busy);
            }
        }
        let holder = self.contexts.get(opener.id().key).ok_or(ConnectError::UnknownContext)?;
        let lifecycle = match holder.suspended {
            None => DocumentLifecycle::Active,
            Some(_) => DocumentLifecycle::Cached,
        };
        let traits = ConnectTraits { kind, lifecycle };
        let key = self.open_port(
            opener.id().key,
            name.clone(),
            Side::Opener(Opener {
                kind,
                legs: SmallVec::new(),
                lost: None,
                limit_reached: false,
                held: None,
            }),
        );
        let key = key.ok_or(ConnectError::TooManyPorts)?;
        if reaches.is_empty() {
            // Queued like any record to this loop, so that a handler that connects again
            // each time it hears of no receiver holds up nobody else.
            if let Some(own) = self.peer_mut(OWN) {
                own.queue(Incoming::NoTarget { port: key });
            }
            self.sent_to(OWN);
        } else {
            self.begin_opening(key);
        }
        for reach in reaches {
            self.open_leg(key, opener, &name, traits, reach);
        }
        Ok(self.port_id(key))
    }

    /// Puts a target to the others on its event loop.
    fn reach(&mut self, target: Arc<ContextShared>, reaches: &mut Reaches) {
        let Some((peer, new)) = self.lanes_to(target.event_loop()) else { return };
        match reaches.iter_mut().find(|reach| reach.peer == peer) {
            Some(reach) => reach.targets.push(target),
            None => reaches.push(Reach { peer, targets: [target].into_iter().collect(), new }),
        }
    }

    /// The lanes to an event loop, and whether they were created now; `None` when it is gone.
    fn lanes_to(&mut self, event_loop: &Arc<EventLoopShared>) -> Option<(PeerIndex, bool)> {
        if let Some(&peer) = self.peer_of.get(&event_loop.id()) {
            return Some((peer, false));
        }
        match EventLoopShared::create_lanes(&self.shared, event_loop) {
            Ok(lanes) => Some((self.add_peer(lanes), true)),
            Err(NoLanes::Gone) => None,
            Err(NoLanes::Exist) => {
                for lanes in self.shared.take_new_peers() {
                    self.add_peer(lanes);
                }
                // The peer may have created them after our target was found and killed,
                // so they count as new.
                Some((*self.peer_of.get(&event_loop.id())?, !mutant("found-lanes-taken-for-old")))
            }
        }
    }

    fn open_leg(
        &mut self,
        port: Key,
        opener: &Arc<ContextShared>,
        name: &PortName,
        traits: ConnectTraits,
        reach: Reach,
    ) {
        let Reach { peer: index, targets, new } = reach;
        let Some(peer) = self.peers[index as usize].as_mut() else { return };
        let keys: SmallVec<[Key; 1]> = targets.iter().map(|target| target.id().key).collect();
        let watched: Vec<_> = if new { targets.to_vec() } else { Vec::new() };
        let leg = Leg {
            port,
            live: u32::try_from(targets.len()).expect("there are fewer contexts than ids"),
            targets: targets
                .into_iter()
                .map(|context| Target { context, state: TargetState::Pending, unreported: Credit::default() })
                .collect(),
            unanswered: false,
            outstanding: Credit::default(),
        };
        let Ok(key) = peer.opened.insert(leg) else { return };
        let channel = Channel(key);
        let (opener, name) = (Arc::clone(opener), name.clone());
        let bytes = name.as_str().len() as u64;
        let record = match *keys {
            [target] => Record::Connect { channel, traits, opener, target, name },
            _ => Record::ConnectMany(Box::new(Connect {
                channel,
                traits,
                opener,
                name,
                targets: keys.into_vec(),
            })),
        };
        peer.send(record, &[], bytes);
        if let Some(Port { side: Side::Opener(side), .. }) = self.ports.get_mut(port) {
            side.legs.push(LegAt { peer: index, channel });
        }
        self.sent_to(index);
        self.bury_dead(index, watched);
    }

    /// Looks whether a target was killed before the killer could know that lanes lead
    /// here from it; then it is as if the killer's notice had come. One that was
    /// detached says so in its lane, behind what it may have sent.
    fn bury_dead(&mut self, index: PeerIndex, watched: Vec<Arc<ContextShared>>) {
        for context in watched {
            let looked = !mutant("mark-looked-at-before-registering-only");
            let Some(reason) = context.killed().filter(|_| looked) else { continue };
            self.cut(index, Incoming::Gone { contexts: Arc::new(vec![context]), reason });
            self.made_work();
        }
    }

    /// Enters a port into its context; `None` when ids are used up.
    pub(super) fn open_port(&mut self, context: Key, name: PortName, side: Side) -> Option<Key> {
        let holder = self.contexts.get_mut(context)?;
        let port = Port {
            context,
            position: u32::try_from(holder.ports.len()).ok()?,
            state: PortState::Open,
            wants_room: false,
            name,
            side,
        };
        let key = self.ports.insert(port).ok()?;
        holder.ports.push(key);
        Some(key)
    }
}

/// Every other one, and on the way back the rest: an order that is not the one given.
fn there_and_back<T>(all: Vec<T>) -> Vec<T> {
    if all.len() < 3 {
        return all;
    }
    let mut back = Vec::new();
    let mut there = Vec::with_capacity(all.len());
    for (position, one) in all.into_iter().enumerate() {
        if position % 2 == 0 { &mut there } else { &mut back }.push(one);
    }
    there.extend(back.into_iter().rev());
    there
}

const _: () = assert!(OWN == 0);
