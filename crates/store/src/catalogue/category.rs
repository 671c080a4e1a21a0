//! The rows of categories: trees, the categories in them, and which products are in which.

use domain::catalogue::Wording;
use domain::catalogue::tree::Parents;
use domain::value::Id;
use domain::value::id::{Category as CategoryKind, CategoryTree, Product};

use super::{json, keys};
use crate::{Param, Row, StoreError, Tx, params};

/// A tree of categories; each channel shows one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its identity.
    pub id: Id<CategoryTree>,
    /// The short word it goes by; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Counts its changes, from 1; a moved category is a change of its tree.
    pub version: i64,
}

/// A category of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its identity.
    pub id: Id<CategoryKind>,
    /// The tree it is in.
    pub tree: Id<CategoryTree>,
    /// The category it lies below; none at the top.
    pub parent: Option<Id<CategoryKind>>,
    /// What it is called.
    pub title: Wording,
    /// Its place among its neighbours; the lower first.
    pub place: i64,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
    /// Counts its changes, from 1.
    pub version: i64,
}

fn tree(row: &mut Row<'_>) -> Result<Tree, StoreError> {
    Ok(Tree { id: row.id()?, code: row.text()?, name: row.text()?, version: row.int()? })
}

fn category(row: &mut Row<'_>) -> Result<Category, StoreError> {
    Ok(Category {
        id: row.id()?,
        tree: row.id()?,
        parent: row.id_or_null()?,
        title: json::wording(&row.text()?)?,
        place: row.int()?,
        external_id: row.text_or_null()?,
        version: row.int()?,
    })
}

/// Adds a tree; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_tree(tx: &mut Tx<'_>, tree: &Tree) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into category_tree (tree_id, code, name, version) values ($1, $2, $3, $4) on conflict (code) do nothing",
        params![tree.id, &tree.code, &tree.name, tree.version],
    )?;
    Ok(made == 1)
}

/// The trees after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_trees(tx: &mut Tx<'_>, after: Id<CategoryTree>, limit: i64) -> Result<Vec<Tree>, StoreError> {
    tx.rows(
        "select tree_id, code, name, version from category_tree where tree_id > $1 order by tree_id limit $2",
        params![after, limit],
        tree,
    )
}

/// Counts a change of a tree's shape and holds its row until the commit, so that its categories move one at a time.
///
/// # Errors
/// What the store says.
pub fn touch_tree(tx: &mut Tx<'_>, id: Id<CategoryTree>) -> Result<Option<Tree>, StoreError> {
    tx.one(
        "update category_tree set version = version + 1 where tree_id = $1 returning tree_id, code, name, version",
        params![id],
        tree,
    )
}

/// Which category of a tree lies below which.
///
/// # Errors
/// What the store says.
pub fn parents(tx: &mut Tx<'_>, tree: Id<CategoryTree>) -> Result<Parents, StoreError> {
    let rows =
        tx.rows("select category_id, parent_id from category where tree_id = $1", params![tree], |row| {
            Ok((row.id()?, row.id_or_null()?))
        });
    Ok(rows?.into_iter().collect())
}

/// Adds a category.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, category: &Category) -> Result<(), StoreError> {
    tx.execute(
        "insert into category (category_id, tree_id, parent_id, title, place, external_id, version) values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            category.id,
            category.tree,
            category.parent,
            &json::of_wording(&category.title),
            category.place,
            category.external_id.as_deref(),
            category.version,
        ],
    )?;
    Ok(())
}

/// Changes a category that still has the version before `category.version`; false when somebody was faster.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, category: &Category) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update category set parent_id = $2, title = $3, place = $4, version = $5 where category_id = $1 and version = $5 - 1",
        params![
            category.id,
            category.parent,
            &json::of_wording(&category.title),
            category.place,
            category.version
        ],
    )?;
    Ok(touched == 1)
}

/// The category with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<CategoryKind>) -> Result<Option<Category>, StoreError> {
    Ok(find_all(tx, &[id])?.pop())
}

/// The categories with these ids; unknown ids are passed over.
///
/// # Errors
/// What the store says.
pub fn find_all(tx: &mut Tx<'_>, ids: &[Id<CategoryKind>]) -> Result<Vec<Category>, StoreError> {
    tx.rows(
        "select category_id, tree_id, parent_id, title, place, external_id, version from category
         where category_id {in ids $1} order by category_id",
        &[Param::Ids(&keys(ids))],
        category,
    )
}

/// The categories of a tree after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    tree: Id<CategoryTree>,
    after: Id<CategoryKind>,
    limit: i64,
) -> Result<Vec<Category>, StoreError> {
    tx.rows(
        "select category_id, tree_id, parent_id, title, place, external_id, version from category
         where tree_id = $1 and category_id > $2 order by category_id limit $3",
        params![tree, after, limit],
        category,
    )
}

/// The categories a product is in.
///
/// # Errors
/// What the store says.
pub fn of_product(tx: &mut Tx<'_>, product: Id<Product>) -> Result<Vec<Id<CategoryKind>>, StoreError> {
    tx.rows(
        "select category_id from product_category where product_id = $1 order by category_id",
        params![product],
        |row| row.id(),
    )
}

/// The categories in which any of these products stand, with those above them.
///
/// # Errors
/// What the store says.
pub fn above_products(
    tx: &mut Tx<'_>,
    products: &[Id<Product>],
) -> Result<Vec<Id<CategoryKind>>, StoreError> {
    let keys: Vec<[u8; 16]> = products.iter().map(|product| product.bytes()).collect();
    tx.rows(
        "with recursive above(category_id, parent_id) as (
            select c.category_id, c.parent_id from product_category p
            join category c on c.category_id = p.category_id where p.product_id {in ids $1}
            union
            select c.category_id, c.parent_id from above a join category c on c.category_id = a.parent_id
         ) select category_id from above order by category_id",
        &[Param::Ids(&keys)],
        |row| row.id(),
    )
}

/// Puts a product into exactly these categories.
///
/// # Errors
/// What the store says.
pub fn set_of_product(
    tx: &mut Tx<'_>,
    product: Id<Product>,
    categories: &[Id<CategoryKind>],
) -> Result<(), StoreError> {
    tx.execute("delete from product_category where product_id = $1", params![product])?;
    for category in categories {
        tx.execute(
            "insert into product_category (product_id, category_id) values ($1, $2) on conflict (product_id, category_id) do nothing",
            params![product, *category],
        )?;
    }
    Ok(())
}
