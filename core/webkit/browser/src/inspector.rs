//! The inspector: what the core has, live, from its snapshots.

use crate::browser::{Browser, on_gtk_thread};
use crate::gateway::Look;
use crate::window::text_pane;
use gtk4::prelude::*;
use gtk4::{ScrolledWindow, TextView};
use port_core::{PortStatus, ServiceSnapshot};
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

/// How often it looks while it is shown.
const PERIOD: Duration = Duration::from_millis(500);

thread_local! {
    static TEXT: std::cell::RefCell<Option<TextView>> = const { std::cell::RefCell::new(None) };
}

/// The pane. The gateway's thread looks at its event loops; this thread writes what it saw.
pub(crate) struct Inspector {
    scrolled: ScrolledWindow,
}

impl Inspector {
    pub(crate) fn new(browser: &Rc<Browser>) -> Self {
        let (text, scrolled) = text_pane();
        TEXT.set(Some(text.clone()));
        let me = Rc::downgrade(browser);
        glib::timeout_add_local(PERIOD, move || {
            let Some(browser) = me.upgrade() else { return glib::ControlFlow::Break };
            if text.is_mapped() {
                browser.gateway.look(|looks| on_gtk_thread(move |browser| show(browser, &looks)));
            }
            glib::ControlFlow::Continue
        });
        Self { scrolled }
    }

    pub(crate) fn widget(&self) -> ScrolledWindow {
        self.scrolled.clone()
    }
}

fn show(browser: &Rc<Browser>, looks: &[Look]) {
    let text = describe(&browser.service.snapshot(), looks);
    TEXT.with_borrow(|view| {
        if let Some(view) = view {
            view.buffer().set_text(&text);
        }
    });
}

fn describe(service: &ServiceSnapshot, looks: &[Look]) -> String {
    let mut text = String::new();
    for tab in &service.tabs {
        let _ = writeln!(text, "tab {}: {} frames, {} cached", tab.tab, tab.frames.len(), tab.cached.len());
    }
    for extension in &service.extensions {
        let _ = writeln!(
            text,
            "{}\n  {} own contexts, {} content scripts, background {:?}",
            extension.extension,
            extension.own.len(),
            extension.content_scripts,
            extension.background
        );
    }
    for Look { page, event_loop, host } in looks {
        let _ = writeln!(
            text,
            "\npage {page}: {} contexts, {} ports; held {}, waits in {} B, out {} B",
            host.contexts, host.ports, host.held_calls, host.input_bytes, host.output_bytes
        );
        for context in &event_loop.contexts {
            let place = context.place.map(|place| format!(" in tab {} frame {}", place.tab, place.frame));
            let _ = writeln!(
                text,
                "  {:?}{}{}, {} ports",
                context.kind,
                place.unwrap_or_default(),
                if context.suspended { ", cached" } else { "" },
                context.ports
            );
        }
        for port in &event_loop.ports {
            let role = if port.opener { "opened" } else { "accepted" };
            let status = match port.status {
                PortStatus::Opening => ", unanswered",
                PortStatus::Open => "",
                _ => ", ended",
            };
            let _ = writeln!(
                text,
                "    port {:?} {role}{status}: {} other ends; queued {} messages, {} B",
                port.name.as_str(),
                port.others.len(),
                port.queued.messages,
                port.queued.bytes
            );
        }
        for lane in event_loop.lanes.iter().filter(|lane| lane.outbound_records > 0) {
            let _ =
                writeln!(text, "    lane: {} records, {} B wait", lane.outbound_records, lane.outbound_bytes);
        }
    }
    text
}
