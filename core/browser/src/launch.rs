//! How a renderer process is started: this executable again, with its socket for standard input.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The first argument of a renderer process, which is not for people.
pub(crate) const FIRST_ARGUMENT: &str = "--renderer-process";

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
}

impl Launch {
    /// This executable, as the renderer that `main` makes of it.
    ///
    /// # Errors
    /// As the system gives them; always where there is no Unix.
    pub(crate) fn itself() -> Result<Self, String> {
        if cfg!(not(unix)) {
            return Err("processes for sites are supported on Unix alone".to_owned());
        }
        // The file may have been replaced since this process began.
        let program =
            if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { env::current_exe() };
        let program = program.map_err(|error| error.to_string())?;
        Ok(Self { program, arguments: vec![FIRST_ARGUMENT.into()], variables: Vec::new() })
    }

    /// This executable with other arguments and a variable of the environment.
    #[cfg(test)]
    pub(crate) fn with(self, arguments: &[&str], variable: (&str, &str)) -> Self {
        let variables = vec![(variable.0.to_owned(), variable.1.to_owned())];
        Self { arguments: arguments.iter().map(Into::into).collect(), variables, ..self }
    }

    /// Starts a process that inherits the socket, and nothing else of this one's.
    #[cfg(unix)]
    pub(crate) fn start(&self, socket: std::os::fd::OwnedFd) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(socket)
            .stdout(Stdio::null())
            .spawn()
    }
}
