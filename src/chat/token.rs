//! Tokens: what a client shows instead of a password. Only their hashes are kept.

use crate::base::id::UserId;
use crate::base::time::WallMs;
use smol_str::SmolStr;
use std::fmt;

/// SHA-256 of a token's text. Whoever reads the store cannot log in with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {:02x}{:02x}..", self.0[0], self.0[1])
    }
}

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenKind {
    /// A login; ends by itself.
    Session,
    /// A personal access token, named by its owner.
    Personal,
    /// A device's key.
    Device,
}

/// A token as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// The hash it is found by.
    pub hash: TokenHash,
    /// Whose.
    pub user: UserId,
    /// What for.
    pub kind: TokenKind,
    /// The name its owner gave; empty for sessions.
    pub name: SmolStr,
    /// The last characters of its text, to tell it from others.
    pub tail: SmolStr,
    /// When it was made.
    pub created: WallMs,
    /// When it ends; `None` for never.
    pub expires: Option<WallMs>,
}
