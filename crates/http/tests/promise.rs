//! A product page and a cart say in one call where and when things can be had: for whoever says where he is, and for whoever does not.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use domain::market::HoldPolicy;
use domain::value::Id;
use domain::value::id::Variant;
use engine::market::NewChannel;
use serde_json::{Value, json};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

/// A web shop that keeps what is in a cart, with two stores on the map that send parcels and let customers collect.
struct Page<'s> {
    shop: &'s TestShop,
    retailer: Retailer,
    desk: Desk,
    key: String,
    mug: Id<Variant>,
    product: String,
}

impl<'s> Page<'s> {
    fn open(shop: &'s TestShop, stock: [i64; 2]) -> Page<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let web = a_channel("web", retailer.market, retailer.network);
        retailer.channel(shop, NewChannel { hold_policy: HoldPolicy::AtCart, ..web });
        retailer.parcel(shop, 395, &["web"]);
        retailer.collecting(shop, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        for (place, pieces) in stock.into_iter().enumerate().filter(|(_, pieces)| *pieces > 0) {
            retailer.stock(shop, mug, place, pieces);
        }
        let product = shop.read(move |tx| Ok(store::catalogue::variants(tx, &[mug])?.remove(0).product));
        let product = product.expect("a product").to_string();
        let page =
            Page { shop, retailer, desk: Desk::of(shop), key: key_for(shop, Permission::ALL), mug, product };
        for (store, latitude, longitude) in [("leeds", 53.797, -1.5437), ("york", 53.9582, -1.0803)] {
            let change = json!({ "opening_hours": "mo-su 09:00-18:00",
                "coordinates": { "latitude": latitude, "longitude": longitude } });
            page.must("PATCH", &format!("/v1/locations/{store}"), change);
        }
        let area = json!({ "country": "GB", "prefix": "YO", "coordinates": { "latitude": 53.96, "longitude": -1.08 } });
        page.must("POST", "/v1/postal-areas/bulk", json!({ "on_error": "all_or_nothing", "items": [area] }));
        page
    }

    fn must(&self, method: &str, path: &str, body: Value) -> Value {
        let bearer = format!("Bearer {}", self.key);
        let name = format!("{method} {path}");
        let headers = [("authorization", &*bearer), ("if-match", "\"1\""), ("idempotency-key", &*name)];
        let answer = self.desk.send(method, path, &headers, Some(body));
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json
    }

    fn get(&self, path: &str) -> Answer {
        self.desk.ask(&self.key, "GET", path, None)
    }

    /// What the product's page promises of its one variant.
    fn promised(&self, query: &str) -> Value {
        let path = format!("/v1/products/{}?include=promise&channel=web{query}", self.product);
        let answer = self.get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store", "nobody keeps what is true for a moment");
        let promises = answer.json["promises"].as_array().expect("promises");
        assert_eq!((promises.len(), &promises[0]["lines"][0]["variant"]), (1, &json!(self.mug.to_string())));
        promises[0].clone()
    }

    fn refused(&self, path: &str) -> (u16, String) {
        let answer = self.get(path);
        (answer.status.as_u16(), answer.json["errors"][0]["field"].as_str().unwrap_or_default().to_owned())
    }
}

fn stores(promise: &Value) -> Vec<&str> {
    let stores = promise["stores"].as_array().expect("stores");
    stores.iter().map(|store| store["code"].as_str().expect("a code")).collect()
}

#[test]
fn a_product_page_says_where_and_when_for_whoever_says_where_he_is() {
    on_every_engine(|shop| {
        let page = Page::open(shop, [2, 3]);
        let near = page.promised("&postal_code=YO1%207HH");
        assert_eq!((stores(&near), &near["stores"][0]["here"]), (vec!["york", "leeds"], &json!([3])));
        assert!(near["stores"][0]["distance_km"].as_f64() < near["stores"][1]["distance_km"].as_f64());
        assert_eq!(near["stores"][0]["ready_from"], "shelf");
        assert!(near["deliveries"][0]["by"].is_string(), "{near}");

        // A postal code nobody knows is delivered to all the same; only distances are not known.
        let unknown = page.promised("&postal_code=QQ99");
        assert_eq!((stores(&unknown), unknown.get("coordinates")), (vec!["leeds", "york"], None));
        assert_eq!(unknown["stores"][0].get("distance_km"), None);
        assert_eq!(unknown["deliveries"], near["deliveries"]);
        let nothing_said = page.promised("");
        assert_eq!(nothing_said["deliveries"], near["deliveries"], "delivered within the market");
        assert_eq!(page.promised("&country=FR")["deliveries"], json!([]), "nobody delivers there");

        let here = page.promised("&near=53.797,-1.5437&stores=1");
        assert_eq!(stores(&here), ["leeds"]);
        assert_eq!(stores(&page.promised("&near=53.797,-1.5437&store=york&stores=0")), ["york"]);
        let many = page.promised("&quantity=4");
        assert_eq!(many["lines"][0], json!({ "variant": page.mug.to_string(), "asked": 4, "there": 5 }));
        assert_eq!(many["deliveries"][0]["parcels"], 2);

        let plain = page.get(&format!("/v1/products/{}?include=variants", page.product));
        assert_eq!(plain.json.get("promises"), None, "it is there when it is asked for");
    });
}

#[test]
fn what_lies_nowhere_is_promised_as_it_is_sold() {
    on_every_engine(|shop| {
        let page = Page::open(shop, [0, 0]);
        let nowhere = page.promised("&postal_code=YO1");
        assert_eq!((&nowhere["lines"][0]["there"], &nowhere["deliveries"]), (&json!(0), &json!([])));
        assert_eq!(stores(&nowhere), ["york", "leeds"]);
        assert!(nowhere["stores"].as_array().unwrap().iter().all(|store| store.get("ready_at").is_none()));

        let rule = json!({ "variant": "MUG", "when_out": "back_order", "cap": 5, "lead_days": 10 });
        page.must("PUT", "/v1/channels/web/selling-rules", rule);
        let later = page.promised("&postal_code=YO1");
        assert_eq!(
            (&later["lines"][0]["later"], &later["lines"][0]["beyond"]),
            (&json!("back_order"), &json!(5))
        );
        assert_eq!(
            (&later["deliveries"][0]["later"], &later["stores"][0]["ready_from"]),
            (&json!(true), &json!("back_order"))
        );
        assert!(later["deliveries"][0]["by"].is_string(), "{later}");
        assert_eq!(page.promised("&quantity=6")["deliveries"], json!([]), "more than is sold so");
    });
}

#[test]
fn a_store_that_lacks_it_says_when_it_is_sent_there() {
    on_every_engine(|shop| {
        let page = Page::open(shop, [3, 0]);
        let york = || page.promised("&store=york")["stores"][0].clone();
        assert_eq!(york().get("ready_at"), None);
        page.must("PUT", "/v1/delivery-methods/collect/sending", json!({ "network": "all", "days": 2 }));
        let sent = york();
        assert_eq!((&sent["here"], &sent["ready_from"]), (&json!([0]), &json!("sent")));
        let order = |mugs: i64| {
            let cart = json!({ "channel": "web", "lines": [{ "sku": "MUG", "quantity": mugs }],
                "contact": { "email": "ada@example.com" }, "delivery": { "method": "collect", "location": "york" } });
            page.must("POST", "/v1/carts", cart)["id"].as_str().expect("a cart").to_owned()
        };
        let cart = order(2);
        let promise =
            page.get(&format!("/v1/carts/{cart}?include=promise&store=york")).json["promise"].clone();
        assert_eq!(promise["stores"][0]["ready_at"], sent["ready_at"]);
        let placed = page.must(
            "POST",
            &format!("/v1/carts/{cart}/checkout"),
            json!({ "payments": [{ "kind": "cash" }] }),
        );
        let status = page.get(&format!("/v1/orders/{}/status", placed["id"].as_str().unwrap())).json;
        assert_eq!(status["parts"][0]["promised_by"], sent["ready_at"], "as it was promised");
    });
}

#[test]
fn a_cart_counts_what_it_holds_and_goes_where_it_is_sent() {
    on_every_engine(|shop| {
        let page = Page::open(shop, [2, 1]);
        let cart = json!({ "channel": "web", "lines": [{ "sku": "MUG", "quantity": 3 }], "delivery": { "method": "parcel" },
            "contact": { "name": "Ada", "street": ["1 Coney Street"], "city": "York", "postal_code": "YO1 7HH", "country": "GB" } });
        let made = page.must("POST", "/v1/carts", cart);
        let path = format!("/v1/carts/{}", made["id"].as_str().unwrap());
        assert_eq!(page.promised("")["lines"][0]["there"], 0, "all three are kept for the cart");
        let read = page.get(&format!("{path}?include=promise"));
        assert_eq!(
            (&read.headers["cache-control"], &read.headers["etag"]),
            (&"no-store".parse().unwrap(), &"\"1\"".parse().unwrap())
        );
        let promise = &read.json["promise"];
        assert_eq!(
            (&promise["lines"][0]["there"], &promise["deliveries"][0]["parcels"]),
            (&json!(3), &json!(2))
        );
        assert_eq!(
            (stores(promise), &promise["stores"][0]["here"]),
            (vec!["york", "leeds"], &json!([1])),
            "near where it is sent"
        );
        assert_eq!(page.get(&path).json, made, "the cart itself is the same");

        let nothing = page.must("POST", "/v1/carts?empty", json!({ "channel": "web" }));
        let empty = page.get(&format!("/v1/carts/{}?include=promise", nothing["id"].as_str().unwrap()));
        assert_eq!((empty.status.as_u16(), empty.json.get("promise")), (200, None));
        page.must("POST", &format!("{path}/checkout"), json!({ "payments": [{ "kind": "cash" }] }));
        let ended = page.get(&format!("{path}?include=promise"));
        assert_eq!((&ended.json["state"], ended.json.get("promise")), (&json!("ordered"), None));
    });
}

#[test]
fn what_cannot_be_asked_is_named() {
    on_every_engine(|shop| {
        let page = Page::open(shop, [1, 1]);
        let product = format!("/v1/products/{}", page.product);
        let asked = format!("{product}?include=promise");
        assert_eq!(page.refused(&asked), (422, "channel".into()));
        let refused = |query: &str| page.refused(&format!("{asked}&channel=web&{query}"));
        for (query, field) in [
            ("stores=51", "stores"),
            ("near=north", "near"),
            ("country=Q", "country"),
            ("quantity=0", "quantity"),
            ("postal_code=12345678901234567", "postal_code"),
            ("store=none", "store"),
            ("variant=NONE", "variant"),
        ] {
            assert_eq!(refused(query), (422, field.into()), "{query}");
        }
        page.retailer.sell(page.shop, "CUP", 300);
        assert_eq!(refused("variant=CUP"), (422, "variant".into()), "it is another product's");
        assert_eq!(page.refused(&format!("{asked}&channel=none")).0, 404);
        assert_eq!(
            page.refused("/v1/carts/cart_01jd0000000000000000000000?include=stock"),
            (422, "include".into())
        );

        // Of a product with many variants one is named.
        let sizes: Vec<String> = (0..21).map(|size| format!("size {size}")).collect();
        let variants: Vec<_> =
            (0..21).map(|size| json!({ "sku": format!("COAT-{size}"), "options": [sizes[size]] })).collect();
        let coat = json!({ "title": { "text": "Coat" }, "status": "active", "tax_class": page.retailer.tax_class.to_string(),
            "options": [{ "name": "size", "values": sizes }], "variants": variants });
        let coat = page.must("POST", "/v1/products", coat);
        let coat = format!("/v1/products/{}?include=promise&channel=web", coat["id"].as_str().unwrap());
        assert_eq!(page.refused(&coat), (422, "variant".into()));
        let one = page.get(&format!("{coat}&variant=COAT-20")).json;
        assert_eq!(one["promises"].as_array().map(Vec::len), Some(1));

        let cashier = key_for(page.shop, &[Permission::Shop]);
        let made = page.must(
            "POST",
            "/v1/carts",
            json!({ "channel": "web", "lines": [{ "sku": "MUG", "quantity": 1 }] }),
        );
        let path = format!("/v1/carts/{}", made["id"].as_str().unwrap());
        assert_eq!(page.desk.ask(&cashier, "GET", &path, None).status, 200);
        let told = page.desk.ask(&cashier, "GET", &format!("{path}?include=promise"), None);
        assert_eq!((told.status.as_u16(), told.code()), (403, "forbidden"));
    });
}
