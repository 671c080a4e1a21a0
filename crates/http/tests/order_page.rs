//! The page behind a status link: what it says at each step, what its forms do once however often they are sent, and that it tells nothing to
//! who has no link.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::retailer::a_variant;
use sim::stand::a_cart;
use sim::{Retailer, TestShop, on_every_engine};

/// A web shop that sends parcels and lets customers collect, and somebody who may do everything.
struct Floor<'s> {
    shop: &'s TestShop,
    retailer: Retailer,
    desk: Desk,
    key: String,
    mug: Id<Variant>,
}

/// A customer with a link to an order, and no key.
struct Customer<'f> {
    floor: &'f Floor<'f>,
    order: String,
    page: String,
}

impl<'s> Floor<'s> {
    fn open(shop: &'s TestShop) -> Floor<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        retailer.web(shop);
        retailer.parcel(shop, 395, &["web"]);
        retailer.collecting(shop, &["web"]);
        let mug = retailer.sell_variant(shop, a_variant("MUG"), 500);
        (0..2).for_each(|place| retailer.stock(shop, mug, place, 5));
        Floor { shop, retailer, desk: Desk::of(shop), key: key_for(shop, Permission::ALL), mug }
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", path)];
        let answer = self.desk.send("POST", path, &headers, Some(body.clone()));
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json
    }

    fn get(&self, path: &str) -> Value {
        self.desk.ask(&self.key, "GET", path, None).json
    }

    /// A paid order of mugs, sent by parcel or collected, and its customer.
    fn order(&self, mugs: i64, collected_at: Option<&str>) -> Customer<'_> {
        self.order_of(self.mug, mugs, collected_at)
    }

    fn order_of(&self, variant: Id<Variant>, pieces: i64, collected_at: Option<&str>) -> Customer<'_> {
        let mut cart = a_cart(&[(variant, pieces)], "ada@example.com");
        if let Some(location) = collected_at {
            cart["delivery"] = json!({ "method": "collect", "location": location });
        }
        let cart = self.desk.ask(&self.key, "POST", "/v1/carts", Some(cart)).json;
        let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().expect("a cart"));
        let placed = self.must(&path, &json!({ "payments": [{ "kind": "cash" }] }));
        let order = format!("/v1/orders/{}", placed["id"].as_str().expect("an order"));
        let link = self.must(&format!("{order}/status-links"), &json!({ "days": 2 }));
        Customer { floor: self, order, page: link["page"].as_str().expect("a page").to_owned() }
    }

    fn open_page(&self, path: &str) -> Answer {
        readable(self.desk.send("GET", path, &[], None))
    }
}

impl Customer<'_> {
    fn part(&self) -> String {
        let whole = self.floor.get(&self.order);
        format!(
            "{}/fulfilment-orders/{}",
            self.order,
            whole["fulfilment_orders"][0]["id"].as_str().expect("a part")
        )
    }

    /// The page as it is now.
    fn looks(&self) -> String {
        let page = self.floor.open_page(&self.page);
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    }

    /// Sends the form of a deed with these fields, and the hidden ones that the page has in it.
    fn sends(&self, deed: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.looks();
        let form = page.split_once(&format!("action=\"{}/{deed}\"", self.page)).expect("a form").1;
        let form = form.split_once("</form>").expect("its end").0;
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
            let (name, rest) = field.split_once("\" value=\"").expect("a field");
            format!("{name}={}", rest.split('"').next().expect("a value"))
        });
        let said = fields.iter().map(|(name, value)| format!("{name}={value}"));
        self.posts(deed, &hidden.chain(said).collect::<Vec<_>>().join("&"))
    }

    fn posts(&self, deed: &str, body: &str) -> Answer {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let path = format!("{}/{deed}", self.page);
        readable(self.floor.desk.send_raw("POST", &path, &kind, body.as_bytes().to_vec()))
    }

    /// Sends a form that is taken, follows where it leads, and answers the page.
    fn does(&self, deed: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.sends(deed, fields);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let to = answer.headers["location"].to_str().expect("an address").to_owned();
        assert_eq!(to, format!("{}?did={deed}", self.page));
        self.floor.open_page(&to).text
    }
}

/// A page as browsers read it: slashes stand in it by their number.
fn readable(mut answer: Answer) -> Answer {
    answer.text = answer.text.replace("&#x2f;", "/");
    answer
}

#[test]
fn the_page_goes_along_until_the_goods_are_collected() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let customer = floor.order(2, Some("york"));
        let page = customer.looks();
        assert!(
            page.contains("<h1>We have your order</h1>") && page.contains("2 ×") && page.contains("£10.00"),
            "{page}"
        );
        assert!(page.contains("york") && !page.contains("/arrive"), "nothing waits yet: {page}");
        let part = customer.part();
        floor.must(&format!("{part}/ready"), &json!(null));
        let code = floor.get(&format!("{part}/visit"))["code"].as_str().expect("a code").to_owned();
        let page = customer.looks();
        assert!(
            page.contains("<h1>Ready for you to collect</h1>")
                && page.contains(&code)
                && page.contains("<svg"),
            "{page}"
        );
        assert!(customer.does("come", &[]).contains("You said you are on your way"));
        let page = customer.does("arrive", &[("bay", "B+2")]);
        assert!(
            page.contains("Thank you. We know that you are here.") && page.contains("<b>B 2</b>"),
            "{page}"
        );
        assert!(!page.contains("/arrive\""), "once is enough");
        floor.must(&format!("{part}/hand-over"), &json!({ "code": code }));
        let page = customer.looks();
        assert!(
            page.contains("<h1>In your hands</h1>") && !page.contains(&code),
            "a used code is of no use: {page}"
        );
        assert!(page.contains("Return something") && !page.contains("Cancel the order"), "{page}");
    });
}

#[test]
fn less_is_taken_once_and_only_with_a_yes() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let customer = floor.order(3, None);
        let line = floor.get(&customer.order)["lines"][0]["id"].as_str().expect("a line").to_owned();
        let field = format!("line.{line}");
        let page = customer.does("change", &[(&field, "1")]);
        assert!(page.contains("This is what would change.") && page.contains("<dd>£5.00</dd>"), "{page}");
        assert!(!page.contains(&field), "one change at a time: {page}");
        assert!(customer.does("decline", &[]).contains("Nothing was changed."));
        assert_eq!(floor.get(&customer.order)["cancelled"]["amount"], 0);
        customer.does("change", &[(&field, "2")]);
        let page = customer.does("confirm", &[]);
        assert!(page.contains("Your order was changed.") && page.contains("(2 cancelled)"), "{page}");
        let whole = floor.get(&customer.order);
        assert_eq!(
            (&whole["cancelled"]["amount"], &whole["refunded"]["amount"]),
            (&json!(1000), &json!(1000))
        );

        // A form that was shown is done once, however often it is sent.
        let page = customer.looks();
        let key = page.split_once("name=\"key\" value=\"").expect("a key").1[..32].to_owned();
        let body = format!("key={key}");
        for _ in 0..2 {
            assert_eq!(customer.posts("cancel", &body).status, 303);
        }
        let page = customer.looks();
        assert!(page.contains("class=\"cancelled\">Cancelled</h1>") && !page.contains("<details"), "{page}");
        assert_eq!(floor.get(&customer.order)["refunded"]["amount"], 3 * 500 + 395);
        let again = customer.posts("cancel", "key=another");
        assert_eq!(again.status, 409, "{}", again.text);
        assert!(again.text.contains("role=\"alert\">This is not possible any more."), "{}", again.text);
    });
}

#[test]
fn what_the_store_did_meanwhile_wins() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let customer = floor.order(2, None);
        let line = floor.get(&customer.order)["lines"][0]["id"].as_str().expect("a line").to_owned();
        customer.does("change", &[(&format!("line.{line}"), "1")]);
        let shown = customer.looks();
        let change = shown
            .split_once("name=\"change\" value=\"")
            .expect("a change")
            .1
            .split('"')
            .next()
            .expect("an id")
            .to_owned();
        floor.must(&format!("{}/start-picking", customer.part()), &json!(null));
        let late = customer.posts("confirm", &format!("key=1&change={change}&difference=-500"));
        assert_eq!(late.status, 409, "{}", late.text);
        assert!(
            late.text.contains("We are getting it ready") && !late.text.contains("/cancel\""),
            "{}",
            late.text
        );
        assert_eq!(customer.posts("cancel", "key=2").status, 409);
        assert_eq!(floor.get(&customer.order)["cancelled"]["amount"], 0);
    });
}

#[test]
fn goods_come_back_by_post_with_a_label_of_their_own() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let policy = json!({ "code": "standard", "name": "Standard", "terms": { "window_days": 28, "by_rule": true } });
        floor.must("/v1/return-policies", &policy);
        let (customer, other) = (floor.order(3, None), floor.order(1, None));
        floor.must(&format!("{}/ship", customer.part()), &json!({ "tracking": "JD1" }));
        let page = customer.looks();
        assert!(
            page.contains("JD1") && page.contains("max=\"3\"") && page.contains("name=\"reason\" required"),
            "{page}"
        );
        let line = floor.get(&customer.order)["lines"][0]["id"].as_str().expect("a line").to_owned();
        let field = format!("line.{line}");
        for (fields, why) in [
            (vec![(field.as_str(), "0"), ("way", "post"), ("reason", "too_small")], "none of anything"),
            (vec![(field.as_str(), "1"), ("way", "counter"), ("reason", "too_small")], "at no counter"),
            (vec![(field.as_str(), "1"), ("way", "post")], "without a reason"),
        ] {
            let refused = customer.sends("return", &fields);
            assert_eq!(refused.status, 422, "{why}");
            assert!(refused.text.contains("Please say how many, and why."), "{}", refused.text);
        }
        let asked = [(field.as_str(), "2"), ("way", "post"), ("reason", "too_small")];
        let page = customer.does("return", &asked);
        assert!(
            page.contains("We have your request.") && page.contains("You can send it or bring it"),
            "{page}"
        );
        assert!(page.contains("max=\"1\""), "one is left: {page}");
        let label =
            page.split_once("/labels/").expect("a label").1.split('"').next().expect("an id").to_owned();
        let printed = floor.open_page(&format!("{}/labels/{label}", customer.page));
        assert_eq!(
            (printed.status.as_u16(), &printed.headers["content-type"]),
            (200, &"application/pdf".parse().unwrap())
        );
        assert_eq!(floor.open_page(&format!("{}/labels/{label}", other.page)).status, 404, "another order's");
        let too_many = customer.sends("return", &asked);
        assert_eq!(too_many.status, 409, "{}", too_many.text);
        floor.shop.pass(29 * 86_400);
        assert_eq!(floor.open_page(&customer.page).status, 404, "the link has expired");
    });
}

#[test]
fn who_has_no_link_is_told_nothing() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let (customer, withdrawn) = (floor.order(1, None), floor.order(1, None));
        let links = format!("{}/status-links", withdrawn.order);
        assert_eq!(floor.desk.ask(&floor.key, "DELETE", &links, None).status, 204);
        let forged = format!("/o/{}", "0".repeat(64));
        let gone = floor.open_page("/o/none");
        for path in [forged.as_str(), withdrawn.page.as_str(), "/o/%22%3E%3Cscript%3E", &customer.page[..40]]
        {
            let page = floor.open_page(path);
            assert_eq!((page.status.as_u16(), &page.text), (404, &gone.text), "{path}");
        }
        assert!(gone.text.contains("This link leads nowhere any more") && gone.text.contains("noindex"));
        let deed = floor.desk.send_raw(
            "POST",
            &format!("{forged}/cancel"),
            &[("content-type", "application/x-www-form-urlencoded")],
            "key=1",
        );
        assert_eq!((deed.status.as_u16(), &deed.text), (404, &gone.text));
        assert_eq!(customer.posts("explode", "key=1").status, 404);
        let german = floor.desk.send("GET", "/o/none", &[("accept-language", "de-AT,de;q=0.9")], None);
        assert!(
            german.text.contains("Dieser Link führt nirgendwo mehr hin")
                && german.text.contains("lang=\"de\"")
        );

        for page in [&floor.open_page(&customer.page), &gone] {
            let policy = page.headers["content-security-policy"].to_str().unwrap_or_default();
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
                "{policy}"
            );
            assert!(
                policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert_eq!(page.headers["x-robots-tag"], "noindex, nofollow");
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert_eq!(page.headers["cache-control"], "private, no-store");
            assert!(
                !page.text.contains("style=")
                    && !page.text.contains("http://")
                    && !page.text.contains("onclick")
            );
        }
    });
}

#[test]
fn words_are_the_market_s_or_those_asked_for_and_never_commands() {
    let shop = TestShop::on_sqlite(1);
    let floor = Floor::open(&shop);
    let customer = floor.order(1, None);
    let german = floor.open_page(&format!("{}?language=de-AT", customer.page)).text;
    assert!(
        german.contains("<html lang=\"de\">")
            && german.contains("Wir haben Ihre Bestellung")
            && german.contains("5,00"),
        "{german}"
    );
    assert!(german.contains("/cancel?language=de-AT\""), "forms keep it: {german}");
    let odd = floor.open_page(&format!("{}?language=tlh&did=nothing", customer.page)).text;
    assert!(odd.contains("We have your order") && !odd.contains("class=\"notice\" role"), "{odd}");

    let rude = "<script>alert(1)</script>&\"'";
    let product = json!({ "title": { "text": rude }, "status": "active", "tax_class": floor.retailer.tax_class.to_string(),
        "variants": [{ "sku": "RUDE" }] });
    let made = floor.must("/v1/products", &product);
    let variant: Id<Variant> =
        Id::parse(made["variants"][0]["id"].as_str().expect("a variant")).expect("an id");
    let price = json!({ "price_list": floor.retailer.prices.to_string(), "variant": variant.to_string(), "amount": 100 });
    floor.must("/v1/prices", &price);
    floor.retailer.stock(&shop, variant, 0, 1);
    let page = floor.order_of(variant, 1, None).looks();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>"), "{page}");
}
