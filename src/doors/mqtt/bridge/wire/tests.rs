//! What a broker sends is read or refused, whatever it is: a panic would end the program on a Pi.

use super::*;
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::v5;

/// Packets a broker sends, of both dialects.
fn packets() -> Vec<(Version, Vec<u8>)> {
    let mut all = Vec::new();
    let publish = |qos| {
        let mut publish = v4::Publish::new("tele/porch/SENSOR", qos, "21.5");
        publish.pkid = 7;
        v4::Packet::Publish(publish)
    };
    for packet in [
        v4::Packet::ConnAck(v4::ConnAck::new(v4::ConnectReturnCode::Success, true)),
        v4::Packet::SubAck(v4::SubAck::new(7, vec![v4::SubscribeReasonCode::Failure])),
        v4::Packet::PubAck(v4::PubAck::new(7)),
        publish(rumqttc::QoS::AtMostOnce),
        publish(rumqttc::QoS::AtLeastOnce),
    ] {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, usize::MAX).expect("written");
        all.push((Version::V4, bytes.to_vec()));
    }
    for packet in v5_packets() {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, None).expect("written");
        all.push((Version::V5, bytes.to_vec()));
    }
    all
}

fn v5_packets() -> Vec<v5::Packet> {
    use rumqttc::v5::mqttbytes::QoS;
    let properties = v5::PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(9),
        response_topic: Some("a".into()),
        correlation_data: Some(Bytes::from_static(b"x")),
        user_properties: vec![("linnet-origin".into(), "x".into())],
        subscription_identifiers: vec![300],
        content_type: Some("text".into()),
        topic_alias: None,
    };
    let mut publish = v5::Publish::new("tele/porch", QoS::AtLeastOnce, "21.5", Some(properties));
    publish.pkid = 7;
    let welcome = v5::ConnAckProperties {
        session_expiry_interval: Some(1),
        receive_max: Some(20),
        max_qos: Some(1),
        retain_available: Some(1),
        max_packet_size: Some(9_000),
        assigned_client_identifier: Some("a".into()),
        topic_alias_max: Some(1),
        reason_string: Some("b".into()),
        user_properties: vec![("c".into(), "d".into())],
        wildcard_subscription_available: Some(1),
        subscription_identifiers_available: Some(1),
        shared_subscription_available: Some(1),
        server_keep_alive: Some(10),
        response_information: Some("e".into()),
        server_reference: Some("f".into()),
        authentication_method: Some("g".into()),
        authentication_data: Some(Bytes::from_static(b"h")),
    };
    let code = v5::ConnectReturnCode::Success;
    let granted = vec![v5::SubscribeReasonCode::Success(QoS::AtLeastOnce)];
    let why = v5::SubAckProperties { reason_string: Some("a".into()), user_properties: Vec::new() };
    let refusal = v5::PubAckProperties { reason_string: Some("a".into()), user_properties: Vec::new() };
    vec![
        v5::Packet::ConnAck(v5::ConnAck { session_present: true, code, properties: Some(welcome) }),
        v5::Packet::SubAck(v5::SubAck { pkid: 7, return_codes: granted, properties: Some(why) }),
        v5::Packet::PubAck(v5::PubAck {
            pkid: 7,
            reason: v5::PubAckReason::QuotaExceeded,
            properties: Some(refusal),
        }),
        v5::Packet::Publish(publish),
    ]
}

fn parse(version: Version, came: &mut BytesMut) -> Result<Option<Heard>, Fault> {
    match version {
        Version::V4 => super::v4::parse(came),
        Version::V5 => super::v5::parse(came),
    }
}

#[test]
fn whole_packets_are_read() {
    for (version, bytes) in packets() {
        for end in 0..bytes.len() {
            let mut came = BytesMut::from(&bytes[..end]);
            assert!(matches!(parse(version, &mut came), Ok(None)) && came.len() == end, "{end} of {bytes:?}");
        }
        let mut came = BytesMut::from(&bytes[..]);
        assert!(matches!(parse(version, &mut came), Ok(Some(_))) && came.is_empty(), "{bytes:?}");
    }
}

#[test]
fn a_broker_that_leaves_may_say_why() {
    let fault = |bytes: &[u8]| parse(Version::V5, &mut BytesMut::from(bytes)).expect_err("it leaves");
    assert!(matches!(fault(&[0xE0, 0]), Fault::Closed));
    assert!(matches!(fault(&[0xE0, 1, 0x8E]), Fault::Closed), "another has the client's id");
    for bytes in [&[0xE0, 1, 0x8B][..], &[0xE0, 2, 0x8B, 0]] {
        assert!(matches!(fault(bytes), Fault::SentAway(code) if code == "ServerShuttingDown"));
    }
    assert!(matches!(fault(&[0xE0, 1, 0xEE]), Fault::SentAway(code) if code == "reason 238"));
}

#[test]
fn changed_packets_are_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    for (version, bytes) in packets() {
        let mut seed = 1u64;
        let mut draw = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let mut changed = bytes.clone();
            for _ in 0..=draw(3) {
                let at = draw(changed.len());
                match draw(4) {
                    0 => changed[at] = draw(256) as u8,
                    1 => changed[at] ^= 1 << draw(8),
                    2 => _ = changed.remove(at),
                    _ => changed.insert(at, draw(256) as u8),
                }
                if changed.is_empty() {
                    break;
                }
            }
            let mut came = BytesMut::from(&changed[..]);
            match parse(version, &mut came) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 10_000 && refused > 10_000, "{read} read, {refused} refused");
}
