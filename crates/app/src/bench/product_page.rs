//! The page a customer sees most: 24 products with ten variants each, with prices and with how many can be had at each store.

use hyper::Method;

use super::crowd;
use super::figure::{Amount, Figure};
use super::house::{House, VARIANTS_EACH};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;

/// Products on a page.
pub const PRODUCTS: usize = 24;

/// Reads the page again and again for a time.
///
/// # Errors
/// When the shop cannot be reached, or the page is not the one meant.
pub async fn measure(
    api: &Api,
    house: &House,
    serving: &Serving,
    seconds: u64,
) -> Result<Vec<Figure>, Fault> {
    let path = format!("/v1/catalogue/products?channel={}&limit={PRODUCTS}", house.channel);
    let page = api.once(Method::GET, &path, None).await?;
    must_be_whole(house, &page.document())?;
    let read = |_, _| async { Ok(api.once(Method::GET, &path, None).await?.status == 200) };
    crowd::gather(1, seconds.div_ceil(5), serving, read).await?;
    let load = crowd::gather(1, seconds, serving, read).await?;
    let of = format!("{} of {} kB, 1 client", load.of("pages"), page.bytes() / 1000);
    let figure = |what: &str, amount| Figure::new(format!("product page: {what}"), amount, &of);
    let cpu = load.served_each().map(|each| figure("CPU of the server for one", each));
    let mut figures: Vec<Figure> =
        cpu.map(|figure| figure.under(Amount::Micros(2_000))).into_iter().collect();
    figures.push(figure("p50", load.wait(50)));
    figures.push(figure("p99", load.wait(99)));
    Ok(figures)
}

/// Refuses to measure a page that lacks products, variants, prices or the stock of stores.
fn must_be_whole(house: &House, page: &serde_json::Value) -> Result<(), Fault> {
    let products = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    let variants =
        || products.iter().flat_map(|product| product["variants"].as_array().into_iter().flatten());
    let priced = variants().filter(|variant| variant["price"]["amount"].is_i64()).count();
    let stores = house.locations.len();
    let stocked = variants()
        .filter(|variant| variant["free"].as_array().is_some_and(|free| free.len() == stores))
        .count();
    let all = PRODUCTS * VARIANTS_EACH;
    if (products.len(), priced, stocked) == (PRODUCTS, all, all) {
        return Ok(());
    }
    Err(Fault::Failed(format!(
        "the page to be measured has {} products, {priced} variants with a price and {stocked} with stock per store; {PRODUCTS}, {all} and {all} expected",
        products.len()
    )))
}
