//! Moments: what the clocks said, and how far they can be believed.

/// Milliseconds since 1970 as shown to people.
pub type WallMs = u64;

/// What every clock said when something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moment {
    /// Which start of this node it was, counted from 1.
    pub boot: u32,
    /// Milliseconds since that start; never runs backwards.
    pub mono_ms: u64,
    /// Milliseconds since 1970 as the node believed them.
    pub wall_ms: WallMs,
    /// Whether a time server, a battery or a person spoke for them.
    pub trusted: bool,
}
