//! A device and its rights as bytes.

use crate::base::id::UserId;
use crate::chat::device::{Binding, Device, TopicRights};
use crate::chat::topic::Filter;
use crate::store::record::RecordError;
use crate::store::record::form::{self, List, Reader};
use serde::{Deserialize, Serialize};

/// The layout written today: the first and the rights among devices.
pub(super) const VERSION: u8 = 2;
const WITHOUT_TOPICS: u8 = 1;

#[derive(Serialize, Deserialize)]
struct BindingForm<'a> {
    room: &'a str,
    post: bool,
    read: bool,
}

#[derive(Serialize, Deserialize)]
struct FirstForm<'a> {
    user: &'a str,
    #[serde(borrow)]
    bindings: List<BindingForm<'a>>,
    added_by: Option<&'a str>,
    created: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    #[serde(borrow)]
    first: FirstForm<'a>,
    publish: List<&'a str>,
    subscribe: List<&'a str>,
    command: List<&'a str>,
    certificate: bool,
}

impl<'a> From<&'a Device> for FirstForm<'a> {
    fn from(device: &'a Device) -> Self {
        let binding = |binding: &'a Binding| BindingForm {
            room: binding.room.as_str(),
            post: binding.post,
            read: binding.read,
        };
        Self {
            user: device.user.as_str(),
            bindings: device.bindings.iter().map(binding).collect(),
            added_by: device.added_by.as_ref().map(UserId::as_str),
            created: device.created,
        }
    }
}

impl<'a> From<&'a Device> for Form<'a> {
    fn from(device: &'a Device) -> Self {
        let list = |filters: &'a [Filter]| filters.iter().map(Filter::as_str).collect();
        let topics = &device.topics;
        let (publish, subscribe) = (list(&topics.publish), list(&topics.subscribe));
        let (first, command, certificate) = (device.into(), list(&topics.command), device.certificate);
        Self { first, publish, subscribe, command, certificate }
    }
}

impl TryFrom<Form<'_>> for Device {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        let list = |filters: List<&str>| filters.0.into_iter().map(form::filter).collect::<Result<_, _>>();
        let (publish, subscribe) = (list(form.publish)?, list(form.subscribe)?);
        let topics = TopicRights { publish, subscribe, command: list(form.command)? };
        Ok(Self { topics, certificate: form.certificate, ..form.first.try_into()? })
    }
}

impl TryFrom<FirstForm<'_>> for Device {
    type Error = RecordError;

    fn try_from(form: FirstForm<'_>) -> Result<Self, RecordError> {
        let binding = |binding: BindingForm<'_>| {
            Ok(Binding { room: form::room_id(binding.room)?, post: binding.post, read: binding.read })
        };
        Ok(Self {
            user: form::user_id(form.user)?,
            bindings: form.bindings.0.into_iter().map(binding).collect::<Result<_, _>>()?,
            topics: TopicRights::default(),
            certificate: false,
            added_by: form::user_id_if(form.added_by)?,
            created: form.created,
        })
    }
}

/// Appends a device's value.
pub fn encode(device: &Device, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(device), out)
}

/// The device in a value.
pub fn decode(bytes: &[u8]) -> Result<Device, RecordError> {
    match bytes.first() {
        Some(&WITHOUT_TOPICS) => form::decode::<FirstForm<'_>>(WITHOUT_TOPICS, bytes)?.try_into(),
        _ => form::decode::<Form<'_>>(VERSION, bytes)?.try_into(),
    }
}

/// Takes a device in the layout of this version.
pub(super) fn read(version: u8, from: &mut Reader<'_>) -> Result<Device, RecordError> {
    match version {
        WITHOUT_TOPICS => from.take::<FirstForm<'_>>()?.try_into(),
        _ => from.take::<Form<'_>>()?.try_into(),
    }
}
