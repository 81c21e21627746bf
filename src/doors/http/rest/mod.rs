//! The families of routes. A family is a file with a table `ROUTES` and a plain async function for each row.

pub mod accounts;
pub mod bring;
pub mod carry;
pub mod channels;
pub mod chat;
pub mod clock;
pub mod devices;
pub mod done;
pub mod family;
pub mod find;
pub mod given;
pub mod groups;
pub mod im;
pub mod invites;
pub mod lists;
pub mod method;
pub mod misc;
pub mod mqtt;
pub mod own;
pub mod permissions;
pub mod presence;
pub mod register;
pub mod rooms;
pub mod session;
pub mod settings;
pub mod subscriptions;
pub mod tokens;
pub mod users;

use crate::doors::http::{Route, health, metrics, page, realtime, simple};

/// All families, in no particular order: a fixed path goes before one with names in it.
pub const FAMILIES: &[&[Route]] = &[
    accounts::ROUTES,
    bring::ROUTES,
    carry::ROUTES,
    channels::ROUTES,
    channels::SHARED,
    chat::ROUTES,
    clock::ROUTES,
    devices::ROUTES,
    find::ROUTES,
    groups::ROUTES,
    groups::SHARED,
    health::ROUTES,
    im::ALIASES,
    im::ROUTES,
    invites::ROUTES,
    lists::ROUTES,
    method::ROUTES,
    metrics::ROUTES,
    misc::ROUTES,
    mqtt::ROUTES,
    own::ROUTES,
    page::ROUTES,
    permissions::ROUTES,
    presence::ROUTES,
    realtime::ROUTES,
    register::ROUTES,
    rooms::ROUTES,
    session::ROUTES,
    settings::ROUTES,
    simple::ROUTES,
    subscriptions::ROUTES,
    tokens::ROUTES,
    users::ROUTES,
];
