//! Wrong requests get a clear error, and nobody else notices.

use crate::harness::site::Served;

#[test]
fn an_unknown_path_and_a_wrong_method_say_so() {
    let site = Served::start();
    let nothing = site.get("/api/v1/no.such");
    assert_eq!((nothing.status, nothing.json()["success"].as_bool()), (404, Some(false)));
    let wrong = site.ask("DELETE", "/api/info", &[], None);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET")));
}
