//! What the browser has, on the GTK thread.

use crate::api::Caller;
use crate::arguments::Arguments;
use crate::closing::Closings;
use crate::early::EarlyCall;
use crate::execution::Executions;
use crate::extensions::LoadedExtension;
use crate::facts::{Facts, Surface};
use crate::flushing::Flushing;
use crate::gateway::{GatewayThread, PageKey};
use crate::pages::OpenPage;
use crate::person;
use crate::views::{View, ViewKey};
use crate::window::Window;
use glib::{MainContext, Priority};
use port_core::{MessageService, TabId, WindowId};
use port_core_webext::{Profile, TabDirectory};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::rc::Rc;
use webkit6::{
    NetworkProxyMode, NetworkProxySettings, NetworkSession, Settings, TLSErrorsPolicy, UserContentManager,
    WebContext,
};

/// There is one window.
pub(crate) const WINDOW: WindowId = WindowId::new(1);

/// All that the browser has. Its parts are changed by the files named after them.
pub(crate) struct Browser {
    pub(crate) profile: Profile,
    pub(crate) log: bool,
    /// Whether nobody is there but who writes to the standard input.
    pub(crate) driven: bool,
    pub(crate) service: MessageService,
    pub(crate) gateway: GatewayThread,
    pub(crate) facts: RefCell<Facts>,
    pub(crate) extensions: RefCell<Vec<LoadedExtension>>,
    pub(crate) pages: RefCell<BTreeMap<PageKey, OpenPage>>,
    pub(crate) views: RefCell<BTreeMap<ViewKey, View>>,
    pub(crate) tabs: TabDirectory,
    pub(crate) executions: RefCell<Executions>,
    pub(crate) closings: RefCell<Closings>,
    pub(crate) flushing: RefCell<Flushing>,
    pub(crate) early_calls: RefCell<Vec<(TabId, EarlyCall)>>,
    /// Who is answered once a page is loaded.
    pub(crate) waiting_for_pages: RefCell<Vec<(Surface, Caller)>>,
    pub(crate) latest: Cell<u64>,
    pub(crate) latest_tab: Cell<u64>,
    pub(crate) context: WebContext,
    pub(crate) session: NetworkSession,
    pub(crate) scripts: UserContentManager,
    pub(crate) settings: Settings,
    /// Those of backgrounds, whose pages nobody ever sees.
    pub(crate) hidden_settings: Settings,
    pub(crate) window: OnceCell<Window>,
    pub(crate) application: gtk4::Application,
}

thread_local! {
    /// The browser, for what other threads send here.
    static BROWSER: OnceCell<Rc<Browser>> = const { OnceCell::new() };
}

/// Calls back on the GTK thread, from any thread.
pub(crate) fn on_gtk_thread(call: impl FnOnce(&Rc<Browser>) + Send + 'static) {
    // Not as an idle task, which painting puts off for long.
    on_gtk_thread_with(Priority::DEFAULT, call);
}

fn on_gtk_thread_with(priority: Priority, call: impl FnOnce(&Rc<Browser>) + Send + 'static) {
    MainContext::default().invoke_with_priority(priority, move || {
        BROWSER.with(|browser| {
            if let Some(browser) = browser.get() {
                call(browser);
            }
        });
    });
}

impl Browser {
    /// Opens the window with what the command line asks for.
    pub(crate) fn start(application: &gtk4::Application, arguments: Arguments) -> Result<(), Box<dyn Error>> {
        let profile = arguments.profile;
        let service = MessageService::builder().policies(profile.policies()).limits(profile.limits()).build();
        let context = WebContext::new();
        // Before the first view: a process that is started without it never gets the library.
        let library = std::env::current_exe()?;
        let library = library.parent().unwrap_or(Path::new(".")).join("web-process");
        if !library.join("libport_core_webkit_inside.so").exists() {
            return Err(format!(
                "{} lacks the library for web processes: run core/webkit/install",
                library.display()
            )
            .into());
        }
        context.set_web_process_extensions_directory(&library.to_string_lossy());
        let [settings, hidden_settings] = [Settings::new(), Settings::new()];
        for settings in [&settings, &hidden_settings] {
            settings.set_enable_developer_extras(true);
            if profile == Profile::Firefox {
                settings.set_user_agent(Some(profile.user_agent()));
            }
        }
        keep_timers_of_hidden_pages(&hidden_settings);
        let session = NetworkSession::new_ephemeral();
        if let Some(proxy) = &arguments.proxy {
            let settings = NetworkProxySettings::new(Some(proxy), &[]);
            session.set_proxy_settings(NetworkProxyMode::Custom, Some(&settings));
            // It speaks for hosts whose keys it has not.
            session.set_tls_errors_policy(TLSErrorsPolicy::Ignore);
        }
        let gateway = GatewayThread::start(service.clone(), |page, said| {
            // Before WebKit's own: what pages say of documents is not to be later than what others hear of them.
            on_gtk_thread_with(Priority::HIGH, move |browser| browser.hear_page(page, said));
        })?;
        let browser = Rc::new(Self {
            profile,
            log: arguments.log,
            facts: RefCell::new(Facts::new(service.clone(), profile)),
            service,
            gateway,
            extensions: RefCell::default(),
            pages: RefCell::default(),
            views: RefCell::default(),
            tabs: TabDirectory::default(),
            executions: RefCell::default(),
            closings: RefCell::default(),
            flushing: RefCell::default(),
            early_calls: RefCell::default(),
            waiting_for_pages: RefCell::default(),
            latest: Cell::new(0),
            latest_tab: Cell::new(0),
            context,
            session,
            driven: arguments.driven,
            scripts: UserContentManager::new(),
            settings,
            hidden_settings,
            window: OnceCell::new(),
            application: application.clone(),
        });
        BROWSER.with(|kept| kept.set(Rc::clone(&browser)).is_ok());
        browser.register_scheme();
        if browser.log {
            browser.count_on_signal();
        }
        let window = Window::new(&browser, arguments.inspect);
        let _ = browser.window.set(window);
        for folder in arguments.folders {
            browser.load_extension(folder);
        }
        browser.send_extensions();
        let instances: Vec<_> = browser.extensions.borrow().iter().map(|loaded| loaded.instance).collect();
        for instance in instances {
            browser.start_background(instance);
            browser.open_sidebar(instance);
        }
        if arguments.pages.is_empty() {
            browser.open_tab("about:blank", true);
        }
        for page in &arguments.pages {
            browser.open_tab(page, true);
        }
        if arguments.driven {
            person::listen();
        }
        Ok(())
    }

    /// A number that was never given before, for views, pages and executions.
    pub(crate) fn new_number(&self) -> u64 {
        self.latest.set(self.latest.get() + 1);
        self.latest.get()
    }

    /// Returns the window.
    pub(crate) fn window(&self) -> &Window {
        self.window.get().expect("made before anything is shown")
    }

    /// Writes a line, where it is wanted.
    pub(crate) fn log(&self, line: std::fmt::Arguments<'_>) {
        if self.log {
            println!("{line}");
        }
    }
}

/// WebKit has the timers of a page that is not shown run once a second. A background is never shown, and browsers let
/// its timers run.
fn keep_timers_of_hidden_pages(settings: &Settings) {
    let Some(features) = Settings::all_features() else { return };
    for feature in (0..features.length()).filter_map(|at| features.get(at)) {
        if feature.identifier().is_some_and(|name| name.starts_with("HiddenPageDOMTimerThrottling")) {
            settings.set_feature_enabled(&feature, false);
        }
    }
}
