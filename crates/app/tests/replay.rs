//! A month of the real retailer through the built program's public API: what the books say in the end is what the source says.

use std::process::Command;

use serde_json::Value;
use sim::scratch::Scratch;

/// What happens in every month of the living chain, by the event that tells it.
const LIVED: [&str; 22] = [
    "fulfilment.rejected",
    "fulfilment.short",
    "fulfilment.claimed",
    "fulfilment.packed",
    "fulfilment.awaiting_transfer",
    "pickup.handed_over",
    "parcel.delivered",
    "routing.decided",
    "order.changed",
    "transfer.requested",
    "transfer.approved",
    "transfer.cancelled",
    "transfer.short",
    "transfer.sent",
    "transfer.received",
    "transfer.closed_short",
    "count.tallied",
    "count.recount_asked",
    "count.posted",
    "return.approved",
    "return.inspected",
    "exchange.made",
];

/// Replays December 2011 into the database that the flags name; answers the report.
fn replay_december(flags: &[&str]) -> Value {
    let home = Scratch::new("replay").expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["replay", "--months", "1", "--json"])
        .args(flags)
        .current_dir(home.path())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).expect("a report in JSON")
}

/// The figures of demo/README.md for December 2011, and nothing that differs.
fn tallies(report: &Value) {
    assert_eq!((&report["equal"], &report["check"]["clean"]), (&true.into(), &true.into()), "{report}");
    assert_eq!(report["shop"], report["source"]);
    let events = |kind: &str| report["events"][kind].as_u64();
    let exchanges = events("exchange.made").unwrap_or(0);
    let orders = Some(818 + exchanges);
    assert_eq!((events("order.placed"), events("order.completed")), (orders, orders));
    for lived in LIVED {
        assert!(events(lived) > Some(0), "{lived} never happened");
    }
    let chain = |name: &str| report["chain"][name].as_i64().expect("a figure");
    assert!((8_000..10_000).contains(&chain("fill rate")), "{report}");
    assert!((8_000..10_000).contains(&chain("shelf accuracy")), "{report}");
    for some in [
        "orders in more than one parcel",
        "of them sent for from elsewhere",
        "parcels from a store",
        "pieces sent between places",
        "of them lost or damaged",
        "returns put back on the shelf",
        "returns with damaged goods",
        "returns thrown away",
    ] {
        assert!(chain(some) > 0, "{some}: {report}");
    }
    assert_eq!(
        (chain("pieces that nobody finds"), report["proportions"].as_array().map(Vec::len)),
        (0, Some(29))
    );
    let revenue = report["shop"]["trade"].as_array().expect("a list").iter();
    assert_eq!(revenue.filter_map(|trade| trade["revenue_minor"].as_i64()).sum::<i64>(), 46_417_641);
}

#[test]
fn replay_of_a_month_tallies_on_sqlite() {
    tallies(&replay_december(&[]));
}

#[test]
#[ignore = "takes minutes on a busy machine; run it by hand: cargo nextest run -p tandem --run-ignored only replay"]
fn replay_of_a_month_tallies_on_postgres() {
    let database = sim::postgres::database().expect("a PostgreSQL database");
    tallies(&replay_december(&["--database", &database.url()]));
}

#[test]
fn books_that_are_not_new_are_left_alone() {
    let home = Scratch::new("replay").expect("a directory");
    let tandem = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(arguments)
            .current_dir(home.path())
            .output()
            .expect("the program starts")
    };
    assert!(tandem(&["init", "--data", "shop"]).status.success());
    let refused = tandem(&["replay", "--data", "shop"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("shop is not empty and neither replay nor bench made it"), "{said}");
    assert!(home.path().join("shop/master.key").is_file());
    let refused = tandem(&["replay", "--database", "shop/tandem.db", "--data", "shop"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is not a fresh database"), "{said}");
}

/// What offers did in December 2011 explains the difference to the source to the penny; `differences` is empty then.
fn explains(report: &Value) {
    assert_eq!((&report["equal"], &report["check"]["clean"]), (&true.into(), &true.into()), "{report}");
    let offers = &report["offers"];
    let parts = offers["parts"].as_array().expect("a list");
    let sum = |name: &str| parts.iter().filter_map(|part| part[name].as_i64()).sum::<i64>();
    let by: Vec<i64> = ["ten in a hundred off", "six for five", "off the whole at tills"]
        .iter()
        .map(|name| parts.iter().filter_map(|part| part["promotions_minor"][name].as_i64()).sum())
        .collect();
    let off = sum("members_minor") + by.iter().sum::<i64>();
    assert!(sum("members_minor") > 0 && by.iter().all(|one| *one > 0), "{offers}");
    assert_eq!((sum("plain_minor"), sum("plain_minor") - off), (63_877_768, sum("sales_minor")), "{offers}");
    let trade = |of: &str, name: &str| {
        let all = report[of]["trade"].as_array().expect("a list").iter();
        all.filter_map(|trade| trade[name].as_i64()).sum::<i64>()
    };
    assert_eq!(trade("source", "sales_minor") - trade("shop", "sales_minor"), off);
    let not_back = sum("not_back_minor");
    assert!(not_back > 0, "{offers}");
    assert_eq!(trade("source", "refunds_minor") - trade("shop", "refunds_minor"), not_back);
    let (points, cards) = (&offers["points"], &offers["gift_cards"]);
    for some in [&points["members"], &points["outstanding"], &cards["issued"], &cards["spent"]] {
        assert!(some.as_i64() > Some(0), "{offers}");
    }
    let moved = points["moved"].as_object().expect("points moved").values().filter_map(Value::as_i64);
    assert_eq!(points["outstanding"].as_i64(), Some(moved.sum()));
    let card = |name: &str| cards[name].as_i64().expect("an amount");
    assert_eq!(card("issued") - card("spent"), card("outstanding"));
    assert!(offers["paid"]["points"][0].as_i64() > Some(0), "{offers}");
    assert_eq!(report["proportions"].as_array().map(Vec::len), Some(36));
}

#[test]
fn replay_with_offers_is_explained_to_the_penny() {
    explains(&replay_december(&["--offers"]));
}
