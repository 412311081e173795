//! The window: tabs, the toolbar, and the pane beside them.

use crate::browser::Browser;
use crate::facts::Surface;
use crate::inspector::Inspector;
use crate::tab_page::TabPage;
use gtk4::prelude::*;
use gtk4::{
    Align, Box as Row, Button, Entry, HeaderBar, Notebook, Orientation, Paned, Popover, ScrolledWindow,
    Stack, StackSwitcher, TextView, ToggleButton,
};
use port_core::{ExtensionInstance, TabId};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use url::Url;
use webkit6::WebView;
use webkit6::prelude::*;

/// The parts of the window that change.
pub(crate) struct Window {
    window: gtk4::ApplicationWindow,
    notebook: Notebook,
    address: Entry,
    back: Button,
    forward: Button,
    buttons: Row,
    by_instance: RefCell<BTreeMap<ExtensionInstance, Button>>,
    tabs: RefCell<BTreeMap<TabId, TabPage>>,
    popup: RefCell<Option<Popover>>,
    /// What is beside the tabs, and the button that shows it.
    stack: Stack,
    pane_button: ToggleButton,
    panels: RefCell<BTreeMap<ExtensionInstance, WebView>>,
    lines: TextView,
    failed: RefCell<Vec<String>>,
    is_shown_later: Cell<bool>,
    _inspector: Inspector,
}

fn button(icon: &str, help: &str, parent: &impl IsA<gtk4::Box>) -> Button {
    let button = Button::from_icon_name(icon);
    button.set_tooltip_text(Some(help));
    parent.as_ref().append(&button);
    button
}

/// A text for people to look at, and the place that scrolls it.
pub(crate) fn text_pane() -> (TextView, ScrolledWindow) {
    let text = TextView::builder()
        .editable(false)
        .monospace(true)
        .cursor_visible(false)
        .wrap_mode(gtk4::WrapMode::WordChar)
        .left_margin(6)
        .build();
    let scrolled = ScrolledWindow::builder().child(&text).vexpand(true).hexpand(true).build();
    (text, scrolled)
}

impl Window {
    /// Makes the window and shows it.
    pub(crate) fn new(browser: &Rc<Browser>, is_open: bool) -> Self {
        let me = Rc::downgrade(browser);
        let bar = HeaderBar::new();
        let left = Row::new(Orientation::Horizontal, 2);
        let back = button("go-previous-symbolic", "Back", &left);
        let forward = button("go-next-symbolic", "Forward", &left);
        let reload = button("view-refresh-symbolic", "Reload", &left);
        let new = button("tab-new-symbolic", "New tab", &left);
        bar.pack_start(&left);
        let address = Entry::builder().hexpand(true).width_chars(48).placeholder_text("Address").build();
        bar.set_title_widget(Some(&address));
        let buttons = Row::new(Orientation::Horizontal, 2);
        let pane_button =
            ToggleButton::builder().icon_name("view-list-symbolic").tooltip_text("Extensions").build();
        bar.pack_end(&pane_button);
        bar.pack_end(&buttons);

        let notebook = Notebook::builder().scrollable(true).hexpand(true).vexpand(true).build();
        let (lines, extensions_pane) = text_pane();
        let inspector = Inspector::new(browser);
        let stack = Stack::new();
        stack.add_titled(&inspector.widget(), Some("inspector"), "Messaging");
        stack.add_titled(&extensions_pane, Some("extensions"), "Extensions");
        let side = Row::new(Orientation::Vertical, 2);
        side.append(&StackSwitcher::builder().stack(&stack).halign(Align::Center).build());
        side.append(&stack);
        let panes = Paned::builder().start_child(&notebook).end_child(&side).position(620).build();
        side.set_visible(is_open);
        pane_button.set_active(is_open);
        pane_button.connect_toggled(move |button| side.set_visible(button.is_active()));

        let window = gtk4::ApplicationWindow::builder()
            .application(&browser.application)
            .title("Port core")
            .default_width(1100)
            .default_height(700)
            .titlebar(&bar)
            .child(&panes)
            .build();
        let on_active = |me: &Weak<Browser>, call: fn(&WebView)| {
            let me = me.clone();
            move |_: &Button| {
                let view = me.upgrade().and_then(|browser| browser.view_of(browser.active_tab()?));
                view.iter().for_each(call);
            }
        };
        back.connect_clicked(on_active(&me, |view| view.go_back()));
        forward.connect_clicked(on_active(&me, |view| view.go_forward()));
        reload.connect_clicked(on_active(&me, |view| view.reload()));
        let here = me.clone();
        new.connect_clicked(move |_| {
            if let Some(browser) = here.upgrade() {
                browser.open_tab("about:blank", true);
            }
        });
        let here = me.clone();
        address.connect_activate(move |address| {
            let text = address.text();
            if here.upgrade().is_some_and(|browser| browser.type_into_address_bar(&text)) {
                return;
            }
            let url = if text.contains(':') { text.to_string() } else { format!("https://{text}") };
            let view = here.upgrade().and_then(|browser| browser.view_of(browser.active_tab()?));
            view.iter().for_each(|view| view.load_uri(&url));
        });
        notebook.connect_switch_page(move |_, child, _| {
            let Some(browser) = me.upgrade() else { return };
            let child = child.downcast_ref::<Row>();
            let tab = child.and_then(|child| browser.window.get()?.tab_of(child));
            tab.into_iter().for_each(|tab| browser.tab_shown(tab));
        });
        window.present();
        Self {
            window,
            notebook,
            address,
            back,
            forward,
            buttons,
            by_instance: RefCell::default(),
            tabs: RefCell::default(),
            popup: RefCell::default(),
            stack,
            pane_button,
            panels: RefCell::default(),
            lines,
            failed: RefCell::default(),
            is_shown_later: Cell::new(false),
            _inspector: inspector,
        }
    }

    // Tabs.

    pub(crate) fn add_tab(&self, browser: &Rc<Browser>, tab: TabId, view: &WebView) {
        let page = TabPage::new(view);
        let row = Row::new(Orientation::Horizontal, 4);
        row.append(&page.label);
        let close = button("window-close-symbolic", "Close", &row);
        close.set_has_frame(false);
        let me = Rc::downgrade(browser);
        close.connect_clicked(move |_| {
            if let Some(browser) = me.upgrade() {
                browser.close_tab(tab);
            }
        });
        self.notebook.append_page(&page.column, Some(&row));
        self.tabs.borrow_mut().insert(tab, page);
    }

    pub(crate) fn remove_tab(&self, tab: TabId) {
        let known = self.tabs.borrow_mut().remove(&tab);
        if let Some(page) = known {
            self.notebook.remove_page(self.notebook.page_num(&page.column));
            page.let_go();
        }
    }

    pub(crate) fn show_tab(&self, tab: TabId) {
        let column = self.tabs.borrow().get(&tab).map(|page| page.column.clone());
        if let Some(column) = column {
            self.notebook.set_current_page(self.notebook.page_num(&column));
        }
    }

    fn tab_of(&self, column: &Row) -> Option<TabId> {
        self.tabs.borrow().iter().find(|(_, known)| known.column == *column).map(|(tab, _)| *tab)
    }

    /// Says above a tab's page how its process ended, with a button to load it anew; `None` takes that back.
    pub(crate) fn say_ended(&self, browser: &Rc<Browser>, tab: TabId, words: Option<&'static str>) {
        let tabs = self.tabs.borrow();
        let Some(page) = tabs.get(&tab) else { return };
        page.say(words);
        if let (Some(words), true) = (words, browser.log) {
            browser.log(format_args!("tab {tab} says: {words}"));
            say_where_it_is(browser, &page.reload);
        }
    }

    /// Shows titles, the address and buttons as they are now.
    pub(crate) fn refresh(&self, browser: &Browser) {
        for TabPage { view, label, .. } in self.tabs.borrow().values() {
            let title = view.title().filter(|title| !title.is_empty());
            label.set_text(title.or_else(|| view.uri()).as_deref().unwrap_or("New tab"));
        }
        let active = browser.active_tab();
        let view = active.and_then(|tab| browser.view_of(tab));
        if let Some(view) = &view {
            if !self.address.has_focus() {
                self.address.set_text(view.uri().as_deref().unwrap_or(""));
            }
            self.back.set_sensitive(view.can_go_back());
            self.forward.set_sensitive(view.can_go_forward());
        }
        for (instance, button) in &*self.by_instance.borrow() {
            let shown = browser.with_extension(*instance, |loaded| {
                let property = |name| loaded.button_property(name, active);
                (property("Title"), property("BadgeText"), property("Enabled"))
            });
            let Some((title, badge, enabled)) = shown else { continue };
            let name = title.as_str().filter(|title| !title.is_empty()).unwrap_or("Extension");
            let badge = badge.as_str().filter(|badge| !badge.is_empty());
            button.set_label(&badge.map_or_else(|| name.to_owned(), |badge| format!("{name} · {badge}")));
            button.set_sensitive(enabled != false);
        }
    }

    // Extensions.

    /// Makes the buttons of the extensions that have one.
    pub(crate) fn show_extensions(&self, browser: &Rc<Browser>) {
        while let Some(child) = self.buttons.first_child() {
            self.buttons.remove(&child);
        }
        let mut by_instance = BTreeMap::new();
        for loaded in &*browser.extensions.borrow() {
            if !loaded.extension.manifest().has_toolbar_button() {
                continue;
            }
            let button = Button::with_label(&loaded.extension.manifest().name);
            let (me, instance) = (Rc::downgrade(browser), loaded.instance);
            button.connect_clicked(move |_| {
                if let Some(browser) = me.upgrade() {
                    browser.click(instance);
                }
            });
            self.buttons.append(&button);
            by_instance.insert(instance, button);
        }
        *self.by_instance.borrow_mut() = by_instance;
        self.refresh(browser);
        self.lines_changed(browser);
        if browser.log {
            self.say_where_buttons_are(browser);
        }
    }

    /// For whoever clicks them by their places on the screen.
    fn say_where_buttons_are(&self, browser: &Rc<Browser>) {
        let me = Rc::downgrade(browser);
        glib::timeout_add_local(std::time::Duration::from_millis(100), move || {
            let Some(browser) = me.upgrade() else { return glib::ControlFlow::Break };
            let Some(window) = browser.window.get() else { return glib::ControlFlow::Continue };
            let places: Vec<_> = window
                .by_instance
                .borrow()
                .values()
                .filter_map(|button| Some((button.label()?, button.compute_bounds(&window.window)?)))
                .collect();
            // Where it was not laid out yet it is at the corner.
            if places.iter().any(|(_, place)| place.center().x() < 1.0) {
                return glib::ControlFlow::Continue;
            }
            for (label, place) in places {
                let middle = place.center();
                browser.log(format_args!("button {label} at {} {}", middle.x(), middle.y()));
            }
            glib::ControlFlow::Break
        });
    }

    /// Says that an extension could not be loaded.
    pub(crate) fn show_failed(&self, text: &str) {
        self.failed.borrow_mut().push(text.to_owned());
    }

    /// Shows the extensions with their latest lines, once for many that change.
    pub(crate) fn lines_changed(&self, browser: &Rc<Browser>) {
        if self.is_shown_later.replace(true) {
            return;
        }
        let me = Rc::downgrade(browser);
        glib::timeout_add_local_once(std::time::Duration::from_millis(200), move || {
            let Some(browser) = me.upgrade() else { return };
            let window = browser.window();
            window.is_shown_later.set(false);
            let mut text: String =
                window.failed.borrow().iter().map(|failed| format!("not loaded: {failed}\n\n")).collect();
            for loaded in &*browser.extensions.borrow() {
                let manifest = loaded.extension.manifest();
                text.push_str(&format!("{}\n{}\n", manifest.name, loaded.extension.id()));
                loaded.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
                text.push('\n');
            }
            window.lines.buffer().set_text(&text);
        });
    }

    // Side panels.

    /// Shows the side panel of an extension beside the tabs.
    pub(crate) fn show_side_panel(&self, instance: ExtensionInstance, name: &str, view: &WebView) {
        self.stack.add_titled(view, None, name);
        self.stack.set_visible_child(view);
        self.pane_button.set_active(true);
        self.panels.borrow_mut().insert(instance, view.clone());
    }

    /// Takes the side panel of an extension away.
    pub(crate) fn remove_side_panel(&self, instance: ExtensionInstance) {
        let view = self.panels.borrow_mut().remove(&instance);
        view.iter().for_each(|view| self.stack.remove(view));
    }

    /// Its width and height.
    pub(crate) fn size(&self) -> (i32, i32) {
        (self.window.width(), self.window.height())
    }

    // Popups.

    /// Shows the popup of an extension's button.
    pub(crate) fn show_popup(&self, browser: &Rc<Browser>, instance: ExtensionInstance, url: &Url) {
        self.close_popup();
        let Some(button) = self.by_instance.borrow().get(&instance).cloned() else { return };
        let view = browser.open_view(Surface::Popup(instance));
        view.set_size_request(320, 240);
        // Played by a script, it closes when the script says so, not when another window takes the focus.
        let popover = Popover::builder().child(&view).autohide(!browser.driven).build();
        popover.set_parent(&button);
        let me = Rc::downgrade(browser);
        popover.connect_closed(move |popover| {
            if let Some(browser) = me.upgrade() {
                browser.close_views(|surface| *surface == Surface::Popup(instance));
                browser.page_loaded(Surface::Popup(instance), &Err("the popup was closed".to_owned()));
                // Not while the popover itself says so.
                let popover = popover.clone();
                glib::idle_add_local_once(move || {
                    popover.set_child(None::<&gtk4::Widget>);
                    popover.unparent();
                });
            }
        });
        view.load_uri(url.as_str());
        popover.popup();
        *self.popup.borrow_mut() = Some(popover);
    }

    /// Closes the popup that is open.
    pub(crate) fn close_popup(&self) {
        let open = self.popup.borrow_mut().take();
        open.iter().for_each(PopoverExt::popdown);
    }
}

/// Writes where a button is on the screen once it is laid out, for whoever clicks it by its place.
fn say_where_it_is(browser: &Rc<Browser>, button: &Button) {
    let (me, button) = (Rc::downgrade(browser), button.downgrade());
    glib::timeout_add_local(std::time::Duration::from_millis(100), move || {
        let (Some(browser), Some(button)) = (me.upgrade(), button.upgrade()) else {
            return glib::ControlFlow::Break;
        };
        let place = browser.window.get().and_then(|window| button.compute_bounds(&window.window));
        match place.filter(|place| button.is_mapped() && place.width() > 1.0) {
            Some(place) => {
                let (label, middle) = (button.label().unwrap_or_default(), place.center());
                browser.log(format_args!("button {label} at {} {}", middle.x(), middle.y()));
                glib::ControlFlow::Break
            }
            None => glib::ControlFlow::Continue,
        }
    });
}
