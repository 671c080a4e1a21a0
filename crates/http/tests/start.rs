//! The start page and the API reference as a visitor meets them: figures only where the settings show them, nothing from elsewhere.

use crate::desk::Desk;
use serde_json::json;
use sim::retailer::Retailer;
use sim::shop::on_every_engine;
use tandem_http::server::Settings;

fn shown() -> Settings {
    Settings { public_figures: true, ..Settings::default() }
}

#[test]
fn figures_are_nobody_s_business_unless_the_settings_say_so() {
    on_every_engine(|shop| {
        let closed = Desk::of(shop);
        for path in ["/start/figures", "/start/stream"] {
            let answer = closed.send("GET", path, &[], None);
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{path}");
            assert!(answer.text.contains("public_figures"), "{}", answer.text);
        }
        let page = closed.send("GET", "/", &[], None);
        assert_eq!(page.status, 200);
        assert!(page.text.contains("keeps its figures to itself") && !page.text.contains("start.mjs"));

        let open = Desk::with(shop, shown());
        let figures = open.send("GET", "/start/figures", &[], None);
        assert_eq!(
            figures.json,
            json!({ "today": [], "total": [], "channels": [], "locations": [], "latest": [] })
        );
        assert!(open.send("GET", "/", &[], None).text.contains("start.mjs"));
    });
}

#[test]
fn figures_count_what_is_on_the_shelves() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let mug = retailer.sell(shop, "MUG", 799);
        retailer.stock(shop, mug, 1, 12);
        let open = Desk::with(shop, shown());
        let figures = open.send("GET", "/start/figures", &[], None).json;
        let leeds = json!({ "name": "leeds", "kind": "store", "pieces": 0 });
        let york = json!({ "name": "york", "kind": "store", "pieces": 12 });
        assert_eq!(figures["locations"], json!([leeds, york]));
        // Counted once for everybody who looks in the same second.
        retailer.stock(shop, mug, 0, 5);
        assert_eq!(open.send("GET", "/start/figures", &[], None).json, figures);
        shop.pass(2);
        assert_eq!(open.send("GET", "/start/figures", &[], None).json["locations"][0]["pieces"], json!(5));
    });
}

#[test]
fn pages_take_nothing_from_elsewhere() {
    on_every_engine(|shop| {
        let desk = Desk::with(shop, shown());
        for path in ["/", "/docs"] {
            let page = desk.send("GET", path, &[], None);
            assert_eq!(page.status, 200, "{path}");
            let policy = page.headers["content-security-policy"].to_str().unwrap_or_default();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
            assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{path}");
            assert!(!page.text.contains("style=") && !page.text.contains("<style"), "{path}");
        }
        let script = desk.send("GET", "/assets/start.mjs", &[], None);
        assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
        let tag = script.headers["etag"].to_str().unwrap_or_default().to_owned();
        let again = desk.send("GET", "/assets/start.mjs", &[("if-none-match", &tag)], None);
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
        for missing in ["/assets/none.mjs", "/assets/start.html", "/assets/..%2Fstart.html"] {
            assert_eq!(desk.send("GET", missing, &[], None).status, 404, "{missing}");
        }
    });
}
