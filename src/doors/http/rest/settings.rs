//! `settings.public`: what Rocket.Chat's clients want to know of a server before they show anything.

use crate::base::limits::{BODY_BYTES_MAX, PAGE_ENTRIES_MAX, PASSWORD_CHARS_MAX, TEXT_CHARS_MAX};
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, Site};
use serde_json::{Map, Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[route!(GET "/api/v1/settings.public", Open, BODY_BYTES_MAX, Reading, public)];

async fn public(call: Call) -> Result<Reply, Problem> {
    let wanted = wanted(&call)?;
    let all = values(&call.site, &call.base())?;
    let is_wanted = |id: &str| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| one == id));
    let found: Vec<(&String, &Value)> = all.iter().filter(|(id, _)| is_wanted(id)).collect();
    let offset = call.query.number("offset").unwrap_or(0) as usize;
    // Without a count, and with 0, clients mean all of them: there are few.
    let count =
        call.query.number("count").filter(|count| *count > 0).map_or(usize::MAX, |count| count as usize);
    let page: Vec<Value> =
        found.iter().skip(offset).take(count).map(|(id, value)| shown(id, value)).collect();
    let (count, total) = (page.len(), found.len());
    Ok(Reply::success(json!({"settings": page, "count": count, "offset": offset, "total": total})))
}

/// A setting as clients know it.
pub fn shown(id: &str, value: &Value) -> Value {
    let kind = match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "int",
        Value::Object(_) => "asset",
        _ => "string",
    };
    json!({"_id": id, "value": value, "type": kind, "enterprise": false, "public": true})
}

/// The ids asked for, as `_id=a,b` or as `query={"_id":{"$in":["a","b"]}}`; `None` for all.
fn wanted(call: &Call) -> Result<Option<Vec<String>>, Problem> {
    let listed: Vec<String> = call
        .query
        .all("_id")
        .flat_map(|ids| ids.split(','))
        .map(str::to_owned)
        .take(PAGE_ENTRIES_MAX)
        .collect();
    if !listed.is_empty() {
        return Ok(Some(listed));
    }
    let Some(query) = call.query.get("query") else { return Ok(None) };
    let bad = || Problem::coded("error-invalid-query", "Invalid query parameter provided");
    let query: Map<String, Value> = serde_json::from_str(query).map_err(|_| bad())?;
    match query.get("_id") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(vec![id.clone()])),
        Some(many) => {
            let ids = many.get("$in").and_then(Value::as_array).ok_or_else(bad)?;
            Ok(Some(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()))
        }
    }
}

/// Every public setting, sorted by id. `base` is the address the node is reached by.
pub fn values(site: &Site, base: &str) -> Result<Map<String, Value>, Problem> {
    let number = site.node.read(|reading| reading.node_number())?;
    let mut values = fixed();
    values.extend([
        ("Site_Name".into(), json!(site.name)),
        ("Site_Url".into(), json!(base)),
        ("uniqueID".into(), json!(format!("{number:016x}"))),
        ("Assets_favicon_512".into(), json!({"defaultUrl": "app/icon.svg"})),
    ]);
    Ok(values)
}

const ON: &[&str] = &[
    "API_Use_REST_For_DDP_Calls",
    "Accounts_AllowEmailChange",
    "Accounts_AllowPasswordChange",
    "Accounts_AllowRealNameChange",
    "Accounts_AllowUserProfileChange",
    "Accounts_AllowUserStatusMessageChange",
    "Accounts_AllowUsernameChange",
    "Accounts_ShowFormLogin",
    "Livechat_allow_online_agents_outside_business_hours",
    "Message_AllowDeleting",
    "Message_AllowEditing",
    "Store_Last_Message",
    "Threads_enabled",
    "UI_Use_Real_Name",
];

const OFF: &[&str] = &[
    "Accounts_AllowAnonymousRead",
    "Accounts_AllowAnonymousWrite",
    "Accounts_AllowFeatureRequests",
    "Accounts_AllowUserAvatarChange",
    "Accounts_AvatarBlockUnauthenticatedAccess",
    "Accounts_EmailVerification",
    "Accounts_PasswordReset",
    "Accounts_TwoFactorAuthentication_Enabled",
    "Accounts_iframe_enabled",
    "CROWD_Enable",
    "E2E_Enable",
    "FEDERATION_Enabled",
    "FileUpload_Enabled",
    "Force_Screen_Lock",
    "Jitsi_Enabled",
    "LDAP_Enable",
    "Livechat_Show_Connecting",
    "Livechat_enabled",
    "Message_AllowPinning",
    "Message_AllowStarring",
    "Message_AudioRecorderEnabled",
    "Message_Read_Receipt_Enabled",
    "Presence_broadcast_disabled",
    "SMS_Enabled",
    "UI_Allow_room_names_with_special_chars",
    "VideoRecorder_Enabled",
];

const NUMBERS: &[(&str, usize)] = &[
    ("Accounts_Password_MaxLength", PASSWORD_CHARS_MAX),
    ("FileUpload_MaxFileSize", 0),
    ("Force_Screen_Lock_After", 1800),
    ("Message_AllowDeleting_BlockDeleteInMinutes", 0),
    ("Message_AllowEditing_BlockEditInMinutes", 0),
    ("Message_GroupingPeriod", 300),
    ("Message_MaxAllowedSize", TEXT_CHARS_MAX),
];

const TEXTS: &[(&str, &str)] = &[
    ("Accounts_CustomFields", ""),
    ("Accounts_EmailOrUsernamePlaceholder", ""),
    ("Accounts_NamePlaceholder", ""),
    ("Accounts_PasswordPlaceholder", ""),
    ("Accounts_RegistrationForm", "Secret URL"),
    ("Accounts_RegistrationForm_LinkReplacementText", "Ask somebody here for an invitation link"),
    ("Enterprise_License", ""),
    ("FileUpload_MediaTypeBlackList", ""),
    ("FileUpload_MediaTypeWhiteList", ""),
    ("Language", "en"),
    ("Layout_Sidenav_Footer", ""),
    ("Message_TimeFormat", "LT"),
    ("UTF8_Channel_Names_Validation", "[0-9a-zA-Z-_.]+"),
    ("UTF8_User_Names_Validation", "[0-9a-zA-Z-_.]+"),
];

/// What is the same on every node.
fn fixed() -> Map<String, Value> {
    let switches = ON.iter().map(|id| (*id, true.into())).chain(OFF.iter().map(|id| (*id, false.into())));
    let numbers = NUMBERS.iter().map(|(id, number)| (*id, (*number).into()));
    let texts = TEXTS.iter().map(|(id, text)| (*id, (*text).into()));
    let all = switches.chain(numbers).chain(texts).chain([("Hide_System_Messages", json!([]))]);
    all.map(|(id, value)| (id.to_owned(), value)).collect()
}
