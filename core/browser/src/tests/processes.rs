//! Scripts in processes of their own.

use super::{Files, Run, extension, run_with};
use crate::arguments::Arguments;
use crate::folder::Folder;
use crate::launch::Launch;
use crate::log::{Event, Log};
use port_core_webext::Profile;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

/// The role that a process plays which was started by one of these tests.
const ROLE: &str = "PORT_CORE_RENDERER_OF_TESTS";

/// The role that asks and does not read, and the code that it exits with once answers came.
const ASKS: &str = "asks";
const GOT_ANSWERS: i32 = 17;

/// Starts this test's own executable again, as a renderer.
pub(super) fn launch() -> Launch {
    in_role("honest")
}

fn in_role(role: &str) -> Launch {
    let arguments = ["--exact", "tests::processes::a_renderer_of_these_tests", "--nocapture"];
    Launch::itself().expect("Unix").with(&arguments, (ROLE, role))
}

/// What other tests start.
#[test]
fn a_renderer_of_these_tests() {
    match std::env::var(ROLE).as_deref() {
        Err(_) => {}
        Ok(lie) if lie.starts_with("lie ") => say(&lie["lie ".len()..]),
        Ok(lie) if lie.starts_with("loaded, lie ") => say_once_loaded(&lie["loaded, lie ".len()..]),
        Ok(ASKS) => ask_without_reading(),
        Ok(_) => drop(crate::renderer::main()),
    }
}

/// Says one thing to the browser and waits until it is killed.
fn say(what: &str) {
    let mut socket = socket();
    let bytes = match what {
        "a frame of no kind" => frame(9, b""),
        "a long frame" => vec![255, 255, 255, 255, 1],
        "nonsense of the core" => frame(0, &[1, 0, 0, 0, 99]),
        word => frame(1, word.as_bytes()),
    };
    socket.write_all(&bytes).expect("the browser reads");
    // Killed, or the browser is gone: there is nothing more to come.
    while socket.read(&mut [0; 4_096]).is_ok_and(|count| count > 0) {}
}

/// Says one thing once it has a context, the first of its extension, and ends.
fn say_once_loaded(what: &str) {
    let mut socket = socket();
    until_loaded(&mut socket);
    socket.write_all(&frame(1, what.as_bytes())).expect("the browser reads");
}

/// How many times a file is asked for before anything is read. All answers together are more than the browser keeps
/// for a renderer at all.
const QUESTIONS: usize = 1_000;
const LARGE: usize = 1 << 20;

/// Asks for a large file again and again and reads nothing; then reads what there is no reason to keep from it.
fn ask_without_reading() {
    let mut socket = socket();
    let instance = until_loaded(&mut socket);
    let question = serde_json::json!({ "ReadFile": { "instance": instance, "parts": ["large"] } });
    let question = frame(1, question.to_string().as_bytes());
    socket.write_all(&question.repeat(QUESTIONS)).expect("the browser is there");
    let mut answers = 0;
    while answers < 4 {
        let word = hear(&mut socket);
        if word.starts_with(br#"{"File""#) {
            assert!(word.len() > LARGE);
            answers += 1;
        }
    }
    // Not as a test does that is content: the browser tells how this process ended.
    std::process::exit(GOT_ANSWERS);
}

/// The browser's socket of a renderer.
fn socket() -> UnixStream {
    std::io::stdin().as_fd().try_clone_to_owned().expect("a socket").into()
}

fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
    [&length[..], &[kind], bytes].concat()
}

/// Reads the next frame.
fn hear(socket: &mut UnixStream) -> Vec<u8> {
    let mut head = [0; 5];
    socket.read_exact(&mut head).expect("the browser is there");
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let mut bytes = vec![0; length as usize];
    socket.read_exact(&mut bytes).expect("the browser is there");
    bytes
}

/// Reads until the browser has something loaded; gives the extension that it is of.
fn until_loaded(socket: &mut UnixStream) -> Value {
    let mut extension = Value::Null;
    loop {
        // What is no JSON is the core's.
        let word: Value = serde_json::from_slice(&hear(socket)).unwrap_or_default();
        if let Some(instance) = word.pointer("/Extension/instance") {
            extension = instance.clone();
        }
        if word.get("Load").is_some() {
            return extension;
        }
    }
}

pub(super) fn run(extensions: &[Files], options: &[&str]) -> Run {
    run_with(|arguments| arguments.launch = Some(launch()), extensions, options)
}

/// What each context saw and did, without the times.
fn seen(run: &Run) -> Vec<String> {
    let without_time = |line: &Value| {
        let mut line = line.clone();
        for field in ["time", "seconds", "busy_seconds"] {
            line.as_object_mut().expect("an object").remove(field);
        }
        line.to_string()
    };
    let mut lines: Vec<_> = run.lines.iter().map(without_time).collect();
    lines.sort();
    lines
}

#[test]
fn the_sample_comes_out_as_in_one_process() {
    let (one, many) = (super::run(&[], &[]), run(&[], &[]));
    assert!(one.went_well && many.went_well, "{:?}", many.errors());
    let (one, many) = (seen(&one), seen(&many));
    let differs = one.iter().zip(&many).find(|(one, many)| one != many);
    assert!(one.len() == many.len() && differs.is_none(), "{} {} {differs:?}", one.len(), many.len());
}

#[test]
fn the_measurement_runs_across_processes() {
    let report = crate::bench::measure(Profile::Chromium, 1, Some(&launch())).expect("all answers");
    let json: Value = serde_json::from_str(&report.to_json()).expect("JSON");
    for name in ["/round_trip_us/mean", "/one_way_per_second", "/connects_per_second", "/fan_out_per_second"]
    {
        assert!(
            json.pointer(name).and_then(Value::as_f64).is_some_and(|value| value > 0.1),
            "{name}: {json}"
        );
    }
}

/// The API beside messaging, evaluation in frames, storage, and the tabs as senders show them.
#[test]
fn what_is_no_message_crosses_too() {
    let files: Files = &[
        (
            "manifest.json",
            r#"{ "manifest_version": 3, "name": "Test", "version": "1", "action": {},
                 "permissions": ["tabs", "storage", "scripting"], "host_permissions": ["<all_urls>"],
                 "background": { "service_worker": "background.js" },
                 "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
        ),
        (
            "background.js",
            r#"importScripts("more.js");
               chrome.runtime.onMessage.addListener((message, sender, respond) => {
                   console.log(`${message} from ${sender.tab.url}`);
                   respond(MORE);
               });
               chrome.action.onClicked.addListener(async (tab) => {
                   await chrome.storage.local.set({ a: [1, "é\u0000"] });
                   const stored = await chrome.storage.local.get("a");
                   const target = { tabId: tab.id };
                   const [{ result }] = await chrome.scripting.executeScript({ target, func: (n) => n + location.href, args: [2] });
                   console.log(JSON.stringify([stored, result]));
               });"#,
        ),
        ("more.js", "const MORE = 'more';"),
        (
            "content.js",
            r#"history.replaceState(null, "", "/elsewhere");
               chrome.runtime.sendMessage("hello").then((answer) => console.log(answer));"#,
        ),
    ];
    let options = ["--page", "https://a.example.com/", "--click"];
    let many = run(&[files], &options);
    assert_eq!(
        many.console("background"),
        [
            "hello from https://a.example.com/elsewhere",
            r#"[{"a":[1,"é\u0000"]},"2https://a.example.com/elsewhere"]"#
        ],
        "{:?}",
        many.errors()
    );
    assert_eq!(many.console("tab 1"), ["more"]);
    assert_eq!(seen(&super::run(&[files], &options)), seen(&many));
}

/// A renderer is killed from outside, in the middle of what it says: the other side of its port hears so, and the
/// browser and the other processes go on.
#[cfg(target_os = "linux")]
#[test]
fn a_renderer_that_is_killed_is_a_crash_and_the_others_go_on() {
    let files: Files = extension!(
        r#"chrome.runtime.onConnect.addListener((port) => {
               let next = 0;
               port.onMessage.addListener((number) => {
                   if (number !== next++) throw new Error(`${number} came`);
                   if (number === 200) console.log("talking");
               });
               port.onDisconnect.addListener(async () => {
                   const [, other] = await chrome.tabs.query({});
                   console.log(await chrome.tabs.sendMessage(other.id, "are you there?"));
               });
           });"#,
        r#"chrome.runtime.onMessage.addListener((message, sender, respond) => respond("I am"));
           if (location.host === "a.example.com") {
               const port = chrome.runtime.connect();
               let number = 0;
               const talk = () => { for (let i = 0; i < 10; i++) port.postMessage(number++); setTimeout(talk, 0); };
               talk();
           }"#
    );
    let (sender, said) = mpsc::channel();
    let log = Log::to_listener(move |event| {
        let text = match event {
            Event::Console { text, .. } => (*text).to_owned(),
            Event::Error { message, .. } => format!("error: {message}"),
            _ => return,
        };
        drop(sender.send(text));
    });
    let role = format!("honest, of {}", std::process::id());
    let mut arguments = parse(&["--page", "https://a.example.com/", "--page", "https://b.example.org/"]);
    arguments.extensions = vec![Folder::embedded("test", files)];
    arguments.launch = Some(in_role(&role));
    let run = thread::spawn(move || crate::run(arguments, log));
    assert_eq!(said.recv().as_deref(), Ok("talking"));
    kill(process_of(&role, "https://example"));
    let (mut first, second) = (said.recv().expect("a line"), said.recv().expect("a line"));
    if first == "I am" {
        first.clone_from(&second);
    }
    assert!(first.starts_with("error: the process of https://example.com crashed (signal: 9"), "{first}");
    assert!(!run.join().expect("no panic"), "a crash is an error");
    assert_eq!(said.try_iter().collect::<Vec<_>>(), [""; 0]);
}

/// Finds the process that was started in a role and whose thread of script is named so.
#[cfg(target_os = "linux")]
fn process_of(role: &str, name: &str) -> String {
    let variable = format!("{ROLE}={role}");
    let is_it = |process: &str| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let mut variables = environment.split(|&byte| byte == 0);
        let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        variables.any(|it| it == variable.as_bytes())
            && threads
                .filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
                .any(|comm| comm.trim() == &name[..15])
    };
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let mut names = processes.filter_map(|process| process.file_name().into_string().ok());
    names.find(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && is_it(name)).expect("the process")
}

fn kill(process: String) {
    assert!(Command::new("kill").args(["-9", &process]).status().expect("a command").success());
}

fn parse(options: &[&str]) -> Arguments {
    let options = ["--time", "300"].iter().chain(options);
    Arguments::parse(lexopt::Parser::from_args(options)).expect("valid options").expect("no help")
}

#[test]
fn a_renderer_that_lies_is_killed_and_the_log_tells() {
    for (lie, told) in [
        ("a frame of no kind", "a frame that is too long, or of no kind"),
        ("a long frame", "a frame that is too long, or of no kind"),
        ("nonsense of the core", "lied"),
        ("{", "what it says is no word"),
        (r#"{"Request":{"Done":99}}"#, "something that it was not given"),
        (r#"{"Request":{"Interactive":[1,0,[0,9]]}}"#, "something that it was not given"),
        (
            r#"{"Call":{"context":9,"number":1,"method":"tabs.query","arguments":"[]"}}"#,
            "a context that it was not given",
        ),
        (r#"{"ReadFile":{"instance":1,"parts":["..","secret"]}}"#, "a file"),
        (r#"{"Over":1000}"#, "a context that it was not given"),
        (
            r#"{"Log":{"context":"browser","event":{"event":"click","extension":"e"}}}"#,
            "a line that no script writes",
        ),
        (
            r#"{"Counted":{"contexts":0,"connects":0,"accepts":0,"posts":0,"deliveries":0,"bytes":0,"disconnects":[],"first_post":null,"last_delivery":null}}"#,
            "counts that nobody asked for",
        ),
        (r#"{"Record":"[]"}"#, "events of a scenario"),
    ] {
        expect_killed(&format!("lie {lie}"), extension!("", ""), told);
    }
}

/// An extension that runs in pages alone, so that there is one renderer process.
const CONTENT_SCRIPT: Files = &[
    (
        "manifest.json",
        r#"{ "manifest_version": 3, "name": "Test", "version": "1",
             "content_scripts": [{ "matches": ["<all_urls>"], "js": ["content.js"] }] }"#,
    ),
    ("content.js", ""),
];

/// A taken-over renderer of a site has what content scripts have, not what pages of their extension have.
#[test]
fn a_content_script_that_calls_what_it_has_not_is_killed() {
    for (method, told) in [
        ("tabs.query", "a call that content scripts cannot make"),
        ("runtime.setUninstallURL", "a call that content scripts cannot make"),
        ("replay.done", "a call of a scenario"),
    ] {
        let call = format!(r#"{{"Call":{{"context":1,"number":1,"method":"{method}","arguments":"[]"}}}}"#);
        expect_killed(&format!("loaded, lie {call}"), CONTENT_SCRIPT, told);
    }
}

/// Runs all processes in a role; the log is to tell that one was killed for what it did.
#[track_caller]
fn expect_killed(role: &str, files: Files, told: &str) {
    let run = run_with(|arguments| arguments.launch = Some(in_role(role)), &[files], &super::ONE_PAGE);
    let errors = run.errors();
    let is_told = |error: &String| {
        error.contains("the process of") && error.contains("and was killed") && error.contains(told)
    };
    assert!(!run.went_well && errors.iter().any(is_told), "{role}: {errors:?}");
}

/// Questions are short and answers long: who asks and does not read is given no more than it reads, and is answered
/// once it does.
#[cfg(target_os = "linux")]
#[test]
fn a_renderer_that_asks_and_does_not_read_has_nothing_piled_up() {
    let large: &str = "x".repeat(LARGE).leak();
    let files: Files = [CONTENT_SCRIPT, &[("large", large)]].concat().leak();
    let run = run_with(|arguments| arguments.launch = Some(in_role(ASKS)), &[files], &super::ONE_PAGE);
    let told = format!("the process of https://example.com crashed (exit status: {GOT_ANSWERS})");
    let errors = run.errors();
    assert!(matches!(&errors[..], [error] if error.contains(&told)), "{errors:?}");
}

#[test]
fn a_script_without_end_is_ended_with_its_process() {
    let files: Files = extension!("", "while (true);");
    let many = run(&[files], &["--page", "https://a.example.com/", "--time", "2"]);
    assert!(many.summary()["stopped"] == true && many.went_well, "{:?}", many.errors());
    let killed = many.console("browser");
    assert!(
        matches!(killed[..], [text] if text.starts_with("killed the process of https://example.com")),
        "{killed:?}"
    );
}
