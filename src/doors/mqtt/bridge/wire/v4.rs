//! Packets of MQTT 3.1.1.

use super::{Heard, Introduction, PACKET_BYTES_MAX, Publication, Sent, Subscription, WRITES, Welcome};
use crate::doors::mqtt::bridge::fault::{Fault, TurnedAway};
use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::{Error, QoS, v4};

fn put(packet: &v4::Packet, out: &mut BytesMut) {
    packet.write(out, usize::MAX).expect(WRITES);
}

pub(super) fn introduce(introduction: &Introduction<'_>, out: &mut BytesMut) {
    let mut connect = v4::Connect::new(introduction.client_id);
    connect.keep_alive = introduction.keep_alive_seconds;
    connect.clean_session = !introduction.stays;
    if let Some((user, password)) = introduction.login {
        connect.set_login(user, password);
    }
    let will = introduction.will.as_ref();
    connect.last_will = will.map(|will| v4::LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
    put(&v4::Packet::Connect(connect), out);
}

pub(super) fn subscribe(packet: u16, subscription: &Subscription<'_>, out: &mut BytesMut) {
    let qos = if subscription.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
    let mut subscribe = v4::Subscribe::new(subscription.filter, qos);
    subscribe.pkid = packet;
    put(&v4::Packet::Subscribe(subscribe), out);
}

pub(super) fn publish(sent: &Sent<'_>, out: &mut BytesMut) {
    let publish = v4::Publish {
        dup: sent.again,
        qos: QoS::AtLeastOnce,
        retain: sent.retain,
        topic: sent.topic.to_owned(),
        pkid: sent.packet,
        payload: Bytes::copy_from_slice(sent.payload),
    };
    put(&v4::Packet::Publish(publish), out);
}

pub(super) fn acknowledge(packet: u16, out: &mut BytesMut) {
    put(&v4::Packet::PubAck(v4::PubAck::new(packet)), out);
}

/// The first packet that is there whole.
pub(super) fn parse(came: &mut BytesMut) -> Result<Option<Heard>, Fault> {
    let before = came.len();
    let packet = match v4::Packet::read(came, PACKET_BYTES_MAX) {
        Ok(packet) => packet,
        Err(Error::InsufficientBytes(_)) if came.len() == before => return Ok(None),
        Err(Error::PayloadSizeLimitExceeded(_)) => return Err(Fault::TooLarge),
        Err(error) => return Err(Fault::Strange(error.to_string())),
    };
    match packet {
        v4::Packet::ConnAck(taken) => welcome(taken.code).map(Heard::Welcome),
        v4::Packet::SubAck(answer) => {
            Ok(Heard::Granted(!answer.return_codes.contains(&v4::SubscribeReasonCode::Failure)))
        }
        v4::Packet::Publish(publish) => publication(publish).map(Heard::Publication),
        v4::Packet::PubAck(ack) => Ok(Heard::Acknowledged(ack.pkid, Ok(()))),
        _ => Ok(Heard::Alive),
    }
    .map(Some)
}

fn welcome(code: v4::ConnectReturnCode) -> Result<Welcome, Fault> {
    use v4::ConnectReturnCode::{BadUserNamePassword, NotAuthorized, Success};
    match code {
        Success => Ok(Welcome {
            unacknowledged_max: u16::MAX,
            packet_bytes_max: PACKET_BYTES_MAX,
            keep_alive_seconds: None,
        }),
        BadUserNamePassword | NotAuthorized => Err(Fault::TurnedAway(TurnedAway::Login)),
        code => Err(Fault::TurnedAway(TurnedAway::Else(format!("{code:?}")))),
    }
}

fn publication(publish: v4::Publish) -> Result<Publication, Fault> {
    let packet = match publish.qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce => Some(publish.pkid),
        QoS::ExactlyOnce => return Err(Fault::Strange("QoS 2, which was not asked for".to_owned())),
    };
    Ok(Publication {
        topic: publish.topic,
        payload: publish.payload,
        packet,
        redelivered: publish.dup,
        retain: publish.retain,
        properties: Vec::new(),
    })
}
