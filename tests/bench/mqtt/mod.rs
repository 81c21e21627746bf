//! The broker beside Mosquitto, in turns in one run: fan-out, ingest, idle connections, a backlog.

mod broker;
mod wire;

use crate::args::Args;
use crate::machine::KIB;
use crate::report::Figures;
use crate::stats::{median, ms, now};
use crate::{Outcome, wrong};
use broker::{Broker, Peer};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::{Client, PUBACK, PUBLISH};

/// Bytes of each payload; the number of the message comes first.
const PAYLOAD_BYTES: usize = 150;
/// Messages on their way at a time.
const IN_FLIGHT: usize = 16;
/// Deliveries of one run of a fan-out: enough CPU time to be measured.
const DELIVERIES: usize = 300_000;
/// Messages of one run, however few subscribers there are.
const MESSAGES_MAX: usize = 30_000;
/// Devices that publish together, and how much each.
const DEVICES: usize = 100;
const EACH: usize = 500;
/// Connections that do nothing.
const IDLE: usize = 5_000;
/// Messages that wait for a session.
const BACKLOG: usize = 10_000;
/// Longer than anything here that is worth a figure.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    for (row, qos, subscribers) in [
        ("0_1", 0, 1),
        ("0_100", 0, 100),
        ("0_1000", 0, 1_000),
        ("1_1", 1, 1),
        ("1_100", 1, 100),
        ("1_1000", 1, 1_000),
    ] {
        let mut told = Told::default();
        for _ in 0..args.runs {
            for peer in Peer::BOTH {
                let fan = fan_out(args, peer, qos, subscribers).await;
                told.put(
                    peer,
                    fan.map_err(|error| wrong(format!("{} fan-out {row}: {error}", peer.name())))?,
                );
            }
        }
        told.figures("mqtt_fanout", row, figures);
    }
    for (row, kept) in [("live", false), ("kept", true)] {
        let mut told = Told::default();
        for _ in 0..args.runs {
            for peer in Peer::BOTH {
                told.put(peer, ingest(args, peer, kept).await?);
            }
        }
        told.figures("mqtt_ingest", row, figures);
    }
    idle(args, figures).await?;
    backlog(args, figures).await
}

/// Rate and CPU of both, run by run.
#[derive(Default)]
struct Told {
    rate: [Vec<f64>; 2],
    cpu_us: [Vec<f64>; 2],
}

impl Told {
    fn put(&mut self, peer: Peer, (rate, cpu_us): (f64, f64)) {
        self.rate[peer as usize].push(rate);
        self.cpu_us[peer as usize].push(cpu_us);
    }

    fn figures(self, scenario: &str, row: &str, figures: &mut Figures) {
        let [rate, other_rate] = self.rate.map(median);
        let [cpu, other_cpu] = self.cpu_us.map(median);
        figures.put(scenario, row, "rate", rate);
        figures.put(scenario, row, "other_rate", other_rate);
        figures.put(scenario, row, "cpu_us", cpu);
        figures.put(scenario, row, "other_cpu_us", other_cpu);
        figures.put(scenario, row, "share", cpu / other_cpu);
    }
}

/// What has reached the subscribers.
#[derive(Default)]
struct Reached {
    /// Of each message, how many it has not reached yet.
    missing: RefCell<Vec<usize>>,
    /// Messages that reached everybody.
    done: Cell<usize>,
    broken: RefCell<Option<String>>,
    news: Notify,
}

impl Reached {
    fn begin(&self, messages: usize, subscribers: usize) {
        *self.missing.borrow_mut() = vec![subscribers; messages];
        self.done.set(0);
    }

    fn got(&self, number: usize) {
        let mut missing = self.missing.borrow_mut();
        match missing.get_mut(number) {
            Some(left) if *left > 0 => *left -= 1,
            _ => return self.fail(format!("message {number} came to somebody twice")),
        }
        if missing[number] == 0 {
            self.done.set(self.done.get() + 1);
            self.news.notify_one();
        }
    }

    fn fail(&self, what: String) {
        self.broken.borrow_mut().get_or_insert(what);
        self.news.notify_one();
    }

    async fn wait(&self, messages: usize) -> Outcome<()> {
        while self.done.get() < messages {
            if let Some(broken) = self.broken.borrow().clone() {
                return Err(wrong(broken));
            }
            timeout(PATIENCE, self.news.notified()).await.map_err(|_| wrong("deliveries did not arrive"))?;
        }
        Ok(())
    }
}

fn payload(number: usize) -> Vec<u8> {
    let mut payload = format!("{number} ").into_bytes();
    payload.resize(PAYLOAD_BYTES, b'.');
    payload
}

fn number_in(payload: &[u8]) -> Option<usize> {
    std::str::from_utf8(payload.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()
}

/// Takes what comes for ever, in order, and acknowledges it.
async fn hear(mut client: Client, reached: Rc<Reached>) {
    let mut expected = 0;
    let ended: Outcome<()> = async {
        loop {
            let packet = client.next().await?;
            if packet.kind == PUBLISH {
                let (id, said) = packet.publication().ok_or_else(|| wrong("a publication without form"))?;
                let number = number_in(said).ok_or_else(|| wrong("a publication without number"))?;
                // A new run counts anew.
                if number != expected && number != 0 {
                    return Err(wrong(format!("{number} came where {expected} was next")));
                }
                expected = number + 1;
                reached.got(number);
                if let Some(id) = id {
                    client.acknowledge(id);
                }
            }
            if !client.has_packet() {
                client.flush().await?;
            }
        }
    }
    .await;
    if let Err(error) = ended {
        reached.fail(error.to_string());
    }
}

struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Deliveries per second and CPU us for each.
async fn fan_out(args: &Args, peer: Peer, qos: u8, subscribers: usize) -> Outcome<(f64, f64)> {
    let broker = Broker::start(args, peer)?;
    let reached = Rc::new(Reached::default());
    let mut tasks = Tasks(Vec::new());
    for number in 0..subscribers {
        let mut client = Client::connect(broker.address, &format!("s{number}"), false).await?;
        client.subscribe("bench/fan", qos).await?;
        tasks.0.push(tokio::task::spawn_local(hear(client, reached.clone())));
    }
    let mut publisher = Client::connect(broker.address, "publisher", false).await?;
    // The first messages meet a server that has done nothing yet.
    say(&mut publisher, &reached, qos, subscribers, 50).await?;
    let messages = args.scaled((DELIVERIES / subscribers).min(MESSAGES_MAX));
    let (before, began) = (broker.cpu_s()?, now());
    say(&mut publisher, &reached, qos, subscribers, messages).await?;
    let (took, cpu) = (now() - began, broker.cpu_s()? - before);
    let deliveries = (messages * subscribers) as f64;
    Ok((deliveries / took.as_secs_f64(), cpu * 1e6 / deliveries))
}

/// Publishes so many, a few at a time: the next when everybody has the one so many before.
async fn say(
    publisher: &mut Client,
    reached: &Reached,
    qos: u8,
    subscribers: usize,
    messages: usize,
) -> Outcome<()> {
    reached.begin(messages, subscribers);
    let (mut said, mut acknowledged) = (0, 0);
    while reached.done.get() < messages {
        while said < messages && said - reached.done.get() < IN_FLIGHT {
            let id = (qos > 0).then_some((said % 60_000) as u16 + 1);
            publisher.publish("bench/fan", id, &payload(said));
            said += 1;
        }
        publisher.flush().await?;
        if qos == 0 {
            reached.wait(reached.done.get() + 1).await?;
            continue;
        }
        tokio::select! {
            packet = publisher.next(), if acknowledged < said => {
                acknowledged += usize::from(packet?.kind == PUBACK);
            }
            arrived = reached.wait(reached.done.get() + 1), if reached.done.get() < said => arrived?,
        }
    }
    while qos > 0 && acknowledged < messages {
        acknowledged += usize::from(publisher.next().await?.kind == PUBACK);
    }
    Ok(())
}

/// Messages per second from many devices with QoS 1, and CPU us for each. Kept ones wait for a session that is away.
async fn ingest(args: &Args, peer: Peer, kept: bool) -> Outcome<(f64, f64)> {
    let broker = Broker::start(args, peer)?;
    if kept {
        let mut away = Client::connect(broker.address, "away", true).await?;
        away.subscribe("bench/in/#", 1).await?;
    }
    let each = args.scaled(EACH);
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        let client = Client::connect(broker.address, &format!("d{number}"), false).await?;
        devices.push((client, format!("bench/in/{number}")));
    }
    let (before, began) = (broker.cpu_s()?, now());
    let tasks: Vec<_> = devices
        .into_iter()
        .map(|(client, topic)| tokio::task::spawn_local(async move { feed(client, &topic, each).await }))
        .collect();
    for task in tasks {
        timeout(PATIENCE, task)
            .await
            .map_err(|_| wrong("an acknowledgement did not come"))??
            .map_err(|error| wrong(format!("{} ingest: {error}", peer.name())))?;
    }
    let (took, cpu) = (now() - began, broker.cpu_s()? - before);
    let messages = (DEVICES * each) as f64;
    Ok((messages / took.as_secs_f64(), cpu * 1e6 / messages))
}

async fn feed(mut client: Client, topic: &str, messages: usize) -> Outcome<()> {
    let (mut said, mut acknowledged) = (0, 0);
    while acknowledged < messages {
        while said < messages && said - acknowledged < IN_FLIGHT {
            client.publish(topic, Some((said % 60_000) as u16 + 1), &payload(said));
            said += 1;
        }
        client.flush().await?;
        acknowledged += usize::from(client.next().await?.kind == PUBACK);
        while client.has_packet() {
            acknowledged += usize::from(client.next().await?.kind == PUBACK);
        }
    }
    Ok(())
}

/// Memory of connections that subscribed and are silent.
async fn idle(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let count = args.scaled(IDLE);
    for peer in Peer::BOTH {
        let mut each = Vec::new();
        for _ in 0..args.runs {
            let broker = Broker::start(args, peer)?;
            let mut first = Client::connect(broker.address, "first", false).await?;
            first.subscribe("bench/idle/first", 1).await?;
            let before = broker.settled_bytes().await?;
            let mut clients = vec![first];
            for number in 0..count {
                let mut client = Client::connect(broker.address, &format!("idle{number}"), false).await?;
                client.subscribe(&format!("bench/idle/{number}"), 1).await?;
                clients.push(client);
            }
            each.push((broker.settled_bytes().await? - before) / KIB / count as f64);
        }
        figures.put("mqtt_idle", peer.name(), "kib", median(each));
    }
    Ok(())
}

/// How long a session takes that comes back to what waited for it.
async fn backlog(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let messages = args.scaled(BACKLOG);
    for peer in Peer::BOTH {
        let (mut took_ms, mut rate) = (Vec::new(), Vec::new());
        for _ in 0..args.runs {
            let broker = Broker::start(args, peer)?;
            let mut away = Client::connect(broker.address, "away", true).await?;
            away.subscribe("bench/back", 1).await?;
            drop(away);
            feed(Client::connect(broker.address, "publisher", false).await?, "bench/back", messages).await?;
            let began = now();
            let mut back = Client::connect(broker.address, "away", true).await?;
            for expected in 0..messages {
                let packet =
                    timeout(PATIENCE, back.next()).await.map_err(|_| wrong("the backlog ended"))??;
                let (id, said) = packet.publication().ok_or_else(|| wrong("no publication"))?;
                if number_in(said) != Some(expected) {
                    return Err(wrong(format!("{}: {expected} is not where it should be", peer.name())));
                }
                back.acknowledge(id.ok_or_else(|| wrong("not of QoS 1"))?);
                if !back.has_packet() {
                    back.flush().await?;
                }
            }
            let took = now() - began;
            took_ms.push(ms(took));
            rate.push(messages as f64 / took.as_secs_f64());
        }
        figures.put("mqtt_backlog", peer.name(), "ms", median(took_ms));
        figures.put("mqtt_backlog", peer.name(), "rate", median(rate));
    }
    Ok(())
}
