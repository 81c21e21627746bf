//! What a machine's clocks do in a simulated life: batteries die, hands mistype, time servers answer, owners help.

use super::act::Told;
use super::live::Sim;
use crate::harness::life::Life;
use linnet::base::world::Keeper;
use linnet::node::Caller;

/// When every life begins: 2026-01-01.
pub const TRUTH_BEGINS_MS: u64 = 1_767_225_600_000;

const DAY_MS: u64 = 24 * 3_600 * 1_000;
const YEAR_MS: u64 = 365 * DAY_MS;

impl Sim {
    /// The machine starts, after a while, with whatever clock it has.
    pub(super) fn machine_starts(&mut self) {
        self.truth_ms += self.chance.below(10 * DAY_MS);
        self.world.restart();
        let knew = self.model.journal.iter().any(|(change, _)| change.origin.moment.trusted);
        let (keeper, wall) = match self.chance.below(8) {
            0 => (Keeper::Nobody, 5_000),
            1 => (Keeper::Nobody, self.truth_ms - self.chance.below(20 * DAY_MS)),
            2 => (Keeper::Battery, 5_000),
            // A node that never knew the time believes any battery.
            3 if knew => (Keeper::Battery, self.truth_ms + 10 * YEAR_MS),
            4 => (Keeper::Server { set_ms: self.truth_ms - self.chance.below(DAY_MS) }, self.truth_ms),
            _ => (Keeper::Battery, self.truth_ms),
        };
        self.world.set_keeper(keeper);
        self.world.set_wall_ms(wall);
    }

    /// Something happens to the clock. Gives what somebody was told, when it was the node they told.
    pub(super) fn clock_happens(&mut self, life: &mut Life) -> Option<Told> {
        let truth = self.truth_ms;
        match self.chance.below(8) {
            0 => self.world.set_wall_ms(truth + self.chance.below(5_000)),
            1 => self.world.set_wall_ms(truth - self.chance.below(5_000)),
            2 => self.world.set_wall_ms(truth + 10 * YEAR_MS),
            3 => self.world.set_wall_ms(truth - YEAR_MS),
            4 => self.world.set_wall_ms(5_000),
            5 => self.world.serve_time(truth),
            _ => {
                let to = truth - self.chance.below(600_000) + self.chance.below(600_000);
                let set = life.parts.node.transact(|n| n.set_clock(&Caller::Operator, to));
                return set.ok().map(|_| Told::Done);
            }
        }
        None
    }
}
