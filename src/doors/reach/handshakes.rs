//! How many TLS handshakes at once. Whoever comes when all places are taken gets the place of the one that waits
//! longest among those of the busiest neighbourhood: half-open handshakes keep nobody out but their own kind.

use super::neighbourhood;
use crate::base::limits::TLS_HANDSHAKES_MAX;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// The handshakes under way, the oldest first.
#[derive(Clone, Default)]
pub struct Handshakes(Arc<Mutex<Vec<Waiting>>>);

struct Waiting {
    from: IpAddr,
    /// Dropped when the place goes to somebody else.
    place: oneshot::Sender<()>,
}

/// A handshake's place; dropping it frees it.
pub struct Place {
    handshakes: Handshakes,
    lost: oneshot::Receiver<()>,
}

impl Handshakes {
    /// A place for a handshake with this address; one that waits long may lose its own.
    pub fn take(&self, from: IpAddr) -> Place {
        let (place, lost) = oneshot::channel();
        let mut waiting = self.0.lock().expect("no holder of this lock panics");
        if waiting.len() >= TLS_HANDSHAKES_MAX {
            let oldest = oldest_of_the_busiest(&waiting);
            waiting.remove(oldest);
        }
        waiting.push(Waiting { from: neighbourhood(from), place });
        Place { handshakes: self.clone(), lost }
    }
}

/// Where the handshake lies that goes first.
fn oldest_of_the_busiest(waiting: &[Waiting]) -> usize {
    let mut counts = HashMap::new();
    waiting.iter().for_each(|one| *counts.entry(one.from).or_insert(0) += 1);
    let most = counts.values().max().copied().unwrap_or(0);
    waiting.iter().position(|one| counts[&one.from] == most).unwrap_or(0)
}

impl Place {
    /// Ends when somebody else got the place.
    pub async fn lost(&mut self) {
        let _ = (&mut self.lost).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lost.close();
        let mut waiting = self.handshakes.0.lock().expect("no holder of this lock panics");
        waiting.retain(|one| !one.place.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_lost(place: &mut Place) -> bool {
        !matches!(place.lost.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    #[test]
    fn a_crowd_costs_its_own_oldest_its_place() {
        let handshakes = Handshakes::default();
        let (home, crowd) = (IpAddr::from([192, 168, 1, 7]), IpAddr::from([192, 168, 1, 66]));
        let mut early = handshakes.take(home);
        let mut many: Vec<Place> = (0..TLS_HANDSHAKES_MAX + 10).map(|_| handshakes.take(crowd)).collect();
        let mut late = handshakes.take(home);
        assert!(!has_lost(&mut early) && !has_lost(&mut late));
        let lost = many.iter_mut().map(has_lost).take_while(|lost| *lost).count();
        assert_eq!(lost, 12, "two of home and ten too many");
        assert_eq!(
            many.iter_mut().filter(|place| !place.lost.is_terminated()).count(),
            TLS_HANDSHAKES_MAX - 2
        );
        drop(many);
        assert_eq!(handshakes.0.lock().expect("held nowhere").len(), 2);
    }
}
