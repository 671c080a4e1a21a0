//! What a cart costs: all lanes one after the other, the coupons that help, taxes; and who lowered what.
//!
//! A coupon is used when it helps: the engine tries every choice among the coupons given and takes the one that costs least, the fewer
//! coupons among equals. So another coupon never makes a cart dearer. Lines are worked in an order of their own (by variant, price and
//! quantity), so the order in which they lie in the cart does not matter.

use std::collections::BTreeMap;

use super::lane::{Candidate, Ground, State, off_amount};
use super::pieces::Pieces;
use super::rules::{Found, Rules, Why, shut_out};
use super::{Benefit, Goods, Occasion, Presented, Stacking};
use crate::tax::{Policy, Taxable, Taxed, apply};
use crate::value::id::{Coupon, Promotion, Variant};
use crate::value::money::split;
use crate::value::{Id, Rate};

/// Who lowered a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A promotion, opened by a coupon if it needs one.
    Promotion(Id<Promotion>, Option<Id<Coupon>>),
    /// A colleague, by hand, on the line.
    Line,
    /// A colleague, by hand, on the whole cart.
    Whole,
}

/// That something was lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// By whom.
    pub source: Source,
    /// On so many base units; those that open a set count too.
    pub quantity: i64,
    /// By so many minor units.
    pub minor: i64,
}

/// A line with what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// What it costs by the price lists.
    pub listed_minor: i64,
    /// What it costs.
    pub minor: i64,
    /// The same with its tax.
    pub taxed: Taxed,
    /// What lowered it, in the order of lanes.
    pub applied: Vec<Applied>,
}

/// Goods that a promotion gives and that do not lie in the cart yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gift {
    /// By which promotion.
    pub promotion: Id<Promotion>,
    /// What.
    pub variant: Id<Variant>,
    /// How many more the customer may have for nothing.
    pub quantity: i64,
}

/// A cart with what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The lines in the order given.
    pub lines: Vec<PricedLine>,
    /// The delivery.
    pub delivery: Option<PricedLine>,
    /// The sum of all: what is to be paid.
    pub total: Taxed,
    /// The sums per tax rate, lowest rate first.
    pub rates: Vec<(Rate, Taxed)>,
    /// The coupons that are used.
    pub coupons: Vec<Presented>,
    /// What the customer may have for nothing.
    pub gifts: Vec<Gift>,
    /// The promotions that were looked at and lower nothing, and why.
    pub unused: Vec<(Id<Promotion>, Why)>,
    /// By how much another choice of sets could lower the total more, at most; 0 when the choice is the best there is.
    pub slack_minor: i64,
}

impl Priced {
    /// What each promotion gives in all, in minor units.
    pub fn given(&self) -> BTreeMap<Id<Promotion>, i64> {
        let mut given = BTreeMap::new();
        for applied in self.lines.iter().chain(&self.delivery).flat_map(|line| &line.applied) {
            if let Source::Promotion(promotion, _) = applied.source {
                *given.entry(promotion).or_insert(0) += applied.minor;
            }
        }
        given
    }
}

/// Prices goods.
pub fn price(goods: &Goods, rules: &Rules, occasion: &Occasion, policy: Policy) -> Priced {
    let order = order(goods);
    let found = Found::new(goods, &order);
    let mut unused = Vec::new();
    let mut candidates = Vec::new();
    for place in rules.near(goods, occasion) {
        let promotion = &rules.promotions()[place];
        match shut_out(promotion, goods, occasion) {
            Some(why) => unused.push((promotion.id, why)),
            None => {
                let meant = promotion.selections().map(|selection| found.meant(selection)).collect();
                let gift = match promotion.benefit {
                    Benefit::Gift { variant, .. } => found.meant(&of_variant(variant)),
                    _ => Vec::new(),
                };
                candidates.push(Candidate { promotion, meant, gift });
            }
        }
    }
    let lines: Vec<_> =
        order.iter().map(|line| (goods.lines[*line].quantity, goods.lines[*line].unit)).collect();
    let ground = Ground { candidates: &candidates, lines: &lines };
    let till = Till { goods, rules, policy, order: &order, ground: &ground };
    let best = till.best_coupons();
    unused.extend(till.unused(&best));
    till.told(best, unused)
}

fn of_variant(variant: Id<Variant>) -> super::Selection {
    super::Selection::of(vec![super::Tag::Variant(variant)], Vec::new())
}

/// The order in which lines are worked.
fn order(goods: &Goods) -> Vec<usize> {
    let mut order: Vec<usize> = (0..goods.lines.len()).collect();
    order.sort_by_key(|place| {
        let line = &goods.lines[*place];
        (line.variant, line.unit_minor, line.quantity, line.rate, line.agreed, line.discount)
    });
    order
}

/// One cart being priced.
struct Till<'a> {
    goods: &'a Goods,
    rules: &'a Rules,
    policy: Policy,
    order: &'a [usize],
    ground: &'a Ground<'a>,
}

/// The outcome of one choice of coupons.
struct Outcome {
    state: State,
    /// What each line costs and by how much colleagues lowered it, by hand, in the order of working.
    lines: Vec<(i64, i64, i64)>,
    document: crate::tax::Document,
    /// Promotions whose budget has not enough left.
    exhausted: Vec<usize>,
}

impl Till<'_> {
    /// The cheapest of all choices among the coupons.
    fn best_coupons(&self) -> Outcome {
        let candidates = self.ground.candidates;
        let opened: Vec<usize> =
            (0..candidates.len()).filter(|place| candidates[*place].promotion.needs_coupon).collect();
        let mut choices: Vec<u32> = (0..1u32 << opened.len().min(super::COUPONS_MAX)).collect();
        choices.sort_by_key(|choice| (choice.count_ones(), *choice));
        let outcomes: Vec<(u32, Outcome)> = choices
            .into_iter()
            .map(|choice| {
                let is_out = |place: &usize| {
                    opened.iter().position(|own| own == place).is_some_and(|bit| choice >> bit & 1 == 0)
                };
                let among = (0..candidates.len()).filter(|place| !is_out(place)).collect();
                (choice, self.within_budgets(among))
            })
            .collect();
        // A coupon has not enough left if it would not be served even as the only one.
        let is_exhausted = |bit: usize| {
            let alone = outcomes.iter().find(|(choice, _)| *choice == 1 << bit);
            alone.is_some_and(|(_, outcome)| outcome.exhausted.contains(&opened[bit]))
        };
        let exhausted: Vec<usize> =
            (0..opened.len()).filter(|bit| is_exhausted(*bit)).map(|bit| opened[bit]).collect();
        let gifts = |outcome: &Outcome| std::cmp::Reverse(outcome.state.gifts.len());
        let cheapest = outcomes
            .into_iter()
            .min_by_key(|(_, outcome)| (outcome.document.total.gross_minor, gifts(outcome)));
        let (_, mut best) = cheapest.expect("there is always the choice of none");
        best.exhausted.extend(exhausted);
        best
    }

    /// Prices with these candidates, leaving out those whose budget has not enough left.
    fn within_budgets(&self, mut among: Vec<usize>) -> Outcome {
        let mut exhausted = Vec::new();
        loop {
            let outcome = self.alone_or_together(&among);
            let given = |place: usize| {
                let lowered = &outcome.state.pieces.lowered;
                let goods: i64 =
                    lowered.iter().filter(|((own, _), _)| *own == place).map(|(_, sum)| sum.minor).sum();
                let delivered = outcome.state.delivered.iter().filter(|(own, _)| *own == place);
                goods + delivered.map(|(_, minor)| minor).sum::<i64>()
            };
            let left = |place: usize| self.ground.candidates[place].promotion.left_minor;
            let over =
                among.iter().copied().find(|place| left(*place).is_some_and(|left| given(*place) > left));
            let Some(over) = over else { return Outcome { exhausted, ..outcome } };
            exhausted.push(over);
            among.retain(|place| *place != over);
        }
    }

    /// The cheaper of all that may go together, and each that must be alone in the cart.
    fn alone_or_together(&self, among: &[usize]) -> Outcome {
        let is_alone =
            |place: &usize| self.ground.candidates[*place].promotion.stacking == Stacking::AloneInCart;
        let (alone, together): (Vec<usize>, Vec<usize>) = among.iter().partition(|place| is_alone(place));
        let mut best = self.worked(&together);
        for place in alone {
            let outcome = self.worked(&[place]);
            if outcome.document.total.gross_minor < best.document.total.gross_minor {
                best = outcome;
            }
        }
        best
    }

    fn pieces(&self) -> Pieces {
        let lines = self.order.iter().map(|line| &self.goods.lines[*line]);
        Pieces::new(lines.map(|line| (line.unit_minor, line.quantity, line.agreed)))
    }

    /// Works all lanes with these candidates, then the discounts given by hand, then taxes.
    fn worked(&self, among: &[usize]) -> Outcome {
        let candidates = self.ground.candidates;
        let mut state = State {
            pieces: self.pieces(),
            delivery: self.goods.delivery.map(|charge| (charge.minor, false)),
            delivered: Vec::new(),
            gifts: Vec::new(),
            slack: 0,
        };
        for own in
            among.chunk_by(|one, other| candidates[*one].promotion.lane == candidates[*other].promotion.lane)
        {
            let mode = self.rules.mode(candidates[own[0]].promotion.lane);
            self.ground.work(own, mode, &mut state);
        }
        let lines = self.order.iter().map(|line| &self.goods.lines[*line]);
        let mut costs: Vec<(i64, i64, i64)> = lines
            .enumerate()
            .map(|(place, line)| {
                let amount = state.pieces.amount(place);
                let off = line.discount.map_or(0, |off| off_amount(off, amount));
                (amount - off, off, 0)
            })
            .collect();
        if let Some(off) = self.goods.discount {
            let amounts: Vec<i64> = costs.iter().map(|(minor, ..)| *minor).collect();
            for (cost, part) in costs.iter_mut().zip(split(off_amount(off, amounts.iter().sum()), &amounts)) {
                (cost.0, cost.2) = (cost.0 - part, part);
            }
        }
        let document = self.taxed(&costs, &state);
        Outcome { state, lines: costs, document, exhausted: Vec::new() }
    }

    /// The taxes, with the lines in the order given and delivery last.
    fn taxed(&self, costs: &[(i64, i64, i64)], state: &State) -> crate::tax::Document {
        let mut taxables = vec![Taxable { minor: 0, rate: Rate::ZERO }; costs.len()];
        for (place, (minor, ..)) in costs.iter().enumerate() {
            let line = self.order[place];
            taxables[line] = Taxable { minor: *minor, rate: self.goods.lines[line].rate };
        }
        let charge = self.goods.delivery.zip(state.delivery);
        taxables.extend(charge.map(|(charge, (minor, _))| Taxable { minor, rate: charge.rate }));
        apply(&taxables, self.policy)
    }

    fn source(&self, place: usize) -> Source {
        let promotion = self.ground.candidates[place].promotion;
        let given = self.goods.coupons.iter().find(|given| given.promotion == promotion.id);
        Source::Promotion(promotion.id, given.filter(|_| promotion.needs_coupon).map(|given| given.coupon))
    }

    /// Why candidates lower nothing.
    fn unused(&self, outcome: &Outcome) -> Vec<(Id<Promotion>, Why)> {
        let state = &outcome.state;
        let lowers = |place: usize| {
            state.pieces.lowered.iter().any(|((own, _), lowered)| *own == place && lowered.minor > 0)
                || state.delivered.iter().any(|(own, _)| *own == place)
                || state.gifts.contains(&place)
        };
        let has_goods = |candidate: &Candidate<'_>| {
            matches!(candidate.promotion.benefit, Benefit::Delivery { .. } | Benefit::Gift { .. })
                || candidate.meant.last().is_some_and(|lines| !lines.is_empty())
        };
        let candidates = self.ground.candidates.iter().enumerate();
        candidates
            .filter(|(place, _)| !lowers(*place))
            .map(|(place, candidate)| {
                let why = if outcome.exhausted.contains(&place) {
                    Why::Budget
                } else if has_goods(candidate) && self.ground.is_reached(place, &self.pieces()) {
                    Why::Outdone
                } else {
                    Why::Goods
                };
                (candidate.promotion.id, why)
            })
            .collect()
    }

    /// The outcome in the order given.
    fn told(&self, outcome: Outcome, unused: Vec<(Id<Promotion>, Why)>) -> Priced {
        let Outcome { state, lines: costs, document, .. } = outcome;
        let mut applied: Vec<Vec<Applied>> = vec![Vec::new(); costs.len()];
        for ((place, line), lowered) in &state.pieces.lowered {
            if lowered.minor > 0 {
                let source = self.source(*place);
                applied[*line].push(Applied { source, quantity: lowered.pieces, minor: lowered.minor });
            }
        }
        let mut lines: Vec<Option<PricedLine>> = vec![None; costs.len()];
        for (place, ((minor, by_line, by_whole), mut applied)) in costs.iter().zip(applied).enumerate() {
            let line = &self.goods.lines[self.order[place]];
            for (source, minor) in [(Source::Line, *by_line), (Source::Whole, *by_whole)] {
                if minor > 0 {
                    applied.push(Applied { source, quantity: line.quantity, minor });
                }
            }
            let taxed = document.lines[self.order[place]];
            lines[self.order[place]] =
                Some(PricedLine { listed_minor: line.listed_minor(), minor: *minor, taxed, applied });
        }
        let delivery = self.goods.delivery.zip(state.delivery).zip(document.lines.last());
        let delivery = delivery.map(|((charge, (minor, _)), taxed)| PricedLine {
            listed_minor: charge.minor,
            minor,
            taxed: *taxed,
            applied: state
                .delivered
                .iter()
                .map(|(place, minor)| Applied { source: self.source(*place), quantity: 1, minor: *minor })
                .collect(),
        });
        let mut priced = Priced {
            lines: lines.into_iter().flatten().collect(),
            delivery,
            total: document.total,
            rates: document.rates,
            coupons: Vec::new(),
            gifts: self.gifts(&state),
            unused,
            slack_minor: i64::try_from((state.slack + 999_999) / 1_000_000).unwrap_or(i64::MAX),
        };
        let given = priced.given();
        let helps = |own: &&Presented| given.contains_key(&own.promotion) || priced.gives_to(own.promotion);
        let mut coupons: Vec<Presented> = self.goods.coupons.iter().filter(helps).copied().collect();
        let mut seen = Vec::new();
        coupons.retain(|own| {
            let is_first = !seen.contains(&own.promotion);
            seen.push(own.promotion);
            is_first
        });
        priced.coupons = coupons;
        priced
    }

    fn gifts(&self, state: &State) -> Vec<Gift> {
        let gift = |place: &usize| {
            let promotion = self.ground.candidates[*place].promotion;
            let Benefit::Gift { variant, pieces } = promotion.benefit else { return None };
            let has: i64 = state
                .pieces
                .lowered
                .iter()
                .filter(|((own, _), _)| own == place)
                .map(|(_, lowered)| lowered.pieces)
                .sum();
            (has < pieces).then_some(Gift { promotion: promotion.id, variant, quantity: pieces - has })
        };
        state.gifts.iter().filter_map(gift).collect()
    }
}

impl Priced {
    fn gives_to(&self, promotion: Id<Promotion>) -> bool {
        self.gifts.iter().any(|gift| gift.promotion == promotion)
    }
}
