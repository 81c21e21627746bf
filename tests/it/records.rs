//! Records: what is written down is read back, and bytes that were not written by linnet are an error.

mod cast;

use cast::{Chance, WHATS, alice, ordinary_post};
use linnet::base::id::Seq;
use linnet::base::limits::{CHANGE_BYTES_MAX, OPAQUE_BYTES_MAX, TEXT_CHARS_MAX, VALUE_BYTES_MAX};
use linnet::chat::change::{Change, What};
use linnet::chat::name::{Opaque, Text};
use linnet::store::record::change::tag;
use linnet::store::record::{
    RecordError, change, device, invitation, membership, permissions, room, setting,
};
use linnet::store::record::{block::Block, token, user};
use std::collections::BTreeSet;
use std::fmt::Debug;

type Encode<T> = fn(&T, &mut Vec<u8>) -> Result<(), RecordError>;
type Decode<T> = fn(&[u8]) -> Result<T, RecordError>;

/// There and back, and every way in which bytes are no longer what was written.
fn check_value<T: PartialEq + Debug>(noun: &T, encode: Encode<T>, decode: Decode<T>) {
    check_version(1, noun, encode, decode);
}

fn check_version<T: PartialEq + Debug>(version: u8, noun: &T, encode: Encode<T>, decode: Decode<T>) {
    let mut bytes = b"before".to_vec();
    encode(noun, &mut bytes).unwrap();
    assert!(bytes.starts_with(b"before"), "what was in the buffer is gone");
    let bytes = &bytes[6..];
    assert_eq!(bytes[0], version, "the version comes first");
    assert_eq!(decode(bytes).as_ref(), Ok(noun));
    for short in 0..bytes.len() {
        assert!(decode(&bytes[..short]).is_err(), "{noun:?} cut at {short} passed");
    }
    assert_eq!(decode(&[bytes, b"xy"].concat()), Err(RecordError::Trailing { bytes: 2 }));
    let next = version + 1;
    assert_eq!(decode(&[&[next], &bytes[1..]].concat()), Err(RecordError::Version { version: next }));
    assert_eq!(decode(&[&[0], &bytes[1..]].concat()), Err(RecordError::Damaged { part: "version" }));
}

fn encoded(change: &Change) -> Vec<u8> {
    let mut bytes = Vec::new();
    change::encode(change, &mut bytes).unwrap();
    bytes
}

#[test]
fn every_noun_comes_back_as_it_was() {
    for seed in 0..300 {
        let chance = Chance::new(seed);
        check_value(&chance.user(), user::encode, user::decode);
        check_value(&chance.room(), room::encode, room::decode);
        check_value(&chance.membership(), membership::encode, membership::decode);
        check_value(&chance.mark(), membership::encode_mark, membership::decode_mark);
        check_value(&chance.token(), token::encode, token::decode);
        check_version(2, &chance.device(), device::encode, device::decode);
        check_value(&chance.invitation(), invitation::encode, invitation::decode);
        check_value(&chance.permissions(), permissions::encode, permissions::decode);
    }
    check_value(&"{\"on\":true}".into(), |value, out| setting::encode(value, out), setting::decode);
}

#[test]
fn every_change_comes_back_as_it_was() {
    let mut tags = BTreeSet::new();
    for seed in 0..3_000 {
        let change = Chance::new(seed).change(seed % WHATS);
        let bytes = encoded(&change);
        tags.insert(u16::from_le_bytes([bytes[0], bytes[1]]));
        assert_eq!(change::decode(change.seq, &bytes).as_ref(), Ok(&change), "SEED={seed}");
        if matches!(change.what, What::Unknown { .. }) {
            continue;
        }
        for short in 0..bytes.len() {
            assert!(change::decode(change.seq, &bytes[..short]).is_err(), "SEED={seed} cut at {short}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(
            change::decode(change.seq, &longer),
            Err(RecordError::Trailing { bytes: 1 }),
            "SEED={seed}"
        );
        let unborn = [&bytes[..2], &[0], &bytes[3..]].concat();
        assert_eq!(change::decode(change.seq, &unborn), Err(RecordError::Damaged { part: "version" }));
    }
    let missing: Vec<_> = tag::ALL.iter().filter(|(tag, _)| !tags.contains(tag)).collect();
    assert!(missing.is_empty(), "no Change was made of the tags {missing:?}");
}

#[test]
fn what_is_not_known_is_passed_on_to_the_byte() {
    for seed in 0..1_000 {
        let known = encoded(&Chance::new(seed).change(seed % WHATS));
        // Above every version there is, unless it is none of ours.
        let newer = [&known[..2], &[known[2].wrapping_add(1).max(3)], &known[3..]].concat();
        let stranger = [&[0xee, 0xee], &known[2..]].concat();
        for bytes in [newer, stranger] {
            // A Change of another node lies at another place here.
            let change = change::decode(Seq(u64::MAX), &bytes).unwrap();
            assert!(matches!(change.what, What::Unknown { .. }), "SEED={seed} {change:?}");
            assert_eq!(encoded(&change), bytes, "SEED={seed}");
        }
    }
}

#[test]
fn flipped_bits_are_an_error_or_another_change_and_never_a_panic() {
    for seed in 0..40_000u64 {
        let chance = Chance::new(seed % 200);
        let change = chance.change(seed % WHATS);
        let mut bytes = encoded(&change);
        let flips = Chance::new(seed);
        for _ in 0..=flips.below(3) {
            let at = flips.below(bytes.len() as u64) as usize;
            bytes[at] = [bytes[at] ^ 1 << flips.below(8), 0xff][(flips.below(4) == 0) as usize];
        }
        if let Ok(read) = change::decode(change.seq, &bytes) {
            let again = encoded(&read);
            assert_eq!(change::decode(read.seq, &again), Ok(read), "SEED={seed}");
        }
    }
}

#[test]
fn a_list_that_claims_more_than_is_there_is_an_error() {
    // A room of version 1 up to its people, then a length of 2^32 - 1.
    let mut bytes = vec![1, 1, b'r', 3, 0, 1, b'u', 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(room::decode(&bytes), Err(RecordError::Short));
    bytes.truncate(14);
    bytes.extend([0, 0]);
    assert_eq!(room::decode(&bytes).map(|room| room.people.len()), Ok(0));
}

#[test]
fn ids_names_and_texts_are_parsed_again() {
    let mut bytes = Vec::new();
    user::encode(&alice(), &mut bytes).unwrap();
    let spoil = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + to.len()..]].concat()
    };
    let damaged = |part| Some(RecordError::Damaged { part });
    assert_eq!(user::decode(&spoil("aLiCe", "aL/Ce")).err(), damaged("user id"));
    assert_eq!(user::decode(&spoil("alice", "al ce")).err(), damaged("name"));
    let post = ordinary_post(Seq(1_000_000));
    let bytes = encoded(&post);
    let at = bytes.windows(5).position(|part| part == b"water").unwrap();
    let spoilt = [&bytes[..at], b"wa\0er", &bytes[at + 5..]].concat();
    assert_eq!(change::decode(post.seq, &spoilt).err(), damaged("text"));
    let spoilt = [&bytes[..at], b"wa\xffer", &bytes[at + 5..]].concat();
    assert_eq!(change::decode(post.seq, &spoilt).err(), damaged("form"));
}

#[test]
fn what_is_too_large_leaves_no_trace() {
    let mut large = alice();
    large.name = "x".repeat(VALUE_BYTES_MAX).into();
    let mut bytes = b"before".to_vec();
    assert_eq!(user::encode(&large, &mut bytes), Err(RecordError::TooLarge { max: VALUE_BYTES_MAX }));
    assert_eq!(bytes, b"before");
    let too_long = vec![1; VALUE_BYTES_MAX + 1];
    assert_eq!(user::decode(&too_long), Err(RecordError::TooLarge { max: VALUE_BYTES_MAX }));

    let mut post = ordinary_post(Seq(1));
    post.what = What::Unknown { tag: 999, version: 1, bytes: vec![0; CHANGE_BYTES_MAX].into() };
    assert_eq!(change::encode(&post, &mut bytes), Err(RecordError::TooLarge { max: CHANGE_BYTES_MAX }));
    assert_eq!(bytes, b"before");
}

#[test]
fn the_largest_message_that_can_be_posted_fits() {
    let mut post = ordinary_post(Seq(1));
    let What::Posted { message, .. } = &mut post.what else { panic!("a post") };
    message.text = Text::parse(&"😀".repeat(TEXT_CHARS_MAX)).unwrap();
    message.extra = Some(Opaque::parse(&[b'x'; OPAQUE_BYTES_MAX]).unwrap());
    assert_eq!(change::decode(post.seq, &encoded(&post)), Ok(post));
}

#[test]
fn an_ordinary_message_costs_88_bytes_beside_its_text() {
    assert_eq!(encoded(&ordinary_post(Seq(1_000_000))).len(), 150 + 88);
}

#[test]
fn a_message_at_another_place_than_its_change_is_refused() {
    let mut post = ordinary_post(Seq(7));
    post.seq = Seq(8);
    assert_eq!(change::encode(&post, &mut Vec::new()), Err(RecordError::OtherSeq));
}

// ---- golden bytes ----

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The bytes of every version as they lie on people's cards: a name (for Changes with the frame's sequence), the bytes,
/// and what they mean. The bytes of an entry never change; a new layout gets an entry in the file of its version, and so
/// does a new tag: `BLESS=1 cargo nextest run records::` appends what is missing.
fn golden_file(version: u8) -> String {
    format!("{}/tests/golden/records/version-{version}.txt", env!("CARGO_MANIFEST_DIR"))
}

const NOUNS: [(&str, u8); 9] = [
    ("user", 1),
    ("room", 1),
    ("membership", 1),
    ("mark", 1),
    ("token", 1),
    ("device", 2),
    ("invitation", 1),
    ("setting", 1),
    ("block", 1),
];

/// What the bytes mean, and the bytes that are written for it today.
fn read_again<T: Debug>(bytes: &[u8], encode: Encode<T>, decode: Decode<T>) -> (String, Vec<u8>) {
    let noun = decode(bytes).unwrap();
    let mut again = Vec::new();
    encode(&noun, &mut again).unwrap();
    (format!("{noun:?}"), again)
}

fn read_golden(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    match name {
        "user" => read_again(bytes, user::encode, user::decode),
        "room" => read_again(bytes, room::encode, room::decode),
        "membership" => read_again(bytes, membership::encode, membership::decode),
        "mark" => read_again(bytes, membership::encode_mark, membership::decode_mark),
        "token" => read_again(bytes, token::encode, token::decode),
        "device" => read_again(bytes, device::encode, device::decode),
        "invitation" => read_again(bytes, invitation::encode, invitation::decode),
        "setting" => read_again(bytes, |value, out| setting::encode(value, out), setting::decode),
        "block" => {
            let block = Block::decode(bytes).unwrap();
            let mut again = Vec::new();
            block.encode(&mut again);
            (format!("{:?}", block.entries()), again)
        }
        change => {
            let seq = change.strip_prefix("change ").unwrap_or_else(|| panic!("unknown entry {change}"));
            let change = change::decode(Seq(seq.parse().unwrap()), bytes).unwrap();
            (format!("{change:?}"), encoded(&change))
        }
    }
}

/// The tag (for a Change) and version of an entry, and the version written today.
fn versions(name: &str, bytes: &[u8]) -> (Option<u16>, u8, u8) {
    match NOUNS.iter().find(|(noun, _)| *noun == name) {
        // A block's entries begin at once.
        Some(("block", _)) => (None, 1, 1),
        Some((_, today)) => (None, bytes[0], *today),
        None => {
            let tag = u16::from_le_bytes([bytes[0], bytes[1]]);
            (Some(tag), bytes[2], tag::version(tag).expect("a tag of ours"))
        }
    }
}

fn check_entry(version: u8, name: &str, bytes: &[u8], meaning: &str) -> Option<u16> {
    let (meant, again) = read_golden(name, bytes);
    assert_eq!(meant, meaning, "{name}");
    let (tag, written, today) = versions(name, bytes);
    // One of a version that is yet to come is there too: it is passed on to the byte.
    assert!(written == version || written > today, "{name} is in the file of another version");
    if written >= today {
        assert_eq!(hex(&again), hex(bytes), "{name} is written in another layout");
    } else {
        // What was written in an older layout is written in today's and means the same.
        assert_eq!(read_golden(name, &again), (meant, again), "{name}");
    }
    tag
}

fn bless(missing: &[(u16, u8)]) {
    for (tag, version) in missing {
        let changes = (0..WHATS).map(|which| Chance::new(u64::from(*tag)).change(which));
        let change = changes.into_iter().find(|change| encoded(change)[..2] == tag.to_le_bytes());
        let change = change.expect("there is a kind of every tag");
        let entry = format!("change {}\n{}\n{change:?}\n\n", change.seq.0, hex(&encoded(&change)));
        let file = std::fs::read_to_string(golden_file(*version)).unwrap_or_default();
        std::fs::write(golden_file(*version), file + &entry).unwrap();
    }
}

#[test]
fn bytes_of_every_version_mean_what_they_meant() {
    let mut tags = BTreeSet::new();
    let mut names = BTreeSet::new();
    for version in 1..=2 {
        let entries = std::fs::read_to_string(golden_file(version)).unwrap_or_default();
        for entry in entries.split_terminator("\n\n") {
            let [name, bytes, meaning] = entry.lines().collect::<Vec<_>>()[..] else {
                panic!("three lines: {entry}")
            };
            let tag = check_entry(version, name, &unhex(bytes), meaning);
            tags.extend(tag.map(|tag| (tag, version)));
            names.insert(name.to_owned());
        }
    }
    for (noun, _) in NOUNS {
        assert!(names.contains(noun), "no golden bytes of a {noun}");
    }
    let missing: Vec<_> = tag::ALL.iter().filter(|pair| !tags.contains(pair)).copied().collect();
    if std::env::var_os("BLESS").is_some() {
        bless(&missing);
    }
    assert!(missing.is_empty(), "no golden bytes of the tags {missing:?}: BLESS=1 writes them");
}
