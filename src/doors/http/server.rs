//! Connections: accepted within bounds, served one request after the other, ended when they stall.

use crate::base::limits::{HEAD_BYTES_MAX, HEAD_SECONDS_MAX, SOCKET_STALL_SECONDS_MAX, STOP_SECONDS_MAX};
use crate::chat::refusal::Refusal;
use crate::doors::http::arrival::Arrival;
use crate::doors::http::call::{Call, Shown};
use crate::doors::http::places::Socket;
use crate::doors::http::query::Query;
use crate::doors::http::rate::Who;
use crate::doors::http::reply::{Body, Problem, Reply};
use crate::doors::http::route::{Access, Found, Route};
use crate::doors::http::{Site, auth, body, guard};
use crate::doors::reach::{Clients, Stream, Tls, neighbourhood};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, EXPECT, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a client hears that comes when all places are taken.
const FULL: &str = "{\"success\":false,\"error\":\"Too many connections: try again in a moment\"}";

/// Serves in clear until `shutdown` is done, then lets requests that are under way end.
pub async fn serve(listener: TcpListener, site: Arc<Site>, shutdown: impl Future<Output = ()>) {
    accept(listener, None, site, shutdown).await;
}

/// As [`serve`], over TLS.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<Tls>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) {
    accept(listener, Some(tls), site, shutdown).await;
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(false);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would only keep the core busy.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let place = site.places.take(peer.ip());
        match place.and_then(|place| Some((place, site.sockets.take()?))) {
            Some((place, socket)) => {
                let (tls, site, stopped) = (tls.clone(), site.clone(), stopped.clone());
                tokio::spawn(async move {
                    connection((stream, tls), (peer, Arc::new(socket)), site, stopped).await;
                    drop(place);
                });
            }
            // Words in clear are noise to whoever expects TLS.
            None if tls.is_some() => {}
            None => {
                // Beyond these nobody is told anything: a flood must not cost more than it must.
                if let Some(socket) = site.sockets.take_doorstep() {
                    tokio::spawn(async move {
                        turn_away(stream).await;
                        drop(socket);
                    });
                }
            }
        }
    }
    drop(listener);
    // Nobody listens any more when every connection has ended.
    let _ = stop.send(true);
    drop(stopped);
    let _ = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), stop.closed()).await;
}

/// Says why, in the time of a breath: closing with a request unread would lose the client our answer.
async fn turn_away(mut stream: TcpStream) {
    let length = FULL.len();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{FULL}"
    );
    let telling = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), telling).await;
}

async fn connection(
    (stream, tls): (TcpStream, Option<Arc<Tls>>),
    (peer, socket): (SocketAddr, Arc<Socket>),
    site: Arc<Site>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(local) = stream.local_addr() else { return };
    if let Err(error) = patient_only_so_long(&stream) {
        tracing::debug!(%error, "a socket takes no options");
    }
    let secure = tls.is_some();
    let stream = match tls {
        None => Stream::plain(stream, peer),
        // Boxed, so that connections without it do not carry the room for it.
        Some(tls) => match Box::pin(shake_hands(stream, peer, &tls, &mut stopped)).await {
            Some(stream) => stream,
            None => return,
        },
    };
    let ends = Ends { peer, local, secure, socket };
    let service = service_fn(|request| {
        let (site, ends) = (site.clone(), ends.clone());
        async move { Ok::<_, Infallible>(answer(site, ends, request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // Its date is the machine's: one that is not believed is better not told.
    let dated = site.node.read(|reading| Ok(reading.clock().standing().doubted.is_none()));
    builder.auto_date_header(dated == Ok(true));
    builder
        .timer(TokioTimer::new())
        // Runs while a kept connection idles too, so this is also how long one is kept.
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_buf_size(HEAD_BYTES_MAX);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

/// The TLS handshake, unless it fails or the node stops.
async fn shake_hands(
    stream: TcpStream,
    peer: SocketAddr,
    tls: &Tls,
    stopped: &mut watch::Receiver<bool>,
) -> Option<Stream> {
    let shaken = tokio::select! {
        shaken = tls.accept(stream, peer, Clients::Unasked) => shaken,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return None,
    };
    shaken.inspect_err(|error| tracing::debug!(%error, %peer, "a TLS handshake failed")).ok()
}

/// A client that is gone, or never reads, is found out by the kernel and costs nothing here.
fn patient_only_so_long(stream: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    sockopt::set_tcp_user_timeout(stream, SOCKET_STALL_SECONDS_MAX * 1_000)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(u64::from(SOCKET_STALL_SECONDS_MAX)))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10))?;
    Ok(())
}

/// The two ends of a connection, whether it is encrypted, and its share of the open files.
#[derive(Clone)]
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
    secure: bool,
    socket: Arc<Socket>,
}

async fn answer(site: Arc<Site>, ends: Ends, request: Request<Incoming>) -> Response<Body> {
    let reply = respond(site, ends, request).await.unwrap_or_else(Problem::into_reply);
    let mut response = reply.into_response();
    let headers = response.headers_mut();
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE || response.status() == StatusCode::REQUEST_TIMEOUT
    {
        // The rest of the body is not waited for.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn respond(site: Arc<Site>, ends: Ends, mut request: Request<Incoming>) -> Result<Reply, Problem> {
    let Ends { peer, local, secure, socket } = ends;
    let upgrade =
        request.headers().contains_key(hyper::header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, incoming) = request.into_parts();
    guard::check(&site, (local, secure), &parts)?;
    let (route, params) = match site.routes.find(&parts.method, parts.uri.path()) {
        Found::Row(route, params) => (route, params),
        Found::OtherMethods(methods) => {
            let text = format!("This address takes {}, not {}", methods.join(", "), parts.method);
            let reply = Problem::status(StatusCode::METHOD_NOT_ALLOWED, text).into_reply();
            return Ok(reply.with(ALLOW, &methods.join(", ")));
        }
        Found::Nothing => return Err(Problem::status(StatusCode::NOT_FOUND, "Resource not found")),
        Found::Malformed => return Err(Problem::error("The address is not percent-encoded UTF-8")),
    };
    let query = Query::parse(parts.uri.query().unwrap_or_default())?;
    let (known, shown) = auth::known(&site, secure, &parts.method, &parts.headers)?;
    let who = known.as_ref().map(|known| Who::User(known.user.clone()));
    let who = who.unwrap_or_else(|| Who::Address(neighbourhood(peer.ip())));
    let limited = limit(&site, who, route)?;
    let caller = known.map(|known| known.caller);
    if route.access == Access::LoggedIn && caller.is_none() {
        let shown_bad = shown == Shown::Bad;
        return Err(Problem::Refused(if shown_bad { Refusal::TokenUnknown } else { Refusal::NotLoggedIn }));
    }
    let waits = parts.headers.contains_key(EXPECT);
    let (body, arrival) = match route.flows {
        true => (Bytes::new(), Some(Arrival::new(incoming, route.body_max, waits)?)),
        false => (body::read(incoming, route.body_max, waits).await?, None),
    };
    let (method, headers) = (parts.method, parts.headers);
    let call = Call {
        site,
        socket,
        method,
        peer,
        local,
        secure,
        caller,
        shown,
        query,
        params,
        headers,
        body,
        arrival,
        upgrade,
    };
    let mut reply = (route.run)(call).await.unwrap_or_else(Problem::into_reply);
    for (name, value) in limited.into_iter().flatten() {
        reply.set(HeaderName::from_static(name), &value.to_string());
    }
    Ok(reply)
}

type RateHeaders = [(&'static str, u64); 3];

/// Takes a call out of the caller's bucket and says how they stand; nothing in test mode.
fn limit(site: &Site, who: Who, route: &Route) -> Result<Option<RateHeaders>, Problem> {
    if site.test_mode {
        return Ok(None);
    }
    let (mono_ms, wall_ms) =
        site.node.read(|reading| Ok((reading.world().mono_ms(), reading.now().wall_ms)))?;
    match site.buckets.take(who, route.rate, mono_ms) {
        Ok(standing) => Ok(Some([
            ("x-ratelimit-limit", standing.limit),
            ("x-ratelimit-remaining", standing.remaining),
            ("x-ratelimit-reset", wall_ms + standing.full_in_ms),
        ])),
        Err(seconds) => Err(Problem::coded_status(
            StatusCode::TOO_MANY_REQUESTS,
            "error-too-many-requests",
            &format!(
                "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this \
                 endpoint again."
            ),
        )),
    }
}
