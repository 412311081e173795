//! The one socket between a page and the browser: what the gateway's ends say to each other, and words beside that, in
//! one order.
//!
//! A frame is four bytes and what they announce: the highest bit says that it is a word, the next that what follows is to
//! wait until the word is heard, the others how long it is. A word is JSON: see `control.rs`. Everything else is a piece of
//! what a [`Stub`](port_core_gateway::Stub) and a [`Host`](port_core_gateway::Host) say.

use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// The longest word that the browser takes of a page, in bytes.
pub const LONGEST: usize = 32 << 20;

/// The longest piece in one frame, in bytes.
const PIECE: usize = 64 << 10;

/// How many bytes are read at once while few come, and while many do.
const READ: [usize; 2] = [4 << 10, 64 << 10];

const WORD: u32 = 1 << 31;
const FIRST: u32 = 1 << 30;

/// A frame that came. Its bytes are those of [`Stream::bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A piece of what the gateway's ends say.
    Piece(Range<usize>),
    /// A word, and whether what follows is to wait until it is heard.
    Word(Range<usize>, bool),
}

/// One end of the socket. Nothing blocks.
#[derive(Debug)]
pub struct Stream {
    socket: UnixStream,
    /// What came, of which `read` bytes were taken.
    input: Vec<u8>,
    read: usize,
    buffer: Vec<u8>,
    /// What waits to be sent, of which `sent` bytes were.
    output: Vec<u8>,
    sent: usize,
}

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Something came, and more may be there.
    More,
    /// That was all for now.
    All,
    /// The other end is closed, and all that it sent was read.
    Closed,
}

impl Stream {
    /// Makes an end of a socket.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let (input, buffer, output) = (Vec::new(), vec![0; READ[0]], Vec::new());
        Ok(Self { socket, input, read: 0, buffer, output, sent: 0 })
    }

    // What is sent.

    /// Adds a word to what waits to be sent, and whether what follows is to wait until it is heard. It is not sent yet.
    ///
    /// # Panics
    ///
    /// On one of a gibibyte or more.
    pub fn word(&mut self, word: &[u8], is_first: bool) {
        let length = u32::try_from(word.len()).ok().filter(|length| *length < FIRST);
        let length = length.expect("a word is shorter than a gibibyte");
        self.frame(WORD | if is_first { FIRST } else { 0 } | length, word);
    }

    /// Adds what a gateway's end says to what waits to be sent. It is not sent yet.
    pub fn pieces(&mut self, said: &[u8]) {
        for piece in said.chunks(PIECE) {
            self.frame(u32::try_from(piece.len()).expect("a piece is short"), piece);
        }
    }

    fn frame(&mut self, head: u32, bytes: &[u8]) {
        self.output.extend_from_slice(&head.to_le_bytes());
        self.output.extend_from_slice(bytes);
    }

    /// Returns how many bytes wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Sends what waits, as much as goes now; returns whether that was all. That the other end is closed is no error
    /// here: [`fill`](Self::fill) tells it, after what it had sent.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn flush(&mut self) -> io::Result<bool> {
        while self.sent < self.output.len() {
            match self.socket.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => {
                        // So that what was sent does not stay for ever where some always waits.
                        if self.sent > READ[1] {
                            self.output.drain(..self.sent);
                            self.sent = 0;
                        }
                        return Ok(false);
                    }
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => break,
                    _ => return Err(error),
                },
            }
        }
        self.output.clear();
        self.sent = 0;
        Ok(true)
    }

    // What comes.

    /// Returns the next frame that came whole; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](ErrorKind::InvalidData) for a word of more than `longest` bytes, or a piece that is too long.
    pub fn next(&mut self, longest: usize) -> io::Result<Option<Frame>> {
        let Some((head, rest)) = self.input[self.read..].split_first_chunk() else { return Ok(None) };
        let head = u32::from_le_bytes(*head);
        let (is_word, is_first) = (head & WORD != 0, head & FIRST != 0);
        let length = (head & !(WORD | FIRST)) as usize;
        if length > if is_word { longest } else { PIECE } || is_first && !is_word {
            return Err(ErrorKind::InvalidData.into());
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.read + size_of::<u32>();
        self.read = start + length;
        let bytes = start..self.read;
        Ok(Some(if is_word { Frame::Word(bytes, is_first) } else { Frame::Piece(bytes) }))
    }

    /// Returns the bytes of the frame that was returned last.
    #[must_use]
    pub fn bytes(&self, of: Range<usize>) -> &[u8] {
        &self.input[of]
    }

    /// Reads what is there, as much as fits. Memory grows with what came, whatever lengths it speaks of.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn fill(&mut self) -> io::Result<Filled> {
        self.input.drain(..std::mem::take(&mut self.read));
        loop {
            match self.socket.read(&mut self.buffer) {
                Ok(0) => return Ok(Filled::Closed),
                Ok(count) => {
                    self.input.extend_from_slice(&self.buffer[..count]);
                    // Most likely that was all; if not, it can still be read in the next turn.
                    let is_all = count < self.buffer.len();
                    if !is_all {
                        self.buffer.resize(READ[1], 0);
                    }
                    return Ok(if is_all { Filled::All } else { Filled::More });
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => return Ok(Filled::All),
                    // The other end was closed with something unread.
                    ErrorKind::ConnectionReset => return Ok(Filled::Closed),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Returns how many bytes came and were not taken.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.input.len() - self.read
    }

    /// Frees buffers that are empty. Meant for an end that is idle: there are many.
    pub fn trim(&mut self) {
        if self.unread() == 0 && self.input.capacity() > READ[0] {
            (self.input, self.read) = (Vec::new(), 0);
        }
        if self.output.is_empty() && self.output.capacity() > READ[0] {
            self.output = Vec::new();
        }
        if self.buffer.len() > READ[0] {
            self.buffer.truncate(READ[0]);
            self.buffer.shrink_to_fit();
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{Filled, Frame, LONGEST, PIECE, Stream};
    use std::io::{ErrorKind, Write};
    use std::os::unix::net::UnixStream;

    fn pair() -> (Stream, Stream) {
        let (one, other) = UnixStream::pair().unwrap();
        (Stream::new(one.into()).unwrap(), Stream::new(other.into()).unwrap())
    }

    #[test]
    fn words_and_pieces_arrive_in_one_order_and_then_the_end() {
        let (mut page, mut browser) = pair();
        let long = vec![7; PIECE + 1];
        let mut expected = Vec::new();
        for number in 0..100_u8 {
            page.pieces(&[number]);
            page.word(&[number, number], number % 2 == 0);
            expected.extend([(None, vec![number]), (Some(number % 2 == 0), vec![number, number])]);
        }
        page.pieces(&long);
        page.word(b"", false);
        expected.extend([(None, long[..PIECE].to_vec()), (None, vec![7]), (Some(false), Vec::new())]);
        let mut came = Vec::new();
        loop {
            let _ = page.flush().unwrap();
            while let Some(frame) = browser.next(LONGEST).unwrap() {
                let (word, bytes) = match frame {
                    Frame::Piece(bytes) => (None, bytes),
                    Frame::Word(bytes, is_first) => (Some(is_first), bytes),
                };
                came.push((word, browser.bytes(bytes).to_vec()));
            }
            if page.waiting() == 0 && came.len() == expected.len() {
                break;
            }
            assert_ne!(browser.fill().unwrap(), Filled::Closed);
        }
        assert_eq!(came, expected);
        drop(page);
        assert_eq!(browser.fill().unwrap(), Filled::Closed);
    }

    #[test]
    fn a_length_is_not_believed() {
        for head in [u32::MAX, (LONGEST as u32 + 1) | 1 << 31, PIECE as u32 + 1, 1 << 30 | 1] {
            let (mut hostile, other) = UnixStream::pair().unwrap();
            let mut browser = Stream::new(other.into()).unwrap();
            hostile.write_all(&head.to_le_bytes()).unwrap();
            assert_eq!(browser.fill().unwrap(), Filled::All);
            assert_eq!(browser.next(LONGEST).unwrap_err().kind(), ErrorKind::InvalidData);
            assert!(browser.input.capacity() < PIECE);
        }
        // One that is as long as it may be takes memory as it comes.
        let (mut slow, other) = UnixStream::pair().unwrap();
        let mut browser = Stream::new(other.into()).unwrap();
        slow.write_all(&(LONGEST as u32 | 1 << 31).to_le_bytes()).unwrap();
        assert_eq!(browser.fill().unwrap(), Filled::All);
        assert_eq!(browser.next(LONGEST).unwrap(), None);
        assert!(browser.input.capacity() < PIECE);
    }
}
