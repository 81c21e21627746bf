//! Packets of chance: every kind, every version, each field taken or left.

use linnet::base::world::SimWorld;
use linnet::chat::publication::Qos;
use linnet::chat::topic::{Filter, Topic};
use linnet::doors::mqtt::server::packet::{
    Ack, Connect, Disconnect, In, Named, Publish, Reason, Retained, Subscribe, Unsubscribe, Version, Wanted,
    Will,
};

/// Kinds of packets that [`Chance::packet`] makes.
pub const KINDS: u64 = 11;

/// All versions there are.
pub const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];

/// A seed's chances.
pub struct Chance(SimWorld);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(SimWorld::new(seed))
    }

    pub fn below(&self, end: u64) -> u64 {
        self.0.next() % end
    }

    pub fn coin(&self) -> bool {
        self.below(2) == 0
    }

    pub fn maybe<T>(&self, some: impl FnOnce() -> T) -> Option<T> {
        self.coin().then(some)
    }

    pub fn bytes(&self, end: u64) -> Box<[u8]> {
        (0..self.below(end)).map(|_| self.below(256) as u8).collect()
    }

    pub fn text(&self, end: u64) -> String {
        let letters = ['a', 'Z', '0', ' ', '$', 'ß', '温', '🌱', '"', '\u{7f}'];
        (0..self.below(end)).map(|_| letters[self.below(10) as usize]).collect()
    }

    pub fn qos(&self) -> Qos {
        [Qos::Most, Qos::Least, Qos::Exactly][self.below(3) as usize]
    }

    pub fn topic(&self) -> Topic {
        Topic::parse(&format!("t/{}/{}", self.text(6), self.text(30))).unwrap()
    }

    fn packet_id(&self) -> u16 {
        1 + self.below(65_535) as u16
    }

    /// A packet of this kind that this version can say.
    pub fn packet(&self, version: Version, kind: u64) -> In {
        let five = version == Version::V5;
        match kind {
            0 => In::Connect(Box::new(self.connect(version))),
            1 => In::Publish(self.publish(five)),
            2 => In::PubAck(self.ack(five, &[0x00, 0x10, 0x80, 0x87, 0x99])),
            3 => In::PubRec(self.ack(five, &[0x00, 0x10, 0x91, 0x97])),
            4 => In::PubRel(self.ack(five, &[0x00, 0x92])),
            5 => In::PubComp(self.ack(five, &[0x00, 0x92])),
            6 => In::Subscribe(self.subscribe(five)),
            7 => {
                let filters = (0..1 + self.below(4)).map(|_| Ok(self.named())).collect();
                In::Unsubscribe(Unsubscribe { packet: self.packet_id(), filters })
            }
            8 => In::Disconnect(Disconnect {
                reason: if five && self.coin() { Reason::WITH_WILL } else { Reason::SUCCESS },
                expiry_s: self.maybe(|| self.below(1 << 32) as u32).filter(|_| five),
            }),
            9 if five => In::Auth(Reason::CONTINUE_AUTHENTICATION),
            _ => In::PingReq,
        }
    }

    fn ack(&self, five: bool, reasons: &[u8]) -> Ack {
        let reason = reasons[self.below(reasons.len() as u64) as usize];
        Ack { packet: self.packet_id(), reason: Reason(if five { reason } else { 0 }) }
    }

    fn named(&self) -> Named {
        let filters = ["#", "+", "a/+/#", "$SYS/#", "/", "a//b", "温/+"];
        let filter = Filter::parse(filters[self.below(7) as usize]).unwrap();
        Named { share: self.maybe(|| format!("g{}", self.text(5)).into()), filter }
    }

    fn subscribe(&self, five: bool) -> Subscribe {
        let wanted = || {
            let name = self.named();
            let retained = [Retained::Always, Retained::IfNew, Retained::Never][self.below(3) as usize];
            Wanted {
                qos: self.qos(),
                no_local: five && name.share.is_none() && self.coin(),
                retain_as_published: five && self.coin(),
                retained: if five { retained } else { Retained::Always },
                name: Ok(name),
            }
        };
        Subscribe {
            packet: self.packet_id(),
            id: self.maybe(|| 1 + self.below(268_435_455) as u32).filter(|_| five),
            filters: (0..1 + self.below(4)).map(|_| wanted()).collect(),
        }
    }

    /// Properties of a publication, as 5.0 writes them.
    pub fn properties(&self) -> Option<Box<[u8]>> {
        let counted = |text: &[u8]| [&(text.len() as u16).to_be_bytes(), text].concat();
        let mut bytes = Vec::new();
        bytes.extend(self.maybe(|| [1, self.below(2) as u8]).into_iter().flatten());
        bytes.extend(
            self.maybe(|| [vec![3], counted(self.text(9).as_bytes())].concat()).into_iter().flatten(),
        );
        bytes.extend(self.maybe(|| [vec![8], counted(b"an/answer")].concat()).into_iter().flatten());
        bytes.extend(self.maybe(|| [vec![9], counted(&self.bytes(20))].concat()).into_iter().flatten());
        for _ in 0..self.below(4) {
            bytes.push(38);
            bytes.extend(counted(self.text(9).as_bytes()));
            bytes.extend(counted(self.text(9).as_bytes()));
        }
        (!bytes.is_empty()).then(|| bytes.into())
    }

    fn publish(&self, five: bool) -> Publish {
        let qos = self.qos();
        let alias = self.maybe(|| self.packet_id()).filter(|_| five);
        Publish {
            dup: qos != Qos::Most && self.coin(),
            qos,
            retain: self.coin(),
            topic: Some(self.topic()).filter(|_| alias.is_none() || self.coin()),
            packet: (qos != Qos::Most).then(|| self.packet_id()),
            alias,
            expiry_s: self.maybe(|| self.below(1 << 32) as u32).filter(|_| five),
            properties: self.properties().filter(|_| five),
            payload: self.bytes(300),
        }
    }

    fn will(&self, five: bool) -> Will {
        Will {
            topic: self.topic(),
            payload: self.bytes(30),
            qos: self.qos(),
            retain: self.coin(),
            delay_s: if five { self.below(1 << 32) as u32 } else { 0 },
            expiry_s: self.maybe(|| self.below(1 << 32) as u32).filter(|_| five),
            properties: self.properties().filter(|_| five),
        }
    }

    fn connect(&self, version: Version) -> Connect {
        let (five, clean) = (version == Version::V5, self.coin());
        let user = self.maybe(|| self.text(9).into());
        Connect {
            version,
            is_bridge: false,
            client: format!("c{}", self.text(9)).into(),
            clean,
            keep_alive_s: self.below(65_536) as u16,
            password: self.maybe(|| self.bytes(20)).filter(|_| five || user.is_some()),
            user,
            will: self.maybe(|| self.will(five)),
            expiry_s: match (five, clean) {
                (true, _) => self.below(1 << 32) as u32,
                (false, true) => 0,
                (false, false) => u32::MAX,
            },
            receive_max: if five { self.packet_id() } else { u16::MAX },
            packet_bytes_max: self.maybe(|| 1 + self.below(1 << 31) as u32).filter(|_| five),
            aliases_max: if five { self.below(65_536) as u16 } else { 0 },
            wants_response_information: five && self.coin(),
            wants_problem_information: !five || self.coin(),
            authentication: self.maybe(|| self.text(5).into()).filter(|_| five),
        }
    }
}
