//! What the door writes: publications encoded once and per session alike, and answers no longer than a client takes.

use super::chance::{Chance, VERSIONS};
use super::{connected, read_one};
use linnet::chat::publication::Qos;
use linnet::doors::mqtt::server::packet::{
    Acks, Answer, ConnAck, Handed, In, Out, Peer, PublishFrame, Reason, Told, Version, append_publish, encode,
};

#[test]
fn a_publication_encoded_once_is_the_same_bytes_for_each_session_but_for_its_packet_id() {
    for seed in 0..200 {
        let chance = Chance::new(seed);
        let version = VERSIONS[seed as usize % 3];
        let (topic, payload) = (chance.topic(), chance.bytes(20_000));
        let properties = chance.properties().filter(|_| version == Version::V5);
        let told = Told {
            topic: &topic,
            payload: &payload,
            qos: chance.qos(),
            retain: chance.coin(),
            expiry_s: chance.maybe(|| 5).filter(|_| version == Version::V5),
            properties: properties.as_deref(),
        };
        let frame = PublishFrame::new(version, &told);
        for packet in [1, 0x0A0B, u16::MAX] {
            let (packet, dup) =
                ((told.qos != Qos::Most).then_some(packet), told.qos != Qos::Most && chance.coin());
            let (mut once, mut alone) = (b"before".to_vec(), b"before".to_vec());
            frame.append(packet, dup, &mut once);
            append_publish(version, &told, &Handed { packet, dup, ..Handed::default() }, &mut alone);
            assert_eq!(once, alone, "SEED={seed}");
            assert_eq!(once.len(), 6 + frame.wire_bytes(), "SEED={seed}");
            let Ok(In::Publish(read)) = read_one(version, &once[6..]) else {
                panic!("SEED={seed}: no PUBLISH")
            };
            assert_eq!((read.packet, read.dup, read.qos, read.retain), (packet, dup, told.qos, told.retain));
            assert_eq!((read.topic.as_ref(), &read.payload), (Some(&topic), &payload), "SEED={seed}");
            assert_eq!((read.expiry_s, &read.properties), (told.expiry_s, &properties), "SEED={seed}");
        }
    }
}

fn written(peer: &Peer, packet: &Out<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let fits = encode(peer, packet, &mut bytes);
    assert!(fits || bytes.is_empty(), "what does not fit is not written");
    fits.then_some(bytes)
}

#[test]
fn words_are_left_out_where_a_client_would_not_take_them() {
    let words = Some("forty characters that say what is to do!");
    let long = |max| Peer { version: Version::V5, packet_bytes_max: Some(max), wants_words: true };
    let mute = Peer { wants_words: false, ..long(1_000) };
    let answer = Answer { packet: 1, reason: Reason::QUOTA_EXCEEDED, words };
    let acks = Acks { packet: 1, reasons: &[Reason::NOT_AUTHORIZED], words };
    let packets = [
        Out::PubAck(answer),
        Out::PubRec(answer),
        Out::PubRel(Answer { reason: Reason::SUCCESS, ..answer }),
        Out::PubComp(answer),
        Out::SubAck(acks),
        Out::UnsubAck(acks),
        Out::ConnAck(ConnAck::refused(Reason::SERVER_BUSY, words)),
        Out::Disconnect { reason: Reason::SERVER_BUSY, words },
    ];
    for packet in packets {
        let full = written(&long(1_000), &packet).unwrap();
        assert!(full.ends_with(b"to do!") || full.ends_with(b"to do!\x87"), "{packet:?}");
        assert_eq!(written(&long(full.len() as u32), &packet).as_ref(), Some(&full), "{packet:?}");
        let short = written(&long(full.len() as u32 - 1), &packet).unwrap();
        assert!(short.len() <= 7, "{packet:?}: {short:02x?}");
        assert!(written(&mute, &packet).unwrap().len() <= 7, "{packet:?}");
        let old = Peer { version: Version::V311, ..long(1_000) };
        assert!(written(&old, &packet).unwrap().len() <= 5, "{packet:?}");
    }
    assert_eq!(written(&long(4), &Out::SubAck(acks)), None);
    assert_eq!(written(&long(4), &Out::ConnAck(ConnAck::refused(Reason::SERVER_BUSY, words))), None);
}

#[test]
fn a_string_longer_than_the_protocol_has_is_left_out_and_not_cut() {
    let words = "x".repeat(65_536);
    let peer = Peer::unknown(Version::V5);
    let going = |words| written(&peer, &Out::Disconnect { reason: Reason::SERVER_BUSY, words }).unwrap();
    assert_eq!(going(Some(&words)), [0xE0, 2, 0x89, 0]);
    assert_eq!(going(Some(&words[1..])).len(), 1 + 3 + 1 + 3 + 3 + 65_535);
}

#[test]
fn short_forms_of_5_0_are_read() {
    for (bytes, want) in [
        (b"\xE0\x00".as_slice(), "Disconnect(Disconnect { reason: 0x00 success, expiry_s: None })"),
        (
            b"\xE0\x01\x04",
            "Disconnect(Disconnect { reason: 0x04 disconnect with will message, expiry_s: None })",
        ),
        (
            b"\xE0\x07\x00\x05\x11\x00\x00\x00\x09",
            "Disconnect(Disconnect { reason: 0x00 success, expiry_s: Some(9) })",
        ),
        (b"\x40\x02\x00\x07", "PubAck(Ack { packet: 7, reason: 0x00 success })"),
        (b"\x50\x03\x00\x07\x80", "PubRec(Ack { packet: 7, reason: 0x80 unspecified error })"),
        (b"\x62\x04\x00\x07\x92\x00", "PubRel(Ack { packet: 7, reason: 0x92 packet identifier not found })"),
        (b"\xF0\x00", "Auth(0x00 success)"),
    ] {
        assert_eq!(format!("{:?}", read_one(Version::V5, bytes).unwrap()), want);
    }
}

#[test]
fn ten_thousand_user_properties_are_refused_or_passed_over_and_never_kept_one_by_one() {
    let user = b"\x26\x00\x01n\x00\x01v".repeat(10_000);
    let properties = super::client::with_length(&user);
    let publish = super::client::framed(0x30, &[b"\x00\x01t", &properties[..], b"payload"].concat());
    let wrong = read_one(Version::V5, &publish).expect_err("70 KB are not kept");
    assert_eq!(wrong.reason, Reason::QUOTA_EXCEEDED);
    let subscribe = super::client::framed(0x82, &[b"\x00\x01", &properties[..], b"\x00\x01t\x00"].concat());
    let Ok(In::Subscribe(read)) = read_one(Version::V5, &subscribe) else { panic!("no SUBSCRIBE") };
    assert_eq!(read.filters.len(), 1);
}

#[test]
fn filters_that_are_only_too_long_are_refused_alone_and_too_many_at_once_are_wrong() {
    let deep = "a/".repeat(32_000);
    let one = |filter: &str| [&super::client::counted(filter.as_bytes())[..], b"\x01"].concat();
    let both = super::client::framed(0x82, &[&b"\x00\x01"[..], &one(&deep), &one("t")].concat());
    let Ok(In::Subscribe(read)) = read_one(Version::V311, &both) else { panic!("no SUBSCRIBE") };
    assert!(read.filters[0].name.is_err() && read.filters[1].name.is_ok());
    let many = super::client::framed(0x82, &[&b"\x00\x01"[..], &one("t").repeat(10_000)].concat());
    assert_eq!(read_one(Version::V311, &many).unwrap_err().reason, Reason::QUOTA_EXCEEDED);
}

#[test]
fn a_password_is_in_no_log() {
    let bytes = b"\x10\x1A\x00\x04MQTT\x04\xC2\x00\x3C\x00\x01c\x00\x01u\x00\x08s3cr3t!!";
    let mut decoder = linnet::doors::mqtt::server::packet::Decoder::new();
    let Ok(In::Connect(read)) = super::read_with(&mut decoder, bytes) else { panic!("no CONNECT") };
    assert_eq!(read.password.as_deref(), Some(&b"s3cr3t!!"[..]));
    assert!(!format!("{read:?}").contains("115"), "{read:?}");
    assert!(connected(Version::V5).version() == Some(Version::V5));
}
