//! Categories: several trees, one for each way of showing the goods; categories can be moved, but never below themselves.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::catalogue::Wording;
use domain::catalogue::tree::{self as rules, CATEGORIES_MAX};
use domain::value::id::{Category as CategoryKind, CategoryTree};
use domain::value::{Id, Reference};
use serde_json::json;
use store::Tx;
use store::catalogue::category as rows;

pub use store::catalogue::category::{Category, Tree};

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// A tree to be made.
#[derive(Clone, Debug)]
pub struct NewTree {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
}

/// A category to be made.
#[derive(Clone, Debug)]
pub struct NewCategory {
    /// The tree it is in.
    pub tree: Id<CategoryTree>,
    /// The category it lies below; none at the top.
    pub parent: Option<Reference<CategoryKind>>,
    /// What it is called.
    pub title: Wording,
    /// Its place among its neighbours; the lower first.
    pub place: i64,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
}

/// What changes about a category; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct CategoryChange {
    /// The category it lies below; `Some(None)` moves it to the top.
    pub parent: Option<Option<Reference<CategoryKind>>>,
    /// What it is called.
    pub title: Option<Wording>,
    /// Its place among its neighbours.
    pub place: Option<i64>,
}

/// Makes a tree.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when the code is taken.
pub fn create_tree(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewTree) -> Result<Tree, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let tree = Tree { id: world.id(), code: new.code, name: new.name, version: 1 };
    if !rows::add_tree(tx, &tree)? {
        return Err(edit::code_taken::<CategoryTree>(&tree.code).into());
    }
    emit(tx, actor, world, tree.id, "category_tree.created", json!({ "code": tree.code }));
    Ok(tree)
}

/// The trees after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_trees(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<CategoryTree>,
    limit: i64,
) -> Result<Vec<Tree>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::list_trees(tx, after, limit)?)
}

/// Makes a category.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no such tree; [`domain::Code::Invalid`] when the parent is elsewhere or too deep.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewCategory,
) -> Result<Category, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let id = world.id();
    let tree =
        rows::touch_tree(tx, new.tree)?.ok_or_else(|| Refusal::not_found("category tree", new.tree))?;
    let parents = rows::parents(tx, tree.id)?;
    if parents.len() >= CATEGORIES_MAX {
        return Err(
            Refusal::invalid("tree", format!("a tree has at most {CATEGORIES_MAX} categories")).into()
        );
    }
    let parent = new.parent.as_ref().map(|parent| external::resolve_at(tx, "parent", parent)).transpose()?;
    rules::place(&parents, id, parent)?;
    let NewCategory { title, place, external_id, .. } = new;
    let category = Category { id, tree: tree.id, parent, title, place, external_id, version: 1 };
    rows::add(tx, &category)?;
    external::give(tx, id, category.external_id.as_deref())?;
    let body = json!({ "tree": tree.id.to_string(), "parent": parent.map(|parent| parent.to_string()) });
    emit(tx, actor, world, id, "category.created", body);
    Ok(category)
}

/// Renames or moves a category; `version` is the one it was read with.
///
/// # Errors
/// [`domain::Code::Stale`] when it was changed since; [`domain::Code::WrongState`] when it would lie below itself.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (reference, version): (Reference<CategoryKind>, Option<i64>),
    change: CategoryChange,
) -> Result<Category, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let mut category = find(tx, &reference)?;
    edit::unchanged(category.id, category.version, version)?;
    set(&mut category.title, change.title);
    set(&mut category.place, change.place);
    if let Some(parent) = change.parent {
        rows::touch_tree(tx, category.tree)?;
        category.parent = parent.map(|parent| external::resolve_at(tx, "parent", &parent)).transpose()?;
        rules::place(&rows::parents(tx, category.tree)?, category.id, category.parent)?;
    }
    category.version += 1;
    if !rows::update(tx, &category)? {
        return Err(edit::stale(category.id).into());
    }
    let body =
        json!({ "version": category.version, "parent": category.parent.map(|parent| parent.to_string()) });
    emit(tx, actor, world, category.id, "category.changed", body);
    Ok(category)
}

/// The categories of a tree after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    tree: Id<CategoryTree>,
    after: Id<CategoryKind>,
    limit: i64,
) -> Result<Vec<Category>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::list(tx, tree, after, limit)?)
}

/// The category a reference stands for.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, reference: &Reference<CategoryKind>) -> Result<Category, Failure> {
    let id = external::resolve(tx, reference)?;
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("category", id).into())
}

/// A category, for who may see the catalogue.
///
/// # Errors
/// As [`find`].
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    reference: &Reference<CategoryKind>,
) -> Result<Category, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    find(tx, reference)
}

/// A category and all below it.
///
/// # Errors
/// As [`find`].
pub fn with_below(
    tx: &mut Tx<'_>,
    reference: &Reference<CategoryKind>,
) -> Result<Vec<Id<CategoryKind>>, Failure> {
    let category = find(tx, reference)?;
    Ok(rules::below(&rows::parents(tx, category.tree)?, category.id).into_iter().collect())
}
