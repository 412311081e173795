//! A background that does not run, and who waits for it.

use super::{
    Browser, Heard, connect_runtime, content_script_of, describe_background, listen_for, service, settle,
};
use port_core::{
    BackgroundState, ContextId, EventLoop, ExtensionDescription, ExtensionInstance, ExternalConnections,
    Limits, Listening, MessageService, Place, Policies, PortId,
};

/// Listens, and is ready.
pub const READY: Listening = Listening::PORTS.ready(true).one_off(true);

/// A content script, and its extension's background that does not run.
pub struct Sleeper {
    pub browser: Browser,
    pub extension: ExtensionInstance,
    pub page: EventLoop,
    pub place: Place,
    pub script: ContextId,
    pub home: EventLoop,
}

impl Sleeper {
    pub fn new() -> Self {
        Self::of(service(Limits::default(), Policies::default()))
    }

    pub fn of(service: MessageService) -> Self {
        let browser = Browser::of(service);
        let description = ExtensionDescription::new("sleeper@example")
            .background_on_demand()
            .external(ExternalConnections::Everyone);
        let extension = browser.service.extension_loaded(description).unwrap();
        let place = browser.tab();
        let (mut page, home) = (browser.event_loop(), browser.event_loop());
        let script = content_script_of(extension, &mut page, place);
        Self { browser, extension, page, place, script, home }
    }

    pub fn connect(&mut self, name: &str) -> PortId {
        connect_runtime(&mut self.page, self.script, name).unwrap()
    }

    pub fn attach(&mut self) -> ContextId {
        self.home.attach(describe_background(self.extension)).unwrap()
    }

    pub fn start(&mut self) -> ContextId {
        listen_for(&mut self.home, describe_background(self.extension), READY)
    }

    pub fn settle(&mut self) -> (Vec<Heard>, Vec<Heard>) {
        let [page, home] = settle([&mut self.page, &mut self.home]);
        (page.iter().map(Heard::from).collect(), home.iter().map(Heard::from).collect())
    }

    pub fn state(&self) -> BackgroundState {
        let snapshot = self.browser.service.snapshot();
        let mut extensions = snapshot.extensions.iter();
        extensions.find(|extension| extension.instance == self.extension).unwrap().background
    }
}
