//! A walk over the bytes of one packet. Nothing here reads beyond its end, and nothing is copied.

use super::Wrong;

/// What is left of a packet.
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

const SHORT: Wrong = Wrong::malformed("the packet ends before its last field: its length is wrong");

impl<'a> Reader<'a> {
    /// Begins at the first of these bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether all was read.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// What was not read yet.
    pub(super) fn left(&self) -> &'a [u8] {
        self.left
    }

    /// The next bytes, as many as said.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(SHORT)?;
        self.left = left;
        Ok(taken)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// One byte.
    pub(super) fn one(&mut self) -> Result<u8, Wrong> {
        Ok(self.take(1)?[0])
    }

    /// A number of two bytes.
    pub(super) fn two(&mut self) -> Result<u16, Wrong> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A number of four bytes.
    pub(super) fn four(&mut self) -> Result<u32, Wrong> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A number of one to four bytes.
    pub(super) fn variable(&mut self) -> Result<u32, Wrong> {
        let (number, bytes) = variable(self.left)?.ok_or(SHORT)?;
        if bytes > super::frame::variable_bytes(number as usize) {
            return Err(Wrong::malformed("a length takes more bytes than it needs"));
        }
        self.left = &self.left[bytes..];
        Ok(number)
    }

    /// Bytes with their count before them.
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Wrong> {
        let count = self.two()?;
        self.take(usize::from(count))
    }

    /// Text with its count before it: UTF-8 without NUL.
    pub(super) fn text(&mut self) -> Result<&'a str, Wrong> {
        let text = std::str::from_utf8(self.binary()?);
        let text = text.map_err(|_| Wrong::malformed("a string is not UTF-8"))?;
        if text.contains('\0') {
            return Err(Wrong::malformed("a string has a NUL in it"));
        }
        Ok(text)
    }

    /// A packet id.
    pub(super) fn packet(&mut self) -> Result<u16, Wrong> {
        match self.two()? {
            0 => Err(Wrong::protocol("a packet id is 0: they begin at 1")),
            packet => Ok(packet),
        }
    }

    /// Ends the walk: nothing may be left.
    pub(super) fn end(&self) -> Result<(), Wrong> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Wrong::malformed("there are bytes behind the packet's last field"))
        }
    }
}

/// A number of one to four bytes at the beginning of these, and how many it took; `None` if they end too early.
pub(super) fn variable(bytes: &[u8]) -> Result<Option<(u32, usize)>, Wrong> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        number |= u32::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((number, at + 1)));
        }
    }
    if bytes.len() >= 4 { Err(Wrong::malformed("a length takes more than four bytes")) } else { Ok(None) }
}
