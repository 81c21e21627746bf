//! Whole conversations, changed as a bad line or an enemy changes them, against the door of a running node. Whatever comes,
//! the door answers in packets, ends what is wrong, keeps to what it was told it may send, and serves the others in order.
//! `FUZZ_SESSIONS=n` has more of them, `SEED=n` others; a failure names both.

use super::client::{Client, Hello, Packet};
use super::stage::Stage;
use crate::harness::wait::{LIMIT, until};
use crate::packets::chance::{Chance, VERSIONS};
use crate::packets::client::bytes_of;
use crate::packets::lives::change;
use linnet::base::limits::{HAND_OUTS_MAX, MQTT_SEND_MAX};
use linnet::doors::mqtt::server::packet::{Connect, In, Version};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Conversations of an ordinary run.
const SESSIONS: u64 = 1_500;
/// Packets that follow the first one.
const PACKETS_MAX: u64 = 14;
/// Kinds of packets that a server sends (MQTT 5.0, 2.1.2).
const SERVER_KINDS: [u8; 11] = [2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15];

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What a client says, and how it may be answered.
struct Talk {
    version: Version,
    packets: Vec<Vec<u8>>,
    /// Publications that may be on their way to it.
    window: usize,
}

fn connect(chance: &Chance, version: Version, client: u64) -> Connect {
    let In::Connect(mut connect) = chance.packet(version, 0) else { unreachable!("it is of this kind") };
    // Few enough that sessions are found again and taken over.
    connect.client = format!("fuzz{client}").into();
    connect.receive_max = 1 + connect.receive_max % 40;
    if chance.below(8) > 0 {
        (connect.user, connect.password, connect.authentication) = (None, None, None);
    }
    *connect
}

fn talk(chance: &Chance) -> Talk {
    let version = *VERSIONS.get(chance.below(3) as usize).expect("one of three");
    let connect = connect(chance, version, chance.below(20));
    let window = match version {
        Version::V5 => usize::from(connect.receive_max).min(HAND_OUTS_MAX),
        _ => usize::from(MQTT_SEND_MAX),
    };
    let mut packets = vec![bytes_of(version, &In::Connect(Box::new(connect)))];
    for _ in 0..chance.below(PACKETS_MAX) {
        // Seldom goodbye: after it nothing is heard.
        let kind = if chance.below(30) == 0 { 8 } else { 1 + chance.below(7) };
        let mut packet = chance.packet(version, kind);
        let small = 1 + chance.below(30) as u16;
        match &mut packet {
            In::Publish(publish) => {
                publish.packet = publish.packet.map(|_| small);
                publish.alias = publish.alias.map(|alias| 1 + alias % 17);
            }
            In::PubAck(ack) | In::PubRec(ack) | In::PubRel(ack) | In::PubComp(ack) => ack.packet = small,
            _ => {}
        }
        packets.push(bytes_of(version, &packet));
    }
    Talk { version, packets: packets.into_iter().flatten().collect(), window }
}

/// Changes a conversation: bytes, lengths, the order, what comes twice, what is left out.
fn mutate(chance: &Chance, packets: &mut Vec<Vec<u8>>) {
    for _ in 0..chance.below(4) {
        let at = chance.below(packets.len() as u64) as usize;
        let other = packets[chance.below(packets.len() as u64) as usize].clone();
        match chance.below(6) {
            0 => packets.insert(at, other),
            1 if packets.len() > 1 => drop(packets.remove(at)),
            2 => {
                let end = packets.len() - 1;
                packets.swap(at, end);
            }
            _ => change(chance, &mut packets[at], &other),
        }
    }
}

/// Says it in pieces, and hears all that is answered until the door hangs up.
fn say(chance: &Chance, address: std::net::SocketAddr, bytes: &[u8]) -> Vec<Packet> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut from = 0;
    while from < bytes.len() {
        let piece = 1 + chance.below([8, 100, 5_000][chance.below(3) as usize]) as usize;
        let end = (from + piece).min(bytes.len());
        if stream.write_all(&bytes[from..end]).is_err() {
            break;
        }
        from = end;
    }
    let _ = stream.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    // Whoever is hung up on while it still speaks is reset: what was read before counts.
    if let Err(error) = stream.read_to_end(&mut heard) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the door neither goes on nor ends");
    }
    packets_of(&heard)
}

fn packets_of(mut bytes: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let Some((first, behind)) = bytes.split_first() {
        let digits = behind.iter().position(|digit| digit & 0x80 == 0);
        let Some(digits) = digits.filter(|digits| *digits < 4) else { break };
        let length = (0..=digits).map(|at| usize::from(behind[at] & 0x7F) << (7 * at)).sum::<usize>();
        let Some(body) = behind.get(digits + 1..digits + 1 + length) else { break };
        assert!(SERVER_KINDS.contains(&(first >> 4)), "{first:#x} is not for a client");
        packets.push(Packet { first: *first, body: body.to_vec() });
        bytes = &behind[digits + 1 + length..];
    }
    packets
}

/// What holds for every answer, whatever was said.
fn check(talk: &Talk, is_changed: bool, said: &[u8], heard: &[Packet]) {
    let answers = heard.iter().filter(|packet| packet.first >> 4 == 2).count();
    assert!(answers <= 1 && heard.first().is_none_or(|first| first.first == 0x20), "{heard:?}");
    let is_in = heard.first().is_some_and(|first| first.body.get(1) == Some(&0));
    assert!(is_in || heard.len() <= 1, "it was not let in and is told more");
    if heard.iter().rev().skip(1).any(|packet| packet.first == 0xE0) {
        panic!("something is said after the goodbye: {heard:?}");
    }
    if is_changed {
        return;
    }
    let sent = heard.iter().filter(|packet| packet.first >> 4 == 3 && packet.first & 6 > 0).count();
    let freed = talk.packets.iter().filter(|packet| matches!(packet[0] >> 4, 4 | 5 | 7)).count();
    assert!(sent <= talk.window + freed, "{sent} on their way to one that takes {}", talk.window);
    let asked = talk.packets.iter().filter(|packet| packet[0] >> 4 == 3 && packet[0] & 6 == 4).count();
    let taken = heard.iter().filter(|packet| packet.first >> 4 == 5).count();
    assert!(taken <= asked, "{taken} taken of {asked} in {} bytes", said.len());
    if talk.version != Version::V5 {
        assert!(heard.iter().all(|packet| packet.first != 0xE0), "3.1.1 has no goodbye of a server's");
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test]
async fn whatever_is_said_the_door_stands_and_the_others_are_served_in_order() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |what| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(what);
    }));
    let (seed, sessions) = (number("SEED", 5), number("FUZZ_SESSIONS", SESSIONS));
    let chance = Chance::new(seed);
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(5, "honest hears"));
    hears.subscribe("honest", 1);
    let mut says = Client::connect(stage.address, &Hello::new(4, "honest says"));
    let (mut let_in, mut ended) = (0, 0);
    for session in 0..sessions {
        let talk = talk(&chance);
        let is_changed = session % 4 > 0;
        let mut packets = talk.packets.clone();
        if is_changed {
            mutate(&chance, &mut packets);
        }
        says.put("honest", &session.to_string(), 2, 1, &[]);
        let bytes = packets.concat();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let heard = say(&chance, stage.address, &bytes);
            check(&talk, is_changed, &bytes, &heard);
            let_in += usize::from(heard.first().is_some_and(|first| first.body.get(1) == Some(&0)));
            ended += usize::from(heard.last().is_some_and(|last| last.first == 0xE0));
            says.expect(0x40);
            assert_eq!(hears.heard().payload, session.to_string(), "others hear all, in order");
        }));
        let panics = PANICS.load(Ordering::SeqCst);
        assert!(done.is_ok() && panics == 0, "SEED={seed} FUZZ_SESSIONS={}: {bytes:02x?}", session + 1);
    }
    println!("{sessions} conversations, {let_in} let in, {ended} ended with a reason");
    assert!(let_in as u64 > sessions / 3 && ended as u64 > sessions / 50, "{let_in} let in, {ended} ended");
    until("only the honest are there", || stage.node.hub.topics_counts().seats == 2).await;
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
