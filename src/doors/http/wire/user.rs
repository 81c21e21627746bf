//! Users as clients know them, and what clients keep with a user.

use super::Dates;
use super::draft::opaque;
use crate::chat::name::Opaque;
use crate::chat::refusal::Refusal;
use crate::chat::user::{Role, Roles, User};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What clients keep with a user, as it lies in the user's `extra`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// What they set in their clients' preferences.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub preferences: Map<String, Value>,
    /// Fields of their organisation.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub custom_fields: Map<String, Value>,
    /// The words beside their status.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status_text: String,
    /// The status shown while they are connected: online, away, busy or offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_default: Option<String>,
    /// A few lines about them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bio: String,
    /// Another name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nickname: String,
}

impl Profile {
    /// What is kept with this user.
    pub fn of(user: &User) -> Self {
        let bytes = user.extra.as_ref().map(Opaque::as_bytes);
        bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }

    /// The bytes to keep.
    pub fn to_opaque(&self) -> Result<Opaque, Refusal> {
        opaque(self)
    }

    /// The status to show of somebody who is, or is not, connected.
    pub fn status(&self, connected: bool) -> &str {
        if connected { self.status_default.as_deref().unwrap_or("online") } else { "offline" }
    }
}

/// Who looks at a user: how much they are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Somebody else: nothing private.
    Public,
    /// The user, or an administrator.
    Full,
}

/// The words for a set of roles.
pub fn roles(roles: Roles) -> Vec<&'static str> {
    roles.iter().map(Role::word).collect()
}

fn kind(user: &User) -> &'static str {
    if user.is(Role::Bot) || user.is(Role::Device) { "bot" } else { "user" }
}

fn emails(user: &User) -> Value {
    match &user.email {
        Some(email) => json!([{ "address": email.as_str(), "verified": false }]),
        None => json!([]),
    }
}

/// A user for `users.info`, `users.list` and their like. `connected` says whether a client of theirs listens.
pub fn shown(user: &User, connected: bool, sight: Sight, dates: Dates) -> Value {
    let profile = Profile::of(user);
    let mut shown = json!({
        "_id": user.id.as_str(),
        "username": user.username.as_str(),
        "name": user.name.as_str(),
        "type": kind(user),
        "status": profile.status(connected),
        "active": user.active,
        "roles": roles(user.roles),
        "utcOffset": 0,
        "nameInsensitive": user.name.to_lowercase(),
    });
    for (key, text) in
        [("statusText", &profile.status_text), ("bio", &profile.bio), ("nickname", &profile.nickname)]
    {
        if !text.is_empty() {
            shown[key] = json!(text);
        }
    }
    if !profile.custom_fields.is_empty() {
        shown["customFields"] = Value::Object(profile.custom_fields);
    }
    if sight == Sight::Full {
        shown["emails"] = emails(user);
        shown["createdAt"] = json!(dates.date(user.created));
        shown["statusDefault"] = json!(profile.status_default.as_deref().unwrap_or("online"));
    }
    shown
}

/// The few fields of a user in lists of members, presence and search.
pub fn brief(user: &User, connected: bool) -> Value {
    let profile = Profile::of(user);
    json!({
        "_id": user.id.as_str(),
        "username": user.username.as_str(),
        "name": user.name.as_str(),
        "status": profile.status(connected),
        "statusText": profile.status_text,
        "utcOffset": 0,
    })
}

/// The caller's own user for `login` and `me`. `site` is the address the node is reached by, without a slash at its end.
pub fn me(user: &User, connected: bool, site: &str, dates: Dates) -> Value {
    let mut me = shown(user, connected, Sight::Full, dates);
    me["settings"] = json!({ "profile": {}, "preferences": preferences(user) });
    me["avatarUrl"] = json!(format!("{site}/avatar/{}", user.username));
    me["statusConnection"] = json!(if connected { "online" } else { "offline" });
    me["services"] = json!({ "password": { "exists": user.password.is_some() } });
    me
}

/// A user's preferences over the defaults.
pub fn preferences(user: &User) -> Value {
    let mut preferences = defaults();
    preferences.extend(Profile::of(user).preferences);
    Value::Object(preferences)
}

/// What clients assume where nobody chose.
fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "enableAutoAway": true, "idleTimeLimit": 300, "desktopNotificationRequireInteraction": false,
        "desktopNotifications": "all", "desktopNotificationVoiceCalls": true, "pushNotifications": "all",
        "unreadAlert": true, "useEmojis": true, "convertAsciiEmoji": true, "autoImageLoad": true,
        "saveMobileBandwidth": false, "collapseMediaByDefault": false, "hideUsernames": false, "hideRoles": false,
        "hideFlexTab": false, "displayAvatars": true, "sidebarGroupByType": true, "themeAppearence": "auto",
        "sidebarViewMode": "medium", "sidebarDisplayAvatar": true, "sidebarShowUnread": false,
        "sidebarSortby": "activity", "showThreadsInMainChannel": false, "alsoSendThreadToChannel": "default",
        "sidebarShowFavorites": true, "sendOnEnter": "normal", "emailNotificationMode": "nothing",
        "newRoomNotification": "door", "newMessageNotification": "chime", "muteFocusedConversations": true,
        "notificationsSoundVolume": 100, "omnichannelTranscriptEmail": false, "enableMobileRinging": true,
        "highlights": [], "language": "", "receiveLoginDetectionEmail": false,
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => unreachable!("an object was written above"),
    }
}
