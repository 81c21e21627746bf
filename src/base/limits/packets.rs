//! Packets of the broker's door.

use super::{PUBLICATION_BYTES_MAX, PUBLICATION_PROPERTIES_BYTES_MAX, TOPIC_BYTES_MAX};

/// Bytes of a CONNECT: ids, a token, and a will of some words. Nobody is known yet, so nobody is given more.
pub const CONNECT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of any other packet: the longest publication with all that belongs to it, and 64 for lengths and numbers.
pub const PACKET_IN_BYTES_MAX: usize =
    PUBLICATION_BYTES_MAX + PUBLICATION_PROPERTIES_BYTES_MAX + TOPIC_BYTES_MAX + 64;
