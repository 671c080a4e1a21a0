//! Every operation of the API has a line in the list of what it needs. An operation without one fails the test; so does one that answers
//! somebody who lacks what it needs, or refuses somebody who has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::desk::operation::{Operation, description, operations};
use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use sim::shop::TestShop;
use tandem_http::access::Needs::{Credential, Nothing, OneOf};
use tandem_http::access::{self, Needs, needs_of};

/// What the operation needs; a missing line is told by the test of names.
fn needs(operation: &Operation) -> Needs {
    needs_of(&operation.method, &operation.route).unwrap_or(Credential)
}

#[test]
fn every_operation_says_what_it_needs() {
    let shop = TestShop::on_sqlite(1);
    let described = operations(&description(&Desk::of(&shop)));
    let described: BTreeSet<(String, String)> =
        described.into_iter().map(|one| (one.method, one.route)).collect();
    let listed = access::operations().map(|(method, route, _)| ((*method).to_owned(), (*route).to_owned()));
    let listed: BTreeSet<(String, String)> = listed.collect();
    assert_eq!(listed.len(), access::operations().count(), "an operation has two lines");
    let (missing, gone): (Vec<_>, Vec<_>) =
        (described.difference(&listed).collect(), listed.difference(&described).collect());
    assert!(missing.is_empty(), "say in http/src/access/operations what these need: {missing:#?}");
    assert!(
        gone.is_empty(),
        "these are gone from the API, remove them from http/src/access/operations: {gone:#?}"
    );
}

#[test]
fn whoever_gives_no_credential_is_asked_for_one() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let answer = operation.ask(&desk, None);
        let open = matches!(needs(&operation), Nothing(_));
        if !open && (answer.status != 401 || answer.code() != "sign_in_needed") {
            wrong.push(format!("{}: {} {}", operation.name, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "answered without a credential:\n{}", wrong.join("\n"));
}

#[test]
fn whoever_lacks_the_permission_is_refused() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut keys: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let OneOf(needed) = needs(&operation) else { continue };
        let names: Vec<&str> = needed.iter().map(|permission| permission.text()).collect();
        let others =
            || Permission::ALL.iter().copied().filter(|one| !needed.contains(one)).collect::<Vec<_>>();
        let key = keys.entry(names.clone()).or_insert_with(|| key_for(&shop, &others()));
        let answer = operation.ask(&desk, Some(key));
        let told = answer.json["detail"].as_str().unwrap_or_default();
        let named = told.contains(&format!("\"{}\"", names[0]));
        if answer.status != 403 || answer.code() != "forbidden" || !named {
            wrong.push(format!("{} without {names:?}: {} {}", operation.name, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "not refused:\n{}", wrong.join("\n"));
}

#[test]
fn whoever_has_the_permission_is_let_in() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let OneOf(needed) = needs(&operation) else { continue };
        // A stream goes on for ever; its own story opens it.
        if operation.name == "stream_events" {
            continue;
        }
        for permission in needed {
            // Who manages access gives away only what he has.
            let held = if *permission == Permission::ManageAccess { Permission::ALL } else { &[*permission] };
            let answer = operation.ask(&desk, Some(&key_for(&shop, held)));
            if answer.status == 401 || answer.status == 403 || answer.status.is_server_error() {
                wrong.push(format!(
                    "{} with {}: {} {}",
                    operation.name,
                    permission.text(),
                    answer.status,
                    answer.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "not let in:\n{}", wrong.join("\n"));
}

#[test]
fn an_open_operation_says_why() {
    for (_, route, needs) in access::operations() {
        if let Nothing(why) = needs {
            assert!(why.len() > 20, "{route}: say why it is open to everybody");
        }
    }
}
