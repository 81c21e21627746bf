//! Which client is there by which connection, and the sessions of those who are away. One client id, one session.

use super::bell::{Bell, Ring};
use super::session::Session;
use crate::base::id::UserId;
use crate::base::limits::{MQTT_AWAY_MAX, MQTT_TAKEOVER_MS};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// Why a client does not get its session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotYours {
    /// Somebody else's client has this id.
    OtherUser,
    /// The connection that has it does not let go.
    Stuck,
}

/// What stands under a client's id.
enum Held {
    /// A connection.
    Here {
        /// Whose.
        user: UserId,
        /// To tell it to go.
        bell: Arc<Bell>,
    },
    /// A session without one, until then.
    Away {
        /// What it knows.
        session: Box<Session>,
        /// When it is over; never, without.
        until: Option<Instant>,
    },
}

/// All clients.
#[derive(Default)]
pub struct Registry {
    held: Mutex<HashMap<SmolStr, Held>>,
    /// Somebody left.
    left: Notify,
    /// How often somebody came or went.
    moves: AtomicU64,
}

/// One client's place; it is given back by [`Registry::leave`].
pub struct Seat {
    client: SmolStr,
    bell: Arc<Bell>,
}

impl Registry {
    /// Takes the place of a client: a connection that has it is told to go, and waited for. With what is known of its
    /// session.
    pub async fn enter(
        &self,
        client: &SmolStr,
        user: &UserId,
        bell: &Arc<Bell>,
    ) -> Result<(Seat, Option<Box<Session>>), NotYours> {
        let trying = async {
            loop {
                let left = self.left.notified();
                match self.try_enter(client, user, bell)? {
                    Some(session) => {
                        return Ok((Seat { client: client.clone(), bell: bell.clone() }, session));
                    }
                    None => left.await,
                }
            }
        };
        timeout(Duration::from_millis(MQTT_TAKEOVER_MS), trying).await.unwrap_or(Err(NotYours::Stuck))
    }

    /// The place, unless somebody has to leave it first.
    #[allow(clippy::option_option, reason = "no place yet, a place without a session, a place with one")]
    fn try_enter(
        &self,
        client: &SmolStr,
        user: &UserId,
        bell: &Arc<Bell>,
    ) -> Result<Option<Option<Box<Session>>>, NotYours> {
        let mut held = self.held();
        match held.get(client) {
            Some(Held::Here { user: other, .. }) if other != user => return Err(NotYours::OtherUser),
            Some(Held::Away { session, .. }) if session.user != *user => return Err(NotYours::OtherUser),
            Some(Held::Here { bell, .. }) => {
                let bell = bell.clone();
                drop(held);
                bell.ring(Ring::TakenOver);
                return Ok(None);
            }
            Some(Held::Away { .. }) | None => {}
        }
        let here = Held::Here { user: user.clone(), bell: bell.clone() };
        self.moves.fetch_add(1, Ordering::Relaxed);
        let session = match held.insert(client.clone(), here) {
            Some(Held::Away { session, .. }) => Some(session),
            Some(Held::Here { .. }) | None => None,
        };
        Ok(Some(session))
    }

    /// Gives the place back, with the session that is to be kept for so long; `None` keeps it for ever.
    pub fn leave(&self, seat: Seat, kept: Option<(Box<Session>, Option<Instant>)>) {
        let mut held = self.held();
        let is_own = |held: &Held| matches!(held, Held::Here { bell, .. } if Arc::ptr_eq(bell, &seat.bell));
        if !held.get(&seat.client).is_some_and(is_own) {
            return;
        }
        held.remove(&seat.client);
        self.moves.fetch_add(1, Ordering::Relaxed);
        if let Some((session, until)) = kept {
            let now = Instant::now();
            held.retain(|_, held| !matches!(held, Held::Away { until: Some(until), .. } if *until <= now));
            let away = held.values().filter(|held| matches!(held, Held::Away { .. })).count();
            // What does not fit is found in the node's own session, but for numbers under way.
            if away < MQTT_AWAY_MAX {
                held.insert(seat.client, Held::Away { session, until });
            }
        }
        drop(held);
        self.left.notify_waiters();
    }

    /// Tells every connection to go.
    pub fn stop(&self) {
        let bells: Vec<Arc<Bell>> = {
            let held = self.held();
            let here = held.values().filter_map(|held| match held {
                Held::Here { bell, .. } => Some(bell.clone()),
                Held::Away { .. } => None,
            });
            here.collect()
        };
        bells.iter().for_each(|bell| bell.ring(Ring::Stopping));
    }

    /// Whether a client is connected.
    pub fn is_here(&self, client: &str) -> bool {
        matches!(self.held().get(client), Some(Held::Here { .. }))
    }

    /// How often somebody came or went.
    pub fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// Whose clients are connected, in order.
    pub fn users(&self) -> Vec<UserId> {
        let mut users = Vec::new();
        for held in self.held().values() {
            if let Held::Here { user, .. } = held {
                users.push(user.clone());
            }
        }
        users.sort_unstable();
        users
    }

    /// How many are connected.
    pub fn count(&self) -> usize {
        self.held().values().filter(|held| matches!(held, Held::Here { .. })).count()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SmolStr, Held>> {
        self.held.lock().expect("no holder of this lock panics")
    }
}
