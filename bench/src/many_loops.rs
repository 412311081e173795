//! A large browser for the core to work in: many event loops, each joined to some
//! background pages, nearly all of them silent.

use crate::allocation::Tally;
use crate::browser::{Browser, content_script_of, describe_background, place};
use crate::concurrent::bell::{Line, Source};
use crate::concurrent::lane::lane;
use crate::ids::{EventLoopId, ExtensionNumber, PeerId};
use crate::transport::Item;
use port_core::{ContextId, DocumentId, Event, EventLoop, FrameId, PortId, TabId, TabTarget};

/// Some extensions, whose backgrounds each have an event loop, and tabs, whose pages do.
#[derive(Debug)]
pub struct ManyLoops {
    /// A background each.
    pub backgrounds: Vec<(EventLoop, ContextId)>,
    /// A page each, with a content script of every extension.
    pub pages: Vec<Page>,
}

/// A tab with one frame, on an event loop of its own.
#[derive(Debug)]
pub struct Page {
    /// Where its content scripts live.
    pub event_loop: EventLoop,
    /// The tab.
    pub target: TabTarget,
    /// The receivers' ends of open ports, an extension each.
    pub ports: Vec<PortId>,
}

impl ManyLoops {
    /// So many of both, without a port between them.
    #[must_use]
    pub fn new(backgrounds: u32, pages: u32) -> Self {
        let browser = Browser::new();
        let extensions: Vec<_> =
            (0..backgrounds).map(|number| browser.load(&format!("bench-{number}@example"))).collect();
        let backgrounds = extensions
            .iter()
            .map(|extension| {
                let mut event_loop = browser.event_loop();
                let background = describe_background(*extension);
                let context = event_loop.attach(background).expect("the extension is loaded");
                (event_loop, context)
            })
            .collect();
        let pages = (1..=u64::from(pages))
            .map(|number| {
                let tab = TabId::new(number);
                let place = browser.tab_at(place(tab, FrameId::TOP, DocumentId::new(number.into())));
                let mut event_loop = browser.event_loop();
                for extension in &extensions {
                    content_script_of(*extension, &mut event_loop, place);
                }
                Page { event_loop, target: TabTarget::new(tab), ports: Vec::with_capacity(extensions.len()) }
            })
            .collect();
        Self { backgrounds, pages }
    }

    /// Opens a port from every background to every page, which joins their loops by two
    /// lanes; all is quiet afterwards. Gives the openers' ends, a background each.
    pub fn join(&mut self) -> Vec<Vec<PortId>> {
        let mut opened = Vec::with_capacity(self.backgrounds.len());
        for (event_loop, context) in &mut self.backgrounds {
            let ports = self.pages.iter_mut().map(|page| {
                let port = event_loop.connect_tab(*context, &page.target).expect("there is room for a port");
                while let Some(event) = page.event_loop.next_event() {
                    if let Event::Connect { port, .. } = event {
                        page.ports.push(port);
                    }
                }
                port
            });
            opened.push(ports.collect());
            while event_loop.next_event().is_some() {}
        }
        opened
    }
}

/// Bytes of heap of a lane that was made and not used, with its line of the bell; without
/// what the loops at its ends know of each other.
#[must_use]
pub fn heap_of_a_lane() -> i64 {
    Tally::of(|| {
        (
            lane::<Item>(),
            Line::new(Source::Lane(PeerId::new(EventLoopId::from_bits(1), ExtensionNumber::FIRST))),
        )
    })
    .0
    .bytes
}

/// Bytes of heap per lane between loops that once had a port and are silent now: each
/// page's loop is joined to each background's by two. What the loops, the lists of peers and the
/// registries keep for a lane is among them.
#[must_use]
pub fn heap_per_idle_lane(backgrounds: u32, pages: u32) -> f64 {
    let mut many_loops = ManyLoops::new(backgrounds, pages);
    let (tally, ()) = Tally::of(|| {
        for (ports, (event_loop, _)) in many_loops.join().into_iter().zip(&mut many_loops.backgrounds) {
            for port in ports {
                event_loop.disconnect(port);
            }
        }
        for page in &mut many_loops.pages {
            while page.event_loop.next_event().is_some() {}
        }
        for (event_loop, _) in &mut many_loops.backgrounds {
            while event_loop.next_event().is_some() {}
        }
    });
    tally.bytes as f64 / f64::from(2 * backgrounds * pages)
}
