//! What threads did and heard, written down by each in its own order, and what must be
//! so of all of it together, whichever way the threads met.
#![allow(unreachable_pub, reason = "a module of one test")]

mod check;
mod thread;
mod world;

pub use check::check;
pub use thread::Thread;
pub use world::{THREADS, World, lock, report_facts};

use port_core::{DisconnectReason, TabId};

/// Contexts, channels and lives of event loops by numbers of the test's own.
pub type Context = u64;
pub type Channel = u64;
pub type Life = u64;

/// An end of a channel.
pub type End = (Channel, Context);

#[derive(Clone, Debug)]
pub enum Entry {
    Attach {
        context: Context,
        lives: Lives,
    },
    /// A connect that was not refused.
    Connect {
        channel: Channel,
        opener: Context,
        life: Life,
        step: u64,
        to: To,
    },
    /// A post that was accepted, the `number`th of its end.
    Post {
        end: End,
        number: u64,
    },
    /// A post that was refused, for its port or its context is gone.
    Refused {
        end: End,
    },
    /// A disconnect of a port that was open.
    Disconnect {
        end: End,
        step: u64,
    },
    Detach {
        context: Context,
        step: u64,
    },
    /// The loop was dropped; whether it may have been declared gone before.
    LoopEnds {
        life: Life,
        declared: bool,
    },
    HeardConnect {
        end: End,
        sender: Context,
    },
    HeardMessage {
        end: End,
        sent: Sent,
    },
    HeardEnd {
        end: End,
        reason: DisconnectReason,
    },
    HeardGone {
        context: Context,
    },
    /// When all was taken.
    OpenAtLast {
        end: End,
    },
}

/// Where a context lives: on which life of a loop, of which load of an extension, in
/// which tab, and whether as a content script.
#[derive(Clone, Copy, Debug)]
pub struct Lives {
    pub life: Life,
    pub load: usize,
    pub tab: Option<TabId>,
    pub script: bool,
}

/// Where a connect went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Tab(TabId),
    Own,
    /// Another extension, which admits everybody.
    Other,
}

/// What a message says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub channel: Channel,
    pub from: Context,
    pub life: Life,
    /// When, by the sending loop's count.
    pub step: u64,
    /// Which of its end's posts.
    pub number: u64,
}

/// The histories' entries about one channel, for a failure's text.
pub fn about(histories: &[Vec<Entry>], error: &str) -> Vec<String> {
    let number = error.split("channel ").nth(1).or_else(|| error.split("end: (").nth(1));
    let number: String =
        number.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect::<String>();
    let about = |entry: &&Entry| match entry {
        Entry::Connect { channel, .. } => channel.to_string() == number,
        Entry::Post { end, .. }
        | Entry::Refused { end }
        | Entry::Disconnect { end, .. }
        | Entry::HeardConnect { end, .. }
        | Entry::HeardMessage { end, .. }
        | Entry::HeardEnd { end, .. }
        | Entry::OpenAtLast { end } => end.0.to_string() == number,
        _ => false,
    };
    let lines = histories.iter().enumerate().flat_map(|(thread, history)| {
        history.iter().filter(about).map(move |entry| format!("thread {thread}: {entry:?}"))
    });
    lines.collect()
}
