//! How a file is written: its encoding, and what stands between its cells. Both are recognised and reported, so that nobody has to know.

use std::borrow::Cow;

/// How the letters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 with a mark in front.
    Utf8Marked,
    /// UTF-16, the low byte first.
    Utf16Little,
    /// UTF-16, the high byte first.
    Utf16Big,
    /// Windows-1252, the Western European code page, of which Latin-1 is a part.
    Windows1252,
}

impl Encoding {
    /// What people call it.
    pub const fn text(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf8Marked => "UTF-8 with a byte order mark",
            Encoding::Utf16Little => "UTF-16 (little endian)",
            Encoding::Utf16Big => "UTF-16 (big endian)",
            Encoding::Windows1252 => "Windows-1252",
        }
    }
}

/// The letters of the bytes 128 to 159 in Windows-1252; those it does not use stand for themselves.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads the letters of a file, whatever their encoding.
///
/// # Errors
/// When it is no text: an archive or a workbook.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), String> {
    if bytes.starts_with(b"PK\x03\x04")
        || bytes.starts_with(b"\xd0\xcf\x11\xe0")
        || bytes.starts_with(b"\x1f\x8b")
    {
        return Err("the file is a workbook or an archive; save it as csv (UTF-8) and give that".into());
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, Encoding::Utf16Little);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, Encoding::Utf16Big);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf")
        && let Ok(text) = std::str::from_utf8(rest)
    {
        return Ok((Cow::Borrowed(text), Encoding::Utf8Marked));
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return utf16(bytes, encoding);
    }
    if bytes.contains(&0) {
        return Err("the file is no text; save it as csv (UTF-8) and give that".into());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((Cow::Borrowed(text), Encoding::Utf8)),
        Err(_) => {
            Ok((Cow::Owned(bytes.iter().map(|byte| windows_1252(*byte)).collect()), Encoding::Windows1252))
        }
    }
}

fn windows_1252(byte: u8) -> char {
    if (0x80..0xa0).contains(&byte) { WINDOWS_1252[usize::from(byte - 0x80)] } else { char::from(byte) }
}

fn utf16(bytes: &[u8], encoding: Encoding) -> Result<(Cow<'static, str>, Encoding), String> {
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if encoding == Encoding::Utf16Big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    };
    let units = bytes.chunks_exact(2).map(unit);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if bytes.len().is_multiple_of(2) => Ok((Cow::Owned(text), encoding)),
        _ => Err(format!("the file begins like {} but is broken; save it as csv (UTF-8)", encoding.text())),
    }
}

/// UTF-16 without a mark: in a table of Western letters every second byte is zero.
fn unmarked_utf16(bytes: &[u8]) -> Option<Encoding> {
    let start = bytes.get(..bytes.len().min(64) & !1).filter(|start| start.len() >= 8)?;
    let zeros = |side: usize| start.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let most = start.len() / 2 * 3 / 4;
    match (zeros(0), zeros(1)) {
        (0, low) if low >= most => Some(Encoding::Utf16Little),
        (high, 0) if high >= most => Some(Encoding::Utf16Big),
        _ => None,
    }
}

/// What stands between the cells: the comma, semicolon, tab or bar that is most frequent in the first line, outside quotes.
pub fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(known, _)| *known == byte).for_each(|(_, count)| *count += 1),
        }
    }
    // Of equally frequent ones the first.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| *byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_encoding_is_recognised() {
        let text = "name;city\nMüller & Söhne – 5 €;Köln\n";
        let wide = |big: bool, mark: bool| -> Vec<u8> {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let narrow: Vec<u8> = text
            .chars()
            .map(|letter| {
                (0u8..=255).find(|byte| windows_1252(*byte) == letter).expect("a letter of the code page")
            })
            .collect();
        let cases = [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8Marked),
            (wide(false, true), Encoding::Utf16Little),
            (wide(true, true), Encoding::Utf16Big),
            (wide(false, false), Encoding::Utf16Little),
            (wide(true, false), Encoding::Utf16Big),
            (narrow, Encoding::Windows1252),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decode(&bytes), Ok((Cow::Borrowed(text), encoding)));
        }
        assert!(decode(b"PK\x03\x04workbook").unwrap_err().contains("save it as csv"));
        assert!(decode(b"a\0\0\0b").is_err() && decode(b"\xff\xfea").is_err());
    }

    #[test]
    fn what_stands_between_cells_is_recognised() {
        assert_eq!(delimiter("a;b;c,d\n1;2;3"), b';');
        assert_eq!(delimiter("\"a;b;c\",d\n"), b',');
        assert_eq!(delimiter("a\tb\r\n1,2,3"), b'\t');
        assert_eq!((delimiter("sku"), delimiter("")), (b',', b','));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((text, _)) = decode(&bytes) {
                delimiter(&text);
            }
        }
    }
}
