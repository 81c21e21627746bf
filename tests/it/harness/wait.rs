//! Waiting for the thing itself, with a limit. The one file that may pause between two looks.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take here: two busy cores, a real broker that waits before it is tried again.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Looks until `holds`; panics with what was waited for.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What a future gives; panics with what was waited for.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(given) => given,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
