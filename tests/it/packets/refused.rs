//! Bytes that no client may send, each refused with its reason and in words.

use super::{connected, read_one, read_with};
use linnet::doors::mqtt::server::packet::{Decoder, Reason, Version, Wrong};

fn check(version: Version, bytes: &[u8], reason: Reason, says: &str) {
    check_wrong(read_one(version, bytes), bytes, reason, says);
}

fn check_first(bytes: &[u8], reason: Reason, says: &str) {
    check_wrong(read_with(&mut Decoder::new(), bytes), bytes, reason, says);
}

fn check_wrong<T: std::fmt::Debug>(read: Result<T, Wrong>, bytes: &[u8], reason: Reason, says: &str) {
    let wrong = read.expect_err(says);
    assert_eq!(wrong.reason, reason, "{wrong} for {bytes:02x?}");
    assert!(wrong.words.contains(says), "{wrong} does not say {says:?}");
}

#[test]
fn a_connection_begins_with_a_well_formed_connect() {
    check_first(b"GET / HTTP/1.1\r\n\r\n", Reason::PROTOCOL_ERROR, "first packet must be CONNECT");
    check_first(b"\xC0\x00", Reason::PROTOCOL_ERROR, "first packet must be CONNECT");
    check_first(b"\x11\x0D", Reason::MALFORMED, "flags");
    check_first(b"\x10\xFF\xFF\xFF\xFF\x01", Reason::MALFORMED, "four bytes");
    check_first(b"\x10\xFF\xFF\xFF\x7F", Reason::PACKET_TOO_LARGE, "longer than this node takes");
    check_first(b"\x10\x81\x80\x01", Reason::PACKET_TOO_LARGE, "longer than this node takes");
    check_first(b"\x10\x00", Reason::MALFORMED, "ends before");
    check_first(b"\x10\x0D\x00\x04MQTX\x04\x02\x00\x3C\x00\x01c", Reason::VERSION_UNSUPPORTED, "3.1.1");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x03\x00\x3C\x00\x01c", Reason::MALFORMED, "reserved bit");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x0A\x00\x3C\x00\x01c", Reason::MALFORMED, "no will");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x22\x00\x3C\x00\x01c", Reason::MALFORMED, "no will");
    check_first(
        b"\x10\x13\x00\x04MQTT\x04\x1E\x00\x3C\x00\x01c\x00\x01w\x00\x01x",
        Reason::MALFORMED,
        "QoS is 3",
    );
    check_first(
        b"\x10\x13\x00\x04MQTT\x04\x06\x00\x3C\x00\x01c\x00\x01#\x00\x01x",
        Reason::TOPIC_INVALID,
        "wildcard",
    );
    check_first(b"\x10\x10\x00\x04MQTT\x04\x42\x00\x3C\x00\x01c\x00\x01p", Reason::MALFORMED, "no user name");
    check_first(b"\x10\x0C\x00\x04MQTT\x04\x00\x00\x3C\x00\x00", Reason::CLIENT_ID_INVALID, "clean session");
    check_first(b"\x10\x0E\x00\x04MQTT\x04\x02\x00\x3C\x00\x01cX", Reason::MALFORMED, "behind");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01\x00", Reason::MALFORMED, "NUL");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01\xFF", Reason::MALFORMED, "UTF-8");
    check_first(b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x09c", Reason::MALFORMED, "ends before");
}

#[test]
fn the_answer_to_an_unknown_version_is_in_one_that_its_client_reads() {
    for (level, answered_in) in
        [(6, Some(Version::V5)), (3, Some(Version::V311)), (0x85, Some(Version::V311))]
    {
        let mut decoder = Decoder::new();
        let bytes = [b"\x10\x0D\x00\x04MQTT".as_slice(), &[level], b"\x02\x00\x3C\x00\x01c"].concat();
        check_wrong(read_with(&mut decoder, &bytes), &bytes, Reason::VERSION_UNSUPPORTED, "5.0");
        assert_eq!(decoder.version(), answered_in);
    }
}

#[test]
fn connect_properties_are_those_of_connect_each_once() {
    let with = |properties: &[u8]| {
        let mut bytes = b"\x10\x00\x00\x04MQTT\x05\x02\x00\x3C".to_vec();
        bytes.push(properties.len() as u8);
        bytes.extend_from_slice(properties);
        bytes.extend_from_slice(b"\x00\x01c");
        bytes[1] = (bytes.len() - 2) as u8;
        bytes
    };
    check_first(&with(b"\x21\x00\x00"), Reason::PROTOCOL_ERROR, "is 0");
    check_first(&with(b"\x27\x00\x00\x00\x00"), Reason::PROTOCOL_ERROR, "is 0");
    check_first(&with(b"\x21\x00\x01\x21\x00\x01"), Reason::PROTOCOL_ERROR, "twice");
    check_first(&with(b"\x17\x02"), Reason::PROTOCOL_ERROR, "0 or 1");
    check_first(&with(b"\x16\x00\x01d"), Reason::PROTOCOL_ERROR, "no authentication method");
    check_first(&with(b"\x23\x00\x01"), Reason::MALFORMED, "does not belong");
    check_first(&with(b"\x7F"), Reason::MALFORMED, "unknown");
    check_first(&with(b"\x26\x00\x01a\x00\x09b"), Reason::MALFORMED, "ends before");
    let beyond = b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x3C\x7F\x00\x01c";
    check_first(beyond, Reason::MALFORMED, "reach beyond");
    let long = b"\x10\x0F\x00\x04MQTT\x05\x02\x00\x3C\x80\x00\x00\x01c";
    check_first(long, Reason::MALFORMED, "more bytes than it needs");
}

#[test]
fn packets_after_connect_have_their_flags_and_ids() {
    for version in [Version::V311, Version::V5] {
        check(version, b"\x10\x00", Reason::PROTOCOL_ERROR, "second CONNECT");
        for server in [0x20, 0x90, 0xB0, 0xD0] {
            check(version, &[server, 0], Reason::PROTOCOL_ERROR, "only a server");
        }
        check(version, b"\x00\x00", Reason::MALFORMED, "no such kind");
        for flags in [0x80, 0x81, 0x8A, 0xA0, 0x60, 0x63, 0x41, 0x52, 0x74, 0xC1, 0xE1] {
            check(version, &[flags, 2, 0, 1], Reason::MALFORMED, "flags");
        }
        check(version, b"\xC0\x01x", Reason::MALFORMED, "behind");
        for kind in [0x40, 0x50, 0x62, 0x70] {
            check(version, &[kind, 2, 0, 0], Reason::PROTOCOL_ERROR, "packet id is 0");
            check(version, &[kind, 1, 0], Reason::MALFORMED, "ends before");
        }
    }
    check(Version::V311, b"\xF0\x00", Reason::MALFORMED, "no such kind");
    check(Version::V311, b"\x40\x03\x00\x01\x00", Reason::MALFORMED, "behind");
    check(Version::V311, b"\xE0\x01\x00", Reason::MALFORMED, "behind");
    check(Version::V5, b"\x40\x03\x00\x01\x01", Reason::MALFORMED, "reason code");
    check(Version::V5, b"\xE0\x01\x01", Reason::MALFORMED, "reason code");
    check(Version::V5, b"\x40\x05\x00\x01\x00\x01\x26", Reason::MALFORMED, "ends before");
    check(Version::V5, b"\x40\x05\x00\x01\x00\x00\x26", Reason::MALFORMED, "behind");
}

#[test]
fn a_publish_has_a_topic_and_no_wildcard() {
    for version in [Version::V311, Version::V5] {
        let tail: &[u8] = if version == Version::V5 { b"\x00" } else { b"" };
        let with = |first: u8, head: &[u8]| {
            let body = [head, tail].concat();
            [&[first, body.len() as u8], &body[..]].concat()
        };
        check(version, &with(0x36, b"\x00\x01t\x00\x01"), Reason::MALFORMED, "QoS is 3");
        check(version, &with(0x38, b"\x00\x01t"), Reason::MALFORMED, "QoS 0");
        check(version, &with(0x32, b"\x00\x01t\x00\x00"), Reason::PROTOCOL_ERROR, "packet id is 0");
        check(version, &with(0x30, b"\x00\x03a/+"), Reason::TOPIC_INVALID, "wildcard");
        check(version, &with(0x30, b"\x00\x01#"), Reason::TOPIC_INVALID, "wildcard");
        check(version, &with(0x30, b"\x00\x00"), Reason::TOPIC_INVALID, "empty");
        check(version, &with(0x30, b"\x00\x01\x00"), Reason::MALFORMED, "NUL");
        check(version, &with(0x30, b"\x00\x02\xC3\x28"), Reason::MALFORMED, "UTF-8");
        check(version, &with(0x30, b"\x00\x03\xED\xA0\x80"), Reason::MALFORMED, "UTF-8");
    }
    check(Version::V311, b"\x30\x01\x00", Reason::MALFORMED, "ends before");
    check(Version::V5, b"\x30\x07\x00\x01t\x03\x23\x00\x00", Reason::ALIAS_INVALID, "begin at 1");
    check(Version::V5, b"\x30\x06\x00\x01t\x02\x0B\x01", Reason::MALFORMED, "does not belong");
    check(Version::V5, b"\x30\x08\x00\x01t\x04\x01\x01\x01\x01", Reason::PROTOCOL_ERROR, "twice");
    check(Version::V5, b"\x30\x08\x00\x01t\x04\x08\x00\x01#", Reason::PROTOCOL_ERROR, "wildcard");
    check(Version::V5, b"\x30\x04\x00\x01t\x05", Reason::MALFORMED, "reach beyond");
}

#[test]
fn a_subscribe_names_filters_that_can_match() {
    for version in [Version::V311, Version::V5] {
        let tail: &[u8] = if version == Version::V5 { b"\x00" } else { b"" };
        let with = |filter: &str, options: &[u8]| {
            let length = (filter.len() as u16).to_be_bytes();
            let body = [b"\x00\x01", tail, &length, filter.as_bytes(), options].concat();
            [&[0x82, body.len() as u8], &body[..]].concat()
        };
        for filter in ["", "a+", "#/a", "a/#/b", "$share/g/"] {
            let says = if filter.is_empty() || filter.ends_with('/') { "empty" } else { "alone" };
            check(version, &with(filter, b"\x01"), Reason::FILTER_INVALID, says);
        }
        for filter in ["$share", "$share/", "$share/g", "$share//x", "$share/a+/x", "$share/#/x"] {
            check(version, &with(filter, b"\x01"), Reason::FILTER_INVALID, "$share/GROUP/FILTER");
        }
        check(version, &with("a", b"\x03"), Reason::MALFORMED, "QoS is 3");
        check(version, &with("a", b"\xC0"), Reason::MALFORMED, "reserved bits");
        check(version, &with("a", b""), Reason::MALFORMED, "ends before");
        let cut = if version == Version::V5 { Reason::PROTOCOL_ERROR } else { Reason::MALFORMED };
        check(version, b"\x82\x03\x00\x01\x00", cut, "");
    }
    check(Version::V311, b"\x82\x02\x00\x01", Reason::PROTOCOL_ERROR, "no filter");
    check(Version::V311, b"\xA2\x02\x00\x01", Reason::PROTOCOL_ERROR, "no filter");
    check(Version::V311, b"\x82\x06\x00\x01\x00\x01a\x04", Reason::MALFORMED, "reserved bits");
    check(Version::V5, b"\x82\x07\x00\x01\x00\x00\x01a\x30", Reason::PROTOCOL_ERROR, "retain handling");
    check(Version::V5, b"\x82\x09\x00\x01\x02\x0B\x00\x00\x01a\x00", Reason::PROTOCOL_ERROR, "is 0");
    let shared = b"\x82\x10\x00\x01\x00\x00\x0A$share/g/a\x04";
    check(Version::V5, shared, Reason::PROTOCOL_ERROR, "shared subscription");
    check(Version::V5, b"\xA2\x05\x00\x01\x02\x0B\x01", Reason::MALFORMED, "does not belong");
}

#[test]
fn a_packet_that_is_too_long_is_refused_at_its_first_bytes() {
    let mut decoder = connected(Version::V5);
    let wrong = decoder.next(&mut &b"\x30\xFF\xFF\xFF\x7F"[..]).expect_err("256 MB are not waited for");
    assert_eq!(wrong.reason, Reason::PACKET_TOO_LARGE);
    assert_eq!(decoder.held_bytes(), 0);
}
