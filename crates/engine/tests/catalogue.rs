//! The catalogue's story: products are made and changed, found by what is printed on them, sorted into trees, and put together into kits.

use domain::Code;
use domain::catalogue::attribute::{AttributeKind, AttributeScope};
use domain::catalogue::{Attribute, Barcode, Choice, Given, Layout, MediaKind, Status, Wording};
use domain::value::gtin::variable::Measure;
use domain::value::id::TaxClass;
use domain::value::{Id, Reference, Unit};
use engine::catalogue::category::{self, CategoryChange, NewCategory, NewTree};
use engine::catalogue::variant::{read_variant, set_layout};
use engine::catalogue::{
    self, Detail, NewMedia, NewProduct, NewVariant, ProductChange, Variant, VariantChange, Wanted, attribute,
};
use engine::{Failure, tax};
use sim::{TestShop, on_every_engine};
use store::catalogue as rows;

fn title(text: &str) -> Wording {
    Wording::title(text, &[]).expect("a title")
}

fn variant(sku: &str, options: &[&str]) -> NewVariant {
    NewVariant {
        sku: sku.into(),
        options: options.iter().map(|value| (*value).into()).collect(),
        unit: Unit::Piece,
        weight_grams: Some(120),
        tax_class: None,
        barcodes: Vec::new(),
        components: Vec::new(),
        service: false,
        attributes: Vec::new(),
        external_id: None,
    }
}

fn product(name: &str, class: Id<TaxClass>, variants: Vec<NewVariant>) -> NewProduct {
    NewProduct {
        title: title(name),
        description: Wording::stored(String::new(), Vec::new()),
        status: Status::Active,
        brand: None,
        supplier: None,
        tax_class: Reference::Id(class),
        options: Vec::new(),
        attributes: Vec::new(),
        categories: Vec::new(),
        media: Vec::new(),
        variants,
        external_id: None,
    }
}

fn standard(shop: &TestShop) -> Id<TaxClass> {
    let class = tax::NewClass { code: "standard".into(), name: "Standard rate".into() };
    shop.run(move |tx, actor, world| tax::create_class(tx, actor, world, class.clone())).expect("a class").id
}

fn make(shop: &TestShop, new: NewProduct) -> Result<Detail, Failure> {
    shop.run(move |tx, actor, world| catalogue::create_product(tx, actor, world, new.clone()))
}

fn said<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.expect_err("a refusal").to_string()
}

#[test]
fn a_product_with_variants_is_made_and_found_by_what_is_printed_on_it() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let mut mug =
            product("Mug", class, vec![variant("MUG-RED", &["red"]), variant("MUG-BLUE", &["blue"])]);
        mug.options = vec![Choice { name: "colour".into(), values: vec!["red".into(), "blue".into()] }];
        mug.variants[0].barcodes =
            vec![Barcode::gtin("036000291452").unwrap(), Barcode::internal("R1").unwrap()];
        mug.external_id = Some("shop-1".into());
        let made = make(shop, mug.clone()).unwrap();
        assert_eq!(made.variants[0].title, "Mug, red");
        assert!(made.variants.iter().all(|one| one.active && one.tax_class == class && one.version == 1));
        assert_eq!(
            said(make(shop, mug.clone())),
            "already_exists: external_id: another product has the external id \"shop-1\"; choose another"
        );
        mug.external_id = None;
        assert_eq!(
            said(make(shop, mug)),
            "already_exists: variants.0.sku: another variant has the sku \"MUG-RED\""
        );

        let read = shop
            .run(|tx, actor, _| catalogue::read_product(tx, actor, &Reference::External("shop-1".into())));
        assert_eq!(read.unwrap(), made);
        for code in ["036000291452", "0036000291452", "00036000291452", "R1", "MUG-RED"] {
            let found = shop.run(move |tx, actor, _| catalogue::variant_by_code(tx, actor, code)).unwrap();
            assert_eq!((found.0.id, found.1), (made.variants[0].id, None), "{code}");
        }
        let lost = shop.run(|tx, actor, _| catalogue::variant_by_code(tx, actor, "mug-red"));
        assert_eq!(said(lost), "not_found: no variant with the code \"mug-red\"");
    });
}

#[test]
fn what_is_wrong_is_named_with_its_variant() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let bad = |change: &dyn Fn(&mut NewProduct)| {
            let mut new = product("Mug", class, vec![variant("M1", &[]), variant("M2", &[])]);
            new.variants.truncate(1);
            change(&mut new);
            said(make(shop, new))
        };
        assert_eq!(
            bad(&|new| new.variants.push(variant("M2", &[]))),
            "already_exists: variants.1.options: a product without options has one variant"
        );
        assert_eq!(
            bad(&|new| new.variants[0].options = vec!["red".into()]),
            "invalid: variants.0.options: give one value for each option: none: the product has no options"
        );
        assert_eq!(
            bad(&|new| new.variants[0].weight_grams = Some(-1)),
            "invalid: variants.0.weight_grams: give 0 to 100000000 grams"
        );
        assert_eq!(
            bad(&|new| new.attributes = vec![("colour".into(), Given::Yes(true))]),
            "invalid: attributes.colour: there is no such attribute; make it first"
        );
        assert_eq!(
            bad(&|new| new.categories = vec![Reference::External("toys".into())]),
            "invalid: categories.0: no category \"toys\""
        );
        assert_eq!(
            bad(&|new| new.tax_class = Reference::External("none".into())),
            "invalid: tax_class: no tax class \"none\""
        );
        assert!(
            make(shop, product("Mug", class, vec![variant("M1", &[])])).is_ok(),
            "nothing of it was kept"
        );
    });
}

#[test]
fn a_product_is_changed_by_who_read_its_last_version() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let made = make(shop, product("Mug", class, vec![variant("M1", &[])])).unwrap();
        let (id, one) = (made.product.id, made.variants[0].id);
        let rename = |version: Option<i64>, change: ProductChange| {
            shop.run(move |tx, actor, world| {
                catalogue::change_product(tx, actor, world, (Reference::Id(id), version), change.clone())
            })
        };
        let change =
            ProductChange { title: Some(title("Cup")), status: Some(Status::Archived), ..Default::default() };
        let after = rename(Some(1), change.clone()).unwrap();
        assert_eq!((after.product.version, after.variants[0].title.as_str()), (2, "Cup"));
        assert!(!after.variants[0].active, "what is archived is not sold");
        assert_eq!(rename(Some(1), change.clone()).unwrap_err().code(), Some(Code::Stale));
        assert_eq!(rename(None, change).unwrap_err().code(), Some(Code::Stale));

        let sku = VariantChange {
            sku: Some("C1".into()),
            barcodes: Some(vec![Barcode::internal("C").unwrap()]),
            ..Default::default()
        };
        let resku = move |shop: &TestShop, change: VariantChange, version| {
            shop.run(move |tx, actor, world| {
                catalogue::change_variant(
                    tx,
                    actor,
                    world,
                    (Reference::Id(one), Some(version)),
                    change.clone(),
                )
            })
        };
        let changed = resku(shop, sku.clone(), 1).unwrap();
        assert_eq!((changed.sku.as_str(), changed.version), ("C1", 2));
        assert_eq!(resku(shop, sku, 1).unwrap_err().code(), Some(Code::Stale));
        assert!(
            shop.read(|tx| Ok(rows::variant_by_sku(tx, "M1")?)).unwrap().is_none(),
            "the old SKU is free"
        );
        let added = shop.run(move |tx, actor, world| {
            catalogue::add_variant(tx, actor, world, &Reference::Id(id), variant("M1", &[]))
        });
        assert_eq!(said(added), "already_exists: options: a product without options has one variant");
        resku(shop, VariantChange { archived: Some(true), ..Default::default() }, 2).unwrap();
        let added = shop.run(move |tx, actor, world| {
            catalogue::add_variant(tx, actor, world, &Reference::Id(id), variant("M1", &[]))
        });
        assert!(added.is_ok(), "an archived variant makes room");
        let back = resku(shop, VariantChange { archived: Some(false), ..Default::default() }, 3);
        assert_eq!(said(back), "already_exists: options: a product without options has one variant");
        let read = shop.run(move |tx, actor, _| read_variant(tx, actor, &Reference::Id(one))).unwrap();
        assert!(read.archived, "and stays readable");
    });
}

#[test]
fn kits_are_made_of_plain_variants() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let cup = make(shop, product("Cup", class, vec![variant("CUP", &[])])).unwrap().variants.remove(0);
        let set = |sku: &str, part: &Variant, quantity| {
            let mut kit = variant(sku, &[]);
            kit.components = vec![(Reference::Id(part.id), quantity)];
            make(shop, product("Set of cups", class, vec![kit]))
        };
        let kit = set("SET", &cup, 6).unwrap().variants.remove(0);
        assert!(kit.kit && kit.components == [(cup.id, 6)]);
        let id = kit.id;
        assert_eq!(shop.read(move |tx| Ok(rows::variants(tx, &[id])?)).unwrap().first(), Some(&kit));
        assert_eq!(
            said(set("SETS", &kit, 2)),
            "invalid: variants.0.components.0.variant: a kit cannot contain a kit; name what is in it"
        );
        assert!(
            said(set("SETS", &cup, 0))
                .starts_with("invalid: variants.0.components.0.quantity: 0 is no quantity")
        );
        let change = |id, components: Vec<_>| {
            let change = VariantChange { components: Some(components), ..Default::default() };
            shop.run(move |tx, actor, world| {
                catalogue::change_variant(tx, actor, world, (Reference::Id(id), Some(1)), change.clone())
            })
        };
        let into_itself = change(kit.id, vec![(Reference::Id(kit.id), 1)]);
        assert_eq!(said(into_itself), "invalid: components.0.variant: a kit cannot contain itself");
        let plain_into_kit = change(cup.id, vec![(Reference::Id(kit.id), 1)]);
        assert_eq!(plain_into_kit.unwrap_err().code(), Some(Code::WrongState));
        assert_eq!(change(kit.id, vec![(Reference::Id(cup.id), 4)]).unwrap().components, [(cup.id, 4)]);
    });
}

#[test]
fn categories_are_moved_but_never_below_themselves() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let tree = shop
            .run(|tx, actor, world| {
                let new = NewTree { code: "web".into(), name: "Web shop".into() };
                category::create_tree(tx, actor, world, new)
            })
            .unwrap();
        let make_category = |name: &str, parent: Option<Id<_>>| {
            let new = NewCategory {
                tree: tree.id,
                parent: parent.map(Reference::Id),
                title: title(name),
                place: 0,
                external_id: Some(name.into()),
            };
            shop.run(move |tx, actor, world| category::create(tx, actor, world, new.clone())).unwrap()
        };
        let home = make_category("home", None);
        let kitchen = make_category("kitchen", Some(home.id));
        let garden = make_category("garden", None);
        let mut mug = product("Mug", class, vec![variant("MUG", &[])]);
        mug.categories = vec![Reference::Id(kitchen.id), Reference::External("garden".into())];
        let mug = make(shop, mug).unwrap();
        assert_eq!(mug.categories, [kitchen.id, garden.id]);

        let listed = |wanted: Wanted| {
            let found = shop.run(move |tx, actor, _| {
                catalogue::list_products(tx, actor, &wanted, Id::from_bytes([0; 16]), 10)
            });
            found.unwrap().into_iter().map(|product| product.id).collect::<Vec<_>>()
        };
        let of = |category: &str| Wanted {
            category: Some(Reference::External(category.into())),
            ..Default::default()
        };
        assert_eq!(listed(of("home")), [mug.product.id], "what is below counts");
        let prefix = |text: &str| Wanted { prefix: Some(text.into()), ..Default::default() };
        assert_eq!(listed(prefix("mU")), [mug.product.id]);
        assert!(listed(prefix("ug")).is_empty());
        assert!(listed(Wanted { status: Some(Status::Draft), ..Default::default() }).is_empty());

        let move_to = |id, version, parent: Option<Id<_>>| {
            let change = CategoryChange { parent: Some(parent.map(Reference::Id)), ..Default::default() };
            shop.run(move |tx, actor, world| {
                category::change(tx, actor, world, (Reference::Id(id), Some(version)), change.clone())
            })
        };
        let ring = move_to(home.id, 1, Some(kitchen.id));
        assert_eq!(
            said(ring),
            "wrong_state: parent: a category cannot lie below itself; choose a parent outside of it"
        );
        move_to(kitchen.id, 1, Some(garden.id)).unwrap();
        assert!(listed(of("home")).is_empty() && listed(of("garden")) == [mug.product.id]);
        assert_eq!(move_to(kitchen.id, 1, None).unwrap_err().code(), Some(Code::Stale));
    });
}

#[test]
fn attributes_media_and_scale_labels() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let define = |code: &str, kind, choices: &[&str], exponent| {
            let choices = choices.iter().map(|choice| (*choice).into()).collect();
            let (code, name, scope) = (code.to_owned(), code.to_owned(), AttributeScope::Product);
            let new = Attribute { code, name, kind, scope, choices, exponent };
            shop.run(move |tx, actor, world| attribute::create(tx, actor, world, new.clone()))
        };
        define("material", AttributeKind::Choice, &["wood", "steel"], 0).unwrap();
        define("length", AttributeKind::Decimal, &[], 2).unwrap();
        define("fits", AttributeKind::Reference, &[], 0).unwrap();
        assert_eq!(
            define("length", AttributeKind::Text, &[], 0).unwrap_err().code(),
            Some(Code::AlreadyExists)
        );

        let table = make(shop, product("Table", class, vec![])).unwrap().product.id;
        let mut chair = product("Chair", class, vec![variant("281027", &[])]);
        chair.attributes = vec![
            ("material".into(), Given::Text("wood".into())),
            ("length".into(), Given::Text("45.5".into())),
            ("fits".into(), Given::Text(table.to_string())),
        ];
        chair.media = vec![NewMedia {
            kind: MediaKind::Image,
            address: "https://img.example/chair.jpg".into(),
            alt: title("a chair"),
            variant: None,
        }];
        chair.variants[0].barcodes = vec![Barcode::internal("281027").unwrap()];
        let made = make(shop, chair.clone()).unwrap();
        let length = made.product.attributes.iter().find(|(code, _)| code == "length").unwrap();
        assert_eq!(length.1, Given::Text("45.50".into()));
        assert_eq!(made.media.len(), 1);
        chair.attributes = vec![
            ("material".into(), Given::Text("air".into())),
            ("fits".into(), Given::Text("prd_00000000000000000000000000".into())),
        ];
        let refused = make(shop, chair).unwrap_err();
        let Failure::Refused(refusal) = refused else { panic!("{refused}") };
        let all: Vec<String> = refusal.each().map(ToString::to_string).collect();
        assert_eq!(
            all,
            [
                "invalid: attributes.material: \"air\" is none of: wood, steel",
                "invalid: attributes.fits: no product \"prd_00000000000000000000000000\"",
            ]
        );

        let scale = Layout {
            prefix: "28".into(),
            item_digits: 4,
            value_digits: 5,
            measure: Measure::Weight,
            verified: true,
        };
        shop.run(move |tx, actor, world| set_layout(tx, actor, world, scale.clone())).unwrap();
        let scan =
            |code: &'static str| shop.run(move |tx, actor, _| catalogue::variant_by_code(tx, actor, code));
        let (found, weighed) = scan("2810275005024").unwrap();
        assert_eq!((found.id, weighed.unwrap().measured.value), (made.variants[0].id, 502));
        assert!(said(scan("2810275005020")).starts_with("not_found"), "a wrong check digit is no label");
    });
}

#[test]
fn a_part_that_is_refused_is_undone_by_itself() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let made = shop.run(move |tx, actor, world| {
            let mut outcomes = Vec::new();
            for sku in ["A", "A", "B"] {
                let new = product("Cup", class, vec![variant(sku, &[])]);
                let outcome = tx.savepoint(|tx| catalogue::create_product(tx, actor, world, new));
                outcomes.push(outcome.map(|made| made.product.id).map_err(|failure| failure.code()));
            }
            Ok(outcomes)
        });
        let made = made.unwrap();
        let ids: Vec<_> = made.iter().copied().filter_map(Result::ok).collect();
        assert_eq!(made[1], Err(Some(Code::AlreadyExists)));
        let listed = shop.run(|tx, actor, _| {
            catalogue::list_products(tx, actor, &Wanted::default(), Id::from_bytes([0; 16]), 10)
        });
        assert_eq!(listed.unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>(), ids);
        let told = shop.read(|tx| engine::event::page(tx, [0; 16], 100)).unwrap();
        let of_products = told.iter().filter(|(entry, _)| entry.kind == "product.created").count();
        assert_eq!(of_products, 2, "what was undone is not told");
    });
}

#[test]
fn products_keep_their_values_when_an_attribute_changes() {
    on_every_engine(|shop| {
        let class = standard(shop);
        let material = Attribute {
            code: "material".into(),
            name: "Material".into(),
            kind: AttributeKind::Choice,
            scope: AttributeScope::Product,
            choices: vec!["wood".into(), "steel".into()],
            exponent: 0,
        };
        let made =
            shop.run(move |tx, actor, world| attribute::create(tx, actor, world, material.clone())).unwrap();
        let of = |word: &str| vec![("material".to_owned(), Given::Text(word.into()))];
        let wooden = NewProduct { attributes: of("wood"), ..product("Chair", class, vec![]) };
        let chair = make(shop, wooden.clone()).unwrap().product.id;

        let choices = |version, words: &[&str]| {
            let choices = Some(words.iter().map(|word| (*word).to_owned()).collect());
            let change = attribute::AttributeChange { name: Some("Made of".into()), choices };
            shop.run(move |tx, actor, world| {
                attribute::change(tx, actor, world, (made.id, Some(version)), change.clone())
            })
        };
        assert_eq!(choices(1, &["steel", "glass"]).unwrap().version, 2);
        assert_eq!(choices(1, &["wood"]).unwrap_err().code(), Some(Code::Stale));

        let change = |version, change: ProductChange| {
            shop.run(move |tx, actor, world| {
                let key = (Reference::Id(chair), Some(version));
                catalogue::change_product(tx, actor, world, key, change.clone())
            })
        };
        let renamed = ProductChange { title: Some(title("Stool")), ..Default::default() };
        assert_eq!(change(1, renamed).unwrap().product.attributes, of("wood"), "a value given stays");
        let same = ProductChange { attributes: Some(of("wood")), ..Default::default() };
        assert_eq!(change(2, same.clone()).unwrap().product.attributes, of("wood"), "and may be sent back");
        let gone = "invalid: attributes.material: \"wood\" is none of: steel, glass";
        assert_eq!(said(make(shop, NewProduct { title: title("Table"), ..wooden })), gone);

        let glass = ProductChange { attributes: Some(of("glass")), ..Default::default() };
        assert_eq!(change(3, glass).unwrap().product.attributes, of("glass"));
        assert_eq!(said(change(4, same)), gone, "nobody goes back to what is no choice any more");
    });
}
