//! What roles may do: seen by everyone, whose clients draw their buttons by it, and changed by those who may.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::permission::{Permission, Permissions};
use crate::chat::policy;
use crate::chat::user::{Role, Roles};
use crate::doors::http::route::route;
use crate::doors::http::wire::Dates;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::{Catalog, refuse};
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/permissions.listAll", LoggedIn, BODY_BYTES_MAX, Reading, list_all),
    route!(POST "/api/v1/permissions.update", LoggedIn, BODY_BYTES_MAX, Posting, update),
];

/// The rows that were changed after `since`, or all of them without it.
pub fn shown(table: &Permissions, since: Option<u64>, dates: Dates) -> Vec<Value> {
    let rows = Permission::all().filter_map(|permission| {
        let (roles, changed) = table.row(permission);
        let changed = changed.unwrap_or(0);
        if since.is_some_and(|since| since > 0 && changed <= since) {
            return None;
        }
        let words: Vec<&str> = roles.iter().map(Role::word).collect();
        Some(json!({ "_id": permission.id(), "roles": words, "_updatedAt": dates.date(changed) }))
    });
    rows.collect()
}

async fn list_all(call: Call) -> Result<Reply, Problem> {
    let since = Given::of(&call)?.date("updatedSince", "error-roomId-param-invalid")?;
    let table = call.read(|reading, _| reading.permissions().map_err(refuse))?;
    Ok(done::many(&[("update", &shown(&table, since, Dates::Iso)), ("remove", &[(); 0])]))
}

async fn update(call: Call) -> Result<Reply, Problem> {
    // 400, as Rocket.Chat has it.
    if !call.read(|_, actor| Ok(policy::may_set_permissions(actor).is_ok()))? {
        let code = "error-edit-permissions-not-allowed";
        return Err(Problem::told(code, "Editing permissions is not allowed"));
    }
    let given = Given::of(&call)?;
    let bad = || Problem::told("error-invalid-body-params", "Invalid body params");
    let rows = given.value("permissions").and_then(Value::as_array).ok_or_else(bad)?;
    let mut wanted = Vec::new();
    for row in rows {
        let id = row["_id"].as_str().ok_or_else(bad)?;
        let permission = Permission::find(id);
        let permission =
            permission.ok_or_else(|| Problem::told("error-invalid-permission", "Invalid permission"))?;
        let mut roles = Roles::NONE;
        for word in row["roles"].as_array().ok_or_else(bad)? {
            let role = Role::parse(word.as_str().ok_or_else(bad)?);
            roles = roles.with(role.ok_or_else(|| Problem::told("error-invalid-role", "Invalid role"))?);
        }
        wanted.push((permission, roles));
    }
    let table = call.node(move |node, caller| node.set_permissions(caller, &wanted)).await?;
    Ok(done::one("permissions", shown(&table, None, Dates::Iso)))
}
