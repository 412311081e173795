//! Folders of unpacked extensions: on disk, or built into this program.

use port_core_webext::extension::{Files, MemoryFiles};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of an unpacked extension.
#[derive(Clone, Debug)]
pub(crate) enum Folder {
    /// A folder on disk.
    Disk(PathBuf),
    /// Files made by this program, or built into it.
    Memory(Arc<MemoryFiles>),
}

impl Folder {
    /// Creates a folder of files that are built into this program.
    pub(crate) fn embedded(name: &str, files: &[(&str, &str)]) -> Self {
        Self::Memory(Arc::new(MemoryFiles::new(name, files.iter().copied())))
    }
}

impl Files for Folder {
    fn read(&self, parts: &[&str]) -> Result<String, String> {
        match self {
            Self::Disk(folder) => read_inside(folder, parts),
            Self::Memory(files) => files.read(parts),
        }
    }

    fn display(&self, file: &str) -> String {
        match self {
            Self::Disk(folder) => folder.join(file).display().to_string(),
            Self::Memory(files) => files.display(file),
        }
    }

    fn identity(&self) -> String {
        match self {
            Self::Disk(folder) => {
                fs::canonicalize(folder).as_deref().unwrap_or(folder).to_string_lossy().into_owned()
            }
            Self::Memory(files) => files.identity(),
        }
    }
}

/// Reads a file that really lies in the folder: symbolic links within the folder are followed, those
/// that lead out of it are not.
fn read_inside(folder: &Path, parts: &[&str]) -> Result<String, String> {
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| error.to_string());
    let (folder, file) = (real(folder)?, real(&folder.join(parts.iter().collect::<PathBuf>()))?);
    if !file.starts_with(&folder) {
        return Err("it lies outside of the extension's folder".to_owned());
    }
    // A pipe would never end, a device has no end.
    if !file.is_file() {
        return Err("not a file".to_owned());
    }
    fs::read_to_string(&file).map_err(|error| error.to_string())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::Folder;
    use port_core_webext::extension::Files;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_symbolic_link_is_followed_within_the_folder_and_not_out_of_it() {
        let around = std::env::temp_dir().join(format!("port-core-folder-{}", std::process::id()));
        let folder = around.join("extension");
        fs::create_dir_all(folder.join("scripts")).expect("a writable folder");
        fs::write(around.join("secret.js"), "secret").expect("a writable folder");
        fs::write(folder.join("scripts/a.js"), "a").expect("a writable folder");
        symlink(folder.join("scripts/a.js"), folder.join("inside.js")).expect("links");
        symlink("scripts", folder.join("folder-inside")).expect("links");
        symlink("../secret.js", folder.join("outside.js")).expect("links");
        symlink("..", folder.join("folder-outside")).expect("links");
        symlink("/dev/zero", folder.join("endless.js")).expect("links");
        // The folder itself may be named by a link.
        symlink(&folder, around.join("named")).expect("links");

        let read = |folder: &Folder, path: &str| (folder as &dyn Files).read_path(path);
        for folder in [Folder::Disk(folder), Folder::Disk(around.join("named"))] {
            for path in ["scripts/a.js", "inside.js", "folder-inside/a.js"] {
                assert_eq!(read(&folder, path).as_deref(), Ok("a"), "{path}");
            }
            for path in ["outside.js", "folder-outside/secret.js", "endless.js"] {
                assert_eq!(
                    read(&folder, path),
                    Err(format!("cannot read {path:?}: it lies outside of the extension's folder"))
                );
            }
            assert_eq!(read(&folder, "scripts"), Err("cannot read \"scripts\": not a file".to_owned()));
        }
        fs::remove_dir_all(&around).expect("the folder");
    }
}
