//! ECMAScript modules: the bindings, which are built into this program, and the
//! modules of extensions.

use crate::extension::Extension;
use crate::extension::manifest::ScriptKind;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use url::Url;

/// Where the bindings seem to come from.
const BINDINGS: &str = "browser://bindings/";

/// The module that installs the bindings.
pub(super) const MAIN: &str = "browser://bindings/main.js";

/// Its source.
pub(super) const MAIN_SOURCE: &str = include_str!("../../../webext/script/polyfills/install.js");

/// The modules it imports, by file name.
const FILES: [(&str, &str); 23] = [
    ("api.js", include_str!("../../../webext/script/api/api.js")),
    ("arguments.js", include_str!("../../../webext/script/api/arguments.js")),
    ("calls.js", include_str!("../../../webext/script/api/calls.js")),
    ("channel.js", include_str!("../../../webext/script/api/channel.js")),
    ("clone.js", include_str!("../../../webext/script/api/clone.js")),
    ("console.js", include_str!("../../../webext/script/polyfills/console.js")),
    ("devtools.js", include_str!("../../../webext/script/api/devtools.js")),
    ("document.js", include_str!("../../../webext/script/polyfills/document.js")),
    ("event.js", include_str!("../../../webext/script/api/event.js")),
    ("event_target.js", include_str!("../../../webext/script/polyfills/event_target.js")),
    ("last_error.js", include_str!("../../../webext/script/api/last_error.js")),
    ("navigation.js", include_str!("../../../webext/script/polyfills/navigation.js")),
    ("one_off.js", include_str!("../../../webext/script/api/one_off.js")),
    ("page.js", include_str!("../../../webext/script/polyfills/page.js")),
    ("platform.js", include_str!("../../../webext/script/polyfills/platform.js")),
    ("port.js", include_str!("../../../webext/script/api/port.js")),
    ("profile.js", include_str!("../../../webext/script/api/profile.js")),
    ("replay.js", include_str!("../trace/replay.js")),
    ("surface.js", include_str!("../../../webext/script/api/surface.js")),
    ("text.js", include_str!("../../../webext/script/polyfills/text.js")),
    ("timers.js", include_str!("../../../webext/script/polyfills/timers.js")),
    ("uncaught.js", include_str!("../../../webext/script/polyfills/uncaught.js")),
    ("url.js", include_str!("../../../webext/script/polyfills/url.js")),
];

/// Finds modules by URL.
#[derive(Clone, Default)]
pub(crate) struct Modules {
    /// The extensions with worlds on this thread, by the URL of their folder.
    extensions: Rc<RefCell<BTreeMap<Url, Arc<Extension>>>>,
}

impl Modules {
    /// Makes the files of an extension known.
    pub(super) fn add(&self, extension: &Arc<Extension>) {
        self.extensions.borrow_mut().insert(extension.base().clone(), Arc::clone(extension));
    }

    fn source(&self, name: &str) -> std::result::Result<Vec<u8>, String> {
        if let Some(file) = name.strip_prefix(BINDINGS) {
            let found = FILES.iter().find(|(name, _)| *name == file);
            return found.map(|(_, text)| (*text).into()).ok_or_else(|| "no such binding".to_owned());
        }
        let url = Url::parse(name).map_err(|error| error.to_string())?;
        let extensions = self.extensions.borrow();
        let owner = extensions
            .values()
            .find(|extension| extension.owns(&url))
            .ok_or("not a file of the extension")?;
        owner.script(&url, ScriptKind::Module).map(|script| script.text.as_bytes().into())
    }
}

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let is_relative = name.starts_with('/') || name.starts_with("./") || name.starts_with("../");
        match Url::parse(name) {
            Ok(absolute) => Ok(absolute.into()),
            Err(_) if !is_relative => {
                Err(Error::new_resolving_message(base, name, "a bare name; relative ones start with './'"))
            }
            Err(_) => Url::parse(base)
                .and_then(|base| base.join(name))
                .map(String::from)
                .map_err(|error| Error::new_resolving_message(base, name, error.to_string())),
        }
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        context: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let source = self.source(name).map_err(|message| Error::new_loading_message(name, message))?;
        Module::declare(context.clone(), name, source)
    }
}
