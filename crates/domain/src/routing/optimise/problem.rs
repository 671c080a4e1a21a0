//! An order as bare numbers: how many of each variant are wanted, what each place has, and what each choice weighs.
//!
//! Everything that is wanted first, second and third is folded into one whole number, so that one comparison decides. The smallest
//! sum wins: `Σ open(place used) + Σ unit(place, line) × given + Σ missing(line) × not given`.

/// What a choice weighs; less is better.
pub(in crate::routing) type Weight = i128;

/// A place that can give.
#[derive(Clone, Debug)]
pub(in crate::routing) struct Node {
    /// What it weighs to send a part from here at all; never negative.
    pub(in crate::routing) open: Weight,
    /// What a unit of each line weighs from here.
    pub(in crate::routing) unit: Vec<Weight>,
    /// How many of each line it has, at most the demand.
    pub(in crate::routing) stock: Vec<i64>,
    /// The most units it can still prepare.
    pub(in crate::routing) units_max: i64,
}

/// What is to be placed, and where it can be.
#[derive(Clone, Debug)]
pub(in crate::routing) struct Problem {
    /// How many of each line are to be placed: at most what all places have together.
    pub(in crate::routing) demand: Vec<i64>,
    /// What a unit of each line weighs that is not placed.
    pub(in crate::routing) missing: Vec<Weight>,
    /// What a unit of each line is worth, in minor units.
    pub(in crate::routing) value: Vec<i64>,
    /// The least a part is worth, in minor units, unless it is the whole order.
    pub(in crate::routing) part_value: i64,
    /// Is the demand everything that the customer wants?
    pub(in crate::routing) is_whole: bool,
    /// The most parts.
    pub(in crate::routing) parts_max: usize,
    /// The places, always in the same order.
    pub(in crate::routing) nodes: Vec<Node>,
}

/// A choice: how many of each line each place gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::routing) struct Found {
    /// The places used, in order, with what they give of each line.
    pub(in crate::routing) gives: Vec<(usize, Vec<i64>)>,
    /// What the choice weighs.
    pub(in crate::routing) weight: Weight,
}

impl Problem {
    /// What it weighs to place nothing.
    pub(in crate::routing) fn weight_of_nothing(&self) -> Weight {
        (0..self.demand.len()).map(|line| self.missing[line] * Weight::from(self.demand[line])).sum()
    }

    /// Nothing is placed.
    pub(in crate::routing) fn nothing(&self) -> Found {
        Found { gives: Vec::new(), weight: self.weight_of_nothing() }
    }

    /// The choice with its weight.
    pub(in crate::routing) fn found(&self, mut gives: Vec<(usize, Vec<i64>)>) -> Found {
        gives.retain(|(_, given)| given.iter().any(|units| *units > 0));
        gives.sort_by_key(|(node, _)| *node);
        let mut weight = self.weight_of_nothing();
        for (node, given) in &gives {
            weight += self.nodes[*node].open;
            for (line, units) in given.iter().enumerate() {
                weight += (self.nodes[*node].unit[line] - self.missing[line]) * Weight::from(*units);
            }
        }
        Found { gives, weight }
    }

    /// May a part be this small? It is worth enough, or it is the whole order.
    pub(in crate::routing) fn allows(&self, given: &[i64]) -> bool {
        let worth = |(units, each): (&i64, &i64)| i128::from(*units) * i128::from(*each);
        self.part_value <= 0
            || given.iter().zip(&self.value).map(worth).sum::<i128>() >= i128::from(self.part_value)
            || self.is_whole && given == self.demand
    }

    /// Can each line be filled without looking at the others, once the places are chosen? So it is when no place's limit on units
    /// binds and parts may be small.
    pub(in crate::routing) fn is_separable(&self) -> bool {
        let is_free = |node: &Node| node.stock.iter().sum::<i64>() <= node.units_max;
        self.part_value <= 0 && self.nodes.iter().all(is_free)
    }

    /// The lots of each line: with separate lines, everything is given in multiples of what divides the demand and all stocks.
    pub(in crate::routing) fn lots(&self, nodes: &[usize]) -> Vec<i64> {
        if !self.is_separable() {
            return vec![1; self.demand.len()];
        }
        let lot = |line: usize| {
            let mut stocks = nodes.iter().map(|node| self.nodes[*node].stock[line]);
            let smaller =
                |lot: i64, stock: i64| Some(greatest_common_divisor(lot, stock)).filter(|lot| *lot > 1);
            stocks.try_fold(self.demand[line], smaller).unwrap_or(1).max(1)
        };
        (0..self.demand.len()).map(lot).collect()
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
