//! A device and its rights as bytes.

use crate::base::id::UserId;
use crate::chat::device::{Binding, Device, TopicRights};
use crate::store::record::RecordError;
use crate::store::record::form::{self, List};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct BindingForm<'a> {
    room: &'a str,
    post: bool,
    read: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    user: &'a str,
    #[serde(borrow)]
    bindings: List<BindingForm<'a>>,
    added_by: Option<&'a str>,
    created: u64,
}

impl<'a> From<&'a Device> for Form<'a> {
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

impl TryFrom<Form<'_>> for Device {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
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
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}
