//! What the other processes do. Those that ping and those that echo come in two kinds: renderers of the gateway, and raw
//! ones that write the same bytes to a socket.

use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcSender, bytes_channel};
use port_core_gateway::port_core::{Listening, PostErrorKind};
use port_core_gateway::unix::Connection;
use port_core_gateway::{ContextNumber, OfExtension, PortNumber, StubEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The bytes of a short message.
pub(crate) const SHORT: usize = 100;

/// The bytes of a large one.
pub(crate) const LARGE: usize = 16 << 20;

/// So much is gathered before it is sent.
const BATCH: usize = 32 << 10;

/// Nothing takes so long but what is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message that is not answered, one that is, with itself, and a large one, answered with a short one.
const COUNTED: u8 = b'c';
const ECHOED: u8 = b'e';
const BULK: u8 = b'b';

/// Plays a role until the other processes are gone.
pub(crate) fn play(role: &str, argument: Option<String>) {
    match role {
        "ping" => obey(&mut Renderer::pinging()),
        "echo" => echo(),
        "raw-ping" => obey(&mut Raw::new(inherited_input())),
        "raw-echo" => raw_echo(Raw::new(inherited_input())),
        "relay" => relay(inherited_input(), inherited_output()),
        "ipc-echo" => ipc_echo(&argument.expect("a name")),
        "talk" => talk(),
        role => panic!("no role {role:?}"),
    }
}

fn inherited_input() -> UnixStream {
    std::io::stdin().as_fd().try_clone_to_owned().expect("a socket").into()
}

fn inherited_output() -> UnixStream {
    std::io::stdout().as_fd().try_clone_to_owned().expect("a socket").into()
}

/// One end of a way to a process that echoes.
trait Pinger {
    fn post(&mut self, message: &[u8]);
    fn flush(&mut self);
    /// Waits for an answer.
    fn hear(&mut self);
}

/// Does what it is told, line by line, and says how many seconds each took.
fn obey(pinger: &mut impl Pinger) {
    let mut control = BufReader::new(inherited_output());
    let mut line = String::new();
    // Made before the clock runs, and once: memory that is new to a process takes it longer than all copies of it.
    let mut large = vec![7; LARGE];
    large[0] = BULK;
    while control.read_line(&mut line).is_ok_and(|count| count > 0) {
        let (what, count) = line.trim().split_once(' ').unwrap_or((line.trim(), "1"));
        let count: usize = count.parse().expect("a number");
        let began = Instant::now();
        let message = |kind: u8| {
            let mut message = [7; SHORT];
            message[0] = kind;
            message
        };
        match what {
            "round" => {
                for _ in 0..count {
                    pinger.post(&message(ECHOED));
                    pinger.hear();
                }
            }
            // All but the last are not answered.
            "batched" => {
                (1..count).for_each(|_| pinger.post(&message(COUNTED)));
                pinger.post(&message(ECHOED));
                pinger.hear();
            }
            "each" => {
                for _ in 1..count {
                    pinger.post(&message(COUNTED));
                    pinger.flush();
                }
                pinger.post(&message(ECHOED));
                pinger.hear();
            }
            "large" => {
                for _ in 0..count {
                    pinger.post(&large);
                    pinger.hear();
                }
            }
            what => panic!("cannot do {what:?}"),
        }
        writeln!(control.get_mut(), "{}", began.elapsed().as_secs_f64()).expect("somebody reads");
        line.clear();
    }
}

/// A renderer of the gateway.
struct Renderer {
    connection: Connection,
    context: ContextNumber,
    port: PortNumber,
}

impl Renderer {
    fn attached() -> (Connection, ContextNumber) {
        let mut connection = Connection::new(inherited_input().into()).expect("a connection");
        loop {
            if let Some(StubEvent::Granted { context, .. }) = next(&mut connection) {
                connection.stub().attach(context).expect("the grant");
                return (connection, context);
            }
        }
    }

    fn pinging() -> Self {
        let (mut connection, context) = Self::attached();
        let port = connection.stub().connect_runtime(context, &OfExtension::own()).expect("a port");
        Self { connection, context, port }
    }

    /// Gives credit its chance while the socket takes no more.
    fn drain(&mut self) {
        while !self.connection.flush().expect("the browser is there") {
            wait_for(&self.connection, PollFlags::IN | PollFlags::OUT);
            if self.connection.next_event().expect("the browser is there").is_some() {
                return;
            }
        }
    }
}

impl Pinger for Renderer {
    fn post(&mut self, message: &[u8]) {
        loop {
            match self.connection.stub().post_message(self.port, message) {
                Ok(()) => break,
                Err(PostErrorKind::WindowFull) => drop(next(&mut self.connection)),
                Err(PostErrorKind::Disconnected) => {
                    // The echoing side was not there yet.
                    let port = self.connection.stub().connect_runtime(self.context, &OfExtension::own());
                    self.port = port.expect("a port");
                }
                Err(error) => panic!("{error}"),
            }
        }
        if self.connection.stub().output().len() >= BATCH {
            self.drain();
        }
    }

    fn flush(&mut self) {
        self.drain();
    }

    fn hear(&mut self) {
        while !matches!(next(&mut self.connection), Some(StubEvent::Message { .. })) {}
    }
}

/// Sends what waits and takes the next event.
fn next(connection: &mut Connection) -> Option<StubEvent> {
    match connection.wait(None) {
        Ok(event) => event,
        // The browser is gone, and so is the measurement.
        Err(_) => std::process::exit(0),
    }
}

fn wait_for(socket: impl AsFd, flags: PollFlags) {
    let patience = Timespec::try_from(PATIENCE).expect("a time");
    poll(&mut [PollFd::new(&socket, flags)], Some(&patience)).expect("a socket");
}

/// Echoes, as the background of an extension.
fn echo() {
    let (mut connection, context) = Renderer::attached();
    connection.stub().set_listening(context, Listening::PORTS).expect("attached");
    connection.flush().expect("the browser is there");
    writeln!(inherited_output(), "0").expect("somebody reads");
    loop {
        while let Some(message) = connection.next_message() {
            let (port, payload) = (message.port, message.content.payload);
            if payload[0] != COUNTED {
                let payload = payload.to_vec();
                answer(&mut connection, port, &payload);
            }
        }
        match next(&mut connection) {
            Some(StubEvent::Message { port, payload, .. }) if payload[0] != COUNTED => {
                answer(&mut connection, port, &payload);
            }
            _ => {}
        }
    }
}

/// Answers a message with itself, or a large one with a short one.
fn answer(connection: &mut Connection, port: PortNumber, payload: &[u8]) {
    let short = [ECHOED; SHORT];
    let answer = if payload[0] == BULK { &short } else { payload };
    // The other side takes what comes, so there is always room.
    let _ = connection.stub().post_message(port, answer);
}

/// Talks without end to the background of its extension, until it is killed.
fn talk() {
    let mut renderer = Renderer::pinging();
    loop {
        for _ in 0..16 {
            renderer.post(&[COUNTED; SHORT]);
        }
        renderer.drain();
        wait_for(&renderer.connection, PollFlags::OUT);
    }
}

/// The same bytes without the gateway: the frames that a renderer of it writes for a post.
struct Raw {
    socket: UnixStream,
    out: Vec<u8>,
    /// What one call of the system reads.
    buffer: Box<[u8]>,
    read: Vec<u8>,
    start: usize,
}

/// Kind, port, format and activation of a post, after the four bytes of the length.
const HEAD: usize = 1 + 8 + 2;

/// The bytes of such a frame with a short message.
pub(crate) const RAW_FRAME: usize = 4 + HEAD + SHORT;

impl Raw {
    fn new(socket: UnixStream) -> Self {
        Self { socket, out: Vec::new(), buffer: vec![0; 64 << 10].into(), read: Vec::new(), start: 0 }
    }

    fn write(&mut self, message: &[u8]) {
        let length = u32::try_from(HEAD + message.len()).expect("short").to_le_bytes();
        self.out.extend_from_slice(&length);
        self.out.extend_from_slice(&[0; HEAD]);
        self.out.extend_from_slice(message);
    }

    fn send(&mut self) {
        if self.socket.write_all(&self.out).is_err() {
            std::process::exit(0);
        }
        self.out.clear();
    }

    /// Waits for the next message; gives its kind.
    fn take(&mut self) -> u8 {
        loop {
            let unread = &self.read[self.start..];
            if let Some((length, rest)) = unread.split_first_chunk::<4>() {
                let length = u32::from_le_bytes(*length) as usize;
                if rest.len() >= length {
                    let kind = rest[HEAD];
                    self.start += 4 + length;
                    return kind;
                }
            }
            self.send();
            self.read.drain(..self.start);
            self.start = 0;
            let count = self.socket.read(&mut self.buffer).unwrap_or(0);
            if count == 0 {
                std::process::exit(0);
            }
            self.read.extend_from_slice(&self.buffer[..count]);
        }
    }
}

impl Pinger for Raw {
    fn post(&mut self, message: &[u8]) {
        self.write(message);
        if self.out.len() >= BATCH {
            self.send();
        }
    }

    fn flush(&mut self) {
        self.send();
    }

    fn hear(&mut self) {
        self.take();
    }
}

fn raw_echo(mut raw: Raw) {
    writeln!(inherited_output(), "0").expect("somebody reads");
    loop {
        if raw.take() != COUNTED {
            raw.write(&[ECHOED; SHORT]);
        }
    }
}

/// Copies bytes both ways, until one side is gone.
fn relay(one: UnixStream, other: UnixStream) {
    let mut sides = [one, other];
    let mut buffer = vec![0; 64 << 10];
    loop {
        let ready = {
            let mut polled = [PollFd::new(&sides[0], PollFlags::IN), PollFd::new(&sides[1], PollFlags::IN)];
            poll(&mut polled, None).expect("sockets");
            polled.map(|polled| !polled.revents().is_empty())
        };
        for (from, to) in [(0, 1), (1, 0)] {
            if ready[from] {
                let count = sides[from].read(&mut buffer).unwrap_or(0);
                if count == 0 || sides[to].write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
        }
    }
}

/// Both channels of the other end, as `ipc-channel` hands them over.
pub(crate) type IpcEnds = (IpcBytesSender, IpcBytesReceiver);

fn ipc_echo(server: &str) {
    let (to_us, from_them) = bytes_channel().expect("a channel");
    let (to_them, from_us) = bytes_channel().expect("a channel");
    let hello: IpcSender<IpcEnds> = IpcSender::connect(server.to_owned()).expect("the server");
    hello.send((to_us, from_us)).expect("the server");
    while let Ok(message) = from_them.recv() {
        if message[0] != COUNTED && to_them.send(&message).is_err() {
            return;
        }
    }
}

/// The first byte of what is echoed, and of what is not, for rivals in the first process.
pub(crate) const KINDS: (u8, u8) = (ECHOED, COUNTED);
