//! Web processes that lie, and races in which they do not.

use super::{Effect, Facts, Known, Lie, Surface};
use port_core::{ExtensionDescription, ExtensionId, FrameId, MessageService, TabId, WindowId};
use port_core_webext::Profile;
use port_core_webext::extension::{Extension, MemoryFiles};
use port_core_webkit_inside::control::FromPage;
use std::sync::Arc;
use url::Url;

const TAB: TabId = TabId::new(1);
const PAGE: u64 = 10;

const MANIFEST: &str = r#"{ "manifest_version": 3, "name": "n", "version": "1",
    "content_scripts": [{ "matches": ["http://site.example/*"], "js": ["c.js"], "all_frames": true }] }"#;

struct Fixture {
    facts: Facts,
    service: MessageService,
    id: String,
    base: String,
}

fn fixture() -> Fixture {
    let service = MessageService::default();
    let files = MemoryFiles::new("n", [("manifest.json", MANIFEST), ("c.js", "")]);
    let extension = Arc::new(Extension::load(Arc::new(files), Profile::Chromium).unwrap());
    let (id, base) = (extension.id().to_string(), extension.base().to_string());
    let instance =
        service.extension_loaded(ExtensionDescription::new(ExtensionId::new(id.as_str()))).unwrap();
    let mut facts = Facts::new(service.clone(), Profile::Chromium);
    facts.extensions = vec![Known { extension, instance }];
    service.tab_opened(TAB, WindowId::new(1)).unwrap();
    facts.tab_opened(TAB);
    facts.page_added(PAGE, Surface::Tab(TAB));
    Fixture { facts, service, id, base }
}

fn document(frame: u32, parent: Option<u32>, document: u32, url: &str) -> FromPage {
    FromPage::Document { frame, parent, document, url: url.to_owned(), maker: None, is_sandboxed: false }
}

impl Fixture {
    fn world(&self, context: u32, document: u32, is_page: bool) -> FromPage {
        FromPage::World { context, document, extension: self.id.clone(), is_page }
    }

    fn hear(&mut self, told: &FromPage) -> Result<Vec<Effect>, Lie> {
        self.facts.hear(PAGE, told)
    }

    fn frames(&self) -> Vec<FrameId> {
        self.service.snapshot().tabs[0].frames.iter().map(|frame| frame.frame).collect()
    }
}

#[test]
fn a_content_script_is_granted_where_the_manifest_has_one_and_nowhere_else() {
    let mut it = fixture();
    it.hear(&document(0, None, 1, "http://site.example/")).unwrap();
    it.hear(&document(1, Some(0), 2, "http://other.example/")).unwrap();
    let granted = it.hear(&it.world(1, 1, false)).unwrap();
    assert!(matches!(granted[..], [Effect::Grant(_, 1)]));
    assert!(it.hear(&it.world(2, 2, false)).is_err(), "the manifest has none there");
    assert!(it.hear(&it.world(3, 1, false)).is_err(), "it has one there already");
}

#[test]
fn a_page_of_the_web_is_none_of_an_extensions() {
    let mut it = fixture();
    it.hear(&document(0, None, 1, "http://site.example/")).unwrap();
    assert!(it.hear(&it.world(1, 1, true)).is_err());
    // A frame that it says shows a page of the extension, which WebKit would not have let it have.
    let framed = document(1, Some(0), 2, &format!("{}popup.html", it.base));
    it.hear(&framed).unwrap();
    assert!(it.hear(&it.world(2, 2, true)).is_err());
    // The top frame would have to be what its view shows.
    let view = Url::parse("http://site.example/").unwrap();
    assert!(!Facts::fits(&document(0, None, 3, &it.base), Some(&view)));
    assert!(!Facts::fits(&document(0, None, 3, "http://bank.example/"), Some(&view)));
    assert!(Facts::fits(&document(0, None, 3, "http://site.example/next"), Some(&view)));
}

#[test]
fn numbers_that_cannot_be_are_lies() {
    let mut it = fixture();
    it.hear(&document(0, None, 5, "http://site.example/")).unwrap();
    for lie in [
        document(0, None, 5, "http://site.example/"),
        document(0, None, 4, "http://site.example/"),
        document(1, Some(7), 6, "http://site.example/"),
        document(0, Some(0), 7, "http://site.example/"),
        document(1, None, 8, "http://site.example/"),
        document(1, Some(0), 9, "no URL"),
    ] {
        assert!(it.hear(&lie).is_err(), "{lie:?}");
    }
    // What names something that is gone is a race.
    for race in [
        it.world(1, 99, false),
        FromPage::Hidden { document: 99, is_kept: true },
        FromPage::Shown { document: 99 },
        FromPage::Removed { frame: 99 },
        FromPage::Collected { context: 99 },
    ] {
        let effects = it.hear(&race).unwrap();
        assert!(effects.iter().all(|effect| matches!(effect, Effect::Refuse(1))), "{race:?}");
    }
    assert_eq!(it.frames(), [FrameId::TOP]);
}

#[test]
fn frames_and_documents_of_a_page_are_bounded() {
    let mut it = fixture();
    it.hear(&document(0, None, 1, "http://site.example/")).unwrap();
    let refused = (1..20_000)
        .find(|frame| it.hear(&document(*frame, Some(0), frame + 1, "http://site.example/")).is_err());
    assert_eq!(refused, Some(u32::try_from(super::MOST).unwrap()));
}

#[test]
fn a_page_that_another_took_the_place_of_changes_nothing_any_more() {
    let mut it = fixture();
    it.hear(&document(0, None, 1, "http://site.example/")).unwrap();
    it.facts.page_added(11, Surface::Tab(TAB));
    it.facts.hear(11, &document(0, None, 1, "http://other.example/")).unwrap();
    it.hear(&document(1, Some(0), 2, "http://site.example/")).unwrap();
    it.hear(&FromPage::Removed { frame: 0 }).unwrap();
    assert_eq!(it.frames(), [FrameId::TOP]);
    assert_eq!(it.facts.frames_of(TAB)[0].url.as_str(), "http://other.example/");
}

#[test]
fn a_page_comes_back_from_the_cache_whichever_process_was_faster() {
    for is_late in [false, true] {
        let mut it = fixture();
        it.hear(&document(0, None, 1, "http://site.example/")).unwrap();
        it.hear(&document(1, Some(0), 2, "http://site.example/frame")).unwrap();
        it.facts.page_added(11, Surface::Tab(TAB));
        let (kept, next) =
            (FromPage::Hidden { document: 1, is_kept: true }, document(0, None, 1, "http://other.example/"));
        if is_late {
            it.facts.hear(11, &next).unwrap();
            it.hear(&kept).unwrap();
        } else {
            it.hear(&kept).unwrap();
            it.facts.hear(11, &next).unwrap();
        }
        let effects = it.hear(&FromPage::Shown { document: 1 }).unwrap();
        let again = effects.iter().filter(|effect| matches!(effect, Effect::Again(_))).count();
        assert_eq!(again, if is_late { 2 } else { 0 });
        assert_eq!(it.frames(), [FrameId::TOP, FrameId::new(super::FIRST_FRAME + 1)]);
        assert_eq!(it.facts.frames_of(TAB).len(), 2);
    }
}
