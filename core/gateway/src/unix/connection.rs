//! A renderer's connection to the browser.

use super::{READ_BYTES, Read, read_into, send_some, wait_to_read_into};
use crate::stub::{Stub, StubEvent, StubMessage};
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
    /// It blocks unless told otherwise.
    socket: OwnedFd,
    /// How much is read at once: [`FEW_BYTES`] unless many come.
    read: usize,
    /// The last read found all that there was, and no other was tried since.
    drained: bool,
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
        rustix::io::ioctl_fionbio(&socket, false)?;
        Ok(Self { stub: Stub::new(), socket, read: FEW_BYTES, drained: false, closed: false })
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
    #[inline]
    pub fn flush(&mut self) -> io::Result<bool> {
        if self.stub.output().is_empty() { Ok(true) } else { self.send() }
    }

    fn send(&mut self) -> io::Result<bool> {
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
    /// After a read that found less than it had room for, the first `None` is given without another. So what comes
    /// meanwhile has the socket be ready, as it would later.
    ///
    /// # Errors
    ///
    /// See [`ConnectionError`]. What came before comes first.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<StubEvent>, ConnectionError> {
        match self.stub.take_event() {
            None => self.read_event(),
            event => Ok(event),
        }
    }

    /// Returns the next event if it is a message that lies in what was read, as [`Stub::next_message`] has it. Reads and
    /// sends nothing.
    #[inline]
    pub fn next_message(&mut self) -> Option<StubMessage<'_>> {
        self.stub.next_message()
    }

    /// Reads until there is an event, or no more.
    #[inline(never)]
    fn read_event(&mut self) -> Result<Option<StubEvent>, ConnectionError> {
        loop {
            if let Some(event) = self.stub.next_event()? {
                return Ok(Some(event));
            }
            if self.closed {
                return Err(ConnectionError::Closed);
            }
            if std::mem::take(&mut self.drained) {
                return Ok(None);
            }
            match read_into(&self.socket, self.stub.room(self.read))? {
                None => {
                    self.read = FEW_BYTES;
                    return Ok(None);
                }
                Some(read) => self.note(read),
            }
        }
    }

    /// Takes note of a read.
    fn note(&mut self, Read { count, room }: Read) {
        self.closed = count == 0;
        self.drained = count < room;
        if !self.drained {
            self.read = READ_BYTES;
        }
    }

    /// Sends what waits, then waits for the next event, for as long as `timeout` or for ever. Returns `None` if none
    /// came in time.
    ///
    /// Without a timeout, a thread whose output the socket took sleeps in the read itself: one message that it waits
    /// for takes one call of the system, and its answer one more.
    ///
    /// # Errors
    ///
    /// See [`ConnectionError`].
    #[inline]
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Option<StubEvent>, ConnectionError> {
        self.flush()?;
        match self.stub.take_event() {
            None => self.wait_for_event(timeout),
            event => Ok(event),
        }
    }

    #[inline(never)]
    fn wait_for_event(&mut self, timeout: Option<Duration>) -> Result<Option<StubEvent>, ConnectionError> {
        let mut deadline = None;
        loop {
            let all = self.flush()?;
            if let Some(event) = self.next_event()? {
                return Ok(Some(event));
            }
            // There are many renderers, and most are idle.
            self.stub.trim();
            let Some(timeout) = timeout else {
                self.sleep(all)?;
                continue;
            };
            // A time that the clock or the system cannot express is no limit.
            let now = Instant::now();
            let left = deadline.get_or_insert_with(|| now.checked_add(timeout));
            let left = left.map(|deadline| deadline.saturating_duration_since(now));
            let found = self.poll(all, left)?;
            if !found && left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
        }
    }

    /// Waits until something can be read or, unless `all` was sent, be sent.
    fn sleep(&mut self, all: bool) -> Result<(), ConnectionError> {
        if all && let Some(read) = wait_to_read_into(&self.socket, self.stub.room(self.read))? {
            self.note(read);
            return Ok(());
        }
        self.poll(all, None).map(drop)
    }

    /// The same, for no longer than `left`. Returns whether there was anything.
    fn poll(&mut self, all: bool, left: Option<Duration>) -> Result<bool, ConnectionError> {
        let flags = if all { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let most = left.and_then(|left| Timespec::try_from(left).ok());
        #[cfg(test)]
        super::calls::count();
        match poll(&mut [PollFd::new(&self.socket, flags)], most.as_ref()) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(true),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
