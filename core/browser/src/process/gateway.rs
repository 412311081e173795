//! The gateway thread of the browser's process: the event loops of all renderer processes, and their sockets.

use super::poll_bell::{Caller, PollBell};
use super::renderer::{Over, Renderer, Tabs};
use crate::activity::{Backlog, Busy};
use crate::launch::Launch;
use crate::log::Event;
use crate::messages::{Request, Task, ThreadIndex};
use crate::shared::Shared;
use port_core::{ExtensionInstance, Limits, MessageService, TabId};
use port_core_gateway::{Bounds, Host, LookOut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much of one renderer's waits for it to read at most, in bytes: messages, tasks, answers. One that leaves more is
/// killed, and its pages have crashed.
pub(super) const MOST_UNREAD: usize = 256 << 20;

/// The largest message that crosses to a process and back where the browser that is followed has no limit, in bytes: two
/// may wait to be read.
const LARGEST: u32 = 120 << 20;

/// How many bytes of one renderer's requests may wait to be carried out before no more is read of it.
const BACKLOG: usize = 64 << 20;

/// How many bytes are read at once.
const READ: usize = 64 << 10;

/// How often all renderers have their turn before sockets are looked at again.
const ROUNDS: usize = 8;

/// How long the thread sleeps at most while calls are held that nothing tells of.
const RETRY: Duration = Duration::from_millis(2);

/// The way of commands to the gateway thread.
#[derive(Clone)]
struct Orders {
    commands: Sender<Command>,
    bell: Arc<PollBell>,
}

impl Orders {
    /// Tells the thread, if it has not ended.
    fn tell(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.bell.ring();
        }
    }
}

/// The gateway thread, as the rest of the browser knows it.
pub(crate) struct Gateway {
    orders: Orders,
    launch: Launch,
    thread: JoinHandle<()>,
}

/// A renderer process, as the rest of the browser knows it.
pub(crate) struct ProcessHandle {
    index: ThreadIndex,
    orders: Orders,
    shared: Shared,
}

/// What the gateway thread is told. What it is told is under way until it is done.
enum Command {
    Start {
        index: ThreadIndex,
        name: String,
        process: (Child, UnixStream),
        shared: Box<Shared>,
    },
    Give {
        index: ThreadIndex,
        task: Task,
        _busy: Busy,
    },
    End {
        index: ThreadIndex,
    },
    /// Scripts have to stop.
    Interrupt,
}

impl Gateway {
    /// Starts the thread.
    pub(crate) fn start(
        launch: Launch,
        service: &MessageService,
        limits: Limits,
        shared: &Shared,
    ) -> io::Result<Self> {
        let (commands, receiver) = mpsc::channel();
        let bell = PollBell::new(&shared.activity)?;
        let mut gateway = Turns {
            renderers: BTreeMap::new(),
            runs_in: HashSet::new(),
            commands: receiver,
            bell: Arc::clone(&bell),
            service: service.clone(),
            bounds: bounds(limits),
            shared: shared.clone(),
            buffer: vec![0; READ].into(),
            expects_more: false,
            look_out: LookOut::default(),
        };
        let thread = thread::Builder::new().name("gateway".to_owned()).spawn(move || {
            gateway.run();
            gateway.bell.retire();
        })?;
        Ok(Self { orders: Orders { commands, bell }, launch, thread })
    }

    /// Starts a renderer process.
    pub(crate) fn start_process(
        &self,
        name: String,
        index: ThreadIndex,
        shared: &Shared,
    ) -> io::Result<ProcessHandle> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = self.launch.start(theirs.into())?;
        let process = (child, ours);
        self.orders.tell(Command::Start { index, name, process, shared: shared.clone().into() });
        Ok(ProcessHandle { index, orders: self.orders.clone(), shared: shared.clone() })
    }

    /// Ends the processes whose scripts did not stop.
    pub(crate) fn interrupt(&self) {
        self.orders.tell(Command::Interrupt);
    }

    /// Ends the thread, and whatever process is left; says whether it did so without a panic.
    pub(crate) fn end(self) -> bool {
        let Orders { commands, bell } = self.orders;
        drop(commands);
        bell.ring();
        self.thread.join().is_ok()
    }
}

impl ProcessHandle {
    /// Gives the process something to do.
    pub(crate) fn send(&self, task: Task) {
        let _busy = self.shared.activity.begin();
        self.orders.tell(Command::Give { index: self.index, task, _busy });
    }

    /// Ends the process, which has stopped.
    pub(crate) fn end(self) {
        self.orders.tell(Command::End { index: self.index });
    }
}

/// What each renderer may send.
fn bounds(limits: Limits) -> Bounds {
    // A message of that length is still taken; what is left of the service's is for others.
    let held = limits.service_bytes / 3 * 2;
    Bounds::default()
        .message_bytes(u32::try_from(limits.message_bytes).unwrap_or(u32::MAX).min(LARGEST))
        .held_bytes(held)
}

/// What the gateway thread has.
struct Turns {
    renderers: BTreeMap<ThreadIndex, Renderer>,
    /// In which tabs extensions were ever given something to run.
    runs_in: HashSet<(TabId, ExtensionInstance)>,
    commands: Receiver<Command>,
    bell: Arc<PollBell>,
    service: MessageService,
    bounds: Bounds,
    shared: Shared,
    buffer: Box<[u8]>,
    /// The last reads left something, so that most likely there is more.
    expects_more: bool,
    /// Whether it looks for what comes next before it sleeps, which costs the renderers' answers less.
    look_out: LookOut,
}

impl Turns {
    fn run(&mut self) {
        let mut has_looked_out = false;
        // At the end nobody tells it anything more.
        while let Some(busy) = self.serve_all() {
            if busy || self.expects_more {
                self.look(Some(Duration::ZERO));
            } else if !has_looked_out {
                // What it was told meanwhile it does before it sleeps.
                has_looked_out = !self.look_out();
                continue;
            } else if self.arm() && self.bell.fall_asleep() {
                let retry = self.renderers.values().any(Renderer::wants_retry);
                let began = Instant::now();
                self.look(retry.then_some(RETRY));
                self.look_out.slept(began.elapsed());
            }
            has_looked_out = false;
        }
        for (_, mut renderer) in std::mem::take(&mut self.renderers) {
            let _ = end_process(&mut renderer.child);
        }
    }

    /// Does what it was told, and gives all renderers turns until there is nothing to do, for a while; says whether there
    /// is more. `None` if nothing is to come.
    fn serve_all(&mut self) -> Option<bool> {
        let mut busy = true;
        for _ in 0..ROUNDS {
            // What it is called for from here on, by its own renderers too, is looked at after this.
            self.bell.awake();
            if !self.take_commands() {
                return None;
            }
            busy = self.serve();
            if !busy {
                break;
            }
        }
        Some(busy)
    }

    /// Does what it was told; says whether there may be more to come.
    fn take_commands(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Start { index, name, process, shared }) => {
                    self.add(index, name, process, *shared);
                }
                Ok(Command::Give { index, task, .. }) => self.give(index, task),
                Ok(Command::End { index }) => {
                    if let Some(mut renderer) = self.renderers.remove(&index) {
                        let _ = end_process(&mut renderer.child);
                    }
                }
                Ok(Command::Interrupt) => self.interrupt(),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn add(&mut self, index: ThreadIndex, name: String, process: (Child, UnixStream), shared: Shared) {
        let caller = Caller::new(&self.bell);
        let waker = Waker::from(Arc::clone(&caller));
        let event_loop = self.service.limited_event_loop(waker, self.bounds.held_bytes);
        let host = Host::new(event_loop, self.bounds);
        let bell = Arc::clone(&self.bell);
        let backlog = Backlog::new(BACKLOG, move || bell.ring());
        let renderer = Renderer::new(index, name, process, (host, caller), backlog, shared);
        self.renderers.insert(index, renderer);
    }

    fn give(&mut self, index: ThreadIndex, task: Task) {
        // One that is gone needs no tasks.
        let Some(renderer) = self.renderers.get_mut(&index) else { return };
        let given = renderer.give(task, &Tabs { runs_in: &self.runs_in });
        self.runs_in.extend(renderer.claims.tabs());
        if let Err(over) = given {
            self.end(index, over);
        }
    }

    /// Gives all renderers their turn, and sends what comes of it; says whether there is more to do.
    fn serve(&mut self) -> bool {
        let mut over = Vec::new();
        let mut busy = false;
        for (index, renderer) in &mut self.renderers {
            if !renderer.may_have_something() {
                continue;
            }
            let tabs = Tabs { runs_in: &self.runs_in };
            match renderer.turn(&tabs).and_then(|did| Ok(did | renderer.send()?)) {
                Ok(did) => busy |= did,
                Err(why) => over.push((*index, why)),
            }
            renderer.settle();
        }
        busy |= !over.is_empty();
        over.into_iter().for_each(|(index, why)| self.end(index, why));
        busy
    }

    /// Looks for a moment whether renderers say something or are said something, if that is likely; says whether it was so.
    fn look_out(&mut self) -> bool {
        let mut look_out = std::mem::take(&mut self.look_out);
        let has_come = look_out.look(|| self.look(Some(Duration::ZERO)) || self.serve());
        self.look_out = look_out;
        has_come
    }

    /// Arms all event loops; says whether the thread may sleep.
    fn arm(&mut self) -> bool {
        self.renderers.values_mut().all(Renderer::arm)
    }

    /// Waits until something can be read or sent, or the bell is rung, and reads; says whether it was so.
    fn look(&mut self, timeout: Option<Duration>) -> bool {
        let mut polled = Vec::with_capacity(1 + self.renderers.len());
        polled.push(PollFd::from_borrowed_fd(self.bell.polled(), PollFlags::IN));
        for renderer in self.renderers.values() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, renderer.wants_input());
            flags.set(PollFlags::OUT, renderer.wants_output());
            polled.push(PollFd::new(&renderer.socket, flags));
        }
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // What it fails for, interrupts, is no reason not to look again.
        let found = poll(&mut polled, timeout.as_ref()).is_ok_and(|count| count > 0);
        let ready: Vec<_> = polled[1..].iter().map(PollFd::revents).collect();
        drop(polled);
        self.bell.awake();
        let mut over = Vec::new();
        let tabs = Tabs { runs_in: &self.runs_in };
        self.expects_more = false;
        for ((index, renderer), ready) in self.renderers.iter_mut().zip(ready) {
            if !ready.is_empty() {
                // It may be able to send, or to go on with what it has.
                renderer.armed = false;
            }
            let hung_up = ready.intersects(PollFlags::HUP | PollFlags::ERR);
            if hung_up || ready.contains(PollFlags::IN) {
                match renderer.read(&mut self.buffer, hung_up, &tabs) {
                    Ok(all) => self.expects_more |= !all,
                    Err(why) => over.push((*index, why)),
                }
            }
        }
        over.into_iter().for_each(|(index, why)| self.end(index, why));
        found
    }

    /// A renderer is none any more: what ran in it has crashed.
    fn end(&mut self, index: ThreadIndex, why: Over) {
        let Some(mut renderer) = self.renderers.remove(&index) else { return };
        let why = match why {
            Over::Closed => renderer.finish(&Tabs { runs_in: &self.runs_in }).err().unwrap_or(Over::Closed),
            why => why,
        };
        let status = end_process(&mut renderer.child);
        if renderer.has_stopped {
            return;
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let message = match why {
            Over::Closed => format!("the process of {} crashed ({how})", renderer.name),
            why => format!("the process of {}: {why}", renderer.name),
        };
        self.log(&Event::Error { message: &message, file: None, line: None, column: None, stack: "" });
        // The other sides hear what had come of it first, then that.
        let _ = self.service.event_loop_crashed(renderer.host.event_loop().id());
        let busy = Some(self.shared.activity.begin());
        self.shared.requests.send(Request::Crashed(index), busy);
    }

    /// Ends the processes whose scripts did not stop when they were told to.
    fn interrupt(&mut self) {
        // ORDERING: a flag that guards nothing.
        if !self.shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        let endless: Vec<_> =
            self.renderers.iter().filter(|(_, it)| it.counts.is_some()).map(|(index, _)| *index).collect();
        for index in endless {
            let Some(mut renderer) = self.renderers.remove(&index) else { continue };
            let _ = end_process(&mut renderer.child);
            let text = format!("killed the process of {}, for the time of the run is over", renderer.name);
            self.log(&Event::Console { level: "warn", text: &text });
        }
    }

    fn log(&self, event: &Event<'_>) {
        self.shared.log.write("browser", event);
    }
}

/// Ends a process, which may have ended by itself; gives how it did.
fn end_process(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    // One that has ended is not hurt by it, and keeps its own status.
    let _ = child.kill();
    child.wait()
}
