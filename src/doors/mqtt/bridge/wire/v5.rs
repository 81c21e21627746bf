//! Packets of MQTT 5.0.

use super::{Heard, Introduction, PACKET_BYTES_MAX, Publication, Sent, Subscription, WRITES, Welcome};
use crate::base::limits::DELIVERIES_REMEMBERED;
use crate::doors::mqtt::bridge::fault::{Fault, TurnedAway};
use bytes::{Bytes, BytesMut};
use rumqttc::v5::mqttbytes::{Error, QoS, v5};

fn put(packet: &v5::Packet, out: &mut BytesMut) {
    packet.write(out, None).expect(WRITES);
}

pub(super) fn introduce(introduction: &Introduction<'_>, out: &mut BytesMut) {
    let mut properties = v5::ConnectProperties::new();
    properties.session_expiry_interval = Some(if introduction.stays { u32::MAX } else { 0 });
    properties.max_packet_size = Some(PACKET_BYTES_MAX as u32);
    // Of what it sends again the node knows as many.
    properties.receive_maximum = Some(DELIVERIES_REMEMBERED);
    let connect = v5::Connect {
        keep_alive: introduction.keep_alive_seconds,
        client_id: introduction.client_id.to_owned(),
        clean_start: !introduction.stays,
        properties: Some(properties),
    };
    let will = introduction.will.as_ref();
    let will = will.map(|will| v5::LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true, None));
    let login = introduction.login.map(|(user, password)| v5::Login::new(user, password));
    put(&v5::Packet::Connect(connect, will, login), out);
}

pub(super) fn subscribe(packet: u16, subscription: &Subscription<'_>, out: &mut BytesMut) {
    let qos = if subscription.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
    let mut filter = v5::Filter::new(subscription.filter, qos);
    // What the bridge said itself is no news; a shared subscription may not ask for that.
    filter.nolocal = !subscription.filter.starts_with("$share/");
    let mut subscribe = v5::Subscribe::new(filter, None);
    subscribe.pkid = packet;
    put(&v5::Packet::Subscribe(subscribe), out);
}

pub(super) fn publish(sent: &Sent<'_>, out: &mut BytesMut) {
    let named = sent.properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let user_properties: Vec<(String, String)> = named.collect();
    let properties = v5::PublishProperties { user_properties, ..v5::PublishProperties::default() };
    let publish = v5::Publish {
        dup: sent.again,
        qos: QoS::AtLeastOnce,
        retain: sent.retain,
        topic: Bytes::copy_from_slice(sent.topic.as_bytes()),
        pkid: sent.packet,
        payload: Bytes::copy_from_slice(sent.payload),
        properties: (!sent.properties.is_empty()).then_some(properties),
    };
    put(&v5::Packet::Publish(publish), out);
}

pub(super) fn acknowledge(packet: u16, out: &mut BytesMut) {
    put(&v5::Packet::PubAck(v5::PubAck::new(packet, None)), out);
}

/// The first packet that is there whole.
pub(super) fn parse(came: &mut BytesMut) -> Result<Option<Heard>, Fault> {
    if let Some(fault) = leave(came) {
        return Err(fault);
    }
    let before = came.len();
    let packet = match v5::Packet::read(came, Some(PACKET_BYTES_MAX as u32)) {
        Ok(packet) => packet,
        Err(Error::InsufficientBytes(_)) if came.len() == before => return Ok(None),
        Err(Error::PayloadSizeLimitExceeded { .. }) => return Err(Fault::TooLarge),
        Err(error) => return Err(Fault::Strange(error.to_string())),
    };
    match packet {
        v5::Packet::ConnAck(taken) => welcome(taken).map(Heard::Welcome),
        v5::Packet::SubAck(answer) => {
            let granted =
                |code: &v5::SubscribeReasonCode| matches!(code, v5::SubscribeReasonCode::Success(_));
            Ok(Heard::Granted(answer.return_codes.iter().all(granted)))
        }
        v5::Packet::Publish(publish) => publication(publish).map(Heard::Publication),
        v5::Packet::PubAck(ack) => Ok(Heard::Acknowledged(ack.pkid, taken(&ack))),
        _ => Ok(Heard::Alive),
    }
    .map(Some)
}

/// What a broker says when it closes the connection. rumqttc reads no DISCONNECT without properties.
fn leave(came: &[u8]) -> Option<Fault> {
    match *came {
        [0xE0, 0, ..] | [0xE0, 1..=255, 0x00 | 0x8E, ..] => Some(Fault::Closed),
        [0xE0, 1..=255, code, ..] => {
            let named = v5::DisconnectReasonCode::try_from(code);
            Some(Fault::SentAway(named.map_or_else(|_| format!("reason {code}"), |code| format!("{code:?}"))))
        }
        _ => None,
    }
}

fn taken(ack: &v5::PubAck) -> Result<(), String> {
    match ack.reason {
        v5::PubAckReason::Success | v5::PubAckReason::NoMatchingSubscribers => Ok(()),
        reason => Err(format!("{reason:?}")),
    }
}

fn welcome(taken: v5::ConnAck) -> Result<Welcome, Fault> {
    use v5::ConnectReturnCode::{BadUserNamePassword, NotAuthorized, Success, UnsupportedProtocolVersion};
    let properties = taken.properties.as_ref();
    match taken.code {
        Success => Ok(Welcome {
            unacknowledged_max: properties.and_then(|all| all.receive_max).unwrap_or(u16::MAX).max(1),
            packet_bytes_max: properties
                .and_then(|all| all.max_packet_size)
                .map_or(PACKET_BYTES_MAX, |bytes| bytes as usize),
            keep_alive_seconds: properties.and_then(|all| all.server_keep_alive),
        }),
        BadUserNamePassword | NotAuthorized => Err(Fault::TurnedAway(TurnedAway::Login)),
        UnsupportedProtocolVersion => Err(Fault::TurnedAway(TurnedAway::Version)),
        code => Err(Fault::TurnedAway(TurnedAway::Else(format!("{code:?}")))),
    }
}

fn publication(publish: v5::Publish) -> Result<Publication, Fault> {
    let packet = match publish.qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce => Some(publish.pkid),
        QoS::ExactlyOnce => return Err(Fault::Strange("QoS 2, which was not asked for".to_owned())),
    };
    let topic = String::from_utf8(publish.topic.to_vec())
        .map_err(|_| Fault::Strange("a topic that is not UTF-8".to_owned()))?;
    Ok(Publication {
        topic,
        payload: publish.payload,
        packet,
        redelivered: publish.dup,
        retain: publish.retain,
        properties: publish.properties.map_or_else(Vec::new, |all| all.user_properties),
    })
}
