//! rumqttc, which others wrote for clients, reads and writes what this door writes and reads.

use super::chance::{Chance, KINDS};
use super::client::bytes_of;
use super::{read_one, read_with};
use bytes::BytesMut;
use linnet::chat::publication::Qos;
use linnet::chat::topic::Topic;
use linnet::doors::mqtt::server::packet::{
    Acks, Alias, Answer, ConnAck, Decoder, Handed, In, Out, Peer, Reason, Told, Version, append_publish,
    encode, said,
};
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::v5;

/// The same bytes as rumqttc writes them after it has read them.
fn through_rumqttc(version: Version, bytes: &[u8]) -> Vec<u8> {
    let (mut from, mut to) = (BytesMut::from(bytes), BytesMut::new());
    if version == Version::V5 {
        v5::Packet::read(&mut from, None).unwrap().write(&mut to, None).unwrap();
    } else {
        v4::Packet::read(&mut from, 1 << 20).unwrap().write(&mut to, 1 << 20).unwrap();
    }
    to.to_vec()
}

/// Makes equal what rumqttc cannot keep apart: an empty name from none, bytes that are no text, the order of properties.
fn as_rumqttc_knows_it(mut packet: In) -> In {
    let sort = |properties: &mut Option<Box<[u8]>>| {
        let mut all: Vec<String> =
            said(properties.as_deref().unwrap_or_default()).map(|s| format!("{s:?}")).collect();
        all.sort();
        *properties = Some(all.concat().into_bytes().into());
    };
    match &mut packet {
        In::Connect(connect) => {
            connect.user = connect.user.take().filter(|user| !user.is_empty());
            connect.password = connect.password.take().filter(|password| !password.is_empty());
            connect.will.iter_mut().for_each(|will| sort(&mut will.properties));
        }
        In::Publish(publish) => sort(&mut publish.properties),
        _ => {}
    }
    packet
}

#[test]
fn what_rumqttc_writes_is_read_as_it_was_meant() {
    for seed in 0..60 {
        let chance = Chance::new(seed);
        for (version, kind) in
            [Version::V311, Version::V5].into_iter().flat_map(|v| (0..KINDS).map(move |k| (v, k)))
        {
            let mut packet = chance.packet(version, kind);
            match &mut packet {
                In::Connect(connect) => {
                    connect.user = Some("user".into());
                    connect.password = connect.password.take().map(|_| b"secret".as_slice().into());
                }
                // rumqttc 0.25 writes a byte too many behind a reason without properties.
                In::Disconnect(packet) if packet.reason != Reason::SUCCESS => packet.expiry_s = Some(1),
                // rumqttc knows none.
                In::Auth(_) => continue,
                _ => {}
            }
            let bytes = through_rumqttc(version, &bytes_of(version, &packet).unwrap());
            let read = match packet {
                In::Connect(_) => read_with(&mut Decoder::new(), &bytes),
                _ => read_one(version, &bytes),
            };
            let read = read.map(as_rumqttc_knows_it);
            assert_eq!(read, Ok(as_rumqttc_knows_it(packet)), "SEED={seed} {version:?} {bytes:02x?}");
        }
    }
}

fn read_v5(packet: &Out<'_>) -> v5::Packet {
    let mut bytes = Vec::new();
    assert!(encode(&Peer::unknown(Version::V5), packet, &mut bytes));
    let mut from = BytesMut::from(&bytes[..]);
    let read = v5::Packet::read(&mut from, None).unwrap();
    assert!(from.is_empty(), "{from:?} is left of {bytes:02x?}");
    read
}

fn read_v4(packet: &Out<'_>) -> v4::Packet {
    let mut bytes = Vec::new();
    assert!(encode(&Peer::unknown(Version::V311), packet, &mut bytes));
    let mut from = BytesMut::from(&bytes[..]);
    let read = v4::Packet::read(&mut from, 1 << 20).unwrap();
    assert!(from.is_empty(), "{from:?} is left of {bytes:02x?}");
    read
}

#[test]
fn rumqttc_reads_whether_it_is_let_in() {
    let full = ConnAck {
        present: true,
        reason: Reason::SUCCESS,
        words: Some("welcome"),
        client: Some("linnet-1"),
        expiry_s: Some(7),
        keep_alive_s: Some(60),
        receive_max: Some(20),
        packet_bytes_max: Some(100_000),
        aliases_max: 9,
    };
    let v5::Packet::ConnAck(read) = read_v5(&Out::ConnAck(full)) else { panic!("no CONNACK") };
    assert!(read.session_present && read.code == v5::ConnectReturnCode::Success);
    let properties = read.properties.unwrap();
    assert_eq!(properties.reason_string.as_deref(), Some("welcome"));
    assert_eq!(properties.assigned_client_identifier.as_deref(), Some("linnet-1"));
    assert_eq!(properties.session_expiry_interval, Some(7));
    assert_eq!(properties.server_keep_alive, Some(60));
    assert_eq!((properties.receive_max, properties.topic_alias_max), (Some(20), Some(9)));
    assert_eq!(properties.max_packet_size, Some(100_000));
    let code = |reason| match read_v4(&Out::ConnAck(ConnAck::refused(reason, Some("no")))) {
        v4::Packet::ConnAck(read) => read.code,
        other => panic!("{other:?} is no CONNACK"),
    };
    assert_eq!(code(Reason::VERSION_UNSUPPORTED), v4::ConnectReturnCode::RefusedProtocolVersion);
    assert_eq!(code(Reason::CLIENT_ID_INVALID), v4::ConnectReturnCode::BadClientId);
    assert_eq!(code(Reason::SERVER_BUSY), v4::ConnectReturnCode::ServiceUnavailable);
    assert_eq!(code(Reason::LOGIN_WRONG), v4::ConnectReturnCode::BadUserNamePassword);
    assert_eq!(code(Reason::NOT_AUTHORIZED), v4::ConnectReturnCode::NotAuthorized);
    let v4::Packet::ConnAck(read) = read_v4(&Out::ConnAck(full)) else { panic!("no CONNACK") };
    assert!(read.session_present && read.code == v4::ConnectReturnCode::Success);
}

#[test]
fn rumqttc_reads_answers_and_their_words() {
    let answer = |reason, words| Answer { packet: 258, reason, words };
    let v5::Packet::PubAck(read) = read_v5(&Out::PubAck(answer(Reason::NOT_AUTHORIZED, Some("not yours"))))
    else {
        panic!("no PUBACK")
    };
    assert_eq!((read.pkid, read.reason), (258, v5::PubAckReason::NotAuthorized));
    assert_eq!(read.properties.unwrap().reason_string.as_deref(), Some("not yours"));
    let v5::Packet::PubRec(read) = read_v5(&Out::PubRec(answer(Reason::QUOTA_EXCEEDED, None))) else {
        panic!("no PUBREC")
    };
    assert_eq!((read.pkid, read.reason), (258, v5::PubRecReason::QuotaExceeded));
    let v5::Packet::PubRel(read) = read_v5(&Out::PubRel(answer(Reason::SUCCESS, None))) else {
        panic!("no PUBREL")
    };
    assert_eq!((read.pkid, read.reason), (258, v5::PubRelReason::Success));
    let v5::Packet::PubComp(read) = read_v5(&Out::PubComp(answer(Reason::PACKET_ID_NOT_FOUND, None))) else {
        panic!("no PUBCOMP")
    };
    assert_eq!((read.pkid, read.reason), (258, v5::PubCompReason::PacketIdentifierNotFound));
    let failed = answer(Reason::QUOTA_EXCEEDED, Some("unheard"));
    assert_eq!(read_v4(&Out::PubAck(failed)), v4::Packet::PubAck(v4::PubAck::new(258)));
    assert_eq!(read_v4(&Out::PubRec(failed)), v4::Packet::PubRec(v4::PubRec::new(258)));
    assert_eq!(read_v4(&Out::PubRel(failed)), v4::Packet::PubRel(v4::PubRel::new(258)));
    assert_eq!(read_v4(&Out::PubComp(failed)), v4::Packet::PubComp(v4::PubComp::new(258)));
    assert_eq!(read_v4(&Out::PingResp), v4::Packet::PingResp);
    let going = Out::Disconnect { reason: Reason::TAKEN_OVER, words: Some("elsewhere") };
    let v5::Packet::Disconnect(read) = read_v5(&going) else { panic!("no DISCONNECT") };
    assert_eq!(read.reason_code, v5::DisconnectReasonCode::SessionTakenOver);
    assert_eq!(read.properties.unwrap().reason_string.as_deref(), Some("elsewhere"));
    let mut bytes = Vec::new();
    assert!(encode(&Peer::unknown(Version::V311), &going, &mut bytes) && bytes.is_empty());
}

#[test]
fn rumqttc_reads_what_became_of_each_filter() {
    let reasons = [Reason::SUCCESS, Reason::GRANTED_EXACTLY, Reason::NOT_AUTHORIZED];
    let acks = Acks { packet: 3, reasons: &reasons, words: None };
    let v5::Packet::SubAck(read) = read_v5(&Out::SubAck(acks)) else { panic!("no SUBACK") };
    let granted = |qos| v5::SubscribeReasonCode::Success(qos);
    use rumqttc::v5::mqttbytes::QoS::{AtMostOnce, ExactlyOnce};
    let want = [granted(AtMostOnce), granted(ExactlyOnce), v5::SubscribeReasonCode::NotAuthorized];
    assert_eq!((read.pkid, &read.return_codes[..]), (3, &want[..]));
    let v4::Packet::SubAck(read) = read_v4(&Out::SubAck(acks)) else { panic!("no SUBACK") };
    assert_eq!(read.return_codes[2], v4::SubscribeReasonCode::Failure);
    assert_eq!(read.return_codes[1], v4::SubscribeReasonCode::Success(rumqttc::QoS::ExactlyOnce));
    let reasons = [Reason::SUCCESS, Reason::NO_SUBSCRIPTION_EXISTED];
    let acks = Acks { packet: 4, reasons: &reasons, words: Some("one of them") };
    let v5::Packet::UnsubAck(read) = read_v5(&Out::UnsubAck(acks)) else { panic!("no UNSUBACK") };
    let want = [v5::UnsubAckReason::Success, v5::UnsubAckReason::NoSubscriptionExisted];
    assert_eq!((read.pkid, &read.reasons[..]), (4, &want[..]));
    assert_eq!(read_v4(&Out::UnsubAck(acks)), v4::Packet::UnsubAck(v4::UnsubAck::new(4)));
}

#[test]
fn rumqttc_reads_a_publication_with_what_is_the_sessions_own() {
    let topic = Topic::fixed("a/b");
    let told = Told {
        topic: &topic,
        payload: b"21.5",
        qos: Qos::Least,
        retain: true,
        expiry_s: Some(30),
        properties: Some(b"\x03\x00\x04text"),
    };
    for is_new in [true, false] {
        let alias = Some(Alias { number: 5, is_new });
        let handed = Handed { packet: Some(77), dup: true, ids: &[1, 268_435_455], alias };
        let mut bytes = Vec::new();
        append_publish(Version::V5, &told, &handed, &mut bytes);
        let read = v5::Packet::read(&mut BytesMut::from(&bytes[..]), None).unwrap();
        let v5::Packet::Publish(read) = read else { panic!("no PUBLISH") };
        assert_eq!(read.topic, if is_new { "a/b" } else { "" });
        assert_eq!((read.pkid, read.dup, read.retain, &read.payload[..]), (77, true, true, &b"21.5"[..]));
        let properties = read.properties.unwrap();
        assert_eq!(properties.subscription_identifiers, [1, 268_435_455]);
        assert_eq!((properties.topic_alias, properties.message_expiry_interval), (Some(5), Some(30)));
        assert_eq!(properties.content_type.as_deref(), Some("text"));
    }
}
