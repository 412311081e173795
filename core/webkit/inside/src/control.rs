//! What a web page and the browser tell each other beside messages: facts, calls of the API and their answers.
//!
//! Each is a length in four bytes and JSON. It goes over a socket of its own, which the browser's main thread reads.
//! The browser believes nothing of what comes: see `facts.rs` there.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// A frame of a page, by the number that its page gave it; 0 is the top frame.
pub type FrameNumber = u32;
/// A document of a page, by the number that its page gave it.
pub type DocumentNumber = u32;
/// A context of a page, by the number that its page gave it.
pub type ContextKey = u32;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromPage {
    /// A frame shows a new document.
    Document {
        /// The frame.
        frame: FrameNumber,
        /// The frame that holds it; `None` for the top frame.
        parent: Option<FrameNumber>,
        /// The document.
        document: DocumentNumber,
        /// Its URL.
        url: String,
        /// The URL of the page that made a document which has none of the web's own.
        maker: Option<String>,
        /// Whether a sandbox gives it an origin of its own.
        is_sandboxed: bool,
    },
    /// A world of an extension's scripts is made in a document.
    World {
        /// The context.
        context: ContextKey,
        /// The document.
        document: DocumentNumber,
        /// The extension.
        extension: String,
        /// Whether the document is a page of the extension itself.
        is_page: bool,
    },
    /// A document is left. If it is kept, it may come back.
    Hidden {
        /// The document.
        document: DocumentNumber,
        /// Whether it went into the back/forward cache.
        is_kept: bool,
    },
    /// A document came back from the back/forward cache.
    Shown {
        /// The document.
        document: DocumentNumber,
    },
    /// A frame was removed.
    Removed {
        /// The frame.
        frame: FrameNumber,
    },
    /// The scripts of a context are garbage that was collected: its document is no more.
    Collected {
        /// The context.
        context: ContextKey,
    },
    /// A script calls an asynchronous method of the API.
    Call {
        /// The caller.
        context: ContextKey,
        /// The number under which to answer.
        number: u32,
        /// The method, as `tabs.query`.
        method: String,
        /// A JSON array.
        arguments: String,
    },
    /// A script writes to the console.
    Console {
        /// The context.
        context: ContextKey,
        /// `log`, `info`, `warn`, `error` or `debug`.
        level: String,
        /// What it writes.
        text: String,
    },
    /// What was to be executed was.
    Executed {
        /// The number of the execution.
        number: u32,
        /// JSON, `None` for undefined, or what was thrown.
        outcome: Result<Option<String>, String>,
    },
}

/// What the browser tells a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToPage {
    /// The extensions that are loaded now.
    Extensions(Vec<Package>),
    /// The open tabs, as JSON: to pages of extensions alone.
    Tabs(Vec<OpenTab>),
    /// An answer to a call.
    Answer {
        /// The caller.
        context: ContextKey,
        /// The number of the call.
        number: u32,
        /// JSON, empty for undefined, or what went wrong.
        outcome: Result<String, String>,
    },
    /// An event of the browser.
    Emit {
        /// Whose pages are told.
        extension: String,
        /// As `tabs.onRemoved`.
        event: String,
        /// A JSON array.
        details: String,
        /// Whether content scripts are told too.
        everywhere: bool,
    },
    /// Scripts are to be run in a document, in the extension's world or the page's own.
    Execute {
        /// The number under which to answer.
        number: u32,
        /// The document.
        document: DocumentNumber,
        /// The extension.
        extension: String,
        /// Whether in the world of the page's own scripts.
        in_pages_world: bool,
        /// What to run.
        code: Code,
    },
    /// The core knows that a page came back from the back/forward cache: its contexts may connect again.
    Restored,
    /// A world's document or extension is gone, or was never one of the core's: it gets no context.
    Refused {
        /// The context.
        context: ContextKey,
    },
    /// A document that was taken for gone is there again: its contexts are to be attached anew.
    Again {
        /// The document.
        document: DocumentNumber,
    },
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// A function as text, with a JSON array of arguments.
    Function(String, String),
    /// Classic scripts, each with its URL; the value of the last counts.
    Scripts(Vec<(String, String)>),
}

/// An extension as its content scripts need it, in every web process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What its folder is called: with it the id is the same in every process.
    pub identity: String,
    /// Which load of it this is.
    pub instance: u64,
    /// `manifest.json` and the scripts, by their paths.
    pub files: Vec<(String, String)>,
}

/// What every web process is told when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The profile's name.
    pub profile: String,
    /// The extensions that are loaded.
    pub extensions: Vec<Package>,
}

/// An open tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTab {
    /// `id`.
    pub id: u64,
    /// `windowId`.
    pub window: u64,
    /// `index`.
    pub index: usize,
    /// `active`.
    pub active: bool,
    /// `url`.
    pub url: String,
    /// `title`.
    pub title: String,
    /// Whether it is loaded.
    pub complete: bool,
    /// `lastAccessed`.
    pub last_accessed: u64,
    /// The extensions that the user let see the page.
    pub granted: Vec<String>,
}

/// The longest that one of these may be, in bytes.
pub const LONGEST: usize = 32 << 20;
/// How much may wait for who does not read, in bytes.
pub const MOST_WAITING: usize = 64 << 20;

/// One end of the socket. Nothing blocks.
#[derive(Debug)]
pub struct Control {
    socket: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    closed: bool,
}

impl Control {
    /// Makes an end of a socket.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self { socket, input: Vec::new(), output: Vec::new(), closed: false })
    }

    /// Sends something, now or once the other end reads.
    ///
    /// # Errors
    ///
    /// When too much waits already, or the system fails.
    pub fn send(&mut self, what: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec(what)?;
        let length = u32::try_from(text.len()).ok().filter(|length| *length as usize <= LONGEST);
        let length = length.ok_or_else(|| io::Error::other("too long"))?;
        if self.output.len() + text.len() > MOST_WAITING {
            return Err(io::Error::other("the other end does not read"));
        }
        self.output.extend_from_slice(&length.to_le_bytes());
        self.output.extend_from_slice(&text);
        self.flush().map(drop)
    }

    /// Sends what waits, as much as goes now; returns whether that was all.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn flush(&mut self) -> io::Result<bool> {
        let mut sent = 0;
        let ended = loop {
            if sent == self.output.len() {
                break Ok(true);
            }
            match self.socket.write(&self.output[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.output.drain(..sent);
        ended
    }

    /// Returns the next thing that came; `None` if nothing is there now.
    ///
    /// # Errors
    ///
    /// [`UnexpectedEof`](ErrorKind::UnexpectedEof) once the other end is closed and all was taken;
    /// [`InvalidData`](ErrorKind::InvalidData) for what is none of these; otherwise as the system gives them.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some((length, rest)) = self.input.split_first_chunk::<4>() {
                let length = u32::from_le_bytes(*length) as usize;
                if length > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
                if let Some(text) = rest.get(..length) {
                    let what =
                        serde_json::from_slice(text).map_err(|_| io::Error::from(ErrorKind::InvalidData));
                    self.input.drain(..4 + length);
                    return what.map(Some);
                }
            }
            if self.closed {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let mut buffer = [0; 16 << 10];
            match self.socket.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.closed = true,
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, FromPage, LONGEST};
    use std::io::{ErrorKind, Write};
    use std::os::unix::net::UnixStream;

    fn pair() -> (Control, Control) {
        let (one, other) = UnixStream::pair().unwrap();
        (Control::new(one.into()).unwrap(), Control::new(other.into()).unwrap())
    }

    #[test]
    fn what_is_sent_arrives_in_order_and_then_the_end() {
        let (mut page, mut browser) = pair();
        let removed = |frame| FromPage::Removed { frame };
        for frame in 0..100 {
            page.send(&removed(frame)).unwrap();
        }
        drop(page);
        for frame in 0..100 {
            assert_eq!(browser.receive().unwrap(), Some(removed(frame)));
        }
        assert_eq!(browser.receive::<FromPage>().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_none_of_these_is_an_error_and_not_a_length_of_memory() {
        for bytes in [&b"\x02\0\0\0{}"[..], &b"\xff\xff\xff\xff"[..], &b"\x01\0\0\0\xff"[..]] {
            let (mut hostile, other) = UnixStream::pair().unwrap();
            let mut browser = Control::new(other.into()).unwrap();
            hostile.write_all(bytes).unwrap();
            assert_eq!(browser.receive::<FromPage>().unwrap_err().kind(), ErrorKind::InvalidData);
            assert!(browser.input.capacity() < LONGEST);
        }
    }

    #[test]
    fn who_does_not_read_has_little_kept_for_it() {
        let (mut page, _browser) = pair();
        let long = FromPage::Console { context: 0, level: String::new(), text: "x".repeat(4 << 20) };
        let refused = (0..100).find(|_| page.send(&long).is_err());
        assert!(refused.is_some_and(|sent| sent < 20));
    }
}
