//! Channels, one per direction for all ports.

use super::{BOUND, End, Item, Sleeper, Transport, both_ways, item, look_at_item};
use crate::load::Load;

/// A transport of two channels of one kind.
macro_rules! channel {
    (
        $(#[$doc:meta])* $transport:ident, $end:ident, $name:literal, $sender:ty, $receiver:ty,
        new: $new:expr, send: $send:expr, try_receive: $try_receive:expr, receive: $receive:expr $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $transport;

        /// One end of both channels.
        #[derive(Debug)]
        pub struct $end {
            sender: $sender,
            receiver: $receiver,
        }

        impl Transport for $transport {
            const NAME: &'static str = $name;

            type End = $end;

            fn between(_ports: usize) -> ($end, $end) {
                both_ways(|| $new, |sender, receiver| $end { sender, receiver })
            }
        }

        impl End for $end {
            ports_by_number!();

            #[inline]
            fn post<L: Load>(&mut self, port: usize, load: &L) {
                let send: fn(&$sender, Item) -> bool = $send;
                assert!(send(&self.sender, item(port, load)), "the receiver is there");
            }

            #[inline]
            fn take(&mut self) -> bool {
                let try_receive: fn(&mut $receiver) -> Option<Item> = $try_receive;
                try_receive(&mut self.receiver).map(look_at_item).is_some()
            }
        }

        impl Sleeper for $end {
            #[inline]
            fn wait(&mut self) {
                let receive: fn(&mut $receiver) -> Option<Item> = $receive;
                look_at_item(receive(&mut self.receiver).expect("the sender is there"));
            }
        }
    };
}

channel! {
    /// `crossbeam-channel`, unbounded.
    CrossbeamUnbounded, CrossbeamUnboundedEnd, "crossbeam unbounded",
    crossbeam_channel::Sender<Item>, crossbeam_channel::Receiver<Item>,
    new: crossbeam_channel::unbounded(),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok(),
    receive: |receiver| receiver.recv().ok(),
}

channel! {
    /// `crossbeam-channel`, bounded.
    CrossbeamBounded, CrossbeamBoundedEnd, "crossbeam 1024",
    crossbeam_channel::Sender<Item>, crossbeam_channel::Receiver<Item>,
    new: crossbeam_channel::bounded(BOUND),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok(),
    receive: |receiver| receiver.recv().ok(),
}

channel! {
    /// `tokio::sync::mpsc`, unbounded.
    TokioUnbounded, TokioUnboundedEnd, "tokio unbounded",
    tokio::sync::mpsc::UnboundedSender<Item>, tokio::sync::mpsc::UnboundedReceiver<Item>,
    new: tokio::sync::mpsc::unbounded_channel(),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok(),
    receive: |receiver| receiver.blocking_recv(),
}

channel! {
    /// `std::sync::mpsc`, unbounded.
    StdUnbounded, StdUnboundedEnd, "std unbounded",
    std::sync::mpsc::Sender<Item>, std::sync::mpsc::Receiver<Item>,
    new: std::sync::mpsc::channel(),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok(),
    receive: |receiver| receiver.recv().ok(),
}

channel! {
    /// `flume`, unbounded.
    FlumeUnbounded, FlumeUnboundedEnd, "flume unbounded",
    flume::Sender<Item>, flume::Receiver<Item>,
    new: flume::unbounded(),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok(),
    receive: |receiver| receiver.recv().ok(),
}

channel! {
    /// `kanal`, unbounded.
    KanalUnbounded, KanalUnboundedEnd, "kanal unbounded",
    kanal::Sender<Item>, kanal::Receiver<Item>,
    new: kanal::unbounded(),
    send: |sender, item| sender.send(item).is_ok(),
    try_receive: |receiver| receiver.try_recv().ok().flatten(),
    receive: |receiver| receiver.recv().ok(),
}
