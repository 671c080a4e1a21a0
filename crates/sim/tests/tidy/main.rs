//! The house rules that a compiler does not know: which word may use which, how long things may
//! grow, what must be linked, which words are not said. Each failure says what to do.

mod arrows;
mod dead;
mod length;
mod order;
mod reach;
mod source;
mod tree;
mod words;

use tree::Tree;

/// Fails with every finding, one per line.
fn assert_tidy(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn capabilities_use_only_words_before_their_own() {
    let tree = Tree::read();
    let order = order::Order::parse(tree.text("docs/capabilities.txt"));
    assert_tidy(&order.findings(&tree));
}

#[test]
fn crates_depend_downwards_only() {
    assert_tidy(&arrows::findings(&Tree::read()));
}

#[test]
fn files_and_functions_stay_short() {
    assert_tidy(&length::findings(&Tree::read()));
}

#[test]
fn every_source_file_says_what_it_is() {
    assert_tidy(&dead::headless(&Tree::read()));
}

#[test]
fn no_source_file_is_dead() {
    assert_tidy(&dead::unreached(&Tree::read()));
}

#[test]
fn every_document_is_linked_and_no_link_is_broken() {
    assert_tidy(&dead::unlinked(&Tree::read()));
}

#[test]
fn decision_records_are_short_and_numbered() {
    assert_tidy(&dead::decisions(&Tree::read()));
}

#[test]
fn sql_is_written_in_the_store_only() {
    assert_tidy(&reach::sql(&Tree::read()));
}

#[test]
fn the_network_is_used_at_the_edges_only() {
    assert_tidy(&reach::network(&Tree::read()));
}

#[test]
fn nothing_of_one_machine_is_committed() {
    assert_tidy(&reach::machines(&Tree::read()));
}

#[test]
fn the_glossarys_words_are_used() {
    let tree = Tree::read();
    let glossary = words::Glossary::parse(tree.text("docs/GLOSSARY.md"));
    assert_tidy(&glossary.findings(&tree));
}
