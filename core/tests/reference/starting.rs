//! What a browser does with backgrounds that are started on demand.

use super::background::Load;
use super::run::Both;
use super::script::Draw;
use crate::common::listening_for_everything;
use port_core::{ContextKind, DisconnectReason, ExtensionInstance, FactError};

impl Both {
    pub(super) fn load_of(&self, instance: ExtensionInstance) -> Load {
        self.instances.iter().position(|known| known.1 == instance).expect("a known load")
    }

    /// Asks which background is wanted, and sometimes starts it.
    pub(super) fn start_wanted(&mut self, draw: &mut Draw) {
        let got = self.service.next_wanted_background().map(|instance| self.load_of(instance));
        self.tell(format!("wanted is {got:?}"));
        let allowed = self.model.allows(|world| world.next_wanted(got));
        self.check(allowed, "next_wanted_background");
        let (Some(load), Some(home)) = (got, draw.pick(&self.living_loops())) else { return };
        if draw.below(4) < 3 {
            self.attach_at(home, load, ContextKind::Background, None, draw.below(4) < 3);
        }
    }

    pub(super) fn make_ready(&mut self, draw: &mut Draw) {
        let here = |context: &usize| {
            let attached = self.contexts[*context];
            attached.kind == ContextKind::Background && self.loops[attached.home].is_some()
        };
        let backgrounds: Vec<_> = (0..self.contexts.len()).filter(here).collect();
        if let Some(background) = draw.recent(&backgrounds, 3) {
            self.set_listening(background, listening_for_everything().ready(true));
        }
    }

    pub(super) fn give_up(&mut self, draw: &mut Draw) {
        let load = self.some_load(draw);
        let reason = [DisconnectReason::BackgroundNotStarted, DisconnectReason::TabCrashed][draw.below(2)];
        let got = self.service.give_up_background(self.instances[load].1, reason);
        self.tell(format!("give up {load}: {got:?}"));
        if self.check_loaded(load, got) {
            self.model.does(|world| world.give_up(load, reason));
        }
    }

    pub(super) fn stop(&mut self, draw: &mut Draw) {
        let load = self.some_load(draw);
        let got = self.service.stop_background(self.instances[load].1);
        self.tell(format!("stop {load}: {got:?}"));
        if self.check_loaded(load, got) {
            let own = self.index.extensions.iter().filter(|known| known.instance == self.instances[load].1);
            let mut contexts: Vec<_> = own.flat_map(|extension| extension.own.clone()).collect();
            contexts.retain(|context| self.contexts[*context].kind == ContextKind::Background);
            self.index.leave(&contexts);
            let loops = self.living_loops();
            self.model.does(|world| world.stop(load, &contexts, &loops));
        }
    }

    /// Sooner one that is loaded.
    fn some_load(&self, draw: &mut Draw) -> Load {
        if draw.one_in(8) { draw.below(self.instances.len()) } else { self.loaded_instance(draw) }
    }

    fn check_loaded(&self, load: Load, got: Result<(), FactError>) -> bool {
        let loaded = self.index.is_loaded(self.instances[load].1);
        assert_eq!(got, if loaded { Ok(()) } else { Err(FactError::UnknownExtension) });
        loaded
    }
}
