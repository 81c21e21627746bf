//! A publication on its way to those who hear it: one sheet for all of them, a parcel for each.

use crate::base::id::Seq;
use crate::base::limits::SHEET_FRAMES;
use crate::chat::publication::{Publication, Qos};
use bytes::Bytes;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes of all sheets there are.
pub(super) type Meter = Arc<AtomicUsize>;

/// A publication, shared by all who get it.
#[derive(Debug)]
pub struct Sheet {
    seq: Option<Seq>,
    publication: Arc<Publication>,
    arrived_ms: i64,
    weight: usize,
    meter: Meter,
    frames: [OnceLock<Bytes>; SHEET_FRAMES],
}

impl Sheet {
    pub(super) fn new(
        seq: Option<Seq>,
        publication: Arc<Publication>,
        arrived_ms: i64,
        meter: &Meter,
    ) -> Arc<Self> {
        let properties = publication.properties.as_ref().map_or(0, |properties| properties.len());
        let texts = publication.topic.as_str().len() + publication.payload.len() + properties;
        let weight = size_of::<Self>() + size_of::<Publication>() + texts;
        meter.fetch_add(weight, Ordering::Relaxed);
        let meter = Arc::clone(meter);
        Arc::new(Self { seq, publication, arrived_ms, weight, meter, frames: Default::default() })
    }

    /// Its place in the order, when it is kept.
    pub fn seq(&self) -> Option<Seq> {
        self.seq
    }

    /// What was published.
    pub fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    /// When it came, in milliseconds of this start of the node, or before it.
    pub fn arrived_ms(&self) -> i64 {
        self.arrived_ms
    }

    /// Its bytes in a form, one of [`SHEET_FRAMES`]: `encode` runs once for all who get it.
    pub fn frame(&self, form: usize, encode: impl FnOnce() -> Bytes) -> &Bytes {
        self.frames[form].get_or_init(|| {
            let frame = encode();
            self.meter.fetch_add(frame.len(), Ordering::Relaxed);
            frame
        })
    }

    /// Bytes it takes while it waits, roughly.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        let frames: usize = self.frames.iter().filter_map(OnceLock::get).map(Bytes::len).sum();
        self.meter.fetch_sub(self.weight + frames, Ordering::Relaxed);
    }
}

/// The numbers of the subscriptions a publication is for; seldom more than one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ids(Numbers);

/// Two words, as small as it gets without counting.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Numbers {
    /// One, or none when it is 0.
    One(u32),
    Many(Box<[u32]>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::One(0)
    }
}

impl Ids {
    /// All of them.
    pub fn as_slice(&self) -> &[u32] {
        match &self.0 {
            Numbers::One(0) => &[],
            Numbers::One(id) => std::slice::from_ref(id),
            Numbers::Many(ids) => ids,
        }
    }

    pub(super) fn of(id: Option<NonZeroU32>) -> Self {
        Self(Numbers::One(id.map_or(0, NonZeroU32::get)))
    }

    pub(super) fn add(&mut self, id: Option<NonZeroU32>) {
        let Some(id) = id else { return };
        self.0 = match self.as_slice() {
            [] => Numbers::One(id.get()),
            ids => Numbers::Many(ids.iter().copied().chain([id.get()]).collect()),
        };
    }
}

/// A publication for one who hears it.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// What, for all.
    pub sheet: Arc<Sheet>,
    /// How sure: the smaller of what was published and what was asked for.
    pub qos: Qos,
    /// The retain flag, as this one wants to see it.
    pub retain: bool,
    /// The numbers of the subscriptions it is for.
    pub ids: Ids,
    /// The group that shares it.
    pub(super) group: Option<NonZeroU32>,
}

impl Parcel {
    /// Whether it is one of a group's: nobody else gets it unless it is
    /// [given back](super::TopicSeat::give_back).
    pub fn is_shared(&self) -> bool {
        self.group.is_some()
    }

    /// Its place in the order, when its session must not lose it.
    pub(super) fn kept_at(&self) -> Option<Seq> {
        self.sheet.seq.filter(|_| self.qos != Qos::Most)
    }

    /// Whether it is read from the store when there is no room for it: not what a group shares, for the store does not
    /// know whose turn it was.
    pub(super) fn is_kept(&self) -> bool {
        self.kept_at().is_some() && self.group.is_none()
    }
}
