//! The folder of an unpacked extension.

use port_core_webext::extension::Files;
use port_core_webkit_inside::control::Package;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder on disk. What lies outside of it is never read, not by symbolic links either.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

/// How much of a folder every web process is sent, in bytes: what is beyond cannot be a content script.
const MOST: u64 = 24 << 20;

impl Folder {
    fn place_of(&self, parts: &[&str]) -> Result<PathBuf, String> {
        let real = |path: &Path| fs::canonicalize(path).map_err(|error| error.to_string());
        let (folder, file) = (real(&self.0)?, real(&self.0.join(parts.iter().collect::<PathBuf>()))?);
        match file.starts_with(&folder) {
            // A pipe would never end.
            true if file.is_file() => Ok(file),
            true => Err("not a file".to_owned()),
            false => Err("it lies outside of the extension's folder".to_owned()),
        }
    }

    /// Reads a file of any kind by the path of a URL.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.contains(&"..") {
            return Err("it lies outside of the extension's folder".to_owned());
        }
        fs::read(self.place_of(&parts)?).map_err(|error| error.to_string())
    }

    /// Returns what web processes need of the extension: its manifest, scripts, pages and texts.
    pub(crate) fn package(&self, instance: u64) -> Package {
        let mut files = Vec::new();
        let mut left = MOST;
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    folders.push(path);
                    continue;
                }
                let is_text = path.extension().is_some_and(|kind| {
                    ["js", "mjs", "json", "html", "htm"].iter().any(|text| kind.eq_ignore_ascii_case(text))
                });
                let Ok(name) = path.strip_prefix(&self.0) else { continue };
                let parts: Vec<&str> = name.iter().filter_map(|part| part.to_str()).collect();
                if !is_text || fs::metadata(&path).is_ok_and(|file| file.len() > left) {
                    continue;
                }
                if let Ok(text) = self.read(&parts) {
                    left = left.saturating_sub(text.len() as u64);
                    files.push((parts.join("/"), text));
                }
            }
        }
        Package { identity: self.identity(), instance, files, registered: Vec::new() }
    }
}

impl Files for Folder {
    fn read(&self, parts: &[&str]) -> Result<String, String> {
        fs::read_to_string(self.place_of(parts)?).map_err(|error| error.to_string())
    }

    fn display(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }

    fn identity(&self) -> String {
        fs::canonicalize(&self.0).as_deref().unwrap_or(&self.0).to_string_lossy().into_owned()
    }
}
