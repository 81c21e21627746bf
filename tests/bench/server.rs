//! The node that is measured: a child process on a data folder.

use crate::args::Args;
use crate::stats::now;
use crate::{Outcome, machine, wrong};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longer than any start or stop that is worth a figure.
const PATIENCE: Duration = Duration::from_secs(120);
/// Lines of the server's log that are shown when it does not start.
const LOG_LINES: usize = 8;

/// A running node.
pub struct Server {
    child: Child,
    /// Where it serves HTTP and WebSockets.
    pub address: SocketAddr,
    /// Where it takes MQTT.
    pub mqtt: Option<SocketAddr>,
    /// From its start to the line that says it serves.
    pub ready_after: Duration,
    /// The end of its output stays open: it may say more.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a node in test mode on this folder and waits until it serves.
    pub fn start(args: &Args, data: &Path) -> Outcome<Server> {
        Server::start_with(args, data, &[])
    }

    /// The same, with further settings.
    pub fn start_with(args: &Args, data: &Path, settings: &[(&str, &str)]) -> Outcome<Server> {
        let log = data.with_extension("log");
        let began = now();
        let mut child = Command::new(&args.binary)
            .args(["serve", "--test-mode", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .map_err(|error| wrong(format!("{}: {error}", args.binary.display())))?;
        let output = child.stdout.take().expect("the output is piped");
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let line = ready_line(&mut output);
            let _ = tell.send((line, now(), output));
        });
        match told.recv_timeout(PATIENCE) {
            Ok((Some((address, mqtt)), at, output)) => {
                Ok(Server { child, address, mqtt, ready_after: at - began, _output: output })
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(wrong(format!("the server did not start:\n{}", last_lines(&log))))
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of CPU it has used.
    pub fn cpu_s(&self) -> Outcome<f64> {
        machine::cpu_s(self.pid())
    }

    /// Bytes resident once it has settled.
    pub async fn settled_bytes(&self) -> Outcome<f64> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        machine::resident_bytes(self.pid())
    }

    /// Stops it cleanly.
    pub fn stop(mut self) -> Outcome<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let began = now();
        while now() - began < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(wrong(format!("the server ended with {status}")))
                };
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(wrong("the server does not stop"))
    }

    /// Ends it as a power cut would, but for what the kernel still holds.
    pub fn kill(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The addresses in the line `ready http=ADDR:PORT mqtt=ADDR:PORT pid=N`.
fn ready_line(output: &mut impl BufRead) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let mut line = String::new();
    while output.read_line(&mut line).ok()? > 0 {
        if let Some(rest) = line.strip_prefix("ready ") {
            let named =
                |name: &str| rest.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse().ok());
            return Some((named("http=")?, named("mqtt=")));
        }
        line.clear();
    }
    None
}

fn last_lines(log: &PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
