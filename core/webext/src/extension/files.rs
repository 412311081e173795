//! Where the files of an unpacked extension come from.

use std::collections::BTreeMap;
use std::fmt;

/// The files of an unpacked extension, as the embedder stores them.
pub trait Files: fmt::Debug + Send + Sync {
    /// Reads a text file. `parts` are the names of the folders and of the file, from the outermost
    /// to the innermost; none of them is empty, `.` or `..`.
    ///
    /// # Errors
    /// Gives what is wrong in words, to follow the file's name and a colon. A file that lies elsewhere,
    /// as behind a symbolic link that leads out of the extension's folder, must be refused.
    fn read(&self, parts: &[&str]) -> Result<String, String>;

    /// Returns how messages to people name a file of the folder.
    fn display(&self, file: &str) -> String;

    /// Returns a text that tells this folder from others and is the same in every run: the
    /// extension's id is made of it.
    fn identity(&self) -> String;
}

impl dyn Files + '_ {
    /// Reads a text file by its path, which has `/` between its parts and may begin with one.
    ///
    /// # Errors
    /// Refuses a path that leaves the folder, and what [`Files::read`] refuses.
    pub fn read_path(&self, path: &str) -> Result<String, String> {
        self.read(&parts(path)?).map_err(|error| format!("cannot read {path:?}: {error}"))
    }
}

/// Takes a path apart.
fn parts(path: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| format!("{path:?} leaves the extension's folder"))?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts)
}

/// Files that lie in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    name: String,
    files: BTreeMap<String, String>,
}

impl MemoryFiles {
    /// Creates a folder with a name and files, each given as its path and its text.
    pub fn new<P, T>(name: &str, files: impl IntoIterator<Item = (P, T)>) -> Self
    where
        P: Into<String>,
        T: Into<String>,
    {
        let files = files.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        Self { name: name.to_owned(), files }
    }
}

impl Files for MemoryFiles {
    fn read(&self, parts: &[&str]) -> Result<String, String> {
        self.files.get(&parts.join("/")).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn display(&self, file: &str) -> String {
        format!("{}/{file}", self.name)
    }

    fn identity(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, MemoryFiles};

    #[test]
    fn paths_are_relative_to_the_folder() {
        let files = MemoryFiles::new("test", [("a.js", "a"), ("scripts/b.js", "b")]);
        let files: &dyn Files = &files;
        for (path, text) in [("a.js", "a"), ("/a.js", "a"), ("./scripts/b.js", "b"), ("scripts/../a.js", "a")]
        {
            assert_eq!(files.read_path(path).as_deref(), Ok(text), "{path}");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_folder() {
        let files = MemoryFiles::new("test", [("a.js", "a")]);
        let files: &dyn Files = &files;
        assert_eq!(files.read_path("../a.js"), Err("\"../a.js\" leaves the extension's folder".to_owned()));
        assert_eq!(files.read_path("c.js"), Err("cannot read \"c.js\": no such file".to_owned()));
    }
}
