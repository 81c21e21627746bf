//! Posts and streams for devices and scripts, as the users of ntfy know them: `curl -d "door open" HOST/garden`.
//!
//! | request | does |
//! |---|---|
//! | `POST` or `PUT /garden` | says the body in #garden; `Title`, `Priority`, `Tags` as headers, or a JSON body |
//! | `POST` or `PUT /` | the same with a JSON body that names the room as `topic` |
//! | `GET /garden/json` | what is said there, a line of JSON each, for as long as the connection stands |
//! | `GET /garden/sse` | the same as server-sent events |
//! | `GET /garden/ws` | the same over a WebSocket |
//!
//! Streams take `?since=` (`all`, `latest`, `none`, `10m`, a Unix time, a message's id or `seq`) and `?poll=1`, which
//! gives what is there and ends. They tell what was said, not what was edited or removed since.
//!
//! A token goes into `Authorization: Bearer`, `X-Auth-Token` with `X-User-Id`, or the password of `Authorization: Basic`.
//! Only the key of a device that can do nothing but read may stand in an address, as `?auth=`: addresses are logged.

mod base64;
mod feed;
mod ntfy;
mod post;
mod since;
mod stream;
mod who;
mod words;
mod ws;

use crate::base::limits::BODY_BYTES_MAX;
use crate::doors::http::Route;
use crate::doors::http::route::route;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/:room", Open, BODY_BYTES_MAX, Posting, post::to_room),
    route!(PUT "/:room", Open, BODY_BYTES_MAX, Posting, post::to_room),
    route!(POST "/", Open, BODY_BYTES_MAX, Posting, post::to_topic),
    route!(PUT "/", Open, BODY_BYTES_MAX, Posting, post::to_topic),
    route!(GET "/:room/json", Open, 0, Reading, stream::json),
    route!(GET "/:room/sse", Open, 0, Reading, stream::sse),
    route!(GET "/:room/ws", Open, 0, Reading, ws::ws),
];
