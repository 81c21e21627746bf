//! Addresses that are the node's own are no rooms.

use linnet::chat::name::Name;
use linnet::doors::http::rest::FAMILIES;

#[test]
fn every_address_of_the_node_is_a_name_no_room_can_have() {
    let rows = FAMILIES.iter().flat_map(|family| family.iter());
    let first = |path: &'static str| path.split('/').nth(1).unwrap_or_default();
    let mut seen = 0;
    for segment in rows.map(|row| first(row.path)).filter(|segment| !segment.is_empty()) {
        if !segment.starts_with(':') {
            assert!(Name::parse_room(segment).is_err(), "a room could be named {segment}");
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} rows were looked at");
}
