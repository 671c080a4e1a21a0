//! S22: the same basket costs the same to the penny on the web, at the till on line and off line, on the phone, and for a program that
//! buys; before a promotion changes and after.

use std::cell::Cell;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use domain::actor::Permission;
use domain::market::Kind;
use serde_json::{Value, json};
use sim::client::Client;

use crate::floor::{Floor, on_every_engine};

/// What lies in the basket: SKU, pieces, list price, category, tax class.
const BASKET: [(&str, i64, i64, &str, &str); 5] = [
    ("MUG", 12, 500, "kitchen", "standard"),
    ("POT", 4, 899, "pots", "standard"),
    ("BOOK", 2, 1275, "books", "reduced"),
    ("CUP", 5, 333, "kitchen", "standard"),
    ("TEA", 1, 999, "food", "zero"),
];
/// From so many mugs on each is cheaper, for everybody and for members.
const TIER: i64 = 10;
const CODE: &str = "SPRING-10";

/// Somebody's way of buying: the channel, and the way to the shop.
struct Way {
    name: &'static str,
    channel: String,
    client: Client,
}

/// A shop with everything a basket's price may depend on, and all ways to buy in it.
struct Shop<'f> {
    floor: &'f Floor,
    ways: Vec<Way>,
    asked: Cell<u32>,
    /// The promotion that changes at an instant.
    changing: String,
}

fn pounds(minor: i64) -> Value {
    json!({ "amount": minor, "currency": "GBP" })
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap_or_else(|| panic!("no id in {thing}")).to_owned()
}

/// Categories, taxes, goods on the shelf, and prices: a tier, and others for members.
fn goods(floor: &Floor) {
    let tree = id(&floor.must("/v1/category-trees", &json!({ "code": "shop", "name": "Shop" })));
    let tree = format!("/v1/category-trees/{tree}/categories");
    for code in ["kitchen", "books", "food"] {
        let category = json!({ "title": { "text": code }, "external_id": code });
        floor.must(&tree, &category);
    }
    let pots = json!({ "title": { "text": "pots" }, "external_id": "pots", "parent": "kitchen" });
    floor.must(&tree, &pots);
    let zone = json!({ "code": "vat", "name": "VAT", "external_id": "vat", "areas": ["GB"] });
    floor.must("/v1/tax-zones", &zone);
    for (class, rate) in [("standard", 200_000), ("reduced", 55_000), ("zero", 0)] {
        if class != "standard" {
            floor.must("/v1/tax-classes", &json!({ "code": class, "name": class }));
        }
        floor.put("/v1/tax-zones/vat/rates", &json!({ "tax_class": class, "rate_ppm": rate }));
    }
    floor.patch("/v1/markets/gb", &json!({ "tax_zone": "vat" }));
    let mug = id(&floor.list("/v1/products")[0]);
    floor.patch(&format!("/v1/products/{mug}"), &json!({ "categories": ["kitchen"] }));
    let retail = id(&floor.list("/v1/price-lists")[0]);
    let members = json!({ "code": "members", "name": "Members", "external_id": "members", "currency": "GBP", "market": "gb",
        "customer_group": "members" });
    floor.must("/v1/price-lists", &members);
    let price = |list: &str, sku: &str, amount: i64, from: i64| {
        let price = json!({ "price_list": list, "variant": sku, "amount": amount, "minimum_quantity": from });
        floor.must("/v1/prices", &price);
    };
    for (sku, _, minor, category, class) in BASKET {
        if sku != "MUG" {
            let variants = json!([{ "sku": sku, "external_id": sku }]);
            let product = json!({ "title": { "text": sku }, "status": "active", "tax_class": class, "external_id": format!("product-{sku}"),
                "categories": [category], "variants": variants });
            floor.must("/v1/products", &product);
            price(&retail, sku, minor, 1);
        }
        let line = json!({ "variant": sku, "quantity": 500 });
        floor.must("/v1/stock/receipts", &json!({ "location": "leeds", "lines": [line] }));
    }
    price(&retail, "MUG", 450, TIER);
    price("members", "MUG", 475, 1);
    price("members", "MUG", 433, TIER);
    price("members", "BOOK", 1199, 1);
    for (name, groups) in [("ADA", json!(["members"])), ("BOB", json!([]))] {
        let contact = json!({ "name": name, "email": format!("{name}@example.com") });
        floor.must("/v1/customers", &json!({ "external_id": name, "contact": contact, "groups": groups }));
    }
}

fn category(floor: &Floor, name: &str) -> Value {
    json!({ "category": floor.get(&format!("/v1/categories/{name}"))["id"] })
}

fn in_force(floor: &Floor, name: &str, terms: Value) -> String {
    let made = id(&floor.must("/v1/promotions", &json!({ "name": name, "terms": terms })));
    floor.must(&format!("/v1/promotions/{made}/activate"), &json!(null));
    made
}

/// Seven off each hundred cups, or more.
fn off_cups(floor: &Floor, rate: i64) -> Value {
    json!({ "benefit": { "each": { "of": { "any": [category(floor, "kitchen")], "except": [category(floor, "pots")] },
        "steps": [{ "off": { "rate": rate } }] } } })
}

/// Three pots for two, something off the kitchen, five pounds off a full basket, ten off a hundred for books with a coupon.
fn promotions(floor: &Floor) -> String {
    let pots = json!({ "of": { "any": [category(floor, "pots")] }, "pieces": 3 });
    let set = json!({ "parts": [pots], "gives": { "cheapest": { "pieces": 1, "rate": 1_000_000 } } });
    in_force(floor, "three for two", json!({ "benefit": { "set": set } }));
    let whole = json!({ "steps": [{ "from": 8000, "off": { "amount": 500 } }] });
    in_force(floor, "five off", json!({ "lane": 1, "currency": "GBP", "benefit": { "whole": whole } }));
    let books =
        json!({ "of": { "any": [category(floor, "books")] }, "steps": [{ "off": { "rate": 100_000 } }] });
    let opened = in_force(floor, "books", json!({ "needs_coupon": true, "benefit": { "each": books } }));
    floor.must(&format!("/v1/promotions/{opened}/coupons"), &json!({ "code": CODE }));
    in_force(floor, "kitchen", off_cups(floor, 70_000))
}

fn open(floor: &Floor) -> Shop<'_> {
    goods(floor);
    let changing = promotions(floor);
    let (till, cashier) = floor.till(0);
    let staff =
        [Permission::Shop, Permission::TakePayments, Permission::EditCustomers, Permission::EditOrders];
    let phone = floor.channel("phone", Kind::Phone, &staff);
    let agent = floor.channel("agent", Kind::Agent, &[Permission::Shop, Permission::ReadContacts]);
    floor.patch("/v1/delivery-methods/collect", &json!({ "channels": ["web", "phone", "agent"] }));
    let way = |name, channel: &str, client| Way { name, channel: channel.to_owned(), client };
    let ways = vec![
        way("on the web", "web", floor.client()),
        way("at the till", &till, cashier),
        way("on the phone", "phone", phone),
        way("for a program", "agent", agent),
    ];
    Shop { floor, ways, asked: Cell::new(0), changing }
}

/// What a basket comes to: of each line what it costs with and without tax and who lowered it; and all of it.
#[derive(Debug, PartialEq)]
struct Cost {
    lines: Vec<(i64, i64, i64, Vec<Value>)>,
    total: (i64, i64, i64),
}

impl Cost {
    /// Of lines and totals as `amount` reads them.
    fn read(answer: &Value, totals: &Value, amount: impl Fn(&Value) -> i64) -> Cost {
        let three = |of: &Value| (amount(&of["net"]), amount(&of["tax"]), amount(&of["gross"]));
        let lines = answer["lines"].as_array().unwrap_or_else(|| panic!("no lines in {answer}"));
        let line = |line: &Value| {
            let (net, tax, gross) = three(line);
            (net, tax, gross, line["discounts"].as_array().cloned().unwrap_or_default())
        };
        Cost { lines: lines.iter().map(line).collect(), total: three(totals) }
    }

    fn of_cart(cart: &Value) -> Cost {
        Cost::read(cart, &cart["totals"], |money| money["amount"].as_i64().expect("an amount"))
    }
}

impl Shop<'_> {
    fn ask(&self, way: &Way, path: &str, body: &Value) -> Value {
        self.asked.set(self.asked.get() + 1);
        let client = way.client.clone().with_header("idempotency-key", format!("s22-{}", self.asked.get()));
        let reply = client.post(path, body).unwrap();
        assert!((200..300).contains(&reply.status), "{}: {path} {body}: {}", way.name, reply.text());
        reply.json().unwrap()
    }

    /// The basket in a cart of this way, for this customer: its id and what it costs.
    fn in_cart(&self, way: &Way, customer: Option<&str>) -> (String, Cost) {
        let lines: Vec<Value> =
            BASKET.iter().map(|(sku, pieces, ..)| json!({ "sku": sku, "quantity": pieces })).collect();
        let mut cart = json!({ "channel": way.channel, "lines": lines });
        if !way.channel.starts_with("till") {
            cart["delivery"] = json!({ "method": "collect", "location": "leeds" });
            cart["contact"] = json!({ "name": "Ada Byron", "email": "ada@example.com" });
        }
        if let Some(customer) = customer {
            cart["customer"] = json!(customer);
        }
        let made = id(&self.ask(way, "/v1/carts", &cart));
        let cart = self.ask(way, &format!("/v1/carts/{made}/coupons"), &json!({ "code": CODE }));
        (made, Cost::of_cart(&cart))
    }

    /// What the same would cost at an instant, as the shop says before.
    fn previewed(&self, way: &Way, customer: Option<&str>, at: &str) -> Cost {
        let lines: Vec<Value> =
            BASKET.iter().map(|(sku, pieces, ..)| json!({ "sku": sku, "quantity": pieces })).collect();
        let mut question = json!({ "channel": way.channel, "lines": lines, "coupons": [CODE], "at": at });
        if let Some(customer) = customer {
            question["customer"] = json!(customer);
        }
        Cost::of_cart(&self.floor.must("/v1/prices/preview", &question))
    }

    /// What a till keeps for when it is off line: promotions as the shop gives them out.
    fn kept(&self) -> Value {
        let promotions = self.floor.list("/v1/promotions");
        let active = promotions.iter().filter(|one| one["state"] == "active");
        let kept: Vec<Value> = active.map(|one| json!({ "id": one["id"], "terms": one["terms"] })).collect();
        json!({ "rules": { "promotions": kept } })
    }

    /// A line as the till knows it: price, tax and categories were read while it was on line.
    fn known(&self, (sku, pieces): (&str, i64), groups: &[String]) -> Value {
        let floor = self.floor;
        let group = groups.first().map_or_else(String::new, |group| format!("&customer_group={group}"));
        let path = format!("/v1/variants/{sku}/price?channel={}&quantity={pieces}{group}", self.till());
        let price = floor.get(&path)["price"]["amount"].clone();
        let found = floor.list("/v1/products?limit=50").into_iter().find_map(|product| {
            let whole = floor.get(&format!("/v1/products/{}?include=variants", id(&product)));
            (whole["variants"][0]["sku"] == sku).then_some(whole)
        });
        let product = found.unwrap_or_else(|| panic!("{sku} is sold"));
        let rates = floor.list("/v1/tax-zones/vat/rates");
        let rate = rates.iter().find(|rate| rate["tax_class"] == product["tax_class"]).expect("a rate");
        let tags = product["categories"].as_array().into_iter().flatten().flat_map(|category| {
            let parent =
                floor.get(&format!("/v1/categories/{}", category.as_str().unwrap()))["parent"].clone();
            [category.clone(), parent].into_iter().filter(Value::is_string)
        });
        let tags: Vec<Value> = tags.map(|category| json!({ "category": category })).collect();
        json!({ "variant": product["variants"][0]["id"], "tags": tags, "quantity": pieces, "unit_price": price,
            "tax_rate": rate["rate_ppm"] })
    }

    fn till(&self) -> &str {
        &self.ways[1].channel
    }

    /// The question a till that is off line asks of its own price engine.
    fn question(&self, customer: Option<&str>, at: &str) -> Value {
        let floor = self.floor;
        let groups: Vec<String> = customer.map_or_else(Vec::new, |customer| {
            let known = floor.get(&format!("/v1/customers/{customer}"));
            let groups = known["groups"].as_array().into_iter().flatten();
            groups.filter_map(|group| group.as_str().map(str::to_owned)).collect()
        });
        let lines: Vec<Value> =
            BASKET.iter().map(|(sku, pieces, ..)| self.known((sku, *pieces), &groups)).collect();
        let coupons = floor.list("/v1/promotions").into_iter().flat_map(|promotion| {
            let own = id(&promotion);
            let coupons = floor.list(&format!("/v1/promotions/{own}/coupons"));
            coupons.into_iter().map(move |coupon| json!({ "coupon": coupon["id"], "promotion": own }))
        });
        let coupons: Vec<Value> = coupons.collect();
        let (channel, market) =
            (floor.get(&format!("/v1/channels/{}", self.till())), floor.get("/v1/markets/gb"));
        let store = floor.get("/v1/locations/leeds");
        json!({ "price": {
            "lines": lines,
            "coupons": coupons,
            "occasion": { "channel": channel["id"], "store": store["id"], "time_zone": store["time_zone"], "at": at,
                "currency": "GBP", "groups": groups },
            "policy": { "prices_include_tax": market["prices_include_tax"], "rounding_level": market["rounding_level"],
                "rounding": market["rounding"] },
        } })
    }

    /// What the till says of the basket by itself.
    fn off_line(&self, customer: Option<&str>, at: &str) -> Cost {
        let answers = ask_module(&[self.kept(), self.question(customer, at)]);
        let answer: Value = serde_json::from_str(answers.lines().nth(1).expect("an answer")).unwrap();
        let priced = &answer["priced"];
        assert!(priced.is_object(), "{answer}");
        Cost::read(priced, priced, |minor| minor.as_i64().expect("an amount"))
    }

    /// The basket costs the same whichever way this customer buys it, and is sold at that: what it costs.
    fn the_same_everywhere(&self, customer: Option<&str>) -> Cost {
        let now = now(self.floor);
        let alone = self.off_line(customer, &now);
        for way in &self.ways {
            let (cart, cost) = self.in_cart(way, customer);
            assert_eq!(cost, alone, "{} it costs otherwise than off line", way.name);
            let checkout =
                json!({ "expected_total": pounds(cost.total.2), "payments": [{ "kind": "manual" }] });
            let order = self.ask(way, &format!("/v1/carts/{cart}/checkout"), &checkout);
            self.is_frozen(&order, &alone);
        }
        self.sold_off_line(customer, &now, &alone);
        alone
    }

    /// What was sold while the till was off line comes into the books at the price the customer paid.
    fn sold_off_line(&self, customer: Option<&str>, at: &str, cost: &Cost) {
        let till = &self.ways[1];
        let (cart, _) = self.in_cart(till, customer);
        let checkout = json!({ "expected_total": pounds(cost.total.2), "payments": [{ "kind": "cash" }], "placed_at": at });
        let order = self.ask(till, &format!("/v1/carts/{cart}/checkout"), &checkout);
        self.is_frozen(&order, cost);
    }

    /// An order's lines, with what lowered them, are those the customer was shown.
    fn is_frozen(&self, order: &Value, shown: &Cost) {
        let path = format!("/v1/orders/{}", id(order));
        let discounts = self.floor.get(&format!("{path}/discounts"))["items"].clone();
        let mut order = self.floor.get(&path);
        for line in order["lines"].as_array_mut().expect("lines") {
            let own = discounts.as_array().into_iter().flatten().filter(|one| one["line"] == line["id"]);
            let own = own.map(|one| {
                let mut told = json!({ "by": "promotion", "promotion": one["promotion"], "quantity": one["quantity"],
                    "amount": one["amount"]["amount"] });
                if one["coupon"].is_string() {
                    told["coupon"] = one["coupon"].clone();
                }
                told
            });
            line["discounts"] = own.collect();
        }
        let kept = Cost::read(&order, &order, |money| money["amount"].as_i64().expect("an amount"));
        assert_eq!(&kept, shown);
    }

    /// From this instant on the kitchen's promotion takes another rate.
    fn changed_at(&self, at: &str, rate: i64) -> String {
        let path = format!("/v1/promotions/{}", self.changing);
        let mut before = self.floor.get(&path)["terms"].clone();
        before["ends_at"] = json!(at);
        self.floor.patch(&path, &json!({ "terms": before }));
        let mut after = off_cups(self.floor, rate);
        after["starts_at"] = json!(at);
        in_force(self.floor, "kitchen, more", after)
    }
}

/// The till's price engine, really run: what it answers to each question.
fn ask_module(questions: &[Value]) -> String {
    static BUILT: Once = Once::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    BUILT.call_once(|| {
        let built = Command::new("scripts/build-till-pricing").current_dir(&root).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    });
    let mut till = Command::new("node")
        .arg("tests/pricing/till.mjs")
        .current_dir(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node, which scripts/install-test-needs installs");
    let asked: String = questions.iter().map(|question| format!("{question}\n")).collect();
    till.stdin.take().expect("a way in").write_all(asked.as_bytes()).unwrap();
    let answered = till.wait_with_output().unwrap();
    assert!(answered.status.success());
    String::from_utf8(answered.stdout).unwrap()
}

/// What the shop's clock says.
fn now(floor: &Floor) -> String {
    let cart = floor.must("/v1/carts", &json!({ "channel": "web" }));
    cart["made_at"].as_str().expect("an instant").to_owned()
}

#[test]
fn s22_the_same_basket_costs_the_same_everywhere() {
    on_every_engine([500, 0], |floor| {
        let shop = open(floor);
        let everybody = [Some("ADA"), Some("BOB"), None];
        let before = everybody.map(|customer| shop.the_same_everywhere(customer));
        assert_eq!(before[1], before[2], "who is in no group pays what everybody pays");
        assert!(before[0].total.2 < before[1].total.2, "members pay less: {before:?}");
        let lowered: Vec<_> = before[1].lines.iter().map(|line| line.3.len()).collect();
        assert_eq!(lowered, [2, 2, 2, 2, 1], "three for two, the kitchen, the coupon, and five off all");
        assert_eq!(before[1].total.2, before[1].lines.iter().map(|line| line.2).sum::<i64>());

        // A change that is still to come: the shop and the till say the same of the instants around it.
        let (eve, then) = ("2030-01-01T08:59:59.999999Z", "2030-01-01T09:00:00Z");
        let coming = shop.changed_at(then, 150_000);
        let mut after = Vec::new();
        for (customer, before) in everybody.into_iter().zip(&before) {
            assert_eq!(&shop.off_line(customer, eve), before, "until then nothing changes");
            let alone = shop.off_line(customer, then);
            assert!(alone.total.2 < before.total.2);
            for way in &shop.ways {
                assert_eq!(&shop.previewed(way, customer, eve), before, "{} the moment before", way.name);
                assert_eq!(shop.previewed(way, customer, then), alone, "{} from then on", way.name);
            }
            after.push(alone);
        }

        // The same change, now: everywhere at once. What a till sold before it, while it was cut off, costs what the customer paid.
        let cut_off = now(floor);
        floor.must(&format!("/v1/promotions/{coming}/end"), &json!(null));
        let since = now(floor);
        let later = shop.changed_at(&since, 150_000);
        let renamed = |cost: &Cost| format!("{cost:?}").replace(&coming, &later);
        for ((customer, after), before) in everybody.into_iter().zip(&after).zip(&before) {
            assert_eq!(format!("{:?}", shop.the_same_everywhere(customer)), renamed(after));
            shop.sold_off_line(customer, &cut_off, before);
        }
    });
}
