//! What roles may do, as Rocket.Chat's clients and admins name it: a table that comes with the program and that whoever
//! runs a node changes row by row. [`policy`](crate::chat::policy) asks it.

use crate::base::time::WallMs;
use crate::chat::user::Role::{Admin, Bot, Device, Guest, Moderator, Owner, User};
use crate::chat::user::{Role, Roles};
use std::fmt;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Permission(u8);

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Those that have an account of their own.
const RESIDENTS: &[Role] = &[Admin, Moderator, User, Bot];
/// Those and visitors.
const PEOPLE: &[Role] = &[Admin, Moderator, User, Bot, Guest];
/// Those who keep order in a room.
const KEEPERS: &[Role] = &[Admin, Owner, Moderator];
/// Those to whom a room belongs.
const OWNERS: &[Role] = &[Admin, Owner];
const ADMINS: &[Role] = &[Admin];
const NOBODY: &[Role] = &[];

/// Rows that [`policy`](crate::chat::policy) asks. The others are kept, shown and changed as well: clients draw by them, and what
/// they are about is not here yet, or goes by the role of an administrator.
macro_rules! asked {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)+) => {
        impl Permission {
            $($(#[$doc])* pub const $name: Permission = Permission::named($id);)+
        }
    };
}

asked! {
    /// See and change what roles may do.
    ACCESS_PERMISSIONS = "access-permissions";
    /// Bring people into public rooms one is in.
    ADD_USER_TO_ANY_C_ROOM = "add-user-to-any-c-room";
    /// Bring people into rooms one keeps.
    ADD_USER_TO_JOINED_ROOM = "add-user-to-joined-room";
    /// Close a room for good.
    ARCHIVE_ROOM = "archive-room";
    /// Make public rooms.
    CREATE_C = "create-c";
    /// Start direct conversations.
    CREATE_D = "create-d";
    /// Make codes that bring strangers in.
    CREATE_INVITE_LINKS = "create-invite-links";
    /// Make private rooms.
    CREATE_P = "create-p";
    /// Make tokens for oneself.
    CREATE_PERSONAL_ACCESS_TOKENS = "create-personal-access-tokens";
    /// Remove public rooms.
    DELETE_C = "delete-c";
    /// Remove what others said.
    DELETE_MESSAGE = "delete-message";
    /// Remove what one said oneself.
    DELETE_OWN_MESSAGE = "delete-own-message";
    /// Remove private rooms.
    DELETE_P = "delete-p";
    /// Change what others said.
    EDIT_MESSAGE = "edit-message";
    /// Change a room's name, kind, description and announcement.
    EDIT_ROOM = "edit-room";
    /// Say how much of a room is kept.
    EDIT_ROOM_RETENTION_POLICY = "edit-room-retention-policy";
    /// Speak under another name or picture.
    MESSAGE_IMPERSONATE = "message-impersonate";
    /// Post where nobody else may.
    POST_READONLY = "post-readonly";
    /// Remove people from rooms.
    REMOVE_USER = "remove-user";
    /// Name leaders of a room.
    SET_LEADER = "set-leader";
    /// Name moderators of a room.
    SET_MODERATOR = "set-moderator";
    /// Name owners of a room.
    SET_OWNER = "set-owner";
    /// Say that only keepers post.
    SET_READONLY = "set-readonly";
    /// Open an archived room again.
    UNARCHIVE_ROOM = "unarchive-room";
    /// Read and enter public rooms.
    VIEW_C_ROOM = "view-c-room";
}

/// The table as it comes: ids in their order, and who may.
const ROWS: &[(&str, &[Role])] = &[
    ("access-permissions", ADMINS),
    ("access-setting-permissions", ADMINS),
    ("add-all-to-room", ADMINS),
    ("add-team-channel", KEEPERS),
    ("add-team-member", KEEPERS),
    ("add-user-to-any-c-room", RESIDENTS),
    ("add-user-to-any-p-room", NOBODY),
    ("add-user-to-joined-room", KEEPERS),
    ("api-bypass-rate-limit", &[Admin, Bot]),
    ("archive-room", OWNERS),
    ("assign-admin-role", ADMINS),
    ("assign-roles", ADMINS),
    ("ban-user", KEEPERS),
    ("clean-channel-history", ADMINS),
    ("convert-team", OWNERS),
    ("create-c", RESIDENTS),
    ("create-d", RESIDENTS),
    ("create-invite-links", KEEPERS),
    ("create-p", RESIDENTS),
    ("create-personal-access-tokens", RESIDENTS),
    ("create-team", &[Admin, User]),
    ("create-user", ADMINS),
    ("delete-c", OWNERS),
    ("delete-d", ADMINS),
    ("delete-message", KEEPERS),
    ("delete-own-message", PEOPLE),
    ("delete-p", OWNERS),
    ("delete-team", OWNERS),
    ("delete-user", ADMINS),
    ("edit-message", NOBODY),
    ("edit-other-user-active-status", ADMINS),
    ("edit-other-user-avatar", ADMINS),
    ("edit-other-user-info", ADMINS),
    ("edit-other-user-password", ADMINS),
    ("edit-other-user-totp", ADMINS),
    ("edit-privileged-setting", ADMINS),
    ("edit-room", KEEPERS),
    ("edit-room-avatar", KEEPERS),
    ("edit-room-retention-policy", OWNERS),
    ("edit-team", OWNERS),
    ("edit-team-channel", KEEPERS),
    ("edit-team-member", KEEPERS),
    ("force-delete-message", KEEPERS),
    ("join-without-join-code", &[Admin, Bot]),
    ("leave-c", PEOPLE),
    ("leave-p", PEOPLE),
    ("logout-other-user", ADMINS),
    ("manage-assets", ADMINS),
    ("manage-emoji", ADMINS),
    ("manage-incoming-integrations", ADMINS),
    ("manage-moderation-actions", ADMINS),
    ("manage-oauth-apps", ADMINS),
    ("manage-outgoing-integrations", ADMINS),
    ("manage-own-incoming-integrations", ADMINS),
    ("manage-own-outgoing-integrations", ADMINS),
    ("manage-selected-settings", ADMINS),
    ("manage-sounds", ADMINS),
    ("manage-user-status", ADMINS),
    ("mention-all", PEOPLE),
    ("mention-here", PEOPLE),
    ("message-impersonate", &[Admin, Moderator, Bot, Device]),
    ("mute-user", KEEPERS),
    ("pin-message", KEEPERS),
    ("post-readonly", KEEPERS),
    ("preview-c-room", PEOPLE),
    ("remove-team-channel", KEEPERS),
    ("remove-user", KEEPERS),
    ("send-mail", ADMINS),
    ("set-leader", OWNERS),
    ("set-moderator", OWNERS),
    ("set-owner", OWNERS),
    ("set-react-when-readonly", OWNERS),
    ("set-readonly", OWNERS),
    ("start-discussion", PEOPLE),
    ("start-discussion-other-user", RESIDENTS),
    ("test-push-notifications", &[Admin, User]),
    ("unarchive-room", OWNERS),
    ("user-generate-access-token", ADMINS),
    ("view-all-team-channels", ADMINS),
    ("view-all-teams", ADMINS),
    ("view-broadcast-member-list", KEEPERS),
    ("view-c-room", PEOPLE),
    ("view-d-room", PEOPLE),
    ("view-full-other-user-info", ADMINS),
    ("view-history", PEOPLE),
    ("view-join-code", ADMINS),
    ("view-joined-room", PEOPLE),
    ("view-logs", ADMINS),
    ("view-moderation-console", ADMINS),
    ("view-other-user-channels", ADMINS),
    ("view-outside-room", PEOPLE),
    ("view-p-room", PEOPLE),
    ("view-privileged-setting", ADMINS),
    ("view-room-administration", ADMINS),
    ("view-statistics", ADMINS),
    ("view-user-administration", ADMINS),
];

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl Permission {
    const fn named(id: &str) -> Permission {
        let mut at = 0;
        while at < ROWS.len() {
            if same(ROWS[at].0, id) {
                return Permission(at as u8);
            }
            at += 1;
        }
        panic!("no row of the table has this id")
    }

    /// Every row, in the order of the ids.
    pub fn all() -> impl Iterator<Item = Permission> {
        (0..ROWS.len() as u8).map(Permission)
    }

    /// The row of this id.
    pub fn find(id: &str) -> Option<Permission> {
        let at = ROWS.binary_search_by(|(known, _)| (*known).cmp(id)).ok()?;
        Some(Permission(at as u8))
    }

    /// Its id, as clients know it.
    pub fn id(self) -> &'static str {
        ROWS[self.0 as usize].0
    }

    /// Who may, where nobody changed it.
    pub fn defaults(self) -> Roles {
        Roles::of(ROWS[self.0 as usize].1)
    }
}

/// A row that was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which.
    pub permission: Permission,
    /// Who may now.
    pub roles: Roles,
    /// Since when.
    pub changed: WallMs,
}

/// What roles may do on this node: the table with its changed rows. There are never more of these than rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Permissions {
    changed: Vec<Row>,
}

impl Permissions {
    /// The table with these rows changed; the last of two of one permission holds.
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Permissions {
        let mut table = Permissions::default();
        rows.into_iter().for_each(|row| table.set(row));
        table
    }

    /// The rows that were changed, in the order of their ids.
    pub fn changed(&self) -> &[Row] {
        &self.changed
    }

    /// Changes a row.
    pub fn set(&mut self, row: Row) {
        match self.changed.binary_search_by_key(&row.permission.0, |known| known.permission.0) {
            Ok(at) => self.changed[at] = row,
            Err(at) => self.changed.insert(at, row),
        }
    }

    /// The row as it is, and when it was changed, if it was.
    pub fn row(&self, permission: Permission) -> (Roles, Option<WallMs>) {
        match self.changed.binary_search_by_key(&permission.0, |row| row.permission.0) {
            Ok(at) => (self.changed[at].roles, Some(self.changed[at].changed)),
            Err(_) => (permission.defaults(), None),
        }
    }

    /// Whether one of these roles may.
    pub fn allow(&self, roles: Roles, permission: Permission) -> bool {
        self.row(permission).0.meets(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_id() {
        assert!(ROWS.len() <= usize::from(u8::MAX), "a row is known by one byte");
        assert!(ROWS.is_sorted_by(|one, next| one.0 < next.0), "rows are found by halving");
        for permission in Permission::all() {
            assert_eq!(Permission::find(permission.id()), Some(permission));
        }
        assert_eq!(Permission::find("view-c-roo"), None);
        assert_eq!(Permission::CREATE_C.id(), "create-c");
    }

    #[test]
    fn a_changed_row_holds_and_the_others_stay() {
        let guests = Roles::of(&[Guest]);
        let row = Row { permission: Permission::CREATE_C, roles: guests, changed: 7 };
        let table = Permissions::of([Row { roles: Roles::NONE, ..row }, row]);
        assert_eq!(table.changed(), [row]);
        assert!(table.allow(guests, Permission::CREATE_C));
        assert!(!table.allow(Roles::of(&[Admin, User]), Permission::CREATE_C));
        assert!(table.allow(Roles::of(&[User]), Permission::CREATE_P));
        assert!(!table.allow(Roles::NONE, Permission::CREATE_P));
        assert_eq!(table.row(Permission::CREATE_C), (guests, Some(7)));
        assert_eq!(table.row(Permission::CREATE_P), (Permission::CREATE_P.defaults(), None));
    }
}
