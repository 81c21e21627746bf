//! How often: buckets of tokens per caller or address, and the wait after wrong passwords. Both tables are bounded.

use crate::base::id::UserId;
use crate::base::limits::{LOGIN_TRIES_FREE, LOGIN_TRIES_KEPT_MAX, LOGIN_WAIT_SECONDS_MAX, RATE_BUCKETS_MAX};
use crate::doors::http::route::RateClass;
use crate::doors::reach::neighbourhood;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;

/// Whose bucket.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// Somebody known, wherever they come from.
    User(UserId),
    /// A stranger, by address.
    Address(IpAddr),
}

/// What a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u64,
    per_second: u64,
}

/// Generous on purpose: a device that reports ten times a second is what this node is for.
fn rate(class: RateClass) -> Rate {
    match class {
        RateClass::Reading => Rate { burst: 200, per_second: 50 },
        // A gateway that comes back from a break brings what it kept.
        RateClass::Posting => Rate { burst: 200, per_second: 20 },
        RateClass::Entering => Rate { burst: 20, per_second: 1 },
    }
}

/// How a call stands with its bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Calls a full bucket allows.
    pub limit: u64,
    /// Calls left now.
    pub remaining: u64,
    /// Milliseconds until the bucket is full.
    pub full_in_ms: u64,
}

struct Bucket {
    /// Thousandths of a call.
    milli: u64,
    at_ms: u64,
}

/// All buckets.
#[derive(Default)]
pub struct Buckets(Mutex<HashMap<(Who, RateClass), Bucket>>);

impl Buckets {
    /// Takes one call out of a bucket. An error is the number of seconds to wait.
    pub fn take(&self, who: Who, class: RateClass, now_ms: u64) -> Result<Standing, u64> {
        let Rate { burst, per_second } = rate(class);
        let full = burst * 1_000;
        let filled = |bucket: &Bucket, rate: u64, full: u64| {
            (bucket.milli + now_ms.saturating_sub(bucket.at_ms) * rate).min(full)
        };
        let mut buckets = self.0.lock().expect("no holder of this lock panics");
        if buckets.len() >= RATE_BUCKETS_MAX && !buckets.contains_key(&(who.clone(), class)) {
            // A bucket that is full again is as good as none.
            buckets.retain(|(_, class), bucket| {
                let Rate { burst, per_second } = rate(*class);
                filled(bucket, per_second, burst * 1_000) < burst * 1_000
            });
            if buckets.len() >= RATE_BUCKETS_MAX {
                drop_oldest(&mut buckets, |bucket| bucket.at_ms);
            }
        }
        let bucket = buckets.entry((who, class)).or_insert(Bucket { milli: full, at_ms: now_ms });
        bucket.milli = filled(bucket, per_second, full);
        bucket.at_ms = now_ms;
        match bucket.milli.checked_sub(1_000) {
            Some(left) => {
                bucket.milli = left;
                let full_in_ms = (full - left).div_ceil(per_second);
                Ok(Standing { limit: burst, remaining: left / 1_000, full_in_ms })
            }
            None => Err((1_000 - bucket.milli).div_ceil(per_second * 1_000).max(1)),
        }
    }
}

fn drop_oldest<K: Clone + Eq + Hash, V>(table: &mut HashMap<K, V>, age: impl Fn(&V) -> u64) {
    let oldest = table.iter().min_by_key(|(_, value)| age(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        table.remove(&oldest);
    }
}

#[derive(Default)]
struct Tries {
    wrong: u32,
    last_ms: u64,
}

impl Tries {
    /// When the next try is heard.
    fn open_at(&self) -> u64 {
        let over = self.wrong.saturating_sub(LOGIN_TRIES_FREE - 1);
        let seconds = if over == 0 { 0 } else { 5u64 << over.min(20) >> 1 };
        self.last_ms + seconds.min(LOGIN_WAIT_SECONDS_MAX) * 1_000
    }
}

/// Wrong passwords, by account and address together: a stranger elsewhere cannot lock somebody out.
#[derive(Default)]
pub struct Logins(Mutex<HashMap<(String, IpAddr), Tries>>);

impl Logins {
    /// Counts a try before the password is looked at, so that many at once are no way around. An error is the
    /// number of seconds to wait.
    pub fn begin(&self, account: &str, from: IpAddr, now_ms: u64) -> Result<(), u64> {
        let mut tries = self.0.lock().expect("no holder of this lock panics");
        let key = (account.to_ascii_lowercase(), neighbourhood(from));
        if tries.len() >= LOGIN_TRIES_KEPT_MAX && !tries.contains_key(&key) {
            drop_oldest(&mut tries, |tries| tries.last_ms);
        }
        let entry = tries.entry(key).or_default();
        if entry.open_at() > now_ms {
            return Err((entry.open_at() - now_ms).div_ceil(1_000));
        }
        entry.wrong += 1;
        entry.last_ms = now_ms;
        Ok(())
    }

    /// Forgets the tries of somebody who knew the password.
    pub fn succeeded(&self, account: &str, from: IpAddr) {
        let mut tries = self.0.lock().expect("no holder of this lock panics");
        tries.remove(&(account.to_ascii_lowercase(), neighbourhood(from)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7));

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::default();
        let take = |now_ms| buckets.take(Who::Address(HOME), RateClass::Posting, now_ms);
        let taken = (0..1_000).take_while(|_| take(0).is_ok()).count();
        assert_eq!(taken, 200);
        assert_eq!(take(0), Err(1));
        assert_eq!(take(50).map(|standing| standing.remaining), Ok(0));
        assert_eq!(take(60_000).map(|standing| (standing.limit, standing.remaining)), Ok((200, 199)));
        assert!(buckets.take(Who::Address(HOME), RateClass::Reading, 0).is_ok());
    }

    #[test]
    fn the_table_of_buckets_does_not_grow() {
        let buckets = Buckets::default();
        for number in 0..(RATE_BUCKETS_MAX as u32 + 100) {
            let who = Who::Address(IpAddr::V4(number.into()));
            assert!(buckets.take(who, RateClass::Posting, u64::from(number / 64)).is_ok());
        }
        assert!(buckets.0.lock().unwrap().len() <= RATE_BUCKETS_MAX);
    }

    #[test]
    fn wrong_passwords_wait_longer_and_longer_but_only_where_they_came_from() {
        let logins = Logins::default();
        let mut now_ms = 0;
        for _ in 0..LOGIN_TRIES_FREE {
            assert_eq!(logins.begin("alice", HOME, now_ms), Ok(()));
        }
        assert_eq!(logins.begin("Alice", HOME, now_ms), Err(5));
        assert_eq!(logins.begin("alice", IpAddr::V4([10, 0, 0, 1].into()), now_ms), Ok(()));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = logins.begin("alice", HOME, now_ms).unwrap_err();
            waits.push(wait);
            now_ms += wait * 1_000;
            assert_eq!(logins.begin("alice", HOME, now_ms), Ok(()));
        }
        assert_eq!(waits[..4], [5, 10, 20, 40]);
        assert_eq!(waits.last(), Some(&LOGIN_WAIT_SECONDS_MAX));
        logins.succeeded("ALICE", HOME);
        assert_eq!(logins.begin("alice", HOME, now_ms), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(neighbourhood(address("2001:db8::1")), neighbourhood(address("2001:db8::ffff:2")));
        assert_ne!(neighbourhood(address("2001:db8::1")), neighbourhood(address("2001:db8:0:1::1")));
        assert_eq!(neighbourhood(address("::ffff:192.168.1.7")), HOME);
    }
}
