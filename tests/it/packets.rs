//! The packets of the broker's door: what is refused, what rumqttc reads and writes, and what chance makes of them.

pub mod chance;
pub mod client;
mod golden;
pub mod lives;
mod peer;
mod refused;
mod written;

use chance::VERSIONS;
use linnet::doors::mqtt::server::packet::{Decoder, In, Version, Wrong};

/// A CONNECT with the least in it.
pub fn connect_bytes(version: Version) -> Vec<u8> {
    match version {
        Version::V31 => b"\x10\x0F\x00\x06MQIsdp\x03\x02\x00\x3C\x00\x01c".to_vec(),
        Version::V311 => b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01c".to_vec(),
        Version::V5 => b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x01c".to_vec(),
    }
}

/// A decoder that has read it.
pub fn connected(version: Version) -> Decoder {
    let mut decoder = Decoder::new();
    let connect = connect_bytes(version);
    let read = decoder.next(&mut &connect[..]);
    assert!(matches!(&read, Ok(Some(In::Connect(connect))) if connect.version == version), "{read:?}");
    decoder
}

/// The one packet that is in these bytes, after a CONNECT.
pub fn read_one(version: Version, bytes: &[u8]) -> Result<In, Wrong> {
    read_with(&mut connected(version), bytes)
}

/// The one packet that is in these bytes.
pub fn read_with(decoder: &mut Decoder, bytes: &[u8]) -> Result<In, Wrong> {
    let mut left = bytes;
    let packet = decoder.next(&mut left)?.expect("the packet is whole");
    assert!(left.is_empty(), "{packet:?} left {left:?}");
    Ok(packet)
}
