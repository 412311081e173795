//! The usual record, a message, from where it lies in the lane to its event or the first of its events.

use super::{Link, Peer};
use crate::concurrent::lane::Entry;
use crate::event::{Event, Full, Place};
use crate::event_loop::fan_out::FanOut;
use crate::event_loop::port::{LegWindow, Port, PortState, ReceiverAt, ReceiverWindow, TargetState};
use crate::event_loop::slab::Slab;
use crate::ids::{ContextId, EventLoopId, Key, PortId};
use crate::limits::Limits;
use crate::payload::{Cell, Payload};
use crate::sync::HashMap;
use crate::wire::channel::{Channel, Route};
use crate::wire::credit::Credit;
use crate::wire::record::{Address, Record};

/// A message that lies next in the lane and goes to one port of this side.
pub(crate) struct Arrival<'a> {
    entry: Entry<'a, Record>,
    bytes: u64,
    /// Whether all of it lies in the lane.
    short: bool,
    channel: Channel,
    route: Route,
    windows: &'a mut HashMap<Channel, LegWindow>,
    /// That port, which is open.
    pub(crate) port: Key,
    /// The context that holds it.
    pub(crate) context: Key,
}

/// Why what comes next is no [`Arrival`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It is a message to several ports, or none.
    ToSeveral,
    /// It is something else, or there is nothing.
    Other,
}

impl Arrival<'_> {
    /// Counts the message as taken by this side; `false`, and nothing counted, when that
    /// would have to be reported.
    #[inline(always)]
    pub(crate) fn count(&mut self, receivers: &mut HashMap<Key, ReceiverWindow>, limits: &Limits) -> bool {
        count(self.windows, receivers, limits, (self.channel, self.route), self.port, self.bytes)
    }

    /// Takes the message and makes an event of it.
    #[inline(always)]
    pub(crate) fn into_event(self, event_loop: EventLoopId) -> Option<Event> {
        let context = self.context;
        if self.short {
            // The place inside of the closure: what lies outside, a closure that is called reaches by a
            // reference, and the event would be moved.
            let port = self.port;
            self.entry.pass(self.bytes, |record, tail| {
                Place::of_event_or_none(|place| {
                    put_short(place, context, port, event_loop, record, tail.cells()).into()
                })
            })
        } else {
            Some(take_long(self.entry, event_loop, context, self.port))
        }
    }

    /// As [`into_event`](Self::into_event), in its place.
    #[inline(always)]
    pub(crate) fn put(self, event_loop: EventLoopId, place: &mut Place) -> Full {
        if self.short {
            self.put_short(event_loop, place)
        } else {
            place.put(take_long(self.entry, event_loop, self.context, self.port))
        }
    }

    #[inline(always)]
    fn put_short(self, event_loop: EventLoopId, place: &mut Place) -> Full {
        // There is nothing in the record that would have to be dropped.
        self.entry.pass(self.bytes, |record, tail| {
            put_short(place, self.context, self.port, event_loop, record, tail.cells())
        })
    }
}

/// See [`Arrival::count`]. Outside of it, for an arrival is to stay in registers.
#[inline(never)]
fn count(
    legs: &mut HashMap<Channel, LegWindow>,
    receivers: &mut HashMap<Key, ReceiverWindow>,
    limits: &Limits,
    (channel, route): (Channel, Route),
    port: Key,
    bytes: u64,
) -> bool {
    let unreported = match route.receiver() {
        Some(ordinal) => legs.entry(channel).or_default().unreported_of(ordinal),
        None => &mut receivers.entry(port).or_default().unreported,
    };
    let mut taken = *unreported;
    taken.add(Credit::one(bytes));
    let counted = !taken.is_worth_reporting(limits);
    if counted {
        *unreported = taken;
    }
    counted
}

/// Takes a long message and makes an event of it.
#[inline(never)]
fn take_long(entry: Entry<'_, Record>, event_loop: EventLoopId, context: Key, port: Key) -> Event {
    let bytes = entry.peek(Record::address).map_or(0, |address| address.bytes);
    entry.take(bytes, |record, _| match record {
        Record::Long { traits, bytes, .. } => Event::message(
            ContextId { event_loop, key: context },
            PortId { event_loop, key: port },
            traits,
            Payload::shared(bytes),
        ),
        _ => unreachable!("its address says that it is a long message"),
    })
}

/// Puts the event of a short message.
///
/// The compiler is not to see from here to where the event then lies: it would put it
/// together elsewhere and move it.
#[inline(never)]
fn put_short<'a>(
    place: &mut Place,
    context: Key,
    port: Key,
    event_loop: EventLoopId,
    record: &'a Record,
    cells: impl Iterator<Item = &'a Cell>,
) -> Full {
    // SAFETY: the cells are of this record's tail.
    let (traits, pieces) = unsafe { record.pieces(cells) };
    let (context, port) = (ContextId { event_loop, key: context }, PortId { event_loop, key: port });
    place.put_short(context, port, (traits.format(), traits.user_activation()), pieces)
}

impl Peer {
    /// The next record where it is a message to one port, which is open: the usual case, and the
    /// quick way. Everything else goes by other ways.
    #[inline(always)]
    pub(crate) fn arrival(&mut self, ports: &Slab<Port>) -> Result<Arrival<'_>, Missed> {
        let Self { link: Link::Lanes(ends), backlog, opened, accepted, windows, .. } = self else {
            return Err(Missed::Other);
        };
        if !backlog.is_empty() {
            return Err(Missed::Other);
        }
        let entry = ends.consumer.entry().ok_or(Missed::Other)?;
        let address = entry.peek(Record::address).ok_or(Missed::Other)?;
        let Address { channel, route, bytes, short } = address;
        let ReceiverAt { port, context } = match route.receiver() {
            None => {
                let accepted = accepted.get(channel.0.index() as usize).and_then(Option::as_ref);
                let current = accepted.filter(|accepted| accepted.generation() == channel.0.generation());
                current.ok_or(Missed::Other)?.only().ok_or(Missed::ToSeveral)?
            }
            Some(ordinal) => {
                let leg = opened.get(channel.0).ok_or(Missed::Other)?;
                let target = leg.targets.get(ordinal as usize);
                target.filter(|target| target.state == TargetState::Open).ok_or(Missed::Other)?;
                let port = ports.get(leg.port).filter(|port| port.state == PortState::Open);
                ReceiverAt { port: leg.port, context: port.ok_or(Missed::Other)?.context }
            }
        };
        Ok(Arrival { entry, bytes, short, channel, route, windows, port, context })
    }

    /// Takes the next record where it is a short message to several ports, and begins to hand it
    /// out to these; whether it is one.
    #[inline(always)]
    pub(crate) fn begin_fan_out(&mut self, fan_out: &mut FanOut) -> bool {
        let Self { link: Link::Lanes(ends), backlog, accepted, .. } = self else { return false };
        if !backlog.is_empty() {
            return false;
        }
        let Some(entry) = ends.consumer.entry() else { return false };
        let Some(Address { channel, route, bytes, short: true }) = entry.peek(Record::address) else {
            return false;
        };
        let Some(Some(accepted)) = accepted.get(channel.0.index() as usize) else { return false };
        let current = accepted.generation() == channel.0.generation();
        if !current || route.receiver().is_some() || accepted.only().is_some() {
            return false;
        }
        entry.pass(bytes, |record, tail| {
            // SAFETY: it is this record's tail.
            let (traits, pieces) = unsafe { record.pieces(tail.cells()) };
            fan_out.begin_short(accepted.receivers(), traits, pieces);
        });
        true
    }
}
