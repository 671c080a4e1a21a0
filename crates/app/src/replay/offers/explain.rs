//! What the offers did to the totals, read from the books: of every order line what it would have cost without them, who lowered it, and what
//! it came to. Nothing here knows what was sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tandem::demo::amount::Exact;
use tandem::demo::assignment::Channel;
use tandem::demo::report::{Trade, aligned, signed};
use tandem::demo::source::Month;

use super::{CARD_MINOR, Offers, PROMOTIONS};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::setup::House;

/// When and through which channel.
pub type Occasion = (Month, Channel);
/// From and until when gift cards are counted: all of them.
const ALWAYS: &str = "from=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z";

/// What offers did to sales and refunds of a month and channel, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What members' prices took off.
    members: i64,
    /// What each promotion took off.
    promotions: [i64; PROMOTIONS.len()],
    /// What orders came to, by their lines.
    sales: i64,
    /// What of refunds was not given back, because it was never paid.
    not_back: i64,
    /// Lines at the prices of lists that something lowered, and all lines.
    lowered: u64,
    lines: u64,
}

impl Part {
    /// What sales came to less than without offers.
    fn off(&self) -> i64 {
        self.members + self.promotions.iter().sum::<i64>()
    }

    fn add(&mut self, other: &Part) {
        self.members += other.members;
        self.promotions.iter_mut().zip(other.promotions).for_each(|(own, more)| *own += more);
        self.sales += other.sales;
        self.not_back += other.not_back;
        self.lowered += other.lowered;
        self.lines += other.lines;
    }
}

/// What is told in the journal of points and gift cards.
#[derive(Debug, Default)]
pub struct Told {
    /// Points by why they moved: what members have more or less by it, pending ones included.
    points: BTreeMap<String, i64>,
    /// Money on gift cards by why it moved.
    cards: BTreeMap<String, i64>,
}

/// Why points or money move that pay, or come back as they were paid.
const REDEEMED: &str = "redeemed";

impl Told {
    /// Counts an event.
    pub fn count(&mut self, kind: &str, data: &Value) {
        let whole = |name: &str| data[name].as_i64().unwrap_or(0);
        let reason = || match data["cause"]["kind"] == "payment" {
            true => REDEEMED.to_owned(),
            false => data["reason"].as_str().unwrap_or_default().to_owned(),
        };
        match kind {
            "points.moved" => *self.points.entry(reason()).or_insert(0) += whole("points") + whole("pending"),
            "credit.moved" => *self.cards.entry(reason()).or_insert(0) += whole("amount"),
            _ => {}
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Explained {
    parts: BTreeMap<Occasion, Part>,
    told: Told,
    /// What was paid by each means, and what of it went back, in minor units.
    paid: BTreeMap<String, (i64, i64)>,
    /// What members have, in points, and what they owe of such they spent.
    points: i64,
    owed: i64,
    /// Gift cards: issued, spent and outstanding, in minor units.
    cards: [i64; 3],
    /// Members who were made.
    members: usize,
    /// What a piece of a lowered line would have cost, by the line's id.
    listed: HashMap<String, i64>,
    contradictions: Vec<String>,
}

/// Reads what orders, returns, members and gift cards say.
///
/// # Errors
/// What the shop refuses.
pub async fn read(
    api: &Api,
    (house, offers): (&House, &Offers),
    (orders, returns): (&HashMap<String, Occasion>, &HashMap<String, Occasion>),
    (told, sold_cards): (Told, u64),
    clients: usize,
) -> Result<Explained, Fault> {
    let mut explained = Explained { told, members: offers.members.len(), ..Explained::default() };
    let members: HashSet<&str> = offers.members.values().map(String::as_str).collect();
    let each = stream::iter(orders).map(|(id, occasion)| async move {
        let order = api.get(&format!("/v1/orders/{id}")).await?;
        let discounts = match is_lowered(&order) {
            true => api.get(&format!("/v1/orders/{id}/discounts")).await?,
            false => Value::Null,
        };
        Ok::<_, Fault>((*occasion, order, discounts))
    });
    let mut each = each.buffer_unordered(clients);
    while let Some((occasion, order, discounts)) = each.try_next().await? {
        let is_member = order["customer"].as_str().is_some_and(|customer| members.contains(customer));
        let read = Reading { house, offers, order: &order, is_member };
        explained.count_order(occasion, &read, &discounts);
    }
    let each = stream::iter(returns).map(|(id, occasion)| async move {
        Ok::<_, Fault>((*occasion, api.get(&format!("/v1/returns/{id}")).await?))
    });
    let mut each = each.buffer_unordered(clients);
    while let Some((occasion, one)) = each.try_next().await? {
        explained.count_return(occasion, &one);
    }
    let each = stream::iter(offers.members.keys())
        .map(|number| async move { api.get(&format!("/v1/customers/{number}/points")).await });
    let mut each = each.buffer_unordered(clients);
    while let Some(found) = each.try_next().await? {
        let one = &found["items"][0];
        explained.points += whole(&one["balance"]) + whole(&one["pending"]);
        explained.owed += whole(&one["owed"]);
    }
    let liability = api.get(&format!("/v1/credit-liability?{ALWAYS}")).await?;
    let cards = liability["items"].as_array().into_iter().flatten().find(|one| one["kind"] == "gift_card");
    if let Some(cards) = cards {
        explained.cards = ["issued", "spent", "outstanding"].map(|name| amount(&cards[name]));
    }
    explained.must_fit(sold_cards);
    Ok(explained)
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn amount(money: &Value) -> i64 {
    whole(&money["amount"])
}

fn lines(of: &Value) -> impl Iterator<Item = &Value> {
    of["lines"].as_array().into_iter().flatten()
}

/// Did anything lower this order?
fn is_lowered(order: &Value) -> bool {
    lines(order).any(|line| amount(&line["unit_price"]) * whole(&line["quantity"]) != amount(&line["gross"]))
}

/// An order, and what of the house its lines are read by.
struct Reading<'a> {
    house: &'a House,
    offers: &'a Offers,
    order: &'a Value,
    is_member: bool,
}

impl Reading<'_> {
    /// What a piece of a line would have cost without members' prices. No line was ever agreed at a member's price.
    fn listed(&self, line: &Value) -> i64 {
        let (sku, unit) = (line["sku"].as_str().unwrap_or_default(), amount(&line["unit_price"]));
        let is_members = self.is_member && self.offers.for_members.get(sku) == Some(&unit);
        if is_members { self.house.prices.get(sku).copied().unwrap_or(unit) } else { unit }
    }
}

impl Explained {
    fn count_order(&mut self, occasion: Occasion, read: &Reading<'_>, discounts: &Value) {
        let part = self.parts.entry(occasion).or_default();
        let number = read.order["number"].as_str().unwrap_or_default();
        for line in lines(read.order) {
            let (quantity, unit) = (whole(&line["quantity"]), amount(&line["unit_price"]));
            let (listed, gross) = (read.listed(line), amount(&line["gross"]));
            let own = discounts["items"].as_array().into_iter().flatten();
            let own: Vec<&Value> = own.filter(|one| one["line"] == line["id"]).collect();
            for discount in &own {
                let promotion = discount["promotion"].as_str().unwrap_or_default();
                match read.offers.promotions.get(promotion) {
                    Some(place) => part.promotions[*place] += amount(&discount["amount"]),
                    None => self.contradictions.push(format!("order {number} has a promotion {promotion}")),
                }
            }
            let off: i64 = own.iter().map(|discount| amount(&discount["amount"])).sum();
            if unit * quantity - off != gross {
                let sku = &line["sku"];
                let why = format!(
                    "order {number}, sku {sku}: {quantity} at {unit} less {off} is not the {gross} it came to"
                );
                self.contradictions.push(why);
            }
            part.members += (listed - unit) * quantity;
            // What was taken out of an order was never offered: changes keep to lines at agreed prices.
            part.sales += gross - unit * whole(&line["cancelled"]);
            part.lines += 1;
            if listed * quantity != gross {
                part.lowered += 1;
                self.listed.insert(line["id"].as_str().unwrap_or_default().to_owned(), listed);
            }
        }
        for payment in read.order["payments"].as_array().into_iter().flatten() {
            let kind = payment["kind"].as_str().unwrap_or_default().to_owned();
            let sums = self.paid.entry(kind).or_default();
            sums.0 += amount(&payment["captured"]);
            sums.1 += amount(&payment["refunded"]);
        }
    }

    fn count_return(&mut self, occasion: Occasion, one: &Value) {
        for line in lines(one) {
            let listed = line["line"].as_str().and_then(|id| self.listed.get(id));
            if let Some(listed) = listed {
                let not_back = listed * whole(&line["quantity"]) - amount(&line["refund"]);
                self.parts.entry(occasion).or_default().not_back += not_back;
            }
        }
    }

    /// The books of points and gift cards say what the journal says, and cards what was sold.
    fn must_fit(&mut self, sold_cards: u64) {
        let moved: i64 = self.told.points.values().sum();
        let on_cards: i64 = self.told.cards.values().sum();
        let paid = |kind: &str| self.paid.get(kind).map_or(0, |paid| paid.0 - paid.1);
        let redeemed = |told: &BTreeMap<String, i64>| -told.get(REDEEMED).copied().unwrap_or(0);
        let [issued, spent, outstanding] = self.cards;
        let sold = sold_cards.cast_signed() * CARD_MINOR;
        let pairs = [
            ("points", "the journal", moved, "members", self.points),
            ("money on gift cards", "the journal", on_cards, "the books", outstanding),
            ("gift cards issued", "orders", sold, "the books", issued),
            ("gift cards spent", "orders", paid("gift_card"), "the books", spent),
            ("gift cards spent", "the journal", redeemed(&self.told.cards), "the books", spent),
            // A point pays a penny.
            ("points that paid", "the journal", redeemed(&self.told.points), "orders", paid("points")),
        ];
        for (what, here, ours, there, theirs) in pairs {
            if ours != theirs {
                self.contradictions.push(format!("{what}: {ours} in {here}, {theirs} in {there}"));
            }
        }
    }

    /// What does not fit together. `trade` is what the journal says.
    pub fn contradictions(&mut self, trade: &BTreeMap<Occasion, Trade>) -> Vec<String> {
        for (occasion, told) in trade {
            let part = self.parts.get(occasion).copied().unwrap_or_default();
            if part.sales != told.sales_minor {
                let ((month, channel), lines, journal) = (occasion, part.sales, told.sales_minor);
                let why = format!(
                    "{} in {month}: order lines come to {lines}, {journal} in the journal",
                    channel.name()
                );
                self.contradictions.push(why);
            }
        }
        std::mem::take(&mut self.contradictions)
    }

    /// What the same trade would have come to without offers.
    pub fn plain(&self, trade: &BTreeMap<Occasion, Trade>) -> BTreeMap<Occasion, Trade> {
        let plain = |(occasion, told): (&Occasion, &Trade)| {
            let part = self.parts.get(occasion).copied().unwrap_or_default();
            let (sales_minor, refunds_minor) =
                (told.sales_minor + part.off(), told.refunds_minor + part.not_back);
            (*occasion, Trade { sales_minor, refunds_minor, ..*told })
        };
        trade.iter().map(plain).collect()
    }

    fn sum(&self, wanted: impl Fn(&Occasion) -> bool) -> Part {
        let mut sum = Part::default();
        self.parts.iter().filter(|(occasion, _)| wanted(occasion)).for_each(|(_, part)| sum.add(part));
        sum
    }

    /// For people: what each month and channel would have come to, what lowered it, and what it came to; and the books of value.
    pub fn text(&self) -> String {
        let pounds = |minor: i64| Exact::from_minor(minor).to_string();
        let mut heads = vec!["sales with offers", "plain £", "members £"];
        heads.extend(PROMOTIONS);
        heads.extend(["with offers £", "refunds less £"]);
        let mut rows: Vec<Vec<String>> = vec![heads.into_iter().map(str::to_owned).collect()];
        let mut row = |name: String, part: Part| {
            let minor = [part.sales + part.off(), -part.members].into_iter();
            let minor =
                minor.chain(part.promotions.map(i64::wrapping_neg)).chain([part.sales, part.not_back]);
            rows.push([name].into_iter().chain(minor.map(pounds)).collect());
        };
        for (occasion, part) in &self.parts {
            row(format!("{} {}", occasion.0, occasion.1.name()), *part);
        }
        for channel in Channel::ALL {
            let part = self.sum(|occasion| occasion.1 == channel);
            if part != Part::default() {
                row(format!("all {}", channel.name()), part);
            }
        }
        let all = self.sum(|_| true);
        row("all".to_owned(), all);
        let mut books = vec![["points and gift cards", ""].map(str::to_owned).to_vec()];
        let mut book = |name: String, said: String| books.push(vec![name, said]);
        book("lines that offers lowered".into(), signed(all.lowered.cast_signed()));
        book("of all lines".into(), signed(all.lines.cast_signed()));
        book("members".into(), self.members.to_string());
        for (reason, points) in self.told.points.iter().filter(|(_, points)| **points != 0) {
            book(format!("points {}", reason.replace('_', " ")), signed(*points));
        }
        book("points members have".into(), signed(self.points));
        book("points members owe".into(), signed(self.owed));
        for (name, minor) in ["issued", "spent", "outstanding"].into_iter().zip(self.cards) {
            book(format!("gift cards {name}"), format!("£{}", pounds(minor)));
        }
        for (kind, (taken, back)) in &self.paid {
            book(format!("paid by {}", kind.replace('_', " ")), format!("£{}", pounds(*taken)));
            book(format!("given back by {}", kind.replace('_', " ")), format!("£{}", pounds(*back)));
        }
        format!("{}\n{}", aligned(&rows), aligned(&books))
    }

    /// For programs, in minor units and points.
    pub fn json(&self) -> Value {
        let told = |(occasion, part): (&Occasion, &Part)| {
            let by = PROMOTIONS.into_iter().zip(part.promotions);
            json!({
                "month": occasion.0.to_string(), "channel": occasion.1, "plain_minor": part.sales + part.off(), "members_minor": part.members,
                "promotions_minor": by.collect::<BTreeMap<_, _>>(), "sales_minor": part.sales, "not_back_minor": part.not_back,
                "lowered": part.lowered, "lines": part.lines,
            })
        };
        let paid = self.paid.iter().map(|(kind, (taken, back))| (kind.clone(), json!([taken, back])));
        let [issued, spent, outstanding] = self.cards;
        json!({
            "parts": self.parts.iter().map(told).collect::<Vec<_>>(),
            "points": { "moved": self.told.points, "outstanding": self.points, "owed": self.owed, "members": self.members },
            "gift_cards": { "moved": self.told.cards, "issued": issued, "spent": spent, "outstanding": outstanding },
            "paid": paid.collect::<serde_json::Map<_, _>>(),
        })
    }
}
