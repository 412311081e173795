//! Processes of this program in other roles, each with a socket for standard input and another, by which it is told
//! what to do, for standard output.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The first argument of a process in a role.
pub(crate) const ROLE: &str = "--role";

/// How long a process may take for what it is told, before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process in a role. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) child: Child,
    control: BufReader<UnixStream>,
}

impl Role {
    /// Starts one with a socket.
    pub(crate) fn start(role: &str, socket: impl Into<OwnedFd>) -> Self {
        let (ours, theirs) = UnixStream::pair().expect("the system has a socket pair to give");
        ours.set_read_timeout(Some(PATIENCE)).expect("a time");
        let child = command(role)
            .stdin(Stdio::from(socket.into()))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .expect("this program starts again");
        Self { child, control: BufReader::new(ours) }
    }

    /// Tells it what to do.
    pub(crate) fn tell(&mut self, what: &str) {
        writeln!(self.control.get_mut(), "{what}").expect("the process is there");
    }

    /// Waits for what it says: how many seconds that took.
    pub(crate) fn hear(&mut self) -> f64 {
        let mut line = String::new();
        let heard = self.control.read_line(&mut line);
        heard.expect("the process answers in time");
        line.trim().parse().unwrap_or_else(|_| panic!("the process ended: {line:?}"))
    }

    /// Has something done, and gives how many seconds that took.
    pub(crate) fn run(&mut self, what: &str) -> f64 {
        self.tell(what);
        self.hear()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that copies what comes on either socket to the other. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay(Child);

impl Relay {
    pub(crate) fn start(one: UnixStream, other: UnixStream) -> Self {
        let (one, other) = (OwnedFd::from(one), OwnedFd::from(other));
        let child = command("relay").stdin(Stdio::from(one)).stdout(Stdio::from(other)).spawn();
        Self(child.expect("this program starts again"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn command(role: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the path of this program"));
    command.args([ROLE, role]);
    command
}
