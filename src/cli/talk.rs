//! Asking the node or the store, and printing what comes back.

use super::{
    Backend, Failure, Streams, check, clock, compact, device, mqtt, owner, post, print_failure, room, status,
    tail, user,
};
use crate::config::Config;
use crate::doors::control::client::{Client, ClientError};
use crate::doors::control::wire::{Reply, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io;

/// Asks, prints, and says how it went.
pub(super) fn ask(
    config: &Config,
    request: Request,
    json: bool,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let mut written = Ok(());
    let out = &mut *streams.out;
    let on_item = |item: Value| {
        written = show_item(&item, json)
            .map_or(Ok(()), |text| out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        written.is_ok()
    };
    let reply = reply_to(config, &request, backend, on_item);
    written?;
    let code = match &reply {
        // Damage that was found is an answer, and a failure for a script.
        Reply::Ok { value } if matches!(request, Request::Check { .. }) => u8::from(value["sound"] != true),
        _ => 0,
    };
    let failure = match reply {
        Reply::Refused { message, hint } => Failure { message, hint },
        Reply::Ok { value } | Reply::Item { value } => match show(&request, value, json, config) {
            Ok(text) => {
                streams.out.write_all(text.as_bytes())?;
                return streams.out.flush().map(|()| code);
            }
            Err(error) => failed(&ClientError::Garbled(error.to_string())),
        },
    };
    print_failure(&failure, streams)
}

/// What the node or the store answers.
pub(super) fn reply_to(
    config: &Config,
    request: &Request,
    backend: &dyn Backend,
    on_item: impl FnMut(Value) -> bool,
) -> Reply {
    match Client::connect(&config.data) {
        Ok(Some(client)) => client.call(request, on_item).unwrap_or_else(unanswered),
        // The one place where a command reaches the store itself.
        Ok(None) => backend.offline(config, request.clone()),
        Err(error) => unanswered(error),
    }
}

/// Fetches bytes from the node or the store; each piece goes to `take`.
pub(super) fn fetch(
    config: &Config,
    request: &Request,
    backend: &dyn Backend,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Reply {
    match Client::connect(&config.data) {
        Ok(Some(client)) => client.fetch(request, take).unwrap_or_else(unanswered),
        Ok(None) => backend.fetch_offline(&config.data, request, take),
        Err(error) => unanswered(error),
    }
}

/// Asks one thing after the other: `next` is given each reply and says what to ask then.
pub(super) fn converse(
    config: &Config,
    backend: &dyn Backend,
    next: &mut dyn FnMut(Option<Reply>) -> Option<Request>,
) -> Result<(), Failure> {
    let mut reply = None;
    // A connection is good for one request.
    loop {
        let client = match Client::connect(&config.data) {
            Ok(Some(client)) => client,
            Ok(None) if reply.is_none() => return backend.converse_offline(&config.data, next),
            Ok(None) => return Err(failed(&ClientError::Closed)),
            Err(error) => return Err(failed(&error)),
        };
        let Some(request) = next(reply.take()) else { return Ok(()) };
        reply = Some(client.call(&request, |_| true).unwrap_or_else(unanswered));
    }
}

pub(super) fn failed(error: &ClientError) -> Failure {
    Failure { message: error.to_string(), hint: Some(error.hint().to_owned()) }
}

fn unanswered(error: ClientError) -> Reply {
    let Failure { message, hint } = failed(&error);
    Reply::Refused { message, hint }
}

fn show_item(item: &Value, json: bool) -> Option<String> {
    if json { Some(format!("{item}\n")) } else { read(item.clone()).ok().map(|line| tail::show_line(&line)) }
}

fn show(request: &Request, value: Value, json: bool, config: &Config) -> serde_json::Result<String> {
    match request {
        Request::Tail { .. } => Ok(tail::show(&value, |item| show_item(item, json))),
        Request::DeviceAdd { .. } | Request::DeviceKey { .. } => {
            read(value).map(|added| device::show_added(&added, json, config))
        }
        _ if json => Ok(format!("{value}\n")),
        Request::OwnerLink => read(value).map(|link| owner::show(&link, config)),
        Request::UserAdd { .. } => read(value).map(|user| user::show_added(&user)),
        Request::UserList => read(value).map(user::show_list),
        Request::UserPasswd { .. } => read(value).map(|user| user::show_changed(&user)),
        Request::DeviceList => read(value).map(device::show_list),
        Request::DeviceShow { .. } | Request::DeviceAllow { .. } => {
            read(value).map(|device| device::show_one(&device))
        }
        Request::DeviceRemove { .. } => read(value).map(|device| device::show_removed(&device)),
        Request::RoomList => read(value).map(room::show_list),
        Request::RoomRetention { .. } => read(value).map(|line| room::show_retention(&line)),
        Request::Post { .. } => read(value).map(|message| post::show(&message)),
        Request::Clock | Request::ClockSet { .. } => read(value).map(|line| clock::show(&line)),
        Request::Compact => read(value).map(|compacted| compact::show(&compacted)),
        Request::MqttTry(_) => read(value).map(|tried| mqtt::look::show(&tried)),
        Request::Status => read(value).map(|report| status::show(&report)),
        Request::Check { .. } | Request::RebuildIndex => read(value).map(|report| check::show(&report)),
        // What gives bytes is fetched, and its value shown where they went.
        Request::Backup | Request::Export { .. } | Request::Import { .. } => Ok(String::new()),
    }
}

fn read<T: DeserializeOwned>(value: Value) -> serde_json::Result<T> {
    serde_json::from_value(value)
}
