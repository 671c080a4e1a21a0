//! The bench's own proof that it can open a shop, pull its plug and open it again.
//!
//! Python's file server stands in for the shop: it serves what is in the data directory.

use std::fs;

use sim::server::{Launch, Server};

fn file_server() -> Launch {
    let arguments = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", "{data}", "{port}"];
    arguments
        .into_iter()
        .fold(Launch::program("python3", "/"), Launch::argument)
        .environment("PYTHONUNBUFFERED", "1")
}

#[test]
fn a_killed_server_opens_again_on_the_same_data() {
    let mut server = Server::start(file_server()).unwrap();
    let client = server.client();
    fs::write(server.data().join("receipt"), "paid").unwrap();
    assert_eq!(client.get("/receipt").unwrap().text(), "paid");

    let before = server.process();
    server.kill().unwrap();
    client.get("/receipt").unwrap_err();

    server.restart().unwrap();
    assert_ne!(server.process(), before);
    assert_eq!(client.get("/receipt").unwrap().text(), "paid");
    assert!(server.log().contains("GET /receipt"), "{}", server.log());

    let status = server.terminate().unwrap();
    assert!(!status.success(), "python does not catch the signal");
    let scratch = server.data();
    drop(server);
    assert!(!scratch.exists());
}

#[test]
fn a_server_that_ends_early_is_reported_with_its_log() {
    let launch =
        Launch::program("python3", "/").argument("-c").argument("import sys; sys.exit('no room for {data}')");
    let failure = Server::start(launch).unwrap_err();
    assert_eq!(failure.doing, "starting python3");
    assert!(failure.why.starts_with("ended early, exit status: 1\nno room for "));
}
