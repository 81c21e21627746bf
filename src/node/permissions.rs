//! What roles may do on this node.

use crate::chat::change::What;
use crate::chat::permission::{Permission, Permissions, Row};
use crate::chat::policy;
use crate::chat::refusal::Refusal;
use crate::chat::user::{Role, Roles};
use crate::node::caller::Caller;
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;

impl Node {
    /// Says who may do these things from now on; the rest stays. Whoever listens by a right that ends with it hears
    /// nothing that comes after. All rows are changed, or none.
    pub fn set_permissions(
        &mut self,
        caller: &Caller,
        rows: &[(Permission, Roles)],
    ) -> Result<Permissions, Refusal> {
        policy::may_set_permissions(&self.actor(caller)?)?;
        let before = self.permissions().map_err(refuse)?;
        let (mut table, changed) = (before.clone(), self.now().wall_ms);
        for &(permission, roles) in rows {
            if permission == Permission::ACCESS_PERMISSIONS && !roles.has(Role::Admin) {
                let want = "admin among the roles of access-permissions: else nobody could give it back";
                return Err(Refusal::Invalid { what: "roles", want });
            }
            if table.row(permission).0 != roles {
                table.set(Row { permission, roles, changed });
            }
        }
        if table != before {
            self.append(What::PermissionsSet(table.clone()))?;
        }
        Ok(table)
    }
}
