//! Windows: how far one side of a port may be ahead of the other.

use super::EventLoop;
use crate::event_loop::peer::Peer;
use crate::event_loop::port::{PeerIndex, ReceiverAt, Side};
use crate::ids::Key;
use crate::wire::channel::{Channel, Towards};
use crate::wire::credit::{Credit, Taken};
use crate::wire::record::Signal;

impl EventLoop {
    #[inline]
    pub(super) fn has_windows(&self) -> bool {
        self.windowed
    }

    /// Applies the credits in what the peers of a port have sent, and leaves the rest for
    /// [`next_event`](Self::next_event).
    pub(super) fn take_credits(&mut self, key: Key) {
        for index in self.peers_of(key) {
            for signal in self.peer_mut(index).map(Peer::credits_ahead).unwrap_or_default() {
                if let Signal::Credit { channel, towards, ordinal, credit } = signal {
                    self.credited(index, channel, towards, ordinal, credit);
                }
            }
        }
    }

    /// Notes what the other side took of a port's messages.
    pub(super) fn credited(
        &mut self,
        index: PeerIndex,
        channel: Channel,
        towards: Towards,
        ordinal: u32,
        credit: Credit,
    ) {
        let Some(peer) = self.peers[index as usize].as_mut() else { return };
        let port = match towards {
            Towards::Opener => {
                // Race: the opener disconnected while the credit was under way.
                let Some(leg) = peer.opened.get(channel.0) else { return };
                if let Some(window) = peer.windows.get_mut(&channel) {
                    window.sent.credit(credit);
                }
                leg.port
            }
            Towards::Receiver => {
                let ports = &self.ports;
                let found = peer.accepted.get(channel).and_then(|accepted| {
                    accepted.receivers().iter().map(|receiver| receiver.port.key()).find(|port| {
                        matches!(ports.get(*port).map(|port| &port.side),
                            Some(Side::Receiver(receiver)) if receiver.ordinal == ordinal)
                    })
                });
                // Race: the receiver left while the credit was under way.
                let Some(key) = found else { return };
                if let Some(window) = self.receiver_windows.get_mut(&key) {
                    window.sent.credit(credit);
                }
                key
            }
        };
        self.tell_of_room(port);
    }

    /// Counts messages that a receiver is done with.
    pub(super) fn receiver_took(&mut self, key: Key, amount: Credit) {
        if !self.has_windows() {
            return;
        }
        // An opener's messages are counted by `opener_took`.
        let Some(Side::Receiver(receiver)) = self.ports.get(key).map(|port| &port.side) else { return };
        let (index, channel) = (receiver.peer, receiver.channel);
        self.receiver_windows.entry(key).or_default().taken.total.add(amount);
        self.report_taken(index, channel);
    }

    /// Reports to the opener what the slowest receiver of a channel has taken.
    pub(super) fn report_taken(&mut self, index: PeerIndex, channel: Channel) {
        if !self.has_windows() {
            return;
        }
        let Self { peers, receiver_windows, service, .. } = self;
        let Some(peer) = peers[index as usize].as_mut() else { return };
        // Race: the channel ended before its last messages were handed out; nobody waits for this credit.
        let Some(accepted) = peer.accepted.get(channel) else { return };
        let taken = |at: &ReceiverAt| {
            receiver_windows.get(&at.port.key()).map(|window| window.taken).unwrap_or_default()
        };
        let slowest = accepted.receivers().iter().map(taken).reduce(|one, other| Taken {
            total: one.total.least(other.total),
            reported: one.reported.least(other.reported),
        });
        let Some(slowest) = slowest.filter(|slowest| slowest.is_worth_reporting(&service.limits)) else {
            return;
        };
        let credit = slowest.total;
        for receiver in accepted.receivers() {
            if let Some(window) = receiver_windows.get_mut(&receiver.port.key()) {
                window.taken.reported = credit;
            }
        }
        let towards = Towards::Opener;
        peer.signal(move || Signal::Credit { channel, towards, ordinal: 0, credit });
    }

    /// Counts messages from one receiver that the opener is done with.
    pub(super) fn opener_took(
        &mut self,
        key: Key,
        index: PeerIndex,
        channel: Channel,
        ordinal: u32,
        amount: Credit,
    ) {
        if !self.has_windows() {
            return;
        }
        let Self { peers, service, .. } = self;
        let Some(peer) = peers[index as usize].as_mut() else { return };
        // Race: the channel ended before its last messages were taken, and another may have its place.
        if peer.opened.get(channel.0).is_none_or(|leg| leg.port != key) {
            return;
        }
        let taken = peer.windows.entry(channel).or_default().taken_from(ordinal);
        taken.total.add(amount);
        if taken.is_worth_reporting(&service.limits) {
            taken.reported = taken.total;
            let (towards, credit) = (Towards::Receiver, taken.total);
            peer.signal(move || Signal::Credit { channel, towards, ordinal, credit });
        }
    }
}
