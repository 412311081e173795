//! The facts that a script reports.

use super::Context;
use super::index::{Ended, Frame};
use super::run::Both;
use super::script::{DORMANT, Do, Draw};
use crate::common::{place, with_document};
use port_core::{
    DiscardedTab, DisconnectReason, DocumentId, ExtensionDescription, ExtensionId, ExternalConnections,
    FactError, FrameId, Place, TabId, WindowId,
};

impl Both {
    pub(super) fn fact(&mut self, fact: Do, draw: &mut Draw) {
        match fact {
            Do::StartWanted => return self.start_wanted(draw),
            Do::GiveUp => return self.give_up(draw),
            Do::Stop => return self.stop(draw),
            _ => {}
        }
        // A refused fact is one that names something old.
        let refused = matches!(fact, Do::RefusedFact);
        let fact = if refused {
            let facts = [Do::Navigate, Do::Cache, Do::Restore, Do::Evict, Do::RemoveFrame, Do::ChangeTab];
            facts[draw.below(6)]
        } else {
            fact
        };
        let kept: Vec<_> = self.index.frames.iter().filter_map(|frame| frame.kept_with).collect();
        let shown = |place: &Place| refused || self.index.shows(*place);
        let mut shown: Vec<_> = self.places.iter().copied().filter(shown).collect();
        if matches!(fact, Do::Navigate) && !refused {
            // A frame whose document went into the cache shows none.
            let frames = self.index.frames.iter().filter(|frame| frame.kept_with.is_none());
            let place =
                |frame: &Frame| place(frame.tab, frame.id, frame.document.unwrap_or(DocumentId::new(0)));
            shown = frames.map(place).collect();
        }
        let Some(place) = draw.recent(&shown, 6) else { return self.open_tab_anew() };
        let kept = if refused { Some(place.document) } else { draw.recent(&kept, 6) };
        match fact {
            Do::Navigate => self.navigate(place, refused && draw.one_in(2)),
            Do::Cache => {
                let got = self.service.document_cached(place.document);
                let expected = self.index.cache(place.document);
                self.told(format!("cache {place:?}"), got, &expected);
                let contexts = expected.unwrap_or_default();
                self.model.does(|world| world.suspend(&contexts));
            }
            Do::Restore => {
                let Some(document) = kept else { return };
                let got = self.service.document_restored(document);
                let expected = self.index.restore(document);
                let (back, ended) = expected.clone().unwrap_or_default();
                self.told(format!("restore {document:?}"), got, &expected.map(|_| Vec::new()));
                self.model.does(|world| world.resume(&back));
                self.kill(&ended, DisconnectReason::Navigated);
            }
            Do::Evict => {
                let Some(document) = kept else { return };
                let got = self.service.document_evicted(document);
                let expected = self.index.evict(document);
                self.ended(format!("evict {document:?}"), got, expected, DisconnectReason::Navigated);
            }
            Do::AddFrame => self.add_frame(place.tab, Some(place.frame)),
            Do::RemoveFrame => {
                let got = self.service.frame_removed(place.tab, place.frame);
                let expected = self.index.remove_frame(place.tab, place.frame);
                self.ended(format!("remove {place:?}"), got, expected, DisconnectReason::FrameRemoved);
            }
            Do::ChangeTab => self.change_tab(place.tab, draw),
            _ => self.reload(draw),
        }
    }

    pub(super) fn navigate(&mut self, place: Place, to_an_old_one: bool) {
        let document = if to_an_old_one { place.document } else { self.fresh_document() };
        let to = with_document(place, document);
        let got = self.service.frame_navigated(to.tab, to.frame, to.document);
        let expected = self.index.navigate(to);
        if expected.is_ok() {
            self.places.push(to);
        }
        self.ended(format!("navigate {place:?}"), got, expected, DisconnectReason::Navigated);
    }

    pub(super) fn open_tab_anew(&mut self) {
        let tab = TabId::new(self.fresh());
        self.open_tab(tab);
    }

    pub(super) fn open_tab(&mut self, tab: TabId) {
        let got = self.service.tab_opened(tab, WindowId::new(1));
        let expected = self.index.open_tab(tab, WindowId::new(1));
        self.told(format!("open {tab:?}"), got, &expected);
        self.add_frame(tab, None);
    }

    /// A frame in another, or the top one, which may be there already.
    pub(super) fn add_frame(&mut self, tab: TabId, parent: Option<FrameId>) {
        let frame = parent.map_or(FrameId::TOP, |_| FrameId::new(self.fresh()));
        let place = place(tab, frame, self.fresh_document());
        let got = self.service.frame_attached(tab, frame, parent, place.document);
        let expected = self.index.attach_frame(place, parent);
        if expected.is_ok() {
            self.places.push(place);
        }
        self.told(format!("attach {place:?} in {parent:?}"), got, &expected);
    }

    pub(super) fn change_tab(&mut self, tab: TabId, draw: &mut Draw) {
        match draw.below(5) {
            0 => {
                let expected = self.index.close_tab(tab);
                let got = self.service.tab_closed(tab);
                self.ended(format!("close {tab:?}"), got, expected, DisconnectReason::TabClosed);
                if draw.one_in(2) {
                    self.open_tab(tab);
                }
            }
            1 => {
                let other = TabId::new(if draw.one_in(4) { 2 } else { self.fresh() });
                let takes = self.policies.discarded_tab == DiscardedTab::TakesNewId;
                let next = if takes { other } else { tab };
                let got = self.service.tab_discarded(tab, other);
                assert!(got.is_err() || got == Ok(next));
                let expected = self.index.discard_tab(tab, takes.then_some(other));
                let got = got.map(|_| ());
                self.ended(format!("discard {tab:?}"), got, expected, DisconnectReason::TabDiscarded);
                self.add_frame(next, None);
            }
            2 => {
                let expected = self.index.empty_tab(tab);
                let got = self.service.tab_crashed(tab);
                self.ended(format!("crash {tab:?}"), got, expected, DisconnectReason::TabCrashed);
                self.add_frame(tab, None);
            }
            3 => {
                let window = WindowId::new(self.fresh());
                let got = self.service.tab_moved(tab, window);
                let expected = self.index.move_tab(tab, window);
                self.told(format!("move {tab:?}"), got, &expected);
            }
            _ => self.open_tab(tab),
        }
    }

    pub(super) fn reload(&mut self, draw: &mut Draw) {
        let which = draw.below(self.instances.len());
        let (id, instance) = self.instances[which].clone();
        let got = self.service.extension_unloaded(instance);
        let expected = self.index.unload(instance);
        let was_loaded = expected.is_ok();
        self.ended(format!("unload {which}"), got, expected, DisconnectReason::ExtensionUnloaded);
        if was_loaded {
            self.model.does(|world| world.unload(which));
            let external =
                [ExternalConnections::Nobody, ExternalConnections::Everyone][draw.below(2)].clone();
            let on_demand = self.draws_on_demand(draw);
            self.load(id, external, on_demand);
        } else if let Some(loaded) = self.index.extensions.iter().find(|known| known.id == id) {
            let again = self.service.extension_loaded(loaded.id.clone());
            assert_eq!(again.map(drop), Err(FactError::ExtensionExists));
        }
    }

    pub(super) fn draws_on_demand(&self, draw: &mut Draw) -> bool {
        draw.below(4) > if self.theme == DORMANT { 0 } else { 2 }
    }

    pub(super) fn load(&mut self, id: ExtensionId, external: ExternalConnections, on_demand: bool) {
        let mut description = ExtensionDescription::new(id.clone()).external(external.clone());
        if on_demand {
            description = description.background_on_demand();
        }
        let instance = self.service.extension_loaded(description).unwrap();
        assert!(self.instances.iter().all(|known| known.1 != instance), "every load is another");
        let load = self.instances.len();
        self.tell(format!("load {load} is {id:?}, admits {external:?}, on demand: {on_demand}"));
        self.on_demand.push(on_demand);
        self.model.does(|world| world.load(on_demand));
        self.instances.push((id.clone(), instance));
        self.index.load(id, instance, external);
    }

    pub(super) fn told(&self, what: String, got: Result<(), FactError>, expected: &Ended) {
        self.tell(format!("{what}: {got:?}"));
        assert_eq!(got, expected.as_ref().map(|_| ()).map_err(|error| *error));
    }

    /// A fact that ends contexts was reported.
    pub(super) fn ended(
        &mut self,
        what: String,
        got: Result<(), FactError>,
        expected: Ended,
        reason: DisconnectReason,
    ) {
        self.told(what, got, &expected);
        self.kill(&expected.unwrap_or_default(), reason);
    }

    pub(super) fn kill(&mut self, contexts: &[Context], reason: DisconnectReason) {
        if !contexts.is_empty() {
            self.tell(format!("  ends {contexts:?}"));
        }
        let loops = self.living_loops();
        self.model.does(|world| world.kill(contexts, reason, &loops));
    }
}
