//! After the sale: goods bought in one channel come back in another, are exchanged elsewhere, and are found without a receipt.

use domain::stock::State as Stock;
use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// Ships everything of an order, and answers the id of its first line.
fn shipped(floor: &Floor, order: &str) -> String {
    floor.step(&floor.part(order, 0), "ship", &json!({ "tracking": "JD1" }));
    floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].as_str().unwrap().to_owned()
}

fn back(line: &str, quantity: i64, condition: &str) -> Value {
    json!({ "location": "york", "reason": "too_small", "lines": [{ "line": line, "quantity": quantity, "condition": condition }] })
}

/// Bought online, returned in store: refund to the first means of payment, stock back in the receiving store by its condition.
#[test]
fn s16_bought_online_returned_in_store() {
    on_every_engine([3, 0], |floor| {
        let order = floor.order(3, None);
        let line = shipped(floor, &order);
        let path = format!("/v1/orders/{order}/returns");
        let one = floor.must(&path, &back(&line, 1, "resellable"));
        assert_eq!((&one["state"], &one["refund"]["amount"]), (&json!("refunded"), &json!(500)), "{one}");
        assert_eq!(one["refunds"][0]["means"], "original");
        floor.must(&path, &back(&line, 1, "damaged"));
        floor.must(&path, &back(&line, 1, "inspect"));
        let at_york = [Stock::Available, Stock::Damaged, Stock::Quality].map(|state| floor.count(1, state));
        assert_eq!((at_york, floor.count(0, Stock::Available)), ([1, 1, 1], 0));
        let whole = floor.get(&format!("/v1/orders/{order}"));
        assert_eq!(
            (&whole["refunded"]["amount"], &whole["payment_status"]),
            (&json!(1500), &json!("partly_refunded"))
        );
        assert_eq!(floor.ask(&path, &back(&line, 1, "resellable")).status, 409);
    });
}

/// Bought in a store, returned by post: quoted, asked for, labelled, received at the warehouse, looked at, paid.
#[test]
fn s17_bought_in_a_store_returned_by_post() {
    on_every_engine([3, 0], |floor| {
        let policy = json!({ "code": "standard", "name": "Standard", "terms": { "window_days": 28, "postage": 150, "by_rule": true } });
        floor.must("/v1/return-policies", &policy);
        let order = floor.order(2, None);
        let line = shipped(floor, &order);
        let asked = json!({ "order": order, "way": "post", "reason": "changed_mind", "lines": [{ "line": line, "quantity": 2 }] });
        let quote = floor.must("/v1/returns/quotes", &asked);
        assert_eq!((&quote["refund"]["amount"], &quote["allowed"]), (&json!(850), &json!(true)), "{quote}");
        let one = floor.must("/v1/returns/requests", &asked);
        assert_eq!(
            (&one["state"], &one["label"], &one["refund"]),
            (&json!("approved"), &one["id"], &quote["refund"])
        );
        let path = format!("/v1/returns/{}", one["id"].as_str().unwrap());
        let part = &one["lines"][0]["id"];
        let arrived = json!({ "location": "york", "lines": [{ "line": part, "quantity": 2 }] });
        let here = floor.must(&format!("{path}/receive"), &arrived);
        assert_eq!((&here["state"], floor.count(1, Stock::Quality)), (&json!("received"), 2));
        let graded = json!({ "lines": [{ "line": part, "quantity": 2, "condition": "resellable" }] });
        let done = floor.must(&format!("{path}/inspect"), &graded);
        assert_eq!((&done["state"], &done["refund"]["amount"]), (&json!("refunded"), &json!(850)));
        assert_eq!((floor.count(1, Stock::Quality), floor.count(1, Stock::Available)), (0, 2));
        assert_eq!(floor.ask(&format!("{path}/refund"), &json!(null)).status, 409);
    });
}

/// Exchanged in another store: even, dearer and cheaper, each with one settlement.
#[test]
fn s18_exchanged_in_another_store() {
    on_every_engine([6, 9], |floor| {
        let order = floor.order(3, None);
        let line = shipped(floor, &order);
        for (mugs, paid, carried, back_again) in
            [(1, json!([]), 500, 0), (2, json!([{ "kind": "cash" }]), 500, 0)]
        {
            let exchanged = floor.must(
                "/v1/exchanges",
                &json!({ "order": order, "back": back(&line, 1, "resellable"),
                "cart": floor.cart_at_york(mugs), "payments": paid }),
            );
            assert_eq!(exchanged["exchange"]["carried"]["amount"], carried, "{exchanged}");
            let new_order = exchanged["exchange"]["new_order"].as_str().unwrap();
            let whole = floor.get(&format!("/v1/orders/{new_order}"));
            assert_eq!(
                (&whole["missing"]["amount"], &whole["refunded"]["amount"]),
                (&json!(0), &json!(back_again))
            );
        }
        let exchanges = floor.list(&format!("/v1/orders/{order}/exchanges"));
        assert_eq!(exchanges.len(), 2);
        let dearer = exchanges[1]["new_order"].as_str().unwrap();
        floor.step(&floor.part(dearer, 0), "hand-over", &json!({}));
        let whole = floor.get(&format!("/v1/orders/{dearer}"));
        let cheaper = json!({ "order": dearer, "back": back(whole["lines"][0]["id"].as_str().unwrap(), 2, "resellable"),
            "cart": floor.cart_at_york(1) });
        let cheaper = floor.must("/v1/exchanges", &cheaper);
        let parts = cheaper["return"]["refunds"].as_array().unwrap();
        let parts: Vec<_> = parts.iter().map(|part| (&part["means"], &part["amount"]["amount"])).collect();
        assert_eq!(parts, [(&json!("exchange"), &json!(500)), (&json!("original"), &json!(500))]);
    });
}

/// A gift card bought on line pays part of a till sale and the rest of a phone order.
#[test]
fn s25_a_gift_card_bought_on_line_pays_at_the_till_and_on_the_phone() {
    on_every_engine([3, 0], |floor| {
        let (gift, phone) = floor.gift_cards(700);
        let of = |channel: &str, sku: &str| json!({ "channel": channel, "lines": [{ "variant": sku, "quantity": 1 }] });
        let cash = json!({ "kind": "cash" });
        let bought = floor.buy(&floor.client(), &of("web", gift), &json!([cash])).json().unwrap();
        let order = bought["id"].as_str().unwrap_or_else(|| panic!("{bought}"));
        let cards = format!("/v1/orders/{order}/gift-cards");
        let card = floor.list(&cards)[0]["id"].as_str().unwrap().to_owned();
        let code = floor.must(&format!("{cards}/{card}/code"), &json!(null))["code"].clone();
        assert_eq!(floor.ask(&format!("{cards}/{card}/code"), &json!(null)).status, 409);

        let (till, cashier) = floor.till(0);
        let by_card =
            |amount: serde_json::Value| json!({ "kind": "gift_card", "gift_card": code, "amount": amount });
        let part = json!([by_card(json!(400)), cash]);
        let sold = floor.buy(&cashier, &of(&till, "MUG"), &part).json().unwrap();
        assert_eq!(
            (&sold["state"], &sold["payments"][0]["captured"]["amount"]),
            (&json!("completed"), &json!(400)),
            "{sold}"
        );
        let too_much = json!([by_card(json!(301)), cash]);
        let refused = floor.buy(&cashier, &of(&till, "MUG"), &too_much).json().unwrap();
        assert_eq!(
            (&refused["code"], &refused["errors"][0]["field"]),
            (&json!("amount_exceeded"), &json!("payments.0.amount")),
            "{refused}"
        );

        let mut cart = of("phone", "MUG");
        cart["contact"] = json!({ "name": "Ada Byron", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB" });
        cart["delivery"] = json!({ "method": "parcel" });
        let rest = json!([by_card(json!(null)), cash]);
        let sent = floor.buy(&phone, &cart, &rest).json().unwrap();
        assert_eq!(sent["payments"][0]["amount"]["amount"], 300, "{sent}");
        let left =
            || floor.must("/v1/gift-cards/find", &json!({ "code": code }))["balance"]["amount"].clone();
        assert_eq!(left(), 0);
        let owed = floor.get("/v1/credit-liability");
        assert_eq!(
            (&owed["items"][0]["kind"], &owed["items"][0]["issued"]["amount"]),
            (&json!("gift_card"), &json!(700))
        );
        let order = sent["id"].as_str().unwrap();
        floor.must(&format!("/v1/orders/{order}/cancel"), &json!({ "reason": "customer" }));
        assert_eq!(left(), 300, "the phone order's part is on the card again");
    });
}

/// A return without receipt: the order is found by card, mail or phone; outside the window the policy refuses, and a manager may allow it.
#[test]
fn s19_without_receipt_and_outside_the_window() {
    on_every_engine([3, 0], |floor| {
        let policy = json!({ "code": "never", "name": "Never", "terms": { "final_sale": true, "receipt_needed": true } });
        let order = floor.order(1, None);
        let line = shipped(floor, &order);
        let found = floor.must("/v1/orders/searches", &json!({ "customer": { "email": "ADA@example.com" } }));
        assert_eq!(found["items"][0]["id"], json!(order), "{found}");
        assert_eq!(floor.ask("/v1/orders/searches", &json!({})).status, 422);
        floor.must("/v1/return-policies", &policy);
        let path = format!("/v1/orders/{order}/returns");
        let refused = floor.ask(&path, &back(&line, 1, "resellable")).json().unwrap();
        assert_eq!(
            (&refused["code"], &refused["errors"][0]["field"]),
            (&json!("policy_refuses"), &json!("lines.0")),
            "{refused}"
        );
        let mut allowed = back(&line, 1, "resellable");
        allowed["override_reason"] = json!("faulty within a year");
        allowed["means"] = json!("gift_card");
        let one = floor.must(&path, &allowed);
        assert_eq!(one["override_reason"], "faulty within a year");
        let card = one["refunds"][0]["onto"].as_str().unwrap();
        let code = floor.must(&format!("/v1/gift-cards/{card}/code"), &json!(null));
        let found = floor.must("/v1/gift-cards/find", &code);
        assert_eq!((&found["id"], &found["balance"]["amount"]), (&json!(card), &json!(500)));
        let blind = json!({ "location": "york", "reason": "gift", "currency": "GBP",
            "lines": [{ "variant": "MUG", "quantity": 1, "condition": "resellable", "refund": 100 }] });
        assert_eq!(floor.ask("/v1/returns", &blind).json().unwrap()["code"], "policy_refuses");
    });
}
