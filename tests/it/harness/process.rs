//! The real binary as a process that serves: started in a folder, asked, killed and started again.

use super::ask::{Heard, ask};
use crate::program::Desk;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A serving process. Dropping it kills it.
pub struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where it serves HTTPS.
    pub secure: Option<SocketAddr>,
    /// Where devices connect by MQTT.
    pub mqtt: Option<SocketAddr>,
    /// What it printed before it was ready.
    pub greeting: String,
}

impl Process {
    /// Starts `linnet serve` in the desk's folder with these further words, and waits for its ready line.
    pub fn start(desk: &Desk, words: &str) -> Process {
        Process::begin(command(desk, Command::new(env!("CARGO_BIN_EXE_linnet")), words))
    }

    /// As [`Process::start`], within limits that the shell's `ulimit` sets: `-n 64`.
    pub fn start_within(desk: &Desk, limits: &[&str], words: &str) -> Process {
        let limits: String = limits.iter().map(|limit| format!("ulimit {limit} && ")).collect();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits}exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_linnet")]);
        Process::begin(command(desk, shell, words))
    }

    /// As [`Process::start`], or the program that `SIEGE_BIN` names; what it logs goes into this file of the folder.
    pub fn start_logging(desk: &Desk, log: &str, words: &str) -> Process {
        let binary = std::env::var_os("SIEGE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_linnet").into());
        // It is started in another folder.
        let binary = std::path::absolute(binary).unwrap();
        let mut command = command(desk, Command::new(binary), words);
        command.stderr(std::fs::File::create(desk.path().join(log)).unwrap());
        Process::begin(command)
    }

    fn begin(mut command: Command) -> Process {
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        match ready(&mut out) {
            Some((greeting, (address, secure, mqtt))) => {
                Process { child, out, address, secure, mqtt, greeting }
            }
            None => {
                let mut err = String::new();
                child.stderr.take().map(|mut from| from.read_to_string(&mut err));
                panic!("it ended before it was ready: {err}");
            }
        }
    }

    /// Waits until it has started itself anew; false if it ended instead.
    pub fn started_anew(&mut self) -> bool {
        match ready(&mut self.out) {
            Some((_, addresses)) => (self.address, self.secure, self.mqtt) = addresses,
            None => return false,
        }
        true
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Pulls the plug, as far as a process has one.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits; gives the exit code.
    pub fn stop(mut self) -> i32 {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().expect("it was not killed")
    }

    /// One request by HTTP.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Heard {
        ask(self.address, method, path, headers, body)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it serves: HTTP, HTTPS, MQTT.
type Addresses = (SocketAddr, Option<SocketAddr>, Option<SocketAddr>);

/// What it says until it is ready, and where it serves.
fn ready(out: &mut BufReader<ChildStdout>) -> Option<(String, Addresses)> {
    let mut greeting = String::new();
    loop {
        let mut line = String::new();
        if out.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(rest) = line.strip_prefix("ready http=") {
            let mut words = rest.split(' ');
            let address = words.next().unwrap().parse().unwrap();
            let named =
                |name| words.clone().find_map(|word| word.strip_prefix(name)).and_then(|at| at.parse().ok());
            return Some((greeting, (address, named("https="), named("mqtt="))));
        }
        greeting.push_str(&line);
    }
}

fn command(desk: &Desk, mut command: Command, words: &str) -> Command {
    command.args(["serve", "--http", "127.0.0.1:0"]).args(words.split_whitespace()).current_dir(desk.path());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LINNET_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
