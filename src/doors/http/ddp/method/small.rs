//! Methods with a short answer that every client asks for at its start.

use super::super::flight::Given;
use super::MethodCall;
use crate::doors::http::rest::{permissions, settings};
use crate::doors::http::wire::Dates;
use crate::node::{Catalog, refuse};
use serde_json::{Value, json};

/// Done; there is nothing to say.
pub fn nothing(_: &MethodCall) -> Given {
    Ok(Value::Null)
}

/// Of these, linnet has none.
pub fn empty_list(_: &MethodCall) -> Given {
    Ok(json!([]))
}

/// No.
pub fn no(_: &MethodCall) -> Given {
    Ok(json!(false))
}

/// Settings that clients read before anybody has logged in.
pub fn public_settings(call: &MethodCall) -> Given {
    let base = call.site.addresses.first().map_or("", String::as_str);
    let values = settings::values(&call.site, base)?;
    Ok(values.iter().map(|(id, value)| settings::shown(id, value)).collect())
}

/// What roles may do.
pub fn permissions(call: &MethodCall) -> Given {
    let table = call.site.node.read(|reading| reading.permissions().map_err(refuse))?;
    Ok(permissions::shown(&table, None, Dates::Ejson).into())
}
