//! Categories over the API: trees, and the categories in them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::value::id::{self, CategoryTree};
use domain::value::{Id, Reference, reference, text};
use engine::catalogue::category::{self, Category, CategoryChange, NewCategory, NewTree, Tree};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::WordingShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

/// The furthest place among neighbours.
const PLACE_MAX: i64 = 1_000_000;

/// The routes of categories.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_category_tree, list_category_trees))
        .routes(routes!(create_category, list_categories))
        .routes(routes!(read_category, update_category))
}

/// A tree of categories; each channel shows one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryTree, example = json!({"id": "tree_01jd0000000000000000000000", "code": "web", "name": "Web shop", "version": 1}))]
struct TreeShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// Rises when a category is added or moved.
    version: i64,
}

impl From<&Tree> for TreeShape {
    fn from(tree: &Tree) -> TreeShape {
        TreeShape {
            id: tree.id.to_string(),
            code: tree.code.clone(),
            name: tree.name.clone(),
            version: tree.version,
        }
    }
}

/// A tree to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCategoryTree, example = json!({"code": "web", "name": "Web shop"}))]
struct NewTreeShape {
    /// The short word it goes by: 1 to 60 lower-case letters, digits, `_` or `-`.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
}

impl NewTreeShape {
    fn read(&self) -> Result<NewTree, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", short_code(&self.code));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        fields.done(code.zip(name).map(|(code, name)| NewTree { code, name }))
    }
}

/// A category of a tree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Category, example = json!({"id": "cat_01jd0000000000000000000000", "tree": "tree_01jd0000000000000000000000",
    "title": {"text": "Kitchen", "translations": {"de": "Küche"}}, "place": 0, "version": 1}))]
struct CategoryShape {
    /// Its id.
    id: String,
    /// The tree it is in.
    tree: String,
    /// The category it lies below; absent at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// What it is called.
    title: WordingShape,
    /// Its place among its neighbours; the lower first.
    place: i64,
    /// What the retailer's other systems call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Category> for CategoryShape {
    fn from(category: &Category) -> CategoryShape {
        CategoryShape {
            id: category.id.to_string(),
            tree: category.tree.to_string(),
            parent: category.parent.map(|id| id.to_string()),
            title: WordingShape::from(&category.title),
            place: category.place,
            external_id: category.external_id.clone(),
            version: category.version,
        }
    }
}

/// A category to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCategory, example = json!({"title": {"text": "Kitchen"}, "parent": "home", "place": 10, "external_id": "kitchen"}))]
struct NewCategoryShape {
    /// The category it lies below: its id or external id; absent at the top.
    parent: Option<String>,
    /// What it is called.
    title: WordingShape,
    /// Its place among its neighbours, the lower first; 0 when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    place: i64,
    /// What your other systems call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
}

impl NewCategoryShape {
    fn read(&self, tree: &str) -> Result<NewCategory, Refusal> {
        let mut fields = Fields::new();
        let tree = fields.id::<CategoryTree>("tree", tree);
        let title = fields.part("title", self.title.title());
        let place = fields.take("place", place(self.place));
        let external = fields.take_if(
            "external_id",
            self.external_id.as_deref(),
            reference::external_id::<id::Category>,
        );
        let parent = self.parent.as_deref().map(Reference::read);
        let read = (|| {
            Some(NewCategory { tree: tree?, parent, title: title?, place: place?, external_id: external? })
        })();
        fields.done(read)
    }
}

fn place(place: i64) -> Result<i64, String> {
    if (0..=PLACE_MAX).contains(&place) { Ok(place) } else { Err(format!("give 0 to {PLACE_MAX}")) }
}

/// What of a category is to change. What is left out stays; a `null` parent moves it to the top.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CategoryChange, example = json!({"parent": null, "place": 20}))]
struct CategoryChangeShape {
    /// The category it lies below: its id or external id.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
    /// What it is called.
    title: Option<WordingShape>,
    /// Its place among its neighbours.
    #[schema(minimum = 0, maximum = 1_000_000)]
    place: Option<i64>,
}

impl CategoryChangeShape {
    fn read(&self) -> Result<CategoryChange, Refusal> {
        let mut fields = Fields::new();
        let title = match &self.title {
            None => Some(None),
            Some(wording) => fields.part("title", wording.title()).map(Some),
        };
        let place = fields.take_if("place", self.place, place);
        let parent = self.parent.as_ref().map(|parent| parent.as_deref().map(Reference::read));
        let read = (|| Some(CategoryChange { parent, title: title?, place: place? }))();
        fields.done(read)
    }
}

/// Make a category tree
#[utoipa::path(post, path = "/v1/category-trees", operation_id = "create_category_tree", tag = "catalogue", request_body = NewTreeShape,
    responses((status = 201, body = TreeShape), Problems))]
async fn create_category_tree(
    State(app): State<App>,
    command: Command<NewTreeShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        Reply::json(&TreeShape::from(&category::create_tree(tx, actor, world, input.clone())?))
    })
    .await
}

/// List category trees
#[utoipa::path(get, path = "/v1/category-trees", operation_id = "list_category_trees", tag = "catalogue", params(PageQuery),
    responses((status = 200, body = Page<TreeShape>), Problems))]
async fn list_category_trees(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let trees = app.read(move |tx| category::list_trees(tx, &actor, after, limit)).await?;
    let shapes = trees.iter().map(TreeShape::from).collect();
    document(&Page::new(shapes, limit, |tree: &TreeShape| tree.id.clone()), None)
}

/// Make a category
#[utoipa::path(post, path = "/v1/category-trees/{tree}/categories", operation_id = "create_category", tag = "catalogue",
    request_body = NewCategoryShape, params(("tree" = String, Path, description = "the tree's id")),
    responses((status = 201, body = CategoryShape), Problems))]
async fn create_category(
    State(app): State<App>,
    Path(tree): Path<String>,
    command: Command<NewCategoryShape>,
) -> Result<Response, Problem> {
    let input = command.body.read(&tree)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let category = category::create(tx, actor, world, input.clone())?;
        Reply::versioned(&CategoryShape::from(&category), category.version)
    })
    .await
}

/// List the categories of a tree
#[utoipa::path(get, path = "/v1/category-trees/{tree}/categories", operation_id = "list_categories", tag = "catalogue",
    params(("tree" = String, Path, description = "the tree's id"), PageQuery),
    responses((status = 200, body = Page<CategoryShape>), Problems))]
async fn list_categories(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(tree): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let tree: Id<CategoryTree> = Id::parse(&tree).map_err(|_| Refusal::not_found("category tree", &tree))?;
    let (limit, after) = (page.limit()?, page.after_id()?);
    let categories = app.read(move |tx| category::list(tx, &actor, tree, after, limit)).await?;
    let shapes = categories.iter().map(CategoryShape::from).collect();
    document(&Page::new(shapes, limit, |category: &CategoryShape| category.id.clone()), None)
}

/// Read a category
#[utoipa::path(get, path = "/v1/categories/{id}", operation_id = "read_category", tag = "catalogue",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = CategoryShape), Problems))]
async fn read_category(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let category = app.read(move |tx| category::read(tx, &actor, &reference)).await?;
    document(&CategoryShape::from(&category), Some(category.version))
}

/// Rename or move a category
#[utoipa::path(patch, path = "/v1/categories/{id}", operation_id = "update_category", tag = "catalogue", request_body = CategoryChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = CategoryShape), Problems))]
async fn update_category(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CategoryChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let category = category::change(tx, actor, world, (reference.clone(), read), change.clone())?;
        Reply::versioned(&CategoryShape::from(&category), category.version)
    })
    .await
}
