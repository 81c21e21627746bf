//! What the door writes, byte by byte, in the three versions.

use super::VERSIONS;
use crate::harness::golden;
use linnet::chat::publication::Qos;
use linnet::chat::topic::Topic;
use linnet::doors::mqtt::server::packet::{
    Acks, Alias, Answer, ConnAck, Handed, Out, Peer, PublishFrame, Reason, Told, Version, append_publish,
    encode,
};
use serde_json::{Map, Value, json};

fn hex(bytes: &[u8]) -> Value {
    Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
}

fn answers() -> Vec<(&'static str, Out<'static>)> {
    const REASONS: [Reason; 3] = [Reason::SUCCESS, Reason::GRANTED_LEAST, Reason::NOT_AUTHORIZED];
    let kept = Answer { packet: 10, reason: Reason::SUCCESS, words: None };
    let refused = Answer { packet: 10, reason: Reason::NOT_AUTHORIZED, words: Some("no right") };
    let acks = Acks { packet: 10, reasons: &REASONS, words: None };
    let welcome = ConnAck {
        present: true,
        reason: Reason::SUCCESS,
        words: None,
        client: Some("c1"),
        expiry_s: Some(60),
        keep_alive_s: Some(30),
        receive_max: Some(20),
        packet_bytes_max: Some(270_000),
        aliases_max: 16,
    };
    vec![
        ("connack", Out::ConnAck(welcome)),
        ("connack-refused", Out::ConnAck(ConnAck::refused(Reason::LOGIN_WRONG, Some("wrong token")))),
        ("puback", Out::PubAck(kept)),
        ("puback-refused", Out::PubAck(refused)),
        ("pubrec", Out::PubRec(kept)),
        ("pubrec-refused", Out::PubRec(refused)),
        ("pubrel", Out::PubRel(kept)),
        ("pubcomp", Out::PubComp(kept)),
        ("suback", Out::SubAck(acks)),
        ("unsuback", Out::UnsubAck(acks)),
        ("pingresp", Out::PingResp),
        ("disconnect", Out::Disconnect { reason: Reason::SUCCESS, words: None }),
        ("disconnect-taken-over", Out::Disconnect { reason: Reason::TAKEN_OVER, words: Some("elsewhere") }),
    ]
}

fn publications(version: Version, cases: &mut Map<String, Value>) {
    let topic = Topic::fixed("garden/t");
    let plain = Told {
        topic: &topic,
        payload: b"21.5",
        qos: Qos::Most,
        retain: false,
        expiry_s: None,
        properties: None,
    };
    let full = Told {
        qos: Qos::Least,
        retain: true,
        expiry_s: Some(9),
        properties: Some(b"\x26\x00\x01k\x00\x01v"),
        ..plain
    };
    let mut bytes = Vec::new();
    PublishFrame::new(version, &plain).append(None, false, &mut bytes);
    cases.insert("publish".into(), hex(&bytes));
    bytes.clear();
    PublishFrame::new(version, &full).append(Some(513), true, &mut bytes);
    cases.insert("publish-full".into(), hex(&bytes));
    bytes.clear();
    let alias = Some(Alias { number: 3, is_new: false });
    append_publish(
        version,
        &full,
        &Handed { packet: Some(1), dup: false, ids: &[5, 300], alias },
        &mut bytes,
    );
    cases.insert("publish-own".into(), hex(&bytes));
}

#[test]
fn what_is_written_does_not_change_unseen() {
    let mut all = json!({});
    for version in VERSIONS {
        let mut cases = Map::new();
        for (name, packet) in answers() {
            let mut bytes = Vec::new();
            assert!(encode(&Peer::unknown(version), &packet, &mut bytes), "{name}");
            cases.insert(name.into(), hex(&bytes));
        }
        publications(version, &mut cases);
        all[format!("{version:?}")] = Value::Object(cases);
    }
    golden::check("packets/out", &all);
}
