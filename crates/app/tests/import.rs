//! Files as they really come, taken in by the program: wrong encodings, decimal commas, broken article numbers, other names of columns.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sim::scratch::Scratch;

fn tandem(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(arguments)
        .current_dir(home)
        .output()
        .expect("the program starts")
}

fn messy(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name).display().to_string()
}

/// Takes a file in and answers the exit code and what programs are told.
fn import(home: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = tandem(home, &[&["import", "--json"], arguments].concat());
    let told = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&told)
        .unwrap_or_else(|_| panic!("{told}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), json)
}

fn counts(told: &Value) -> [i64; 4] {
    ["made", "changed", "same", "refused"].map(|name| told[name].as_i64().expect("told"))
}

fn errors(told: &Value) -> Vec<String> {
    let errors = told["errors"].as_array().expect("told");
    errors.iter().map(|one| format!("{} {}", one["line"], one["column"].as_str().unwrap_or("-"))).collect()
}

#[test]
fn the_demo_retailers_own_tables_go_in_and_come_out() {
    let home = Scratch::new("import").expect("told");
    tandem(home.path(), &["init"]);
    let locations = format!("{}/../../demo/locations.csv", env!("CARGO_MANIFEST_DIR"));
    let (code, tried) = import(home.path(), &[&locations, "--kind", "locations", "--dry-run"]);
    assert_eq!((code, counts(&tried)), (Some(0), [15, 0, 0, 0]), "{tried}");
    let (code, taken) = import(home.path(), &[&locations, "--kind", "locations"]);
    assert_eq!((code, counts(&taken)), (Some(0), [15, 0, 0, 0]), "{taken}");
    for form in ["csv", "jsonl"] {
        let file = home.path().join(format!("out.{form}")).display().to_string();
        let written = tandem(home.path(), &["export", "locations", "--format", form, "--output", &file]);
        assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
        let (code, again) = import(home.path(), &[&file, "--kind", "locations"]);
        assert_eq!((code, counts(&again)), (Some(0), [0, 0, 15, 0]), "{again}");
    }
}

#[test]
fn messy_files_are_read_and_what_cannot_be_is_named() {
    let home = Scratch::new("import").expect("told");
    tandem(home.path(), &["init"]);
    let locations = format!("{}/../../demo/locations.csv", env!("CARGO_MANIFEST_DIR"));
    import(home.path(), &[&locations, "--kind", "locations"]);
    let (mapping, goods) = (messy("goods-german.toml"), messy("goods-german.csv"));
    let (code, told) =
        import(home.path(), &[&goods, "--kind", "products", "--mapping", &mapping, "--on-error", "pass"]);
    // The shop has no tax class and no price list yet: the books refuse the rows that can be read.
    assert_eq!((code, counts(&told)), (Some(1), [0, 0, 0, 4]), "{told}");
    assert_eq!(errors(&told), ["2 tax_class", "3 name", "5 barcodes", "6 price"]);
    let notes: Vec<&str> = told["notes"].as_array().expect("told").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        notes[..3],
        [
            "the file is read as Windows-1252",
            "cells are set apart by \";\"",
            "columns that are not taken: Farbe"
        ]
    );
    assert!(
        notes.contains(&"barcodes: article numbers damaged by a spreadsheet were put right, once"),
        "{notes:?}"
    );

    let (_, told) = import(home.path(), &[&messy("stock-utf16.txt"), "--kind", "stock", "--dry-run"]);
    assert_eq!((counts(&told), errors(&told)), ([0, 0, 0, 2], vec!["2 sku".to_owned(), "3 sku".to_owned()]));

    let (code, told) =
        import(home.path(), &[&messy("customers-bom.csv"), "--kind", "customers", "--on-error", "pass"]);
    assert_eq!((code, counts(&told), errors(&told)), (Some(1), [1, 0, 0, 1], vec!["3 email".to_owned()]));
    assert!(!told.to_string().contains("Lee"), "nothing of a person is told: {told}");
}

#[test]
fn an_import_is_gone_on_with_by_its_id_and_mistakes_have_their_exit_codes() {
    let home = Scratch::new("import").expect("told");
    tandem(home.path(), &["init"]);
    let file = messy("customers-bom.csv");
    let (_, told) = import(home.path(), &[&file, "--kind", "customers", "--on-error", "pass"]);
    let id = told["id"].as_str().expect("told");
    let (code, again) = import(home.path(), &[&file, "--kind", "customers", "--resume", id]);
    assert_eq!((code, &again), (Some(1), &told), "what has ended stays as it is");
    let other =
        tandem(home.path(), &["import", &messy("stock-utf16.txt"), "--kind", "stock", "--resume", "imp_1"]);
    assert_eq!(other.status.code(), Some(2));
    assert_eq!(tandem(home.path(), &["import", "none.csv", "--kind", "stock"]).status.code(), Some(3));
    assert_eq!(tandem(home.path(), &["import", "none.csv", "--kind", "goods"]).status.code(), Some(2));
}

const WEB_MAPPING: &str = "[columns]\nexternal_id = \"Kundennr.\"\nname = \"Name\"\nemail = \"E-Mail\"\nphone = \"Telefon\"\n\
    [constants]\ncountry = \"DE\"\n";

/// People as a web shop writes them out, in Windows-1252: every tenth is there a second time under another number, with the mail in capitals.
fn people(many: u32) -> Vec<u8> {
    let mut file = b"Kundennr.;Name;E-Mail;Telefon\r\n".to_vec();
    for number in 0..many {
        let mail = format!("{:08x}@web.example", number.wrapping_mul(2_654_435_761));
        file.extend_from_slice(format!("{number};J").as_bytes());
        file.extend_from_slice(b"\xfc");
        file.extend_from_slice(format!("rgen {:x};{mail};\r\n", number.wrapping_mul(40_503)).as_bytes());
        if number % 10 == 0 {
            file.extend_from_slice(format!("{number}-2;;{};\r\n", mail.to_uppercase()).as_bytes());
        }
    }
    file
}

/// A shop with the source "web", and a file of it.
fn with_a_web_shop(home: &Path, many: u32) -> String {
    tandem(home, &["init"]);
    std::fs::write(home.join("web.toml"), WEB_MAPPING).expect("written");
    let named = tandem(
        home,
        &["source", "web", "--name", "Web shop", "--trust", "60", "--mapping", "customers=web.toml"],
    );
    assert_eq!(named.status.code(), Some(0), "{}", String::from_utf8_lossy(&named.stderr));
    let file = home.join("web.csv");
    std::fs::write(&file, people(many)).expect("written");
    file.display().to_string()
}

fn given_out(home: &Path) -> Vec<String> {
    let written = tandem(home, &["export", "customers"]);
    let mut lines: Vec<String> =
        String::from_utf8_lossy(&written.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_source_keeps_its_mapping_and_a_trial_says_what_happens() {
    let home = Scratch::new("import").expect("told");
    let file = with_a_web_shop(home.path(), 40);
    let unknown = tandem(home.path(), &["import", &file, "--kind", "customers", "--source", "till"]);
    assert_eq!(unknown.status.code(), Some(2));
    let arguments = [file.as_str(), "--kind", "customers", "--source", "web"];
    let people = |told: &Value| ["made", "joined", "same"].map(|name| told[name].as_i64().expect("told"));
    let (code, tried) = import(home.path(), &[&arguments[..], &["--dry-run"]].concat());
    assert_eq!((code, people(&tried)), (Some(0), [40, 4, 0]), "{tried}");
    assert_eq!(tried["findings"][0]["other_line"], 2, "{tried}");
    let (code, taken) = import(home.path(), &arguments);
    assert_eq!((code, people(&taken)), (Some(0), [40, 4, 0]), "{taken}");
    let newer = [&arguments[..], &["--precedence", "newer"]].concat();
    assert_eq!(people(&import(home.path(), &newer).1), [0, 0, 44]);
    assert!(given_out(home.path()).iter().any(|line| line.contains("J\u{fc}rgen")), "the umlaut is one");
    let shown = tandem(home.path(), &["source", "web"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("web: Web shop, trusted 60, fill_gaps; mappings: customers"), "{shown}");
}

#[test]
fn an_import_that_was_killed_and_taken_in_again_leaves_the_same_people() {
    let (whole, cut) = (Scratch::new("import").expect("told"), Scratch::new("import").expect("told"));
    let file = with_a_web_shop(whole.path(), 3_000);
    let arguments = ["--kind", "customers", "--source", "web", "--on-error", "pass"];
    import(whole.path(), &[&[file.as_str()], &arguments[..]].concat());
    let file = with_a_web_shop(cut.path(), 3_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args([&["import", file.as_str()], &arguments[..]].concat())
        .current_dir(cut.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    // As soon as the first rows are kept.
    while given_out(cut.path()).len() <= 1 && child.try_wait().expect("asked").is_none() {}
    child.kill().expect("killed");
    child.wait().expect("ended");
    let (code, again) = import(cut.path(), &[&[file.as_str()], &arguments[..]].concat());
    let told = ["made", "joined", "same", "refused"].map(|name| again[name].as_i64().expect("told"));
    assert_eq!((code, told.iter().sum::<i64>()), (Some(0), 3_300), "{again}");
    assert!(told[0] < 3_000 && told[2] > 0, "it was killed after some rows: {told:?}");
    assert_eq!(given_out(cut.path()), given_out(whole.path()));
    let checked = tandem(cut.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
}
