//! Connections over a pair of sockets, on Unix.
//!
//! The browser makes a [`pair`] for each renderer process, lets the process inherit one socket, and adds the other to
//! a [`Gateway`]. The renderer makes a [`Connection`] of its own. A sandboxed renderer needs `recvfrom`, `sendto` and
//! `poll` for it, an `ioctl` once, and nothing else: no file system, network or shared memory. Descriptors that a peer attaches to its
//! bytes are never taken.
//!
//! ```no_run
//! use port_core::MessageService;
//! use port_core_gateway::Bounds;
//! use port_core_gateway::unix::{Ended, Gateway, pair};
//! use std::process::Command;
//!
//! # fn main() -> std::io::Result<()> {
//! let service = MessageService::default();
//! let mut gateway = Gateway::new()?;
//! let (ours, theirs) = pair()?;
//! let mut process = Command::new("renderer").stdin(theirs).spawn()?;
//! let renderer = gateway.add(&service, ours, Bounds::default())?;
//! loop {
//!     for (_, ended) in gateway.turn(None)? {
//!         process.kill()?;
//!         let status = process.wait()?;
//!         if let Ended::Closed(host) = ended
//!             && !status.success()
//!         {
//!             // What others hear of it; otherwise that its event loop is gone.
//!             service.event_loop_crashed(host.event_loop().id()).ok();
//!         }
//!     }
//! }
//! # }
//! ```

#[cfg(test)]
mod calls;
mod connection;
mod gateway;
mod wake;

pub use connection::{Connection, ConnectionError};
pub use gateway::{Ended, Gateway, RendererId};

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Makes two sockets that are joined, the browser's and the renderer's. Programs that are started do not inherit
/// them, unless they are given one.
///
/// # Errors
///
/// As the system gives them, if there are no more descriptors, say.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    UnixStream::pair().map(|(ours, theirs)| (ours.into(), theirs.into()))
}

/// How many bytes are read at once.
const READ_BYTES: usize = 64 << 10;

/// Has a socket return instead of blocking.
fn set_nonblocking(socket: &OwnedFd) -> io::Result<()> {
    rustix::io::ioctl_fionbio(socket, true).map_err(io::Error::from)
}

/// How bytes are sent: a socket that takes no more does not block, and a closed end is an error, not a signal. Where there
/// is no flag for the latter, the Rust runtime ignores the signal.
#[cfg(not(any(target_vendor = "apple", target_os = "cygwin")))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(any(target_vendor = "apple", target_os = "cygwin"))]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// Sends as much as the socket takes now. Returns `None` if it takes nothing more now, or the other end is closed,
/// which reading tells.
fn send_some(socket: impl AsFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    retry(|| send(&socket, bytes, SEND))
}

/// The same with two pieces, of which either may be empty.
fn send_pieces(socket: impl AsFd, pieces: [&[u8]; 2]) -> io::Result<Option<usize>> {
    match pieces {
        [bytes, []] | [[], bytes] => send_some(socket, bytes),
        pieces => {
            let pieces = pieces.map(IoSlice::new);
            retry(|| sendmsg(&socket, &pieces, &mut SendAncillaryBuffer::default(), SEND))
        }
    }
}

/// Reads what is there. Returns `None` if nothing is there now, and 0 at the end.
fn read_some(socket: impl AsFd, to: &mut [u8]) -> io::Result<Option<usize>> {
    end_if_reset(retry(|| recv(&socket, &mut *to, RecvFlags::DONTWAIT).map(|(filled, _)| filled)))
}

/// What a read found.
#[derive(Clone, Copy, Debug)]
struct Read {
    /// How many bytes came, 0 at the end.
    count: usize,
    /// How many could have.
    room: usize,
}

/// Reads what is there to the end of a buffer, no more than it has room for. Returns `None` if nothing is there now.
fn read_into(socket: impl AsFd, to: &mut Vec<u8>) -> io::Result<Option<Read>> {
    read_to_end_of(socket, to, RecvFlags::DONTWAIT)
}

/// The same, but waits until something is there. Returns `None` if the socket does not wait.
fn wait_to_read_into(socket: impl AsFd, to: &mut Vec<u8>) -> io::Result<Option<Read>> {
    read_to_end_of(socket, to, RecvFlags::empty())
}

fn read_to_end_of(socket: impl AsFd, to: &mut Vec<u8>, flags: RecvFlags) -> io::Result<Option<Read>> {
    let room = to.capacity() - to.len();
    let count = retry(|| recv(&socket, spare_capacity(&mut *to), flags).map(|(filled, _)| filled));
    Ok(end_if_reset(count)?.map(|count| Read { count, room }))
}

/// Takes a closed end at which something lay unread for the end that it is.
fn end_if_reset(read: io::Result<Option<usize>>) -> io::Result<Option<usize>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Some(0)),
        read => read,
    }
}

/// Calls the system until it is not interrupted. Returns `None` if it would block.
fn retry<T>(call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<Option<T>> {
    #[cfg(test)]
    calls::count();
    match rustix::io::retry_on_intr(call) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error == rustix::io::Errno::AGAIN => Ok(None),
        Err(error) => Err(error.into()),
    }
}
