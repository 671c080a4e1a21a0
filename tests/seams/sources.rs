//! S42: a retailer brings the exports of a web shop, of its tills and of a newsletter, as dirty as they come. They become one file of persons:
//! everybody once, found by each system's number, asked nothing again, and a no is a no. Goods, stock and orders come along.

use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

const WEB: &str = "\u{feff}Kundennr.;Name;Strasse;Ort;PLZ;Land;Telefon;E-Mail;Geaendert\r\n\
    1001;Charlotte Winterbourne;17 Larkspur Crescent;Leeds;LS7 3QD;GB;0113 249 6077;Charlotte@Web.example;21.11.2026\r\n\
    1002;Omar Haddad;2 Mill Lane;Bedford;MK40 1AA;GB;0121 496 0001;omar@web.example;20.11.2026\r\n\
    ;;;;;;;;\r\n\
    1003;Ines Duarte;4 Quay Street;Hull;HU1 2AB;GB;;ines@web.example;01.02.2026\r\n\
    1004;Ines Duarte;4 Quay Street;Hull;HU1 2AB;GB;;INES@WEB.EXAMPLE;02.02.2026\r\n\
    1005;Nobody;;;;GB;;not an address;01.02.2026\r\n";
const TILL: &str = "external_id,given_name,family_name,phone,country,email\n\
    T-1,Winterbourne,Charlotte,00441132496077,GB,\n\n\
    T-2,Omar,Haddad,+44 (0)121 496 0001,GB,\n\
    T-3,Zoe,Ashdown,0113 249 6123,GB,zoe@till.example\n";
const NEWS: &str = "email,name\n\
    CHARLOTTE@WEB.EXAMPLE,Charlotte W.\n\
    zoe@till.example,\n\
    only@news.example,\n";
const LATER: &str = "external_id,name,street,city,postal_code,country\n\
    T-9,Charlote Winterbourn,17 Larkspur Cresent,Leeds,LS7 3QD,GB\n";
const CONSENTS: &str = "purpose,medium,status,said_at,email\n\
    marketing,mail,yes,2026-01-02T10:00:00Z,charlotte@web.example\n\
    marketing,mail,no,2026-01-02T10:00:00Z,Charlotte@Web.Example\n\
    marketing,mail,yes,2026-01-02T10:00:00Z,omar@web.example\n\
    marketing,mail,no,2025-01-02T10:00:00Z,omar@web.example\n\
    marketing,mail,no,2026-01-02T10:00:00Z,stranger@nowhere.example\n\
    newsletters,mail,yes,2026-01-02T10:00:00Z,omar@web.example\n";

/// Sends a file.
fn sent(floor: &Floor, kind: &str, (source, mode): (&str, &str), text: &str) -> Value {
    let path = format!("/v1/imports?kind={kind}&mode={mode}&source={source}");
    let key = format!("{kind}-{source}-{mode}-{}", floor.next());
    let reply = floor.client().with_header("idempotency-key", key).submit(&path, text).unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    let told = reply.json().unwrap();
    assert_eq!(told["state"], "done", "{told}");
    told
}

/// Made, changed, the same, joined, to be looked at, refused.
fn counts(told: &Value) -> [i64; 6] {
    ["made", "changed", "same", "joined", "review", "refused"].map(|name| told[name].as_i64().expect("told"))
}

/// Tries a file, takes it in, and takes it in again.
fn in_all(floor: &Floor, kind: &str, source: &str, text: &str) -> Value {
    let tried = sent(floor, kind, (source, "dry_run"), text);
    let real = sent(floor, kind, (source, "rows_that_pass"), text);
    assert_eq!(counts(&tried), counts(&real), "the trial of {source} says what happens");
    let again = sent(floor, kind, (source, "rows_that_pass"), text);
    let [made, changed, same, joined, _, refused] = counts(&real);
    assert_eq!(counts(&again), [0, 0, made + changed + same + joined, 0, 0, refused], "{source} again");
    real
}

fn told_of(floor: &Floor, import: &Value) -> Vec<Value> {
    let path = format!("/v1/imports/{}/findings", import["id"].as_str().expect("an id"));
    floor.list(&path).iter().map(|one| json!([one["line"], one["is_joined"], one["same_by"]])).collect()
}

fn id(floor: &Floor, name: &str) -> String {
    floor.get(&format!("/v1/customers/{name}"))["id"].as_str().expect("an id").to_owned()
}

fn stands(floor: &Floor, name: &str) -> Vec<Value> {
    let all = floor.list(&format!("/v1/customers/{name}/consents"));
    all.iter().map(|one| one["status"].clone()).collect()
}

#[test]
fn s42_three_systems_become_one_file_of_persons() {
    on_every_engine([0, 0], |floor| {
        let columns = json!({ "external_id": "Kundennr.", "name": "Name", "street": "Strasse", "city": "Ort", "postal_code": "PLZ",
            "country": "Land", "phone": "Telefon", "email": "E-Mail", "changed_at": "Geaendert" });
        let mappings = json!({ "customers": { "columns": columns, "time_zone": "Europe/London" } });
        let web = json!({ "name": "Web shop", "trust": 60, "mappings": mappings });
        floor.put("/v1/import-sources/web", &web);
        floor.put("/v1/import-sources/till", &json!({ "name": "Tills", "trust": 80 }));
        floor.put("/v1/import-sources/news", &json!({ "name": "Newsletter", "trust": 20 }));
        assert_eq!(floor.list("/v1/import-sources").len(), 3);
        let before = floor.list("/v1/customers").len();

        let first = in_all(floor, "customers", "web", WEB);
        assert_eq!(counts(&first), [3, 0, 0, 1, 0, 1]);
        assert_eq!(told_of(floor, &first), [json!([6, true, "email"])], "a duplicate within the file");
        let path = format!("/v1/imports/{}/errors", first["id"].as_str().expect("an id"));
        let errors = floor.list(&path);
        assert_eq!((&errors[0]["line"], &errors[0]["column"]), (&json!(7), &json!("email")));
        let second = in_all(floor, "customers", "till", TILL);
        assert_eq!(counts(&second), [1, 0, 0, 2, 0, 0]);
        assert_eq!(told_of(floor, &second), [json!([2, true, "phone"]), json!([4, true, "phone"])]);
        assert_eq!(counts(&in_all(floor, "customers", "news", NEWS)), [1, 0, 0, 2, 0, 0]);
        assert_eq!(floor.list("/v1/customers").len() - before, 5, "nobody twice and nobody lost");

        let charlotte = id(floor, "web:1001");
        assert_eq!(
            (id(floor, "till:T-1"), id(floor, "web:1003")),
            (charlotte.clone(), id(floor, "web:1004"))
        );
        assert_eq!(id(floor, "till:T-2"), id(floor, "web:1002"));
        let known_by: Vec<Value> = floor
            .list(&format!("/v1/customers/{charlotte}/records"))
            .iter()
            .map(|one| json!([one["source"], one["external_id"]]))
            .collect();
        assert_eq!(known_by, [json!(["news", null]), json!(["till", "T-1"]), json!(["web", "1001"])]);

        let alike = in_all(floor, "customers", "till", LATER);
        assert_eq!(counts(&alike), [1, 0, 0, 0, 1, 0], "left for a colleague");
        let open = floor.list("/v1/matches");
        assert_eq!(open.len(), 1);
        floor.must(&format!("/v1/matches/{}/accept", open[0]["id"].as_str().expect("an id")), &json!(null));
        assert_eq!(id(floor, "till:T-9"), charlotte, "the tills know her under two numbers");

        assert_eq!(counts(&in_all(floor, "consents", "news", CONSENTS)), [5, 0, 0, 0, 0, 1]);
        assert_eq!(stands(floor, "web:1001"), [json!("denied")], "of one instant the stricter");
        assert_eq!(stands(floor, "web:1002"), [json!("granted")], "an older no takes no later yes back");

        let goods = "sku,name,price,currency,price_list,tax_class\nBOWL,Bowl,\"7,50\",GBP,retail,standard\n";
        let mapping =
            json!({ "name": "Stock room", "trust": 50, "mappings": { "products": { "decimal": "," } } });
        floor.put("/v1/import-sources/goods", &mapping);
        assert_eq!(counts(&in_all(floor, "products", "goods", goods))[0], 1);
        assert_eq!(counts(&in_all(floor, "stock", "goods", "location,sku,quantity\nleeds,BOWL,4\n"))[0], 1);
        let orders = "external_id,placed_at,channel,sku,quantity,unit_price,currency,customer,delivery_method,location\n\
            W-1,2026-01-05T10:00:00Z,web,BOWL,1,7.50,GBP,web:1001,collect,leeds\n";
        let imported = in_all(floor, "orders", "goods", orders);
        let path = format!("/v1/imports/{}/errors", imported["id"].as_str().expect("an id"));
        assert_eq!(counts(&imported)[0], 1, "{:?}", floor.list(&path));
        let order = floor.get("/v1/orders/W-1");
        assert_eq!(order["customer"], json!(charlotte), "the order of the past is hers");
    });
}
