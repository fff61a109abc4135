//! A rendered page, split once at its marks and kept split: filling is copying.

use domain::live::{CLOSE, Hole, OPEN, OR};
use std::ops::Range;

/// A page with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// What stands between two marks. Ranges are byte positions in the template's text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Range<usize>),
    Hole(Hole),
    Choice { by: Hole, if_so: Box<[Piece]>, if_not: Box<[Piece]> },
}

/// A part of a settled template: where a piece of its text stands, or a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Range<usize>),
    Hole(Hole),
}

/// What holes are filled with. Implementations escape what they write.
pub trait Values {
    /// Writes a hole's value.
    fn fill(&self, hole: Hole, out: &mut String);

    /// Which of two alternatives is shown: whether the hole's condition is met.
    fn holds(&self, choice: Hole) -> bool;
}

/// Why a text is no template. Such a page is never sent: half a hole must not reach a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a hole is opened at byte {0} and never closed")]
    Open(usize),
    #[error("a mark without a hole stands at byte {0}")]
    Stray(usize),
    #[error("the hole at byte {0} is unknown")]
    Unknown(usize),
    #[error("the alternatives at byte {0} are not two")]
    Alternatives(usize),
    #[error("the alternatives at byte {0} are nested too deep")]
    Deep(usize),
}

/// Alternatives inside alternatives inside alternatives: more is a mistake.
const DEPTH_MAX: usize = 4;
/// All three marks are three bytes in UTF-8 and begin with this one, which only private-use characters do.
const LEAD: u8 = 0xEE;
const MARK_BYTES: usize = OPEN.len_utf8();

impl Template {
    /// Splits a rendered page at its marks, in one scan.
    pub fn parse(html: impl Into<String>) -> Result<Self, Malformed> {
        let text = html.into();
        let mut scan = Scan { text: &text, at: 0 };
        let pieces = scan.pieces(0)?;
        match scan.mark() {
            None => Ok(Self { text, pieces: pieces.into() }),
            Some((at, _)) => Err(Malformed::Stray(at)),
        }
    }

    /// The page with its holes filled.
    pub fn fill(&self, values: &impl Values) -> String {
        // A price block is about 60 bytes where its mark is 40 and not kept: 16 kB of room spare most pages a second allocation.
        let mut out = String::with_capacity(self.text.len() + 16 * 1024);
        self.fill_pieces(&self.pieces, values, &mut out);
        out
    }

    fn fill_pieces(&self, pieces: &[Piece], values: &impl Values, out: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Text(range) => out.push_str(&self.text[range.clone()]),
                Piece::Hole(hole) => values.fill(*hole, out),
                Piece::Choice { by, if_so, if_not } => {
                    self.fill_pieces(if values.holds(*by) { if_so } else { if_not }, values, out);
                }
            }
        }
    }

    /// The same page with its holes filled but for those that are for one visitor, which stay open: what everybody sees alike in one
    /// moment is written once in that moment.
    #[must_use]
    pub fn settle(&self, values: &impl Values) -> Self {
        let mut settled = Settling { text: String::with_capacity(self.text.len() + 16 * 1024), pieces: Vec::new(), from: 0 };
        self.settle_pieces(&self.pieces, values, &mut settled);
        settled.close();
        Self { text: settled.text, pieces: settled.pieces }
    }

    fn settle_pieces(&self, pieces: &[Piece], values: &impl Values, out: &mut Settling) {
        for piece in pieces {
            match piece {
                Piece::Text(range) => out.text.push_str(&self.text[range.clone()]),
                Piece::Hole(hole) if is_personal(*hole) => {
                    out.close();
                    out.pieces.push(Piece::Hole(*hole));
                }
                Piece::Hole(hole) => values.fill(*hole, &mut out.text),
                Piece::Choice { by, if_so, if_not } => {
                    self.settle_pieces(if values.holds(*by) { if_so } else { if_not }, values, out);
                }
            }
        }
    }

    /// Every hole in the page, also those inside alternatives.
    pub fn holes(&self) -> Vec<Hole> {
        fn collect(pieces: &[Piece], holes: &mut Vec<Hole>) {
            for piece in pieces {
                match piece {
                    Piece::Text(_) => {}
                    Piece::Hole(hole) => holes.push(*hole),
                    Piece::Choice { by, if_so, if_not } => {
                        holes.push(*by);
                        collect(if_so, holes);
                        collect(if_not, holes);
                    }
                }
            }
        }
        let mut holes = Vec::new();
        collect(&self.pieces, &mut holes);
        holes
    }

    /// The text, and what stands in it from beginning to end, for hosts that send without copying. Alternatives that were not settled
    /// are left out, so [settle](Self::settle) first.
    pub fn into_parts(self) -> (String, Vec<Part>) {
        let part = |piece| match piece {
            Piece::Text(range) => Some(Part::Text(range)),
            Piece::Hole(hole) => Some(Part::Hole(hole)),
            Piece::Choice { .. } => None,
        };
        (self.text, self.pieces.into_iter().filter_map(part).collect())
    }

    /// About how much memory it takes.
    pub fn size_bytes(&self) -> usize {
        fn count(pieces: &[Piece]) -> usize {
            let below = |piece: &Piece| match piece {
                Piece::Choice { if_so, if_not, .. } => count(if_so) + count(if_not),
                _ => 0,
            };
            pieces.len() + pieces.iter().map(below).sum::<usize>()
        }
        self.text.len() + count(&self.pieces) * size_of::<Piece>()
    }
}

/// Whether what fills a hole is for one visitor or one response; the others say the same to everybody in one moment.
pub const fn is_personal(hole: Hole) -> bool {
    matches!(hole, Hole::Nonce | Hole::MutationId | Hole::CartBadge)
}

/// A template in the making: text, and where its last piece of text begins.
struct Settling {
    text: String,
    pieces: Vec<Piece>,
    from: usize,
}

impl Settling {
    fn close(&mut self) {
        let end = self.text.len();
        if self.from < end {
            self.pieces.push(Piece::Text(self.from..end));
        }
        self.from = end;
    }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    /// The next mark, without going past it.
    fn mark(&self) -> Option<(usize, char)> {
        let mut at = self.at;
        loop {
            at += self.text.as_bytes()[at..].iter().position(|byte| *byte == LEAD)?;
            match self.text[at..].chars().next() {
                Some(mark @ (OPEN | CLOSE | OR)) => return Some((at, mark)),
                // Another private-use character: an icon font's, say.
                _ => at += MARK_BYTES,
            }
        }
    }

    /// Pieces up to the end of the text, or up to a mark that belongs to the hole around them.
    fn pieces(&mut self, depth: usize) -> Result<Box<[Piece]>, Malformed> {
        let mut pieces = Vec::new();
        loop {
            let start = self.at;
            let mark = self.mark();
            let end = mark.map_or(self.text.len(), |(at, _)| at);
            if start < end {
                pieces.push(Piece::Text(start..end));
            }
            self.at = end;
            let Some((opened, OPEN)) = mark else { return Ok(pieces.into()) };
            self.at += MARK_BYTES;
            pieces.push(self.hole(opened, depth)?);
        }
    }

    /// What follows an opening mark.
    fn hole(&mut self, opened: usize, depth: usize) -> Result<Piece, Malformed> {
        let start = self.at;
        let (end, mark) = self.mark().ok_or(Malformed::Open(opened))?;
        let hole: Hole = self.text[start..end].parse().map_err(|_| Malformed::Unknown(opened))?;
        self.at = end + MARK_BYTES;
        match (mark, hole.is_choice()) {
            (CLOSE, true) | (OR, false) => Err(Malformed::Alternatives(opened)),
            (CLOSE, false) => Ok(Piece::Hole(hole)),
            (OR, true) => {
                if depth == DEPTH_MAX {
                    return Err(Malformed::Deep(opened));
                }
                let if_so = self.pieces(depth + 1)?;
                self.expect(OR, opened)?;
                let if_not = self.pieces(depth + 1)?;
                self.expect(CLOSE, opened)?;
                Ok(Piece::Choice { by: hole, if_so, if_not })
            }
            _ => Err(Malformed::Open(opened)),
        }
    }

    fn expect(&mut self, expected: char, opened: usize) -> Result<(), Malformed> {
        match self.mark() {
            None => Err(Malformed::Open(opened)),
            Some((at, mark)) if mark == expected => {
                self.at = at + MARK_BYTES;
                Ok(())
            }
            Some(_) => Err(Malformed::Alternatives(opened)),
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
