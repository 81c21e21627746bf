//! A real node on port 0: its threads, its HTTP door, and people who can log in to it.

use super::ask::{Heard, ask, connect};
use linnet::base::id::UserId;
use linnet::base::world::{OsWorld, World};
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::user::{Role, Roles};
use linnet::doors::http::metrics::Process;
use linnet::doors::http::{Site, SiteSettings, serve};
use linnet::node::accounts::NewUser;
use linnet::node::passwords::Digested;
use linnet::node::run::{Running, run};
use linnet::node::start::start;
use linnet::node::{Caller, Node, NodeHandle};
use linnet::store::disk::{Disk, OsDisk};
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::Options;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// A running node with its HTTP door. Dropping it stops both.
pub struct Served {
    pub address: SocketAddr,
    pub node: NodeHandle,
    running: Option<Running>,
    stop: Option<oneshot::Sender<()>>,
    passing: mpsc::UnboundedSender<Pass>,
    thread: Option<JoinHandle<()>>,
    may_fail: bool,
    _data: tempfile::TempDir,
}

/// Somebody with a session.
pub struct Person {
    pub id: UserId,
    pub username: String,
    pub token: String,
}

impl Person {
    /// Who this is for the node.
    pub fn caller(&self) -> Caller {
        Caller::with_token(&self.token)
    }

    /// The two headers of every Rocket.Chat client.
    pub fn headers(&self) -> [(&str, &str); 2] {
        [("X-Auth-Token", &self.token), ("X-User-Id", self.id.as_str())]
    }
}

impl Served {
    /// A node in test mode: no limits of rate.
    pub fn start() -> Served {
        Served::start_with(|settings| settings.test_mode = true)
    }

    /// A node whose settings were changed before its start.
    pub fn start_with(change: impl FnOnce(&mut SiteSettings)) -> Served {
        Served::begin(change, false, None, Arc::new(OsWorld::new()))
    }

    /// A node in test mode on this disk, which may fail; then the node may stop with an error.
    pub fn start_on(disk: Arc<dyn Disk>) -> Served {
        Served::begin(|settings| settings.test_mode = true, false, Some(disk), Arc::new(OsWorld::new()))
    }

    /// A node in test mode on a machine with these clocks.
    pub fn start_in(world: Arc<dyn World>) -> Served {
        Served::begin(|settings| settings.test_mode = true, false, None, world)
    }

    /// A node whose door waits for nobody: whenever it has nothing to do, its clock leaps to the next limit of time.
    pub fn start_impatient() -> Served {
        Served::begin(|settings| settings.test_mode = true, true, None, Arc::new(OsWorld::new()))
    }

    fn begin(
        change: impl FnOnce(&mut SiteSettings),
        impatient: bool,
        failing: Option<Arc<dyn Disk>>,
        world: Arc<dyn World>,
    ) -> Served {
        let data = tempfile::tempdir().unwrap();
        let may_fail = failing.is_some();
        let disk = failing.unwrap_or_else(|| Arc::new(OsDisk::new(data.path().to_owned())));
        let (parts, _) = start(disk, Box::new(MemoryKv::default()), world, Options::default()).unwrap();
        let (node, running) = run(parts, || ()).unwrap();
        let mut settings = SiteSettings {
            export: linnet::doors::papers::export::begin,
            import: linnet::doors::papers::arriving::begin,
            node: node.clone(),
            name: "linnet".into(),
            version: "0.1.0".into(),
            hosts: vec!["chat.example.org".into()],
            machine: "porch-pi".into(),
            addresses: vec!["http://192.0.2.1:3000".into()],
            test_mode: false,
            sockets_max: 10_000,
            mqtt: None,
            trier: None,
            process: || Process { memory_bytes: Some(4_711), written_bytes: None },
        };
        change(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (passing, passes) = mpsc::unbounded_channel();
        let (bound, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().start_paused(impatient).build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let hub = settings.node.hub.clone();
                tokio::spawn(async move { hub.relay().await });
                bound.send(listener.local_addr().unwrap()).unwrap();
                let hub = settings.node.hub.clone();
                tokio::spawn(async move { hub.relay().await });
                tokio::spawn(pass_as_told(passes));
                serve(listener, Arc::new(Site::new(settings)), async { drop(stopped.await) }).await;
            });
        });
        let (running, stop, thread) = (Some(running), Some(stop), Some(thread));
        Served {
            address: address.recv().unwrap(),
            node,
            running,
            stop,
            passing,
            thread,
            may_fail,
            _data: data,
        }
    }

    /// Stops the clock of the door, lets so much time pass on it, and returns when whoever waited for it has woken.
    pub fn pass(&self, time: Duration) {
        let (done, passed) = std::sync::mpsc::channel();
        self.passing.send((time, done)).unwrap();
        passed.recv().unwrap();
    }

    /// Has the node do something as its operator.
    pub fn operator<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    ) -> T {
        self.node.call_blocking(&Caller::Operator, job).unwrap()
    }

    /// A person with a session and no password.
    pub fn person(&self, username: &str, roles: &[Role]) -> Person {
        self.somebody(username, roles, None)
    }

    /// A person who can log in.
    pub fn person_with_password(&self, username: &str, roles: &[Role], password: &str) -> Person {
        let digest = Digested::of_plain(password).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let hash = self.node.passwords().hash_blocking(digest).unwrap();
        self.somebody(username, roles, Some(hash))
    }

    fn somebody(&self, username: &str, roles: &[Role], hash: Option<smol_str::SmolStr>) -> Person {
        let mut new =
            NewUser::person(Name::parse(username).unwrap(), username, hash.clone().unwrap_or_default());
        new.password = hash;
        new.roles = Roles::of(roles);
        let (user, token) = self.operator(move |node| {
            let user = node.add_user(&Caller::Operator, new)?;
            let (token, _) = node.open_session(&user.id)?;
            Ok((user, token))
        });
        Person { id: user.id.clone(), username: username.into(), token }
    }

    /// A socket to the node.
    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// A request with anything.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Heard {
        ask(self.address, method, path, headers, body)
    }

    /// A stranger's GET.
    pub fn get(&self, path: &str) -> Heard {
        self.ask("GET", path, &[], None)
    }

    /// A person's GET.
    pub fn get_as(&self, person: &Person, path: &str) -> Heard {
        self.ask("GET", path, &person.headers(), None)
    }

    /// A stranger's POST of JSON.
    pub fn post(&self, path: &str, json: &serde_json::Value) -> Heard {
        let body = json.to_string();
        self.ask("POST", path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    /// A person's POST of JSON.
    pub fn post_as(&self, person: &Person, path: &str, json: &serde_json::Value) -> Heard {
        let [token, id] = person.headers();
        let body = json.to_string();
        self.ask("POST", path, &[("Content-Type", "application/json"), token, id], Some(body.as_bytes()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        let served = self.thread.take().map(JoinHandle::join);
        let stopped = self.running.take().map(Running::stop);
        if !std::thread::panicking() {
            assert!(
                matches!(served, Some(Ok(()))) && (matches!(stopped, Some(Ok(()))) || self.may_fail),
                "it did not stop cleanly"
            );
        }
    }
}

/// Time to pass, and who waits for it.
type Pass = (Duration, std::sync::mpsc::Sender<()>);

/// From the first time on, the clock of this runtime goes only by what comes here.
async fn pass_as_told(mut passes: mpsc::UnboundedReceiver<Pass>) {
    let Some(first) = passes.recv().await else { return };
    tokio::time::pause();
    // While a thread works, the clock does not run ahead by itself; this one works until nobody passes time any more.
    let (_told, never) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || never.recv());
    let mut pass = Some(first);
    while let Some((time, done)) = pass {
        tokio::time::advance(time).await;
        // A task that yields goes on after the timers and those they woke.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        done.send(()).unwrap();
        pass = passes.recv().await;
    }
}
