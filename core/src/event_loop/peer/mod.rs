//! An event loop as another one sees it, for the connections that contexts of one extension open: the lanes between the
//! two, and the channels on them. So what one extension sends lies in no other's way.

mod budget;
mod by_context;
mod channels;
mod sending;
mod taking;

pub(crate) use taking::{Gone, message_of};

use crate::concurrent::bell::{Armer, Ringer};
use crate::concurrent::lane::{Consumer, Producer};
use crate::event_loop::port::{Leg, LegWindow};
use crate::event_loop::slab::{LAST_GENERATION, Slab};
use crate::ids::{ExtensionNumber, Key, PeerId};
use crate::shared::event_loop::{EventLoopShared, Lanes};
use crate::shared::pool::LaneGrant;
use crate::sync::{Arc, HashMap, HashSet, mutant};
use crate::wire::channel::Channel;
use crate::wire::context_table::ContextTable;
use crate::wire::record::Record;
use budget::Shares;
use by_context::ByContext;
pub(crate) use channels::AcceptedChannels;
use std::collections::{BTreeSet, VecDeque};
use taking::Cut;

/// A peer of an event loop. The loop is its own first peer, with one lane of which it
/// holds both ends.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) shared: Arc<EventLoopShared>,
    /// `true` if it is the loop itself.
    own: bool,
    link: Link,
    /// What ended at the peer, each at the end of what the peer had sent by then.
    cuts: VecDeque<Cut>,
    /// Channels that this side opened.
    pub(crate) opened: Slab<Leg>,
    /// Those that lead to one context, by that.
    by_target: ByContext,
    /// Those that lead to several, by each of them.
    fan_outs: BTreeSet<(Key, Key)>,
    /// How many targets those have in all that have several, and how many of them are counted for the pool. Also, while
    /// a connect is made, how many of its targets live at the peer.
    pub(crate) listed: Listed,
    /// The windows of these channels, if there are any.
    pub(crate) windows: HashMap<Channel, LegWindow>,
    /// How many targets there were connected to whose answer was not taken. Their answers pass a full lane.
    unanswered: u32,
    /// Our ports on these channels of which a post was refused because the lane is full.
    waiting: HashSet<Key>,
    /// What the extensions have in the lane. Not among the ends, whose memory is counted in whole lines.
    shares: Shares,
    /// What the pool lacked when it last refused something for this lane; `None` if the lane itself did.
    lacking: Option<Lacking>,
    /// `true` if the peer was asked for room and has not answered.
    asked: bool,
    /// Channels that the peer opened.
    pub(crate) accepted: AcceptedChannels,
    /// Which contexts the two told each other of.
    pub(crate) contexts: ContextTable,
    /// `true` if the loop polls this peer, so that the peer need not ring.
    pub(crate) polled: bool,
}

/// What the pool lacked for a lane.
#[derive(Clone, Copy)]
pub(crate) struct Lacking {
    pub(crate) bytes: u64,
    /// `true` if there was something in the lane, as far as was known.
    pub(crate) beside_others: bool,
}

/// Counts targets of channels that have several.
#[derive(Default)]
pub(crate) struct Listed {
    /// How many there are.
    pub(crate) now: u32,
    /// How many there may be, as the pool was asked.
    pub(crate) allowed: u32,
    /// How many targets of the connect that is being made live at the peer.
    pub(crate) found: u32,
}

enum Link {
    /// To itself, as long as it has sent itself nothing.
    Own,
    Lanes(Box<Ends>),
}

/// This side's ends of the two lanes. On cache lines of its own, because the heap may place another
/// thread's ends beside them.
#[repr(align(64))]
struct Ends {
    producer: Producer<Record>,
    ringer: Ringer,
    consumer: Consumer<Record>,
    armer: Armer,
    /// What the lane to the peer has drawn on the pool, and the one from it.
    grants: [Arc<LaneGrant>; 2],
    /// How much was taken when the reader last looked what it may give back, and after how much it looks again.
    looked: u64,
    look: u64,
}

impl Ends {
    fn of(lanes: Lanes) -> (Arc<EventLoopShared>, Box<Self>) {
        let Lanes { peer, producer, ringer, consumer, line, grants, .. } = lanes;
        let (armer, look) = (Armer::new(line), grants[1].look());
        (peer, Box::new(Self { producer, ringer, consumer, armer, grants, looked: 0, look }))
    }
}

impl Peer {
    pub(crate) fn own(shared: Arc<EventLoopShared>, opens: ExtensionNumber) -> Self {
        Self::new(PeerId::new(shared.id(), opens), shared, true, Link::Own)
    }

    pub(crate) fn other(lanes: Lanes) -> Self {
        let id = PeerId::new(lanes.peer.id(), lanes.opens);
        let (peer, ends) = Ends::of(lanes);
        Self::new(id, peer, false, Link::Lanes(ends))
    }

    fn new(id: PeerId, shared: Arc<EventLoopShared>, own: bool, link: Link) -> Self {
        Self {
            id,
            shared,
            own,
            link,
            cuts: VecDeque::new(),
            opened: Slab::counted(LAST_GENERATION),
            by_target: ByContext::default(),
            fan_outs: BTreeSet::new(),
            listed: Listed::default(),
            windows: HashMap::default(),
            unanswered: 0,
            waiting: HashSet::default(),
            shares: Shares::default(),
            lacking: None,
            asked: false,
            accepted: AcceptedChannels::default(),
            contexts: ContextTable::default(),
            polled: false,
        }
    }

    /// Returns this side's ends. Those of a loop's lane to itself are made when they are first needed.
    #[inline(always)]
    fn ends(&mut self) -> (&mut Ends, &EventLoopShared) {
        if matches!(self.link, Link::Own) {
            self.link = Link::Lanes(Ends::of(Lanes::to_itself(&self.shared, self.id)).1);
        }
        let Link::Lanes(ends) = &mut self.link else { unreachable!("made above") };
        if mutant("rung-before-publishing") {
            ends.ringer.published(self.shared.bell());
        }
        (ends, &self.shared)
    }
}
