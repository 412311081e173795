//! Says which scenarios the browser plays as they were recorded: `agree RECORDED PRODUCED`, two folders of traces.

#[path = "../../../browser/src/tests/agreement.rs"]
mod agreement;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> io::Result<ExitCode> {
    let folders: Vec<_> = env::args_os().skip(1).collect();
    let [recorded, produced] = &folders[..] else {
        eprintln!("agree RECORDED PRODUCED");
        return Ok(ExitCode::from(2));
    };
    let mut files = fs::read_dir(produced)?.collect::<io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let (mut agree, mut differ) = (0, 0);
    for file in files {
        let name = file.file_name();
        let shown = Path::new(&name).with_extension("");
        let difference = match fs::read_to_string(Path::new(recorded).join(&name)) {
            Ok(trace) => agreement::difference(&trace, &fs::read_to_string(file.path())?),
            Err(error) => Some(error.to_string()),
        };
        if let Some(difference) = difference {
            differ += 1;
            let first: String = difference.lines().next().unwrap_or_default().chars().take(600).collect();
            println!("differs  {}: {first}", shown.display());
        } else {
            agree += 1;
            println!("agrees   {}", shown.display());
        }
    }
    println!("{agree} agree, {differ} differ");
    Ok(if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
