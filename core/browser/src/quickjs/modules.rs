//! The ECMAScript modules of extensions.

use super::RealmId;
use port_core_webext::extension::Extension;
use port_core_webext::extension::manifest::ScriptKind;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use url::Url;

/// Finds the modules that scripts import.
#[derive(Clone, Default)]
pub(super) struct Modules {
    /// The extension of each realm.
    extensions: Rc<RefCell<BTreeMap<RealmId, Arc<Extension>>>>,
}

impl Modules {
    /// Makes the files of an extension known to one of its realms.
    pub(super) fn add(&self, realm: RealmId, extension: &Arc<Extension>) {
        self.extensions.borrow_mut().insert(realm, Arc::clone(extension));
    }

    /// Forgets a realm.
    pub(super) fn remove(&self, realm: RealmId) {
        self.extensions.borrow_mut().remove(&realm);
    }

    /// The source of a module, which must be the extension's own: other extensions have scripts on the
    /// same thread.
    fn source(&self, realm: RealmId, name: &str) -> std::result::Result<Vec<u8>, String> {
        let url = Url::parse(name).map_err(|error| error.to_string())?;
        let extensions = self.extensions.borrow();
        let own = extensions.get(&realm).filter(|extension| extension.owns(&url));
        let own = own.ok_or("not a file of the extension")?;
        own.script(&url, ScriptKind::Module).map(|script| script.text.as_bytes().into())
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
        let source = self
            .source(RealmId::of(context), name)
            .map_err(|message| Error::new_loading_message(name, message))?;
        Module::declare(context.clone(), name, source)
    }
}
