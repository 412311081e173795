//! One thread of the browser with the event loops of many renderers.

use super::wake::{Caller, WakeUp};
use super::{READ_BYTES, Read, read_into, read_some, send_pieces, set_nonblocking};
use crate::bounds::Bounds;
use crate::host::Host;
use crate::wire::lie::Lie;
use port_core::MessageService;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// The [hosts](Host) of many renderers, for one thread of the browser: waits for all of them and gives them their
/// turns.
///
/// A browser with processors to spare makes several, each on a thread of its own.
#[derive(Debug)]
pub struct Gateway {
    renderers: BTreeMap<RendererId, Renderer>,
    next: u64,
    wake_up: WakeUp,
    read: Box<[u8]>,
    /// The last reads left something, so that most likely there is more.
    expects_more: bool,
}

/// Names a renderer of one [`Gateway`]. Never given twice by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RendererId(u64);

#[derive(Debug)]
struct Renderer {
    host: Host,
    /// Called by its event loop, once that was armed.
    caller: Arc<Caller>,
    /// Its event loop calls if there is something for it, and nothing else is there to do.
    armed: bool,
    socket: OwnedFd,
    /// What the last poll said of the socket.
    ready: PollFlags,
}

/// Says why a renderer is none any more.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// Its end of the socket is closed, most likely because its process has ended. What it had sent was done first.
    /// Dropping the host ends its contexts; if the process crashed, [report](MessageService::event_loop_crashed) that
    /// of its event loop before, so that the other sides hear it.
    Closed(Box<Host>),
    /// It is not honest. The process is to be ended.
    Lied(Lie),
    /// The system failed.
    Failed(io::Error),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the renderer closed its end"),
            Self::Lied(lie) => lie.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// What was found out about a renderer whose host is yet to be let go.
#[derive(Debug)]
enum Over {
    Closed,
    Lied(Lie),
    Failed(io::Error),
}

/// How much of what one renderer sent is read before it is the next one's turn, in bytes. What is read becomes records in
/// lanes, which take twice as much: these few are taken while they are in the processor's nearer caches, by loops in whose
/// lanes there are segments for them.
const TURN_BYTES: usize = 128 << 10;

/// How often all hosts have their turn before sockets are looked at again.
const ROUNDS: usize = 8;

/// How long the thread sleeps at most while a call is held, and the event that tells of room is not taken.
const RETRY: Duration = Duration::from_millis(2);

impl Gateway {
    /// Makes one without renderers.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn new() -> io::Result<Self> {
        let read = vec![0; READ_BYTES].into();
        Ok(Self { renderers: BTreeMap::new(), next: 0, wake_up: WakeUp::new()?, read, expects_more: false })
    }

    /// Returns a waker that has [`turn`](Self::turn) return, now or when it is next called. For threads that have
    /// something for this one, such as grants that are to be given.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.wake_up.waker()
    }

    /// Adds a renderer that has just been started, with the browser's socket of its [`pair`](super::pair), and makes
    /// an event loop for it.
    ///
    /// # Errors
    ///
    /// As the system gives them.
    pub fn add(
        &mut self,
        service: &MessageService,
        socket: OwnedFd,
        bounds: Bounds,
    ) -> io::Result<RendererId> {
        set_nonblocking(&socket)?;
        let caller = self.wake_up.caller();
        let event_loop = service.limited_event_loop(Arc::clone(&caller).into(), bounds.held_bytes);
        let mut host = Host::new(event_loop, bounds);
        host.send_pieces();
        let renderer = RendererId(self.next);
        self.next += 1;
        self.renderers
            .insert(renderer, Renderer { host, caller, armed: false, socket, ready: PollFlags::empty() });
        Ok(renderer)
    }

    /// Returns a renderer's host, to grant contexts, say; `None` once it has ended.
    pub fn host(&mut self, renderer: RendererId) -> Option<&mut Host> {
        let renderer = self.renderers.get_mut(&renderer)?;
        // What is done with it may leave something to send.
        renderer.armed = false;
        Some(&mut renderer.host)
    }

    /// Lists the renderers that have not ended.
    pub fn renderers(&self) -> impl Iterator<Item = RendererId> {
        self.renderers.keys().copied()
    }

    /// Lets go of a renderer, whose contexts end. Returns whether it was there.
    pub fn remove(&mut self, renderer: RendererId) -> bool {
        self.renderers.remove(&renderer).is_some()
    }

    /// Does what there is to do for all renderers. If there is nothing, waits for something for as long as `timeout`,
    /// or for ever, and does that. Returns the renderers that ended, which are gone from here.
    ///
    /// While messages come one by one, each takes three calls of the system: it waits, reads and sends.
    ///
    /// # Errors
    ///
    /// As the system gives them, for `poll`. What goes wrong with one renderer ends that one.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Vec<(RendererId, Ended)>> {
        let mut ended = Vec::new();
        let busy = self.serve(&mut ended) || !ended.is_empty();
        // To arm may cost more than to look whether there is something; so look first where that is likely.
        let found = (busy || self.expects_more) && self.poll(Some(Duration::ZERO))?;
        if !busy && !found {
            if self.arm() && self.wake_up.fall_asleep() {
                let retry = self.renderers.values().any(|renderer| renderer.host.wants_retry());
                let polled = self.poll(retry.then_some(RETRY).into_iter().chain(timeout).min());
                self.wake_up.awake();
                polled?;
            } else {
                self.poll(Some(Duration::ZERO))?;
            }
        }
        self.read(&mut ended);
        self.serve(&mut ended);
        Ok(ended)
    }

    /// Gives their turns to all hosts that may have something to do, and sends what comes of it. Returns whether there
    /// is more to do.
    fn serve(&mut self, ended: &mut Vec<(RendererId, Ended)>) -> bool {
        let mut busy = true;
        for _ in 0..ROUNDS {
            busy = false;
            let mut over = Vec::new();
            self.wake_up.ask_callers();
            for (id, renderer) in &mut self.renderers {
                if !renderer.caller.take() && renderer.armed && !renderer.host.wants_retry() {
                    continue;
                }
                renderer.armed = false;
                match renderer.host.turn() {
                    Ok(did) => busy |= did,
                    Err(lie) => over.push((*id, Over::Lied(lie))),
                }
                match renderer.send() {
                    Ok(made_room) => busy |= made_room,
                    Err(error) => over.push((*id, Over::Failed(error))),
                }
            }
            self.end(over, ended);
            if !busy {
                break;
            }
        }
        busy
    }

    /// Arms all event loops. Returns whether the thread may sleep.
    fn arm(&mut self) -> bool {
        self.renderers.values_mut().all(Renderer::arm)
    }

    /// Waits until something can be read or sent, or the waker was called. Returns whether there was anything.
    fn poll(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let mut polled = Vec::with_capacity(1 + self.renderers.len());
        polled.push(PollFd::from_borrowed_fd(self.wake_up.polled(), PollFlags::IN));
        for Renderer { host, socket, .. } in self.renderers.values() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, host.wants_input());
            flags.set(PollFlags::OUT, !host.output().is_empty());
            polled.push(PollFd::new(socket, flags));
        }
        // A time that the system cannot express is no limit.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        #[cfg(test)]
        super::calls::count();
        let count = match poll(&mut polled, timeout.as_ref()) {
            Err(error) if error == rustix::io::Errno::INTR => 0,
            count => count?,
        };
        if !polled[0].revents().is_empty() {
            self.wake_up.clear()?;
        }
        let revents: Vec<_> = polled[1..].iter().map(PollFd::revents).collect();
        for (renderer, revents) in self.renderers.values_mut().zip(revents) {
            renderer.ready = revents;
        }
        Ok(count > 0)
    }

    /// Takes what can be read, up to a bound for each renderer.
    fn read(&mut self, ended: &mut Vec<(RendererId, Ended)>) {
        let mut over = Vec::new();
        self.expects_more = false;
        for (id, renderer) in &mut self.renderers {
            match renderer.read(&mut self.read) {
                Ok(all) => self.expects_more |= !all,
                Err(end) => over.push((*id, end)),
            }
        }
        self.end(over, ended);
    }

    fn end(&mut self, over: Vec<(RendererId, Over)>, ended: &mut Vec<(RendererId, Ended)>) {
        for (id, over) in over {
            let Some(Renderer { mut host, .. }) = self.renderers.remove(&id) else { continue };
            let how = match over {
                Over::Failed(error) => Ended::Failed(error),
                Over::Lied(lie) => Ended::Lied(lie),
                Over::Closed => host.finish().map_or_else(Ended::Lied, |()| Ended::Closed(Box::new(host))),
            };
            ended.push((id, how));
        }
    }
}

impl Renderer {
    /// Arms the event loop. Returns whether there is nothing to do until something is called or the socket is ready.
    fn arm(&mut self) -> bool {
        self.armed = self.armed || self.host.arm();
        self.armed
    }

    /// Sends as much of the output as the socket takes. Returns whether that made room to go on with what had come.
    fn send(&mut self) -> io::Result<bool> {
        let wanted = self.host.wants_input();
        while !self.host.output().is_empty() {
            match send_pieces(&self.socket, self.host.output_pieces()) {
                Ok(Some(count)) => self.host.sent(count),
                Ok(None) => break,
                // The other end is closed: nobody reads what is sent. What it had sent is read to its end.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
                {
                    self.host.sent(self.host.snapshot().output_bytes);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(!wanted && self.host.wants_input())
    }

    /// Reads what came, up to a bound. Returns whether that was all, or why it was the last of it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, Over> {
        let ready = std::mem::replace(&mut self.ready, PollFlags::empty());
        if ready.is_empty() {
            return Ok(true);
        }
        // It may be able to send, or to go on with what it has.
        self.armed = false;
        // Who has hung up sends no more than lies in the socket; so there is an end to it also while nothing is
        // wanted.
        let hung_up = ready.intersects(PollFlags::HUP | PollFlags::ERR);
        if !hung_up && !ready.contains(PollFlags::IN) {
            return Ok(true);
        }
        let mut read = 0;
        while read < TURN_BYTES && (hung_up || self.host.wants_input()) {
            match self.read_once(buffer) {
                Ok(Some((Read { count: 0, .. }, _))) => return Err(Over::Closed),
                Ok(Some((Read { count, room }, fresh))) => {
                    read += count;
                    self.host.receive(&buffer[..fresh]).map_err(Over::Lied)?;
                    // Most likely that was all; if not, it is still readable in the next turn.
                    if count < room && !hung_up {
                        return Ok(true);
                    }
                }
                Ok(None) => return Ok(true),
                Err(error) => return Err(Over::Failed(error)),
            }
        }
        Ok(false)
    }

    /// Reads into the buffer, or what belongs to a long frame to where that is put together. Returns how many bytes lie in
    /// the buffer too; `None` if nothing came.
    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<Option<(Read, usize)>> {
        if let Some(long) = self.host.room_for_long(buffer.len()) {
            return Ok(read_into(&self.socket, long)?.map(|read| (read, 0)));
        }
        let room = buffer.len();
        Ok(read_some(&self.socket, buffer)?.map(|count| (Read { count, room }, count)))
    }
}
