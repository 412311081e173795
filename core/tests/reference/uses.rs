//! What keeps a context awake: its uses are counted as they are seen.

use super::run::{Attached, Both};
use super::script::Draw;
use super::{Context, Heard};
use port_core::{ConnectKind, ContextKind, PortId};
use std::collections::BTreeMap;

/// The uses of a background that is started on demand, and the last use of each port.
#[derive(Default)]
pub(super) struct Uses {
    count: u64,
    last: BTreeMap<PortId, u64>,
}

impl Both {
    pub(super) fn counts_uses(&self, context: Context) -> bool {
        let Attached { kind, instance, .. } = self.contexts[context];
        kind == ContextKind::Background && self.on_demand[instance]
    }

    /// A context used a port: connected, posted, or heard something.
    pub(super) fn used(&mut self, context: Context, port: Option<PortId>) {
        if self.counts_uses(context) {
            let uses = self.uses.entry(context).or_default();
            uses.count += 1;
            uses.last.extend(port.map(|port| (port, uses.count)));
        }
    }

    pub(super) fn used_by_hearing(&mut self, heard: &Heard, port: Option<PortId>) {
        if let Some((_, context, _)) = heard.end() {
            self.used(context, port.filter(|_| !matches!(heard, Heard::Disconnect(..))));
        }
    }

    pub(super) fn why_awake(&mut self, draw: &mut Draw) {
        let Some(context) = self.some_context(draw) else { return };
        let Attached { id, home, .. } = self.contexts[context];
        let got = self.event_loop(home).why_awake(id);
        self.tell(format!("why is {context} awake: {got:?}"));
        let is_there = got.is_ok();
        let allowed = self.model.allows(|world| world.is_attached(context) == is_there);
        self.check(allowed, "why_awake");
        let Ok(got) = got else { return };
        let ports: Vec<_> = self.event_loop(home).ports(id).collect();
        let counts = self.counts_uses(context);
        let uses = self.uses.get(&context);
        let mut expected: Vec<_> = ports
            .into_iter()
            .filter_map(|port| {
                let end = self.ports.get(&port);
                let opened = end.is_some_and(|end| self.openers[end.0] == context);
                // Of what it accepted without counting, the core does not know what it is for.
                let kind =
                    end.filter(|_| opened || counts).map_or(ConnectKind::Port, |end| self.kinds[end.0]);
                let last = uses.and_then(|uses| uses.last.get(&port)).copied().unwrap_or(0);
                (end.is_some() || !counts).then_some((last, port, kind, opened))
            })
            .collect();
        let shown = got.ports.iter().map(|port| (port.last_use, port.port, port.kind, port.opened));
        let mut shown: Vec<_> = shown.collect();
        assert!(shown.is_sorted_by(|one, next| one.0 >= next.0), "the one used last first: {shown:?}");
        assert_eq!(got.uses, uses.map_or(0, |uses| uses.count));
        expected.sort_unstable_by_key(|port| port.1);
        shown.sort_unstable_by_key(|port| port.1);
        assert_eq!(shown, expected);
    }
}
