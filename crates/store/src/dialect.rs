//! What really differs between the engines, by name. All other SQL is one text for both.
//!
//! Placeholders are `$1, $2, …`. Words in braces stand for differences: in migrations `{int} {bytes} {json} {strict}`, in statements
//! `{lock}` (hold the row until the commit), `{stay}` (nobody locks the row until the commit), `{skip locked}` (take rows nobody else is taking), `{in ids $n}` and `{in texts $n}` (one of a list), and
//! `{by index}` after a table: SQLite keeps no statistics and would read all of a much used book instead.

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL, or another engine that speaks its wire.
    Postgres,
}

/// The text of a statement or migration as the engine wants it.
///
/// # Panics
/// When a brace word is unknown: a mistake in the program, found by the test that prepares every statement.
pub fn translate(engine: Engine, sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(start) = rest.find(['{', '$']) {
        out.push_str(&rest[..start]);
        if rest[start..].starts_with('$') {
            out.push(if engine == Engine::Sqlite { '?' } else { '$' });
            rest = &rest[start + 1..];
            continue;
        }
        let end = start + rest[start..].find('}').expect("a brace word ends");
        out.push_str(&word(engine, &rest[start + 1..end]));
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn word(engine: Engine, word: &str) -> String {
    let (name, argument) = word.split_once(" $").map_or((word, ""), |(name, argument)| (name, argument));
    let text = match (engine, name) {
        (Engine::Sqlite, "int") => "integer",
        (Engine::Postgres, "int") => "bigint",
        (Engine::Sqlite, "bytes") => "blob",
        (Engine::Postgres, "bytes") => "bytea",
        (_, "json") => "text",
        (Engine::Sqlite, "strict") => "strict, without rowid",
        (Engine::Postgres, "strict") | (Engine::Sqlite, "lock" | "stay" | "skip locked") => "",
        (Engine::Postgres, "lock") => "for update",
        (Engine::Postgres, "stay") => "for key share",
        (Engine::Postgres, "skip locked") => "for update skip locked",
        (Engine::Sqlite, "in ids") => return format!("in (select unhex(value) from json_each(?{argument}))"),
        (Engine::Sqlite, "in texts") => return format!("in (select value from json_each(?{argument}))"),
        (Engine::Postgres, "in ids") => return format!("= any(${argument}::bytea[])"),
        (Engine::Postgres, "in texts") => return format!("= any(${argument}::text[])"),
        (Engine::Sqlite, _) if name.starts_with("by ") => return format!("indexed {name}"),
        (Engine::Postgres, _) if name.starts_with("by ") => "",
        _ => panic!("unknown word {{{word}}} in a statement"),
    };
    text.to_owned()
}

/// The statement that lists every column of every table: table, column, type, place in the primary key (0 for none).
pub(crate) const fn columns_of_all_tables(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "select m.name, c.name, c.type, c.pk from sqlite_schema m join pragma_table_info(m.name) c
             where m.type = 'table' and m.name not like 'sqlite%' order by m.name, c.cid"
        }
        Engine::Postgres => {
            "select cast(c.table_name as text), cast(c.column_name as text), cast(c.data_type as text), cast(coalesce(k.ordinal_position, 0) as bigint)
             from information_schema.columns c
             left join information_schema.table_constraints p
               on p.table_schema = c.table_schema and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY'
             left join information_schema.key_column_usage k
               on k.table_schema = c.table_schema and k.constraint_name = p.constraint_name and k.table_name = c.table_name and k.column_name = c.column_name
             where c.table_schema = current_schema() order by cast(c.table_name as text) collate \"C\", c.ordinal_position"
        }
    }
}

/// A list of ids as SQLite takes it: a JSON list of hexadecimal texts.
pub(crate) fn ids_as_json(ids: &[[u8; 16]]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(ids.len() * 35 + 2);
    text.push('[');
    for (place, id) in ids.iter().enumerate() {
        text.push_str(if place == 0 { "\"" } else { ",\"" });
        for byte in id {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text.push('"');
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_two_engines() {
        let sql = "select a from t where b = $1 and c {in ids $2} {lock}";
        assert_eq!(
            translate(Engine::Sqlite, sql),
            "select a from t where b = ?1 and c in (select unhex(value) from json_each(?2)) "
        );
        assert_eq!(
            translate(Engine::Postgres, sql),
            "select a from t where b = $1 and c = any($2::bytea[]) for update"
        );
    }

    #[test]
    fn an_index_is_named_where_it_must_be() {
        let sql = "select a from t {by t_by_a} where a = $1";
        assert_eq!(translate(Engine::Sqlite, sql), "select a from t indexed by t_by_a where a = ?1");
        assert_eq!(translate(Engine::Postgres, sql), "select a from t  where a = $1");
    }

    #[test]
    fn ids_become_hexadecimal() {
        assert_eq!(
            ids_as_json(&[[1; 16], [255; 16]]),
            "[\"01010101010101010101010101010101\",\"ffffffffffffffffffffffffffffffff\"]"
        );
    }
}
