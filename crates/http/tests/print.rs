//! What is printed says what it must and can be read back: the words as text, the barcode by a scanner's decoder (`pdftotext`, `pdftoppm` and
//! `zbarimg`, which `scripts/install-test-needs` installs).

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::scratch::Scratch;
use sim::stand::a_cart;
use sim::{Retailer, TestShop, on_every_engine};

/// Dots an inch of the printers that labels are made for.
const LABEL_DOTS: &str = "203";
const NAME: &str = "Ada Łukasiewicz-Donaudampfschifffahrtsgesellschaftskapitänswitwenheimverwaltung";

/// A web shop that sends parcels by its own van and lets customers collect, and somebody who may do everything.
struct Floor<'s> {
    shop: &'s TestShop,
    desk: Desk,
    key: String,
    mug: Id<Variant>,
}

impl<'s> Floor<'s> {
    fn open(shop: &'s TestShop) -> Floor<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        retailer.web(shop);
        retailer.parcel(shop, 395, &["web"]);
        retailer.collecting(shop, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        (0..2).for_each(|place| retailer.stock(shop, mug, place, 9));
        let floor = Floor { shop, desk: Desk::of(shop), key: key_for(shop, Permission::ALL), mug };
        let van = json!({ "code": "van", "name": "Own van", "external_id": "van", "kind": "own_van", "collections": "mo-su 24:00" });
        floor.must("/v1/carriers", &van);
        floor
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.key);
        let key = format!("{path} {body}").chars().take(200).collect::<String>();
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
        let answer = self.desk.send("POST", path, &headers, Some(body.clone()));
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json
    }

    fn get(&self, path: &str) -> Answer {
        self.desk.ask(&self.key, "GET", path, None)
    }

    /// A paid order of mugs, sent by parcel or collected: its path, and the path of its one part.
    fn order(&self, mugs: i64, collected_at: Option<&str>) -> (String, String) {
        let mut cart = a_cart(&[(self.mug, mugs)], "ada@example.com");
        cart["contact"]["name"] = json!(NAME);
        if let Some(location) = collected_at {
            cart["delivery"] = json!({ "method": "collect", "location": location });
        }
        let cart = self.desk.ask(&self.key, "POST", "/v1/carts", Some(cart)).json;
        let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().expect("a cart"));
        let placed = self.must(&path, &json!({ "payments": [{ "kind": "cash" }] }));
        let order = format!("/v1/orders/{}", placed["id"].as_str().expect("an order"));
        let part = placed["fulfilment_orders"][0]["id"].as_str().expect("a part");
        (order.clone(), format!("{order}/fulfilment-orders/{part}"))
    }

    /// A parcel of an order's mugs, packed for the van: what it is, and its path.
    fn pack(&self, (order, part): &(String, String), mugs: i64) -> (Value, String) {
        self.must(&format!("{part}/pick"), &json!({ "lines": [{ "variant": "MUG", "quantity": mugs }] }));
        let parcel = self.must(&format!("{part}/parcels"), &json!({ "carrier": "van" }));
        let path = format!("{order}/parcels/{}", parcel["id"].as_str().expect("a parcel"));
        (parcel, path)
    }

    /// A paper, with what a program reads in it and what a scanner reads off it when it is printed.
    fn paper(&self, path: &str) -> (String, Vec<String>) {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/pdf");
        assert_eq!(answer.headers["cache-control"], "private, no-store");
        assert!(answer.bytes.starts_with(b"%PDF-"));
        let room = Scratch::new("paper").expect("room");
        let file = room.path().join("paper.pdf");
        fs::write(&file, &answer.bytes).expect("a file");
        let text = run("pdftotext", &["-layout"], &[file.as_path(), Path::new("-")]);
        run(
            "pdftoppm",
            &["-png", "-gray", "-r", LABEL_DOTS],
            &[file.as_path(), room.path().join("sheet").as_path()],
        );
        let sheets = fs::read_dir(room.path()).expect("sheets").map(|sheet| sheet.expect("a sheet").path());
        let sheets: Vec<_> =
            sheets.filter(|path| path.extension().is_some_and(|kind| kind == "png")).collect();
        let seen = sheets.iter().flat_map(|sheet| {
            let read = run(
                "zbarimg",
                &["--nodbus", "--quiet", "--raw", "-Sdisable", "-Scode128.enable"],
                &[sheet.as_path()],
            );
            read.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        (text, seen.collect())
    }
}

fn run(program: &str, flags: &[&str], files: &[&Path]) -> String {
    let ran = Command::new(program).args(flags).args(files).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}; run scripts/install-test-needs"));
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

/// Words that were broken over lines, put together again.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn labels_and_slips_say_whose_it_is_and_are_scanned_back() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let order = floor.order(2, None);
        let (parcel, path) = floor.pack(&order, 2);
        let number = parcel["tracking"].as_str().expect("a number").to_owned();
        let (text, seen) = floor.paper(&format!("{path}/label.pdf"));
        assert_eq!(seen, std::slice::from_ref(&number));
        assert!(
            joined(&text).contains(&joined(NAME)) && text.contains("LS1 4DY") && text.contains(&number),
            "{text}"
        );
        let (text, seen) = floor.paper(&format!("{path}/slip.pdf"));
        assert_eq!(seen, std::slice::from_ref(&number));
        let row = text.lines().find(|line| line.contains("MUG")).expect("a row");
        assert!(row.trim_end().ends_with(" 2") && joined(&text).contains(&joined(NAME)), "{text}");
        let page = floor.get(&format!("{path}/slip"));
        assert_eq!((page.status.as_u16(), drawn(&page.text)), (200, number));
    });
}

/// What the bars drawn on a page say: a decoder of its own for the slip as a page, whose squares no camera has to find.
fn drawn(page: &str) -> String {
    let number = |tag: &str, name: &str| -> u32 {
        let value = tag.split_once(&format!(" {name}=\"")).expect("a bar").1;
        value.split('"').next().expect("a value").parse().expect("a number")
    };
    let bars: Vec<(u32, u32)> =
        page.split("<rect").skip(1).map(|tag| (number(tag, "x"), number(tag, "width"))).collect();
    let mut widths = Vec::new();
    for (place, (at, width)) in bars.iter().enumerate() {
        widths.push(*width);
        if let Some((next, _)) = bars.get(place + 1) {
            widths.push(next - at - width);
        }
    }
    // Each symbol is three bars and three spaces; the stop has a bar more.
    let symbols: Vec<&[u32]> = widths.chunks_exact(6).collect();
    let values: Vec<usize> = symbols.iter().map_while(|symbol| value_of(symbol)).collect();
    let (check, values) = values[1..].split_last().expect("a check");
    let sum: usize = values.iter().enumerate().map(|(place, value)| (place + 1) * value).sum();
    assert_eq!(*check, (104 + sum) % 103, "the check digit");
    values.iter().map(|value| char::from(u8::try_from(value + 32).expect("a letter"))).collect()
}

/// The value of a symbol in set B, found by drawing each letter: what the printer draws for it is what it must mean.
fn value_of(symbol: &[u32]) -> Option<usize> {
    let drawn = |value: usize| -> Option<Vec<u32>> {
        let letter = char::from(u8::try_from(value + 32).ok()?);
        let widths = domain::fulfilment::label::code_128(&letter.to_string())?;
        Some(widths[6..12].iter().map(|width| u32::from(*width)).collect())
    };
    if symbol == [2, 1, 1, 2, 1, 4] {
        return Some(104);
    }
    (0..95).find(|value| drawn(*value).as_deref() == Some(symbol))
}

#[test]
fn what_waits_and_what_comes_back_has_a_label() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let (order, part) = floor.order(2, Some("york"));
        let number = floor.get(&order).json["number"].as_str().expect("a number").to_owned();
        let (text, seen) = floor.paper(&format!("{part}/label.pdf"));
        assert_eq!(seen, std::slice::from_ref(&number));
        assert!(joined(&text).contains(&joined(NAME)) && text.contains("Pieces: 2"), "{text}");
        floor.must(&format!("{part}/ready"), &json!(null));
        let code = floor.get(&format!("{part}/visit")).json["code"].as_str().expect("a code").to_owned();
        let (text, _) = floor.paper(&format!("{part}/label.pdf"));
        assert!(text.contains("Collect by") && !text.contains(&code), "the code is the customer's: {text}");
        floor.must(&format!("{part}/hand-over"), &json!({ "code": code }));
        assert_eq!(floor.get(&format!("{part}/label.pdf")).code(), "wrong_state", "it waits for nobody");

        let line = floor.get(&order).json["lines"][0]["id"].clone();
        let back = json!({ "order": order.rsplit('/').next(), "way": "post", "reason": "changed_mind", "lines": [{ "line": line, "quantity": 1 }] });
        let back = floor.must("/v1/returns/requests", &back);
        let id = back["id"].as_str().expect("a return");
        let (text, seen) = floor.paper(&format!("/v1/returns/{id}/label.pdf"));
        assert_eq!(seen, [id]);
        assert!(text.contains(&number) && joined(&text).contains(&joined(NAME)), "{text}");
    });
}

#[test]
fn who_may_not_and_what_is_not_there_is_told() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop);
        let order = floor.order(2, None);
        let (_, path) = floor.pack(&order, 2);
        let packer = key_for(floor.shop, &[Permission::EditOrders, Permission::ReadOrders]);
        let asked = |key: &str, path: &str| {
            let answer = floor.desk.ask(key, "GET", path, None);
            (answer.status.as_u16(), answer.code().to_owned())
        };
        let refused = |status: u16, code: &str| (status, code.to_owned());
        let label = format!("{path}/label.pdf");
        assert_eq!(asked(&packer, &label), refused(403, "forbidden"), "a label names somebody");
        let slip = floor.desk.ask(&packer, "GET", &format!("{path}/slip"), None);
        assert!(
            slip.status == 200 && slip.text.contains("MUG") && !slip.text.contains("Ada"),
            "{}",
            slip.text
        );
        let reader = key_for(floor.shop, &[Permission::ReadOrders, Permission::ReadContacts]);
        for paper in ["label.pdf", "label.zpl", "slip", "slip.pdf"] {
            assert_eq!(asked(&reader, &format!("{path}/{paper}")), refused(403, "forbidden"), "{paper}");
            let other = floor.order(1, None);
            let parcel = path.rsplit('/').next().expect("a parcel");
            let of_other = format!("{}/parcels/{parcel}/{paper}", other.0);
            assert_eq!(asked(&floor.key, &of_other), refused(404, "not_found"), "{paper}");
            let nobody_s = format!("{}/parcels/mine/{paper}", order.0);
            assert_eq!(asked(&floor.key, &nobody_s), refused(404, "not_found"), "{paper}");
        }
        assert_eq!(asked(&floor.key, "/v1/returns/none/label.pdf"), refused(404, "not_found"));
        let noted = floor.get("/v1/audit?limit=200").text;
        assert!(!noted.contains("Ada"), "the audit trail names nobody");

        // A parcel that was unpacked goes nowhere.
        floor.must(&format!("{path}/unpack"), &json!(null));
        for paper in ["label.pdf", "label.zpl", "slip", "slip.pdf"] {
            assert_eq!(asked(&floor.key, &format!("{path}/{paper}")), refused(409, "wrong_state"), "{paper}");
        }
    });
}
