//! A real Mosquitto on a free port of its own, which keeps what it acknowledged, and `mosquitto_pub`.

use super::wait::until;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A broker; dropping it ends it.
pub struct Mosquitto {
    child: Child,
    folder: TempDir,
    pub port: u16,
    user: Option<(&'static str, &'static str)>,
}

/// The program, or a failure that says how to get it: `/usr/sbin` is not on everybody's path.
pub fn program(name: &str) -> Command {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = places.map(|folder: PathBuf| folder.join(name)).find(|path| path.is_file());
    let found = found.unwrap_or_else(|| {
        panic!("{name} is missing: apt-get install mosquitto mosquitto-clients, or run tests/run")
    });
    Command::new(found)
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Mosquitto {
    /// A broker that lets everybody in.
    pub async fn start() -> Mosquitto {
        Mosquitto::start_at(free_port(), None).await
    }

    /// A broker that lets in one user.
    pub async fn start_with(user: &'static str, password: &'static str) -> Mosquitto {
        Mosquitto::start_at(free_port(), Some((user, password))).await
    }

    /// A broker that lets everybody in, with these settings more, which may name files of its folder.
    pub async fn start_also(more: &dyn Fn(&Path) -> String) -> Mosquitto {
        Mosquitto::start_as(free_port(), None, more).await
    }

    /// A broker on this port.
    pub async fn start_at(port: u16, user: Option<(&'static str, &'static str)>) -> Mosquitto {
        Mosquitto::start_as(port, user, &|_| String::new()).await
    }

    async fn start_as(
        port: u16,
        user: Option<(&'static str, &'static str)>,
        more: &dyn Fn(&Path) -> String,
    ) -> Mosquitto {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let mut conf = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence true\npersistence_location {path}/\n\
             autosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\n\
             log_type all\n"
        );
        conf += match user {
            None => "allow_anonymous true\n".to_owned(),
            Some((name, password)) => {
                let file = folder.path().join("passwords");
                let mut tool = program("mosquitto_passwd");
                let made = tool.args(["-b", "-c"]).arg(&file).args([name, password]).output().unwrap();
                assert!(made.status.success(), "{made:?}");
                format!("allow_anonymous false\npassword_file {}\n", file.display())
            }
        }
        .as_str();
        conf += &more(folder.path());
        fs::write(folder.path().join("conf"), conf).unwrap();
        let child = Mosquitto::spawn(&folder);
        let mut broker = Mosquitto { child, folder, port, user };
        broker.answers().await;
        broker
    }

    fn spawn(folder: &TempDir) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.path().join("log")).unwrap();
        let mut broker = program("mosquitto");
        broker.arg("-c").arg(folder.path().join("conf")).stdout(Stdio::null()).stderr(log);
        broker.spawn().unwrap()
    }

    async fn answers(&mut self) {
        let port = self.port;
        until("mosquitto answers", || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "mosquitto ended: {}", self.log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
    }

    /// Where its files lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Kills it at once (signal 9), as a power cut does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on what it kept.
    pub async fn start_again(&mut self) {
        self.child = Mosquitto::spawn(&self.folder);
        self.answers().await;
    }

    /// Whether its own store holds these bytes.
    pub fn stores(&self, bytes: &str) -> bool {
        let stored = fs::read(self.folder.path().join("mosquitto.db")).unwrap_or_default();
        stored.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// Publishes one message at QoS 1; returns when the broker has acknowledged it.
    pub fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let done = self.publisher(topic).args(["-m", payload]).args(more).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// Publishes each line at QoS 1, on one connection; returns when the broker has acknowledged all.
    pub fn publish_lines(&self, topic: &str, lines: impl Iterator<Item = String>) {
        let mut publisher = self.publisher(topic).arg("-l").stdin(Stdio::piped()).spawn().unwrap();
        let text: String = lines.map(|line| line + "\n").collect();
        publisher.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(publisher.wait().unwrap().success());
    }

    fn publisher(&self, topic: &str) -> Command {
        let mut command = program("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic]);
        if let Some((user, password)) = self.user {
            command.args(["-u", user, "-P", password]);
        }
        command
    }
}

impl Mosquitto {
    /// A client that hears a filter at QoS 1, in a session that the broker keeps under its name; subscribed already.
    pub async fn subscribe(&self, name: &str, filter: &str, more: &[&str]) -> Subscriber {
        let file = self.folder.path().join(format!("heard-{name}-{}", self.log().len()));
        let subscribed = format!("Sending SUBACK to {name}");
        let before = self.log().matches(&subscribed).count();
        let mut command = program("mosquitto_sub");
        let port = self.port.to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-c", "-i", name, "-t", filter]);
        let out = fs::File::create(&file).unwrap();
        let child = command.args(more).stdout(out).spawn().unwrap();
        until("the client has subscribed", || self.log().matches(&subscribed).count() > before).await;
        Subscriber { child, file }
    }
}

/// A `mosquitto_sub`; dropping it ends it.
pub struct Subscriber {
    child: Child,
    file: PathBuf,
}

impl Subscriber {
    /// The payloads it heard, each a line.
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    /// Ends it; the broker keeps its session.
    pub fn leave(self) {}
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
