//! The thread that carries messages between web processes, and to the GTK thread what pages say beside that. The GTK
//! thread tells it of pages, of grants and of what pages are to be told, and does nothing per message.

use crate::backlog::{Backlog, Word};
use crate::bell::Bell;
use crate::connected::{Connected, Over};
use port_core::{ContextDescription, EventLoopSnapshot, MessageService};
use port_core_gateway::HostSnapshot;
use port_core_webkit_inside::control::ContextKey;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// A page in a web process, as this program counts them.
pub(crate) type PageKey = u64;

enum Command {
    Add(PageKey, OwnedFd),
    Grant(PageKey, Box<ContextDescription>, ContextKey),
    Tell(PageKey, Vec<u8>),
    Report(Box<dyn FnOnce(&MessageService) + Send>),
    Crashed(PageKey),
    Remove(PageKey),
    Look(Box<dyn FnOnce(Vec<Look>) + Send>),
}

/// What a page said, or that it is none any more.
#[derive(Debug)]
pub(crate) enum Said {
    /// A word, which the thread has not read.
    Word(Word),
    /// It has closed its end. What it had sent was done and said before. Its contexts end when it is let go of.
    Closed,
    /// Its process is to be ended, for this.
    Lied(String),
}

/// What the thread has of one page, to be looked at.
pub(crate) struct Look {
    pub(crate) page: PageKey,
    pub(crate) event_loop: EventLoopSnapshot,
    pub(crate) host: HostSnapshot,
}

/// The other threads' end.
pub(crate) struct GatewayThread {
    commands: Sender<Command>,
    bell: Arc<Bell>,
}

impl GatewayThread {
    /// Starts the thread. `said` is called on it, with what pages say, in order with what they call.
    pub(crate) fn start(
        service: MessageService,
        said: impl Fn(PageKey, Said) + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, given) = channel();
        let bell = Bell::new()?;
        let thread = Thread {
            service,
            bell: Arc::clone(&bell),
            pages: BTreeMap::new(),
            closed: BTreeMap::new(),
            said: Box::new(said),
            buffers: Buffers::default(),
        };
        thread::Builder::new().name("gateway".to_owned()).spawn(move || thread.run(&given))?;
        Ok(Self { commands, bell })
    }

    fn give(&self, command: Command) {
        // It ends with the program.
        let _ = self.commands.send(command);
        self.bell.ring();
    }

    /// Adds a page with the socket that came from its process.
    pub(crate) fn add(&self, page: PageKey, socket: OwnedFd) {
        self.give(Command::Add(page, socket));
    }

    /// Grants a page a context, in order with what it is told.
    pub(crate) fn grant(&self, page: PageKey, description: ContextDescription, context: ContextKey) {
        self.give(Command::Grant(page, Box::new(description), context));
    }

    /// Tells a page something, behind what it hears of the facts that were reported before.
    pub(crate) fn tell(&self, page: PageKey, word: Vec<u8>) {
        self.give(Command::Tell(page, word));
    }

    /// Reports facts behind what pages were told before, and before what they are told after.
    pub(crate) fn report(&self, facts: impl FnOnce(&MessageService) + Send + 'static) {
        self.give(Command::Report(Box::new(facts)));
    }

    /// Says that a page's process crashed or was killed.
    pub(crate) fn crashed(&self, page: PageKey) {
        self.give(Command::Crashed(page));
    }

    /// Lets go of a page.
    pub(crate) fn remove(&self, page: PageKey) {
        self.give(Command::Remove(page));
    }

    /// Has the thread look at all that it has; `look` is called there.
    pub(crate) fn look(&self, look: impl FnOnce(Vec<Look>) + Send + 'static) {
        self.give(Command::Look(Box::new(look)));
    }
}

struct Thread {
    service: MessageService,
    bell: Arc<Bell>,
    pages: BTreeMap<PageKey, Connected>,
    /// The pages that closed their ends, until the GTK thread lets go of them: it knows how they came to an end.
    closed: BTreeMap<PageKey, Connected>,
    said: Box<dyn Fn(PageKey, Said) + Send>,
    buffers: Buffers,
}

/// What is used again in every turn.
#[derive(Default)]
struct Buffers {
    ready: Vec<PollFlags>,
    over: Vec<(PageKey, Over)>,
}

/// How often all pages have their turn before sockets are looked at again.
const ROUNDS: usize = 8;

/// How long the thread sleeps at most while calls are held that nothing tells of.
const RETRY: Duration = Duration::from_millis(2);

impl Thread {
    fn run(mut self, given: &Receiver<Command>) {
        loop {
            // What was reported before a command was sent, the event loops have once they had their turns.
            let commands: Vec<Command> = given.try_iter().collect();
            let mut busy = self.serve();
            for command in commands {
                let is_fact = matches!(command, Command::Report(_));
                self.obey(command);
                busy = true;
                if is_fact {
                    self.serve();
                }
            }
            if busy {
                self.look(Some(Duration::ZERO));
            } else if self.arm() && self.bell.fall_asleep() {
                let retry = self.pages.values().any(Connected::wants_retry);
                self.look(retry.then_some(RETRY));
            } else {
                self.bell.awake();
            }
        }
    }

    /// Gives all pages their turns and sends what comes of it. Returns whether there is more to do.
    fn serve(&mut self) -> bool {
        let mut busy = true;
        for _ in 0..ROUNDS {
            busy = false;
            for (page, connected) in &mut self.pages {
                let mut hear = |word| (self.said)(*page, Said::Word(word));
                match connected.turn(&mut hear).and_then(|did| Ok(did | connected.send()?)) {
                    Ok(did) => busy |= did,
                    Err(over) => self.buffers.over.push((*page, over)),
                }
            }
            busy |= self.end_those_over();
            if !busy {
                break;
            }
        }
        busy
    }

    /// Arms all event loops. Returns whether the thread may sleep.
    fn arm(&mut self) -> bool {
        self.pages.values_mut().all(Connected::arm)
    }

    /// Waits until something can be read or sent, or the bell is rung, and reads.
    fn look(&mut self, timeout: Option<Duration>) {
        let mut polled = Vec::with_capacity(1 + self.pages.len());
        polled.push(PollFd::from_borrowed_fd(self.bell.polled(), PollFlags::IN));
        for connected in self.pages.values() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, connected.wants_input());
            flags.set(PollFlags::OUT, connected.wants_output());
            polled.push(PollFd::new(connected, flags));
        }
        // A time that the system cannot express is no limit.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // What it fails for, interrupts, is no reason not to look again.
        let _ = poll(&mut polled, timeout.as_ref());
        self.buffers.ready.clear();
        self.buffers.ready.extend(polled[1..].iter().map(PollFd::revents));
        drop(polled);
        self.bell.awake();
        for ((page, connected), ready) in self.pages.iter_mut().zip(&self.buffers.ready) {
            let hung_up = ready.intersects(PollFlags::HUP | PollFlags::ERR);
            if hung_up || ready.contains(PollFlags::IN) {
                let said = &self.said;
                let read = connected.read(hung_up, &mut |word| said(*page, Said::Word(word)));
                if let Err(over) = read {
                    self.buffers.over.push((*page, over));
                }
            }
        }
        self.end_those_over();
    }

    /// Gives pages no more turns that are none any more. Returns whether there were any.
    fn end_those_over(&mut self) -> bool {
        let any = !self.buffers.over.is_empty();
        for (page, over) in self.buffers.over.drain(..) {
            let Some(connected) = self.pages.remove(&page) else { continue };
            let said = match over {
                Over::Closed => {
                    self.closed.insert(page, connected);
                    Said::Closed
                }
                Over::Lied(why) => Said::Lied(why),
            };
            (self.said)(page, said);
        }
        any
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(page, socket) => {
                let event_loop = self.service.event_loop(Waker::from(Arc::clone(&self.bell)));
                match Connected::new(socket, event_loop, Backlog::new(&self.bell)) {
                    Ok(connected) => drop(self.pages.insert(page, connected)),
                    Err(error) => eprintln!("port-core: a page cannot be connected: {error}"),
                }
            }
            Command::Grant(page, description, context) => {
                if let Some(connected) = self.pages.get_mut(&page) {
                    connected.grant(*description, &context.to_le_bytes());
                }
            }
            Command::Tell(page, word) => {
                if let Some(connected) = self.pages.get_mut(&page) {
                    connected.tell(&word);
                }
            }
            Command::Report(facts) => facts(&self.service),
            Command::Crashed(page) => {
                if let Some(connected) = self.pages.get(&page).or_else(|| self.closed.get(&page)) {
                    let _ = self.service.event_loop_crashed(connected.host().event_loop().id());
                }
            }
            Command::Remove(page) => drop((self.pages.remove(&page), self.closed.remove(&page))),
            Command::Look(look) => {
                let of = |(page, connected): (&PageKey, &Connected)| Look {
                    page: *page,
                    event_loop: connected.host().event_loop().snapshot(),
                    host: connected.host().snapshot(),
                };
                look(self.pages.iter().chain(&self.closed).map(of).collect());
            }
        }
    }
}
