//! What keeps a background awake.

use crate::ids::PortId;
use crate::target::ConnectKind;

/// Tells what a context has to do with others, and when it last had, from [`EventLoop::why_awake`](crate::EventLoop::why_awake).
///
/// Uses are numbered from 1 on, for each context: each event that it is handed, and each connect, post and disconnect
/// that it makes. A browser whose timer finds the same number of uses twice knows that the context was idle in between.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// How many uses there were; 0 for a context that is no background [started on
    /// demand](crate::ExtensionDescription::background_on_demand), whose uses are not counted.
    pub uses: u64,
    /// Its open ports, the one used last first.
    pub ports: Vec<ActivePort>,
}

/// An open port of a context, in [`Activity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivePort {
    /// The end that the context holds.
    pub port: PortId,
    /// What it is for. A [`OneOff`](ConnectKind::OneOff) is a message that has not been answered: by the other side if
    /// this one opened it, otherwise by this one. Where uses are not counted, a port that was accepted is shown as a
    /// [`Port`](ConnectKind::Port).
    pub kind: ConnectKind,
    /// `true` if the context opened it, `false` if it accepted it.
    pub opened: bool,
    /// The number of the last use; 0 if there was none, or uses are not counted.
    pub last_use: u64,
}
