//! What the worlds of one document share: its URL and its frame elements.

use crate::messages::{FrameElement, WorldDescription};
use port_core::{ContextId, DocumentId};
use std::collections::HashMap;
use url::Url;

/// The documents of a thread in which scripts run.
#[derive(Default)]
pub(super) struct Documents {
    by_id: HashMap<DocumentId, Document>,
}

/// A document.
pub(super) struct Document {
    /// `location.href`.
    pub(super) url: Url,
    /// The frame elements in it, in the order in which they came.
    pub(super) elements: Vec<FrameElement>,
    latest_element: u32,
    /// The element that holds its frame, in the document around it.
    container: Option<(DocumentId, u32)>,
    /// The worlds in it.
    worlds: Vec<ContextId>,
}

impl Documents {
    /// A world comes into a document, which is made if it is the first.
    pub(super) fn enter(&mut self, id: DocumentId, world: ContextId, description: &WorldDescription) {
        let document = self.by_id.entry(id).or_insert_with(|| Document {
            url: description.url.clone(),
            elements: description.elements.to_vec(),
            latest_element: description.elements.iter().map(|element| element.number).max().unwrap_or(0),
            container: description.container,
            worlds: Vec::new(),
        });
        document.worlds.push(world);
    }

    /// A world is no more; with its last world a document is forgotten.
    pub(super) fn leave(&mut self, world: ContextId) {
        self.by_id.retain(|_, document| {
            document.worlds.retain(|known| *known != world);
            !document.worlds.is_empty()
        });
    }

    /// A document.
    pub(super) fn get_mut(&mut self, id: DocumentId) -> Option<&mut Document> {
        self.by_id.get_mut(&id)
    }

    /// The worlds in the document that a frame element shows, and in the frames of that.
    pub(super) fn worlds_inside(&self, document: DocumentId, element: u32) -> Vec<ContextId> {
        let mut inside: Vec<_> = self.shown_by(|container| container == (document, element)).collect();
        let mut position = 0;
        while let Some(&outer) = inside.get(position) {
            inside.extend(self.shown_by(|(document, _)| document == outer));
            position += 1;
        }
        inside.iter().flat_map(|document| self.worlds(*document)).collect()
    }

    fn shown_by(&self, holds: impl Fn((DocumentId, u32)) -> bool) -> impl Iterator<Item = DocumentId> {
        let shown = self.by_id.iter().filter(move |(_, document)| document.container.is_some_and(&holds));
        shown.map(|(id, _)| *id)
    }

    /// The worlds in a document, in the order in which they came.
    pub(super) fn worlds(&self, id: DocumentId) -> Vec<ContextId> {
        self.by_id.get(&id).map(|document| document.worlds.clone()).unwrap_or_default()
    }
}

impl Document {
    /// A frame element comes into the document; gives its number.
    pub(super) fn add_element(&mut self, id: String, src: String, sandbox: Option<String>) -> u32 {
        self.latest_element += 1;
        self.elements.push(FrameElement { number: self.latest_element, id, src, sandbox });
        self.latest_element
    }

    /// A frame element leaves the document; whether it was in it.
    pub(super) fn remove_element(&mut self, number: u32) -> bool {
        let before = self.elements.len();
        self.elements.retain(|element| element.number != number);
        self.elements.len() < before
    }
}
