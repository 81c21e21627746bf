//! How many connections at once: of all clients, and of one address, so that nobody takes all the places; and how many
//! sockets in all, so that the store always finds an open file to spare.

use crate::base::budget::Budget;
use crate::base::limits::TURNED_AWAY_MAX;
use crate::doors::reach::neighbourhood;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections by address.
#[derive(Clone)]
pub struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    max: usize,
    max_per_address: usize,
}

/// One connection's place; dropping it frees it.
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// As many as the budget gives.
    pub fn new(budget: &Budget) -> Places {
        let Budget { connections: max, connections_per_address: max_per_address, .. } = *budget;
        Places { taken: Arc::default(), max, max_per_address }
    }

    /// A place for a connection from this address. This machine itself may take all of them: a proxy runs there.
    pub fn take(&self, from: IpAddr) -> Option<Place> {
        let (address, is_here) = (neighbourhood(from), from.to_canonical().is_loopback());
        let mut taken = self.taken.lock().expect("no holder of this lock panics");
        let own = taken.get(&address).copied().unwrap_or(0);
        let full = taken.values().sum::<usize>() >= self.max;
        if full || (own >= self.max_per_address && !is_here) {
            return None;
        }
        taken.insert(address, own + 1);
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().expect("no holder of this lock panics");
        match taken.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.address)),
        }
    }
}

/// The sockets of all clients together, those past an upgrade included.
pub struct Sockets {
    free: Arc<Semaphore>,
    max: usize,
    /// Those kept for telling clients that there is no place.
    doorstep: usize,
}

/// One socket's share of the open files; dropping it gives it back.
pub type Socket = OwnedSemaphorePermit;

impl Sockets {
    /// As many as this.
    pub fn new(max: usize) -> Sockets {
        Sockets { free: Arc::new(Semaphore::new(max)), max, doorstep: TURNED_AWAY_MAX.min(max / 4) }
    }

    /// One for a client who is served.
    pub fn take(&self) -> Option<Socket> {
        let spare = self.free.available_permits() > self.doorstep;
        spare.then(|| self.free.clone().try_acquire_owned().ok()).flatten()
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.max.saturating_sub(self.free.available_permits())
    }

    /// One for a client who is told why not.
    pub fn take_doorstep(&self) -> Option<Socket> {
        self.free.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sockets_are_for_saying_that_there_are_none() {
        let sockets = Sockets::new(20);
        let held: Vec<Socket> = std::iter::from_fn(|| sockets.take()).collect();
        assert_eq!(held.len(), 15);
        let told: Vec<Socket> = std::iter::from_fn(|| sockets.take_doorstep()).collect();
        assert_eq!(told.len(), 5);
        drop(held);
        assert!(sockets.take().is_some());
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let budget = Budget::default();
        let places = Places::new(&budget);
        let greedy = IpAddr::V4([192, 168, 1, 66].into());
        let held: Vec<Place> = (0..budget.connections).map_while(|_| places.take(greedy)).collect();
        assert_eq!(held.len(), budget.connections_per_address);
        assert!(places.take(IpAddr::V4([192, 168, 1, 7].into())).is_some());
        drop(held);
        assert!(places.take(greedy).is_some());
        let here = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
        let held: Vec<Place> = (0..budget.connections).map_while(|_| places.take(here)).collect();
        assert_eq!(held.len(), budget.connections);
        drop(held);
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
