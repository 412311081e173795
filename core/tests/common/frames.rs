//! A tab of several frames, each connected to.

use super::{Browser, connected, hear};
use port_core::{ContextId, EventLoop, Place, PortId, TabTarget};

/// A background on one event loop, and on another a content script in each of some frames, which the
/// background is connected to by a port of its own.
pub struct Frames<const N: usize> {
    pub browser: Browser,
    pub here: EventLoop,
    pub there: EventLoop,
    pub background: ContextId,
    pub frames: [Place; N],
    pub scripts: [ContextId; N],
    /// The background's ends.
    pub ports: [PortId; N],
    /// The content scripts' ends.
    pub received: [PortId; N],
}

impl<const N: usize> Frames<N> {
    /// Connects to all of these frames; nothing is left to hear.
    pub fn connected(browser: Browser, frames: [Place; N]) -> Self {
        let (mut here, mut there) = (browser.event_loop(), browser.event_loop());
        let background = browser.background(&mut here);
        let scripts = frames.map(|place| browser.content_script(&mut there, place));
        let ports = frames.map(|place| {
            here.connect_tab(background, &TabTarget::new(place.tab).frame(place.frame)).unwrap()
        });
        let received = connected(&mut there).try_into().expect("a port for each frame");
        assert_eq!(hear(&mut here), []);
        Self { browser, here, there, background, frames, scripts, ports, received }
    }
}
