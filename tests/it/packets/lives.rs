//! Packets of chance, whole and in pieces, as they were written and as a bad line or an enemy changes them.

use super::chance::{Chance, KINDS, VERSIONS};
use super::client::bytes_of;
use super::{connect_bytes, connected, read_one, read_with};
use linnet::doors::mqtt::server::packet::{Decoder, In, Version, Wrong, said};

/// Packets of each kind and version.
const SEEDS: u64 = 40;
/// Changed packets; more with FUZZ_ROUNDS.
const ROUNDS: u64 = 300_000;

fn read(version: Version, packet: &In, bytes: &[u8]) -> Result<In, Wrong> {
    match packet {
        In::Connect(_) => read_with(&mut Decoder::new(), bytes),
        _ => read_one(version, bytes),
    }
}

#[test]
fn what_a_client_writes_is_read_as_it_was_meant() {
    for seed in 0..SEEDS {
        let chance = Chance::new(seed);
        for (version, kind) in VERSIONS.into_iter().flat_map(|v| (0..KINDS).map(move |kind| (v, kind))) {
            let packet = chance.packet(version, kind);
            let bytes = bytes_of(version, &packet).unwrap();
            assert_eq!(read(version, &packet, &bytes), Ok(packet), "SEED={seed} {version:?} {bytes:02x?}");
        }
    }
}

#[test]
fn a_stream_in_any_pieces_is_the_same_packets_and_nothing_is_held_between_them() {
    for seed in 0..SEEDS {
        let chance = Chance::new(seed);
        let version = VERSIONS[seed as usize % 3];
        let packets: Vec<In> = (0..60).map(|_| chance.packet(version, 1 + chance.below(KINDS - 1))).collect();
        let mut stream = connect_bytes(version);
        let mut ends = vec![stream.len()];
        for packet in &packets {
            stream.extend(bytes_of(version, packet).unwrap());
            ends.push(stream.len());
        }
        let (mut decoder, mut read, mut at) = (Decoder::new(), Vec::new(), 0);
        while at < stream.len() {
            let end = stream.len().min(at + 1 + chance.below(if chance.coin() { 3 } else { 700 }) as usize);
            let mut fresh = &stream[at..end];
            while let Some(packet) = decoder.next(&mut fresh).unwrap() {
                read.push(packet);
            }
            assert!(fresh.is_empty(), "SEED={seed}: bytes were left");
            at = end;
            let last_end = ends.iter().rev().find(|end| **end <= at).unwrap_or(&0);
            assert_eq!(decoder.held_bytes(), at - last_end, "SEED={seed}");
        }
        assert_eq!(read[1..], packets[..], "SEED={seed}");
    }
}

#[test]
fn what_a_publisher_said_can_be_looked_at() {
    let bytes =
        b"\x01\x01\x03\x00\x01c\x08\x00\x01r\x09\x00\x02\x00\xFF\x26\x00\x01n\x00\x01v\x26\x00\x01n\x00\x00";
    let all: Vec<String> = said(bytes).map(|said| format!("{said:?}")).collect();
    let want = [
        "IsText(true)",
        "ContentType(\"c\")",
        "ResponseTopic(\"r\")",
        "Correlation([0, 255])",
        "User(\"n\", \"v\")",
        "User(\"n\", \"\")",
    ];
    assert_eq!(all, want);
}

/// Changes bytes as a bad line or an enemy does.
pub fn change(chance: &Chance, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(bytes.len().max(1) as u64) as usize;
        match chance.below(8) {
            _ if bytes.is_empty() => bytes.push(chance.below(256) as u8),
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => bytes[at] = chance.below(256) as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, chance.below(256) as u8),
            4 => drop(bytes.remove(at)),
            5 => bytes.extend_from_slice(&other[chance.below(other.len() as u64) as usize..]),
            // The length of the packet, and one in it.
            6 => drop(
                bytes
                    .get_mut(1)
                    .map(|length| *length = length.wrapping_add(chance.below(5) as u8).wrapping_sub(2)),
            ),
            _ => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'#', b'+', 38][chance.below(8) as usize],
        }
    }
}

/// Things in a packet that take memory of their own.
fn weight(packet: &In) -> usize {
    match packet {
        In::Publish(publish) => {
            publish.payload.len()
                + publish.properties.as_ref().map_or(0, |kept| kept.len())
                + publish.topic.as_ref().map_or(0, |topic| topic.as_str().len())
        }
        In::Subscribe(subscribe) => subscribe.filters.len() * 3,
        In::Unsubscribe(unsubscribe) => unsubscribe.filters.len() * 2,
        In::Connect(connect) => {
            connect.client.len()
                + connect.password.as_ref().map_or(0, |password| password.len())
                + connect.will.as_ref().map_or(0, |will| will.payload.len())
        }
        _ => 0,
    }
}

#[test]
fn no_change_of_bytes_makes_the_decoder_fail_or_keep_more_than_came() {
    let rounds = std::env::var("FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let chance = Chance::new(4);
    let mut valid = Vec::new();
    for (version, kind) in VERSIONS.into_iter().flat_map(|v| (0..KINDS).map(move |kind| (v, kind))) {
        valid.extend((0..8).map(|_| (version, bytes_of(version, &chance.packet(version, kind)).unwrap())));
    }
    let (mut good, mut wrong) = (0_u64, 0_u64);
    for round in 0..rounds {
        let (version, bytes) = &valid[chance.below(valid.len() as u64) as usize];
        let other = &valid[chance.below(valid.len() as u64) as usize].1;
        let mut bytes = bytes.clone();
        change(&chance, &mut bytes, other);
        let mut decoder = if chance.below(8) == 0 || bytes.first() == Some(&0x10) {
            Decoder::new()
        } else {
            connected(*version)
        };
        let split = chance.below(bytes.len() as u64 + 1) as usize;
        for mut fresh in [&bytes[..split], &bytes[split..]] {
            loop {
                match decoder.next(&mut fresh) {
                    Ok(Some(packet)) => {
                        good += 1;
                        check_same_again(decoder.version().unwrap(), &packet, bytes.len(), round);
                    }
                    Ok(None) => break,
                    Err(found) => {
                        wrong += 1;
                        assert!(found.reason.is_failure() && !found.words.is_empty());
                        fresh = &[];
                        decoder = Decoder::new();
                    }
                }
            }
            assert!(decoder.held_bytes() <= bytes.len(), "ROUND={round}");
        }
    }
    // Both must happen often, or the changes are too coarse or too fine.
    assert!(good > rounds / 20 && wrong > rounds / 5, "{good} were packets, {wrong} were wrong");
}

fn check_same_again(version: Version, packet: &In, bytes: usize, round: u64) {
    assert!(weight(packet) <= bytes, "ROUND={round}: {packet:?} is more than {bytes} bytes");
    // What had more bytes than a length needs, or properties that are kept in no packet, is written shorter.
    if let Some(again) = bytes_of(version, packet) {
        assert_eq!(read(version, packet, &again).as_ref(), Ok(packet), "ROUND={round} {again:02x?}");
    }
}
