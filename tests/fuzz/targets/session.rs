//! Whole conversations with the door of a running node: the first byte says which CONNECT comes before them, the second in
//! which pieces they come. A client that is honest is there all the time and must hear the door.

#![no_main]

use libfuzzer_sys::fuzz_target;
use linnet::base::world::OsWorld;
use linnet::doors::mqtt::server::{Broker, Settings, serve};
use linnet::node::run::{Running, run};
use linnet::node::start::start;
use linnet::store::disk::OsDisk;
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::Options;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;

/// 3.1, 3.1.1 and 5.0; each with a session that ends with its connection, and one that stays.
const CONNECTS: [&[u8]; 6] = [
    b"\x10\x0F\x00\x06MQIsdp\x03\x02\x00\x3C\x00\x01a",
    b"\x10\x0F\x00\x06MQIsdp\x03\x00\x00\x3C\x00\x01b",
    b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01c",
    b"\x10\x0D\x00\x04MQTT\x04\x00\x00\x3C\x00\x01d",
    b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x01e",
    b"\x10\x13\x00\x04MQTT\x05\x00\x00\x3C\x05\x11\x00\x00\x00\x09\x00\x01f",
];

struct Stage {
    address: SocketAddr,
    honest: Mutex<TcpStream>,
    _running: Running,
}

static STAGE: OnceLock<Stage> = OnceLock::new();

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the door is open");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit above 0");
    stream
}

fn open() -> Stage {
    let data = std::env::temp_dir().join(format!("linnet-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&data).expect("a folder");
    let (disk, world) = (Arc::new(OsDisk::new(data)), Arc::new(OsWorld::new()));
    let (parts, _) = start(disk, Box::new(MemoryKv::default()), world, Options::default()).expect("it starts");
    let (node, running) = run(parts, || ()).expect("its threads start");
    let settings = Settings { anonymous: true, sys_interval_s: 0, version: "fuzz", sockets_max: 100 };
    let (broker, hub) = (Arc::new(Broker::new(node.clone(), settings)), node.hub.clone());
    let (bound, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            bound.send(listener.local_addr().expect("it is bound")).expect("somebody waits");
            tokio::spawn(async move { hub.relay().await });
            serve(vec![(listener, None)], broker, std::future::pending()).await;
        });
    });
    let address = address.recv().expect("the door opens");
    let mut honest = connect(address);
    honest.write_all(b"\x10\x12\x00\x04MQTT\x04\x02\x00\x00\x00\x06honest").expect("a CONNECT");
    honest.read_exact(&mut [0; 4]).expect("it is let in");
    Stage { address, honest: Mutex::new(honest), _running: running }
}

fuzz_target!(|bytes: &[u8]| {
    let [how, piece, bytes @ ..] = bytes else { return };
    let stage = STAGE.get_or_init(open);
    let mut client = connect(stage.address);
    let first = CONNECTS.get(usize::from(how & 7)).copied().unwrap_or_default();
    let whole = [first, bytes].concat();
    // Whoever is hung up on in the middle of a word has had an answer.
    let _ = whole.chunks(1 + usize::from(*piece)).try_for_each(|piece| client.write_all(piece));
    let _ = client.shutdown(Shutdown::Write);
    if let Err(error) = client.read_to_end(&mut Vec::new()) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the door neither goes on nor ends");
    }
    let mut honest = stage.honest.lock().expect("nobody panics with it");
    honest.write_all(b"\xC0\x00").expect("it was not hung up on");
    let mut answer = [0; 2];
    honest.read_exact(&mut answer).expect("the others are answered");
    assert_eq!(answer, [0xD0, 0]);
});
