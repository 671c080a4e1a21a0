//! The demo's customers sign up, buy, agree to be written to, ask what is kept of them, are looked for and erased; afterwards no file of the
//! shop names any of them: not the database and what it writes ahead, in which orders, events and jobs lie too, no backup, and not the log.

use std::fs;
use std::path::Path;
use std::process::Command;

use domain::actor::Permissions;
use domain::actor::key::KeyKind;
use engine::actor::key::{self, NewKey};
use serde_json::{Value, json};
use sim::client::{Client, Reply};
use sim::postgres::{Durability, Private};
use sim::retailer::a_channel;
use sim::scratch::Scratch;
use sim::server::{Launch, Server};
use sim::{Retailer, TestShop};
use tandem::demo::people::Person;
use tandem::demo::source::Source;
use tandem::demo::tables;

/// How many of the demo's customers come.
const PEOPLE: usize = 12;
/// The master key of a [`TestShop`], as the environment holds it.
const MASTER_KEY: &str = "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a";

fn people() -> Vec<Person> {
    let source = Source::open(None).expect("the data within the program is whole");
    let mut people: Vec<Person> = Vec::new();
    for person in source.invoices().iter().filter_map(|invoice| tables::person_of(invoice, &source)) {
        if people.len() < PEOPLE && people.iter().all(|known| known.family_name != person.family_name) {
            people.push(person);
        }
    }
    assert_eq!(people.len(), PEOPLE);
    people
}

/// A shop of one store that sells a mug, served by the program with much in its log.
fn serve(shop: &TestShop) -> (Server, Client) {
    let retailer = Retailer::open(shop, &["leeds"]);
    retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
    retailer.parcel(shop, 395, &["web"]);
    let mug = retailer.sell(shop, "MUG-4711", 500);
    retailer.stock(shop, mug, 0, 1000);
    let made = shop.run(|tx, actor, world| {
        let permissions = Permissions::EVERYTHING;
        let new =
            NewKey { name: "all".into(), kind: KeyKind::Secret, permissions, channel: None, location: None };
        key::create(tx, actor, world, new)
    });
    let address = address_of(shop);
    let launch = Launch::program(env!("CARGO_BIN_EXE_tandem"), "/health/ready")
        .argument("serve")
        .argument("--listen")
        .argument("127.0.0.1:{port}")
        .argument("--data")
        .argument("{data}")
        .environment("TANDEM_DATABASE", address)
        .environment("TANDEM_MASTER_KEY", MASTER_KEY)
        .environment("TANDEM_LOG_FILTER", "debug");
    let server = Server::start(launch).unwrap();
    let client = server.client().with_header("authorization", format!("Bearer {}", made.unwrap().1));
    (server, client)
}

fn contact(person: &Person) -> Value {
    let mut contact = json!({
        "name": format!("{} {}", person.given_name, person.family_name), "street": [person.street],
        "city": person.city, "country": "GB", "postal_code": "LS1 4DY", "email": person.email, "phone": person.phone,
    });
    if person.country != "GB" {
        contact["city"] = json!("Leeds");
    }
    contact
}

fn done(reply: &Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{} {}", reply.status, reply.text());
    serde_json::from_str(&reply.text()).unwrap()
}

/// One person's dealings with the shop.
fn deal(client: &Client, number: usize, person: &Person) {
    let asked = |part: &str, path: &str, body: &Value| {
        let client = client.clone().with_header("idempotency-key", format!("{number}-{part}"));
        client.post(path, body).unwrap()
    };
    let external_id = format!("customer-{number}");
    done(&asked(
        "customer",
        "/v1/customers",
        &json!({"external_id": external_id, "contact": contact(person)}),
    ));
    let cart = json!({"channel": "web", "customer": external_id, "contact": contact(person), "delivery": {"method": "parcel"},
        "lines": [{"sku": "MUG-4711", "quantity": 1}]});
    let cart = done(&asked("cart", "/v1/carts", &cart));
    let checkout = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
    let order = done(&asked("order", &checkout, &json!({"payments": [{"kind": "manual"}]})));
    done(&asked("find", "/v1/customers/find", &json!({"email": person.email})));
    done(&client.get(&format!("/v1/customers/{external_id}/contact")).unwrap());
    let agreed = json!({"consents": [{"purpose": "marketing", "medium": "mail", "status": "granted"}],
        "evidence": {"wording": "newsletter-3", "agent": format!("the browser of {}", person.family_name)}});
    done(&asked("consents", &format!("/v1/customers/{external_id}/consents"), &agreed));
    done(&asked(
        "sign-up",
        "/v1/subscriptions",
        &json!({"email": format!("also.{}", person.email), "purpose": "marketing"}),
    ));
    let asks = json!({"customer": external_id, "kind": "access", "note": format!("{} asked by letter", person.family_name)});
    let request = done(&asked("privacy", "/v1/privacy-requests", &asks));
    let request = format!("/v1/privacy-requests/{}", request["id"].as_str().unwrap());
    done(&asked("verify", &format!("{request}/verify"), &json!({"proof": "document"})));
    let archive = done(&client.get(&format!("{request}/archive")).unwrap());
    assert_eq!(archive["contacts"][0]["email"], person.email, "the person gets everything");
    let order = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    done(&asked("cancel", &format!("{order}/cancel"), &json!({"reason": "customer"})));

    // What is refused is not told to the log either.
    let wrong = json!({"contact": {"name": person.family_name, "email": format!("{} at home", person.family_name), "country": "GB"}});
    assert_eq!(asked("wrong", "/v1/customers", &wrong).status, 422);
    let strange = format!("/v1/customers?email={}", person.email);
    assert!(client.get(&strange).unwrap().status < 500);
    assert_eq!(client.get(&format!("/v1/customers/{}", person.family_name)).unwrap().status, 404);
    if number.is_multiple_of(4) {
        done(&asked("erase", &format!("/v1/customers/{external_id}/erase"), &Value::Null));
    }
}

/// The files below a directory that hold one of these words, capitals or not.
fn files_with(words: &[String], directory: &Path) -> String {
    let scratch = Scratch::new("words").unwrap();
    let list = scratch.path().join("words");
    fs::write(&list, words.join("\n")).unwrap();
    let found = Command::new("grep")
        .env("LC_ALL", "C")
        .args(["--recursive", "--ignore-case", "--text", "--fixed-strings", "--only-matching", "--file"])
        .args([&list, directory])
        .output()
        .expect("grep");
    assert!(matches!(found.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8_lossy(&found.stdout).into_owned()
}

/// Writes a backup by the program, and what is in it as text beside it.
fn back_up(shop: &TestShop, directory: &Path) {
    let file = directory.join("shop.tandem.gz");
    let address = address_of(shop);
    let written = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["backup", "--data", &directory.display().to_string()])
        .arg(&file)
        .env("TANDEM_DATABASE", address)
        .env("TANDEM_MASTER_KEY", MASTER_KEY)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let text = Command::new("gzip").args(["--decompress", "--stdout"]).arg(&file).output().expect("gzip");
    assert!(text.status.success() && text.stdout.len() > 1000);
    fs::write(directory.join("shop.tandem"), text.stdout).unwrap();
}

fn address_of(shop: &TestShop) -> String {
    shop.server_address()
        .or_else(|| Some(shop.directory()?.join("shop.db").display().to_string()))
        .expect("the books have an address")
}

/// Tells the story, then looks into the books' directory, with the shop open and after it has closed.
fn nobody_is_named(shop: &TestShop, books: &Path) {
    let (mut server, client) = serve(shop);
    let people = people();
    for (number, person) in people.iter().enumerate() {
        deal(&client, number, person);
    }
    let words: Vec<String> = people
        .iter()
        .flat_map(|person| {
            let national = person.phone.trim_start_matches("+44").to_owned();
            [person.family_name.clone(), person.email.clone(), person.street.clone(), national]
        })
        .collect();
    assert_eq!(files_with(&words, books), "", "the books name somebody");
    assert!(files_with(&["MUG-4711".into()], books).contains("MUG-4711"), "what is no secret is found");
    let backups = Scratch::new("backups").unwrap();
    back_up(shop, backups.path());
    assert_eq!(files_with(&words, backups.path()), "", "the backup names somebody");
    server.terminate().unwrap();
    assert_eq!(files_with(&words, books), "", "the closed books name somebody");
    let log = server.log();
    assert!(log.contains("/v1/customers/{id}/contact"), "the log tells the routes");
    let log = log.to_lowercase();
    let told: Vec<_> = words.iter().filter(|word| log.contains(&word.to_lowercase())).collect();
    assert!(told.is_empty(), "the log names {told:?}");
}

#[test]
fn no_file_of_the_shop_names_a_customer_on_sqlite() {
    let shop = TestShop::on_sqlite(1);
    let books = shop.directory().unwrap().to_owned();
    nobody_is_named(&shop, &books);
    shop.must_tally();
}

#[test]
fn no_file_of_the_shop_names_a_customer_on_postgres() {
    let server = Private::start(Durability::Fast).unwrap();
    let shop = TestShop::on_database(server.database().unwrap(), 1);
    nobody_is_named(&shop, server.directory());
    shop.must_tally();
}
