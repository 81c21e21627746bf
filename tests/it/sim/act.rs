//! What people, bots, devices and strangers try in a simulated life: allowed or not, the node decides.

use super::chance::Chance;
use super::model::Model;
use super::topics;
use linnet::base::id::{MessageId, RoomId, UserId};
use linnet::chat::change::Via;
use linnet::chat::message::{Draft, Message};
use linnet::chat::name::{Name, Text};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::{NewUser, UserPatch};
use linnet::node::devices::Rights;
use linnet::node::rooms::{NewRoom, RoomPatch};
use linnet::node::{Caller, Node};

/// What a caller was told, as far as it must hold for ever.
#[derive(Clone, Debug)]
pub enum Told {
    Said(Box<Message>),
    Removed(MessageId),
    RoomRemoved(RoomId),
    /// Somebody can act with this token.
    Token(UserId, String),
    Code(String),
    Done,
}

pub(super) type Answer = Result<Told, Refusal>;

/// The people of a life and what they know.
#[derive(Default)]
pub struct Crowd {
    /// Users with tokens they were given, good or no longer.
    pub callers: Vec<(UserId, Caller, linnet::chat::token::TokenHash)>,
    pub codes: Vec<String>,
    /// Drafts with ids of their own, to be sent again.
    pub drafts: Vec<(Caller, RoomId, Draft)>,
    pub words: u64,
}

impl Crowd {
    /// Somebody tries something.
    pub fn act(&mut self, node: &mut Node, model: &Model, chance: &mut Chance) -> Answer {
        let (user, caller, _) = chance.pick(&self.callers).clone();
        let room = self.some_room(model, &user, chance);
        match chance.below(135) {
            0..40 => self.post(node, caller, room, chance),
            40..49 => self.revise(node, &caller, model, chance),
            49..54 => {
                let upto = chance.coin().then(|| chance.below(20));
                node.transact(|n| n.mark_read(&caller, &room, upto)).map(|_| Told::Done)
            }
            54..76 => self.come_and_go(node, &caller, &room, model, chance),
            76..86 => self.keep_room(node, &caller, &room, model, chance),
            86..93 => self.keep_users(node, &caller, model, chance),
            93..96 => self.keep_devices(node, &caller, &room, model, chance),
            96..100 => self.use_tokens(node, &caller, model, chance),
            _ => {
                self.words += 1;
                topics::act(node, &caller, model, self.words, chance)
            }
        }
    }

    /// Mostly a room the user is in, else any.
    fn some_room(&self, model: &Model, user: &UserId, chance: &mut Chance) -> RoomId {
        let strays = chance.below(3) == 0;
        let all = model.rooms.iter();
        let own = all.clone().filter(|(_, place)| strays || place.members.contains_key(user));
        let rooms: Vec<&RoomId> = own.map(|(id, _)| id).collect();
        if rooms.is_empty() { linnet::chat::room::Room::GENERAL } else { (*chance.pick(&rooms)).clone() }
    }

    fn some_member(&self, model: &Model, room: &RoomId, chance: &mut Chance) -> UserId {
        let members: Vec<&UserId> =
            model.rooms.get(room).into_iter().flat_map(|place| place.members.keys()).collect();
        if members.is_empty() { self.some_user(model, chance) } else { (*chance.pick(&members)).clone() }
    }

    fn some_user(&self, model: &Model, chance: &mut Chance) -> UserId {
        let users: Vec<&UserId> = model.users.keys().collect();
        (*chance.pick(&users)).clone()
    }

    fn text(&mut self, chance: &mut Chance) -> Text {
        self.words += 1;
        // Long ones span sectors, so that a power cut tears them.
        let tail =
            if chance.below(8) == 0 { "drip ".repeat(chance.below(300) as usize) } else { String::new() };
        Text::parse(&format!("word {} {tail}", self.words)).unwrap()
    }

    fn post(&mut self, node: &mut Node, caller: Caller, room: RoomId, chance: &mut Chance) -> Answer {
        let said = |message: Message| Told::Said(Box::new(message));
        let mut draft = Draft { text: self.text(chance), ..Draft::default() };
        match chance.below(12) {
            0 => {
                draft.id = MessageId::parse(&format!("own-{}", self.words));
                self.drafts.push((caller.clone(), room.clone(), draft.clone()));
            }
            1 if !self.drafts.is_empty() => {
                let (caller, room, draft) = chance.pick(&self.drafts).clone();
                return node.transact(|n| n.post_message(&caller, &room, draft)).map(said);
            }
            2 => {
                // A job that is refused at its end leaves nothing, whatever it did before.
                return node.transact(|n| {
                    let half = Draft { text: Text::parse("never").unwrap(), ..Draft::default() };
                    n.post_message(&caller, &room, half)?;
                    n.post_message(&caller, &room, Draft::default()).map(said)
                });
            }
            3 => {
                let digest = chance.below(4);
                let via = Via { bridge: "shed".into(), packet: digest as u16, digest };
                let again = chance.coin();
                let answer = node.transact(|n| n.post_delivery(&caller, &room, draft, via, again))?;
                return Ok(answer.map_or(Told::Done, said));
            }
            _ => {}
        }
        node.transact(|n| n.post_message(&caller, &room, draft)).map(said)
    }

    fn revise(&mut self, node: &mut Node, caller: &Caller, model: &Model, chance: &mut Chance) -> Answer {
        let all: Vec<&MessageId> =
            model.rooms.values().flat_map(|place| &place.said).map(|said| &said.id).collect();
        if all.is_empty() {
            return Ok(Told::Done);
        }
        let id = (*chance.pick(&all)).clone();
        let text = self.text(chance);
        match chance.below(4) {
            0 => node.transact(|n| n.delete_message(caller, &id)).map(|_| Told::Removed(id)),
            1 => {
                let draft = Draft { text, thread: Some(id.clone()), ..Draft::default() };
                let room = model.said(&id).and_then(|said| said.message.as_ref()).map(|m| m.room.clone());
                let room = room.unwrap_or(linnet::chat::room::Room::GENERAL);
                node.transact(|n| n.post_message(caller, &room, draft)).map(|m| Told::Said(Box::new(m)))
            }
            2 => {
                let emoji = ["wave", "ok", "rain"][chance.below(3) as usize];
                node.transact(|n| n.react(caller, &id, emoji, None)).map(|m| Told::Said(Box::new(m)))
            }
            _ => node.transact(|n| n.edit_message(caller, &id, text)).map(|m| Told::Said(Box::new(m))),
        }
    }

    fn come_and_go(
        &mut self,
        node: &mut Node,
        caller: &Caller,
        room: &RoomId,
        model: &Model,
        chance: &mut Chance,
    ) -> Answer {
        let user = self.some_user(model, chance);
        let done = |_| Told::Done;
        match chance.below(8) {
            0 | 1 => node.transact(|n| n.join_room(caller, room)).map(done),
            2 => node.transact(|n| n.leave_room(caller, room)).map(done),
            3 => node.transact(|n| n.invite(caller, room, &[user])).map(done),
            4 => {
                let user = self.some_member(model, room, chance);
                node.transact(|n| n.kick(caller, room, &user)).map(done)
            }
            5 => {
                let role = [Role::Owner, Role::Moderator, Role::Leader][chance.below(3) as usize];
                let (on, user) = (chance.coin(), self.some_member(model, room, chance));
                node.transact(|n| n.set_room_role(caller, room, &user, role, on)).map(|()| Told::Done)
            }
            6 => {
                let (open, first) = (chance.coin(), chance.coin());
                node.transact(|n| n.arrange_room(caller, room, Some(open), Some(first))).map(|_| Told::Done)
            }
            _ => match self.codes.is_empty() || chance.coin() {
                true => {
                    let uses = 1 + chance.below(2) as u32;
                    node.transact(|n| n.invite_by_code(caller, room, None, uses)).map(Told::Code)
                }
                false => {
                    let code = chance.pick(&self.codes).clone();
                    node.transact(|n| n.enter_by_code(caller, &code)).map(done)
                }
            },
        }
    }

    fn keep_room(
        &mut self,
        node: &mut Node,
        caller: &Caller,
        room: &RoomId,
        model: &Model,
        chance: &mut Chance,
    ) -> Answer {
        let (one, other) = (self.some_user(model, chance), self.some_user(model, chance));
        match chance.below(8) {
            0 | 1 => {
                let kind = if chance.coin() { RoomKind::Public } else { RoomKind::Private };
                let mut new = NewRoom::named(kind, Name::parse(&format!("room-{}", chance.below(9)))?);
                new.members = vec![one, other];
                new.read_only = chance.below(4) == 0;
                node.transact(|n| n.create_room(caller, new)).map(|_| Told::Done)
            }
            2 => node.transact(|n| n.direct_room(caller, &[one])).map(|_| Told::Done),
            3 => node.transact(|n| n.remove_room(caller, room)).map(|()| Told::RoomRemoved(room.clone())),
            _ => {
                let mut patch = RoomPatch::default();
                match chance.below(5) {
                    0 => patch.kind = Some(if chance.coin() { RoomKind::Public } else { RoomKind::Private }),
                    1 => patch.name = Some(Name::parse(&format!("room-{}", chance.below(9)))?),
                    2 => patch.archived = Some(chance.below(4) == 0),
                    3 => patch.read_only = Some(chance.below(4) == 0),
                    _ => patch.topic = Some(format!("topic {}", chance.below(5)).into()),
                }
                node.transact(|n| n.change_room(caller, room, patch)).map(|_| Told::Done)
            }
        }
    }

    fn keep_users(&mut self, node: &mut Node, caller: &Caller, model: &Model, chance: &mut Chance) -> Answer {
        let user = self.some_user(model, chance);
        let name = Name::fixed(["dan", "eve", "finn", "gil", "hope"][chance.below(5) as usize]);
        match chance.below(8) {
            0..3 => {
                let mut new = NewUser::person(name, "", "".into());
                new.email = chance.coin().then(|| format!("{}@farm", chance.below(6)).into());
                new.join_default_rooms = chance.coin();
                let roles = [Role::User, Role::Guest, Role::Bot, Role::Moderator];
                new.roles = Roles::of(&[roles[chance.below(4) as usize]]);
                node.transact(|n| {
                    let user = n.add_user(caller, new)?;
                    let (token, _) = n.open_session(&user.id)?;
                    Ok(Told::Token(user.id.clone(), token))
                })
            }
            3 if user.as_str() != "alice" => {
                node.transact(|n| n.remove_user(caller, &user)).map(|()| Told::Done)
            }
            _ => {
                let mut patch = UserPatch::default();
                match chance.below(4) {
                    0 => patch.active = Some(chance.below(3) > 0),
                    1 => {
                        patch.roles = Some(Roles::of(&[[Role::User, Role::Guest][chance.below(2) as usize]]))
                    }
                    2 => patch.email = Some(format!("{}@farm", chance.below(6)).into()),
                    _ => patch.username = Some(name),
                }
                node.transact(|n| n.change_user(caller, &user, patch)).map(|_| Told::Done)
            }
        }
    }

    fn keep_devices(
        &mut self,
        node: &mut Node,
        caller: &Caller,
        room: &RoomId,
        model: &Model,
        chance: &mut Chance,
    ) -> Answer {
        let rights = [Rights::Both, Rights::Read, Rights::Post][chance.below(3) as usize];
        let name = Name::parse(&format!("sensor-{}", chance.below(3)))?;
        let devices: Vec<&UserId> = model.devices.keys().collect();
        match chance.below(4) {
            0 => {
                let label = model.rooms[room].room.label().to_owned();
                node.transact(|n| {
                    let added = n.add_device(caller, name, &label, rights)?;
                    Ok(Told::Token(added.user.id.clone(), added.key))
                })
            }
            1 => node.transact(|n| n.remove_device(caller, name.as_str())).map(|()| Told::Done),
            _ if devices.is_empty() => Ok(Told::Done),
            _ => {
                let device = (*chance.pick(&devices)).clone();
                node.transact(|n| n.bind_device(caller, &device, room, rights)).map(|_| Told::Done)
            }
        }
    }

    fn use_tokens(&mut self, node: &mut Node, caller: &Caller, model: &Model, chance: &mut Chance) -> Answer {
        let user = self.some_user(model, chance);
        let token = |user: UserId| move |(token, _)| Told::Token(user, token);
        match chance.below(5) {
            0 => node.transact(|n| n.create_token(caller, &user)).map(token(user)),
            1 => node.transact(|n| n.log_out(caller)).map(|()| Told::Done),
            2 => node.transact(|n| n.end_other_sessions(caller)).map(|()| Told::Done),
            3 => node.transact(|n| n.remove_personal_token(caller, "garden")).map(|()| Told::Done),
            _ => {
                let own = node.actor(caller)?.user.id.clone();
                node.transact(|n| n.add_personal_token(caller, "garden")).map(token(own))
            }
        }
    }
}
