//! Answers each line of JSON it is given with a line: the price engine of the server, to compare with that of the till.

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut kept = None;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        out.write_all(&pricing::answer(&mut kept, line?.as_bytes()))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
