//! Labels for parcels in ZPL II, the language of label printers, on 4 by 6 inches at 203 dots an inch.
//!
//! Source: Zebra, "ZPL II Programming Guide" (P1099958-012): `^CI28` is UTF-8, `^FH` reads `_` and two digits as a byte, `^BC` is Code 128.

use std::fmt::Write;

/// The most characters of one printed line; more would run off the label.
pub const LINE_CHARS_MAX: usize = 44;
/// The most lines of one address.
const ADDRESS_LINES_MAX: usize = 8;

/// What stands on a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Who sends, line by line.
    pub from: Vec<String>,
    /// Who receives, line by line.
    pub to: Vec<String>,
    /// Who carries, and by which service.
    pub carrier: String,
    /// The order's number, and which parcel of it this is.
    pub reference: String,
    /// What it weighs.
    pub weight: String,
    /// The tracking number, which is also the barcode.
    pub tracking: String,
}

impl Label {
    /// The label for a printer that speaks ZPL.
    pub fn zpl(&self) -> String {
        let mut text = String::from("^XA^CI28^PW812^LL1218\n");
        let mut line = |top: usize, height: usize, words: &str| {
            let _ = writeln!(text, "^FO40,{top}^A0N,{height},{height}^FH^FD{}^FS", escaped(&cut(words)));
        };
        line(40, 36, &self.carrier);
        for (number, words) in self.from.iter().take(ADDRESS_LINES_MAX).enumerate() {
            line(100 + 26 * number, 22, words);
        }
        for (number, words) in self.to.iter().take(ADDRESS_LINES_MAX).enumerate() {
            line(360 + 46 * number, 40, words);
        }
        line(780, 30, &self.reference);
        line(820, 30, &self.weight);
        let _ = writeln!(text, "^FO20,340^GB772,4,4^FS\n^FO20,760^GB772,4,4^FS");
        let _ = writeln!(text, "^FO60,880^BY2,3,200^BCN,200,Y,N,N,A^FH^FD{}^FS", escaped(&self.tracking));
        text + "^XZ\n"
    }
}

fn cut(words: &str) -> String {
    words.chars().take(LINE_CHARS_MAX).collect()
}

/// Characters that command the printer, as the bytes they stand for; nobody's name can print a second label.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            '^' | '~' | '_' | '\\' => {
                let _ = write!(text, "_{:02X}", u32::from(character));
            }
            character if character.is_control() => text.push(' '),
            character => text.push(character),
        }
    }
    text
}

/// The bars of a text in Code 128 (ISO/IEC 15417), set B, as widths of bar, space, bar, space, …; none for a character that is not ASCII.
pub fn code_128(text: &str) -> Option<Vec<u8>> {
    const START_B: usize = 104;
    let values: Vec<usize> = text
        .bytes()
        .map(|byte| (32..127).contains(&byte).then(|| usize::from(byte - 32)))
        .collect::<Option<_>>()?;
    let sum = values.iter().enumerate().map(|(place, value)| (place + 1) * value).sum::<usize>();
    let check = (START_B + sum) % 103;
    let symbols = std::iter::once(START_B).chain(values).chain([check]);
    let mut widths: Vec<u8> =
        symbols.flat_map(|value| PATTERNS[value].bytes().map(|digit| digit - b'0')).collect();
    widths.extend([2, 3, 3, 1, 1, 1, 2]);
    Some(widths)
}

/// Widths of bars and spaces of each value of Code 128, from ISO/IEC 15417, table 1.
const PATTERNS: [&str; 106] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label {
            from: vec!["Leeds".into()],
            to: vec!["Ada ^XZ~JA Łukasiewicz_1".into(), "x".repeat(300)],
            carrier: "Own van".into(),
            reference: "7KQ4-M2XD 1/2".into(),
            weight: "1.2 kg".into(),
            tracking: "TD123".into(),
        }
    }

    #[test]
    fn a_name_cannot_command_the_printer() {
        let zpl = label().zpl();
        assert_eq!(
            (zpl.matches("^XA").count(), zpl.matches("^XZ").count(), zpl.matches('~').count()),
            (1, 1, 0)
        );
        assert!(zpl.contains("Ada _5EXZ_7EJA Łukasiewicz_5F1"), "{zpl}");
        assert!(zpl.contains("^BCN,200,Y,N,N,A^FH^FDTD123^FS"));
        assert!(!zpl.contains(&"x".repeat(LINE_CHARS_MAX + 1)));
    }

    #[test]
    fn a_text_is_drawn_as_the_standard_draws_it() {
        // Start B, "A" (33), check (104 + 33) mod 103 = 34, stop.
        let widths: String = code_128("A").unwrap().iter().map(|width| char::from(b'0' + width)).collect();
        assert_eq!(widths, "211214111323131123".to_owned() + "2331112");
        assert!(PATTERNS.iter().all(|pattern| pattern.bytes().map(|digit| digit - b'0').sum::<u8>() == 11));
        assert_eq!(code_128("Ł"), None);
    }
}
