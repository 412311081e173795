//! Renderers that are processes of their own.

use super::{Browser, roles};
use port_core::{ContextDescription, EventLoop};
use port_core_gateway::unix::{Ended, Gateway, RendererId, pair};
use port_core_gateway::{Bounds, ContextNumber, Host};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A browser that starts renderers, which run this test's own executable in a role.
pub struct Processes {
    pub browser: Browser,
    pub gateway: Gateway,
    pub bounds: Bounds,
    children: BTreeMap<RendererId, Child>,
    pub ended: Vec<(RendererId, Ended)>,
}

impl Processes {
    pub fn new(browser: Browser) -> Self {
        let gateway = Gateway::new().unwrap();
        Self { browser, gateway, bounds: Bounds::default(), children: BTreeMap::new(), ended: Vec::new() }
    }

    /// Starts a renderer in this role.
    pub fn start(&mut self, role: &str) -> RendererId {
        let (ours, theirs) = pair().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", roles::TEST, "--nocapture"])
            .env(roles::VARIABLE, role)
            .stdin(theirs)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let renderer = self.gateway.add(&self.browser.service, ours, self.bounds).unwrap();
        self.children.insert(renderer, child);
        renderer
    }

    #[track_caller]
    pub fn host(&mut self, renderer: RendererId) -> &mut Host {
        self.gateway.host(renderer).expect("the renderer is there")
    }

    #[track_caller]
    pub fn grant(
        &mut self,
        renderer: RendererId,
        description: ContextDescription,
        label: &str,
    ) -> ContextNumber {
        self.host(renderer).grant(description, label.as_bytes())
    }

    /// Makes an event loop for this thread, which wakes it from [`turn`](Self::turn).
    pub fn event_loop(&self) -> EventLoop {
        self.browser.service.event_loop(self.gateway.waker())
    }

    /// Waits until there is something to do, and does it.
    pub fn turn(&mut self) {
        self.ended.extend(self.gateway.turn(None).unwrap());
    }

    /// Runs until something is so.
    pub fn until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) {
        while !is_so(self) {
            self.turn();
        }
    }

    /// Runs until a renderer has ended, and gives why, and how its process did.
    pub fn until_ended(&mut self, renderer: RendererId) -> (Ended, ExitStatus) {
        self.until(|all| all.ended.iter().any(|(ended, _)| *ended == renderer));
        let at = self.ended.iter().position(|(ended, _)| *ended == renderer).unwrap();
        let (_, how) = self.ended.swap_remove(at);
        let mut child = self.children.remove(&renderer).unwrap();
        if !matches!(how, Ended::Closed(_)) {
            child.kill().unwrap();
        }
        (how, child.wait().unwrap())
    }

    /// Runs until a renderer has ended by itself, content with what it saw.
    #[track_caller]
    pub fn until_content(&mut self, renderer: RendererId) {
        let (how, status) = self.until_ended(renderer);
        assert!(matches!(how, Ended::Closed(_)) && status.success(), "{how}, {status}");
    }

    /// Lets a renderer go, which must have been content with what it saw.
    #[track_caller]
    pub fn let_go(&mut self, renderer: RendererId) {
        assert!(self.gateway.remove(renderer));
        let status = self.children.remove(&renderer).unwrap().wait().unwrap();
        assert!(status.success(), "{status}");
    }

    pub fn signal(&self, renderer: RendererId, signal: Signal) {
        let child = &self.children[&renderer];
        kill_process(Pid::from_child(child), signal).unwrap();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
