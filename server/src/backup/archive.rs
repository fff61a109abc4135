//! The file's form: POSIX tar (IEEE Std 1003.1, "ustar Interchange Format"), so that any tar can look into it. Written and read in one pass,
//! with a SHA-256 of each member.

use super::{SUMS, hex};
use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

const BLOCK: usize = 512;
/// The largest size that fits eleven octal digits; larger ones are written in base 256, as GNU tar does.
const OCTAL_MAX: u64 = 0o777_7777_7777;
/// Lists and descriptions are read into memory: a hundred thousand files come to 10 MB.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Writes members one after the other.
pub(super) struct Writer<W> {
    out: W,
    sums: BTreeMap<String, String>,
    mtime_s: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, mtime_s: u64) -> Self {
        Self { out, sums: BTreeMap::new(), mtime_s }
    }

    /// Adds a member of exactly `size` bytes.
    pub(super) fn add(&mut self, name: &str, size: u64, content: &mut impl Read) -> anyhow::Result<()> {
        self.out.write_all(&header(name, size, self.mtime_s)?)?;
        let mut sum = Sha256::new();
        let copied = copy(&mut content.take(size), &mut self.out, &mut sum)?;
        ensure!(copied == size, "{name} became shorter while it was saved: run nextgen backup again");
        self.out.write_all(&[0; BLOCK][..padding(size)])?;
        self.sums.insert(name.to_owned(), hex(&sum.finalize()));
        Ok(())
    }

    /// Adds the checksums and the end.
    pub(super) fn finish(mut self) -> anyhow::Result<W> {
        let list = self.sums.iter().fold(String::new(), |list, (name, sum)| list + sum + "  " + name + "\n");
        self.add(SUMS, list.len() as u64, &mut list.as_bytes())?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

/// Reads an archive to its end and hands each member to `take`; what it says about itself is checked before this returns.
pub(super) fn read(mut from: impl Read, mut take: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut sums = BTreeMap::new();
    let mut listed = None;
    let mut block = [0; BLOCK];
    loop {
        from.read_exact(&mut block).context("it was cut off")?;
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let (name, size) = member(&block)?;
        ensure!(listed.is_none(), "{name} stands after the checksums");
        let mut content = Summed { from: (&mut from).take(size), sum: Sha256::new() };
        if name == SUMS {
            ensure!(size <= TEXT_BYTES_MAX, "its list of checksums is too long");
            let mut text = String::new();
            content.read_to_string(&mut text).context("its list of checksums is not text")?;
            listed = Some(text);
        } else {
            take(&name, &mut content)?;
        }
        ensure!(content.from.limit() == 0, "{name} was cut off");
        let sum = hex(&content.sum.finalize());
        from.read_exact(&mut block[..padding(size)]).context("it was cut off")?;
        if listed.is_none() && sums.insert(name.clone(), sum).is_some() {
            bail!("{name} is in it twice");
        }
    }
    let listed = listed.context("it has no checksums: it was cut off, or is not a backup of this shop")?;
    let listed: BTreeMap<String, String> =
        listed.lines().filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect();
    for (name, sum) in &sums {
        ensure!(listed.get(name) == Some(sum), "{name} is damaged: its checksum is not the one that was written");
    }
    ensure!(listed.len() == sums.len(), "files that were saved are missing");
    Ok(())
}

/// A reader that sums up what passes.
struct Summed<R> {
    from: std::io::Take<R>,
    sum: Sha256,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.sum.update(&buffer[..read]);
        Ok(read)
    }
}

fn copy(from: &mut impl Read, to: &mut impl Write, sum: &mut Sha256) -> std::io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut copied = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(copied);
        }
        sum.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        copied += read as u64;
    }
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

// The fields' places.
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const SUM: std::ops::Range<usize> = 148..156;
const PREFIX: std::ops::Range<usize> = 345..500;

fn header(name: &str, size: u64, mtime_s: u64) -> anyhow::Result<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let (prefix, short) = split(name).with_context(|| format!("the name {name} is too long for a backup"))?;
    let mut put = |from: usize, bytes: &[u8]| block[from..from + bytes.len()].copy_from_slice(bytes);
    put(NAME.start, short.as_bytes());
    put(PREFIX.start, prefix.as_bytes());
    // Mode 0600, user and group 0, a regular file.
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size <= OCTAL_MAX {
        put(SIZE.start, format!("{size:011o}\0").as_bytes());
    } else {
        put(SIZE.start, &[0x80, 0, 0, 0]);
        put(SIZE.start + 4, &size.to_be_bytes());
    }
    put(136, format!("{:011o}\0", mtime_s.min(OCTAL_MAX)).as_bytes());
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(SUM.start, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// A name as prefix and rest, cut at a slash if it is longer than 100 bytes.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME.len() {
        return Some(("", name));
    }
    name.match_indices('/')
        .map(|(at, _)| (&name[..at], &name[at + 1..]))
        .find(|(prefix, rest)| prefix.len() <= PREFIX.len() && !rest.is_empty() && rest.len() <= NAME.len())
}

fn member(block: &[u8; BLOCK]) -> anyhow::Result<(String, u64)> {
    let text = |range: std::ops::Range<usize>| {
        let field = &block[range];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        std::str::from_utf8(&field[..end]).context("a name in it is not text")
    };
    let mut blank = *block;
    blank[SUM].fill(b' ');
    let sum: u32 = blank.iter().map(|byte| u32::from(*byte)).sum();
    let written = u32::from_str_radix(text(SUM)?.trim(), 8).unwrap_or(0);
    ensure!(&block[257..262] == b"ustar" && written == sum, "it is not a backup, or is damaged");
    ensure!(block[156] == b'0', "it holds something that is not a file");
    let (prefix, short) = (text(PREFIX)?, text(NAME)?);
    let name = if prefix.is_empty() { short.to_owned() } else { format!("{prefix}/{short}") };
    let plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    ensure!(plain && !name.contains('\\'), "it holds the name {name:?}, which no backup has");
    let size = if block[SIZE.start] == 0x80 {
        u64::from_be_bytes(block[SIZE.start + 4..SIZE.end].try_into().expect("eight bytes"))
    } else {
        u64::from_str_radix(text(SIZE)?.trim(), 8).context("it is damaged")?
    };
    Ok((name, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), 1_795_435_200);
        writer.add("backup.json", 2, &mut &b"{}"[..]).expect("a short name");
        writer.add(&format!("media/{}/{}.webp", "a".repeat(90), "b".repeat(60)), 513, &mut &[7; 513][..]).expect("a name to be cut");
        writer.finish().expect("memory takes everything")
    }

    fn names(bytes: &[u8]) -> anyhow::Result<Vec<(String, usize)>> {
        let mut names = Vec::new();
        read(bytes, |name, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            names.push((name.to_owned(), bytes.len()));
            Ok(())
        })?;
        Ok(names)
    }

    #[test]
    fn what_is_written_is_read_and_tar_reads_it_too() -> anyhow::Result<()> {
        let bytes = archive();
        let found = names(&bytes)?;
        assert_eq!((found.len(), found[0].clone(), found[1].1), (2, ("backup.json".to_owned(), 2), 513));
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("a.tar"), &bytes)?;
        let listed = std::process::Command::new("tar").arg("tf").arg(folder.path().join("a.tar")).output()?;
        assert_eq!(String::from_utf8(listed.stdout)?.lines().count(), 3, "the two and the checksums");
        Ok(())
    }

    #[test]
    fn a_byte_that_turned_and_an_end_that_is_missing_are_noticed() {
        let good = archive();
        // Every block's first and last byte, but for padding behind a member's end, which means nothing.
        for at in [0, 511, 512, 513, 1024, 1536, 2047, 2048, good.len() - 1025 - 400] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(names(&bad).is_err(), "byte {at}");
        }
        for length in [0, 100, 512, 1024, 2000, good.len() - 1024] {
            assert!(names(&good[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() -> anyhow::Result<()> {
        for name in ["../keys/master", "/etc/passwd", "a/./b"] {
            let mut writer = Writer::new(Vec::new(), 0);
            writer.add(name, 1, &mut &b"x"[..])?;
            assert!(names(&writer.finish()?).is_err_and(|error| error.to_string().contains("no backup has")), "{name}");
        }
        Ok(())
    }

    #[test]
    fn more_than_eight_gigabytes_fit() -> anyhow::Result<()> {
        let size = OCTAL_MAX + 5;
        assert_eq!(member(&header("shop.db", size, 0)?)?, ("shop.db".to_owned(), size));
        Ok(())
    }
}
