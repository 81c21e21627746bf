//! The brokers that are measured side by side: linnet and Mosquitto, each a process of its own.

use crate::args::Args;
use crate::folders::Fresh;
use crate::server::Server;
use crate::stats::now;
use crate::{Outcome, machine, wrong};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than any start that is worth a figure.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Linnet,
    Mosquitto,
}

impl Peer {
    pub const BOTH: [Peer; 2] = [Peer::Linnet, Peer::Mosquitto];

    pub fn name(self) -> &'static str {
        match self {
            Peer::Linnet => "linnet",
            Peer::Mosquitto => "mosquitto",
        }
    }
}

/// A running broker with a folder of its own.
pub struct Broker {
    process: Process,
    /// Where it takes MQTT.
    pub address: SocketAddr,
    _folder: Fresh,
}

enum Process {
    Linnet(Server),
    Mosquitto(Child),
}

impl Broker {
    /// Starts one and waits until it takes connections.
    pub fn start(args: &Args, peer: Peer) -> Outcome<Broker> {
        let folder = Fresh::new(args)?;
        match peer {
            Peer::Linnet => {
                let server = Server::start(args, &folder.path())?;
                let address = server.mqtt.ok_or_else(|| wrong("this linnet takes no MQTT"))?;
                Ok(Broker { process: Process::Linnet(server), address, _folder: folder })
            }
            Peer::Mosquitto => mosquitto(folder),
        }
    }

    pub fn pid(&self) -> u32 {
        match &self.process {
            Process::Linnet(server) => server.pid(),
            Process::Mosquitto(child) => child.id(),
        }
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
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Process::Mosquitto(child) = &mut self.process {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Debian's Mosquitto with persistence on, as on a gateway, and without its bound on what it queues.
fn mosquitto(folder: Fresh) -> Outcome<Broker> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let home = folder.folder().display().to_string();
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {home}/\n\
         max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\nuser root\n"
    );
    let file = folder.folder().join("mosquitto.conf");
    fs::write(&file, settings)?;
    let program = ["/usr/sbin/mosquitto", "mosquitto"].into_iter().find(|name| {
        Command::new(name).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    });
    let program = program.ok_or_else(|| wrong("mosquitto is missing: apt-get install mosquitto"))?;
    let child =
        Command::new(program).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let broker = Broker { process: Process::Mosquitto(child), address, _folder: folder };
    let began = now();
    while TcpStream::connect(address).is_err() {
        if now() - began > PATIENCE {
            return Err(wrong("mosquitto does not take connections"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(broker)
}
