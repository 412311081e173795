//! A page, as the gateway's thread has it: its socket, with the core's end of what is said there.

use crate::backlog::{Backlog, Word};
use port_core::{ContextDescription, EventLoop};
use port_core_gateway::{Bounds, Host, Lie};
use port_core_webkit_inside::stream::{Filled, Frame, LONGEST, Stream};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// While so many bytes wait for the page to read them, nothing more is done for it.
const OUTPUT: usize = 256 << 10;

/// How many bytes may wait for a page at most: what the browser tells it comes whether it reads or not.
const MOST_UNREAD: usize = 64 << 20;

/// How many bytes of one page are read before it is the next one's turn.
const TURN: usize = 1 << 20;

/// Why a page is to be none any more.
#[derive(Debug)]
pub(crate) enum Over {
    /// It closed its end, most likely because its process has ended. What it had sent was done first.
    Closed,
    /// Its process is to be ended, for this.
    Lied(String),
}

impl From<Lie> for Over {
    fn from(lie: Lie) -> Self {
        Self::Lied(lie.to_string())
    }
}

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        Self::Lied(match error.kind() {
            io::ErrorKind::InvalidData => "a frame that is too long".to_owned(),
            _ => format!("it cannot be reached: {error}"),
        })
    }
}

/// What is called with the words of a page.
pub(crate) type Hear<'a> = &'a mut dyn FnMut(Word);

/// A page that has connected.
pub(crate) struct Connected {
    stream: Stream,
    host: Host,
    backlog: Arc<Backlog>,
}

impl Connected {
    pub(crate) fn new(socket: OwnedFd, event_loop: EventLoop, backlog: Arc<Backlog>) -> io::Result<Self> {
        let host = Host::new(event_loop, Bounds::default().output_bytes(OUTPUT));
        Ok(Self { stream: Stream::new(socket)?, host, backlog })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    // To the page.

    /// Grants the page a context.
    pub(crate) fn grant(&mut self, description: ContextDescription, label: &[u8]) {
        self.host.grant(description, label);
        self.drain_host();
    }

    /// Tells the page something, behind what the core has said.
    pub(crate) fn tell(&mut self, word: &[u8]) {
        self.drain_host();
        self.stream.word(word, false);
    }

    /// Puts what the core says where it is sent from.
    fn drain_host(&mut self) {
        let said = self.host.output();
        if !said.is_empty() {
            self.stream.pieces(said);
            self.host.sent(self.host.output().len());
        }
    }

    fn has_room(&self) -> bool {
        self.stream.waiting() < OUTPUT
    }

    /// Does what came and was not done, and takes the core's events. Returns whether anything was done.
    pub(crate) fn turn(&mut self, hear: Hear<'_>) -> Result<bool, Over> {
        let mut did = self.take_frames(false, hear)?;
        loop {
            // First: the core's end does nothing while it is full. Without room it is left so.
            if self.has_room() {
                self.drain_host();
            }
            if !self.host.turn()? {
                return Ok(did);
            }
            did = true;
            if !self.has_room() {
                return Ok(did);
            }
        }
    }

    /// Sends as much as the socket takes. Returns whether that made room to go on.
    pub(crate) fn send(&mut self) -> Result<bool, Over> {
        let had_room = self.has_room();
        if self.stream.waiting() > 0 {
            self.stream.flush()?;
            if self.stream.waiting() > MOST_UNREAD {
                return Err(Over::Lied("it does not read what it is told".to_owned()));
            }
        }
        Ok(!had_room && self.has_room())
    }

    /// Arms the event loop. Returns whether the thread may sleep.
    pub(crate) fn arm(&mut self) -> bool {
        let armed = self.host.arm();
        if armed {
            self.stream.trim();
        }
        armed
    }

    pub(crate) fn wants_output(&self) -> bool {
        self.stream.waiting() > 0
    }

    pub(crate) fn wants_retry(&self) -> bool {
        self.host.wants_retry()
    }

    // From the page.

    pub(crate) fn wants_input(&self) -> bool {
        self.has_room() && self.host.wants_input() && self.backlog.has_room()
    }

    /// Reads what came, up to a bound, and does it. If the other end is closed, reads all that is left.
    pub(crate) fn read(&mut self, hung_up: bool, hear: Hear<'_>) -> Result<(), Over> {
        let mut read = 0;
        while read < TURN && (hung_up || self.wants_input()) {
            let before = self.stream.unread();
            let filled = self.stream.fill()?;
            read += self.stream.unread() - before;
            if filled == Filled::Closed {
                self.take_frames(true, hear)?;
                self.host.finish()?;
                return Err(Over::Closed);
            }
            self.take_frames(false, hear)?;
            if filled == Filled::All && !hung_up {
                break;
            }
        }
        Ok(())
    }

    /// Does what came, in its order, unless too much waits for the page to read it or for the GTK thread to hear it.
    /// Returns whether there was anything.
    fn take_frames(&mut self, is_over: bool, hear: Hear<'_>) -> Result<bool, Over> {
        let mut did = false;
        while (is_over || self.wants_input())
            && let Some(frame) = self.stream.next(LONGEST)?
        {
            did = true;
            match frame {
                Frame::Piece(bytes) => self.host.receive(self.stream.bytes(bytes))?,
                Frame::Word(bytes, is_first) => {
                    hear(self.backlog.add(self.stream.bytes(bytes).to_vec(), is_first));
                }
            }
        }
        Ok(did)
    }
}

impl AsFd for Connected {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
