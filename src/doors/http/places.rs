//! How many connections at once: of all clients, and of one address, so that nobody takes all the places.

use crate::base::limits::{HTTP_CONNECTIONS_MAX, HTTP_CONNECTIONS_PER_ADDRESS_MAX};
use crate::doors::http::rate::neighbourhood;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Connections by address.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place; dropping it frees it.
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// A place for a connection from this address. This machine itself may take all of them: a proxy runs there.
    pub fn take(&self, from: IpAddr) -> Option<Place> {
        let (address, is_here) = (neighbourhood(from), from.to_canonical().is_loopback());
        let mut taken = self.0.lock().expect("no holder of this lock panics");
        let own = taken.get(&address).copied().unwrap_or(0);
        let full = taken.values().sum::<usize>() >= HTTP_CONNECTIONS_MAX;
        if full || (own >= HTTP_CONNECTIONS_PER_ADDRESS_MAX && !is_here) {
            return None;
        }
        taken.insert(address, own + 1);
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().expect("no holder of this lock panics");
        match taken.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let places = Places::default();
        let greedy = IpAddr::V4([192, 168, 1, 66].into());
        let held: Vec<Place> = (0..HTTP_CONNECTIONS_MAX).map_while(|_| places.take(greedy)).collect();
        assert_eq!(held.len(), HTTP_CONNECTIONS_PER_ADDRESS_MAX);
        assert!(places.take(IpAddr::V4([192, 168, 1, 7].into())).is_some());
        drop(held);
        assert!(places.take(greedy).is_some());
        let here = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
        let held: Vec<Place> = (0..HTTP_CONNECTIONS_MAX).map_while(|_| places.take(here)).collect();
        assert_eq!(held.len(), HTTP_CONNECTIONS_MAX);
        drop(held);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
