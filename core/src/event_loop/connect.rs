//! `tabs.connect` and `runtime.connect`: finding the receivers, and sending them the connection.

use super::EventLoop;
use super::search::{FoundTarget, Search, there_and_back};
use crate::description::ContextKind;
use crate::error::ConnectError;
use crate::event_loop::context::Context;
use crate::event_loop::holdings::admit_port;
use crate::event_loop::one_or_many::OneOrMany;
use crate::event_loop::peer::Gone;
use crate::event_loop::port::{LegAt, Opener, PeerIndex, Port, PortState, Side, Target, TargetState};
use crate::event_loop::slab::{Slab, grow_gently};
use crate::ids::{ContextId, ExtensionNumber, Key, PeerId, PortId};
use crate::index::{ContextShared, Reached};
use crate::name::PortName;
use crate::policy::{BackForwardCache, DocumentTarget, FanOutOrder};
use crate::shared::event_loop::{EventLoopShared, NoLanes};
use crate::sync::{Arc, mutant};
use crate::target::TabFilter;
use crate::target::{ConnectInfo, RuntimeTarget, TabTarget};
use crate::wire::channel::Channel;
use crate::wire::record::{ConnectMany, Refusal};
use smallvec::SmallVec;
use std::mem;

impl EventLoop {
    /// Does [`EventLoop::connect_tab`].
    pub(super) fn connect_to_tab(
        &mut self,
        opener: ContextId,
        target: &TabTarget,
    ) -> Result<PortId, ConnectError> {
        let (opener, context) = self.opener(opener, &target.name)?;
        let info = ConnectInfo { kind: target.kind, lifecycle: context.lifecycle() };
        let description = context.shared.description();
        if matches!(description.kind, ContextKind::ContentScript | ContextKind::WebPage) {
            return Err(ConnectError::NotAllowed);
        }
        let instance = description.instance.ok_or(ConnectError::NotAllowed)?;
        let (filter, whichever_frame);
        if target.filter.document.is_some()
            && self.service.policies.document_target == DocumentTarget::DocumentDecides
        {
            whichever_frame = TabFilter { frame: None, ..target.filter };
            filter = &whichever_frame;
        } else {
            filter = &target.filter;
        }
        let own = (context.shared.id(), context.shared.number());
        let Self { service, peers, peer_of, last_peer, found, .. } = self;
        let mut search = Search { only: None, found, peers, peer_of, last_peer, own };
        service.index.contexts_in_tab(filter, instance, |target| search.note(target));
        let only = search.only;
        if service.policies.fan_out_order == FanOutOrder::Arbitrary {
            there_and_back(found);
        }
        self.connect(opener, &target.name, info, only)
    }

    /// Does [`EventLoop::connect_runtime`].
    pub(super) fn connect_to_extension(
        &mut self,
        opener: ContextId,
        target: &RuntimeTarget,
    ) -> Result<PortId, ConnectError> {
        let (opener, context) = self.opener(opener, &target.name)?;
        let info = ConnectInfo { kind: target.kind, lifecycle: context.lifecycle() };
        let instance = context.shared.description().instance;
        let own = (context.shared.id(), context.shared.number());
        let from_background = context.shared.is_background();
        let own_id = context.shared.extension();
        let other = target.extension.as_ref().filter(|extension| Some(*extension) != own_id);
        let from = other.map(|_| Arc::clone(&context.shared));
        let Self { service, peers, peer_of, last_peer, found, unanswered, .. } = self;
        let mut search = Search { only: None, found, peers, peer_of, last_peer, own };
        let note = |target: &Arc<ContextShared>| search.note(target);
        let is_latest = |life| unanswered.find(life);
        let reached = match (other.zip(from.as_ref()), instance) {
            (Some((other, from)), _) => service.index.external_contexts(other, from, note, is_latest),
            (None, Some(instance)) => service.index.own_contexts(instance, from_background, note, is_latest),
            (None, None) => return Err(ConnectError::NotAllowed),
        };
        let only = search.only;
        if self.waiting.is_empty() {
            let external = other.is_some();
            match reached {
                Reached::Contexts => return self.connect(opener, &target.name, info, only),
                Reached::Awake => return self.connect_to_awake(opener, &target.name, info, only, external),
                Reached::AwakeAnew | Reached::Asleep(_) => {}
            }
        }
        self.connect_now_or_later(opener, target, info, (reached, only))
    }

    /// Connects to an extension whose background runs, in the latest life that connects went to, and may be stopped before
    /// its loop takes the connection.
    #[inline(always)]
    fn connect_to_awake(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        only: Option<(PeerIndex, Key)>,
        external: bool,
    ) -> Result<PortId, ConnectError> {
        if let Some(only) = only {
            return self.connect_to_one::<true>(opener, name, info, only, external);
        }
        self.connect_to_awake_and_others(opener, name, info, external)
    }

    /// Connects to such an extension, to all in [`found`](Self::found).
    #[inline(never)]
    fn connect_to_awake_and_others(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        external: bool,
    ) -> Result<PortId, ConnectError> {
        let port = self.connect_to_found(opener, name, info)?;
        // Race: the background's event loop went, or it was detached, after the index was read.
        let pending = self.is_pending(port.key(), self.unanswered.latest().context);
        if let Some(port) = self.ports.get_mut(port.key()) {
            port.await_answer();
        }
        self.enter_unanswered(port.key(), info, external, pending);
        Ok(port)
    }

    /// Connects to an extension whose background sleeps, or where others wait on this loop.
    #[cold]
    fn connect_now_or_later(
        &mut self,
        opener: Key,
        target: &RuntimeTarget,
        info: ConnectInfo,
        (reached, only): (Reached, Option<(PeerIndex, Key)>),
    ) -> Result<PortId, ConnectError> {
        let life = self.unanswered.life_found(reached == Reached::AwakeAnew);
        let Some(context) = self.contexts.get(opener) else {
            debug_assert!(false, "the opener was looked up");
            return Err(ConnectError::UnknownContext);
        };
        let own = context.shared.extension();
        let other = target.extension.as_ref().filter(|extension| Some(*extension) != own);
        let instance = match (reached, other) {
            (Reached::Asleep(instance), _) => Some(instance),
            (Reached::Awake | Reached::AwakeAnew, _) => Some(life.instance),
            (Reached::Contexts, Some(other)) => self.service.index.instance_for(other, &context.shared),
            (Reached::Contexts, None) => context.shared.description().instance,
        };
        let external = other.is_some();
        let starting = !external && context.shared.is_background();
        if let Some(instance) = instance
            && (matches!(reached, Reached::Asleep(_))
                || !starting && (self.waits_for(instance) || self.awaits_word_of_the_past(instance)))
        {
            self.found.clear();
            if let Some(port) = self.connect_later(opener, instance, external, &target.name, info)? {
                return Ok(port);
            }
            return self.connect_to_extension(self.context_id(opener), target);
        }
        match reached {
            Reached::Awake | Reached::AwakeAnew => {
                self.unanswered.begin(life);
                self.connect_to_awake(opener, &target.name, info, only, external)
            }
            _ => self.connect(opener, &target.name, info, only),
        }
    }

    /// Returns a context that may connect by a port of this name, and its key.
    #[inline]
    fn opener(&self, opener: ContextId, name: &PortName) -> Result<(Key, &Context), ConnectError> {
        let key = opener.key_in(self.id).ok_or(ConnectError::UnknownContext)?;
        let context = self.contexts.get(key).ok_or(ConnectError::UnknownContext)?;
        if context.shared.is_killed() {
            return Err(ConnectError::Gone);
        }
        if context.suspended.is_some() && self.service.policies.back_forward_cache == BackForwardCache::Ends {
            return Err(ConnectError::Cached);
        }
        if name.as_str().len() > self.service.limits.name_bytes as usize {
            return Err(ConnectError::NameTooLong);
        }
        if !context.has_room(&self.service.limits, name.heap_bytes(), false) {
            return Err(ConnectError::TooManyPorts);
        }
        Ok((key, context))
    }

    /// Connects to the only target if there is one, otherwise to all in [`found`](Self::found).
    #[inline(always)]
    fn connect(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        only: Option<(PeerIndex, Key)>,
    ) -> Result<PortId, ConnectError> {
        if let Some((peer, target)) = only {
            return self.connect_to_one::<false>(opener, name, info, (peer, target), false);
        }
        self.connect_to_found(opener, name, info)
    }

    /// Connects to all in [`found`](Self::found), which it empties.
    #[inline(never)]
    fn connect_to_found(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
    ) -> Result<PortId, ConnectError> {
        let mut found = mem::take(&mut self.found);
        let result = self.connect_to_several(&mut found, opener, name, info);
        found.clear();
        self.found = found;
        result
    }

    /// Connects to one context, on an event loop that lanes lead to: the usual case. Port, leg and record are written
    /// in their final places, because moving what was just written fails store forwarding: that took connect, accept
    /// and disconnect on one thread from 178 ns to 126.
    ///
    /// If the connect is `AWAITED`, the target is a background or a page of an extension whose background is in the latest life.
    /// Compiled apart, for others keep nothing for that.
    #[inline(never)]
    fn connect_to_one<const AWAITED: bool>(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        (index, target): (PeerIndex, Key),
        external: bool,
    ) -> Result<PortId, ConnectError> {
        let Self { peers, contexts, ports, service, holdings, .. } = self;
        let peer = peers[index as usize].as_mut().ok_or(ConnectError::Busy)?;
        let holder = contexts.get_mut(opener).ok_or(ConnectError::UnknownContext)?;
        if !peer.admits_connect(&service.limits, &holder.shared, name.as_str().len(), true) {
            return Err(ConnectError::Busy);
        }
        let name_bytes = name.heap_bytes();
        if ports.vacant_key().is_none() || peer.opened.vacant_key().is_none() || name_bytes > 0 {
            let extension = holder.shared.description().instance;
            let opened = Some(&mut peer.opened);
            admit_port((holdings, &service.pool), ports, opened, extension, name_bytes)?;
        }
        let channel = Channel(peer.opened.vacant_key().ok_or(ConnectError::TooManyPorts)?);
        let side =
            move || Side::Opener(Opener::new(info.kind, OneOrMany::One(LegAt { peer: index, channel })));
        let state = if AWAITED { PortState::Unanswered } else { PortState::Open };
        let of = (opener, false);
        let port = enter_port(ports, holder, of, state, side, |place| place.clone_from(name));
        let port = port.ok_or(ConnectError::TooManyPorts)?;
        let opened = peer.open_to_one(port, target);
        debug_assert_eq!(opened, Some(channel), "it was looked at above");
        peer.connect(channel, info, &holder.shared, target, name);
        if AWAITED {
            let target = ContextId::new(peer.id.event_loop(), target);
            let pending = self.unanswered.latest().context == target;
            self.enter_unanswered(port, info, external, pending);
        }
        self.begin_opening(port);
        Ok(self.port_id(port))
    }

    /// Connects to everything in `found`.
    fn connect_to_several(
        &mut self,
        found: &mut Vec<FoundTarget>,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
    ) -> Result<PortId, ConnectError> {
        self.keep_reachable(opener, found);
        if !self.lanes_admit_connect(opener, name, found) {
            return Err(ConnectError::Busy);
        }
        let port = self.enter_opener(opener, name, info)?;
        if !found.is_empty() {
            self.begin_opening(port);
        }
        self.open_legs(port, opener, name, info, found);
        Ok(self.port_id(port))
    }

    /// Returns whether the lanes to all targets admit a connection; if there is none, whether the loop's lane to
    /// itself does, where it notes that.
    pub(super) fn lanes_admit_connect(
        &mut self,
        opener: Key,
        name: &PortName,
        found: &[FoundTarget],
    ) -> bool {
        let own_peer = found.is_empty().then(|| self.own_peer(opener));
        let Self { contexts, peers, service, .. } = self;
        let Some(Context { shared: opener, .. }) = contexts.get(opener) else {
            debug_assert!(false, "the opener was looked up");
            return false;
        };
        let limits = &service.limits;
        if let Some(own) = own_peer {
            let own = peers[own as usize].as_mut();
            return own.is_some_and(|own| own.admits_message(limits, opener, 0, true));
        }
        let mut concerned = SmallVec::<[(PeerIndex, usize); 4]>::new();
        for target in found {
            if let Some(peer) = peers[target.peer as usize].as_mut() {
                peer.listed.found += 1;
                if peer.listed.found == 1 {
                    concerned.push((target.peer, 0));
                }
            }
        }
        for (index, targets) in &mut concerned {
            let found = peers[*index as usize].as_mut().map(|peer| mem::take(&mut peer.listed.found));
            *targets = found.unwrap_or_default() as usize;
        }
        let mut admit = |counts: bool| {
            concerned.iter().all(|&(index, targets)| {
                let listed = if targets > 1 { targets * size_of::<Key>() } else { 0 };
                let bytes = name.as_str().len() + listed;
                let peer = peers[index as usize].as_mut();
                peer.is_some_and(|peer| peer.admits_connect(limits, opener, bytes, counts))
            })
        };
        // All of them first: a share counts what is sent alone.
        let admitted = (concerned.len() == 1 || admit(false)) && admit(true);
        if !admitted {
            for (index, _) in concerned {
                if let Some(peer) = peers[index as usize].as_mut() {
                    peer.give_back_unused();
                }
            }
        }
        admitted
    }

    /// Makes sure that lanes lead to every target, and leaves out the others.
    pub(super) fn keep_reachable(&mut self, opener: Key, found: &mut Vec<FoundTarget>) {
        // Race: a target's event loop went after the index was read. Its contexts are no targets then.
        let opens = self.contexts.get(opener).map(|context| context.shared.number());
        found.retain_mut(|target| opens.and_then(|opens| self.meet(target, opens)).is_some());
    }

    /// Makes an opener's port that has no leg yet.
    pub(super) fn enter_opener(
        &mut self,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
    ) -> Result<Key, ConnectError> {
        let Self { contexts, ports, holdings, service, .. } = self;
        let holder = contexts.get_mut(opener).ok_or(ConnectError::UnknownContext)?;
        let extension = holder.shared.description().instance;
        admit_port((holdings, &service.pool), ports, None, extension, name.heap_bytes())?;
        let side = || Side::Opener(Opener::new(info.kind, OneOrMany::Empty));
        let (of, state) = ((opener, false), PortState::Open);
        let port = enter_port(ports, holder, of, state, side, |place| place.clone_from(name));
        port.ok_or(ConnectError::TooManyPorts)
    }

    /// Opens one leg per event loop, in the order in which the first target on each was found. If there is none, has
    /// the port hear that it reaches nobody.
    pub(super) fn open_legs(
        &mut self,
        port: Key,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        found: &mut Vec<FoundTarget>,
    ) {
        while let Some(peer) = found.first().map(|first| first.peer) {
            let mut watched = Vec::new();
            let targets = found
                .extract_if(.., |target| target.peer == peer)
                .map(|target| {
                    watched.extend(target.unmet);
                    Target { context: target.key, state: TargetState::Pending }
                })
                .collect();
            self.open_leg(port, opener, name, info, peer, targets);
            self.bury_dead(peer, watched);
        }
        if matches!(self.ports.get(port), Some(Port { side: Side::Opener(side), .. }) if side.legs.is_empty())
        {
            let own = self.own_peer(opener);
            let Some(own) = self.peer_mut(own) else { return };
            // Queued like any record to this loop, so that a handler that connects again
            // whenever it hears of no receiver does not starve other event loops.
            own.no_target(port);
        }
    }

    /// Finds or creates the lanes to a target's event loop, and notes the peer; `None` when that loop is gone. What was
    /// unmet stays so until [`bury_dead`](Self::bury_dead) has looked at its mark, after the connect is sent.
    fn meet(&mut self, target: &mut FoundTarget, opens: ExtensionNumber) -> Option<()> {
        let Some(unmet) = &target.unmet else { return Some(()) };
        let id = PeerId::new(unmet.id().event_loop(), opens);
        if id.event_loop() == self.id {
            target.peer = self.own_peer_for(opens);
            return Some(());
        }
        if !self.peer_of.contains_key(&id) {
            let peer = self.service.event_loop(id.event_loop())?;
            match EventLoopShared::create_lanes(&self.shared, &peer, opens) {
                Ok(lanes) => {
                    self.add_peer(lanes);
                }
                Err(NoLanes::Gone) => return None,
                // Race: the peer created them meanwhile, perhaps after our target was found and killed.
                Err(NoLanes::Exist) => {
                    for lanes in self.shared.take_new_peers() {
                        self.add_peer(lanes);
                    }
                    target.unmet.take_if(|_| mutant("found-lanes-taken-for-old"));
                }
            }
        }
        target.peer = *self.peer_of.get(&id)?;
        Some(())
    }

    /// Opens a channel to the targets on one event loop.
    fn open_leg(
        &mut self,
        port: Key,
        opener: Key,
        name: &PortName,
        info: ConnectInfo,
        index: PeerIndex,
        targets: OneOrMany<Target>,
    ) {
        let Some(context) = self.contexts.get(opener) else {
            debug_assert!(false, "the opener was looked up");
            return;
        };
        let extension = context.shared.description().instance;
        let listed = if targets.len() > 1 { targets.len() } else { 0 };
        let admitted = self.admit_targets(index, true, listed, extension).is_ok();
        let Self { peers, contexts, ports, .. } = self;
        let (Some(peer), Some(context)) = (peers[index as usize].as_mut(), contexts.get(opener)) else {
            debug_assert!(false, "lanes lead to every target");
            return;
        };
        let keys: Vec<Key> = targets.iter().map(|target| target.context).collect();
        let channel = if admitted { peer.open_to(port, targets) } else { None };
        let Some(channel) = channel else {
            // As many channels lead there as ids can name, or as the pool has room for. These targets take no part, which their opener is told where
            // nobody else takes the connection.
            if let Some(Port { side: Side::Opener(side), .. }) = ports.get_mut(port) {
                side.refusal = Refusal::LimitReached;
            }
            return;
        };
        if let [target] = *keys {
            peer.connect(channel, info, &context.shared, target, name);
        } else {
            let (opener, name) = (context.shared.id().key(), name.clone());
            peer.connect_many(&context.shared, ConnectMany { channel, info, opener, name, targets: keys });
        }
        if let Some(Port { side: Side::Opener(side), .. }) = ports.get_mut(port) {
            side.legs.push(LegAt { peer: index, channel });
        }
    }

    /// Ends the connection to targets that were killed before their lanes were registered.
    ///
    /// Race: the killer read the registry before the lanes were in it, so its notice does not come here. But its mark
    /// was set before, so we find it now, and act as if the notice had come. A target that was
    /// detached needs no such look: its loop says so in its lane, after what the target may have sent.
    fn bury_dead(&mut self, index: PeerIndex, watched: impl IntoIterator<Item = Arc<ContextShared>>) {
        for context in watched {
            let killed = context.killed().filter(|_| !mutant("mark-looked-at-before-registering-only"));
            let Some(reason) = killed else { continue };
            self.cut(index, Gone::Contexts(Arc::new(vec![context.id().key()]), reason));
            self.made_work();
        }
    }
}

/// Enters a port into its context and lets `write_name` write its name in its final place. Returns `None` when ids
/// are used up.
#[inline(always)]
pub(super) fn enter_port(
    ports: &mut Slab<Port>,
    holder: &mut Context,
    (context, external): (Key, bool),
    state: PortState,
    side: impl FnOnce() -> Side,
    write_name: impl FnOnce(&mut PortName),
) -> Option<Key> {
    let index = u32::try_from(holder.ports.len()).ok()?;
    let make = move || Port {
        context,
        stamp: 0,
        state,
        wants_room: false,
        external,
        name: PortName::default(),
        side: side(),
    };
    let mut name_bytes = 0;
    let key = ports.insert_with(make, |port| {
        port.set_index_in_context(index);
        write_name(&mut port.name);
        name_bytes = port.name.heap_bytes();
    })?;
    // It fits: there is room for the name, by a limit of as many bits.
    holder.name_bytes += name_bytes as u32;
    holder.external_ports += u16::from(external);
    grow_gently(&mut holder.ports, 1);
    holder.ports.push(key);
    Some(key)
}
