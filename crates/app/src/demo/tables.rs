//! The demo retailer's master data as the tables an ordinary import takes: goods, customers, and what suppliers bring.
//! They are made from the packed invoices when asked for, so the same facts are not kept twice.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::assignment::Channel;
use super::class::Treatment;
use super::people;
use super::rules::{Meaning, meaning};
use super::source::{Invoice, Kind, Line, Source};
use super::supplies::Supply;

/// A line of the table of goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Product {
    /// The stock code in capitals.
    pub sku: String,
    /// The description most sales carry.
    pub name: String,
    /// `goods` have stock, a `service` has none.
    pub kind: &'static str,
    /// The unit price most sales carry; none where it was never sold at a price.
    pub price_minor: Option<i64>,
    /// Always pounds sterling.
    pub currency: &'static str,
}

/// Everything the invoices move or charge, by SKU. Delivery charges are left out where they are part of an order.
#[must_use]
pub fn products(source: &Source) -> Vec<Product> {
    let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for line in source.invoices().iter().flat_map(|invoice| &invoice.lines) {
        let sold = match line.class.treatment() {
            Treatment::OrderLine | Treatment::ServiceLine => true,
            Treatment::Return | Treatment::ReturnWithoutOrder | Treatment::StockEntry => false,
            Treatment::DeliveryCharge | Treatment::Refund | Treatment::Credit | Treatment::NotSent => {
                continue;
            }
        };
        seen.entry(source.stock.sku(line)).or_default().record(source, line, sold);
    }
    let product = |(sku, seen): (&str, Seen<'_>)| Product {
        name: seen.name().unwrap_or(sku).to_owned(),
        kind: if meaning(sku) == Meaning::Goods { "goods" } else { "service" },
        price_minor: most_frequent(&seen.prices).copied(),
        currency: "GBP",
        sku: sku.to_owned(),
    };
    seen.into_iter().map(product).collect()
}

/// How often a SKU was called and sold for what.
#[derive(Default)]
struct Seen<'a> {
    names_sold: BTreeMap<&'a str, usize>,
    names: BTreeMap<&'a str, usize>,
    prices: BTreeMap<i64, usize>,
}

impl<'a> Seen<'a> {
    fn record(&mut self, source: &'a Source, line: &Line, sold: bool) {
        let name = source.stock.description(line);
        if !name.is_empty() {
            let names = if sold { &mut self.names_sold } else { &mut self.names };
            *names.entry(name).or_insert(0) += 1;
        }
        if sold && line.unit_price_minor() > 0 {
            *self.prices.entry(line.unit_price_minor()).or_insert(0) += 1;
        }
    }

    /// Stock corrections carry remarks instead of names, so they are asked last.
    fn name(&self) -> Option<&'a str> {
        most_frequent(&self.names_sold).or_else(|| most_frequent(&self.names)).copied()
    }
}

/// Of equally frequent ones the first.
fn most_frequent<K: Ord>(counted: &BTreeMap<K, usize>) -> Option<&K> {
    counted.iter().rev().max_by_key(|(_, count)| **count).map(|(key, _)| key)
}

/// Writes goods as CSV: `sku,name,kind,price_minor,currency`.
///
/// # Errors
/// The writer fails.
pub fn write_products(source: &Source, out: impl Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    for product in products(source) {
        table.serialize(product)?;
    }
    Ok(table.flush()?)
}

/// Writes the numbered customers as CSV, each at the address of their latest invoice. `external_id` is the number.
///
/// # Errors
/// The writer fails.
pub fn write_customers(source: &Source, out: impl Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "external_id",
        "given_name",
        "family_name",
        "email",
        "phone",
        "street",
        "city",
        "postal_code",
        "country",
    ])?;
    let latest: BTreeMap<_, _> =
        source.invoices().iter().filter_map(|invoice| Some((invoice.customer?, invoice.country))).collect();
    for (number, country) in latest {
        let person = people::customer(number, country, &source.locations);
        table.write_record([
            &number.to_string(),
            &person.given_name,
            &person.family_name,
            &person.email,
            &person.phone,
            &person.street,
            &person.city,
            &person.postal_code,
            person.country,
        ])?;
    }
    Ok(table.flush()?)
}

/// Writes supplies as CSV: `location,sku,quantity`, for the opening stock or one month's receipts.
///
/// # Errors
/// The writer fails.
pub fn write_supplies<'a>(
    source: &Source,
    supplies: impl IntoIterator<Item = &'a Supply>,
    out: impl Write,
) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["location", "sku", "quantity"])?;
    for supply in supplies {
        let location = &source.locations.at(supply.location).external_id;
        table.write_record([location, &source.stock.skus()[supply.sku], &supply.quantity.to_string()])?;
    }
    Ok(table.flush()?)
}

/// The person an invoice is for: a customer, or a guest who needs a name because something is shipped or comes back
/// by parcel. A guest at a till stays nameless.
#[must_use]
pub fn person_of(invoice: &Invoice, source: &Source) -> Option<people::Person> {
    match (invoice.customer, invoice.channel) {
        (Some(number), _) => Some(people::customer(number, invoice.country, &source.locations)),
        (None, Channel::Web | Channel::Phone) if matches!(invoice.kind, Kind::Sale | Kind::Return) => {
            Some(people::guest(&invoice.number, invoice.country))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::most_frequent;

    #[test]
    fn of_equally_frequent_prices_the_lower_is_the_list_price() {
        assert_eq!(most_frequent(&BTreeMap::from([(255, 2), (295, 7), (551, 7)])), Some(&295));
        assert_eq!(most_frequent::<i64>(&BTreeMap::new()), None);
    }
}
