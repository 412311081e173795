//! A renderer's connection to the browser.

use super::{READ_BYTES, read_some, send_some, set_nonblocking};
use crate::stub::{Stub, StubEvent};
use crate::wire::lie::Lie;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A renderer's connection to the browser: a [`Stub`] with its socket.
///
/// A main loop of the renderer's own polls [the socket](AsFd) with others, takes [events](Self::next_event) until
/// `None`, and [flushes](Self::flush) when a script's turn ends. A plain thread [waits](Self::wait).
#[derive(Debug)]
pub struct Connection {
    stub: Stub,
    socket: OwnedFd,
    /// Where bytes are read to: [`FEW_BYTES`] unless many come.
    read: Vec<u8>,
    closed: bool,
}

/// How many bytes are read at once while few come.
const FEW_BYTES: usize = 4 << 10;

/// Says why a connection is of no further use.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The browser closed its end, or its process ended.
    Closed,
    /// The browser's end does not speak this version, or is none.
    Lied(Lie),
    /// The system failed.
    Failed(io::Error),
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the browser closed the connection"),
            Self::Lied(lie) => lie.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl Error for ConnectionError {}

impl From<Lie> for ConnectionError {
    fn from(lie: Lie) -> Self {
        Self::Lied(lie)
    }
}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Connection {
    /// Makes a connection of the renderer's socket, which the process has inherited.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        set_nonblocking(&socket)?;
        Ok(Self { stub: Stub::new(), socket, read: vec![0; FEW_BYTES], closed: false })
    }

    /// Returns the renderer's end, to make calls on.
    pub fn stub(&mut self) -> &mut Stub {
        &mut self.stub
    }

    /// Sends what waits, as much as the socket takes now. Returns whether that was all; if not, call this again once
    /// the socket can be written to.
    ///
    /// # Errors
    ///
    /// As the system gives them. That the browser closed its end is no error here: [`next_event`](Self::next_event)
    /// tells it, after what had come.
    pub fn flush(&mut self) -> io::Result<bool> {
        while !self.stub.output().is_empty() {
            match send_some(&self.socket, self.stub.output()) {
                Ok(Some(count)) => self.stub.sent(count),
                Ok(None) => return Ok(false),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
                {
                    self.stub.sent(self.stub.output().len());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Returns the next event, or `None` when there is nothing now. Does not block and sends nothing.
    ///
    /// # Errors
    ///
    /// See [`ConnectionError`]. What came before comes first.
    pub fn next_event(&mut self) -> Result<Option<StubEvent>, ConnectionError> {
        loop {
            if let Some(event) = self.stub.next_event()? {
                return Ok(Some(event));
            }
            if self.closed {
                return Err(ConnectionError::Closed);
            }
            match read_some(&self.socket, &mut self.read)? {
                None => {
                    // There are many renderers, and most are idle.
                    self.read.truncate(FEW_BYTES);
                    self.read.shrink_to_fit();
                    return Ok(None);
                }
                Some(0) => self.closed = true,
                Some(count) => {
                    self.stub.receive(&self.read[..count]);
                    if count == self.read.len() {
                        self.read.resize(READ_BYTES, 0);
                    }
                }
            }
        }
    }

    /// Sends what waits, then waits for the next event, for as long as `timeout` or for ever. Returns `None` if none
    /// came in time.
    ///
    /// # Errors
    ///
    /// See [`ConnectionError`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Option<StubEvent>, ConnectionError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let all = self.flush()?;
            if let Some(event) = self.next_event()? {
                return Ok(Some(event));
            }
            self.stub.trim();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let flags = if all { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            // A time that the system cannot express is no limit.
            let most = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.socket, flags)], most.as_ref()) {
                Ok(0) if left.is_some_and(|left| left.is_zero()) => return Ok(None),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
