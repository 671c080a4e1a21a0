//! An order that is changed after it was placed: shown with what it costs, done exactly so or left; then picked, sent and brought back.

use domain::stock::State as Stock;
use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// A change of an order as it is shown.
fn shown(floor: &Floor, order: &str, actions: &Value) -> Value {
    let asked = json!({ "reason": "the customer called", "actions": actions });
    floor.must(&format!("/v1/orders/{order}/changes"), &asked)
}

/// What a change that cannot be is refused with: the code, and the first field.
fn refused(floor: &Floor, order: &str, actions: &Value) -> (String, String) {
    let asked = json!({ "reason": "the customer called", "actions": actions });
    let answer = floor.ask(&format!("/v1/orders/{order}/changes"), &asked);
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    let problem = answer.json().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&problem["code"]), text(&problem["errors"][0]["field"]))
}

/// Says yes to a change as it was shown; what is more is paid in cash.
fn confirm(floor: &Floor, order: &str, change: &Value) -> Value {
    let id = change["id"].as_str().unwrap();
    let yes =
        json!({ "expected_difference": change["difference"]["gross"], "payments": [{ "kind": "cash" }] });
    let done = floor.must(&format!("/v1/orders/{order}/changes/{id}/confirm"), &yes);
    assert_eq!((&done["state"], &done["lines"]), (&json!("confirmed"), &change["lines"]), "as it was shown");
    let whole = floor.get(&format!("/v1/orders/{order}"));
    assert_eq!(whole["missing"]["amount"], 0, "{whole}");
    whole
}

fn changed(floor: &Floor, order: &str, actions: &Value) -> Value {
    let change = shown(floor, order, actions);
    confirm(floor, order, &change)
}

/// The amounts of a change: its difference, and what is to be paid and given back.
fn amounts(change: &Value) -> (i64, i64, i64) {
    let amount = |value: &Value| value["amount"].as_i64().unwrap();
    (amount(&change["difference"]["gross"]), amount(&change["to_pay"]), amount(&change["to_refund"]))
}

fn mug_line(floor: &Floor, order: &str) -> Value {
    floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].clone()
}

fn add(sku: &str, quantity: i64) -> Value {
    json!({ "add": { "sku": sku, "quantity": quantity } })
}

/// Shown, declined, expired, refused while another is open; put in, taken out and swapped; then picked, shipped, and one brought back.
#[test]
fn an_order_is_changed_and_goes_on_as_any_other() {
    on_every_engine([4, 4], |floor| {
        let lamp = floor.sells("LAMP", 1200, [2, 2]);
        let order = floor.order(3, None);
        let changes = format!("/v1/orders/{order}/changes");
        let line = mug_line(floor, &order);
        let swap =
            json!([{ "swap": { "line": line, "quantity": 2, "with": { "sku": "LAMP", "quantity": 1 } } }]);
        let change = shown(floor, &order, &swap);
        assert_eq!(amounts(&change), (200, 200, 0), "{change}");
        assert_eq!(change["taxes"].as_array().map(Vec::len), Some(1), "{change}");
        assert_eq!(change["taxes"][0]["gross"], change["difference"]["gross"]);
        let by_line: Vec<_> = change["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["difference"]["gross"]["amount"])
            .collect();
        assert_eq!(by_line, [&json!(-1000), &json!(1200)]);
        assert_eq!(change["delivery"]["before"], change["delivery"]["after"]);
        for _ in 0..2 {
            assert_eq!(refused(floor, &order, &swap).0, "wrong_state", "another one is open");
        }
        let path = format!("{changes}/{}", change["id"].as_str().unwrap());
        assert_eq!(floor.must(&format!("{path}/decline"), &json!(null))["state"], "declined");
        let forgotten = shown(floor, &order, &json!([add("LAMP", 1)]));
        floor.previews_expire();
        let path = format!("{changes}/{}", forgotten["id"].as_str().unwrap());
        assert_eq!(floor.get(&path)["state"], "expired");
        let late = floor.ask(
            &format!("{path}/confirm"),
            &json!({ "expected_difference": forgotten["difference"]["gross"] }),
        );
        assert_eq!(late.status, 409, "{}", late.text());
        assert_eq!(refused(floor, &order, &json!([add("LAMP", 5)])).0, "out_of_stock");

        let whole = changed(floor, &order, &swap);
        assert_eq!(
            (&whole["gross"]["amount"], &whole["cancelled"]["amount"]),
            (&json!(1895 + 1200), &json!(1000))
        );
        changed(floor, &order, &json!([add("MUG", 1), { "note": "ring twice" }]));
        let less = shown(floor, &order, &json!([{ "remove": { "line": line, "quantity": 1 } }]));
        assert_eq!(amounts(&less), (-500, 0, 500));
        let whole = confirm(floor, &order, &less);
        assert_eq!(whole["refunded"]["amount"], 500);

        let parts: Vec<_> = (0..)
            .zip(whole["fulfilment_orders"].as_array().unwrap())
            .filter(|(_, part)| part["state"] == "open")
            .collect();
        for (number, goods) in &parts {
            let part = floor.part(&order, *number);
            floor.step(&part, "start-picking", &json!(null));
            let lines: Vec<_> = goods["lines"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|line| line["quantity"] != json!(0))
                .map(|line| json!({ "variant": line["variant"], "quantity": line["quantity"] }))
                .collect();
            floor.step(&part, "pick", &json!({ "lines": lines }));
            floor.step(&part, "ship", &json!({ "tracking": format!("JD{number}") }));
        }
        let done = floor.get(&format!("/v1/orders/{order}"));
        assert_eq!(done["state"], "completed", "{done}");
        assert_eq!(
            (
                floor.count(0, Stock::Available) + floor.count(1, Stock::Available),
                floor.count_of(lamp, 0, Stock::Available)
            ),
            (7, 1)
        );
        assert_eq!(refused(floor, &order, &json!([add("MUG", 1)])).0, "wrong_state", "it is over");
        let added = done["lines"].as_array().unwrap().iter().find(|one| one["sku"] == "LAMP").unwrap();
        let back = json!({ "location": "york", "reason": "too_small", "lines": [{ "line": added["id"], "quantity": 1, "condition": "resellable" }] });
        let back = floor.must(&format!("/v1/orders/{order}/returns"), &back);
        assert_eq!(
            (&back["refund"]["amount"], floor.count_of(lamp, 1, Stock::Available)),
            (&json!(1200), 3),
            "{back}"
        );
    });
}

/// From a parcel to collecting, to a store that has too little and is sent the rest, to another one, and back to a parcel.
#[test]
fn an_order_goes_another_way_and_its_goods_are_sent_where_it_is_collected() {
    on_every_engine([4, 1], |floor| {
        floor.on_the_map(&[("leeds", "53.797,-1.541"), ("york", "53.959,-1.082"), ("hull", "53.744,-0.332")]);
        let order = floor.order(3, None);
        let collect = |store: &str| json!([{ "delivery": { "method": "collect", "location": store } }]);
        assert_eq!(refused(floor, &order, &collect("york")).0, "out_of_stock", "york is sent nothing yet");
        floor.put("/v1/delivery-methods/collect/sending", &json!({ "network": "all", "days": 2 }));
        let change = shown(floor, &order, &collect("york"));
        let delivery = &change["delivery"];
        assert_eq!(
            (
                &delivery["before"]["kind"],
                &delivery["before"]["charge"]["amount"],
                &delivery["after"]["kind"],
                &delivery["after"]["charge"]["amount"]
            ),
            (&json!("ship"), &json!(395), &json!("pickup"), &json!(0)),
            "{delivery}"
        );
        assert_eq!((amounts(&change), delivery["expected_at"].is_string()), ((-395, 0, 395), true));
        assert_eq!(delivery["difference"]["gross"]["amount"], -395);
        let whole = confirm(floor, &order, &change);
        let coming = whole["fulfilment_orders"]
            .as_array()
            .unwrap()
            .iter()
            .find(|part| part["state"] == "awaiting_transfer");
        assert!(coming.is_some(), "{whole}");
        let told = floor.get(&format!("/v1/orders/{order}/status"));
        assert_eq!(told["stage"]["code"], "on_its_way_to_pickup", "{told}");
        assert_eq!((floor.count(0, Stock::Committed), floor.count(1, Stock::Committed)), (2, 1));

        let whole = changed(floor, &order, &collect("leeds"));
        assert_eq!((whole["location"].is_string(), floor.count(0, Stock::Committed)), (true, 3), "{whole}");
        assert_eq!(floor.count(1, Stock::Available), 1, "york keeps its own");
        let sent = json!([{ "delivery": { "method": "parcel" } }, { "address": { "name": "Ada Byron", "street": ["9 Coney Street"], "city": "York", "postal_code": "YO1 9QL", "country": "GB" } }]);
        let back = shown(floor, &order, &sent);
        assert_eq!((amounts(&back), &back["delivery"]["after"]["kind"]), ((395, 395, 0), &json!("ship")));
        let whole = confirm(floor, &order, &back);
        let open =
            whole["fulfilment_orders"].as_array().unwrap().iter().position(|part| part["state"] == "open");
        floor.step(&floor.part(&order, open.expect("an open part")), "ship", &json!({ "tracking": "JD1" }));
        assert_eq!(floor.get(&format!("/v1/orders/{order}"))["state"], "completed");

        let order = floor.order(1, Some("leeds"));
        changed(floor, &order, &collect("hull"));
        let transfer = floor.list("/v1/locations/hull/transfer-orders?direction=in")[0]["id"].clone();
        let path = format!("/v1/transfer-orders/{}", transfer.as_str().unwrap());
        floor.must(&format!("{path}/ship"), &json!({}));
        floor.must(&format!("{path}/receive"), &json!({ "lines": [{ "variant": "MUG", "quantity": 1 }] }));
        let whole = floor.get(&format!("/v1/orders/{order}"));
        let open =
            whole["fulfilment_orders"].as_array().unwrap().iter().position(|part| part["state"] == "open");
        let part = floor.part(&order, open.expect("all of it is there"));
        floor.step(&part, "ready", &json!(null));
        let code = floor.get(&format!("{part}/visit"))["code"].clone();
        assert_eq!(floor.step(&part, "hand-over", &json!({ "code": code }))["state"], "completed");
    });
}

/// A price is corrected by a colleague who may, with a reason, within what the retailer allows; a customer never.
#[test]
fn a_price_is_corrected_within_bounds_and_with_a_reason() {
    on_every_engine([4, 0], |floor| {
        let order = floor.order(2, None);
        let line = mug_line(floor, &order);
        let price = |minor: i64| json!([{ "correct_price": { "line": line, "unit_price": { "amount": minor, "currency": "GBP" } } }]);
        let rule = json!({ "customers": true, "delivery_anew": false, "added_at": "today", "preview_minutes": 15,
            "correction_most": 500_000, "correction_most_minor": 100 });
        assert_eq!(floor.put("/v1/channels/web/change-rule", &rule), rule);
        let field = "actions.0.correct_price.unit_price".to_owned();
        assert_eq!(refused(floor, &order, &price(399)), ("invalid".to_owned(), field));
        let changes = format!("/v1/orders/{order}/changes");
        let silent = floor.ask(&changes, &json!({ "actions": price(450) }));
        assert_eq!(
            (silent.status, silent.json().unwrap()["errors"][0]["field"].clone()),
            (422, json!("reason"))
        );
        let page = floor.page().with_header("idempotency-key", "cheaper".to_owned());
        let cheaper = page.post(&changes, &json!({ "reason": "too dear", "actions": price(450) })).unwrap();
        assert_eq!(cheaper.status, 403, "{}", cheaper.text());
        let change = shown(floor, &order, &price(450));
        assert_eq!(amounts(&change), (-100, 0, 100), "{change}");
        let whole = confirm(floor, &order, &change);
        assert_eq!(
            (&whole["gross"]["amount"], &whole["refunded"]["amount"]),
            (&json!(900 + 395), &json!(100))
        );
    });
}
