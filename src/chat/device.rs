//! Devices: users of the role `device`, whose rights are a short list of rooms and a short list of topics.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::DEVICE_FILTERS_MAX;
use crate::base::time::WallMs;
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use smol_str::SmolStr;

/// What a device may do in one room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Where.
    pub room: RoomId,
    /// Whether it may post.
    pub post: bool,
    /// Whether it may read.
    pub read: bool,
}

/// Which topics a device may have beyond its own, `linnet/device/<name>/...`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicRights {
    /// What it may publish; at most [`DEVICE_FILTERS_MAX`].
    pub publish: Vec<Filter>,
    /// What it may subscribe to; as many.
    pub subscribe: Vec<Filter>,
    /// The devices it may command, by filters over their names: `pump`, or `+` for all; as many.
    pub command: Vec<Filter>,
}

/// A device and its rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The user it is.
    pub user: UserId,
    /// Its rights, at most [`DEVICE_ROOMS_MAX`](crate::base::limits::DEVICE_ROOMS_MAX); nothing else is allowed.
    pub bindings: Vec<Binding>,
    /// Its rights among devices.
    pub topics: TopicRights,
    /// Whether a client certificate with its name logs it in, without a key.
    pub certificate: bool,
    /// Who added it.
    pub added_by: Option<UserId>,
    /// When it was added.
    pub created: WallMs,
}

impl Device {
    /// Whether every right it was given is reading: only then may its key travel in an address.
    pub fn only_reads(&self) -> bool {
        self.bindings.iter().all(|binding| binding.read && !binding.post)
            && self.topics.publish.is_empty()
            && self.topics.command.is_empty()
    }
}

impl TopicRights {
    /// What a device may unless somebody says otherwise: all topics that begin with its name, as firmware likes them.
    pub fn named_after(name: &Name) -> Result<Self, Refusal> {
        let own = vec![Filter::parse(&format!("{name}/#"))?];
        let rights = Self { publish: own.clone(), subscribe: own, command: Vec::new() };
        rights.check().map(|()| rights)
    }

    /// Whether a device may be given all of these; a reason that fits in a line if not.
    pub fn check(&self) -> Result<(), Refusal> {
        for list in [&self.publish, &self.subscribe, &self.command] {
            if list.len() > DEVICE_FILTERS_MAX {
                return Err(Refusal::TooMany { what: "filters of one device", max: DEVICE_FILTERS_MAX });
            }
        }
        for filter in self.publish.iter().chain(&self.subscribe) {
            givable(filter)?;
        }
        self.publish.iter().try_for_each(publishable)?;
        self.command.iter().try_for_each(names_devices)
    }
}

fn refused(want: &'static str) -> Result<(), Refusal> {
    Err(Refusal::Invalid { what: "topic filter of a device", want })
}

fn givable(filter: &Filter) -> Result<(), Refusal> {
    let mut levels = filter.as_str().split('/');
    match (levels.next(), levels.next()) {
        (Some("linnet"), Some("room" | "+" | "#")) => {
            refused("a room by its name (--room): topics under linnet/room/ go by the rights in the room")
        }
        (Some("$share"), _) => refused("the filter alone, without $share and the name of the group"),
        _ => Ok(()),
    }
}

fn publishable(filter: &Filter) -> Result<(), Refusal> {
    match filter.as_str().split('/').next() {
        Some("linnet") => refused(
            "topics outside linnet/: those of its own it has, and others it is let command by their names (--command)",
        ),
        Some(level) if level.starts_with('$') => {
            refused("topics that do not begin with $: those are the node's")
        }
        _ => Ok(()),
    }
}

fn names_devices(filter: &Filter) -> Result<(), Refusal> {
    if filter.as_str() == "+" || Name::parse(filter.as_str()).is_ok() {
        return Ok(());
    }
    Err(Refusal::Invalid { what: "device to command", want: "a device's name, or + for all devices" })
}

/// What becomes of one list of filters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Filters {
    /// Nothing.
    #[default]
    Stay,
    /// It is these from now on.
    Become(Vec<Filter>),
    /// Some go, which have to be there, and then some come.
    Change {
        /// Those that go.
        take: Vec<Filter>,
        /// Those that come, if they are not there.
        give: Vec<Filter>,
    },
}

impl Filters {
    fn apply(self, list: &mut Vec<Filter>) -> Result<(), Refusal> {
        match self {
            Filters::Stay => {}
            Filters::Become(filters) => *list = filters,
            Filters::Change { take, give } => {
                for gone in take {
                    // Whoever takes a right away believes it gone: a slip must not leave it there unseen.
                    let at = list.iter().position(|filter| *filter == gone).ok_or(Refusal::Invalid {
                        what: "filter to take away",
                        want: "one that the device has, as it is listed",
                    })?;
                    list.remove(at);
                }
                list.extend(give);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|filter| seen.insert(filter.clone()));
        Ok(())
    }
}

/// A room by its name or id, whether a device may post there, and whether it may read.
pub type RoomGiven = (SmolStr, bool, bool);

/// What becomes of the rooms of a device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Rooms {
    /// Nothing.
    #[default]
    Stay,
    /// It is these from now on.
    Become(Vec<RoomGiven>),
    /// Some go, which have to be there, and then some come, or are had otherwise.
    Change {
        /// Those that go.
        take: Vec<SmolStr>,
        /// Those that come.
        give: Vec<RoomGiven>,
    },
}

/// What changes about a device's rights.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeviceChange {
    /// What it may publish.
    pub publish: Filters,
    /// What it may subscribe to.
    pub subscribe: Filters,
    /// Which devices it may command.
    pub command: Filters,
    /// Whether a certificate logs it in.
    pub certificate: Option<bool>,
    /// Where it may post and read: the node's to say, who knows the rooms.
    pub rooms: Rooms,
}

impl DeviceChange {
    /// The device after the change of all but its rooms, if it may have the rights.
    pub fn apply(self, device: &Device) -> Result<Device, Refusal> {
        let mut changed = device.clone();
        self.publish.apply(&mut changed.topics.publish)?;
        self.subscribe.apply(&mut changed.topics.subscribe)?;
        self.command.apply(&mut changed.topics.command)?;
        changed.certificate = self.certificate.unwrap_or(changed.certificate);
        changed.topics.check().map(|()| changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(texts: &[&str]) -> Vec<Filter> {
        texts.iter().map(|text| Filter::parse(text).unwrap()).collect()
    }

    fn device() -> Device {
        Device {
            user: UserId::fixed("porch"),
            bindings: Vec::new(),
            topics: TopicRights::named_after(&Name::fixed("porch")).unwrap(),
            certificate: false,
            added_by: None,
            created: 0,
        }
    }

    #[test]
    fn a_name_that_would_widen_its_filter_is_no_name_of_a_device() {
        for bad in ["+", "#", "a+", "a/b", "/", "$SYS", "$share", "a#", "a b", ""] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
        let own = TopicRights::named_after(&Name::fixed("porch")).unwrap();
        assert_eq!((&own.publish, &own.subscribe), (&filters(&["porch/#"]), &filters(&["porch/#"])));
        assert!(TopicRights::named_after(&Name::fixed("linnet")).is_err(), "the node's own topics");
    }

    #[test]
    fn rooms_are_not_given_by_filters() {
        let check = |publish: &[&str], subscribe: &[&str], command: &[&str]| {
            let (publish, subscribe, command) = (filters(publish), filters(subscribe), filters(command));
            TopicRights { publish, subscribe, command }.check()
        };
        for filter in
            ["linnet/room/garden/msg", "linnet/#", "linnet/+/garden/post", "linnet/room/#", "$share/a/b"]
        {
            assert!(check(&[filter], &[], &[]).is_err(), "publish {filter}");
            assert!(check(&[], &[filter], &[]).is_err(), "subscribe {filter}");
        }
        for filter in ["linnet/device/pump/in", "linnet/device/+/state", "$SYS/uptime", "linnet"] {
            assert!(check(&[filter], &[], &[]).is_err(), "publish {filter}");
            assert_eq!(check(&[], &[filter], &[]), Ok(()), "subscribe {filter}");
        }
        for filter in ["#", "a/b", "pump/+", "$SYS"] {
            assert!(check(&[], &[], &[filter]).is_err(), "command {filter}");
        }
        assert_eq!(check(&["linnets/x", "+/x"], &["#"], &["+", "pump"]), Ok(()));
    }

    #[test]
    fn rights_are_given_once_and_taken_only_when_there() {
        let change = |take: &[&str], give: &[&str]| {
            let publish = Filters::Change { take: filters(take), give: filters(give) };
            DeviceChange { publish, ..DeviceChange::default() }.apply(&device())
        };
        assert_eq!(change(&[], &["a", "porch/#", "a"]).unwrap().topics.publish, filters(&["porch/#", "a"]));
        assert_eq!(change(&["porch/#"], &["b"]).unwrap().topics.publish, filters(&["b"]));
        assert!(matches!(change(&["porch"], &[]), Err(Refusal::Invalid { .. })));
        let many: Vec<String> = (0..DEVICE_FILTERS_MAX).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(change(&[], &many), Err(Refusal::TooMany { .. })));
        assert!(change(&["porch/#"], &many).is_ok());
    }

    #[test]
    fn a_key_that_may_travel_in_an_address_can_say_nothing() {
        let room = RoomId::parse("garden").expect("an id");
        let reads = Binding { room, post: false, read: true };
        let only = Device { bindings: vec![reads.clone()], topics: TopicRights::default(), ..device() };
        assert!(only.only_reads());
        assert!(!Device { bindings: vec![reads], ..device() }.only_reads());
    }
}
