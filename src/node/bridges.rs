//! How far a bridge's broker has taken what is said in its room.

use crate::base::id::{RoomId, Seq};
use crate::chat::refusal::{Refusal, Right};
use crate::node::caller::Caller;
use crate::node::{Node, Reading, refuse};
use crate::store::index::catalog::Catalog;
use crate::store::keys;

impl Node {
    /// Notes that a bridge's broker has everything of the room up to here. Only the bridge itself may say so.
    pub fn mark_bridge(
        &mut self,
        caller: &Caller,
        bridge: &str,
        room: &RoomId,
        upto: Seq,
    ) -> Result<(), Refusal> {
        match caller {
            Caller::Bridge(user) if user.as_str().strip_prefix("bridge.") == Some(bridge) => {
                self.set(&keys::bridge_mark(bridge), &format!("{} {room}", upto.0))
            }
            _ => Err(Refusal::NotAllowed(Right::ManageNode)),
        }
    }
}

impl Reading {
    /// The room a bridge last spoke of, and how far its broker has it.
    pub fn bridge_mark(&self, bridge: &str) -> Result<Option<(RoomId, Seq)>, Refusal> {
        let value = self.setting(&keys::bridge_mark(bridge)).map_err(refuse)?;
        Ok(value.and_then(|value| {
            let (seq, room) = value.split_once(' ')?;
            Some((RoomId::parse(room)?, Seq(seq.parse().ok()?)))
        }))
    }
}
