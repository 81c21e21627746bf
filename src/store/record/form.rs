//! What all records share: a bounded writer, a reader that runs dry instead of panicking, and the parsers of parts.

use crate::base::id::{MessageId, RoomId, UserId};
use crate::base::limits::VALUE_BYTES_MAX;
use crate::chat::name::{Name, Opaque, Text};
use crate::chat::topic::Filter;
use crate::store::record::{RecordError, varint};
use postcard::ser_flavors::Flavor;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

// ---- writing ----

/// Appends to a buffer and never beyond its bound.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    max: usize,
}

impl<'a> Writer<'a> {
    /// Lets `write` append at most `max` bytes; takes everything back if it fails.
    pub(super) fn within(
        out: &'a mut Vec<u8>,
        max: usize,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        let start = out.len();
        let result = write(&mut Writer { out, end: start + max, max });
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Appends these bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        if self.out.len() + bytes.len() > self.end {
            return Err(RecordError::TooLarge { max: self.max });
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a number in its shortest form.
    pub(super) fn number(&mut self, number: u64) -> Result<(), RecordError> {
        varint::put(number, self.out);
        if self.out.len() > self.end { Err(RecordError::TooLarge { max: self.max }) } else { Ok(()) }
    }

    /// Appends a value in postcard's form.
    pub(super) fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RecordError> {
        // The forms of this folder hold nothing that postcard cannot write, so only room can be missing.
        postcard::serialize_with_flavor(value, Bounded { out: self.out, end: self.end })
            .map_err(|_| RecordError::TooLarge { max: self.max })
    }
}

struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
}

impl Flavor for Bounded<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.out.len() + bytes.len() > self.end {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

// ---- reading ----

/// Takes parts off the front of a record.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of at most `max` bytes.
    pub(super) fn new(bytes: &'a [u8], max: usize) -> Result<Self, RecordError> {
        if bytes.len() > max { Err(RecordError::TooLarge { max }) } else { Ok(Self { rest: bytes }) }
    }

    /// Takes bytes as they are.
    pub(super) fn raw(&mut self, bytes: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(RecordError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes bytes as they are, into an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        Ok(*self.raw(N)?.first_chunk().expect("raw gives as many as asked"))
    }

    /// Takes one byte.
    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        self.array().map(|[byte]| byte)
    }

    /// Takes a number in its shortest form.
    pub(super) fn number(&mut self) -> Result<u64, RecordError> {
        varint::take(&mut self.rest)
    }

    /// Takes a value in postcard's form.
    pub(super) fn take<T: Deserialize<'a>>(&mut self) -> Result<T, RecordError> {
        let (value, rest) = postcard::take_from_bytes(self.rest).map_err(|error| match error {
            postcard::Error::DeserializeUnexpectedEnd => RecordError::Short,
            _ => RecordError::Damaged { part: "form" },
        })?;
        self.rest = rest;
        Ok(value)
    }

    /// All that is left.
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Makes sure that nothing is left.
    pub(super) fn finish(self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RecordError::Trailing { bytes: self.rest.len() }) }
    }
}

// ---- whole values of the index ----

/// Appends a version byte and a body.
pub(super) fn encode<T: Serialize>(version: u8, body: &T, out: &mut Vec<u8>) -> Result<(), RecordError> {
    Writer::within(out, VALUE_BYTES_MAX, |writer| {
        writer.raw(&[version])?;
        writer.put(body)
    })
}

/// Reads what [`encode`] wrote with this version.
pub(super) fn decode<'a, T: Deserialize<'a>>(version: u8, bytes: &'a [u8]) -> Result<T, RecordError> {
    let mut reader = Reader::new(bytes, VALUE_BYTES_MAX)?;
    match reader.byte()? {
        found if found == version => {}
        0 => return Err(RecordError::Damaged { part: "version" }),
        found => return Err(RecordError::Version { version: found }),
    }
    let body = reader.take()?;
    reader.finish()?;
    Ok(body)
}

// ---- forms that serde does not have ----

/// Bytes written and read as a whole, not one by one.
#[derive(PartialEq, Debug)]
pub(super) struct Blob<'a>(pub(super) &'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Blob<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a [u8]>::deserialize(deserializer).map(Blob)
    }
}

/// A list that grows with the entries really there: a damaged length reserves no memory.
#[derive(Serialize, PartialEq, Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Grow<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Grow<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    list.push(entry);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(Grow(PhantomData))
    }
}

// ---- parts that are parsed again ----

/// A user's id.
pub(super) fn user_id(text: &str) -> Result<UserId, RecordError> {
    UserId::parse(text).ok_or(RecordError::Damaged { part: "user id" })
}

/// A user's id, where one may be missing.
pub(super) fn user_id_if(text: Option<&str>) -> Result<Option<UserId>, RecordError> {
    text.map(user_id).transpose()
}

/// A room's id.
pub(super) fn room_id(text: &str) -> Result<RoomId, RecordError> {
    RoomId::parse(text).ok_or(RecordError::Damaged { part: "room id" })
}

/// A message's id.
pub(super) fn message_id(text: &str) -> Result<MessageId, RecordError> {
    MessageId::parse(text).ok_or(RecordError::Damaged { part: "message id" })
}

/// A name in addresses. Rooms too: a name that became a route later is not damage.
pub(super) fn name(text: &str) -> Result<Name, RecordError> {
    Name::parse(text).map_err(|_| RecordError::Damaged { part: "name" })
}

/// A name in addresses, where one may be missing.
pub(super) fn name_if(text: Option<&str>) -> Result<Option<Name>, RecordError> {
    text.map(name).transpose()
}

/// A filter of topics.
pub(super) fn filter(text: &str) -> Result<Filter, RecordError> {
    Filter::parse(text).map_err(|_| RecordError::Damaged { part: "topic filter" })
}

/// The text of a message.
pub(super) fn text(text: &str) -> Result<Text, RecordError> {
    Text::parse(text).map_err(|_| RecordError::Damaged { part: "text" })
}

/// What a client left to be carried.
pub(super) fn opaque_if(bytes: Option<Blob<'_>>) -> Result<Option<Opaque>, RecordError> {
    let parse =
        |blob: Blob<'_>| Opaque::parse(blob.0).map_err(|_| RecordError::Damaged { part: "attachment" });
    bytes.map(parse).transpose()
}

/// What a client left, to be written.
pub(super) fn blob_if(opaque: Option<&Opaque>) -> Option<Blob<'_>> {
    opaque.map(|opaque| Blob(opaque.as_bytes()))
}
