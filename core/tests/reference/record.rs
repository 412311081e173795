//! What lies between loops.

use super::background::Load;
use super::window::Amount;
use super::{Channel, Context, End, Loop, Message};
use port_core::{DisconnectReason, DocumentLifecycle};
use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Record {
    Connect {
        channel: Channel,
        targets: Vec<Context>,
        lifecycle: DocumentLifecycle,
        bytes: u64,
    },
    /// To the opener: a receiver took the connection.
    Accept(End),
    /// To the opener: another listener of one that did.
    Join(End),
    /// To the opener: a target refused.
    Refuse(End, Refusal),
    /// To the opener: a receiver left.
    Left(End, DisconnectReason),
    /// To the receivers on a loop.
    Close(Channel, DisconnectReason, Told),
    ToReceivers(Channel, Message),
    ToOpener(End, Message),
    CreditOpener(Channel, Amount),
    CreditReceiver(End, Amount),
    /// A post was refused because this lane is full.
    AskRoom,
    /// To one who asked: what came before the question is taken.
    RoomThere,
    /// A credit that was read ahead of what lay before it, towards the opener or one receiver. Its turn comes all the same,
    /// and tells of room.
    Spent(Channel, Option<End>),
    /// A context that the peer was not told of before, with the bytes of its description.
    Announce(u64),
    /// One that it was told of has ended.
    Farewell,
    /// A port was opened towards nobody.
    NoTarget(Channel),
    /// A notice, behind what was sent before it.
    Gone(Vec<Context>, DisconnectReason),
    LoopGone(DisconnectReason),
    /// Sequences of which each keeps its order.
    AnyOf(Vec<VecDeque<Record>>),
}

/// Why a target refuses; the opener is told the last of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    NoReceiver,
    NotListening,
    LimitReached,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    Yes,
    No,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A fact ended contexts of these loops, in no order.
    Gone(Vec<(Loop, Vec<Context>)>, DisconnectReason),
    LoopGone(Loop, DisconnectReason),
    Suspend(Context),
    Resume(Context),
    /// A background that the loop waited for runs.
    Ready(Load),
    /// Starts of backgrounds that it waited for are over, in no order.
    GivenUp(Vec<(Load, u64)>, DisconnectReason),
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    pub records: VecDeque<Record>,
    /// Taken since the receiving loop last fell silent.
    pub taken: Amount,
    /// What each extension has there beyond the common part: at least and at most.
    pub shares: BTreeMap<usize, (Amount, Amount)>,
}

impl Record {
    /// What it counts for; a notice came by no lane.
    fn amount(&self) -> Amount {
        match self {
            Self::ToReceivers(_, message) | Self::ToOpener(_, message) => Amount::one(message.length),
            Self::Connect { bytes, .. } | Self::Announce(bytes) => Amount::one(*bytes),
            Self::Gone(..) | Self::LoopGone(_) => Amount::default(),
            Self::AnyOf(sequences) => sum(sequences.iter().flatten()),
            _ => Amount::one(0),
        }
    }

    fn is_credit(&self) -> bool {
        matches!(self, Self::CreditOpener(..) | Self::CreditReceiver(..))
    }
}

fn sum<'a>(records: impl Iterator<Item = &'a Record>) -> Amount {
    let mut sum = Amount::default();
    records.for_each(|record| sum.add(record.amount()));
    sum
}

impl Lane {
    pub fn lying(&self) -> Amount {
        sum(self.records.iter())
    }

    /// Reads the credits ahead of everything else, which stay as records.
    pub fn read_credits(&mut self) -> Vec<Record> {
        let mut credits = Vec::new();
        let mut read = |records: &mut VecDeque<Record>| {
            for record in records.iter_mut().filter(|record| record.is_credit()) {
                let spent = match record {
                    Record::CreditReceiver(end, _) => Record::Spent(end.0, Some(*end)),
                    Record::CreditOpener(channel, _) => Record::Spent(*channel, None),
                    _ => unreachable!("no credit"),
                };
                credits.push(std::mem::replace(record, spent));
            }
        };
        for record in &mut self.records {
            if let Record::AnyOf(sequences) = record {
                sequences.iter_mut().for_each(&mut read);
            }
        }
        read(&mut self.records);
        credits
    }

    /// The records of which one is next.
    pub fn front(&self) -> Vec<&Record> {
        match self.records.front() {
            Some(Record::AnyOf(sequences)) => sequences.iter().map(|sequence| &sequence[0]).collect(),
            record => record.into_iter().collect(),
        }
    }

    pub fn pop(&mut self, choice: usize) -> Record {
        let record = match self.records.front_mut() {
            Some(Record::AnyOf(sequences)) => {
                let record = sequences[choice].pop_front().expect("never empty");
                sequences.retain(|sequence| !sequence.is_empty());
                if sequences.is_empty() {
                    self.records.pop_front();
                }
                record
            }
            _ => self.records.pop_front().expect("a record is there"),
        };
        self.taken.add(record.amount());
        record
    }
}
