//! The story of a file: tried first, taken in, taken in again, cut off in the middle and gone on with.

use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::import::cell::Habits;
use domain::import::{Kind, Mapping, Mode, State};
use domain::order::{PaymentStatus, State as OrderState};
use domain::stock::State as Stock;
use domain::value::id::{self, Variant};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use engine::import::{self, File, Import, export};
use engine::{Failure, checkout};
use sim::{Retailer, TestShop, on_every_engine};
use std::sync::Arc;

pub fn file(kind: Kind, text: &str) -> Arc<File> {
    Arc::new(import::read(kind, &Mapping::default(), text.as_bytes()).expect("a file that can be read"))
}

fn begin(shop: &TestShop, file: &Arc<File>, mode: Mode) -> Import {
    let file = file.clone();
    shop.run(move |tx, actor, world| import::begin(tx, actor, world, &file, mode)).expect("an import")
}

fn go_on(shop: &TestShop, file: &Arc<File>, id: Id<id::Import>) -> Result<Import, Failure> {
    let file = file.clone();
    shop.run(move |tx, actor, world| import::go_on(tx, actor, world, id, &file))
}

/// Takes a whole file in.
pub fn take(shop: &TestShop, file: &Arc<File>, mode: Mode) -> Import {
    let mut import = begin(shop, file, mode);
    while import.state == State::Running {
        import = go_on(shop, file, import.id).expect("the next rows");
    }
    import
}

pub fn counts(import: &Import) -> [i64; 4] {
    [import.made, import.changed, import.same, import.refused]
}

pub fn told(shop: &TestShop, import: &Import) -> Vec<String> {
    let id = import.id;
    let errors = shop.read(move |tx| import::errors(tx, &Actor::system(), id, 0, 100)).expect("errors");
    let told = |error: &import::RowError| {
        let column = error.column.as_deref().unwrap_or("-");
        format!("{} {column} {:?}: {}", error.line, error.value.as_deref().unwrap_or_default(), error.message)
    };
    errors.iter().map(told).collect()
}

fn sku(shop: &TestShop, sku: &'static str) -> Option<Id<Variant>> {
    let found = shop.read(move |tx| Ok::<_, Failure>(store::catalogue::variant_by_sku(tx, sku)?));
    found.expect("variants").map(|variant| variant.id)
}

const PRODUCTS: &str = "sku,name,kind,price_minor,currency,price_list,barcodes,tax_class\n\
    MUG,Mug,goods,500,GBP,retail,4006381333931,standard\n\
    CUP,Cup,goods,\"3,00\",GBP,retail,,standard\n\
    WRAP,Gift wrap,service,,GBP,,,\n\
    BAD,,goods,,,,,\n\
    ODD,Odd,thing,,,,4.00638E+12,\n";

#[test]
fn products_are_tried_then_taken_then_known() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]);
        let products = file(Kind::Products, &PRODUCTS.replace("\"3,00\"", "300"));
        for _ in 0..2 {
            let tried = take(shop, &products, Mode::DryRun);
            assert_eq!((counts(&tried), tried.state), ([3, 0, 0, 2], State::Done));
            assert_eq!(sku(shop, "MUG"), None);
        }
        let refused = take(shop, &products, Mode::AllOrNothing);
        assert_eq!((counts(&refused), refused.state, sku(shop, "MUG")), ([0, 0, 0, 2], State::Refused, None));
        let taken = take(shop, &products, Mode::RowsThatPass);
        assert_eq!((counts(&taken), taken.state), ([3, 0, 0, 2], State::Done));
        assert_eq!(
            told(shop, &taken),
            [
                "5 name \"\": is empty; give what the product is called",
                "6 kind \"thing\": give goods or service",
                "6 barcodes \"4.00638E+12\": gtin \"4.00638E+12\" was rounded by a spreadsheet and its digits are lost: \
                 format the column as text and export again",
            ]
        );
        let again = take(shop, &products, Mode::RowsThatPass);
        assert_eq!(counts(&again), [0, 0, 3, 2], "nothing is made twice");
        let dearer = file(Kind::Products, &PRODUCTS.replace("\"3,00\"", "350").replace("Mug,", "Big mug,"));
        assert_eq!(counts(&take(shop, &dearer, Mode::RowsThatPass)), [0, 2, 1, 2]);
    });
}

#[test]
fn variants_of_one_product_come_row_by_row() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]);
        let text = "sku;name;product;option1_name;option1_value;weight_grams\n\
            TEE-S;T-shirt;TEE;size;S;150\nTEE-M;T-shirt;TEE;size;M;160\nTEE-X;T-shirt;TEE;size;M;160\nTEE-L;T-shirt;TEE;colour;red;\n";
        let taken = take(shop, &file(Kind::Products, text), Mode::RowsThatPass);
        assert_eq!(counts(&taken), [2, 0, 0, 2]);
        assert_eq!(
            told(shop, &taken),
            [
                "4 option1_value \"M\": another variant is M already",
                "5 option1_value \"red\": \"red\" is no value of the option \"size\""
            ]
        );
        assert_eq!(counts(&take(shop, &file(Kind::Products, text), Mode::RowsThatPass)), [0, 0, 2, 2]);
        let other = file(Kind::Products, "sku,name,unit\nTEE-S,T-shirt,gram\n");
        let refused = take(shop, &other, Mode::RowsThatPass);
        assert_eq!(
            told(shop, &refused),
            ["2 unit \"gram\": the variant has \"piece\" and keeps it; use another sku"]
        );
    });
}

#[test]
fn all_or_nothing_is_undone_by_one_row_the_books_refuse() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let (mug, cup) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 300));
        let text =
            |last: &str| format!("location,sku,quantity\nleeds,MUG,7\nyork,CUP,\"1,000\"\nyork,{last},1\n");
        let refused = take(shop, &file(Kind::Stock, &text("JUG")), Mode::AllOrNothing);
        assert_eq!((counts(&refused), refused.state), ([0, 0, 0, 1], State::Refused));
        assert_eq!(told(shop, &refused), ["4 sku \"JUG\": no variant has this sku; take in products first"]);
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 0);
        let good = file(Kind::Stock, &text("MUG"));
        assert_eq!(counts(&take(shop, &good, Mode::AllOrNothing)), [3, 0, 0, 0]);
        assert_eq!(counts(&take(shop, &good, Mode::AllOrNothing)), [0, 0, 3, 0], "stock is set, never added");
        assert_eq!(
            (retailer.count(shop, mug, 0, Stock::Available), retailer.count(shop, cup, 1, Stock::Available)),
            (7, 1_000)
        );
        let recounted = file(Kind::Stock, "location,sku,quantity\nleeds,MUG,5\nleeds,MUG,6\n");
        let taken = take(shop, &recounted, Mode::RowsThatPass);
        assert_eq!((counts(&taken), retailer.count(shop, mug, 0, Stock::Available)), ([0, 1, 0, 1], 5));
        assert_eq!(told(shop, &taken), ["3 sku \"MUG\": is the same as line 2; remove one of them"]);
    });
}

#[test]
fn an_import_that_was_cut_off_goes_on_where_it_stopped() {
    on_every_engine(|shop| {
        let rows: String = (0..1_100).map(|number| format!("C-{number},c{number}@example.com\n")).collect();
        let customers = file(Kind::Customers, &format!("external_id,email\n{rows}"));
        let begun = begin(shop, &customers, Mode::RowsThatPass);
        let first = go_on(shop, &customers, begun.id).unwrap();
        assert_eq!((first.rows_read, first.made, first.state), (500, 500, State::Running));
        // The program is killed here; what was done is known, and the same file goes on with it.
        let other = file(Kind::Customers, &format!("external_id,email\n{rows}C-x,x@example.com\n"));
        let refused = go_on(shop, &other, begun.id).unwrap_err();
        assert_eq!(refused.code(), Some(Code::Invalid));
        let second = go_on(shop, &customers, begun.id).unwrap();
        assert_eq!((second.rows_read, second.made), (1_000, 1_000));
        let last = go_on(shop, &customers, begun.id).unwrap();
        assert_eq!((counts(&last), last.state), ([1_100, 0, 0, 0], State::Done));
        assert_eq!(go_on(shop, &customers, begun.id).unwrap(), last, "one that has ended stays as it is");
        assert_eq!(counts(&take(shop, &customers, Mode::DryRun)), [0, 0, 1_100, 0]);
    });
}

#[test]
fn nothing_of_a_person_stands_in_what_is_told() {
    on_every_engine(|shop| {
        let text = "external_id,given_name,family_name,email,phone,country,postal_code\n\
            7,Ada,Lovelace,ada@example.com,020 7946 0958,GB,\n\
            8,Grace,Hopper,grace-at-example,12,GB,\n\
            ,Alan,Turing,,,GB,\n\
            9,Ada,Again,ada@example.com,,GB,\n";
        let taken = take(shop, &file(Kind::Customers, text), Mode::RowsThatPass);
        assert_eq!(counts(&taken), [1, 0, 0, 3]);
        let told = told(shop, &taken);
        for secret in ["Grace", "Hopper", "grace", "12", "Turing", "ada@"] {
            assert!(told.iter().all(|line| !line.contains(secret)), "{told:?}");
        }
        assert_eq!(
            told[0],
            "3 email \"\": cannot be taken; give an e-mail address; without an external id the customer is known by it"
        );
        assert!(told.last().unwrap().starts_with("5 email \"\": another customer has this e-mail address"));
        let moved = "external_id,email\n7,ada@new.example\n";
        assert_eq!(counts(&take(shop, &file(Kind::Customers, moved), Mode::RowsThatPass)), [0, 1, 0, 0]);
        let read = shop.run(|tx, actor, world| {
            let id = engine::external::resolve(tx, &Reference::External("7".into()))?;
            engine::customer::read_contact(tx, actor, world, id)
        });
        let card = read.unwrap();
        assert_eq!(
            card.text().name.as_deref(),
            Some("Ada Lovelace"),
            "what the file has no column for stays"
        );
        assert_eq!(card.text().email.as_deref(), Some("ada@new.example"));
    });
}

#[test]
fn locations_and_prices_are_made_changed_and_known() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        retailer.sell(shop, "MUG", 500);
        let text = "external_id,name,kind,street,city,postal_code,country,latitude,longitude,time_zone,opening_hours,capabilities\n\
            bath,Bath,store,7 Quillpin Passage,Bath,BA1 9ZZ,GB,51.3751,-2.36172,Europe/London,mo-sa 09:00-18:00,ship pickup\n\
            web,Web,virtual,,,,GB,,,Europe/London,,\n\
            hull,Hull,store,1 Street,,,GB,99,0,Europe/Hull,always,fly\n";
        let taken = take(shop, &file(Kind::Locations, text), Mode::RowsThatPass);
        assert_eq!((counts(&taken), taken.errors), ([2, 0, 0, 1], 5));
        assert_eq!(counts(&take(shop, &file(Kind::Locations, text), Mode::RowsThatPass)), [0, 0, 2, 1]);
        let changed = text.replace("18:00", "19:00");
        assert_eq!(counts(&take(shop, &file(Kind::Locations, &changed), Mode::RowsThatPass)), [0, 1, 1, 1]);

        let prices = "price_list,sku,price,currency,minimum_quantity,starts_at\n\
            retail,MUG,\"4,50 £\",GBP,1,\nretail,MUG,4.00,gbp,10,\nretail,MUG,3,EUR,20,\nretail,MUG,3,,30,03/04/2026\n";
        let taken = take(shop, &file(Kind::Prices, prices), Mode::RowsThatPass);
        assert_eq!(counts(&taken), [1, 1, 0, 2]);
        assert_eq!(told(shop, &taken)[0], "4 currency \"EUR\": the price list is in GBP");
        assert!(taken.notes.contains("price: decimal commas were read as such, once"), "{}", taken.notes);
    });
}

#[test]
fn orders_of_the_past_are_placed_paid_and_gone_once() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let (mug, _) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 300));
        take(
            shop,
            &file(Kind::Stock, "location,sku,quantity\nleeds,MUG,5\nleeds,CUP,5\n"),
            Mode::AllOrNothing,
        );
        let text = format!(
            "external_id,placed_at,channel,sku,quantity,unit_price,payment,fulfilled\n\
             A-1,2025-12-01T10:00:00Z,{0},MUG,2,4.50,cash,yes\nA-1,2025-12-01T10:00:00Z,{0},CUP,1,3.00,cash,yes\n\
             A-2,2025-12-02T10:00:00Z,{0},MUG,1,4.50,,\n\
             A-3,2025-12-02T10:00:00Z,{0},MUG,9,4.50,,\n\
             A-1,2025-12-01T10:00:00Z,{0},CUP,1,3.00,cash,yes\n",
            till.code
        );
        let orders = file(Kind::Orders, &text);
        let taken = take(shop, &orders, Mode::RowsThatPass);
        assert_eq!(
            told(shop, &taken),
            [
                "5 quantity \"9\": 2 of sku MUG can be had, 9 asked",
                "6 external_id \"A-1\": the order began at line 2 already; keep its lines one below another"
            ]
        );
        assert_eq!(counts(&taken), [3, 0, 0, 2]);
        let again = take(shop, &orders, Mode::RowsThatPass);
        assert_eq!(counts(&again), [0, 0, 3, 2], "no order is placed twice");
        for (number, gross) in [("A-1", 1_200), ("A-2", 450)] {
            let whole = shop.read(move |tx| {
                let id = engine::external::resolve(tx, &Reference::External(number.into()))?;
                checkout::read(tx, &Actor::system(), id)
            });
            let whole = whole.unwrap();
            assert_eq!((whole.order.gross, whole.order.state), (gross, OrderState::Completed));
            assert_eq!(whole.payment_status(), PaymentStatus::Paid);
            assert!(whole.order.placed_at.to_string().starts_with("2025-12-0"));
        }
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 2);
    });
}

#[test]
fn what_was_given_out_is_known_when_it_is_taken_in_again() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let till = retailer.till(shop, 0);
        let text = "sku,name,product,option1_name,option1_value,price_list,price,barcodes\n\
            TEE-S,T-shirt,TEE,size,S,retail,9.50,036000291452|SHELF 7\nTEE-M,T-shirt,TEE,size,M,retail,9.50,\n";
        take(shop, &file(Kind::Products, text), Mode::AllOrNothing);
        take(
            shop,
            &file(Kind::Stock, "location,sku,quantity\nleeds,TEE-S,5\nyork,TEE-M,5\n"),
            Mode::AllOrNothing,
        );
        take(
            shop,
            &file(Kind::Customers, "external_id,name,groups\n7,Ada Lovelace,trade|staff\n"),
            Mode::AllOrNothing,
        );
        take(
            shop,
            &file(Kind::PostalAreas, "country,prefix,latitude,longitude\ngb,,54,-2\nGB,ls 1,53.797,-1.54\n"),
            Mode::AllOrNothing,
        );
        let promotions = "external_id,name,percent,needs_coupon,budget,currency,active\nspring,Spring,10,yes,50.00,GBP,yes\n";
        take(shop, &file(Kind::Promotions, promotions), Mode::AllOrNothing);
        let coupons = file(Kind::Coupons, "code,promotion,uses_max\nspring-1,spring,1\nSPRING-2,spring,\n");
        take(shop, &coupons, Mode::AllOrNothing);
        let order = format!(
            "external_id,placed_at,channel,sku,quantity,customer\nA-1,2025-12-01,{},TEE-S,1,7\n",
            till.code
        );
        let placed = take(shop, &file(Kind::Orders, &order), Mode::AllOrNothing);
        assert_eq!(counts(&placed), [1, 0, 0, 0], "{:?}", told(shop, &placed));
        let balances = "reference,kind,customer,amount,currency,code\n1,store_credit,7,5.00,GBP,\n2,gift_card,,5.00,GBP,6006-4912\n";
        take(shop, &file(Kind::Balances, balances), Mode::AllOrNothing);
        shop.run(|tx, _, _| engine::consent::purpose::lay(tx)).unwrap();
        let consents = "purpose,medium,status,said_at,customer,email\nmarketing,mail,yes,2026-01-02,7,\n\
            marketing,,no,2026-01-02,,stranger@nowhere.example\n";
        take(shop, &file(Kind::Consents, consents), Mode::AllOrNothing);
        let lists = "list,name,person,email\npress,The press,7,\npress,,,nobody@example.com\n";
        let listed = take(shop, &file(Kind::Lists, lists), Mode::RowsThatPass);
        assert_eq!(counts(&listed), [1, 0, 0, 1], "{:?}", told(shop, &listed));
        for kind in Kind::ALL {
            let (mut text, mut after, mut rows) =
                (format!("{}\n", export::header(*kind).join(",")), Some(export::start(*kind)), 0);
            while let Some(from) = after {
                let kind = *kind;
                let page = shop
                    .run(move |tx, actor, world| export::page(tx, actor, world, kind, (from, 1)))
                    .unwrap();
                rows += page.rows.len();
                let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
                for row in &page.rows {
                    text += &(row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n");
                }
                after = page.next;
            }
            let again = take(shop, &file(*kind, &text), Mode::AllOrNothing);
            let expected = i64::try_from(rows).unwrap();
            assert_eq!(counts(&again), [0, 0, expected, 0], "{text}\n{:?}", told(shop, &again));
            assert!(rows > 0, "{}", kind.text());
        }
    });
}

#[test]
fn who_may_not_is_refused_and_each_row_asks_for_its_own_permission() {
    on_every_engine(|shop| {
        let places = file(Kind::Locations, "code,name,kind,time_zone\nbath,Bath,store,Europe/London\n");
        let may = |permissions: &[Permission]| Actor {
            who: Who::System,
            channel: None,
            grants: vec![Grant { location: None, permissions: Permissions::of(permissions) }],
        };
        let run = |actor: &Actor| {
            let places = places.clone();
            shop.run_as(actor, move |tx, actor, world| {
                let import = import::begin(tx, actor, world, &places, Mode::RowsThatPass)?;
                import::go_on(tx, actor, world, import.id, &places)
            })
        };
        assert_eq!(run(&may(&[Permission::EditPlaces])).unwrap_err().code(), Some(Code::Forbidden));
        let refused = run(&may(&[Permission::Import])).unwrap();
        assert_eq!(counts(&refused), [0, 0, 0, 1]);
        assert!(told(shop, &refused)[0].contains("places:write"), "{:?}", told(shop, &refused));
        assert_eq!(counts(&run(&may(&[Permission::Import, Permission::EditPlaces])).unwrap()), [1, 0, 0, 0]);
    });
}

#[test]
fn errors_name_the_line_whatever_ends_the_lines() {
    on_every_engine(|shop| {
        for end in ["\n", "\r\n", "\r"] {
            let lines =
                ["location,sku,quantity", "\"le", "eds\",A,1", "", "york,B,x", ",,", "york,C,y"].join(end);
            let taken = take(shop, &file(Kind::Stock, &lines), Mode::DryRun);
            let told = told(shop, &taken);
            let begins: Vec<&str> = told.iter().map(|line| &line[..1]).collect();
            assert_eq!(begins, ["2", "5", "7"], "{end:?} {told:?}");
        }
    });
}

#[test]
fn files_are_read_however_they_are_written() {
    let read = |bytes: &[u8]| import::read(Kind::Stock, &Mapping::default(), bytes);
    let wide: Vec<u8> = "\u{feff}location\tsku\tquantity\r\nleeds\tMÜG\t7\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let found = read(&wide).unwrap();
    assert_eq!(found.notes(), ["the file is read as UTF-16 (little endian)", "cells are set apart by tab"]);
    let found = read(b"sep=;\nlocation;sku;quantity\nleeds;M\xdcG;1.000\n\n;;\nyork;A\n").unwrap();
    assert_eq!(found.rows_total(), 2);
    assert_eq!(
        found.notes(),
        [
            "the file is read as Windows-1252",
            "cells are set apart by \";\"",
            "1 rows have fewer cells than the first line; what is missing counts as empty",
            "quantity: marks between thousands were left out, once",
        ]
    );
    let lines =
        b"{\"location\": \"leeds\", \"sku\": \"A\", \"quantity\": 7}\n{\"sku\": 1, \"quantity\": {}}\n[]\n";
    assert_eq!(read(lines).unwrap().rows_total(), 3);
    let said = |bytes: &[u8]| read(bytes).unwrap_err().message().to_owned();
    assert_eq!(said(b"location,sku,quantity\n"), "the file has no rows");
    assert!(said(b"PK\x03\x04").contains("save it as csv"));
    assert!(said(b"location,sku,quantty\nleeds,A,1\n").contains("the column \"quantity\" is missing"));
    let mapping = Mapping {
        constants: vec![("location".into(), "leeds".into())],
        habits: Habits { decimal: Some(','), ..Habits::default() },
        ..Mapping::default()
    };
    assert!(import::read(Kind::Stock, &mapping, b"sku,quantity\nA,\"1,5\"\n").is_ok());
    let whole = import::read(Kind::Locations, &Mapping::default(), b"name\nx\n").map(drop);
    assert!(whole.unwrap_err().each().filter_map(Refusal::field).eq(["kind", "time_zone"]));
}

#[test]
fn lists_promotions_and_coupons_are_tried_taken_and_known() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        retailer.sell(shop, "MUG", 500);
        let market = retailer.market.to_string();
        let lists = format!(
            "code,name,currency,market,customer_group\nmembers,Members,GBP,{market},members\nodd,Odd,GBP,,\n"
        );
        let lists = file(Kind::PriceLists, &lists);
        assert_eq!(counts(&take(shop, &lists, Mode::DryRun)), [1, 0, 0, 1]);
        let taken = take(shop, &lists, Mode::RowsThatPass);
        assert_eq!(counts(&taken), [1, 0, 0, 1]);
        assert_eq!(told(shop, &taken), ["3 market \"\": give either market or channel"]);
        assert_eq!(counts(&take(shop, &lists, Mode::RowsThatPass)), [0, 0, 1, 1]);

        let promotions = "external_id,name,percent,off,skus,currency,needs_coupon,uses_max,budget,active,terms\n\
            spring,Spring,12.5,,MUG,GBP,yes,,500.00,yes,\n\
            fiver,Fiver off,,5,,GBP,,1,,,\n\
            both,Both,10,5,,GBP,,,,,\n\
            lost,Lost,10,,GONE,,,,,,\n\
            bare,Bare,,5,,,,,,,\n\
            sets,Sets,,,,,,,,yes,\"{\"\"benefit\"\":{\"\"set\"\":{\"\"parts\"\":[{\"\"pieces\"\":3}],\"\"gives\"\":{\"\"cheapest\"\":{\"\"pieces\"\":1,\"\"rate\"\":1000000}}}}}\"\n";
        let file_of = |text: &str| file(Kind::Promotions, text);
        assert_eq!(counts(&take(shop, &file_of(promotions), Mode::DryRun)), [3, 0, 0, 3]);
        let taken = take(shop, &file_of(promotions), Mode::RowsThatPass);
        assert_eq!(counts(&taken), [3, 0, 0, 3]);
        assert_eq!(
            told(shop, &taken),
            [
                "4 percent \"10\": give one of percent, off and new_price, or the terms",
                "5 skus \"GONE\": no variant has this sku; take in products first",
                "6 currency \"\": name what the amount is in",
            ]
        );
        assert_eq!(counts(&take(shop, &file_of(promotions), Mode::RowsThatPass)), [0, 0, 3, 3]);
        let higher = promotions.replace("12.5", "15").replace(",1,,,\n", ",2,,yes,\n");
        assert_eq!(counts(&take(shop, &file_of(&higher), Mode::RowsThatPass)), [0, 2, 1, 3]);

        let coupons = file(
            Kind::Coupons,
            "code,promotion,uses_max\nspring-1,spring,1\nSPRING-2,spring,\nFIVER-1,fiver,\nLOST-1,nobody,\n",
        );
        let taken = take(shop, &coupons, Mode::RowsThatPass);
        assert_eq!((counts(&taken), told(shop, &taken).len()), ([2, 0, 0, 2], 2));
        assert_eq!(counts(&take(shop, &coupons, Mode::RowsThatPass)), [0, 0, 2, 2]);
    });
}
