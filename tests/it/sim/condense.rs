//! Condensing in the middle of a life: between what people do, and with power going at any of its calls.

use super::live::{End, Sim, Stage};
use crate::harness::life::Life;
use linnet::node::condense::{Hands, Job, Scope, condense};
use linnet::node::run::Parts;
use linnet::store::error::StoreError;

/// Does what condensing asks in the one thread there is.
struct Own<'a> {
    sim: &'a mut Sim,
    stage: Stage<'a>,
    /// What was wrong, beside an error of the store.
    wrong: Option<String>,
}

impl Hands for Own<'_> {
    fn job(&mut self, job: Job) -> Result<(), StoreError> {
        self.stage.node.transact(job).map_err(|_| StoreError::Broken)?;
        match self.sim.settle_by(&mut self.stage, Vec::new()) {
            Ok(()) => Ok(()),
            Err(End::Store) => Err(StoreError::Stopped),
            Err(End::Wrong(what)) => {
                self.wrong = Some(what);
                Err(StoreError::Broken)
            }
        }
    }

    fn breathe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn let_readers_finish(&mut self) {}
}

impl Sim {
    /// Some of a room's oldest messages go.
    pub(super) fn trim(&mut self, life: &mut Life) -> Result<(), End> {
        let rooms: Vec<_> =
            self.model.rooms.iter().map(|(id, place)| (id.clone(), place.said.len())).collect();
        if rooms.is_empty() {
            return Ok(());
        }
        let (room, count) = self.chance.pick(&rooms).clone();
        let first = self.chance.below(count as u64 + 1);
        let _ = life.parts.node.transact(|node| node.trim_room(&room, first));
        self.settle_parts(&mut life.parts, Vec::new())
    }

    pub(super) fn condense(&mut self, life: &mut Life) -> Result<(), End> {
        let scope = match self.chance.below(3) {
            0 => Scope::All,
            1 => Scope::Unwanted(u64::MAX),
            _ => {
                // A stretch that begins anywhere.
                let segments = life.parts.reading.journal().segments();
                let from = self.chance.pick(&segments).from;
                let until = self.chance.pick(&segments).to;
                Scope::Wasted(from, until)
            }
        };
        let Parts { node, writer, settled, reading, hub, .. } = &mut life.parts;
        let stage = Stage { node, writer, settled, hub };
        let mut own = Own { sim: self, stage, wrong: None };
        let done = condense(reading, &mut own, scope);
        match (done, own.wrong) {
            (_, Some(what)) => Err(End::Wrong(what)),
            (Ok(_), None) => Ok(()),
            (Err(StoreError::NoFrame { pos, why }), None) => {
                Err(End::Wrong(format!("no frame at {pos}: {why}")))
            }
            (Err(_), None) => Err(End::Store),
        }
    }
}
