//! How much there was a minute lately: averages over 1, 5 and 15 minutes in which what was long ago counts less and less,
//! as Mosquitto and the load of a machine have them.

use std::sync::{Mutex, MutexGuard};

/// What is averaged, as it stands in a topic.
pub const FLOWS: [&str; 7] = [
    "connections",
    "bytes/received",
    "bytes/sent",
    "messages/received",
    "messages/sent",
    "publish/received",
    "publish/sent",
];

/// The times over which it is averaged: how they stand in a topic, and their seconds.
const SPANS: [(&str, f32); 3] = [("1min", 60.0), ("5min", 300.0), ("15min", 900.0)];

#[derive(Clone, Copy, Default)]
struct Load {
    /// How high the figure stood at the last look.
    at: u64,
    /// How much a minute, over each span.
    a_minute: [f32; SPANS.len()],
}

/// All averages.
#[derive(Default)]
pub struct Loads(Mutex<[Load; FLOWS.len()]>);

impl Loads {
    /// Notes how high the figures stand, so many seconds after the last time.
    pub fn note(&self, seconds: u64, now: &[u64; FLOWS.len()]) {
        let seconds = seconds as f32;
        let fades = SPANS.map(|(_, span)| (-seconds / span).exp());
        for (load, now) in self.loads().iter_mut().zip(now) {
            let rate = now.saturating_sub(load.at) as f32 * 60.0 / seconds;
            load.at = *now;
            for (average, fade) in load.a_minute.iter_mut().zip(fades) {
                *average = rate + (*average - rate) * fade;
            }
        }
    }

    /// Each average with its name.
    pub fn told(&self) -> Vec<(String, String)> {
        let loads = *self.loads();
        let of_flow = |(flow, load): (&str, Load)| {
            SPANS
                .iter()
                .zip(load.a_minute)
                .map(|((span, _), average)| (format!("load/{flow}/{span}"), format!("{average:.2}")))
                .collect::<Vec<_>>()
        };
        FLOWS.into_iter().zip(loads).flat_map(of_flow).collect()
    }

    fn loads(&self) -> MutexGuard<'_, [Load; FLOWS.len()]> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_comes_near_what_happens_and_fades() {
        let loads = Loads::default();
        let said = |name: &str| {
            let told = loads.told().into_iter().find(|(known, _)| known == name);
            told.expect("it is told").1.parse::<f32>().expect("a number")
        };
        let mut now = [0; FLOWS.len()];
        for _ in 0..60 {
            now[1] += 100;
            loads.note(10, &now);
        }
        assert!((599.0..=600.0).contains(&said("load/bytes/received/1min")), "{:?}", loads.told());
        assert!((280.0..=310.0).contains(&said("load/bytes/received/15min")), "{:?}", loads.told());
        assert_eq!(said("load/bytes/sent/1min"), 0.0);
        (0..30).for_each(|_| loads.note(10, &now));
        assert!(said("load/bytes/received/1min") < 10.0, "{:?}", loads.told());
    }
}
