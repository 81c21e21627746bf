//! Nouns to write down: the fixed cast of the golden bytes, and random ones out of a seed.

use linnet::base::id::{MessageId, RoomId, Seq, UserId};
use linnet::base::time::Moment;
use linnet::base::world::SimWorld;
use linnet::chat::change::{Change, ClockSet, Origin, Revision, Via, What};
use linnet::chat::device::{Binding, Device};
use linnet::chat::invitation::{Invitation, InvitationKind};
use linnet::chat::membership::{Membership, ReadMark};
use linnet::chat::message::{Author, Guise, Message, MessageKind, Notice, Reaction};
use linnet::chat::name::{Name, Opaque, Text};
use linnet::chat::permission::{Permission, Permissions, Row};
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::token::{Token, TokenHash, TokenKind};
use linnet::chat::user::{Role, Roles, User};

const MESSAGE_KINDS: [MessageKind; 14] = [
    MessageKind::Said,
    MessageKind::UserJoined,
    MessageKind::UserLeft,
    MessageKind::UserAdded,
    MessageKind::UserRemoved,
    MessageKind::RoomRenamed,
    MessageKind::TopicChanged,
    MessageKind::DescriptionChanged,
    MessageKind::AnnouncementChanged,
    MessageKind::PrivacyChanged,
    MessageKind::ReadOnlyChanged,
    MessageKind::ArchivedChanged,
    MessageKind::RoleGiven,
    MessageKind::RoleTaken,
];

/// One variant of [`What`] each; [`Chance::what`] makes every one of them.
pub const WHATS: u64 = 37;

mod topics;

/// What a seed gives. Ranges are small on purpose: neighbours and equals are what compact forms get wrong.
pub struct Chance(SimWorld);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(SimWorld::new(seed))
    }

    pub fn below(&self, end: u64) -> u64 {
        self.0.next() % end
    }

    fn coin(&self) -> bool {
        self.below(2) == 0
    }

    fn maybe<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        self.coin().then(make)
    }

    fn some<T>(&self, below: u64, mut make: impl FnMut() -> T) -> Vec<T> {
        (0..self.below(below)).map(|_| make()).collect()
    }

    /// Any size is as likely as any other.
    fn number(&self) -> u64 {
        let number = self.0.next();
        number >> self.below(64)
    }

    fn words(&self, chars: u64) -> String {
        let letters = ['a', 'Z', ' ', 'é', '😀', '\n', '"', '{', '0'];
        (0..self.below(chars)).map(|_| letters[self.below(letters.len() as u64) as usize]).collect()
    }

    fn name(&self) -> Name {
        let length = 1 + self.below(64) as usize;
        Name::parse(&linnet::base::id::random_text(&self.0, length)).unwrap()
    }

    fn user_id(&self) -> UserId {
        if self.coin() { UserId::mint(&self.0) } else { UserId::parse("rocket.cat").unwrap() }
    }

    fn room_id(&self) -> RoomId {
        if self.coin() { RoomId::mint(&self.0) } else { Room::GENERAL }
    }

    fn message_id(&self, seq: Seq) -> MessageId {
        match self.below(4) {
            0 => MessageId::parse(&format!("client-{}", self.number())).unwrap(),
            1 => MessageId::mint(&self.0),
            _ => MessageId::mint_at(seq, &self.0),
        }
    }

    fn hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        hash.iter_mut().for_each(|byte| *byte = self.0.next() as u8);
        TokenHash(hash)
    }

    fn opaque(&self) -> Opaque {
        Opaque::parse(&self.some(300, || self.0.next() as u8)).unwrap()
    }

    fn roles(&self) -> Roles {
        Roles::from_bits(self.0.next() as u16)
    }

    pub fn user(&self) -> User {
        User {
            id: self.user_id(),
            username: self.name(),
            name: self.words(30).into(),
            roles: self.roles(),
            active: self.coin(),
            password: self.maybe(|| self.words(90).into()),
            email: self.maybe(|| self.words(40).into()),
            created: self.number(),
            extra: self.maybe(|| self.opaque()),
        }
    }

    pub fn room(&self) -> Room {
        Room {
            id: self.room_id(),
            kind: [RoomKind::Public, RoomKind::Private, RoomKind::Direct][self.below(3) as usize],
            name: self.maybe(|| self.name()),
            creator: self.user_id(),
            created: self.number(),
            topic: self.words(80).into(),
            description: self.words(200).into(),
            announcement: self.words(50).into(),
            read_only: self.coin(),
            joined_by_default: self.coin(),
            archived: self.coin(),
            people: self.some(10, || self.user_id()),
            extra: self.maybe(|| self.opaque()),
        }
    }

    pub fn membership(&self) -> Membership {
        Membership {
            room: self.room_id(),
            user: self.user_id(),
            roles: self.roles(),
            joined: self.number(),
            open: self.coin(),
            favourite: self.coin(),
        }
    }

    pub fn mark(&self) -> ReadMark {
        ReadMark { count: self.number(), seq: Seq(self.number()), at: self.number() }
    }

    pub fn token(&self) -> Token {
        Token {
            hash: self.hash(),
            user: self.user_id(),
            kind: [TokenKind::Session, TokenKind::Personal, TokenKind::Device][self.below(3) as usize],
            name: self.words(20).into(),
            tail: self.words(8).into(),
            created: self.number(),
            expires: self.maybe(|| self.number()),
        }
    }

    pub fn device(&self) -> Device {
        let binding = || Binding { room: self.room_id(), post: self.coin(), read: self.coin() };
        Device {
            user: self.user_id(),
            bindings: self.some(16, binding),
            topics: self.topic_rights(),
            certificate: self.coin(),
            added_by: self.maybe(|| self.user_id()),
            created: self.number(),
        }
    }

    pub fn invitation(&self) -> Invitation {
        let join = self.maybe(|| InvitationKind::Join(self.room_id()));
        Invitation {
            hash: self.hash(),
            kind: join.unwrap_or(InvitationKind::Owner),
            id: self.words(20).into(),
            by: self.maybe(|| self.user_id()),
            created: self.number(),
            expires: self.maybe(|| self.number()),
            uses_max: self.number() as u32,
            uses: self.number() as u32,
        }
    }

    fn near(&self, wall: u64) -> u64 {
        [wall, wall + self.below(100), wall.saturating_sub(self.number()), self.number()]
            [self.below(4) as usize]
    }

    fn author(&self) -> Author {
        let username = self.name();
        let name = if self.coin() { username.as_str().into() } else { self.words(20).into() };
        Author { id: self.user_id(), username, name }
    }

    pub fn message(&self, seq: Seq, minted_at: Seq, wall: u64) -> Message {
        let at = self.near(wall);
        let reaction =
            || Reaction { emoji: self.words(9).into(), by: self.some(5, || (self.user_id(), self.name())) };
        let tags = || self.some(8, || self.words(9).into());
        let notice = || Notice { title: self.words(9).into(), priority: self.number() as u8, tags: tags() };
        let guise = || Guise {
            alias: self.words(9).into(),
            emoji: self.words(9).into(),
            avatar: self.words(9).into(),
        };
        Message {
            id: self.message_id(minted_at),
            seq,
            room: self.room_id(),
            author: self.author(),
            at,
            trusted: self.coin(),
            kind: MESSAGE_KINDS[self.below(14) as usize],
            text: Text::parse(&self.words(300)).unwrap(),
            thread: self.maybe(|| self.message_id(Seq(3))),
            edited: self.maybe(|| (self.near(wall), self.user_id(), self.name())),
            touched: if self.coin() { at } else { self.near(wall) },
            reactions: self.some(4, reaction),
            notice: self.maybe(|| notice().into()),
            guise: self.maybe(|| guise().into()),
            extra: self.maybe(|| self.opaque()),
        }
    }

    pub fn change(&self, which: u64) -> Change {
        let seq = Seq(self.number());
        let moment = Moment {
            boot: self.number() as u32,
            mono_ms: self.number(),
            wall_ms: self.number() >> 1,
            trusted: self.coin(),
        };
        let origin_seq = if self.coin() { seq } else { Seq(self.number()) };
        let origin = Origin { node: self.0.next(), seq: origin_seq, moment };
        Change { seq, origin, what: self.what(which, seq, &origin) }
    }

    fn what(&self, which: u64, seq: Seq, origin: &Origin) -> What {
        let wall = origin.moment.wall_ms;
        match which {
            0 => What::Started { version: self.words(9).into() },
            1 => What::UserAdded(self.user()),
            2 => What::UserChanged(self.user()),
            3 => What::UserRemoved { user: self.user_id(), username: self.name() },
            4 => What::RoomMade(self.room()),
            5 => What::RoomChanged { room: self.room(), former_name: self.maybe(|| self.name()) },
            6 => What::RoomRemoved { room: self.room_id(), name: self.maybe(|| self.name()) },
            7 => What::Joined(self.membership()),
            8 => What::MembershipChanged(self.membership()),
            9 => What::Left { room: self.room_id(), user: self.user_id(), by: self.maybe(|| self.user_id()) },
            10 => What::Read { room: self.room_id(), user: self.user_id(), mark: self.mark() },
            11 => What::Posted {
                message: self.message(seq, origin.seq, wall),
                own_id: self.coin(),
                via: self.maybe(|| self.via()),
            },
            12 => {
                let seq = Seq(self.number());
                What::Revised { message: self.message(seq, seq, wall), how: self.revision() }
            }
            13 => What::Deleted {
                room: self.room_id(),
                target: Seq(self.number()),
                id: self.message_id(Seq(9)),
                by: self.user_id(),
            },
            14 => What::TokenAdded(self.token()),
            15 => What::TokenRevoked { hash: self.hash(), user: self.user_id() },
            16 => What::DeviceSet(self.device()),
            17 => What::InvitationSet(self.invitation()),
            18 => What::InvitationGone { hash: self.hash() },
            19 => What::SettingSet { name: self.words(20).into(), value: self.words(90).into() },
            20 => What::ClockSet(self.clock_set()),
            21..24 => self.gone(which),
            24..33 | 34..37 => self.about_topics(which),
            33 => What::PermissionsSet(self.permissions()),
            _ => self.unknown(),
        }
    }

    pub fn permissions(&self) -> Permissions {
        let all: Vec<Permission> = Permission::all().collect();
        Permissions::of(self.some(9, || {
            let permission = all[self.below(all.len() as u64) as usize];
            Row { permission, roles: self.roles(), changed: self.number() }
        }))
    }

    fn clock_set(&self) -> ClockSet {
        ClockSet {
            boot: self.number() as u32,
            since: Seq(self.number()),
            was_ms: self.number() as i64,
            offset_ms: -(self.number() as i64 >> 1),
            floor_ms: self.number(),
            by: self.maybe(|| self.user_id()),
        }
    }

    /// What stays of messages that are gone.
    fn gone(&self, which: u64) -> What {
        match which {
            21 => What::Erased {
                room: self.room_id(),
                at: self.number(),
                own_id: self.maybe(|| self.message_id(Seq(9))),
                via: self.maybe(|| self.via()),
            },
            22 => What::Skipped {
                room: self.room_id(),
                count: self.number(),
                last: Seq(self.number()),
                at: self.number(),
                via: self.maybe(|| self.via()),
            },
            _ => What::Trimmed {
                room: self.room_id(),
                first: self.number(),
                seq: Seq(self.number()),
                at: self.number(),
                upto: Seq(self.number()),
            },
        }
    }

    fn via(&self) -> Via {
        Via { bridge: self.words(9).into(), packet: self.number() as u16, digest: self.0.next() }
    }

    fn revision(&self) -> Revision {
        let by = self.user_id();
        if self.coin() {
            Revision::Edited { by }
        } else {
            Revision::Reacted { by, emoji: self.words(9).into(), on: self.coin() }
        }
    }

    fn unknown(&self) -> What {
        let bytes = self.some(60, || self.0.next() as u8).into();
        // A kind that is not made yet, or one of ours in a layout of later.
        let (tag, version) = if self.coin() { (999, self.0.next() as u8) } else { (40, 2) };
        What::Unknown { tag, version, bytes }
    }
}

/// An ordinary message as most are: a minted id, a member, 150 characters.
pub fn ordinary_post(seq: Seq) -> Change {
    let world = SimWorld::new(42);
    let moment = Moment { boot: 12, mono_ms: 86_400_000, wall_ms: 1_767_225_600_000, trusted: true };
    let message = Message {
        id: MessageId::mint_at(seq, &world),
        seq,
        room: RoomId::mint(&world),
        author: Author {
            id: UserId::mint(&world),
            username: Name::parse("bob").unwrap(),
            name: "Bob Marlow".into(),
        },
        at: moment.wall_ms,
        trusted: true,
        kind: MessageKind::Said,
        text: Text::parse(&"water the greenhouse ".repeat(8)[..150]).unwrap(),
        thread: None,
        edited: None,
        touched: moment.wall_ms,
        reactions: Vec::new(),
        notice: None,
        guise: None,
        extra: None,
    };
    let origin = Origin { node: 0x1122_3344_5566_7788, seq, moment };
    Change { seq, origin, what: What::Posted { message, own_id: false, via: None } }
}

/// A user whose every field is at work.
pub fn alice() -> User {
    User {
        id: UserId::parse("aLiCe2345678ABCDE").unwrap(),
        username: Name::parse("alice").unwrap(),
        name: "Alice Ünger".into(),
        roles: Roles::of(&[Role::Admin, Role::User]),
        active: true,
        password: Some("$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA".into()),
        email: None,
        created: 1_767_225_600_000,
        extra: Some(Opaque::parse(b"{\"status\":\"away\"}").unwrap()),
    }
}
