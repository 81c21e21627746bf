//! One connection to a broker. Each has a client of its own: a packet id or an acknowledgement of a former connection
//! would mean something else in this one.
//!
//! Two halves run side by side and neither is ever cancelled while the connection stands, because rumqttc loses what it
//! was about to write when its poll is dropped: [`listen`] polls the client, [`post`] brings what arrived into the room,
//! in order and several at a time, and acknowledges in the same order what has reached the disk.

use super::arrival::{Arrival, Post};
use super::fault::Fault;
use super::rule::{BridgeRule, Qos};
use super::{Bridge, stopped};
use crate::base::limits::{
    BRIDGE_ACKS_MAX, BRIDGE_ARRIVED_MAX, BRIDGE_BUSY_WAIT_MS, BRIDGE_CONNECT_SECONDS,
    BRIDGE_KEEP_ALIVE_SECONDS, BRIDGE_LEAVE_MS, BRIDGE_POSTS_MAX, BRIDGE_STALLED_SECONDS,
    MQTT_PACKET_BYTES_MAX,
};
use crate::chat::refusal::Refusal;
use crate::node::reply::Answer;
use heapless::Deque;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, SubscribeReasonCode};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// Connects, subscribes and posts until the connection ends, or `stopping` says to leave.
pub(super) async fn run(bridge: &Bridge, mut stopping: watch::Receiver<bool>) -> Result<(), Fault> {
    let (client, mut events) = AsyncClient::new(options(&bridge.rule)?, BRIDGE_ACKS_MAX);
    events.network_options.set_connection_timeout(BRIDGE_CONNECT_SECONDS);
    tokio::select! {
        connected = connect(&mut events) => connected?,
        () = stopped(&mut stopping) => return Ok(()),
    }
    // Also when the broker kept the session: the rule may ask for something else since.
    let qos = match bridge.rule.qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    };
    client.try_subscribe(bridge.rule.topic.as_str(), qos).expect("the first request finds room");
    let (arrived, arriving) = mpsc::channel(BRIDGE_ARRIVED_MAX);
    tokio::select! {
        end = listen(bridge, events, arrived) => end,
        Err(fault) = post(bridge, &client, arriving, stopping) => Err(fault),
    }
}

fn options(rule: &BridgeRule) -> Result<MqttOptions, Fault> {
    let mut options = MqttOptions::new(&rule.client_id, &rule.broker.host, rule.broker.port);
    options
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_keep_alive(Duration::from_secs(BRIDGE_KEEP_ALIVE_SECONDS))
        .set_max_packet_size(MQTT_PACKET_BYTES_MAX, MQTT_PACKET_BYTES_MAX)
        // Publications of our own, of which there are none; rumqttc keeps a slot for each.
        .set_inflight(1);
    if let Some(user) = &rule.user {
        let password = rule.password.read().map_err(Fault::PasswordFile)?;
        options.set_credentials(user, password.as_ref().map_or("", |password| password.expose()));
    }
    Ok(options)
}

async fn connect(events: &mut EventLoop) -> Result<(), Fault> {
    loop {
        if let Event::Incoming(Packet::ConnAck(_)) = events.poll().await? {
            return Ok(());
        }
    }
}

/// Takes in what the broker sends and lets out what is acknowledged, until the connection ends or was left.
async fn listen(bridge: &Bridge, mut events: EventLoop, arrived: mpsc::Sender<Arrival>) -> Result<(), Fault> {
    loop {
        match events.poll().await? {
            Event::Incoming(Packet::SubAck(granted)) => {
                if granted.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Err(Fault::NotGranted);
                }
                bridge.status.connected();
                tracing::info!(bridge = bridge.rule.name, "the bridge listens");
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let hand_on = arrived.send(Arrival::new(&bridge.rule, publish));
                match timeout(Duration::from_secs(BRIDGE_STALLED_SECONDS), hand_on).await {
                    // Nobody posts any more when the bridge is leaving: the broker will send it again.
                    Ok(_) => {}
                    Err(_) => return Err(Fault::Stalled),
                }
            }
            Event::Outgoing(Outgoing::Disconnect) => {
                leave(events).await;
                return Ok(());
            }
            _ => {}
        }
    }
}

/// Waits for the broker to close the connection, which says that it has read everything: a socket that is closed with
/// something unread in it resets the connection, and a broker whose writing fails forgets what it has yet to read. What
/// it still sends stays with it.
async fn leave(mut events: EventLoop) {
    let closed = async { while events.poll().await.is_ok() {} };
    if timeout(Duration::from_millis(BRIDGE_LEAVE_MS), closed).await.is_err() {
        tracing::debug!("the broker does not close a connection that was left");
    }
}

/// Something on its way to the disk, or passed over; acknowledged in its turn either way.
struct Flight {
    arrival: Arrival,
    answer: Option<Answer<Result<bool, Refusal>>>,
}

impl Flight {
    /// Whether it was posted now: not when it had been before, nor when it was passed over.
    async fn landed(&mut self) -> Result<bool, Refusal> {
        match &mut self.answer {
            Some(answer) => answer.await.unwrap_or(Err(Refusal::StoreFailed)),
            None => Ok(false),
        }
    }
}

/// What is on its way, oldest first.
type Flights = Deque<Flight, BRIDGE_POSTS_MAX>;

/// Posts what arrives. When `stopping` says so, waits for what is on its way, acknowledges it and asks to disconnect.
async fn post(
    bridge: &Bridge,
    client: &AsyncClient,
    mut arriving: mpsc::Receiver<Arrival>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Fault> {
    let mut flights = Flights::new();
    loop {
        tokio::select! {
            landed = first_landed(&mut flights), if !flights.is_empty() => {
                acknowledge(bridge, client, &mut flights, landed).await?;
            }
            Some(arrival) = arriving.recv(), if !flights.is_full() => {
                let flight = Flight { answer: start(bridge, &arrival).await?, arrival };
                flights.push_back(flight).map_err(|_| "full").expect("it was asked whether there is room");
            }
            () = stopped(&mut stopping) => break,
        }
    }
    arriving.close();
    while !flights.is_empty() {
        let landed = first_landed(&mut flights).await;
        acknowledge(bridge, client, &mut flights, landed).await?;
    }
    client.disconnect().await.map_err(|error| Fault::Strange(error.to_string()))
}

async fn first_landed(flights: &mut Flights) -> Result<bool, Refusal> {
    match flights.front_mut() {
        Some(flight) => flight.landed().await,
        None => std::future::pending().await,
    }
}

/// Gives a post to the writer. One that finds it busy waits here, so that none overtakes it.
async fn start(bridge: &Bridge, arrival: &Arrival) -> Result<Option<Answer<Result<bool, Refusal>>>, Fault> {
    let Some(post) = &arrival.post else { return Ok(None) };
    loop {
        match send(bridge, post.clone()) {
            Ok(answer) => return Ok(Some(answer)),
            Err(Refusal::Busy) => sleep(Duration::from_millis(BRIDGE_BUSY_WAIT_MS)).await,
            Err(_) => return Err(Fault::StoreFailed),
        }
    }
}

fn send(bridge: &Bridge, post: Post) -> Result<Answer<Result<bool, Refusal>>, Refusal> {
    let (caller, room) = (bridge.caller(), bridge.room.clone());
    bridge.node.send(&bridge.caller(), move |node| match post.via {
        Some(via) => {
            let posted = node.post_delivery(&caller, &room, post.draft, via, post.redelivered)?;
            Ok(posted.is_some())
        }
        None => node.post_message(&caller, &room, post.draft).map(|_| true),
    })
}

/// Acknowledges the oldest of what was on its way, now that it is known what became of it.
async fn acknowledge(
    bridge: &Bridge,
    client: &AsyncClient,
    flights: &mut Flights,
    landed: Result<bool, Refusal>,
) -> Result<(), Fault> {
    let Some(flight) = flights.pop_front() else { return Ok(()) };
    match landed {
        Ok(true) => bridge.status.posted(),
        Ok(false) => {}
        // Without an acknowledgement it comes again, when the store can take it.
        Err(Refusal::StoreFailed | Refusal::Busy) => return Err(Fault::StoreFailed),
        Err(Refusal::DiskFull) => return Err(Fault::DiskFull),
        // It would be refused each time it came again, and everything behind it would wait.
        Err(refusal) => {
            bridge.status.dropped();
            let room = bridge.rule.room.as_str();
            tracing::warn!(
                bridge = bridge.rule.name,
                room,
                ?refusal,
                "the room takes no message of the bridge"
            );
        }
    }
    client.ack(&flight.arrival.publish).await.map_err(|error| Fault::Strange(error.to_string()))
}
