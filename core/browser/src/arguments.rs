//! The command line.

use crate::folder::Folder;
use crate::launch::Launch;
use crate::web::{MOST_FRAMES, Page};
use port_core_webext::Profile;
use std::collections::VecDeque;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Printed for `--help`.
pub(crate) const HELP: &str = "\
A headless browser that runs unpacked extensions on port-core.

Usage: browser [OPTIONS]

With no options it runs a sample extension in a window with two tabs.

  --extension DIR   Load an unpacked extension (a folder with a manifest.json,
                    version 2 or 3). May be given more than once.
  --page URL        Open a tab. May be given more than once; the first is active.
  --html FILE       Take the HTML of the page before from a file. Its own scripts
                    are not run.
  --frame URL       Put a frame into the page before; 'URL > URL' nests frames.
  --frames COUNT    Put that many frames into the page before, nested and on
                    several sites.
  --click           Click the toolbar button of every extension that has one, in
                    the active tab, once all is calm. A button with a popup opens it.
  --press SELECTOR  Click the first element that fits: in pages of extensions that
                    are in no tab, such as popups, else in the active tab's page,
                    else in pages of extensions in other tabs.
  --type TEXT       Type into the element that was pressed last.
  --omnibox TEXT    Type into the address bar: the keyword of an extension, a space,
                    and what it is to be told; then press the enter key.
  --tab NUMBER      Make a tab the active one; 1 is the first.
  --menu ID         Choose the item of the context menu with that id.
  --command NAME    Give the keyboard command of that name.
  --devtools        Open the devtools pages of extensions for the active tab.
  --open URL        Open another tab, behind the active one, once all is calm. A URL
                    such as /page.html is that page of each extension that has it,
                    in an active tab.
  --close           Close the active tab, once all is calm. What is done once all
                    is calm happens in the order given.
  --rest            Wait until all backgrounds are stopped that are when idle: workers
                    and event pages.
  --idle SECONDS    Stop a background that was idle for so long (default 30), and let
                    the run go on until then. What comes for it starts it again.
  --unanswered SECONDS
                    Let a message without an answer keep a background awake for so long
                    (default 300, in chromium; in firefox it does not).
  --profile NAME    Behave like chromium (the default) or firefox where they differ.
  --time SECONDS    Stop after that long (default 20). The run ends earlier when
                    nothing happens any more and no timer is set.
  --messages COUNT  Show that many messages of each port (default 4, with --json all).
  --processes       Run each site, and each extension, in a process of its own
                    (on Unix).
  --quiet           Show errors and what scripts write to the console, and nothing else.
  --json            Print one JSON object per line, for machines.
  --help            Print this.

With 'trace' as the first word, it replays recorded scenarios: see trace --help.
With 'bench', it measures messaging from script to script: see bench --help.

The exit code is 0 when all went well, 1 when an extension had an error in its
manifest or an uncaught one in a script, and 2 when the options are wrong.
";

/// What a person does at the browser, each as soon as all is calm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UserAction {
    /// Opens a page in another tab.
    Open(Url),
    /// Opens pages of extensions, by their path.
    OpenPath(String),
    /// Clicks the toolbar buttons in the active tab.
    Click,
    /// Clicks an element of a page.
    Press(String),
    /// Types into it.
    Type(String),
    /// Types into the address bar.
    AddressBar(String),
    /// Makes a tab the active one, by its place.
    ActivateTab(usize),
    /// Chooses an item of the context menu.
    Menu(String),
    /// Gives a keyboard command.
    Command(String),
    /// Opens the developer tools.
    DeveloperTools,
    /// Closes the active tab.
    CloseTab,
    /// Waits until idle backgrounds are stopped.
    Rest,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Extensions to load.
    pub(crate) extensions: Vec<Folder>,
    /// Pages to open in tabs.
    pub(crate) pages: Vec<Page>,
    /// What the user does then.
    pub(crate) actions: VecDeque<UserAction>,
    /// Which browser to follow.
    pub(crate) profile: Profile,
    /// The longest message in bytes, where it is not the profile's.
    pub(crate) message_bytes: Option<usize>,
    /// When to stop at the latest.
    pub(crate) time: Duration,
    /// After how long a background is idle, if the run is to wait for that.
    pub(crate) idle: Option<Duration>,
    /// For how long a message without an answer keeps a background awake.
    pub(crate) unanswered: Option<Duration>,
    /// How many messages of each port to show.
    pub(crate) messages: u64,
    /// How to start the processes that sites and extensions run in, if they are to have their own.
    pub(crate) launch: Option<Launch>,
    /// Whether to show errors and what scripts write alone.
    pub(crate) quiet: bool,
    /// Whether to print JSON.
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads the command line; `None` when it asks for help.
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::*;

        let mut messages = None;
        let mut arguments = Self {
            extensions: Vec::new(),
            pages: Vec::new(),
            actions: VecDeque::new(),
            profile: Profile::default(),
            message_bytes: None,
            time: Duration::from_secs(20),
            idle: None,
            unanswered: None,
            messages: 0,
            launch: None,
            quiet: false,
            json: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("extension") => {
                    arguments.extensions.push(Folder::Disk(PathBuf::from(parser.value()?)));
                }
                Long("page") => arguments.pages.push(Page::new(parser.value()?.parse_with(Url::parse)?)),
                Long("html") => {
                    let path = PathBuf::from(parser.value()?);
                    let html = std::fs::read_to_string(&path);
                    let html = html.map_err(|error| format!("{}: {error}", path.display()))?;
                    arguments.latest_page("--html")?.html = html.into();
                }
                Long("frame") => {
                    let frame = parser.value()?.parse()?;
                    arguments.latest_page("--frame")?.frames.push(frame);
                }
                Long("frames") => {
                    let count = parser.value()?.parse_with(|text| match text.parse() {
                        Ok(count) if count > MOST_FRAMES => Err(format!("at most {MOST_FRAMES} frames")),
                        count => count.map_err(|error: ParseIntError| error.to_string()),
                    })?;
                    arguments.latest_page("--frames")?.add_frames(count);
                }
                Long("click") => arguments.actions.push_back(UserAction::Click),
                Long("press") => arguments.actions.push_back(UserAction::Press(parser.value()?.string()?)),
                Long("type") => arguments.actions.push_back(UserAction::Type(parser.value()?.string()?)),
                Long("omnibox") => {
                    arguments.actions.push_back(UserAction::AddressBar(parser.value()?.string()?));
                }
                Long("tab") => arguments.actions.push_back(UserAction::ActivateTab(parser.value()?.parse()?)),
                Long("menu") => arguments.actions.push_back(UserAction::Menu(parser.value()?.string()?)),
                Long("command") => {
                    arguments.actions.push_back(UserAction::Command(parser.value()?.string()?));
                }
                Long("devtools") => arguments.actions.push_back(UserAction::DeveloperTools),
                Long("open") => {
                    let url = parser.value()?.string()?;
                    arguments.actions.push_back(match url.starts_with('/') {
                        true => UserAction::OpenPath(url),
                        false => UserAction::Open(Url::parse(&url).map_err(|error| error.to_string())?),
                    });
                }
                Long("close") => arguments.actions.push_back(UserAction::CloseTab),
                Long("profile") => arguments.profile = parser.value()?.parse()?,
                Long("time") => {
                    arguments.time = parser.value()?.parse_with(seconds)?;
                }
                Long("rest") => arguments.actions.push_back(UserAction::Rest),
                Long("idle") => arguments.idle = Some(parser.value()?.parse_with(seconds)?),
                Long("unanswered") => arguments.unanswered = Some(parser.value()?.parse_with(seconds)?),
                Long("messages") => messages = Some(parser.value()?.parse()?),
                Long("processes") => arguments.launch = Some(Launch::itself()?),
                Long("quiet") => arguments.quiet = true,
                Long("json") => arguments.json = true,
                Long("help") | Short('h') => return Ok(None),
                unexpected => return Err(unexpected.unexpected()),
            }
        }
        arguments.messages = messages.unwrap_or(if arguments.json { u64::MAX } else { 4 });
        if arguments.extensions.is_empty() {
            arguments.show_the_sample();
        }
        if arguments.pages.is_empty() {
            arguments.pages.push("https://www.example.com/".parse()?);
        }
        Ok(Some(arguments))
    }

    /// What a scenario's browser is made with.
    pub(crate) fn for_scenario(
        extensions: Vec<Folder>,
        profile: Profile,
        idle: Option<Duration>,
        launch: Option<Launch>,
    ) -> Self {
        /// Longer than any scenario says that it takes.
        const TIME: Duration = Duration::from_secs(40);

        Self {
            extensions,
            pages: Vec::new(),
            actions: VecDeque::new(),
            profile,
            message_bytes: None,
            time: TIME,
            idle,
            unanswered: None,
            messages: 0,
            launch,
            quiet: true,
            json: true,
        }
    }

    fn latest_page(&mut self, option: &str) -> Result<&mut Page, String> {
        self.pages.last_mut().ok_or_else(|| format!("{option} needs a --page before it"))
    }

    /// The sample extension. Where no page was asked for, it gets two tabs with frames
    /// of several sites, and the first is closed while it has a port open.
    fn show_the_sample(&mut self) {
        const SAMPLE: &[(&str, &str)] = &[
            ("manifest.json", include_str!("sample-extension/manifest.json")),
            ("background.js", include_str!("sample-extension/background.js")),
            ("content.js", include_str!("sample-extension/content.js")),
        ];
        self.extensions.push(Folder::embedded("sample-extension", SAMPLE));
        if self.pages.is_empty() {
            let page = |url: &str, frames: &[&str]| {
                let parse = |text: &str| text.parse::<Page>().expect("the sample's URLs are valid");
                Page { frames: frames.iter().map(|frame| parse(frame)).collect(), ..parse(url) }
            };
            self.pages = vec![
                page(
                    "https://news.example.com/",
                    &[
                        "https://news.example.com/comments",
                        "https://ads.example.net/ > https://video.example.org/",
                    ],
                ),
                page("https://shop.example.org/", &["https://pay.example.net/"]),
            ];
            if self.actions.is_empty() {
                self.actions = [UserAction::Click, UserAction::CloseTab, UserAction::Click].into();
            }
        }
    }
}

/// A time in seconds, which may be a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, UserAction};
    use crate::folder::Folder;
    use port_core_webext::Profile;
    use std::path::Path;
    use std::time::Duration;

    fn parse(arguments: &[&str]) -> Result<Option<Arguments>, String> {
        Arguments::parse(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_means_the_sample() {
        let arguments = parse(&[]).expect("valid").expect("no help");
        assert!(matches!(arguments.extensions[..], [Folder::Memory(_)]));
        assert_eq!(arguments.pages.len(), 2);
        assert_eq!(arguments.actions, [UserAction::Click, UserAction::CloseTab, UserAction::Click]);
    }

    #[test]
    fn options_are_taken_in_order() {
        let arguments = parse(&[
            "--extension",
            "a",
            "--extension=b",
            "--page",
            "https://a.example/",
            "--frames",
            "2",
            "--page",
            "https://b.example/",
            "--frame",
            "https://c.example/ > https://d.example/",
            "--close",
            "--open=https://e.example/",
            "--click",
            "--quiet",
            "--json",
            "--time",
            "1.5",
            "--profile=firefox",
        ])
        .expect("valid")
        .expect("no help");
        let [Folder::Disk(a), Folder::Disk(b)] = &arguments.extensions[..] else { panic!("two folders") };
        assert_eq!((a.as_path(), b.as_path()), (Path::new("a"), Path::new("b")));
        assert_eq!(arguments.pages[0].frames.len(), 2);
        assert_eq!(arguments.pages[1].frames[0].frames[0].url.as_str(), "https://d.example/");
        let open = UserAction::Open("https://e.example/".parse().expect("a URL"));
        assert_eq!(arguments.actions, [UserAction::CloseTab, open, UserAction::Click]);
        assert_eq!(arguments.time, Duration::from_millis(1500));
        assert_eq!(arguments.profile, Profile::Firefox);
        assert_eq!((arguments.quiet, arguments.json, arguments.messages), (true, true, u64::MAX));
    }

    #[test]
    fn help_is_help() {
        assert!(parse(&["--help"]).expect("valid").is_none());
    }

    #[test]
    fn bad_options_are_explained() {
        for (arguments, text) in [
            (&["--pages"][..], "invalid option '--pages'"),
            (&["here"], "unexpected argument \"here\""),
            (&["--page"], "missing argument for option '--page'"),
            (&["--page", "nonsense"], "relative URL without a base"),
            (&["--frame", "https://a.example/"], "--frame needs a --page before it"),
            (&["--frames", "2"], "--frames needs a --page before it"),
            (&["--page", "https://a.example/", "--frames", "18446744073709551615"], "at most 1000 frames"),
            (&["--time", "-1"], "cannot parse"),
            (&["--profile", "lynx"], "no profile \"lynx\""),
        ] {
            let error = parse(arguments).expect_err(text);
            assert!(error.contains(text), "{error}");
        }
    }
}
