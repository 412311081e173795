//! The books of a storm: what each end of each channel posted and heard, and how it ended.

use port_core::{DisconnectReason, EventLoopId};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// One end of a channel.
#[derive(Debug)]
pub struct End {
    /// Unique among all ends.
    pub number: u64,
    /// The number of the opener's end: its own for the opener.
    pub opener: u64,
    pub event_loop: EventLoopId,
    /// Messages whose post returned `Ok`.
    pub posted: u64,
    /// Messages heard, by the number of the end that posted them.
    pub heard: Vec<(u64, u64)>,
    pub fate: Fate,
}

/// How an end of a channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It did not, until all was calm.
    Open,
    /// It heard so.
    Heard(DisconnectReason),
    Disconnected,
    Detached,
    /// A fact ended its context.
    Killed(DisconnectReason),
    LoopDropped,
}

impl End {
    pub fn new(number: u64, opener: u64, event_loop: EventLoopId) -> Self {
        Self { number, opener, event_loop, posted: 0, heard: Vec::new(), fate: Fate::Open }
    }

    /// The message must be the next one of its sender.
    pub fn hear(&mut self, sender: u64, number: u64) {
        assert_eq!(self.fate, Fate::Open, "a message after the end");
        let at = self.heard.iter().position(|(known, _)| *known == sender).unwrap_or_else(|| {
            self.heard.push((sender, 0));
            self.heard.len() - 1
        });
        let (_, next) = &mut self.heard[at];
        assert_eq!(number, *next, "each message once and in order");
        *next += 1;
    }

    /// It ends, if it has not ended before.
    pub fn end(&mut self, fate: Fate) {
        if self.fate == Fate::Open {
            self.fate = fate;
        }
    }

    fn heard_of(&self, sender: u64) -> u64 {
        self.heard.iter().find(|(known, _)| *known == sender).map_or(0, |(_, heard)| *heard)
    }
}

/// What all threads brought.
#[derive(Default)]
pub struct Books {
    ends: Vec<End>,
    most_open: usize,
}

/// What one thread brings.
pub struct Page {
    pub ends: Vec<End>,
    /// The most ports that were open at once.
    pub most_open: usize,
}

/// What the books come to.
#[derive(Debug, Default)]
pub struct Sum {
    pub posted: u64,
    delivered: u64,
    /// Messages that a receiver did not get, by how its end ended.
    lost: BTreeMap<Fate, u64>,
    channels: usize,
    ends: usize,
    most_open: usize,
}

impl Books {
    pub fn add(&mut self, page: Page) {
        self.ends.extend(page.ends);
        self.most_open += page.most_open;
    }

    /// Accounts for each message of each receiver.
    pub fn balance(&self, declared_gone: &HashSet<EventLoopId>) -> Sum {
        let openers: HashMap<u64, &End> =
            self.ends.iter().filter(|end| end.number == end.opener).map(|end| (end.number, end)).collect();
        let mut receivers = HashMap::<u64, usize>::new();
        let mut sum = Sum {
            channels: openers.len(),
            ends: self.ends.len(),
            most_open: self.most_open,
            posted: self.ends.iter().map(|end| end.posted).sum(),
            ..Sum::default()
        };
        for receiver in self.ends.iter().filter(|end| end.number != end.opener) {
            *receivers.entry(receiver.opener).or_default() += 1;
        }
        for receiver in self.ends.iter().filter(|end| end.number != end.opener) {
            let opener = openers[&receiver.opener];
            let was_hung = |end: &End| declared_gone.contains(&end.event_loop);
            let opener_said_all = match receiver.fate {
                Fate::Open
                | Fate::Heard(DisconnectReason::Disconnected | DisconnectReason::ContextDetached) => true,
                Fate::Heard(DisconnectReason::EventLoopGone) => !was_hung(opener),
                _ => false,
            };
            sum.settle(opener, receiver, opener_said_all);
            let alone = receivers[&receiver.opener] == 1;
            let receiver_said_all = match opener.fate {
                Fate::Open => true,
                // Of several, one may have ended the port while others had words under way.
                Fate::Heard(DisconnectReason::Disconnected) => alone,
                _ => false,
            };
            sum.settle(receiver, opener, receiver_said_all);
        }
        let heard: u64 = self.ends.iter().flat_map(|end| &end.heard).map(|(_, heard)| heard).sum();
        assert_eq!(heard, sum.delivered, "something was heard that nobody posted");
        sum
    }
}

impl Sum {
    /// What `sender` posted, `hearer` has heard, or there is a reason why not.
    fn settle(&mut self, sender: &End, hearer: &End, must_have_all: bool) {
        let heard = hearer.heard_of(sender.number);
        assert!(heard <= sender.posted, "more heard than posted: {sender:?} {hearer:?}");
        let lost = sender.posted - heard;
        assert!(lost == 0 || !must_have_all, "{lost} messages are missing: {sender:?} {hearer:?}");
        self.delivered += heard;
        if lost > 0 {
            *self.lost.entry(hearer.fate).or_default() += lost;
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { posted, delivered, lost, channels, ends, most_open } = self;
        write!(
            f,
            "{channels} channels with {ends} ends, {most_open} open at once; {posted} messages posted, "
        )?;
        write!(f, "{delivered} times heard; not heard because the hearer was {lost:?}")
    }
}
