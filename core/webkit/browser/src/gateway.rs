//! The thread that carries messages between web processes. The GTK thread tells it of pages and of grants, and does
//! nothing per message.

use port_core::{ContextDescription, EventLoopId, EventLoopSnapshot, MessageService};
use port_core_gateway::unix::{Ended, Gateway, RendererId};
use port_core_gateway::{Bounds, HostSnapshot};
use port_core_webkit_inside::control::ContextKey;
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// A page in a web process, as this program counts them.
pub(crate) type PageKey = u64;

enum Command {
    Add(PageKey, OwnedFd),
    Grant(PageKey, Box<ContextDescription>, ContextKey),
    Crashed(PageKey),
    Remove(PageKey),
    Settle(Box<dyn FnOnce() + Send>),
    Look(Box<dyn FnOnce(Vec<Look>) + Send>),
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
    waker: Waker,
}

impl GatewayThread {
    /// Starts the thread. `ended` is called on it, with a page whose process is to be ended and what it did.
    pub(crate) fn start(
        service: MessageService,
        ended: impl Fn(PageKey, String) + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, given) = channel();
        let gateway = Gateway::new()?;
        let waker = gateway.waker();
        thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || Thread::new(gateway, service).run(&given, &ended))?;
        Ok(Self { commands, waker })
    }

    fn give(&self, command: Command) {
        // It ends with the program.
        let _ = self.commands.send(command);
        self.waker.wake_by_ref();
    }

    /// Adds a page with the socket that came from its process.
    pub(crate) fn add(&self, page: PageKey, socket: OwnedFd) {
        self.give(Command::Add(page, socket));
    }

    /// Grants a page a context.
    pub(crate) fn grant(&self, page: PageKey, description: ContextDescription, context: ContextKey) {
        self.give(Command::Grant(page, Box::new(description), context));
    }

    /// Says that a page's process crashed or was killed.
    pub(crate) fn crashed(&self, page: PageKey) {
        self.give(Command::Crashed(page));
    }

    /// Lets go of a page.
    pub(crate) fn remove(&self, page: PageKey) {
        self.give(Command::Remove(page));
    }

    /// Calls back, on the thread, once its event loops know all facts that were reported before: what pages are told of a
    /// fact only then finds it done.
    pub(crate) fn settle(&self, settled: impl FnOnce() + Send + 'static) {
        self.give(Command::Settle(Box::new(settled)));
    }

    /// Has the thread look at all that it has; `look` is called there.
    pub(crate) fn look(&self, look: impl FnOnce(Vec<Look>) + Send + 'static) {
        self.give(Command::Look(Box::new(look)));
    }
}

struct Thread {
    gateway: Gateway,
    service: MessageService,
    renderers: HashMap<PageKey, RendererId>,
    settling: Vec<Box<dyn FnOnce() + Send>>,
}

impl Thread {
    fn new(gateway: Gateway, service: MessageService) -> Self {
        Self { gateway, service, renderers: HashMap::new(), settling: Vec::new() }
    }

    fn run(&mut self, commands: &Receiver<Command>, ended: &dyn Fn(PageKey, String)) {
        loop {
            let over = match self.gateway.turn((!self.settling.is_empty()).then_some(Duration::ZERO)) {
                Ok(over) => over,
                Err(error) => {
                    eprintln!("port-core: the gateway failed: {error}");
                    return;
                }
            };
            for (renderer, how) in over {
                let page =
                    self.renderers.iter().find(|(_, known)| **known == renderer).map(|(page, _)| *page);
                let Some(page) = page else { continue };
                self.renderers.remove(&page);
                // A page that is closed is no news: its view says more of it.
                if !matches!(how, Ended::Closed(_)) {
                    ended(page, how.to_string());
                }
            }
            self.settling.drain(..).for_each(|settled| settled());
            // Grants after the facts that they rest on: those were reported before the command was sent.
            while let Ok(command) = commands.try_recv() {
                self.obey(command);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(page, socket) => match self.gateway.add(&self.service, socket, Bounds::default()) {
                Ok(renderer) => drop(self.renderers.insert(page, renderer)),
                Err(error) => eprintln!("port-core: a page cannot be connected: {error}"),
            },
            Command::Grant(page, description, context) => {
                if let Some(host) =
                    self.renderers.get(&page).and_then(|renderer| self.gateway.host(*renderer))
                {
                    host.grant(*description, &context.to_le_bytes());
                }
            }
            Command::Crashed(page) => {
                if let Some(event_loop) = self.event_loop(page) {
                    let _ = self.service.event_loop_crashed(event_loop);
                }
            }
            Command::Remove(page) => {
                if let Some(renderer) = self.renderers.remove(&page) {
                    self.gateway.remove(renderer);
                }
            }
            // After the next turn, in which events are taken.
            Command::Settle(settled) => self.settling.push(settled),
            Command::Look(look) => {
                let mut pages: Vec<_> =
                    self.renderers.iter().map(|(page, renderer)| (*page, *renderer)).collect();
                pages.sort_unstable();
                let gateway = &mut self.gateway;
                look(
                    pages
                        .into_iter()
                        .filter_map(|(page, renderer)| {
                            let host = gateway.host(renderer)?;
                            Some(Look {
                                page,
                                event_loop: host.event_loop().snapshot(),
                                host: host.snapshot(),
                            })
                        })
                        .collect(),
                );
            }
        }
    }

    fn event_loop(&mut self, page: PageKey) -> Option<EventLoopId> {
        let renderer = self.renderers.get(&page)?;
        Some(self.gateway.host(*renderer)?.event_loop().id())
    }
}
