//! The archive is whole, and an erased person is gone from every table: the schema is held against the register of what is kept of persons,
//! and one life that fills it against both.

mod life;

use std::collections::BTreeSet;
use std::{env, fs};

use domain::Code;
use domain::privacy::register::{Left, REGISTER, Section, Told, of_table};
use engine::privacy::hold;
use engine::{archive, erasure};
use serde_json::Value;
use sim::on_every_engine;

use crate::merging::rows::{Table, tables};
use life::{WORDS, live};

/// Columns that lead to a person, by themselves or through something of his, or that hold what names somebody: ids, sealed text, and what
/// things are found by.
const LEADING: &str = "address_id billing_contact_id book_id cart_id claim_id code_id collector_id contact_id credential customer_id earner_id \
    email_hash evidence exchange_id friend_id fulfilment_order_id gift_card_id grant_id hash holder holder_id household_id id input_hash key key_hash \
    label link_id loser_id match_review_id member_id merge_id merged_into message_id name named_id new_order_id note note_id numbers one_id order_id \
    order_line_id other_hash other_id outcome_id paid_by_id parcel_id passkey_id payment_id person_id phone_hash point_lot_id pool_id \
    profile_id redemption_id request_id return_id return_line_id root_id said_hash sealed session_id store_credit_id subject_id \
    subjects subscriber_id token_hash winner_id wrapped_key about capture_id refund_id open_change_id consent_id";

/// Columns that lead to nobody.
const ELSEWHERE: &str = "account_id after after_id api_key_id attribute_id batch_id carrier_id category_id category_tree_id change_id \
    channel_id colleague_id company_id component_id count_id coupon_id customer_list_id decision_id delivery_method_before_id delivery_method_id \
    destination_id endpoint_id event_id expected_goods_id file_hash fingerprint from_place held_place hold_id import_id invitation_id job_id kit_id line_id \
    location_before_id location_id loyalty_programme_id manifest_id market_id media_id network_id old_secret parent_id pickup_location_id \
    pickup_network_id place place_id policy_id price_list_id product_id promotion_id provider_id public_key reconciliation_id \
    return_policy_id reward_id role_id secret secret_hash secret_key segment_id simulation_id sku_key source_id staff_id step_id \
    substitute_id tax_class_id tax_zone_id title_key training_id transfer_id transfer_order_id tree_id variant_id wave_id webhook_secret write_off_id";

/// Columns of text in which people's words or ids may stand.
const WORDED: [&str; 5] = ["note", "evidence", "subject", "answer", "cause_id"];

/// Tables that are about nobody, though a column is called as if: profiles of routing, seals of the journal, counts, sources.
const ABOUT_NOBODY: [&str; 6] =
    ["count", "routing_profile", "routing_simulation", "routing_use", "seal", "source"];

fn leads(table: &Table) -> bool {
    let of = |list: &str, name: &str| list.split_whitespace().any(|one| one == name);
    table.columns.iter().any(|(name, kind)| {
        let is_bytes = kind == "bytes";
        assert!(
            !is_bytes || of(LEADING, name) || of(ELSEWHERE, name),
            "column {name} of table {}: say in LEADING or ELSEWHERE here whether it leads to a person",
            table.name
        );
        (is_bytes && of(LEADING, name)) || (!is_bytes && WORDED.contains(&name.as_str()))
    })
}

#[test]
fn no_table_that_leads_to_a_person_is_forgotten() {
    on_every_engine(|shop| {
        let all = tables(shop);
        let mut wrong: Vec<String> = Vec::new();
        for table in all.iter().filter(|table| !ABOUT_NOBODY.contains(&table.name.as_str()) && leads(table)) {
            if of_table(&table.name).is_none() {
                wrong.push(format!(
                    "table {} leads to a person: say in domain/src/privacy/register/entries.rs how it is told, erased and kept, let \
                     engine/src/archive tell of it, engine/src/erasure.rs forget it, and engine/tests/archive/life.rs fill it",
                    table.name
                ));
            }
        }
        let names: BTreeSet<&str> = all.iter().map(|table| table.name.as_str()).collect();
        for table in REGISTER.iter().flat_map(|entry| entry.tables).filter(|table| !names.contains(**table)) {
            wrong.push(format!("the register names table {table}, which there is none of"));
        }
        for entry in REGISTER {
            let Left::Emptied(columns) = entry.left else { continue };
            for column in columns {
                let own = |table: &&Table| entry.tables.contains(&table.name.as_str());
                let has = |table: &Table| table.columns.iter().any(|(name, _)| name == column);
                if !all.iter().filter(own).any(has) {
                    wrong.push(format!("no table of \"{}\" has a column {column} to be emptied", entry.what));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    });
}

/// The columns by which rows hang together as one person's.
const JOINING: [&str; 13] = [
    "cart_id",
    "claim_id",
    "contact_id",
    "customer_id",
    "hash",
    "id",
    "member_id",
    "order_id",
    "person_id",
    "profile_id",
    "root_id",
    "subscriber_id",
    "winner_id",
];

/// Everything that is reached from a customer: what the joining columns hold.
fn reached(all: &[Table], from: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::from([from.to_owned()]);
    loop {
        let before = known.len();
        for table in all {
            for row in &table.rows {
                let cells: Vec<&str> = JOINING
                    .iter()
                    .filter_map(|name| table.cell(row, name))
                    .filter_map(Value::as_str)
                    .collect();
                if cells.iter().any(|cell| known.contains(*cell)) {
                    known.extend(cells.into_iter().map(str::to_owned));
                }
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

/// The rows of a table that are reached.
fn rows_of<'a>(all: &'a [Table], name: &str, known: &BTreeSet<String>) -> Vec<(&'a Table, &'a Vec<Value>)> {
    let table = all.iter().find(|table| table.name == name).expect("a table");
    let is_own = |row: &&Vec<Value>| row.iter().filter_map(Value::as_str).any(|cell| known.contains(cell));
    table.rows.iter().filter(is_own).map(|row| (table, row)).collect()
}

/// Has something of a section this field, with anything in it?
fn tells(section: &Value, field: &str) -> bool {
    match section {
        Value::Array(all) => all.iter().any(|one| tells(one, field)),
        one => !matches!(&one[field], Value::Null) && one[field] != Value::Array(Vec::new()),
    }
}

/// What of the register is not in an archive, or in no table of the story.
fn untold(kept: &Value, all: &[Table], known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for entry in REGISTER {
        if let Told::In(section, field) = entry.told
            && !tells(&kept[section.text()], field)
        {
            wrong.push(format!("{}: no {field} in the archive's {}", entry.what, section.text()));
        }
        for name in entry.tables {
            let table = all.iter().find(|table| table.name == *name).expect("a table");
            let has = |column: &&str| table.columns.iter().any(|(own, _)| own == column);
            let ends = match entry.left {
                Left::Rows(_) => false,
                Left::Emptied(columns) => columns.iter().any(has),
                Left::Nothing | Left::Sealed => true,
            };
            if ends && rows_of(all, name, known).is_empty() {
                wrong.push(format!("the story leaves table {name} empty"));
            }
        }
    }
    for section in Section::ALL {
        if kept[section.text()].as_array().is_some_and(Vec::is_empty) {
            wrong.push(format!("the archive's {} are empty", section.text()));
        }
    }
    wrong
}

/// What is left of an erased person where the register says that nothing is.
fn left(all: &[Table], known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for entry in REGISTER {
        for name in entry.tables {
            for (table, row) in rows_of(all, name, known) {
                let gone = |column: &str| table.cell(row, column).is_none_or(Value::is_null);
                let is_well = match entry.left {
                    Left::Nothing => false,
                    Left::Emptied(columns) => columns.iter().all(|column| gone(column)),
                    Left::Sealed => gone("wrapped_key"),
                    Left::Rows(_) => true,
                };
                if !is_well {
                    wrong.push(format!("table {name} keeps {}", Value::from(row.clone())));
                }
            }
        }
    }
    wrong
}

#[test]
fn the_archive_tells_everything_and_an_erased_person_is_gone_from_every_table() {
    on_every_engine(|shop| {
        let life = live(shop);
        let (ada, request) = (life.ada, life.request);
        let kept = shop
            .run(move |tx, actor, world| archive::of_request(tx, actor, world, request))
            .expect("an archive");
        let before = tables(shop);
        let known = reached(&before, &hexadecimal(&ada.bytes()));
        let untold = untold(&kept, &before, &known);
        assert!(untold.is_empty(), "\n{}\n", untold.join("\n"));
        shop.run(move |tx, actor, world| hold::lift(tx, actor, world, ada)).expect("lifted");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada)).expect("erased");
        let after = tables(shop);
        let left = left(&after, &known);
        assert!(left.is_empty(), "\n{}\n", left.join("\n"));
        for table in &after {
            for row in &table.rows {
                let row = Value::from(row.clone()).to_string();
                let word = WORDS.iter().find(|word| row.contains(**word));
                assert_eq!(word, None, "table {} names her: {row}", table.name);
            }
        }
        let again = shop.run(move |tx, actor, world| archive::of_request(tx, actor, world, request));
        assert_eq!(again.unwrap_err().code(), Some(Code::WrongState), "there is nobody to be told of");
    });
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The table of docs/PRIVACY.md.
fn written() -> String {
    let row = |entry: &domain::privacy::register::Entry| {
        let tables = entry.tables.join(", ");
        format!(
            "| {} | {tables} | {} | {} | {} |\n",
            entry.what,
            entry.told.words(),
            entry.left.words(),
            entry.kept.words()
        )
    };
    let head = "| what | tables | told to the person | left after erasing | kept |\n|---|---|---|---|---|\n";
    head.to_owned() + &REGISTER.iter().map(row).collect::<String>()
}

#[test]
fn the_document_shows_the_register() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PRIVACY.md");
    let text = fs::read_to_string(PATH).expect("docs/PRIVACY.md");
    let (above, rest) = text.split_once("<!-- register -->\n").expect("where the register begins");
    let (_, below) = rest.split_once("<!-- end of the register -->").expect("where the register ends");
    let fresh = format!("{above}<!-- register -->\n{}<!-- end of the register -->{below}", written());
    if env::var_os("UPDATE_SNAPSHOT").is_some() {
        fs::write(PATH, &fresh).expect("the document is written");
    }
    let text = fs::read_to_string(PATH).expect("docs/PRIVACY.md");
    assert!(text == fresh, "docs/PRIVACY.md is behind the register: run this test with UPDATE_SNAPSHOT=1");
}
