//! The shop floor that the seams are walked on: a served shop with a few stores, a web shop, and colleagues who may do everything.

use std::cell::Cell;
use std::path::Path;

use domain::actor::key::KeyKind;
use domain::actor::{Permission, Permissions};
use domain::market::{HoldPolicy, Kind as ChannelKind};
use domain::stock::State as Stock;
use domain::value::id::{Channel, Location, Variant};
use domain::value::{Coordinates, Id, OpeningHours, Reference};
use engine::actor::key::{self, NewKey};
use engine::catalogue::NewVariant;
use engine::market::NewChannel;
use serde_json::{Value, json};
use sim::TestShop;
use sim::client::{Client, Reply};
use sim::mailbox::Mailbox;
use sim::retailer::{a_channel, a_variant};
use sim::sign_on::SignOn;
use sim::stand::{Stand, a_cart};

/// A served shop, and somebody who may do everything in it.
pub struct Floor {
    stand: Stand,
    client: Client,
    mug: Id<Variant>,
    asked: Cell<u32>,
}

/// Walks the same seam on a fresh shop of every engine, with so many mugs at the first locations.
pub fn on_every_engine(mugs: [i64; 2], seam: impl Fn(&Floor)) {
    walk(mugs, &[], seam);
}

/// As [`on_every_engine`], with a mailbox that mail is handed over to.
pub fn with_mail(mugs: [i64; 2], seam: impl Fn(&Floor, &Mailbox)) {
    let mailbox = Mailbox::open().unwrap();
    walk(mugs, &[("TANDEM_MAIL_SERVER", mailbox.server())], |floor| seam(floor, &mailbox));
}

/// As [`on_every_engine`], with a sign-on of the retailer's own by the code `acme`, and a web shop at `https://shop.example`.
pub fn with_sign_on(mugs: [i64; 2], seam: impl Fn(&Floor, &SignOn)) {
    let sign_on = SignOn::serve("shop");
    walk(mugs, &[("TANDEM_SIGN_ON_TO_PRIVATE_ADDRESSES", "true".into())], |floor| {
        let new = json!({ "code": "acme", "name": "Acme", "issuer": sign_on.issuer, "client_id": "shop", "client_secret": "5b8f2c" });
        floor.must("/v1/sign-on-providers", &new);
        let version = floor.get("/v1/channels/web/origins")["version"].clone();
        let client = floor.keyed().with_header("if-match", format!("\"{version}\""));
        let set =
            client.put("/v1/channels/web/origins", &json!({ "origins": ["https://shop.example"] })).unwrap();
        assert_eq!(set.status, 200, "{}", set.text());
        seam(floor, &sign_on);
    });
}

fn walk(mugs: [i64; 2], environment: &[(&str, String)], seam: impl Fn(&Floor)) {
    for open in [TestShop::on_sqlite as fn(u64) -> TestShop, TestShop::on_postgres] {
        let program = Path::new(env!("CARGO_BIN_EXE_tandem"));
        let (stand, mug) = Stand::open_with(open(1), program, environment, |retailer, shop| {
            retailer.collecting(shop, &["web"]);
            let mug = retailer.sell(shop, "MUG", 500);
            let stocked = mugs.into_iter().enumerate().filter(|(_, pieces)| *pieces > 0);
            stocked.for_each(|(place, pieces)| retailer.stock(shop, mug, place, pieces));
            mug
        });
        let client = stand.client();
        let floor = Floor { stand, client, mug, asked: Cell::new(0) };
        seam(&floor);
        floor.stand.must_be_clean();
    }
}

impl Floor {
    /// Asks for something to be done, under a key of its own.
    pub fn ask(&self, path: &str, body: &Value) -> Reply {
        self.keyed().post(path, body).unwrap()
    }

    fn keyed(&self) -> Client {
        self.client.clone().with_header("idempotency-key", format!("step-{}", self.next()))
    }

    /// A number that was not given out before.
    pub fn next(&self) -> u32 {
        self.asked.set(self.asked.get() + 1);
        self.asked.get()
    }

    /// As [`Floor::ask`], for what must be done: the answer.
    pub fn must(&self, path: &str, body: &Value) -> Value {
        let reply = self.ask(path, body);
        assert!((200..300).contains(&reply.status), "{path} {body}: {} {}", reply.status, reply.text());
        reply.json().unwrap()
    }

    /// The next step of a fulfilment order.
    pub fn step(&self, part: &str, step: &str, body: &Value) -> Value {
        self.must(&format!("{part}/{step}"), body)
    }

    /// Puts something in its place, under a key of its own: the answer.
    pub fn put(&self, path: &str, body: &Value) -> Value {
        let reply = self.keyed().put(path, body).unwrap();
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text());
        reply.json().unwrap()
    }

    /// Changes what is still as it was made, under a key of its own.
    pub fn patch(&self, path: &str, body: &Value) -> Value {
        let version = self.get(path)["version"].as_i64().unwrap_or(1);
        let client = self.keyed().with_header("if-match", format!("\"{version}\""));
        let reply = client.patch(path, body).unwrap();
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text());
        reply.json().unwrap()
    }

    /// Reads something that is no JSON.
    pub fn picture(&self, path: &str) -> Vec<u8> {
        let reply = self.client.get(path).unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.bytes().to_vec()
    }

    /// Reads something.
    pub fn get(&self, path: &str) -> Value {
        let reply = self.client.get(path).unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json().unwrap()
    }

    /// The things on a page.
    pub fn list(&self, path: &str) -> Vec<Value> {
        self.get(path)["items"].as_array().expect("a page").clone()
    }

    /// A way to the shop for somebody else.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Sells something else as well, with so many pieces at the first locations.
    pub fn sells(&self, sku: &str, minor: i64, pieces: [i64; 2]) -> Id<Variant> {
        let (retailer, shop) = (&self.stand.retailer, &self.stand.shop);
        let variant = retailer.sell(shop, sku, minor);
        let stocked = pieces.into_iter().enumerate().filter(|(_, pieces)| *pieces > 0);
        stocked.for_each(|(place, pieces)| retailer.stock(shop, variant, place, pieces));
        variant
    }

    /// Ends the previews nobody answered, as the shop does by itself, when a year has passed.
    pub fn previews_expire(&self) {
        self.stand.shop.pass(366 * 86_400);
        self.stand.shop.run(engine::change::expire_due).unwrap();
    }

    /// A till at the location of this place, from 0: its code, and the cashier's way to the shop.
    pub fn till(&self, place: usize) -> (String, Client) {
        let till = self.stand.retailer.till(&self.stand.shop, place);
        (till.code, self.colleague(till.id))
    }

    /// A channel of a kind, such as the telephone, by its code; and the way to it of who may do no more than this there.
    pub fn channel(&self, code: &str, kind: ChannelKind, permissions: &[Permission]) -> Client {
        let retailer = &self.stand.retailer;
        let new = NewChannel { kind, ..a_channel(code, retailer.market, retailer.network) };
        let channel = retailer.channel(&self.stand.shop, new);
        self.key_of(channel.id, Permissions::of(permissions))
    }

    /// The way to the shop of a colleague at a channel.
    fn colleague(&self, channel: Id<Channel>) -> Client {
        self.key_of(channel, Permissions::EVERYTHING)
    }

    fn key_of(&self, channel: Id<Channel>, permissions: Permissions) -> Client {
        let made = self.stand.shop.run(move |tx, actor, world| {
            let new = NewKey {
                name: "cashier".into(),
                kind: KeyKind::Secret,
                permissions,
                channel: Some(Reference::Id(channel)),
                location: None,
            };
            key::create(tx, actor, world, new)
        });
        let bearer = format!("Bearer {}", made.unwrap().1);
        self.stand.server.client().with_header("authorization", bearer)
    }

    /// The counter of the store at this place, from 0: its channel, which holds what is in a cart for an hour, and a customer's page's way to
    /// the shop.
    pub fn counter(&self, place: usize) -> (String, Client) {
        let retailer = &self.stand.retailer;
        let counter = NewChannel {
            kind: ChannelKind::Till,
            location: Some(Reference::Id(retailer.locations[place])),
            hold_policy: HoldPolicy::AtCart,
            hold_minutes: 60,
            ..a_channel(&format!("counter-{place}"), retailer.market, retailer.network)
        };
        let channel = retailer.channel(&self.stand.shop, counter);
        let page =
            self.key(KeyKind::Storefront, Permissions::of(&[Permission::Shop, Permission::ReadCatalogue]));
        (channel.code, page)
    }

    /// A cashier's way to the shop, at the store of this place.
    pub fn cashier(&self, place: usize) -> Client {
        let permissions =
            Permissions::of(&[Permission::Shop, Permission::TakePayments, Permission::EditOrders]);
        let location = Some(Reference::Id(self.stand.retailer.locations[place]));
        self.key_at(KeyKind::Secret, permissions, location)
    }

    /// Somebody's browser, which holds no credential.
    pub fn browser(&self) -> Client {
        self.stand.server.client()
    }

    /// A customer's page of the web shop, which may do no more than a guest.
    pub fn page(&self) -> Client {
        let made = self.stand.shop.run(|tx, actor, world| {
            let new = NewKey {
                name: "pages".into(),
                kind: KeyKind::Storefront,
                permissions: Permissions::of(&[Permission::Shop]),
                channel: Some(Reference::External("web".into())),
                location: None,
            };
            key::create(tx, actor, world, new)
        });
        let bearer = format!("Bearer {}", made.unwrap().1);
        self.stand.server.client().with_header("authorization", bearer)
    }

    fn key(&self, kind: KeyKind, permissions: Permissions) -> Client {
        self.key_at(kind, permissions, None)
    }

    fn key_at(
        &self,
        kind: KeyKind,
        permissions: Permissions,
        location: Option<Reference<Location>>,
    ) -> Client {
        let made = self.stand.shop.run(move |tx, actor, world| {
            let new = NewKey {
                name: "somebody".into(),
                kind,
                permissions,
                channel: None,
                location: location.clone(),
            };
            key::create(tx, actor, world, new)
        });
        let bearer = format!("Bearer {}", made.unwrap().1);
        self.stand.server.client().with_header("authorization", bearer)
    }

    /// The code to sign in with that was mailed to an address last, as the customer reads it.
    pub fn code_mailed(&self, to: &str) -> String {
        let shop = &self.stand.shop;
        let keyring = shop.shop.keyring.clone();
        let hash = keyring.lookup_hash("email", &to.to_lowercase());
        let since = shop.shop.source.now().plus_seconds(-3600);
        let codes =
            shop.read(move |tx| Ok::<_, engine::Failure>(store::sign_in::codes(tx, &hash, since, 1)?));
        format!("{:06}", keyring.one_time_code(&codes.unwrap()[0].id.bytes()))
    }

    /// The way to the shop of a customer who is signed in.
    pub fn signed_in(&self, token: &str) -> Client {
        self.stand.server.client().with_header("authorization", format!("Bearer {token}"))
    }

    /// Puts stores on the map, each with its latitude and longitude; they are open all week and customers collect there.
    pub fn on_the_map(&self, stores: &[(&str, &str)]) {
        for (code, point) in stores {
            let (latitude, longitude) = point.split_once(',').expect("a point");
            let coordinates = Coordinates::parse(latitude, longitude).expect("a point");
            let hours = OpeningHours::parse("mo-su 00:00-24:00").expect("hours");
            let named = Reference::<Location>::read(code);
            let changed = self.stand.shop.run(move |tx, _, _| {
                let id = engine::external::resolve(tx, &named)?;
                let mut store = store::location::find(tx, id)?.expect("a store");
                (store.coordinates, store.hours, store.can_pick_up) =
                    (Some(coordinates), Some(hours.clone()), true);
                Ok(store::location::update(tx, &store)?)
            });
            assert!(changed.unwrap(), "{code} is changed");
        }
    }

    /// A cart of mugs in the web shop, sent by parcel or collected at a location.
    pub fn cart(&self, mugs: i64, collected_at: Option<&str>) -> Value {
        let mut cart = a_cart(&[(self.mug, mugs)], "ada@example.com");
        if let Some(location) = collected_at {
            cart["delivery"] = json!({ "method": "collect", "location": location });
        }
        cart
    }

    /// A paid order of mugs from the web shop, sent by parcel or collected at a location: its id.
    pub fn order(&self, mugs: i64, collected_at: Option<&str>) -> String {
        let made = self.must("/v1/carts", &self.cart(mugs, collected_at));
        let cart = made["id"].as_str().expect("an id");
        let paid = json!({ "payments": [{ "kind": "cash" }] });
        let placed = self.must(&format!("/v1/carts/{cart}/checkout"), &paid);
        assert_eq!(placed["state"], "placed", "{placed}");
        placed["id"].as_str().expect("an id").to_owned()
    }

    /// A gift card that is sold at a price, by its SKU; and the way to the shop of who takes orders on the telephone and sends parcels.
    pub fn gift_cards(&self, minor: i64) -> (&'static str, Client) {
        let (retailer, shop) = (&self.stand.retailer, &self.stand.shop);
        retailer.sell_variant(shop, NewVariant { service: true, ..a_variant("GIFT") }, minor);
        let desk = a_channel("phone", retailer.market, retailer.network);
        let phone = retailer.channel(shop, NewChannel { kind: ChannelKind::Phone, ..desk });
        let offered = json!({ "channels": ["web", "phone"] });
        let client = self.keyed().with_header("if-match", "\"1\"");
        let parcel = client.patch("/v1/delivery-methods/parcel", &offered).unwrap();
        assert_eq!(parcel.status, 200, "{}", parcel.text());
        self.put("/v1/gift-card-variants/GIFT", &json!(null));
        ("GIFT", self.colleague(phone.id))
    }

    /// Orders a cart through somebody's way to the shop, paid in this way: what was answered.
    pub fn buy(&self, client: &Client, cart: &Value, payments: &Value) -> Reply {
        self.asked.set(self.asked.get() + 1);
        let keyed = |step: &str| {
            client.clone().with_header("idempotency-key", format!("buy-{}-{step}", self.asked.get()))
        };
        let made: Value = keyed("cart").post("/v1/carts", cart).unwrap().json().unwrap();
        let path = format!("/v1/carts/{}/checkout", made["id"].as_str().expect("a cart"));
        keyed("order").post(&path, &json!({ "payments": payments })).unwrap()
    }

    /// A cart with mugs to be taken along in York: its id.
    pub fn cart_at_york(&self, mugs: i64) -> String {
        let mut cart = a_cart(&[(self.mug, mugs)], "ada@example.com");
        cart["delivery"] = json!({ "method": "collect", "location": "york" });
        let made = self.must("/v1/carts", &cart);
        made["id"].as_str().expect("an id").to_owned()
    }

    /// The path of an order's fulfilment order, by its place from 0.
    pub fn part(&self, order: &str, number: usize) -> String {
        let whole = self.get(&format!("/v1/orders/{order}"));
        let part = whole["fulfilment_orders"][number]["id"].as_str().expect("an id");
        format!("/v1/orders/{order}/fulfilment-orders/{part}")
    }

    /// The mugs in a state at the location of this place, from 0.
    pub fn count(&self, place: usize, state: Stock) -> i64 {
        self.count_of(self.mug, place, state)
    }

    /// The pieces of a variant in a state at the location of this place, from 0.
    pub fn count_of(&self, variant: Id<Variant>, place: usize, state: Stock) -> i64 {
        self.stand.retailer.count(&self.stand.shop, variant, place, state)
    }

    /// What was told of an order, in order.
    pub fn told(&self, order: &str) -> Vec<String> {
        let events = self.list(&format!("/v1/events?subject={order}&limit=200"));
        events.iter().map(|event| event["type"].as_str().expect("a kind").to_owned()).collect()
    }
}
