//! The command line.

use port_core_webext::Profile;
use std::path::PathBuf;

/// What the program is told to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    /// The folders of extensions.
    pub(crate) folders: Vec<PathBuf>,
    /// The pages that are opened, each in a tab.
    pub(crate) pages: Vec<String>,
    pub(crate) profile: Profile,
    /// Whether what happens is written to the standard output, a line each.
    pub(crate) log: bool,
    /// Whether the pane with extensions and the inspector is open.
    pub(crate) inspect: bool,
    /// The proxy that every page comes from, whatever its certificate says; `None` for the network.
    pub(crate) proxy: Option<String>,
    /// Whether a person's actions come over the standard input.
    pub(crate) driven: bool,
}

const HELP: &str = "\
A small browser whose extensions talk over Port core.

port-core-webkit-browser [OPTION…] [FOLDER…]

FOLDER              an unpacked extension
--page URL          opens a page in a tab; may be given several times
--profile NAME      chromium (the default) or firefox: whose ways extensions meet
--inspect           opens the pane with the extensions and the inspector
--log               writes what happens to the standard output, and a count of all there is on SIGUSR1
--proxy URL         has every page come from a proxy, and takes any certificate: to try extensions out, not to browse
--driven            does what the lines of the standard input say, as a person would; lines of `help` say which";

impl Arguments {
    /// Reads the arguments; `None` if only help was wanted, which is printed.
    pub(crate) fn read(given: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut arguments = Self::default();
        let mut given = given;
        while let Some(argument) = given.next() {
            let mut value = || given.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--help" | "-h" => {
                    println!("{HELP}");
                    return Ok(None);
                }
                "--page" => arguments.pages.push(value()?),
                "--profile" => arguments.profile = value()?.parse()?,
                "--inspect" => arguments.inspect = true,
                "--log" => arguments.log = true,
                "--proxy" => arguments.proxy = Some(value()?),
                "--driven" => arguments.driven = true,
                option if option.starts_with('-') => return Err(format!("no option {option}; see --help")),
                folder => arguments.folders.push(folder.into()),
            }
        }
        Ok(Some(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use port_core_webext::Profile;

    #[test]
    fn folders_and_options_may_come_in_any_order() {
        let given = ["one", "--profile", "firefox", "two", "--page", "http://a/"].map(str::to_owned);
        let read = Arguments::read(given.into_iter()).unwrap().unwrap();
        assert_eq!(read.folders, ["one", "two"].map(std::path::PathBuf::from));
        assert_eq!((read.profile, read.pages), (Profile::Firefox, vec!["http://a/".to_owned()]));
        for wrong in [&["--nothing"][..], &["--page"], &["--profile", "lynx"]] {
            assert!(Arguments::read(wrong.iter().map(|text| (*text).to_owned())).is_err());
        }
    }
}
