//! Files packed into one as everybody can open it: a zip, each file deflated.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// The most files of one zip.
const FILES_MAX: usize = 100;
/// Version 2.0 of the format: deflated files.
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// Deflated.
const METHOD: u16 = 8;
/// 1 January 1980, midnight: the first instant the format knows, for who is told no other.
const DAY: u32 = 0x0021 << 16;

/// A file that was written, for the table of contents at the end.
struct Written<'a> {
    name: &'a str,
    head: Vec<u8>,
    at: u32,
}

/// Packs files, each under its name.
///
/// # Errors
/// When there are more files or bytes than the format's numbers hold.
pub(crate) fn packed(files: &[(&str, &[u8])]) -> io::Result<Vec<u8>> {
    if files.len() > FILES_MAX {
        return Err(io::Error::other(format!("{} files, at most {FILES_MAX}", files.len())));
    }
    let mut out = Vec::new();
    let mut written = Vec::with_capacity(files.len());
    for (name, content) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content)?;
        let deflated = encoder.finish()?;
        let mut sum = Crc::new();
        sum.update(content);
        let mut head = Vec::new();
        for number in [VERSION, FLAGS, METHOD] {
            head.extend(number.to_le_bytes());
        }
        for number in [DAY, sum.sum(), size(deflated.len())?, size(content.len())?] {
            head.extend(number.to_le_bytes());
        }
        head.extend(short(name.len())?.to_le_bytes());
        head.extend(0u16.to_le_bytes());
        written.push(Written { name, head: head.clone(), at: size(out.len())? });
        out.extend(b"PK\x03\x04");
        out.extend(head);
        out.extend(name.as_bytes());
        out.extend(deflated);
    }
    let contents_at = out.len();
    for file in &written {
        out.extend(b"PK\x01\x02");
        out.extend(VERSION.to_le_bytes());
        out.extend(&file.head);
        // No comment, the first disk, no attributes.
        out.extend([0; 10]);
        out.extend(file.at.to_le_bytes());
        out.extend(file.name.as_bytes());
    }
    let many = short(files.len())?;
    let contents = size(out.len() - contents_at)?;
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(many.to_le_bytes());
    out.extend(many.to_le_bytes());
    out.extend(contents.to_le_bytes());
    out.extend(size(contents_at)?.to_le_bytes());
    out.extend([0; 2]);
    Ok(out)
}

fn size(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(io::Error::other)
}

fn short(number: usize) -> io::Result<u16> {
    u16::try_from(number).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn everybody_can_open_it() {
        let long = "wie Ärzte schreiben ".repeat(50_000);
        let files =
            [("größe.txt", long.as_bytes()), ("empty", b"".as_slice()), ("one.json", b"{}".as_slice())];
        let file = packed(&files).unwrap();
        assert!(file.len() < 20_000, "it is deflated");
        let path = std::env::temp_dir().join(format!("tandem-zip-{}.zip", std::process::id()));
        std::fs::write(&path, &file).unwrap();
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
            print([(i.filename, i.file_size) for i in z.infolist()], z.read('one.json'))";
        let told = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told = String::from_utf8_lossy(&told.stdout);
        assert_eq!(
            told.trim(),
            format!("[('größe.txt', {}), ('empty', 0), ('one.json', 2)] b'{{}}'", long.len())
        );
    }

    #[test]
    fn no_more_than_there_may_be() {
        assert!(packed(&[("a", b"".as_slice()); FILES_MAX + 1]).is_err());
    }
}
