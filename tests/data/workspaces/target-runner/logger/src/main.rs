//! A target runner: writes what it was started with into the directory that `LOGGER_DIR` names, then becomes the program
//! whose name stands behind `--`.

// cov-file: absent (a package outside of the workspace)

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let directory = std::env::var_os("LOGGER_DIR").expect("LOGGER_DIR must name a directory");
    let mut text = String::new();
    for argument in std::env::args_os().skip(1) {
        writeln!(text, "arg {argument:?}").unwrap();
    }
    writeln!(text, "cwd {:?}", std::env::current_dir().unwrap()).unwrap();
    let path = PathBuf::from(directory).join(format!("{}.txt", std::process::id()));
    std::fs::write(path, text).unwrap();
    let mut words = std::env::args_os().skip_while(|argument| argument != "--").skip(1);
    let mut command = Command::new(words.next().expect("a program behind `--`"));
    command.args(words);
    #[cfg(unix)]
    panic!("{}", std::os::unix::process::CommandExt::exec(&mut command));
    #[cfg(not(unix))]
    std::process::exit(command.status().unwrap().code().unwrap_or(1));
}
