//! The extensions that a web process knows: their manifests, content scripts and script worlds.

use crate::control::Package;
use crate::webkit::ScriptWorld;
use port_core_webext::Profile;
use port_core_webext::extension::manifest::ScriptWorld as Whose;
use port_core_webext::extension::{Extension, MatchedFrame, MemoryFiles, Scripts};
use std::rc::Rc;
use std::sync::Arc;
use url::Url;

/// An extension that is loaded.
pub(crate) struct Loaded {
    pub(crate) extension: Extension,
    /// Which load of it this is.
    pub(crate) instance: u64,
    pub(crate) world: ScriptWorld,
}

/// A document as content scripts are matched against it.
pub(crate) struct Matched {
    pub(crate) url: Url,
    pub(crate) maker: Option<Url>,
    pub(crate) is_top: bool,
    pub(crate) is_sandboxed: bool,
}

impl Loaded {
    /// Makes an extension of what the browser sent of it. `None` for what the browser itself could not have loaded.
    pub(crate) fn new(
        package: Package,
        profile: Profile,
        world: impl FnOnce(&str) -> ScriptWorld,
    ) -> Option<Rc<Self>> {
        let files = MemoryFiles::new(&package.identity, package.files);
        let extension = Extension::load(Arc::new(files), profile).ok()?;
        extension.set_registered(&package.registered);
        let world = world(extension.id().as_str());
        Some(Rc::new(Self { extension, instance: package.instance, world }))
    }

    /// Returns the content scripts for a document, in the extension's own world or in the page's.
    pub(crate) fn scripts_for(&self, matched: &Matched, whose: Whose, profile: Profile) -> Option<Scripts> {
        let frame = MatchedFrame {
            url: &matched.url,
            maker: matched.maker.as_ref(),
            is_top: matched.is_top,
            is_sandboxed: matched.is_sandboxed,
            profile,
        };
        self.extension.content_scripts_for(frame, whose)
    }
}
