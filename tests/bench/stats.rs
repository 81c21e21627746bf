//! The clock of the measurements, and what many of them say together.

use std::time::{Duration, Instant};

/// Now, on a clock that never runs backwards.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures real time; the World's is simulated")]
pub fn now() -> Instant {
    Instant::now()
}

/// The value below which this share of the values lies.
pub fn percentile(values: &mut [Duration], share: f64) -> Duration {
    if values.is_empty() {
        return Duration::ZERO;
    }
    values.sort_unstable();
    let at = (values.len() as f64 * share).ceil() as usize;
    values[at.clamp(1, values.len()) - 1]
}

/// The middle one of a few figures.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
