//! Attacks on a node's broker, each in its full size or a part of it; and what others notice of them meanwhile. The
//! benchmark measures the same ones.

use super::client::{Client, Hello, packet, reason, text};
use linnet::base::limits::MQTT_RECEIVE_MAX;
use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Topic aliases, receive maximum and packet size as large as they get (MQTT 5.0, 3.1.2.11).
const GREEDY: [u8; 6] = [33, 0xFF, 0xFF, 34, 0xFF, 0xFF];
/// Bytes of a large payload.
const LARGE: usize = 100_000;

/// A node, and a device that is at home there.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub pid: u32,
    /// Its name and its key.
    pub device: (String, String),
    /// The attacks are this part of their full size, one in so many.
    pub part: usize,
}

/// What others saw of the node during an attack.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    /// Publications that were brought to somebody else, one after the other.
    pub rounds: usize,
    /// The longest that one of them took.
    pub delivery_max: Duration,
    /// The longest that somebody new had to try until the node let them in.
    pub welcome_max: Duration,
    /// KiB that the node had in memory for itself at most, and with its program's pages.
    pub own_kib_max: u64,
    pub kib_max: u64,
}

/// An attack.
pub type Attack = fn(&Target);

/// All of them, with the names they are told by.
pub const ATTACKS: [(&str, Attack); 11] = [
    ("half connects", half_connects),
    ("refused connects", refused_connects),
    ("half packets", half_packets),
    ("malformed", malformed),
    ("user properties", user_properties),
    ("filters", deep_filters),
    ("open ids", open_ids),
    ("deaf", deaf),
    ("silent", silent),
    ("wills", will_storm),
    ("retained", retained),
];

/// The attack of this name.
pub fn attack(name: &str) -> Attack {
    ATTACKS.into_iter().find(|(known, _)| *known == name).expect("it is in the list").1
}

/// Attacks, and looks meanwhile at what a device notices that talks to itself and comes again and again.
pub fn under(attack: Attack, target: &Target) -> Seen {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(target, &over));
        let attacked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| attack(target)));
        over.store(true, Ordering::SeqCst);
        let seen = looking.join().unwrap_or_else(|what| std::panic::resume_unwind(what));
        attacked.unwrap_or_else(|what| std::panic::resume_unwind(what));
        seen
    })
}

fn look(target: &Target, over: &AtomicBool) -> Seen {
    let hello = |client: &str| Hello::new(4, client).by(&target.device.0, &target.device.1);
    let mut hears = Client::connect(target.address, &hello("hears"));
    assert_eq!(hears.subscribe("home/+", 1), 1);
    let mut says = Client::connect(target.address, &hello("says"));
    let mut seen = Seen::default();
    while !over.load(Ordering::SeqCst) || seen.rounds == 0 {
        let began = Instant::now();
        assert_eq!(says.publish("home/lamp", &seen.rounds.to_string(), 1, false), 0);
        assert_eq!(hears.heard().payload, seen.rounds.to_string());
        seen.delivery_max = seen.delivery_max.max(began.elapsed());
        let began = Instant::now();
        let tries = (0..100).find_map(|_| Client::try_connect(target.address, &hello("guest")));
        tries.expect("somebody new is let in").ping();
        seen.welcome_max = seen.welcome_max.max(began.elapsed());
        seen.rounds += 1;
        let (own, all) = memory(target.pid);
        (seen.own_kib_max, seen.kib_max) = (seen.own_kib_max.max(own), seen.kib_max.max(all));
    }
    seen
}

/// KiB in memory that are a process's own, and all that were at any time.
fn memory(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the node lives");
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("a figure of memory")
    };
    (kib("RssAnon:"), kib("VmHWM:"))
}

impl Target {
    fn of(&self, full: usize) -> usize {
        full / self.part
    }

    fn raw(&self) -> Client {
        Client::raw(self.address, 5)
    }

    fn connect(&self, hello: &Hello) -> Client {
        Client::connect(self.address, hello)
    }
}

/// How many sockets this process may have open beside everything else.
fn sockets_max() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let granted = getrlimit(Resource::Nofile).current.unwrap_or(100_000);
    usize::try_from(granted).expect("a number of files").saturating_sub(200)
}

/// Connections that never say who they are: a word of nothing, a byte, half a CONNECT, a length and no more. As many as
/// may be open stay open.
fn half_connects(target: &Target) {
    let beginnings: [&[u8]; 4] = [b"", b"\x10", b"\x10\x0E\x00\x04MQTT\x05", b"\x10\xFF\x7F\x00"];
    let (mut held, held_max) = (VecDeque::new(), sockets_max());
    for number in 0..target.of(20_000) {
        let mut client = target.raw();
        client.try_send(beginnings[number % beginnings.len()]);
        held.push_back(client);
        if held.len() == held_max {
            held.pop_front();
        }
    }
}

/// Those who are told no, and do not hang up.
fn refused_connects(target: &Target) {
    let (mut held, held_max) = (VecDeque::new(), sockets_max());
    for number in 0..target.of(20_000) {
        let mut client = target.raw();
        match number % 2 {
            0 => client.try_send(&packet(0x10, b"\x00\x04MQTT\x09\x02\x00\x00\x00\x00")),
            _ => client.try_send(&packet(0x10, b"\x00\x04MQTT\x04\xC2\x00\x00\x00\x01c\x00\x01u\x00\x01p")),
        };
        held.push_back(client);
        if held.len() == held_max {
            held.pop_front();
        }
    }
}

/// Publications as long as there may be that all stop before their last byte.
fn half_packets(target: &Target) {
    let mut bytes = packet(0x30, &[text("siege/half"), vec![b'x'; 256 * 1024]].concat());
    bytes.pop();
    let mut held = Vec::new();
    for number in 0..target.of(2_000) {
        let mut hello = Hello::new(5, &format!("half{number}"));
        hello.keep_alive_s = 0;
        // Those who hold too much are hung up on, and so may be those who come next.
        let Some(mut client) = Client::try_connect(target.address, &hello) else { continue };
        client.try_send(&bytes);
        held.push(client);
    }
}

/// What is no packet, what is no first packet, and topics that are none.
fn malformed(target: &Target) {
    let first: [&[u8]; 6] = [
        b"\x10\xFF\xFF\xFF\xFF\x01",
        b"\x10\xFF\xFF\xFF\x7F",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xC0\x00",
        b"\x30\x03\x00\x01a",
        b"\x10\x00",
    ];
    for number in 0..target.of(2_000) {
        let mut client = target.raw();
        client.try_send(first[number % first.len()]);
        while let Some(said) = client.next() {
            assert_eq!((said.first, said.body[1] == 0), (0x20, false), "it was let in");
        }
    }
    let publish = |topic: &[u8]| {
        let length = (topic.len() as u16).to_be_bytes();
        packet(0x30, &[&length, topic, &[0][..], b"x"].concat())
    };
    let then = [
        publish(b""),
        publish(b"a\0b"),
        publish(b"a/+"),
        publish(b"#"),
        publish(b"\xFF"),
        b"\x30\xFF\xFF\xFF\xFF\x01".to_vec(),
        b"\x30\xFF\xFF\xFF\x7F".to_vec(),
        packet(0x32, &[text("a"), vec![0, 0, 0]].concat()),
        packet(0x30, b"\x00\x09a"),
        packet(0x82, &[0, 1, 0]),
        packet(0x82, &[&[0, 1, 0][..], &text("a#"), &[0]].concat()),
    ];
    for number in 0..target.of(2_000) {
        let mut client = target.connect(&Hello::new(5, &format!("wrong{number}")));
        client.try_send(&then[number % then.len()]);
        let end = client.end();
        assert!(end.is_some_and(|reason| reason >= 0x80), "{end:?} after {:?}", then[number % then.len()]);
    }
}

/// 10,000 user properties on every packet that takes some.
fn user_properties(target: &Target) {
    let pairs = [38, 0, 1, b'k', 0, 1, b'v'].repeat(10_000);
    let mut length = Vec::from([0; 3]);
    let mut left = pairs.len();
    for digit in &mut length {
        *digit = left as u8 & 0x7F | 0x80;
        left >>= 7;
    }
    length[2] &= 0x7F;
    let properties = [length, pairs].concat();
    for number in 0..target.of(100) {
        let client = format!("many{number}");
        let mut knocks = target.raw();
        let connect = [b"\x00\x04MQTT\x05\x02\x00\x3C", &properties[..], &text(&client)].concat();
        knocks.try_send(&packet(0x10, &connect));
        assert_ne!(knocks.next().map(|said| said.body[1]), Some(0), "it was let in");
        let mut says = target.connect(&Hello::new(5, &client));
        says.send(&packet(0x82, &[&[0, 1][..], &properties, &text("siege/many"), &[0]].concat()));
        assert_eq!(*says.expect(0x90).last().unwrap(), 0, "nobody keeps them");
        says.try_send(&packet(0x30, &[&text("siege/many")[..], &properties, b"x"].concat()));
        assert!(says.end().is_some_and(|reason| reason >= 0x80), "more than is kept of a publication");
    }
}

/// Filters of 64 KiB and tens of thousands of levels, as many short ones as go into a packet, and the longest that
/// there may be, as many as anybody may have.
fn deep_filters(target: &Target) {
    let subscribe = |filters: &[String]| {
        let filters = filters.iter().flat_map(|filter| [text(filter), vec![0]].concat());
        packet(0x82, &[vec![0, 1, 0], filters.collect()].concat())
    };
    let deep = ["a/".repeat(32_767), "+/".repeat(32_767), "/".repeat(65_535)];
    let longest = |number: usize| format!("{number:04}/{}#", format!("{}/", "x".repeat(62)).repeat(62));
    let mut held = Vec::new();
    for number in 0..target.of(200) {
        let mut client = target.connect(&Hello::new(5, &format!("deep{number}")));
        client.send(&subscribe(&deep));
        let answer = client.expect(0x90);
        assert!(answer[answer.len() - 3..].iter().all(|reason| *reason >= 0x80), "{answer:?}");
        for at in 0..5 {
            let filters: Vec<String> = (0..60).map(|place| longest(number * 300 + at * 60 + place)).collect();
            client.send(&subscribe(&filters));
            client.expect(0x90);
        }
        held.push(client);
        let mut says = target.connect(&Hello::new(5, &format!("says{number}")));
        says.put(&deep[0], "x", 2, 7, &[]);
        assert_eq!(says.end(), Some(0x90), "no topic");
        let mut many = target.connect(&Hello::new(5, &format!("many{number}")));
        many.send(&subscribe(&vec!["b".to_owned(); 60_000]));
        assert_eq!(many.end(), Some(0x97), "more than anybody may have");
    }
}

/// 65,535 publications of QoS 2 that are never released; by those who heed what they were told, and those who do not.
fn open_ids(target: &Target) {
    let publish = |version: u8, id: u16| {
        let properties: &[u8] = if version == 5 { &[0] } else { &[] };
        packet(0x34, &[&text("siege/open")[..], &id.to_be_bytes(), properties, b"x"].concat())
    };
    for number in 0..target.of(50) {
        let mut heeds = target.connect(&Hello::new(5, &format!("heeds{number}")));
        for id in 1..=MQTT_RECEIVE_MAX {
            heeds.send(&publish(5, id));
            assert_eq!(reason(&heeds.expect(0x50)), 0);
        }
        heeds.ping();
        heeds.send(&publish(5, MQTT_RECEIVE_MAX + 1));
        assert_eq!(heeds.end(), Some(0x93), "one more than it was told");
        for hello in [Hello::new(4, &format!("open{number}")), Hello::staying(4, &format!("stays{number}"))] {
            let mut client = target.connect(&hello);
            let all: Vec<u8> = (1..=u16::MAX).flat_map(|id| publish(4, id)).collect();
            let mut writer = client.another();
            std::thread::scope(|scope| {
                scope.spawn(move || writer.try_send(&all));
                let answers = std::iter::from_fn(|| client.next()).take(usize::from(u16::MAX)).count();
                assert!(answers >= 1_000, "{answers} ids were taken");
                client.hang_up();
            });
        }
    }
}

/// Subscribers that read nothing while a publisher floods each of them, with every QoS.
fn deaf(target: &Target) {
    let mut held = Vec::new();
    for number in 0..target.of(200) {
        let mut hello = Hello::new(5, &format!("deaf{number}"));
        hello.properties.0 = GREEDY.to_vec();
        let mut client = target.connect(&hello);
        assert!(client.subscribe(&format!("siege/deaf/{}", number % 50), number as u8 % 3) < 3);
        held.push(client);
    }
    flood(target, "siege/deaf");
}

/// Subscribers that read all and acknowledge nothing.
fn silent(target: &Target) {
    std::thread::scope(|scope| {
        let mut held = Vec::new();
        for number in 0..target.of(200).min(50) {
            let mut hello = Hello::new(5, &format!("silent{number}"));
            hello.properties.0 = GREEDY.to_vec();
            let mut client = target.connect(&hello);
            assert!(client.subscribe(&format!("siege/silent/{number}"), 1 + number as u8 % 2) < 3);
            held.push(client.another());
            scope.spawn(move || while client.next().is_some() {});
        }
        flood(target, "siege/silent");
        held.iter_mut().for_each(Client::hang_up);
    });
}

/// Brings 400 MB to whoever hears these topics, of which there are fifty.
fn flood(target: &Target, topic: &str) {
    let payload = "x".repeat(LARGE);
    let mut says = target.connect(&Hello::new(4, "floods"));
    for number in 0..target.of(4_000) {
        assert_eq!(says.publish(&format!("{topic}/{}", number % 50), &payload, 2, false), 0);
    }
}

/// A storm of wills: all are gone without a word at once, and one hears what each has left.
fn will_storm(target: &Target) {
    let mut hears = target.connect(&Hello::staying(4, "heir"));
    hears.subscribe("siege/will/#", 1);
    let count = target.of(5_000);
    let mut held = Vec::new();
    for number in 0..count {
        let mut hello = Hello::new(4, &format!("will{number}"));
        hello.will =
            Some((format!("siege/will/{number}"), "w".repeat(1_000), number as u8 % 3, number % 10 == 0));
        held.push(target.connect(&hello));
    }
    drop(held);
    let mut missing = vec![true; count];
    // Of those that nobody has to keep some may be lost.
    while (0..count).any(|number| missing[number] && number % 3 > 0) {
        let heard = hears.heard().topic;
        let number: usize = heard.rsplit('/').next().unwrap().parse().unwrap();
        assert!(std::mem::take(&mut missing[number]), "{heard} came twice");
    }
}

/// 100,000 topics with something retained, and one who wants to hear them all; what goes beyond is refused.
fn retained(target: &Target) {
    let mut says = target.connect(&Hello::new(5, "keeps"));
    let window = usize::from(MQTT_RECEIVE_MAX);
    let count = target.of(100_000);
    let (mut said, mut kept) = (0, 0);
    while kept < count {
        let more: Vec<usize> = (said..count.min(kept + window)).collect();
        said += more.len();
        more.iter().for_each(|number| {
            says.put(&format!("siege/kept/{number}"), "21.5", 3, 1 + (number % 60_000) as u16, &[])
        });
        assert_eq!(reason(&says.expect(0x40)), 0, "of {kept}");
        kept += 1;
    }
    if target.part == 1 {
        let beyond = (0..2_000).map(|number| says.publish(&format!("siege/more/{number}"), "x", 1, true));
        assert!(beyond.filter(|reason| *reason == 0x97).count() > 0, "there is no end to it");
    }
    let mut hears = target.connect(&Hello::new(4, "all"));
    hears.subscribe("siege/kept/#", 0);
    let mut missing = vec![true; count];
    for _ in 0..count {
        let heard = hears.heard().topic;
        let number: usize = heard.rsplit('/').next().unwrap().parse().unwrap();
        assert!(std::mem::take(&mut missing[number]), "{heard} came twice");
    }
}
