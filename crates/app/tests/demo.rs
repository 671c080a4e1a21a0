//! The demo retailer's year against the figures the source is known by, and the promises its rules make.

use std::collections::{BTreeMap, HashMap};

use domain::value::{Address, AddressDraft, Coordinates, Email, OpeningHours, Phone, Zone};
use tandem::demo::amount::Exact;
use tandem::demo::assignment::Channel;
use tandem::demo::class::{Class, Treatment};
use tandem::demo::locations::Kind as LocationKind;
use tandem::demo::report::Report;
use tandem::demo::source::{Kind, Source, Totals};
use tandem::demo::supplies::{self, Supply};
use tandem::demo::tables;

fn year() -> Source {
    Source::open(None).expect("the data within the program is whole")
}

#[test]
fn every_line_of_the_year_is_under_one_rule_and_adds_up() {
    let source = year();
    let known = Totals {
        lines: 541_909,
        invoices: 25_900,
        stock_codes: 4_070,
        customers: 4_372,
        countries: 38,
        cancelled_lines: 9_288,
        lines_without_customer: 135_080,
        value: Exact::from_ten_thousandths(97_477_479_340),
    };
    assert_eq!(source.totals(), known);
    assert_eq!(source.stock.skus().len(), 3_958);
    let report = Report::of(&source);
    let all = report.all_classes();
    assert_eq!((all.lines, all.value), (541_909, known.value));
    let kinds =
        [Kind::Sale, Kind::Return, Kind::StockEntry, Kind::Bookkeeping].map(|kind| report.invoices(kind));
    assert_eq!(kinds, [19_948, 3_746, 2_089, 117]);
    // Nothing is lost between the classes and the trade of channels and months.
    assert_eq!(report.trade(|_, _| true).revenue_minor(), all.charged_minor);
    assert_eq!(Exact::from_minor(all.charged_minor) + all.kept_out(), known.value);
    for class in Class::ALL {
        assert!(report.class(class).lines > 0, "no line is {class:?}: the rule is dead");
        if class.treatment() == Treatment::StockEntry {
            assert_eq!(report.class(class).value, Exact::default(), "{class:?} must move no money");
        }
    }
}

#[test]
fn the_readme_tells_the_rules_and_the_figures_as_they_are() {
    let readme = include_str!("../../../demo/README.md");
    for class in Class::ALL {
        assert!(
            readme.contains(&format!("\n| {} | ", class.name())),
            "demo/README.md explains no rule \"{}\"",
            class.name()
        );
    }
    let text = Report::of(&year()).text();
    assert!(readme.contains(&text), "demo/README.md must hold these tables:\n{text}");
}

#[test]
fn returns_come_from_earlier_sales_and_never_more_than_was_sold() {
    let source = year();
    let mut taken: HashMap<(usize, usize), i64> = HashMap::new();
    for (at, invoice) in source.invoices().iter().enumerate() {
        for line in &invoice.lines {
            let wanted = match line.class {
                Class::ReturnMatched | Class::DeliveryRefunded | Class::ServiceRefunded => {
                    line.matched() == -line.quantity
                }
                Class::ReturnMatchedInPart => (1..-line.quantity).contains(&line.matched()),
                _ => line.matches.is_empty(),
            };
            assert!(wanted, "{} {:?}", invoice.number, line);
            for found in &line.matches {
                let sale = &source.invoices()[found.invoice];
                let sold = &sale.lines[found.line];
                assert!(found.invoice < at && sale.at <= invoice.at && sale.kind == Kind::Sale);
                assert_eq!((sale.customer, sold.unit_price), (invoice.customer, line.unit_price));
                assert_eq!(source.stock.sku(sold), source.stock.sku(line));
                let so_far = taken.entry((found.invoice, found.line)).or_insert(0);
                *so_far += found.quantity;
                assert!(
                    *so_far <= sold.quantity,
                    "{} takes back more than {} sold",
                    invoice.number,
                    sale.number
                );
            }
        }
    }
}

#[test]
fn invoices_fall_on_channels_as_a_shop_with_stores_would_see_them() {
    let source = year();
    let report = Report::of(&source);
    let orders = |channel| report.trade(|_, at| at == channel).orders;
    let all = report.trade(|_, _| true).orders;
    for (channel, share) in [(Channel::Web, 55), (Channel::Till, 35), (Channel::Phone, 10)] {
        let seen = orders(channel) * 100 / all;
        assert!(seen.abs_diff(share) <= 2, "{channel:?}: {seen} % of orders, {share} % wanted");
    }
    let mut sales_at = BTreeMap::<&str, u32>::new();
    for invoice in source.invoices() {
        let location = source.locations.at(invoice.location);
        match invoice.channel {
            Channel::Till => assert!(location.kind == LocationKind::Store && invoice.country.is_home()),
            Channel::Web | Channel::Phone => assert_eq!(location.kind, LocationKind::Warehouse),
            Channel::BackOffice => {
                assert!(matches!(invoice.kind, Kind::StockEntry | Kind::Bookkeeping))
            }
        }
        *sales_at.entry(&location.external_id).or_insert(0) += 1;
    }
    assert_eq!(sales_at.len(), 14, "every store and warehouse has work: {sales_at:?}");
}

#[test]
fn every_sale_finds_its_goods_even_if_returns_come_late() {
    let source = year();
    let plan = supplies::plan(&source);
    let months = source.months();
    let mut shelves: HashMap<(usize, usize), i64> = HashMap::new();
    let mut deliveries = plan.iter().peekable();
    for invoice in source.invoices() {
        let month = months.binary_search(&invoice.month()).expect("a month of the source");
        while let Some(Supply { location, sku, quantity, .. }) =
            deliveries.next_if(|supply| supply.month <= month)
        {
            *shelves.entry((*location, *sku)).or_insert(0) += quantity;
        }
        for line in invoice.lines.iter().filter(|line| line.shelf_change() < 0) {
            let shelf = shelves
                .get_mut(&(invoice.location, source.stock.sku_of(line.code)))
                .expect("supplied once at least");
            *shelf += line.shelf_change();
            assert!(*shelf >= 0, "{} sells {} which is not there", invoice.number, source.stock.sku(line));
        }
    }
    assert_eq!(deliveries.next(), None);
}

#[test]
fn the_last_months_stand_alone() {
    let source = Source::open(Some(2)).expect("the data within the program is whole");
    assert_eq!(source.months().iter().map(ToString::to_string).collect::<Vec<_>>(), ["2011-11", "2011-12"]);
    let totals = source.totals();
    assert_eq!((totals.lines, totals.invoices), (84_711 + 25_525, 3_462 + 1_015));
    assert_eq!(totals.value, Exact::from_ten_thousandths(14_617_562_500 + 4_336_680_100));
    let report = Report::of(&source);
    assert_eq!(report.all_classes().value, totals.value);
    assert_eq!(report.trade(|_, _| true).revenue_minor(), report.all_classes().charged_minor);
    assert!(
        source
            .invoices()
            .iter()
            .flat_map(|invoice| &invoice.lines)
            .flat_map(|line| &line.matches)
            .all(|found| found.invoice < totals.invoices)
    );
    let json = report.json();
    assert_eq!(json["value_ten_thousandths"], 18_954_242_600_i64);
    assert_eq!(json["rules"].as_array().map(Vec::len), Some(Class::ALL.len()));
    let none = Source::open(Some(0)).expect_err("no months").to_string();
    assert_eq!(none, "demo data: months is 0; ask for 1 or more, or leave it out for all");
}

#[test]
fn nobody_is_called_like_goods_or_locations() {
    let source = year();
    let mut customers = Vec::new();
    tables::write_customers(&source, &mut customers).expect("memory takes all");
    let mut goods = Vec::new();
    tables::write_products(&source, &mut goods).expect("memory takes all");
    let described = source
        .invoices()
        .iter()
        .flat_map(|invoice| &invoice.lines)
        .map(|line| source.stock.description(line));
    let mut haystack: Vec<_> = described.collect();
    haystack.sort_unstable();
    haystack.dedup();
    let haystack = format!(
        "{}\n{}\n{}",
        haystack.join("\n"),
        include_str!("../../../demo/locations.csv"),
        String::from_utf8_lossy(&goods)
    )
    .to_lowercase();
    let mut families: Vec<_> = csv::Reader::from_reader(customers.as_slice())
        .records()
        .map(|record| record.expect("a good table")[2].to_lowercase())
        .collect();
    assert_eq!(families.len(), 4_372);
    families.sort_unstable();
    families.dedup();
    assert!(families.len() > 100, "the whole list of names is in use");
    for family in families {
        assert!(
            !haystack.contains(&family),
            "{family} is also goods or a location: a search for people would find it"
        );
    }
}

#[test]
fn the_shops_own_rules_accept_its_locations_and_people() {
    let source = Source::open(Some(2)).expect("the data within the program is whole");
    let mut table = csv::Reader::from_reader(include_str!("../../../demo/locations.csv").as_bytes());
    for row in table.deserialize::<HashMap<String, String>>() {
        let row = row.expect("a good table");
        Zone::parse(&row["time_zone"]).expect("a time zone");
        if row["kind"] != "virtual" {
            OpeningHours::parse(&row["opening_hours"]).expect("opening hours");
            Coordinates::parse(&row["latitude"], &row["longitude"]).expect("a spot on earth");
            addressed(&row["name"], &row["street"], &row["city"], &row["postal_code"], &row["country"]);
        }
    }
    let people = source.invoices().iter().filter_map(|invoice| tables::person_of(invoice, &source));
    for person in people {
        let name = format!("{} {}", person.given_name, person.family_name);
        addressed(&name, &person.street, &person.city, &person.postal_code, person.country);
        Email::parse(&person.email).expect("a mail address");
        Phone::parse(&person.phone, None).unwrap_or_else(|refused| panic!("{}: {refused}", person.phone));
    }
}

fn addressed(name: &str, street: &str, city: &str, postal_code: &str, country: &str) {
    let draft = AddressDraft {
        names: vec![name.to_owned()],
        company: None,
        street: vec![street.to_owned()],
        city: Some(city.to_owned()),
        region: None,
        postal_code: Some(postal_code.to_owned()),
        country: country.to_owned(),
    };
    Address::new(&draft).expect("an address that fits on a label");
}

#[test]
fn goods_have_a_name_and_a_list_price() {
    let source = year();
    let products = tables::products(&source);
    let find = |sku: &str| products.iter().find(|product| product.sku == sku).expect("known goods");
    let holder = find("85123A");
    assert_eq!(
        (holder.name.as_str(), holder.kind, holder.price_minor),
        ("WHITE HANGING HEART T-LIGHT HOLDER", "goods", Some(295))
    );
    assert_eq!(find("M").kind, "service");
    assert!(products.iter().all(|product| !product.name.is_empty()));
    let named = |channel| {
        let guests = source
            .invoices()
            .iter()
            .filter(|invoice| invoice.customer.is_none() && invoice.channel == channel);
        guests.map(|invoice| tables::person_of(invoice, &source).is_some()).collect::<Vec<_>>()
    };
    assert!(named(Channel::Web).iter().all(|named| *named), "a parcel needs a name");
    assert!(named(Channel::Till).iter().all(|named| !named), "a guest at a till stays nameless");
}
