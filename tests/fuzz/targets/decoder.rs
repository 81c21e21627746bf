//! Whatever a connection brings: the first byte says in which pieces it comes and what was said before.

#![no_main]

use libfuzzer_sys::fuzz_target;
use linnet::doors::mqtt::server::packet::Decoder;

const CONNECTS: [&[u8]; 3] = [
    b"\x10\x0F\x00\x06MQIsdp\x03\x02\x00\x3C\x00\x01c",
    b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01c",
    b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x01c",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let mut decoder = Decoder::new();
    if let Some(connect) = CONNECTS.get(usize::from(how & 3)) {
        decoder.next(&mut &connect[..]).expect("a CONNECT that is well formed");
    }
    for mut fresh in bytes.chunks(1 + usize::from(how >> 2)) {
        while let Ok(Some(_)) = decoder.next(&mut fresh) {}
        if !fresh.is_empty() {
            return;
        }
        assert!(decoder.held_bytes() <= bytes.len());
    }
});
