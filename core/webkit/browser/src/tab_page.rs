//! What the window has of a tab: its view, its label, and words above the view where the page's process has ended.

use gtk4::prelude::*;
use gtk4::{Box as Row, Button, Label, Orientation};
use webkit6::prelude::*;
use webkit6::{WebProcessTerminationReason, WebView};

/// A tab in the window.
pub(crate) struct TabPage {
    /// What the notebook has: the words and the view.
    pub(crate) column: Row,
    pub(crate) view: WebView,
    pub(crate) label: Label,
    bar: Row,
    words: Label,
    pub(crate) reload: Button,
}

/// Says how a page's process ended.
pub(crate) fn words_for(reason: WebProcessTerminationReason) -> &'static str {
    match reason {
        WebProcessTerminationReason::Crashed => "The page’s process has crashed, or was killed.",
        WebProcessTerminationReason::ExceededMemoryLimit => "The page’s process took too much memory.",
        WebProcessTerminationReason::TerminatedByApi => "The browser has ended the page’s process.",
        _ => "The page’s process has ended.",
    }
}

impl TabPage {
    /// Makes a tab's part of the window.
    pub(crate) fn new(view: &WebView) -> Self {
        let label = Label::builder()
            .label("New tab")
            .width_chars(16)
            .max_width_chars(16)
            .ellipsize(gtk4::pango::EllipsizeMode::End)
            .build();
        let words = Label::builder().wrap(true).build();
        let reload = Button::with_label("Reload page");
        let shown = view.clone();
        reload.connect_clicked(move |_| shown.reload());
        let bar = Row::new(Orientation::Horizontal, 8);
        bar.set_margin_top(6);
        bar.set_margin_bottom(6);
        bar.set_margin_start(8);
        bar.append(&words);
        bar.append(&reload);
        bar.set_visible(false);
        let column = Row::new(Orientation::Vertical, 0);
        column.append(&bar);
        view.set_vexpand(true);
        column.append(view);
        Self { column, view: view.clone(), label, bar, words, reload }
    }

    /// Shows words above the view, with the button; hides them for `None`.
    pub(crate) fn say(&self, words: Option<&str>) {
        self.words.set_text(words.unwrap_or_default());
        self.bar.set_visible(words.is_some());
    }

    /// Takes the view out, so that nothing here keeps it.
    pub(crate) fn let_go(&self) {
        self.column.remove(&self.view);
    }
}
