//! What must be so of all that threads did and heard.

use super::{Channel, Context, End, Entry, Life, Lives, Sent, To};
use port_core::DisconnectReason::{
    self, ContextDetached, Disconnected, EventLoopGone, LimitReached, NoReceiver, SiblingEnded,
};
use port_core::{OpeningPort, Policies, ReceiverDisconnects};
use std::collections::{BTreeMap, HashMap, HashSet};

struct Opened {
    opener: Context,
    life: Life,
    step: u64,
    to: To,
}

#[derive(Default)]
struct EndSeen {
    posts: u64,
    /// By sender, how many messages were heard.
    heard: HashMap<Context, u64>,
    /// Its own side disconnected it.
    left: Option<u64>,
    ended: Option<DisconnectReason>,
    open_at_last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// By its own thread, at this step: what it sent arrives.
    Detached(u64),
    Dropped,
    /// By a fact: what it sent arrives up to some point.
    Killed,
}

#[derive(Default)]
struct Seen {
    contexts: HashMap<Context, Lives>,
    deaths: HashMap<Context, Death>,
    channels: BTreeMap<Channel, Opened>,
    ends: BTreeMap<End, EndSeen>,
    /// By hearing context, sending life and the opener's extension, the steps of what was heard, in order.
    orders: HashMap<(Context, Life, usize), Vec<u64>>,
    /// Which load of an extension is of which extension.
    extensions: Vec<usize>,
}

/// Checks everything.
///
/// # Errors
///
/// Says what is not as it must be, with the channel concerned.
pub fn check(histories: &[Vec<Entry>], extensions: Vec<usize>, policies: &Policies) -> Result<(), String> {
    let mut seen = Seen { extensions, ..Seen::default() };
    for entry in histories.iter().flatten() {
        match *entry {
            Entry::Attach { context, lives } => {
                seen.contexts.insert(context, lives);
            }
            Entry::Connect { channel, opener, life, step, to } => {
                seen.channels.insert(channel, Opened { opener, life, step, to });
            }
            _ => {}
        }
    }
    for history in histories {
        let mut walk = Walk { seen: &mut seen, gone: HashSet::new() };
        for entry in history {
            walk.entry(entry).map_err(|error| format!("{error}, at {entry:?}"))?;
        }
    }
    seen.check_order(policies)?;
    for (channel, opened) in &seen.channels {
        seen.check_channel(*channel, opened, policies)
            .map_err(|error| format!("channel {channel} of context {}: {error}", opened.opener))?;
    }
    Ok(())
}

/// One thread's history, entry by entry.
struct Walk<'a> {
    seen: &'a mut Seen,
    gone: HashSet<Context>,
}

fn demand(holds: bool, what: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| what.to_owned())
}

impl Walk<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), String> {
        match *entry {
            Entry::Attach { .. } => {}
            Entry::Connect { channel, opener, .. } => {
                demand(!self.gone.contains(&opener), "a context that is gone connects")?;
                self.seen.ends.insert((channel, opener), EndSeen::default());
            }
            Entry::Post { end, number } => {
                demand(!self.gone.contains(&end.1), "a context that is gone posts")?;
                let seen = self.open(end)?;
                demand(seen.posts == number, "the posts are counted")?;
                seen.posts += 1;
            }
            Entry::Refused { end } => {
                let known = self.seen.ends.contains_key(&end);
                demand(known, "the port was there once")?;
            }
            Entry::Disconnect { end, step } => self.open(end)?.left = Some(step),
            Entry::Detach { context, step } => self.dies(context, Death::Detached(step))?,
            Entry::HeardGone { context } => self.dies(context, Death::Killed)?,
            Entry::LoopEnds { life, declared } => {
                let here: Vec<_> =
                    self.seen.contexts.iter().filter(|(_, known)| known.life == life).collect();
                let here: Vec<_> = here.into_iter().map(|(context, _)| *context).collect();
                for context in here {
                    self.gone.insert(context);
                    let death = if declared { Death::Killed } else { Death::Dropped };
                    self.seen.deaths.entry(context).or_insert(death);
                }
            }
            Entry::HeardConnect { end, sender } => self.heard_connect(end, sender)?,
            Entry::HeardMessage { end, sent } => self.heard_message(end, sent)?,
            Entry::HeardEnd { end, reason } => {
                self.alive(end.1)?;
                self.open(end)?.ended = Some(reason);
                self.seen.order_of_end(end, reason);
            }
            Entry::OpenAtLast { end } => self.open(end)?.open_at_last = true,
        }
        Ok(())
    }

    fn alive(&self, context: Context) -> Result<(), String> {
        demand(!self.gone.contains(&context), "a context that is gone hears something")
    }

    /// An end that was opened, and not left nor ended.
    fn open(&mut self, end: End) -> Result<&mut EndSeen, String> {
        let seen = self.seen.ends.get_mut(&end).ok_or("an end that was never opened")?;
        demand(seen.left.is_none(), "the side that disconnected goes on")?;
        demand(seen.ended.is_none(), "something after the end")?;
        Ok(seen)
    }

    fn dies(&mut self, context: Context, death: Death) -> Result<(), String> {
        demand(self.gone.insert(context), "a context goes twice")?;
        self.seen.deaths.insert(context, death);
        Ok(())
    }

    /// Nobody but those meant hears of a connection, and of nobody but the opener.
    fn heard_connect(&mut self, end: End, sender: Context) -> Result<(), String> {
        self.alive(end.1)?;
        let seen = &mut *self.seen;
        let opened = &seen.channels[&end.0];
        demand(sender == opened.opener, "the sender is who opened")?;
        demand(sender != end.1, "nobody connects to itself")?;
        let (theirs, own) = (seen.contexts[&opened.opener], seen.contexts[&end.1]);
        let (load, own_load) = (theirs.load, own.load);
        match opened.to {
            To::Tab(wanted) => {
                demand(own.tab == Some(wanted) && load == own_load, "a stranger in a tab hears")?;
            }
            To::Own => demand(!own.script && load == own_load, "a stranger hears")?,
            To::Other => {
                let (opener, other) = (seen.extensions[load], seen.extensions[own_load]);
                demand(!own.script && other == 1, "an extension that admits nobody hears")?;
                demand(opener != other || load == own_load, "another load of its own extension hears")?;
            }
        }
        demand(seen.ends.insert(end, EndSeen::default()).is_none(), "one connection twice")?;
        let (life, step) = (opened.life, opened.step);
        let opens = seen.extensions[load];
        seen.orders.entry((end.1, life, opens)).or_default().push(step);
        Ok(())
    }

    fn heard_message(&mut self, end: End, sent: Sent) -> Result<(), String> {
        self.alive(end.1)?;
        demand(sent.channel == end.0, "a message of another channel")?;
        let opener = self.seen.channels[&end.0].opener;
        demand((end.1 == opener) != (sent.from == opener), "a message of its own side")?;
        let next = self.open(end)?.heard.entry(sent.from).or_default();
        demand(*next == sent.number, "not each once and in order")?;
        *next += 1;
        let opens = self.seen.opener_extension(opener);
        self.seen.orders.entry((end.1, sent.life, opens)).or_default().push(sent.step);
        Ok(())
    }
}

impl Seen {
    /// The extension of who opened a channel.
    fn opener_extension(&self, opener: Context) -> usize {
        self.extensions[self.contexts[&opener].load]
    }

    /// An end that the other side's own call caused has its place in the order too.
    fn order_of_end(&mut self, end: End, reason: DisconnectReason) {
        let opened = &self.channels[&end.0];
        if end.1 == opened.opener {
            return;
        }
        let step = match reason {
            Disconnected => self.ends.get(&(end.0, opened.opener)).and_then(|seen| seen.left),
            ContextDetached => match self.deaths.get(&opened.opener) {
                Some(Death::Detached(step)) => Some(*step),
                _ => None,
            },
            _ => None,
        };
        if let Some(step) = step {
            let opens = self.opener_extension(opened.opener);
            self.orders.entry((end.1, opened.life, opens)).or_default().push(step);
        }
    }

    /// What one loop sends to one context by ports that one extension opened arrives in the order of the calls, across
    /// these ports and across loads of the extension.
    fn check_order(&self, policies: &Policies) -> Result<(), String> {
        if policies.opening_port == OpeningPort::PostsWait {
            return Ok(());
        }
        for ((context, life, opens), steps) in &self.orders {
            if let Some(at) = steps.windows(2).position(|pair| pair[0] > pair[1]) {
                let around = &steps[at.saturating_sub(3)..(at + 4).min(steps.len())];
                return Err(format!(
                    "context {context} heard life {life}, by ports of extension {opens}, out of order: {around:?}"
                ));
            }
        }
        Ok(())
    }

    /// Why an end is closed by now, if by its own side.
    fn gone_by_itself(&self, end: End) -> bool {
        self.deaths.contains_key(&end.1) || self.ends[&end].left.is_some()
    }

    /// Whether all that an end posted must have reached whoever stayed to hear it.
    fn spoke_to_the_end(&self, end: End) -> bool {
        let by_a_fact = self.deaths.get(&end.1) == Some(&Death::Killed);
        !by_a_fact || self.ends[&end].left.is_some()
    }

    fn check_channel(&self, channel: Channel, opened: &Opened, policies: &Policies) -> Result<(), String> {
        let opener = (channel, opened.opener);
        let mine = &self.ends[&opener];
        let ends = self.ends.range((channel, 0)..=(channel, Context::MAX));
        let receivers: Vec<_> = ends.filter(|(end, _)| **end != opener).collect();
        // Nobody is left half open.
        let open: Vec<_> = receivers.iter().filter(|(_, seen)| seen.open_at_last).collect();
        if mine.open_at_last {
            demand(!open.is_empty(), "the opener is open towards nobody")?;
        }
        for (end, theirs) in &receivers {
            // Untold, where one browser leaves a port to look at; the opener may have gone
            // with its own event not handed out yet.
            let unheard =
                self.gone_by_itself(opener) && receivers.iter().any(|(_, seen)| seen.left.is_some());
            let untold = policies.receiver_disconnects == ReceiverDisconnects::EndsForOpener
                && (mine.ended == Some(Disconnected) || unheard);
            let survives = !self.gone_by_itself(**end);
            demand(!theirs.open_at_last || mine.open_at_last, &format!("{end:?} is open towards nobody"))?;
            if survives && !mine.open_at_last && !untold {
                demand(theirs.ended.is_some(), &format!("{end:?} heard no end"))?;
            }
            // What the opener said.
            let heard = theirs.heard.get(&opened.opener).copied().unwrap_or_default();
            demand(heard <= mine.posts, "more heard than said")?;
            let whole = theirs.open_at_last
                || match theirs.ended {
                    Some(Disconnected | ContextDetached) => true,
                    Some(EventLoopGone) => self.deaths.get(&opened.opener) == Some(&Death::Dropped),
                    _ => false,
                };
            if survives && whole && self.spoke_to_the_end(opener) {
                demand(heard == mine.posts, &format!("{end:?} heard {heard} of {}", mine.posts))?;
            }
            // What it said to the opener, where no other receiver may have ended the port.
            let heard = mine.heard.get(&end.1).copied().unwrap_or_default();
            demand(heard <= theirs.posts, "more heard than said to the opener")?;
            let alone = receivers.len() == 1;
            let whole = theirs.open_at_last || (alone && mine.ended.is_some());
            if !self.gone_by_itself(opener) && whole && self.spoke_to_the_end(**end) && !untold {
                demand(heard == theirs.posts, &format!("the opener heard {heard} of {}", theirs.posts))?;
            }
        }
        if self.gone_by_itself(opener) {
            return Ok(());
        }
        // One end, and no reason that is not one.
        demand(mine.open_at_last || mine.ended.is_some(), "the opener heard no end")?;
        match mine.ended {
            Some(NoReceiver | LimitReached) => {
                demand(receivers.is_empty(), "nobody received, it says, and somebody did")
            }
            Some(SiblingEnded) => Err("an opener has no siblings".to_owned()),
            Some(Disconnected) => {
                let left = receivers.iter().any(|(_, seen)| seen.left.is_some());
                demand(left, "nobody disconnected")
            }
            _ => Ok(()),
        }
    }
}
