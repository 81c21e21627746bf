//! The numbers under which a client has sent what may arrive only once, until it lets them go.

use std::collections::BTreeMap;

/// At most 65,535 numbers, as the protocol has them; of each, whether the node keeps it.
#[derive(Clone, Debug, Default)]
pub struct Receipts(BTreeMap<u16, bool>);

impl Receipts {
    /// Those that the node kept.
    pub fn stored(ids: &[u16]) -> Self {
        Self(ids.iter().map(|id| (*id, true)).collect())
    }

    /// Notes a number, and whether the node keeps it.
    pub fn note(&mut self, id: u16, is_stored: bool) {
        self.0.insert(id, is_stored);
    }

    /// Whether something was sent with this number that is not to be done again; and whether the node keeps it.
    pub fn of(&self, id: u16) -> Option<bool> {
        self.0.get(&id).copied()
    }

    /// The client knows that we have it.
    pub fn release(&mut self, id: u16) {
        self.0.remove(&id);
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_is_known_until_it_is_released() {
        let mut receipts = Receipts::stored(&[3]);
        receipts.note(7, false);
        assert_eq!((receipts.of(7), receipts.of(3), receipts.of(4)), (Some(false), Some(true), None));
        receipts.release(7);
        assert_eq!((receipts.of(7), receipts.len()), (None, 1));
        (1..=u16::MAX).for_each(|id| receipts.note(id, false));
        assert_eq!(receipts.len(), 65_535);
    }
}
