//! Sensors behind a real Mosquitto, whose bridge into the node goes through a tap: what the node acknowledges is noted
//! there. The broker outlives the node and sends again what was not acknowledged.

use crate::chance::Chance;
use crate::harness::mosquitto::Mosquitto;
use crate::posters::SENSOR;
use crate::town::SENSORS;
use crate::wait::Stop;
use crate::witness::{Thing, Witness, token, token_of};
use crate::{Outcome, wrong};
use bytes::BytesMut;
use rumqttc::{Packet, mqttbytes};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Between two reports of a sensor.
const STEP: Duration = Duration::from_millis(4);

/// A broker with a sensor.
pub struct Sensors {
    _broker: Mosquitto,
    publisher: Child,
    number: u64,
    chance: Chance,
}

/// What passed, for whoever wonders later: it lies beside the settings and is kept with them.
#[derive(Debug)]
struct Trace {
    /// The connection's.
    number: usize,
    to: Option<fs::File>,
}

impl Trace {
    fn note(&self, what: fmt::Arguments<'_>) {
        let line = format!("{} {what}\n", self.number);
        // Without a trace the row runs all the same.
        let _ = self.to.as_ref().map(|mut file| file.write_all(line.as_bytes()));
    }
}

/// What is on its way to the node, by packet id.
type Flight = Arc<Mutex<HashMap<u16, Thing>>>;

impl Sensors {
    /// Starts the broker and the tap; writes the settings of a node that bridges to it.
    pub fn start(settings: &Path, witness: &Arc<Witness>, seed: u64) -> Outcome<Sensors> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let broker = runtime.block_on(Mosquitto::start());
        let tap = TcpListener::bind("127.0.0.1:0")?;
        let bridge = format!(
            "[[bridge]]\nname = \"sensors\"\nurl = \"mqtt://{}\"\ntopic = \"t/#\"\nroom = \"{SENSORS}\"\n\
             template = \"{{payload}}\"\nqos = 1\n",
            tap.local_addr()?
        );
        fs::write(settings, bridge)?;
        let (port, witness) = (broker.port, witness.clone());
        let trace = fs::File::create(settings.with_extension("tap"))?;
        thread::spawn(move || {
            // Ends with the rig: a node may come back at any time.
            for (number, node) in tap.incoming().flatten().enumerate() {
                let trace = Trace { number, to: trace.try_clone().ok() };
                let _ = serve(node, port, &witness, trace);
            }
        });
        let mut publisher = Command::new("mosquitto_pub");
        publisher.args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "1", "-t", "t/a", "-l"]);
        let publisher = publisher.stdin(Stdio::piped()).spawn()?;
        Ok(Sensors { _broker: broker, publisher, number: 0, chance: Chance::new(seed) })
    }

    /// Publishes until `stop` is said.
    pub fn publish(&mut self, witness: &Witness, stop: &Stop) -> Outcome<()> {
        while !stop.within(STEP) {
            self.number += 1;
            let degrees = self.chance.below(400);
            let text = format!("{} {}.{} °C", token(SENSOR, self.number), degrees / 10, degrees % 10);
            let thing = Thing::Message { room: SENSORS, poster: SENSOR, number: self.number };
            witness.attempt(thing, Some(text.clone()));
            let input = self.publisher.stdin.as_mut().ok_or_else(|| wrong("the publisher has ended"))?;
            input.write_all(format!("{text}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Returns when the broker has taken all that was published.
    pub fn finish(&mut self) -> Outcome<()> {
        drop(self.publisher.stdin.take());
        let status = self.publisher.wait()?;
        if status.success() { Ok(()) } else { Err(wrong(format!("mosquitto_pub: {status}"))) }
    }
}

impl Drop for Sensors {
    fn drop(&mut self) {
        let _ = self.publisher.kill();
        let _ = self.publisher.wait();
    }
}

/// Stands between one connection of the node and the broker.
fn serve(node: TcpStream, port: u16, witness: &Arc<Witness>, trace: Trace) -> Outcome<()> {
    let broker = TcpStream::connect(("127.0.0.1", port))?;
    let (flight, trace) = (Flight::default(), Arc::new(trace));
    let (from_broker, to_node, known) = (broker.try_clone()?, node.try_clone()?, flight.clone());
    let tracing = trace.clone();
    thread::spawn(move || {
        pass(from_broker, to_node, &tracing, |packet| {
            if let Packet::Publish(publish) = packet
                && let Some((poster, number)) = token_of(&String::from_utf8_lossy(&publish.payload))
            {
                tracing.note(format_args!("publish {} dup={} n{number}", publish.pkid, publish.dup));
                let thing = Thing::Message { room: SENSORS, poster, number };
                known.lock().unwrap_or_else(PoisonError::into_inner).insert(publish.pkid, thing);
            }
        })
    });
    let witness = witness.clone();
    thread::spawn(move || {
        pass(node, broker, &trace, |packet| match packet {
            Packet::PubAck(ack) => {
                trace.note(format_args!("ack {}", ack.pkid));
                let acknowledged = flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&ack.pkid);
                acknowledged.inspect(|thing| witness.acknowledged_last(thing));
            }
            other => trace.note(format_args!("{other:?}")),
        })
    });
    Ok(())
}

/// Passes bytes on as they come, and shows the packets in them, until either side ends.
fn pass(mut from: TcpStream, mut to: TcpStream, trace: &Trace, mut show: impl FnMut(&Packet)) {
    let (mut buffer, mut bytes) = (BytesMut::new(), [0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        buffer.extend_from_slice(&bytes[..count]);
        loop {
            match Packet::read(&mut buffer, PACKET_BYTES_MAX) {
                Ok(packet) => show(&packet),
                Err(mqttbytes::Error::InsufficientBytes(_)) => break,
                Err(error) => return trace.note(format_args!("no packet: {error}")),
            }
        }
        if let Err(error) = to.write_all(&bytes[..count]) {
            trace.note(format_args!("{count} bytes not passed on: {error}"));
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
