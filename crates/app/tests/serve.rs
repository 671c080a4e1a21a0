//! The program serves as it is started by a person: an empty directory becomes a shop, a stop is graceful, a plug pulled loses nothing.

use std::process::Command;

use sim::server::{Launch, Server};

fn launch() -> Launch {
    Launch::program(env!("CARGO_BIN_EXE_tandem"), "/health/ready")
        .argument("serve")
        .argument("--listen")
        .argument("127.0.0.1:{port}")
        .argument("--data")
        .argument("{data}")
}

#[test]
fn an_empty_directory_becomes_a_shop_that_stops_when_asked() {
    let mut server = Server::start(launch()).unwrap();
    assert!(server.log().contains("Tandem serves http://127.0.0.1:"), "{}", server.log());
    assert!(server.data().join("master.key").is_file());
    let status = server.terminate().unwrap();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    server.restart().unwrap();
    server.kill().unwrap();
    server.restart().unwrap();
    assert_eq!(server.client().get("/health/live").unwrap().status, 200);
}

#[test]
fn the_books_are_checked_while_the_shop_serves() {
    let server = Server::start(launch()).unwrap();
    let data = server.data().display().to_string();
    let checked = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["check", "--json", "--data", &data])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((checked.status.code(), &report["clean"]), (Some(0), &true.into()));
}

#[test]
fn a_taken_address_is_said_and_ends_with_3() {
    let server = Server::start(launch()).unwrap();
    let address = server.url().replace("http://", "");
    let data = server.data().join("other").display().to_string();
    let second = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["serve", "--listen", &address, "--data", &data])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(3));
    assert!(said.contains(&format!("serving on {address}")) && said.contains("in use"), "{said}");
}

#[test]
fn the_first_owner_comes_in_by_the_printed_link_and_only_once() {
    let mut server = Server::start(launch()).unwrap();
    let log = server.log();
    let token = log
        .split_once("/setup?token=")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap()
        .to_owned();
    let owner = serde_json::json!({"token": token, "name": "Ada Owner", "email": "ada@example.com", "password": "seven bridges of koenigsberg"});
    let reply = server.client().post("/v1/setup", &owner).unwrap();
    assert!((200..300).contains(&reply.status), "{} {}", reply.status, reply.text());
    let again = server.client().post("/v1/setup", &owner).unwrap();
    assert!((400..500).contains(&again.status), "{} {}", again.status, again.text());
    server.terminate().unwrap();
    server.restart().unwrap();
    assert_eq!(server.log().matches("/setup?token=").count(), 1, "a shop with an owner prints no link");
}
