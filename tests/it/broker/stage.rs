//! A running node whose broker's door stands open on a free port, and people and devices who have keys.

use linnet::base::world::{OsWorld, World};
use linnet::chat::device::TopicRights;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::Filter;
use linnet::config::{Config, Sources};
use linnet::doors::mqtt::server::{Bindings, Broker, Settings, serve};
use linnet::node::devices::{NewDevice, Rights};
use linnet::node::run::{Running, run};
use linnet::node::start::start;
use linnet::node::{Caller, Node, NodeHandle};
use linnet::store::disk::OsDisk;
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::Options;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A node and its broker. Dropping it stops both.
pub struct Stage {
    pub address: SocketAddr,
    pub node: NodeHandle,
    running: Option<Running>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _data: tempfile::TempDir,
}

impl Stage {
    /// A node that lets in whoever comes from this machine.
    pub fn open() -> Stage {
        Stage::with(|_| ())
    }

    /// A node that Home Assistant finds, by the name `home`.
    pub fn found() -> Stage {
        Stage::made(
            "",
            |_| (),
            Arc::new(OsWorld::new()),
            |broker| broker.found_under("homeassistant", "home"),
        )
    }

    /// A node whose door has these settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Stage {
        Stage::made("", change, Arc::new(OsWorld::new()), |broker| broker)
    }

    /// A node with these bindings, written as in its settings.
    pub fn bound(binds: &str) -> Stage {
        Stage::made(binds, |_| (), Arc::new(OsWorld::new()), |broker| broker)
    }

    /// A node on a machine with these clocks.
    pub fn open_in(world: Arc<dyn World>) -> Stage {
        Stage::made("", |_| (), world, |broker| broker)
    }

    fn made(
        binds: &str,
        change: impl FnOnce(&mut Settings),
        world: Arc<dyn World>,
        made: impl FnOnce(Broker) -> Broker,
    ) -> Stage {
        let data = tempfile::tempdir().unwrap();
        let disk = Arc::new(OsDisk::new(data.path().to_owned()));
        let (parts, _) = start(disk, Box::new(MemoryKv::default()), world, Options::default()).unwrap();
        let (node, running) = run(parts, || ()).unwrap();
        let mut settings = Settings {
            anonymous: true,
            sys_interval_s: 1,
            keep_alive_max_s: 0,
            version: "0.1.0",
            sockets_max: 1_000,
        };
        change(&mut settings);
        let file = data.path().join("linnet.toml");
        std::fs::write(&file, binds).unwrap();
        let config = Config::load(&Sources { config: Some(file), ..Sources::default() }).unwrap().config;
        let bindings = Bindings::new(config.binds, vec!["linnet-own".into()], &node);
        let broker = Arc::new(made(Broker::new(node.clone(), settings).with(bindings)));
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = std::sync::mpsc::channel();
        let hub = node.hub.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                tokio::spawn(async move { hub.relay().await });
                serve(vec![(listener, None)], broker, async { drop(stopped.await) }).await;
            });
        });
        let (running, stop, thread) = (Some(running), Some(stop), Some(thread));
        Stage { address: address.recv().unwrap(), node, running, stop, thread, _data: data }
    }

    /// Has the node do something as its operator.
    pub fn operator<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    ) -> T {
        self.node.call_blocking(&Caller::Operator, job).unwrap()
    }

    /// A device with a room and rights among topics; its key.
    pub fn device(&self, name: &str, room: &str, publish: &[&str], subscribe: &[&str]) -> String {
        let filters = |texts: &[&str]| texts.iter().map(|text| Filter::parse(text).unwrap()).collect();
        let topics =
            TopicRights { publish: filters(publish), subscribe: filters(subscribe), command: Vec::new() };
        let new = NewDevice {
            name: Name::parse(name).unwrap(),
            room: Some((room.into(), Rights::Both)),
            topics,
            certificate: false,
        };
        self.operator(move |node| Ok(node.make_device(&Caller::Operator, new)?.key))
    }

    /// Stops the door as the node's end does, and waits until it is closed.
    pub fn close_door(&mut self) {
        drop(self.stop.take());
        let served = self.thread.take().map(JoinHandle::join);
        assert!(matches!(served, Some(Ok(())) | None), "the door did not close cleanly");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.stop.take());
        let served = self.thread.take().map(JoinHandle::join);
        let stopped = self.running.take().map(Running::stop);
        if !std::thread::panicking() {
            assert!(matches!(served, Some(Ok(())) | None), "the door did not close cleanly");
            assert!(matches!(stopped, Some(Ok(()))), "the node did not stop cleanly");
        }
    }
}
