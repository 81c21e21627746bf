//! The real binary: run with arguments in a folder of its own, without the settings of this machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run of the program left.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A folder to run the program in.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// An empty folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
            fs::write(path, text).expect("written");
        }
        Desk { folder }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `linnet` with the words of `line`.
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    /// Runs `linnet` with the words of `line` and this text on its standard input.
    pub fn run_with_input(&self, line: &str, input: &str) -> Ran {
        let path = self.path().join("standard-input");
        fs::write(&path, input).expect("written");
        self.run_from(line, &[], fs::File::open(path).expect("it was just written").into())
    }

    /// Runs `linnet` with the words of `line` and a file of the folder as its standard input.
    pub fn run_from_file(&self, line: &str, name: &str) -> Ran {
        self.run_from(line, &[], fs::File::open(self.path().join(name)).expect("it is there").into())
    }

    /// Runs `linnet` with the words of `line` and these variables.
    pub fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        self.run_from(line, variables, Stdio::null())
    }

    /// Runs `linnet` with the words of `line` and nobody who reads its standard output.
    pub fn run_into_nothing(&self, line: &str) -> Ran {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.run_between(line, &[], Stdio::null(), writer.into())
    }

    fn run_from(&self, line: &str, variables: &[(&str, &str)], input: Stdio) -> Ran {
        self.run_between(line, variables, input, Stdio::piped())
    }

    fn run_between(&self, line: &str, variables: &[(&str, &str)], input: Stdio, output: Stdio) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linnet"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LINNET_") {
                command.env_remove(name);
            }
        }
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(input).stdout(output);
        let Output { status, stdout, stderr } =
            command.envs(variables.iter().copied()).output().expect("the program was built");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran { code: status.code().expect("no signal"), out: text(stdout), err: text(stderr) }
    }
}
