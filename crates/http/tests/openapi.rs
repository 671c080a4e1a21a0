//! The description of the API that is kept with the sources is the one the program serves, so that a change of the API is seen in review.

use std::fs;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_kept_description_is_the_one_served() {
    let served = tandem_http::router::description();
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        fs::write(SNAPSHOT, &served).expect("the snapshot is written");
    }
    let kept = fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let first = kept.lines().zip(served.lines()).position(|(kept, served)| kept != served);
    let line = first.unwrap_or_else(|| kept.lines().count().min(served.lines().count())) + 1;
    assert!(
        kept == served,
        "docs/openapi.json differs from the API at line {line}; if the change is meant: UPDATE_SNAPSHOT=1 cargo nextest run -p tandem-http openapi"
    );
}
