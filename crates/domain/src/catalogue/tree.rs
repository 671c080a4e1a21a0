//! Category trees: which category lies below which, and where one may be moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::{Code, Refusal};
use crate::value::Id;
use crate::value::id::Category;

/// The most categories a tree has.
pub const CATEGORIES_MAX: usize = 5_000;
/// How deep a tree may be.
pub const DEPTH_MAX: usize = 12;

/// Which category lies below which other; `None` for those at the top.
pub type Parents = BTreeMap<Id<Category>, Option<Id<Category>>>;

/// Checks that a category may be put under a parent of the same tree: not under itself or what is below it, and not too deep.
///
/// # Errors
/// The refusal names the parent.
pub fn place(parents: &Parents, category: Id<Category>, parent: Option<Id<Category>>) -> Result<(), Refusal> {
    let mut above = 0;
    let mut next = parent;
    while let Some(current) = next {
        if current == category {
            let message = "a category cannot lie below itself; choose a parent outside of it";
            return Err(Refusal::new(Code::WrongState, message).at("parent"));
        }
        above += 1;
        let further = parents.get(&current);
        next = *further.ok_or_else(|| Refusal::invalid("parent", "the parent is in another tree"))?;
    }
    if above + height(parents, category) > DEPTH_MAX {
        return Err(Refusal::invalid("parent", format!("a tree is at most {DEPTH_MAX} categories deep")));
    }
    Ok(())
}

/// A category and all below it.
pub fn below(parents: &Parents, category: Id<Category>) -> BTreeSet<Id<Category>> {
    let mut found = BTreeSet::from([category]);
    loop {
        let before = found.len();
        let next: Vec<_> = parents
            .iter()
            .filter(|(_, parent)| parent.is_some_and(|parent| found.contains(&parent)))
            .map(|(child, _)| *child)
            .collect();
        found.extend(next);
        if found.len() == before {
            return found;
        }
    }
}

/// How many layers a category has: itself and what is below it.
fn height(parents: &Parents, category: Id<Category>) -> usize {
    let mut layer = BTreeSet::from([category]);
    let mut layers = 0;
    while !layer.is_empty() && layers <= DEPTH_MAX {
        layers += 1;
        let next = parents.iter().filter(|(_, parent)| parent.is_some_and(|parent| layer.contains(&parent)));
        layer = next.map(|(child, _)| *child).collect();
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(byte: u8) -> Id<Category> {
        Id::from_bytes([byte; 16])
    }

    #[test]
    fn a_category_never_lies_below_itself() {
        let parents: Parents =
            [(id(1), None), (id(2), Some(id(1))), (id(3), Some(id(2))), (id(4), None)].into();
        assert!(place(&parents, id(3), Some(id(4))).is_ok());
        assert!(place(&parents, id(3), None).is_ok());
        for below in [1, 2, 3] {
            assert_eq!(place(&parents, id(1), Some(id(below))).unwrap_err().code(), Code::WrongState);
        }
        assert!(place(&parents, id(1), Some(id(9))).is_err());
        assert_eq!(below(&parents, id(1)), [id(1), id(2), id(3)].into());
    }

    #[test]
    fn trees_are_not_too_deep() {
        let most = DEPTH_MAX as u8;
        let chain: Parents = (1..=most).map(|byte| (id(byte), (byte > 1).then(|| id(byte - 1)))).collect();
        assert!(place(&chain, id(99), Some(id(most - 1))).is_ok());
        assert!(place(&chain, id(99), Some(id(most))).is_err());
    }

    proptest! {
        #[test]
        fn moves_that_are_allowed_keep_every_way_up_finite(moves in proptest::collection::vec((1u8..12, 0u8..12), 1..60)) {
            let mut parents: Parents = (1..12).map(|byte| (id(byte), None)).collect();
            for (category, parent) in moves {
                let parent = (parent > 0).then(|| id(parent));
                if place(&parents, id(category), parent).is_ok() {
                    parents.insert(id(category), parent);
                }
            }
            for start in parents.keys() {
                let ups = std::iter::successors(Some(*start), |at| parents[at]).take(DEPTH_MAX + 1).count();
                prop_assert!(ups <= DEPTH_MAX);
            }
        }
    }
}
