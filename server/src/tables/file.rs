//! Tables as files: CSV in UTF-8 (RFC 4180) with a head.

use super::{Cells, Wish};
use app::staff::tables::Table;
use csv::{ReaderBuilder, Writer};
use domain::live::strip_marks;

/// Rows of one file: they are changed in one transaction, which other writers wait for.
pub const ROWS_MAX: usize = 2_000;
/// Bytes of one file.
pub const BYTES_MAX: usize = 1_000_000;

/// The column that ends rows.
const END: &str = "end";

/// What a file asks for, each wish with its line; or what is wrong with it as a whole.
pub fn read(table: Table, text: &str) -> Result<Vec<(u64, Wish)>, String> {
    let text = strip_marks(text.trim_start_matches('\u{feff}'));
    let separator = if text.lines().next().is_some_and(|head| head.matches(';').count() > head.matches(',').count()) { b';' } else { b',' };
    let mut reader = ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| format!("The file cannot be read: {error}."))?.clone();
    let names: Vec<String> = head.iter().map(|name| name.trim().to_lowercase()).collect();
    for name in &names {
        if !name.is_empty() && name != END && name != "state" && table.position(name).is_none() {
            return Err(format!("There is no column {name:?} here. The columns are listed below; begin with a download."));
        }
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| !name.is_empty() && names[..*at].contains(name)) {
        return Err(format!("The column {:?} is there twice.", twice.1));
    }
    let keys = table.columns().iter().filter(|column| column.is_key);
    let missing: Vec<&str> = keys.filter(|column| !names.iter().any(|name| name == column.name)).map(|column| column.name).collect();
    if !missing.is_empty() && missing != ["id"] {
        return Err(format!("The file needs the column {}: rows are recognised by it.", missing.join(", ")));
    }
    let mut wishes = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("The file cannot be read: {error}."))?;
        let line = record.position().map_or(0, |position| line_of(text.as_bytes(), position.byte()));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if wishes.len() == ROWS_MAX {
            return Err(format!("The file has more than {ROWS_MAX} rows: send it in parts."));
        }
        if record.len() > names.len() {
            return Err(format!("Line {line} has more cells than the head: is a cell with a comma missing its quotes?"));
        }
        let cell = |name: &str| names.iter().position(|known| known == name).and_then(|at| record.get(at)).map(bare);
        let cells: Vec<Option<String>> = table.columns().iter().map(|column| cell(column.name)).collect();
        let ends = cell(END).is_some_and(|word| word.eq_ignore_ascii_case("yes"));
        wishes.push((line, if ends { Wish::EndLike { cells } } else { Wish::Put { key: None, cells } }));
    }
    if wishes.is_empty() {
        return Err("The file has no rows below its head.".to_owned());
    }
    Ok(wishes)
}

/// Which line begins at a byte. The reader's own count is one short where lines end in CR and LF.
fn line_of(text: &[u8], byte: u64) -> u64 {
    let begins = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let skipped = text[begins..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let before = text[..begins].iter().chain(skipped);
    before.filter(|byte| **byte == b'\n').count() as u64 + 1
}

/// Rows as a file. What a spreadsheet would take for a formula gets an apostrophe before it, which [`read`] takes away again (OWASP, CSV
/// injection).
pub fn write(table: Table, rows: &[Cells]) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(table.columns().iter().map(|column| column.name).chain([END]))?;
    for cells in rows {
        let cells = cells.iter().map(|cell| if is_formula(cell) { format!("'{cell}") } else { cell.clone() });
        writer.write_record(cells.chain([String::new()]))?;
    }
    Ok(writer.into_inner()?)
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<i64>().is_err())
}

fn bare(cell: &str) -> String {
    let cell = cell.trim();
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(read: &[(u64, Wish)]) -> Vec<&Vec<Option<String>>> {
        read.iter()
            .map(|(_, wish)| match wish {
                Wish::Put { cells, .. } | Wish::EndLike { cells } => cells,
                Wish::End { .. } => panic!("files name cells"),
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let rows = vec![
            vec!["US-NY".to_owned(), "2027-01-01T00:00:00Z".to_owned(), "no".to_owned()],
            vec!["=1+1".to_owned(), "-x".to_owned(), "a,\"b\"".to_owned()],
        ];
        let text = String::from_utf8(write(Table::Collection, &rows).expect("written")).expect("text");
        assert!(text.contains("'=1+1") && text.contains("'-x"), "{text}");
        let read = read(Table::Collection, &text).expect("read");
        let told: Vec<Vec<String>> = cells(&read).into_iter().map(|cells| cells.iter().flatten().cloned().collect()).collect();
        assert_eq!(told, rows);
        assert_eq!(read.first().map(|(line, _)| *line), Some(2));
    }

    #[test]
    fn semicolons_byte_order_marks_and_missing_columns_are_borne() {
        let read = read(Table::Collection, "\u{feff}place;from;end\r\nDE;;yes\r\n;;\r\nFR;;\r\n").expect("read");
        assert_eq!(read.len(), 2, "empty lines do not count");
        assert_eq!(read.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        assert!(matches!(read[0].1, Wish::EndLike { .. }) && matches!(read[1].1, Wish::Put { .. }));
        assert_eq!(cells(&read)[1], &vec![Some("FR".to_owned()), Some(String::new()), None]);
    }

    #[test]
    fn files_that_cannot_be_meant_are_refused_as_a_whole() {
        for (text, why) in [
            ("place,from,colour\nDE,,red", "no column \"colour\""),
            ("place,place,from\nDE,DE,", "twice"),
            ("place,collects\nDE,yes", "needs the column from"),
            ("place,from\n", "no rows"),
            ("place,from\nDE,,yes,no", "more cells"),
        ] {
            let refused = read(Table::Collection, text).expect_err(text);
            assert!(refused.contains(why), "{refused}");
        }
        let many = format!("place,from\n{}", "DE,\n".repeat(ROWS_MAX + 1));
        assert!(read(Table::Collection, &many).is_err_and(|refused| refused.contains("in parts")));
    }
}
