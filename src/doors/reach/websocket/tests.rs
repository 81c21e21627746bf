//! Frames of clients, good and hostile, in pieces of every size.

use super::*;
use crate::doors::reach::frame::tests::sent;

/// What a reader finds in these bytes when they come in such pieces.
fn read(bytes: &[u8], piece: usize) -> (Vec<u8>, Reader) {
    let (mut found, mut reader) = (Vec::new(), Reader::default());
    for piece in bytes.chunks(piece) {
        let mut piece = piece.to_vec();
        let held = reader.unpack(&mut piece);
        found.extend_from_slice(&piece[..held]);
    }
    (found, reader)
}

#[test]
fn bytes_come_in_order_wherever_frames_and_reads_have_their_borders() {
    let long: Vec<u8> = (0..1_000).map(|at| at as u8).collect();
    let frames = [
        sent(0x82, b"one"),
        sent(0x02, b" two"),
        sent(0x89, b"first"),
        sent(0x00, b""),
        sent(0x8A, b"unasked"),
        sent(0x80, b" three"),
        sent(0x82, &long),
        sent(0x89, b"second"),
    ];
    let expected = [b"one two three", &long[..]].concat();
    for piece in [1, 2, 3, 7, 64, 5_000] {
        let (found, reader) = read(&frames.concat(), piece);
        assert_eq!(found, expected, "in pieces of {piece}");
        assert_eq!(reader.ended, None);
        assert_eq!(reader.pong.as_deref(), Some(&b"second"[..]), "the newest ping is answered");
        assert!(reader.is_between_frames());
    }
}

#[test]
fn what_came_before_a_goodbye_counts_and_what_comes_after_does_not() {
    let frames = [sent(0x82, b"last"), sent(0x88, &[3, 232]), sent(0x82, b"never")].concat();
    let (found, reader) = read(&frames, frames.len());
    assert_eq!((found, reader.ended), (b"last".to_vec(), Some(Goodbye::DONE)));
}

#[test]
fn half_a_frame_is_no_end() {
    let frame = sent(0x82, b"half of it");
    for cut in 1..frame.len() {
        let (_, reader) = read(&frame[..cut], 3);
        assert!(!reader.is_between_frames(), "cut at {cut}");
    }
}

#[test]
fn hostile_frames_end_the_reading() {
    let bomb = [&[0x82, 0xFF][..], &(CARRIER_FRAME_BYTES_MAX + 1).to_be_bytes(), &[0; 4]].concat();
    let endless = [&[0x82, 0xFF][..], &[0xFF; 8], &[0; 4]].concat();
    let cases = [
        ("unmasked", vec![0x82, 0x01, b'x'], Goodbye::PROTOCOL),
        ("text", sent(0x81, b"x"), Goodbye::TEXT),
        ("a reserved bit", sent(0xC2, b"x"), Goodbye::PROTOCOL),
        ("a reserved opcode", sent(0x83, b"x"), Goodbye::PROTOCOL),
        ("a reserved control opcode", sent(0x8B, b"x"), Goodbye::PROTOCOL),
        ("a continuation of nothing", sent(0x80, b"x"), Goodbye::PROTOCOL),
        ("a message inside a message", [sent(0x02, b""), sent(0x82, b"x")].concat(), Goodbye::PROTOCOL),
        ("a ping in parts", sent(0x09, b"x"), Goodbye::PROTOCOL),
        ("a long ping", sent(0x89, &[0; 126]), Goodbye::PROTOCOL),
        ("a frame beyond any packet", bomb, Goodbye::TOO_BIG),
        ("a length beyond any memory", endless, Goodbye::TOO_BIG),
        ("another protocol", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00".to_vec(), Goodbye::PROTOCOL),
    ];
    for (what, bytes, goodbye) in cases {
        for piece in [1, bytes.len()] {
            let (found, reader) = read(&bytes, piece);
            assert_eq!(reader.ended, Some(goodbye), "{what}");
            assert_eq!(found, b"", "{what}");
        }
    }
}

#[test]
fn an_open_frame_holds_nothing_of_its_payload() {
    let mut reader = Reader::default();
    let mut head = [&[0x82, 0xFF][..], &CARRIER_FRAME_BYTES_MAX.to_be_bytes(), &[1, 2, 3, 4]].concat();
    assert_eq!(reader.unpack(&mut head), 0);
    for _ in 0..100 {
        assert_eq!(reader.unpack(&mut [0; 4_096]), 4_096);
    }
    assert_eq!(
        reader.frame.as_ref().map(|frame| (frame.taken, frame.control.capacity())),
        Some((409_600, 0))
    );
}
