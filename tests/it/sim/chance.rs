//! Chance for a simulated life: the same seed gives the same life.

use linnet::base::world::SimWorld;

/// Small numbers, out of a world of its own so that the node's chance is not touched.
pub struct Chance(SimWorld);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(SimWorld::new(seed ^ 0x5eed_1e55))
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.next() % limit
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// One of these, which are at least one.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
