//! A broker that does what the test says, packet by packet, to show what a real one does only by chance.

use super::wait::within;
use bytes::BytesMut;
use rumqttc::mqttbytes::Error;
use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, Packet, Publish, QoS, SubAck, Subscribe, SubscribeReasonCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PACKET_BYTES_MAX: usize = 1024 * 1024;

/// Where clients connect.
pub struct Broker {
    listener: TcpListener,
    pub port: u16,
}

/// One client's connection.
pub struct Session {
    stream: TcpStream,
    buffer: BytesMut,
    pub connect: Connect,
    pub subscribe: Subscribe,
}

impl Broker {
    pub async fn listen() -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Broker { listener, port }
    }

    /// The next client, connected and subscribed.
    pub async fn accept(&self, session_present: bool) -> Session {
        self.accept_granting(session_present, SubscribeReasonCode::Success(QoS::AtLeastOnce)).await
    }

    /// The next client, with this answer to its subscription.
    pub async fn accept_granting(&self, session_present: bool, granted: SubscribeReasonCode) -> Session {
        let mut session = self.accept_anyone(session_present).await;
        let Some(Packet::Subscribe(subscribe)) = session.next().await else { panic!("no SUBSCRIBE") };
        session.send(&Packet::SubAck(SubAck::new(subscribe.pkid, vec![granted]))).await;
        Session { subscribe, ..session }
    }

    /// The next client, which subscribes to nothing.
    pub async fn accept_speaker(&self) -> Session {
        self.accept_anyone(false).await
    }

    async fn accept_anyone(&self, session_present: bool) -> Session {
        let (mut stream, _) = within("a client", self.listener.accept()).await.unwrap();
        let mut buffer = BytesMut::new();
        let Some(Packet::Connect(connect)) = read(&mut stream, &mut buffer).await else {
            panic!("no CONNECT")
        };
        let taken = Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, session_present));
        write(&mut stream, &taken).await;
        let subscribe = Subscribe { pkid: 0, filters: Vec::new() };
        Session { stream, buffer, connect, subscribe }
    }
}

impl Session {
    /// Sends a publication at QoS 1, changed by `change`.
    pub async fn publish_as(&mut self, packet: u16, said: (&str, &str), change: impl FnOnce(&mut Publish)) {
        let mut publish = Publish::new(said.0, QoS::AtLeastOnce, said.1);
        publish.pkid = packet;
        change(&mut publish);
        write(&mut self.stream, &Packet::Publish(publish)).await;
    }

    /// Sends a publication at QoS 1.
    pub async fn publish(&mut self, packet: u16, topic: &str, payload: &str) {
        self.publish_as(packet, (topic, payload), |_| {}).await;
    }

    /// Sends one again, marked so.
    pub async fn publish_again(&mut self, packet: u16, topic: &str, payload: &str) {
        self.publish_as(packet, (topic, payload), |publish| publish.dup = true).await;
    }

    /// The packet ids of the next `count` acknowledgements.
    pub async fn acks(&mut self, count: usize) -> Vec<u16> {
        let mut ids = Vec::new();
        while ids.len() < count {
            match self.next().await {
                Some(Packet::PubAck(ack)) => ids.push(ack.pkid),
                other => panic!("no PUBACK but {other:?}"),
            }
        }
        ids
    }

    /// Sends any packet.
    pub async fn send(&mut self, packet: &Packet) {
        write(&mut self.stream, packet).await;
    }

    /// The next packet; `None` when the client has gone.
    pub async fn next(&mut self) -> Option<Packet> {
        read(&mut self.stream, &mut self.buffer).await
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<Packet> {
    loop {
        match Packet::read(buffer, PACKET_BYTES_MAX) {
            Ok(packet) => return Some(packet),
            Err(Error::InsufficientBytes(_)) => {}
            Err(error) => panic!("the client sent no packet: {error}"),
        }
        match within("a packet of the client", stream.read_buf(buffer)).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn write(stream: &mut TcpStream, packet: &Packet) {
    let mut bytes = BytesMut::new();
    packet.write(&mut bytes, PACKET_BYTES_MAX).unwrap();
    stream.write_all(&bytes).await.unwrap();
}
