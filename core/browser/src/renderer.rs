//! The main function of a renderer process: one thread of script, with the browser at the other end of a socket.

use crate::process::Link;
use crate::script;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

/// Runs scripts for the browser that started this process, until it lets go.
pub(crate) fn main() -> ExitCode {
    let run = || -> io::Result<()> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        match Link::begin(socket)? {
            Some(link) => {
                let (shared, index) = link.shared();
                script::run_as_process(&link, shared, index)
            }
            None => Ok(()),
        }
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("renderer: {error}");
            ExitCode::FAILURE
        }
    }
}
