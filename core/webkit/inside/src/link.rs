//! A page's end of its socket: the calls and events of the gateway's [`Stub`], and words, in one order.

use crate::control::{FromPage, ToPage};
use crate::stream::{Filled, Frame, LONGEST, Stream};
use port_core_gateway::{Stub, StubEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// How much may wait for a browser that does not read, in words, in bytes.
const MOST_WAITING: usize = 64 << 20;

/// What the browser says.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event of the core.
    Event(StubEvent),
    /// A word.
    Told(ToPage),
}

/// A page's end.
pub(crate) struct Link {
    stream: Stream,
    stub: Stub,
    /// What is said once the scripts' turn is over: that documents are left, in which scripts may still post.
    last: Vec<FromPage>,
    /// Whether all was read that was there.
    is_drained: bool,
    /// Whether much came since buffers were freed.
    was_much: bool,
    is_closed: bool,
}

impl Link {
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            stream: Stream::new(socket)?,
            stub: Stub::new(),
            last: Vec::new(),
            is_drained: false,
            was_much: false,
            is_closed: false,
        })
    }

    /// Returns the gateway's end, to make calls on.
    pub(crate) fn stub(&mut self) -> &mut Stub {
        &mut self.stub
    }

    /// Returns whether the browser is there no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Says a word behind all that was called and said before. Returns whether it is short enough. It is sent by
    /// [`flush`](Self::flush).
    pub(crate) fn tell(&mut self, word: &FromPage) -> bool {
        // What speaks of a later document is behind the end of the one before.
        if !matches!(word, FromPage::Call { .. } | FromPage::Console { .. } | FromPage::Executed { .. }) {
            self.tell_last();
        }
        self.write(word)
    }

    /// Says a word once the scripts' turn is over.
    pub(crate) fn tell_at_last(&mut self, word: FromPage) {
        self.last.push(word);
    }

    fn tell_last(&mut self) {
        for word in std::mem::take(&mut self.last) {
            self.write(&word);
        }
    }

    fn write(&mut self, word: &FromPage) -> bool {
        let text = serde_json::to_vec(word).expect("texts and numbers");
        let is_short = text.len() <= LONGEST;
        if is_short {
            self.drain_stub();
            // The end of a document is heard in order with what is posted after it.
            let is_end = matches!(word, FromPage::Hidden { .. } | FromPage::Removed { .. });
            self.stream.word(&text, is_end);
            // A browser that reads so little is none any more.
            self.is_closed |= self.stream.waiting() > MOST_WAITING + LONGEST;
        }
        is_short
    }

    fn drain_stub(&mut self) {
        let said = self.stub.output();
        if !said.is_empty() {
            self.stream.pieces(said);
            self.stub.sent(self.stub.output().len());
        }
    }

    /// Sends what waits, as much as goes now; returns whether that was all. The scripts' turn is over.
    pub(crate) fn flush(&mut self) -> bool {
        self.tell_last();
        // The stub counts what is on its way; while the socket takes nothing, what it wrote stays with it.
        if self.stream.waiting() < MOST_WAITING {
            self.drain_stub();
        }
        match self.stream.flush() {
            Ok(all) => all,
            Err(_) => {
                self.is_closed = true;
                true
            }
        }
    }

    /// Returns whether nothing waits to be sent, and the browser is there.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_closed && self.stream.waiting() == 0 && self.stub.output().is_empty()
    }

    /// Reads what is there. Returns whether there was something, if only the end.
    pub(crate) fn look(&mut self) -> bool {
        let before = self.stream.unread();
        let has_come = !self.fill() || self.stream.unread() > before;
        // What was not there yet is read the next time.
        self.is_drained &= has_come;
        has_come
    }

    /// Reads what is there, and notes whether that was all and whether it was much. Returns whether the browser is there.
    fn fill(&mut self) -> bool {
        match self.stream.fill() {
            Ok(Filled::More) => self.was_much = true,
            Ok(Filled::All) => self.is_drained = true,
            Ok(Filled::Closed) | Err(_) => return false,
        }
        true
    }

    /// Returns the next thing that came; `None` if there is nothing more now, or ever.
    pub(crate) fn next(&mut self) -> Option<Heard> {
        loop {
            // One after the other: a word is behind all that the core had said before.
            match self.stub.next_event() {
                Ok(Some(event)) => return Some(Heard::Event(event)),
                Ok(None) => {}
                Err(_) => return self.close(),
            }
            match self.stream.next(usize::MAX) {
                Ok(Some(Frame::Piece(bytes))) => self.stub.receive(self.stream.bytes(bytes)),
                Ok(Some(Frame::Word(bytes, _))) => match serde_json::from_slice(self.stream.bytes(bytes)) {
                    Ok(told) => return Some(Heard::Told(told)),
                    Err(_) => return self.close(),
                },
                Ok(None) if self.is_closed => return None,
                Ok(None) if std::mem::take(&mut self.is_drained) => {
                    if std::mem::take(&mut self.was_much) {
                        self.stream.trim();
                        self.stub.trim();
                    }
                    return None;
                }
                Ok(None) if self.fill() => {}
                Ok(None) | Err(_) => return self.close(),
            }
        }
    }

    fn close(&mut self) -> Option<Heard> {
        self.is_closed = true;
        None
    }

    /// Sends what waits, then waits for the next thing until the browser is gone or it is that late.
    pub(crate) fn wait(&mut self, end: Instant) -> Option<Heard> {
        loop {
            let all = self.flush();
            if let Some(heard) = self.next() {
                return Some(heard);
            }
            let left = end.saturating_duration_since(Instant::now());
            if self.is_closed || left.is_zero() {
                return None;
            }
            let flags = if all { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            let most = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.stream, flags)], most.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => self.is_closed = true,
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
