//! `ipc-channel`, which carries Servo's messages between its threads and processes.
//!
//! In its cheapest form, bytes as they are: with `IpcSender` come an encoder and a
//! decoder. Every message is a system call on each side.

use super::{End, Transport, both_ways, look_at_any};
use crate::load::Load;
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, bytes_channel};
use smallvec::SmallVec;

/// A channel of bytes per direction for all ports, the port's number in front.
#[derive(Debug)]
pub struct Ipc;

/// One end of both channels.
#[derive(Debug)]
pub struct IpcEnd {
    sender: IpcBytesSender,
    receiver: IpcBytesReceiver,
}

impl Transport for Ipc {
    const NAME: &'static str = "ipc-channel";

    type End = IpcEnd;

    fn between(_ports: usize) -> (IpcEnd, IpcEnd) {
        let channel = || bytes_channel().expect("the system has a socket pair to give");
        both_ways(channel, |sender, receiver| IpcEnd { sender, receiver })
    }
}

impl End for IpcEnd {
    ports_by_number!();

    #[inline]
    fn post<L: Load>(&mut self, port: usize, load: &L) {
        let mut bytes = SmallVec::<[u8; 128]>::from_slice(&(port as u64).to_ne_bytes());
        bytes.extend_from_slice(&load.bytes());
        self.sender.send(&bytes).expect("the receiver is there");
    }

    #[inline]
    fn take(&mut self) -> bool {
        look_at_any(self.receiver.try_recv().ok().map(|bytes| (bytes.len(), bytes)))
    }
}
