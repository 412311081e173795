//! Where the files of an unpacked extension come from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of an unpacked extension.
#[derive(Clone, Debug)]
pub(crate) enum Folder {
    /// A folder on disk.
    Disk(PathBuf),
    /// Files built into this program.
    Embedded {
        /// The folder's name.
        name: &'static str,
        /// Names and texts.
        files: &'static [(&'static str, &'static str)],
    },
    /// Files made by this program.
    Memory {
        /// The folder's name.
        name: String,
        /// Texts by their names.
        files: Arc<BTreeMap<String, String>>,
    },
}

impl Folder {
    /// Reads a text file. The path is relative to the folder, with `/` between its
    /// parts and perhaps before them, and cannot leave the folder.
    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
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
        match self {
            Self::Disk(folder) => fs::read_to_string(folder.join(parts.iter().collect::<PathBuf>()))
                .map_err(|error| format!("cannot read {path:?}: {error}")),
            Self::Embedded { files, .. } => files
                .iter()
                .find(|(name, _)| *name == parts.join("/"))
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| format!("cannot read {path:?}: no such file")),
            Self::Memory { files, .. } => files
                .get(&parts.join("/"))
                .cloned()
                .ok_or_else(|| format!("cannot read {path:?}: no such file")),
        }
    }

    /// How messages name a file of the folder.
    pub(crate) fn display(&self, file: &str) -> String {
        match self {
            Self::Disk(folder) => folder.join(file).display().to_string(),
            Self::Embedded { name, .. } => Path::new(name).join(file).display().to_string(),
            Self::Memory { name, .. } => Path::new(name).join(file).display().to_string(),
        }
    }

    /// A text that tells this folder from others and is the same in every run.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Disk(folder) => {
                fs::canonicalize(folder).as_deref().unwrap_or(folder).to_string_lossy().into_owned()
            }
            Self::Embedded { name, .. } => (*name).to_owned(),
            Self::Memory { name, .. } => name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;

    const FOLDER: Folder = Folder::Embedded { name: "test", files: &[("a.js", "a"), ("scripts/b.js", "b")] };

    #[test]
    fn paths_are_relative_to_the_folder() {
        for (path, text) in [("a.js", "a"), ("/a.js", "a"), ("./scripts/b.js", "b"), ("scripts/../a.js", "a")]
        {
            assert_eq!(FOLDER.read(path).as_deref(), Ok(text), "{path}");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_folder() {
        assert_eq!(FOLDER.read("../a.js"), Err("\"../a.js\" leaves the extension's folder".to_owned()));
        assert!(FOLDER.read("c.js").is_err());
    }
}
