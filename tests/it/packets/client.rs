//! A client's side of the packets, written for these tests alone: what the door reads, as bytes.

use linnet::chat::publication::Qos;
use linnet::doors::mqtt::server::packet::{
    Ack, Connect, In, Named, Publish, Reason, Retained, Subscribe, Unsubscribe, Version, Wanted, Will,
};

/// The packet as a client writes it; `None` where a filter in it was refused, and is not known any more.
pub fn bytes_of(version: Version, packet: &In) -> Option<Vec<u8>> {
    let five = version == Version::V5;
    Some(match packet {
        In::Connect(packet) => framed(0x10, &connect(packet)),
        In::Publish(packet) => publish(five, packet),
        In::PubAck(ack) => acked(five, 0x40, *ack),
        In::PubRec(ack) => acked(five, 0x50, *ack),
        In::PubRel(ack) => acked(five, 0x62, *ack),
        In::PubComp(ack) => acked(five, 0x70, *ack),
        In::Subscribe(packet) => framed(0x82, &subscribe(five, packet)?),
        In::Unsubscribe(packet) => framed(0xA2, &unsubscribe(five, packet)?),
        In::PingReq => framed(0xC0, &[]),
        In::Disconnect(packet) => {
            let mut properties = Vec::new();
            if let Some(seconds) = packet.expiry_s {
                number(17, &seconds.to_be_bytes(), &mut properties);
            }
            let mut body = vec![packet.reason.0];
            body.extend(with_length(&properties));
            let body = if five { body } else { Vec::new() };
            framed(0xE0, &body)
        }
        In::Auth(reason) => framed(0xF0, &[reason.0]),
    })
}

/// A packet of this first byte and this body.
pub fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    bytes.extend(with_length(body));
    bytes
}

/// These bytes behind their length of one to four bytes.
pub fn with_length(body: &[u8]) -> Vec<u8> {
    let mut bytes = variable(body.len());
    bytes.extend_from_slice(body);
    bytes
}

/// These bytes behind their count of two bytes.
pub fn counted(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn number(id: u8, bytes: &[u8], properties: &mut Vec<u8>) {
    properties.push(id);
    properties.extend_from_slice(bytes);
}

fn connect(packet: &Connect) -> Vec<u8> {
    let (name, level): (&[u8], u8) = match packet.version {
        Version::V31 => (b"MQIsdp", 3),
        Version::V311 => (b"MQTT", 4),
        Version::V5 => (b"MQTT", 5),
    };
    let mut flags = u8::from(packet.clean) << 1;
    if let Some(will) = &packet.will {
        flags |= 4 | (will.qos as u8) << 3 | u8::from(will.retain) << 5;
    }
    flags |= u8::from(packet.password.is_some()) << 6 | u8::from(packet.user.is_some()) << 7;
    let mut body = counted(name);
    body.extend([level | u8::from(packet.is_bridge) << 7, flags]);
    body.extend(packet.keep_alive_s.to_be_bytes());
    if packet.version == Version::V5 {
        body.extend(with_length(&connect_properties(packet)));
    }
    body.extend(counted(packet.client.as_bytes()));
    if let Some(will) = &packet.will {
        body.extend(will_bytes(packet.version == Version::V5, will));
    }
    body.extend(packet.user.iter().flat_map(|user| counted(user.as_bytes())));
    body.extend(packet.password.iter().flat_map(|password| counted(password)));
    body
}

fn connect_properties(packet: &Connect) -> Vec<u8> {
    let mut properties = Vec::new();
    number(17, &packet.expiry_s.to_be_bytes(), &mut properties);
    number(33, &packet.receive_max.to_be_bytes(), &mut properties);
    number(34, &packet.aliases_max.to_be_bytes(), &mut properties);
    number(23, &[u8::from(packet.wants_problem_information)], &mut properties);
    number(25, &[u8::from(packet.wants_response_information)], &mut properties);
    if let Some(max) = packet.packet_bytes_max {
        number(39, &max.to_be_bytes(), &mut properties);
    }
    if let Some(method) = &packet.authentication {
        number(21, &counted(method.as_bytes()), &mut properties);
    }
    properties
}

fn will_bytes(five: bool, will: &Will) -> Vec<u8> {
    let mut body = Vec::new();
    if five {
        let mut properties = Vec::new();
        number(24, &will.delay_s.to_be_bytes(), &mut properties);
        if let Some(seconds) = will.expiry_s {
            number(2, &seconds.to_be_bytes(), &mut properties);
        }
        properties.extend(will.properties.iter().flatten());
        body.extend(with_length(&properties));
    }
    body.extend(counted(will.topic.as_str().as_bytes()));
    body.extend(counted(&will.payload));
    body
}

fn publish(five: bool, packet: &Publish) -> Vec<u8> {
    let first = 0x30 | u8::from(packet.dup) << 3 | (packet.qos as u8) << 1 | u8::from(packet.retain);
    let mut body = counted(packet.topic.as_ref().map_or(b"", |topic| topic.as_str().as_bytes()));
    assert_eq!(packet.packet.is_some(), packet.qos != Qos::Most);
    body.extend(packet.packet.iter().flat_map(|id| id.to_be_bytes()));
    if five {
        let mut properties = packet.properties.clone().unwrap_or_default().into_vec();
        if let Some(seconds) = packet.expiry_s {
            number(2, &seconds.to_be_bytes(), &mut properties);
        }
        if let Some(alias) = packet.alias {
            number(35, &alias.to_be_bytes(), &mut properties);
        }
        body.extend(with_length(&properties));
    }
    body.extend_from_slice(&packet.payload);
    framed(first, &body)
}

fn acked(five: bool, first: u8, ack: Ack) -> Vec<u8> {
    let mut body = ack.packet.to_be_bytes().to_vec();
    if five && ack.reason != Reason::SUCCESS {
        body.push(ack.reason.0);
    }
    framed(first, &body)
}

fn name(named: &Named) -> Vec<u8> {
    match &named.share {
        Some(group) => counted(format!("$share/{group}/{}", named.filter).as_bytes()),
        None => counted(named.filter.as_str().as_bytes()),
    }
}

fn options(wanted: &Wanted) -> u8 {
    let retained = match wanted.retained {
        Retained::Always => 0,
        Retained::IfNew => 1,
        Retained::Never => 2,
    };
    wanted.qos as u8
        | u8::from(wanted.no_local) << 2
        | u8::from(wanted.retain_as_published) << 3
        | retained << 4
}

fn subscribe(five: bool, packet: &Subscribe) -> Option<Vec<u8>> {
    let mut body = packet.packet.to_be_bytes().to_vec();
    if five {
        let properties = packet.id.map_or(Vec::new(), |id| [vec![11], variable(id as usize)].concat());
        body.extend(with_length(&properties));
    }
    for wanted in &packet.filters {
        body.extend(name(wanted.name.as_ref().ok()?));
        body.push(options(wanted));
    }
    Some(body)
}

fn unsubscribe(five: bool, packet: &Unsubscribe) -> Option<Vec<u8>> {
    let mut body = packet.packet.to_be_bytes().to_vec();
    if five {
        body.push(0);
    }
    for filter in &packet.filters {
        body.extend(name(filter.as_ref().ok()?));
    }
    Some(body)
}

fn variable(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push((number % 128) as u8 + 128);
        number /= 128;
    }
    bytes.push(number as u8);
    bytes
}
