//! The program as a process that serves: started on a folder, killed, stopped, started again.

use crate::args::Args;
use crate::wait::{PATIENCE, now, until, until_within};
use crate::{Outcome, wrong};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// What is promised: a node serves within this, whatever it finds.
pub const START_MAX: Duration = Duration::from_secs(5);
/// How long a command may work beside the load.
const CARE_MAX: Duration = Duration::from_secs(2);
/// Lines of the node's log that are shown when it does not start.
const LOG_LINES: usize = 6;

/// How nodes are started.
#[derive(Debug, Clone)]
pub struct Launch {
    pub binary: PathBuf,
    /// Words of `LINNET_PLANT`.
    pub planted: Vec<String>,
    /// The settings, when there are some.
    pub config: Option<PathBuf>,
    /// Further variables.
    pub variables: Vec<(String, String)>,
}

impl Launch {
    /// As the run was told to.
    pub fn of(args: &Args) -> Launch {
        let planted = args.planted.iter().cloned().collect();
        Launch { binary: args.binary.clone(), planted, config: None, variables: Vec::new() }
    }

    /// Without any fault: for the node that looks at what another has left.
    pub fn sound(args: &Args) -> Launch {
        Launch { planted: Vec::new(), ..Launch::of(args) }
    }

    /// With segments so short and checkpoints so soon that a short life comes through many.
    pub fn with_small_segments(mut self) -> Launch {
        self.planted.extend(["small-segments", "soon-checkpoints"].map(String::from));
        self
    }

    /// `linnet` with the machine's own settings taken away.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LINNET_") {
                command.env_remove(name);
            }
        }
        if !self.planted.is_empty() {
            command.env("LINNET_PLANT", self.planted.join(","));
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Whether this program has a command.
    pub fn knows(&self, word: &str) -> Outcome<bool> {
        let help = self.command().arg("--help").output()?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        Ok(help.lines().any(|line| line.split_whitespace().next() == Some(word)))
    }

    /// Whether `linnet check` finds nothing wrong with a folder; its words when it does.
    pub fn check(&self, data: &Path) -> Outcome<Result<(), String>> {
        let done = self.command().arg("check").arg("--data").arg(data).output()?;
        let words = || format!("linnet check: {}", String::from_utf8_lossy(&done.stdout).trim_end());
        Ok(if done.status.success() { Ok(()) } else { Err(words()) })
    }

    /// Has the command line tell a running node to do what takes long and moves much, as far as this program can. It need
    /// not come to its end: a node under load condenses for as long as there is something new to leave out.
    pub fn care(&self, data: &Path, backup: &Path) -> Outcome<()> {
        for (word, operand) in [("compact", None), ("backup", Some(backup))] {
            if self.knows(word)? {
                let mut command = self.command();
                command.arg(word).args(operand).arg("--data").arg(data);
                let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
                if !until_within(CARE_MAX, || !matches!(child.try_wait(), Ok(None))) {
                    child.kill()?;
                } else if !child.wait()?.success() {
                    return Err(wrong(format!("linnet {word} failed")));
                }
                child.wait()?;
            }
        }
        Ok(())
    }

    /// Starts a node in test mode on this folder and waits until it serves.
    pub fn start(&self, data: &Path) -> Outcome<Node> {
        let log = log_of(data);
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = self.command();
        command.args(["serve", "--test-mode", "--http", "127.0.0.1:0", "--data"]).arg(data);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        // Where it is started is none of its settings' places.
        command.current_dir(data.parent().unwrap_or(Path::new("/")));
        let began = now();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn()?;
        let output = child.stdout.take().ok_or_else(|| wrong("the output is piped"))?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            // Once, and again whenever it takes the place of itself.
            while let Some(address) = ready_line(&mut output) {
                let _ = tell.send(address);
            }
        });
        let mut node = Node {
            child,
            told,
            address: ([127, 0, 0, 1], 0).into(),
            mqtt: None,
            ready_after: began.elapsed(),
            log,
        };
        node.serves()?;
        node.ready_after = began.elapsed();
        Ok(node)
    }
}

/// Where the log of the nodes on a folder lies: beside it, so that the folder stays the node's own.
pub fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

/// A running node; dropping it kills it.
pub struct Node {
    child: Child,
    /// Where it serves, each time it begins to.
    told: Receiver<(SocketAddr, Option<SocketAddr>)>,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where it takes MQTT.
    pub mqtt: Option<SocketAddr>,
    /// From its start to the line that says it serves.
    pub ready_after: Duration,
    log: PathBuf,
}

impl Node {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Returns when it has begun to serve, once more if it did before.
    pub fn serves(&mut self) -> Outcome<()> {
        match self.told.recv_timeout(PATIENCE) {
            Ok(told) => (self.address, self.mqtt) = told,
            Err(_) => {
                let ended = self.child.try_wait()?.map_or("hangs".to_owned(), |status| status.to_string());
                return Err(wrong(format!("it did not start ({ended}): {}", self.last_lines())));
            }
        }
        Ok(())
    }

    /// Waits until its log says this.
    pub fn says(&self, words: &str) -> Outcome<()> {
        let said = || fs::read_to_string(&self.log).is_ok_and(|log| log.contains(words));
        if until(said) {
            Ok(())
        } else {
            Err(wrong(format!("it does not say '{words}': {}", self.last_lines())))
        }
    }

    /// Kills it at once (signal 9).
    pub fn kill(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Outcome<ExitStatus> {
        kill_process(self.pid(), Signal::TERM)?;
        self.wait()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> Outcome<ExitStatus> {
        let child = &mut self.child;
        if until(|| !matches!(child.try_wait(), Ok(None))) {
            child.wait()
        } else {
            Err(wrong("it does not end"))
        }
    }

    /// Holds it where it is, as if time stood still for it.
    pub fn hold(&self) -> Outcome<()> {
        kill_process(self.pid(), Signal::STOP)?;
        let state = PathBuf::from(format!("/proc/{}/stat", self.child.id()));
        let held = || fs::read_to_string(&state).is_ok_and(|text| text.contains(") T "));
        if until(held) { Ok(()) } else { Err(wrong("it does not hold")) }
    }

    /// Lets it go on.
    pub fn go_on(&self) -> Outcome<()> {
        Ok(kill_process(self.pid(), Signal::CONT)?)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Bytes it keeps in memory.
    pub fn resident_bytes(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| wrong("no VmRSS"))
    }

    /// What its log ends with.
    pub fn last_lines(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" | ")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line `ready http=ADDR:PORT mqtt=... pid=N`.
fn ready_line(output: &mut impl BufRead) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let mut line = String::new();
    while output.read_line(&mut line).ok()? > 0 {
        if let Some(rest) = line.strip_prefix("ready ") {
            let named = |name| rest.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse().ok());
            return Some((named("http=")?, named("mqtt=")));
        }
        line.clear();
    }
    None
}
