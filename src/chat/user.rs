//! Users: people, bots, guests and devices. Everyone who can say something is one.

use crate::base::id::UserId;
use crate::base::time::WallMs;
use crate::chat::name::{Name, Opaque};
use smol_str::SmolStr;

/// A role on the whole node, or in one room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Role {
    /// Runs the node.
    Admin,
    /// Keeps order: in one room, or in all when held on the node.
    Moderator,
    /// Owns a room.
    Owner,
    /// An ordinary person.
    User,
    /// A program with a password or token of its own.
    Bot,
    /// A visitor from the local network.
    Guest,
    /// A device with narrow rights.
    Device,
    /// Leads a room, in name only.
    Leader,
}

impl Role {
    /// Every role, in the order of its bit in [`Roles`].
    pub const ALL: [Role; 8] = [
        Role::Admin,
        Role::Moderator,
        Role::Owner,
        Role::User,
        Role::Bot,
        Role::Guest,
        Role::Device,
        Role::Leader,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Moderator => "moderator",
            Role::Owner => "owner",
            Role::User => "user",
            Role::Bot => "bot",
            Role::Guest => "guest",
            Role::Device => "device",
            Role::Leader => "leader",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A set of roles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Roles(u16);

impl Roles {
    /// No role.
    pub const NONE: Roles = Roles(0);

    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Roles {
        roles.iter().fold(Roles::NONE, |set, role| set.with(*role))
    }

    /// The set of these bits; unknown bits are kept.
    pub fn from_bits(bits: u16) -> Roles {
        Roles(bits)
    }

    /// One bit a role, in the order of [`Role::ALL`].
    pub fn bits(self) -> u16 {
        self.0
    }

    /// This set and one more role.
    pub fn with(self, role: Role) -> Roles {
        Roles(self.0 | 1 << role as u16)
    }

    /// This set without a role.
    pub fn without(self, role: Role) -> Roles {
        Roles(self.0 & !(1 << role as u16))
    }

    /// Whether the role is in the set.
    pub fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u16) != 0
    }

    /// Whether a role is in both sets.
    pub fn meets(self, other: Roles) -> bool {
        self.0 & other.0 != 0
    }

    /// The roles of either set.
    pub fn and(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }

    /// The roles in the set.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

/// Someone who can speak.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The id, never reused.
    pub id: UserId,
    /// The name in addresses and mentions; unique without case.
    pub username: Name,
    /// The name shown.
    pub name: SmolStr,
    /// Roles on the node.
    pub roles: Roles,
    /// Whether it may log in and act.
    pub active: bool,
    /// The PHC string of its argon2id hash; `None` for those without a password.
    pub password: Option<SmolStr>,
    /// An e-mail address, if one was given. linnet sends none.
    pub email: Option<SmolStr>,
    /// When it was made.
    pub created: WallMs,
    /// What clients keep here: preferences, custom fields, status text.
    pub extra: Option<Opaque>,
}

impl User {
    /// Whether it holds a role on the node.
    pub fn is(&self, role: Role) -> bool {
        self.roles.has(role)
    }
}
