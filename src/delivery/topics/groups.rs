//! Groups that share a subscription: each publication goes to one of them, and what one does not acknowledge to another.

use super::debt::Debt;
use super::deliver::{pick, put_shared};
use super::places::{Group, Places, Taken, sitter_at};
use super::seat::{GroupBehind, GroupHeard};
use super::sheet::{Parcel, Sheet};
use crate::base::id::Seq;
use crate::chat::change::{Change, What};
use crate::chat::publication::{Qos, group_of};
use crate::chat::question::is_between;
use crate::chat::topic::Filter;
use smol_str::SmolStr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::Waker;

impl Places {
    /// Gives parcels of groups to others of their groups than the one who had them; gives how many found one. What is kept
    /// and finds none waits for whoever comes.
    pub fn hand_on(&mut self, from: u32, parcels: Vec<Parcel>, woken: &mut Vec<Waker>) -> usize {
        let mut handed = 0;
        for parcel in parcels {
            let Some(number) = parcel.group else { continue };
            if self.hand_one_on(from, number, &parcel.sheet, woken).is_some() {
                handed += 1;
            } else if !self.lay_back(&parcel, woken) {
                self.dropped += 1;
            }
        }
        handed
    }

    fn hand_one_on(
        &mut self,
        from: u32,
        number: NonZeroU32,
        sheet: &Arc<Sheet>,
        woken: &mut Vec<Waker>,
    ) -> Option<()> {
        let (group, seats) = self.group(number)?;
        let at = pick(&group.members, group.next, sheet, seats, Some(from))?;
        group.next = at + 1;
        put_shared(&group.members[at], sheet, number, seats, woken);
        Some(())
    }

    /// Keeps in mind that a parcel of a group was given back and nobody has it; whether it can be found again.
    pub fn lay_back(&mut self, parcel: &Parcel, woken: &mut Vec<Waker>) -> bool {
        let Some(((group, seats), seq)) = parcel.group.and_then(|of| self.group(of)).zip(parcel.kept_at())
        else {
            return false;
        };
        let Some(debt) = &mut group.debt else { return false };
        debt.give_back(seq);
        rouse(group, seats, woken);
        true
    }

    /// Whoever gave a parcel back when they went takes it again; false when another has it.
    pub fn reclaim(&mut self, parcel: &Parcel) -> bool {
        let found = parcel.group.and_then(|number| self.group(number)).zip(parcel.kept_at());
        found.is_some_and(|((group, _), seq)| group.debt.as_mut().is_some_and(|debt| debt.reclaim(seq)))
    }

    /// A parcel of a group was acknowledged; sometimes, how far the group has heard.
    pub fn take_shared(&mut self, parcel: &Parcel) -> Option<GroupHeard> {
        let (relayed, seq) = (self.relayed, parcel.kept_at()?);
        let filter = self.groups.get(&parcel.group?)?.clone();
        let (group, _) = self.group(parcel.group?)?;
        let debt = group.debt.as_mut()?;
        let is_due = debt.take(seq);
        is_due.then(|| GroupHeard { share: group.name.clone(), filter, heard: debt.heard(relayed) })
    }

    /// How far the groups of a seat have heard.
    pub fn groups_heard(&mut self, id: u32) -> Vec<GroupHeard> {
        let relayed = self.relayed;
        let names = self.shares_of(id);
        let heard = names.into_iter().filter_map(|(filter, share)| {
            let (group, _) = self.group_of(&filter, &share).and_then(|number| self.group(number))?;
            let heard = group.debt.as_ref()?.heard(relayed);
            Some(GroupHeard { share, filter, heard })
        });
        heard.collect()
    }

    /// Keeps what is published for a group from now on, after what it has heard.
    pub fn keep_group(&mut self, share: &SmolStr, filter: &Filter, heard: Seq) {
        let number = self.group_or_new(filter, share);
        if let Some((group, _)) = self.group(number) {
            group.debt.get_or_insert_with(|| Box::new(Debt::since(heard)));
        }
    }

    /// No session that outlives its connection is in this group any more, if it is one.
    pub(super) fn let_group_go(&mut self, client: &str) {
        let Some((share, filter)) = group_of(client) else { return };
        let Ok(filter) = Filter::parse(filter) else { return };
        let Some(number) = self.group_of(&filter, share) else { return };
        if let Some((group, _)) = self.group(number) {
            group.debt = None;
        }
        self.drop_empty(&filter);
    }

    /// The first group of a seat for which the store has to be read.
    pub(super) fn group_behind(&mut self, id: u32) -> Option<GroupBehind> {
        let upto = self.relayed;
        self.shares_of(id).into_iter().find_map(|(filter, share)| {
            let number = self.group_of(&filter, &share)?;
            let after = self.group(number)?.0.debt.as_ref()?.behind()?;
            Some(GroupBehind { group: number, filter, after, upto })
        })
    }

    /// Hands out what was read from the store for a group, each with the time at which it came.
    pub fn feed(
        &mut self,
        behind: &GroupBehind,
        found: &[(Arc<Change>, i64)],
        reached: Seq,
        woken: &mut Vec<Waker>,
    ) {
        self.relieve();
        let (relayed, meter) = (self.relayed, self.meter.clone());
        let Some((group, seats)) = self.group(behind.group) else { return };
        let Group { number, members, next, debt: Some(debt), .. } = group else { return };
        if debt.behind() != Some(behind.after) {
            // Another of them was faster.
            return;
        }
        let mut reached = reached;
        for (change, at_ms) in found {
            let What::Published { publication, .. } = &change.what else { continue };
            // What is between a device and those who speak with it is told as it comes, to groups that all may hear it.
            let is_theirs = publication.qos != Qos::Most
                && behind.filter.matches(&publication.topic)
                && !is_between(publication.topic.as_str());
            if !is_theirs || !debt.wants(change.seq) {
                continue;
            }
            let sheet = Sheet::new(Some(change.seq), Arc::clone(publication), *at_ms, &meter);
            let Some(at) = pick(members, *next, &sheet, seats, None) else {
                reached = Seq(change.seq.0 - 1);
                break;
            };
            *next = at + 1;
            if put_shared(&members[at], &sheet, *number, seats, woken) {
                debt.hand_out(change.seq);
            }
        }
        debt.read(reached, relayed);
        if debt.behind().is_some() {
            rouse(group, seats, woken);
        }
    }

    /// A group, and the seats.
    fn group(&mut self, number: NonZeroU32) -> Option<(&mut Group, &mut [Taken])> {
        let leaf = self.tree.find(self.groups.get(&number)?)?;
        let mut groups = self.tree.leaf_mut(leaf).groups.iter_mut();
        groups.find(|group| group.number == number).map(|group| (group, &mut self.seats[..]))
    }

    fn shares_of(&mut self, id: u32) -> Vec<(Filter, SmolStr)> {
        let held = self.sitter(id).held.iter();
        held.filter_map(|held| Some((held.filter.clone(), held.share.clone()?))).collect()
    }
}

/// Has those of a group look into the store.
pub(super) fn rouse(group: &Group, seats: &mut [Taken], woken: &mut Vec<Waker>) {
    for hearer in &group.members {
        let sitter = sitter_at(seats, hearer.seat);
        sitter.is_to_feed = true;
        sitter.wake(woken);
    }
}
