//! Return policies: what may come back, until when, at what fee, and how the money is given back. Data of the retailer; the rule that
//! reads it is here, and says of everything why.

use super::{Condition, Means, claim};
use crate::refusal::{Code, Refusal};
use crate::value::id::{Category, Channel};
use crate::value::{Id, Instant, Rate, Rounding};
use crate::words;

/// The longest window, in days: ten years.
pub const WINDOW_DAYS_MAX: i64 = 3650;
/// The most fees of one policy.
pub const FEES_MAX: usize = 50;
/// The highest fixed amount of a policy, in minor units.
pub const MINOR_MAX: i64 = 1_000_000_000;
/// The longest period over which returns are counted, in days.
pub const PERIOD_DAYS_MAX: i64 = 366;

/// For what a policy is; each part that is not named is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Goods of a category, or of one below it.
    pub category: Option<Id<Category>>,
    /// Customers of a group.
    pub customer_group: Option<String>,
    /// Orders of a channel.
    pub channel: Option<Id<Channel>>,
}

impl Scope {
    /// How narrow it is. Who names more wins; of those who name as many, category before customer group before channel.
    pub const fn rank(&self) -> (i64, i64) {
        let (category, group, channel) = (
            self.category.is_some() as i64,
            self.customer_group.is_some() as i64,
            self.channel.is_some() as i64,
        );
        (category + group + channel, category * 4 + group * 2 + channel)
    }

    /// Does it hold for goods of these categories, a customer of these groups, an order of this channel?
    pub fn holds(
        &self,
        categories: &[Id<Category>],
        groups: &[String],
        channel: Option<Id<Channel>>,
    ) -> bool {
        self.category.is_none_or(|category| categories.contains(&category))
            && self.customer_group.as_ref().is_none_or(|group| groups.contains(group))
            && self.channel.is_none_or(|named| Some(named) == channel)
    }
}

/// A fee for taking goods back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// For this reason only; for every reason when `None`. The first fee that fits counts.
    pub reason: Option<String>,
    /// A fixed part for each line, in minor units.
    pub fixed_minor: i64,
    /// A part of what the goods were worth.
    pub rate: Rate,
}

words! {
    /// When the money is given back.
    When {
        /// As soon as the return is approved; claimed back if the goods never come.
        BeforeReceipt 1 "before_receipt";
        /// When the goods are here.
        AfterReceipt 2 "after_receipt";
        /// When they were looked at.
        AfterInspection 3 "after_inspection";
    }
}

words! {
    /// When the delivery charge is given back.
    DeliveryRefund {
        /// Never.
        Never 1 "never";
        /// With the first goods that come back.
        First 2 "first";
        /// With the last.
        Last 3 "last";
    }
}

/// Limits against abuse, for one customer over a period of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The period, in days.
    pub days: i64,
    /// The most returns in it.
    pub returns_max: Option<i64>,
    /// The most that is given back in it, in minor units.
    pub value_minor_max: Option<i64>,
    /// The most that is given back without a receipt in it, in minor units.
    pub unreceipted_minor_max: Option<i64>,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many days after the customer got the goods they may come back; for ever when `None`.
    pub window_days: Option<i64>,
    /// Nothing comes back.
    pub final_sale: bool,
    /// Nothing comes back whose attribute of this code has this value.
    pub final_attribute: Option<(String, String)>,
    /// Nothing comes back that was sold for less than this part of what the list says now.
    pub final_below_list: Option<Rate>,
    /// The conditions in which goods are taken.
    pub conditions: Vec<Condition>,
    /// Is the order needed?
    pub receipt_needed: bool,
    /// The fees.
    pub fees: Vec<Fee>,
    /// What the customer pays for the label when goods come back by post, in minor units.
    pub postage_minor: i64,
    /// When the delivery charge is given back.
    pub delivery: DeliveryRefund,
    /// How the money may be given back, the usual way first.
    pub means: Vec<Means>,
    /// The same for goods whose order is not known.
    pub means_without_receipt: Vec<Means>,
    /// When the money is given back.
    pub when: When,
    /// Is a request approved by the rule? Else a colleague decides.
    pub by_rule: bool,
    /// Goods worth less than this the customer may keep, in minor units.
    pub kept_below_minor: i64,
    /// The most that is paid out in cash for one return, in minor units.
    pub cash_minor_max: Option<i64>,
    /// Limits against abuse.
    pub limits: Limits,
    /// What holds for claims.
    pub claims: claim::Terms,
}

impl Terms {
    /// What holds where no policy is written: everything may come back, free, the way the money came.
    pub fn open() -> Terms {
        Terms {
            window_days: None,
            final_sale: false,
            final_attribute: None,
            final_below_list: None,
            conditions: Condition::ALL.to_vec(),
            receipt_needed: false,
            fees: Vec::new(),
            postage_minor: 0,
            delivery: DeliveryRefund::Never,
            means: vec![Means::Original, Means::StoreCredit, Means::GiftCard, Means::Cash, Means::Exchange],
            means_without_receipt: vec![Means::Cash, Means::StoreCredit, Means::GiftCard],
            when: When::AfterInspection,
            by_rule: false,
            kept_below_minor: 0,
            cash_minor_max: None,
            limits: Limits::default(),
            claims: claim::Terms::default(),
        }
    }

    /// Checks that every number is within its bounds.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn checked(self) -> Result<Terms, Refusal> {
        let mut refusals = Vec::new();
        let mut within = |field: &str, number: Option<i64>, most: i64| {
            if number.is_some_and(|number| !(0..=most).contains(&number)) {
                refusals.push(Refusal::invalid(field, format!("give 0 to {most}")));
            }
        };
        within("window_days", self.window_days, WINDOW_DAYS_MAX);
        within("postage", Some(self.postage_minor), MINOR_MAX);
        within("kept_below", Some(self.kept_below_minor), MINOR_MAX);
        within("cash_max", self.cash_minor_max, MINOR_MAX);
        within("limits.days", Some(self.limits.days), PERIOD_DAYS_MAX);
        within("limits.returns_max", self.limits.returns_max, MINOR_MAX);
        within("limits.value_max", self.limits.value_minor_max, MINOR_MAX);
        within("limits.unreceipted_max", self.limits.unreceipted_minor_max, MINOR_MAX);
        for (place, fee) in self.fees.iter().enumerate() {
            within(&format!("fees.{place}.fixed"), Some(fee.fixed_minor), MINOR_MAX);
        }
        if self.fees.len() > FEES_MAX {
            refusals.push(Refusal::invalid("fees", format!("give at most {FEES_MAX} fees")));
        }
        for (field, none) in [
            ("conditions", self.conditions.is_empty()),
            ("means", self.means.is_empty()),
            ("means_without_receipt", self.means_without_receipt.is_empty() && !self.receipt_needed),
        ] {
            if none {
                refusals.push(Refusal::invalid(field, "name at least one"));
            }
        }
        refusals.extend(self.claims.refusals());
        Refusal::all(refusals).map_or(Ok(self), Err)
    }
}

/// What is known of goods that shall come back.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// When the customer got them; `None` when their order is not known.
    pub had_at: Option<Instant>,
    /// Now.
    pub now: Instant,
    /// Why they come back.
    pub reason: &'a str,
    /// In which condition, as far as it is known.
    pub condition: Option<Condition>,
    /// What they were worth.
    pub value: i64,
    /// What one was sold for, and what the list says now.
    pub unit: Option<(i64, i64)>,
    /// Their attributes, by code.
    pub attributes: &'a [(String, String)],
    /// How the money shall be given back, if somebody chose.
    pub means: Option<Means>,
    /// What the same customer brought back in the period: how many returns, their value, and the value without receipt.
    pub before: (i64, i64, i64),
}

words! {
    /// Why a policy refuses.
    Objection {
        /// The time is over.
        WindowOver 1 "window_over";
        /// These goods do not come back.
        FinalSale 2 "final_sale";
        /// Not in this condition.
        Condition 3 "condition_not_accepted";
        /// The order must be known.
        ReceiptNeeded 4 "receipt_needed";
        /// The customer brought back too often.
        TooMany 5 "too_many_returns";
        /// The customer brought back too much.
        TooMuch 6 "too_much_value";
        /// The money is not given back in this way.
        Means 7 "means_not_allowed";
    }
}

/// What a policy says of some goods, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Until when they may come back; for ever when `None`.
    pub until: Option<Instant>,
    /// What is kept of their value.
    pub fee: i64,
    /// How the money is given back.
    pub means: Means,
    /// The other ways there are.
    pub others: Vec<Means>,
    /// May the customer keep the goods?
    pub kept: bool,
    /// Why not, each in words; nothing when they may come back.
    pub objections: Vec<(Objection, String)>,
}

impl Ruling {
    /// The refusal of everything the policy holds against it.
    ///
    /// # Errors
    /// [`Code::PolicyRefuses`].
    pub fn allowed(&self) -> Result<(), Refusal> {
        if self.objections.is_empty() {
            return Ok(());
        }
        let words: Vec<&str> = self.objections.iter().map(|(_, words)| words.as_str()).collect();
        Err(Refusal::new(Code::PolicyRefuses, words.join("; ")))
    }
}

/// Microseconds of a day.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// What a policy says of some goods.
pub fn rule(terms: &Terms, facts: &Facts<'_>) -> Ruling {
    let mut objections = Vec::new();
    let mut object = |objection, words: String| objections.push((objection, words));
    let until = facts.had_at.zip(terms.window_days).map(|(had, days)| {
        Instant::from_micros(had.micros().saturating_add(days.saturating_mul(DAY_MICROS)))
    });
    if let Some(until) = until.filter(|until| *until < facts.now) {
        object(Objection::WindowOver, format!("it could come back until {until}"));
    }
    if let Some(why) = final_sale(terms, facts) {
        object(Objection::FinalSale, why);
    }
    if let Some(condition) = facts.condition.filter(|condition| !terms.conditions.contains(condition)) {
        object(Objection::Condition, format!("goods that are {} are not taken", condition.text()));
    }
    let with_receipt = facts.had_at.is_some();
    if terms.receipt_needed && !with_receipt {
        object(
            Objection::ReceiptNeeded,
            "the order must be known; find it by number, card or customer".into(),
        );
    }
    for (objection, why) in abuse(terms.limits, facts, with_receipt) {
        object(objection, why);
    }
    let ways = if with_receipt { &terms.means } else { &terms.means_without_receipt };
    let usual = ways.first().copied().unwrap_or(Means::Original);
    let means = facts.means.unwrap_or(usual);
    if !ways.contains(&means) {
        let words: Vec<&str> = ways.iter().map(|means| means.text()).collect();
        object(Objection::Means, format!("the money is given back by {}", words.join(" or ")));
    }
    Ruling {
        until,
        fee: fee(terms, facts.reason, facts.value),
        means,
        others: ways.iter().copied().filter(|way| *way != means).collect(),
        kept: facts.value < terms.kept_below_minor,
        objections,
    }
}

fn final_sale(terms: &Terms, facts: &Facts<'_>) -> Option<String> {
    if terms.final_sale {
        return Some("these goods do not come back".into());
    }
    if let Some((code, value)) = &terms.final_attribute
        && facts.attributes.iter().any(|(known, has)| known == code && has == value)
    {
        return Some(format!("goods whose {code} is {value} do not come back"));
    }
    let (least, (unit, list)) = terms.final_below_list.zip(facts.unit)?;
    (unit < least.of(list, Rounding::HalfUp)).then(|| "goods at a lowered price do not come back".into())
}

fn abuse(limits: Limits, facts: &Facts<'_>, with_receipt: bool) -> Vec<(Objection, String)> {
    let (returns, value, unreceipted) = facts.before;
    let mut found = Vec::new();
    if limits.returns_max.is_some_and(|most| returns >= most) {
        found.push((
            Objection::TooMany,
            format!("the customer had {returns} returns in {} days", limits.days),
        ));
    }
    if limits.value_minor_max.is_some_and(|most| value.saturating_add(facts.value) > most) {
        let words = format!("the customer had {value} minor units back in {} days", limits.days);
        found.push((Objection::TooMuch, words));
    }
    let most = limits.unreceipted_minor_max.filter(|_| !with_receipt);
    if most.is_some_and(|most| unreceipted.saturating_add(facts.value) > most) {
        let words =
            format!("{unreceipted} minor units were given back without a receipt in {} days", limits.days);
        found.push((Objection::TooMuch, words));
    }
    found
}

/// The fee for goods of a value that come back for a reason: never more than they are worth.
pub fn fee(terms: &Terms, reason: &str, value: i64) -> i64 {
    let fits = |fee: &&Fee| fee.reason.as_deref().is_none_or(|named| named == reason);
    terms
        .fees
        .iter()
        .find(fits)
        .map_or(0, |fee| fee.fixed_minor.saturating_add(fee.rate.of(value, Rounding::HalfUp)).min(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>() -> Facts<'a> {
        Facts {
            had_at: Some(Instant::EPOCH),
            now: Instant::from_micros(10 * DAY_MICROS),
            reason: "too_small",
            condition: Some(Condition::Resellable),
            value: 1000,
            unit: Some((1000, 1000)),
            attributes: &[],
            means: None,
            before: (0, 0, 0),
        }
    }

    fn objections(terms: &Terms, facts: &Facts<'_>) -> Vec<&'static str> {
        rule(terms, facts).objections.iter().map(|(objection, _)| objection.text()).collect()
    }

    #[test]
    fn where_nothing_is_written_everything_comes_back() {
        let ruling = rule(&Terms::open(), &facts());
        assert_eq!((ruling.until, ruling.fee, ruling.means, ruling.kept), (None, 0, Means::Original, false));
        assert!(ruling.allowed().is_ok());
        let blind = Facts { had_at: None, ..facts() };
        assert_eq!(rule(&Terms::open(), &blind).means, Means::Cash);
    }

    #[test]
    fn each_term_objects_in_words() {
        let terms = |change: fn(&mut Terms)| {
            let mut terms = Terms::open();
            change(&mut terms);
            terms
        };
        let short = terms(|terms| terms.window_days = Some(9));
        assert_eq!(objections(&short, &facts()), ["window_over"]);
        assert_eq!(objections(&terms(|terms| terms.window_days = Some(10)), &facts()), [""; 0]);
        assert_eq!(
            rule(&short, &facts()).allowed().unwrap_err().to_string(),
            "policy_refuses: it could come back until 1970-01-10T00:00:00Z"
        );
        assert_eq!(objections(&terms(|terms| terms.final_sale = true), &facts()), ["final_sale"]);
        let lowered = terms(|terms| terms.final_below_list = Rate::from_parts_per_million(900_000).ok());
        assert_eq!(objections(&lowered, &Facts { unit: Some((899, 1000)), ..facts() }), ["final_sale"]);
        assert_eq!(objections(&lowered, &Facts { unit: Some((900, 1000)), ..facts() }), [""; 0]);
        let worn = Facts { condition: Some(Condition::Damaged), ..facts() };
        let unworn = terms(|terms| terms.conditions = vec![Condition::Resellable]);
        assert_eq!(objections(&unworn, &worn), ["condition_not_accepted"]);
        let blind = Facts { had_at: None, ..facts() };
        assert_eq!(objections(&terms(|terms| terms.receipt_needed = true), &blind), ["receipt_needed"]);
        let chosen = Facts { means: Some(Means::Cash), ..facts() };
        assert_eq!(
            objections(&terms(|terms| terms.means = vec![Means::Original]), &chosen),
            ["means_not_allowed"]
        );
        let often = terms(|terms| {
            terms.limits = Limits {
                days: 30,
                returns_max: Some(2),
                value_minor_max: Some(1500),
                unreceipted_minor_max: Some(0),
            };
        });
        assert_eq!(
            objections(&often, &Facts { before: (2, 501, 0), ..facts() }),
            ["too_many_returns", "too_much_value"]
        );
        assert_eq!(objections(&often, &blind), ["too_much_value"]);
    }

    #[test]
    fn the_first_fee_that_fits_counts_and_never_takes_more_than_all() {
        let rate = |parts| Rate::from_parts_per_million(parts).unwrap();
        let fee_of = |reason: Option<&str>, fixed_minor, parts| Fee {
            reason: reason.map(str::to_owned),
            fixed_minor,
            rate: rate(parts),
        };
        let fees = vec![fee_of(Some("damaged"), 0, 0), fee_of(None, 100, 105_000)];
        let terms = Terms { fees, ..Terms::open() };
        assert_eq!(fee(&terms, "damaged", 1000), 0);
        assert_eq!(fee(&terms, "too_small", 999), 205, "a hundred and 10.5 per cent, half up");
        assert_eq!(fee(&terms, "too_small", 50), 50);
    }

    #[test]
    fn who_names_more_wins_then_category_then_group() {
        let scope = |category: bool, group: bool, channel: bool| Scope {
            category: category.then(|| Id::from_bytes([1; 16])),
            customer_group: group.then(|| "trade".into()),
            channel: channel.then(|| Id::from_bytes([2; 16])),
        };
        let mut scopes = vec![
            scope(true, false, false),
            scope(false, true, true),
            scope(false, false, false),
            scope(false, false, true),
            scope(false, true, false),
            scope(true, true, true),
        ];
        scopes.sort_by_key(|scope| std::cmp::Reverse(scope.rank()));
        let order = [
            (true, true, true),
            (false, true, true),
            (true, false, false),
            (false, true, false),
            (false, false, true),
            (false, false, false),
        ];
        assert_eq!(scopes, order.map(|(a, b, c)| scope(a, b, c)));
        assert!(scope(false, true, false).holds(&[], &["trade".into()], None));
        assert!(!scope(false, true, true).holds(&[], &["trade".into()], None));
    }

    #[test]
    fn terms_out_of_bounds_are_all_named() {
        let terms = Terms { window_days: Some(-1), conditions: vec![], postage_minor: -1, ..Terms::open() };
        let refusal = terms.checked().unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["window_days", "postage", "conditions"]);
        assert!(Terms::open().checked().is_ok());
    }
}
