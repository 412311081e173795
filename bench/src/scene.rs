//! A scene in the small browser: a background, and a tab of one or more frames.

use crate::browser::{Browser, describe_background, place};
use port_core::{ContextId, DocumentId, Event, EventLoop, FrameId, Limits, PortId, TabId, TabTarget};
use std::task::Waker;

/// An extension's background on one event loop, and its content scripts in all frames
/// of one tab on another.
#[derive(Debug)]
pub struct Scene {
    /// Where the background lives.
    pub opener: EventLoop,
    /// Where the tab lives; `None` when it shares the background's event loop.
    pub receiver: Option<EventLoop>,
    /// The background.
    pub background: ContextId,
    /// The content scripts, one per frame.
    pub content_scripts: Vec<ContextId>,
    /// The tab, without a name for the port.
    pub target: TabTarget,
}

impl Scene {
    /// With the tab on an event loop of its own.
    #[must_use]
    pub fn of_two_loops(frames: u64) -> Self {
        Self::of_two_loops_with(frames, Limits::default())
    }

    /// Likewise, within these limits.
    #[must_use]
    pub fn of_two_loops_with(frames: u64, limits: Limits) -> Self {
        Self::new(frames, true, Waker::noop(), limits)
    }

    /// With the tab on an event loop of its own, which is woken by `waker`.
    #[must_use]
    pub fn with_a_sleeper(frames: u64, waker: &Waker) -> Self {
        Self::new(frames, true, waker, Limits::default())
    }

    /// With everything on one event loop.
    #[must_use]
    pub fn of_one_loop(frames: u64) -> Self {
        Self::new(frames, false, Waker::noop(), Limits::default())
    }

    fn new(frames: u64, two: bool, waker: &Waker, limits: Limits) -> Self {
        let (browser, tab) = (Browser::with_limits(limits), TabId::new(7));
        let mut opener = browser.event_loop();
        let mut receiver = two.then(|| browser.service.event_loop(waker.clone()));
        // It does not listen: nobody connects to it.
        let background =
            opener.attach(describe_background(browser.extension)).expect("the extension is loaded");
        let owner = receiver.as_mut().unwrap_or(&mut opener);
        let content_scripts = (0..frames)
            .map(|frame| {
                let place = place(tab, FrameId::new(frame), DocumentId::new(frame.into()));
                let shown =
                    if frame == 0 { browser.tab_at(place) } else { browser.frame_at(place, FrameId::TOP) };
                browser.content_script(owner, shown)
            })
            .collect();
        Self { opener, receiver, background, content_scripts, target: TabTarget::new(tab) }
    }

    /// The event loop of the tab.
    pub fn receiving(&mut self) -> &mut EventLoop {
        self.receiver.as_mut().unwrap_or(&mut self.opener)
    }

    /// Opens a port to the tab.
    pub fn connect(&mut self) -> PortId {
        self.opener.connect_tab(self.background, &self.target).expect("there is room for a port")
    }

    /// Opens ports and has both sides take note, so that all is quiet again. Gives the
    /// opener's ends and, frame by frame for each of them, the receivers'.
    pub fn connect_many(&mut self, ports: usize) -> (Vec<PortId>, Vec<PortId>) {
        let mut receiving = Vec::with_capacity(ports * self.content_scripts.len());
        let mut opening = Vec::with_capacity(ports);
        for _ in 0..ports {
            opening.push(self.connect());
            // Before the lane grows, as it would with a page that is not busy.
            while let Some(event) = self.receiving().next_event() {
                if let Event::Connect { port, .. } = event {
                    receiving.push(port);
                }
            }
        }
        while self.opener.next_event().is_some() {}
        assert_eq!(receiving.len(), ports * self.content_scripts.len());
        (opening, receiving)
    }
}
