//! The browser under test, with pages from a server of the test's own, and clicks by `xdotool`.
//!
//! Run by `core/webkit/check`, which starts Xvfb and a session bus.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::ptr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pages on loopback, by their paths; what is posted to `/report` is a line for the test, and who asks for `/wait` waits
/// for it.
pub struct Site {
    pub port: u16,
    go_on: Sender<()>,
    reports: Mutex<Receiver<String>>,
}

impl Site {
    /// Serves pages, in which PORT is the server's own.
    pub fn new(pages: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages: HashMap<String, String> = pages
            .iter()
            .map(|(path, page)| ((*path).to_owned(), page.replace("PORT", &port.to_string())))
            .collect();
        let ((reports, taken), (go_on, waited)) = (channel(), channel());
        let (pages, waited) = (Arc::new(pages), Arc::new(Mutex::new(waited)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, reports, waited) = (Arc::clone(&pages), reports.clone(), Arc::clone(&waited));
                thread::spawn(move || answer(stream, &pages, &reports, &waited));
            }
        });
        Self { port, go_on, reports: Mutex::new(taken) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers who waits, or waits next.
    pub fn go_on(&self) {
        self.go_on.send(()).unwrap();
    }

    /// The next thing that a page posted, if one does within a time.
    pub fn report_within(&self, time: Duration) -> Option<String> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(time).ok()
    }

    /// The next thing that a page posted.
    pub fn report(&self) -> String {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.recv_timeout(PATIENCE).expect("a page reports")
    }
}

fn answer(
    stream: TcpStream,
    pages: &HashMap<String, String>,
    reports: &Sender<String>,
    waited: &Mutex<Receiver<()>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.split('?').next()?.to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if path == "/report" {
        let _ = reports.send(String::from_utf8_lossy(&body).into_owned());
    }
    if path == "/wait" {
        let _ = waited.lock().unwrap_or_else(PoisonError::into_inner).recv();
    }
    let page = pages.get(&path).map_or("", String::as_str);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    // Where no other site is let in, WebKit shows scripts the time to 20 µs; elsewhere to a millisecond.
    let isolation = match path.starts_with("/isolated") {
        true => "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n",
        false => "",
    };
    let answer = format!("{head}{isolation}Content-Length: {}\r\n\r\n{page}", page.len());
    (&stream).write_all(answer.as_bytes()).ok()
}

/// A folder of an extension that lasts as long as this.
pub struct ExtensionFolder(pub PathBuf);

impl ExtensionFolder {
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("port-core-webkit-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for ExtensionFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One browser at a time: there is one pointer.
static SCREEN: Mutex<()> = Mutex::new(());

/// The browser, which is ended when this is dropped.
pub struct Opened {
    process: Child,
    lines: Receiver<String>,
    pub seen: Vec<String>,
    _screen: MutexGuard<'static, ()>,
}

impl Opened {
    pub fn new(options: &[&str], folders: &[&Path], pages: &[&str]) -> Self {
        let screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new(env!("CARGO_BIN_EXE_port-core-webkit-browser"));
        command.arg("--log").args(options).args(folders);
        for page in pages {
            command.args(["--page", page]);
        }
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(process.stdout.take().unwrap()), Box::new(process.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { process, lines, seen: Vec::new(), _screen: screen }
    }

    /// Waits until the browser has written so many lines with the text in them, and returns those.
    pub fn wait_for_many(&mut self, text: &str, count: usize) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let found: Vec<String> = self.seen.iter().filter(|line| line.contains(text)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("{} of {count} {text:?} in\n{}", found.len(), self.seen.join("\n")),
            }
        }
    }

    /// Takes the lines that the browser has written until now.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.seen.extend(self.lines.try_iter());
        std::mem::take(&mut self.seen)
    }

    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_many(text, 1).swap_remove(0)
    }

    /// The browser's process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// The browser's web processes.
    pub fn web_processes(&self) -> Vec<u32> {
        let mut below = vec![self.process.id()];
        let mut found = Vec::new();
        let parents: Vec<(u32, u32, String)> = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let process: u32 = entry.file_name().to_str()?.parse().ok()?;
                let text = fs::read_to_string(entry.path().join("stat")).ok()?;
                let (name, rest) = text.rsplit_once(") ")?;
                let name = name.split_once('(')?.1.to_owned();
                Some((process, rest.split(' ').nth(1)?.parse().ok()?, name))
            })
            .collect();
        while let Some(parent) = below.pop() {
            for (process, _, name) in parents.iter().filter(|(_, of, _)| *of == parent) {
                below.push(*process);
                if name.starts_with("WebKitWebProces") {
                    found.push(*process);
                }
            }
        }
        found
    }

    /// Clicks the button of an extension, as a person does.
    pub fn click(&mut self, label: &str) {
        let line = self.wait_for(&format!("button {label} at "));
        let place: Vec<String> = line
            .split(' ')
            .rev()
            .take(2)
            .map(|number| number.split('.').next().unwrap().to_owned())
            .collect();
        self.click_at(&place[1], &place[0]);
    }

    /// Has a browser that is driven do what a line says.
    pub fn act(&mut self, line: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// Clicks a place on the screen.
    pub fn click_at(&self, x: &str, y: &str) {
        let moved = Command::new("xdotool").args(["mousemove", x, y, "click", "1"]).status();
        assert!(moved.is_ok_and(|status| status.success()), "xdotool clicks");
    }

    /// Kills all web processes of the browser, as a crash would. Returns how many.
    pub fn kill_web_processes(&self) -> usize {
        self.web_processes().into_iter().filter(|process| is_launched(*process) && kill(*process)).count()
    }
}

/// Whether a web process has got as far as to load the library. If one ends before it has told WebKit its number, WebKit
/// takes its sandbox for broken and ends the browser.
pub fn is_launched(process: u32) -> bool {
    let mapped = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    mapped.contains("libport_core_webkit_inside")
}

/// Kills a process.
pub fn kill(process: u32) -> bool {
    signal(process, "KILL")
}

/// Sends a process a signal. Returns whether it was there.
pub fn signal(process: u32, signal: &str) -> bool {
    let sent = Command::new("kill").args(["-s", signal, &process.to_string()]).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

/// Does something while the thread that a process began with is stopped where it waits for events, and no other of its
/// threads: anywhere else it may hold a lock, the allocator's among them, that others wait for.
pub fn with_main_thread_blocked<R>(process: u32, call: impl FnOnce() -> R) -> io::Result<R> {
    let thread = libc::pid_t::try_from(process).unwrap();
    let asked = |request| {
        // SAFETY: these requests take no memory of this process.
        let done = unsafe { libc::ptrace(request, thread, ptr::null_mut::<()>(), ptr::null_mut::<()>()) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    asked(libc::PTRACE_SEIZE)?;
    loop {
        asked(libc::PTRACE_INTERRUPT)?;
        // SAFETY: no status is asked for.
        if unsafe { libc::waitpid(thread, ptr::null_mut(), libc::__WALL) } < 0 {
            return Err(io::Error::last_os_error());
        }
        if waits_for_events(process)? {
            break;
        }
        asked(libc::PTRACE_CONT)?;
        thread::yield_now();
    }
    let result = call();
    asked(libc::PTRACE_DETACH)?;
    Ok(result)
}

/// Whether the thread that a process began with is in the system call that GLib's main loop waits in.
fn waits_for_events(process: u32) -> io::Result<bool> {
    let call = fs::read_to_string(format!("/proc/{process}/task/{process}/syscall"))?;
    let number = call.split(' ').next().and_then(|number| number.parse().ok());
    let waiting = [
        libc::SYS_ppoll,
        // Newer architectures have the other one alone.
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
    ];
    Ok(waiting.map(Some).contains(&number))
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
