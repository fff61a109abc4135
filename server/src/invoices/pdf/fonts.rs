//! The fonts of a document: which face has a character, how wide text is, and which glyphs were used.

use brotli::Decompressor;
use std::{collections::BTreeMap, io::Read as _, sync::LazyLock};
use subsetter::GlyphRemapper;

static REGULAR: &[u8] = include_bytes!("../../../fonts/familjen-regular.ttf");
static BOLD: &[u8] = include_bytes!("../../../fonts/familjen-bold.ttf");
/// Unpacked when the first document needs it: 1.8 MB.
static CJK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut font = Vec::new();
    let packed: &[u8] = include_bytes!("../../../fonts/noto-sans-cjk-subset.otf.br");
    Decompressor::new(packed, 65_536).read_to_end(&mut font).expect("our own font is whole");
    font
});

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Regular,
    Bold,
}

/// A font with what a document uses of it.
pub struct Font {
    /// As in the PDF: `F0`.
    pub name: &'static str,
    pub data: &'static [u8],
    pub face: ttf_parser::Face<'static>,
    pub glyphs: GlyphRemapper,
    /// By new glyph: the character, and the width in thousandths of the size.
    pub used: BTreeMap<u16, (char, f32)>,
}

/// The shop's regular and bold, and CJK.
pub struct Fonts(pub [Font; 3]);

/// For a character that no font has.
const MISSING: char = '〓';

impl Fonts {
    pub fn new() -> Self {
        let font = |name, data: &'static [u8]| {
            let face = ttf_parser::Face::parse(data, 0).expect("our own fonts can be read");
            Font { name, data, face, glyphs: GlyphRemapper::new(), used: BTreeMap::new() }
        };
        Self([font("F0", REGULAR), font("F1", BOLD), font("F2", &CJK)])
    }

    /// The font for a character, and its glyph there. Spaces of special widths are plain ones.
    fn find(&self, face: Face, character: char) -> (usize, ttf_parser::GlyphId, char) {
        let character = if matches!(character, '\u{a0}' | '\u{202f}' | '\u{2009}') { ' ' } else { character };
        let first = usize::from(face == Face::Bold);
        let has = |font: usize, character| self.0[font].face.glyph_index(character).map(|glyph| (font, glyph, character));
        has(first, character).or_else(|| has(2, character)).or_else(|| has(2, MISSING)).unwrap_or((0, ttf_parser::GlyphId(0), ' '))
    }

    fn advance(&self, font: usize, glyph: ttf_parser::GlyphId) -> f32 {
        let face = &self.0[font].face;
        f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * 1_000.0 / f32::from(face.units_per_em())
    }

    /// How wide a text is, in points.
    pub fn width(&self, face: Face, size: f32, text: &str) -> f32 {
        text.chars().map(|character| self.find(face, character)).map(|(font, glyph, _)| self.advance(font, glyph)).sum::<f32>() * size / 1_000.0
    }

    /// A text as runs of one font each: the font, its bytes (two a glyph), its width in points.
    pub fn runs(&mut self, face: Face, size: f32, text: &str) -> Vec<(usize, Vec<u8>, f32)> {
        let mut runs: Vec<(usize, Vec<u8>, f32)> = Vec::new();
        for character in text.chars() {
            let (at, glyph, character) = self.find(face, character);
            let advance = self.advance(at, glyph);
            let font = &mut self.0[at];
            let new = font.glyphs.remap(glyph.0);
            font.used.entry(new).or_insert((character, advance));
            if runs.last().is_none_or(|run| run.0 != at) {
                runs.push((at, Vec::new(), 0.0));
            }
            if let Some((_, bytes, width)) = runs.last_mut() {
                bytes.extend(new.to_be_bytes());
                *width += advance * size / 1_000.0;
            }
        }
        runs
    }

    /// Breaks a text into lines: at spaces, between East Asian characters, and within a word that is wider than a line.
    pub fn wrap(&self, face: Face, size: f32, width: f32, text: &str) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut word = String::new();
        let is_wide = |c: char| ('\u{2e80}'..='\u{ffef}').contains(&c) && !('\u{ac00}'..='\u{d7a3}').contains(&c);
        let mut flush = |word: &mut String| {
            let line = lines.last_mut().expect("there is one");
            if line.is_empty() || self.width(face, size, format!("{line}{word}").trim_end()) <= width {
                line.push_str(word);
            } else {
                lines.push(word.trim_start().to_owned());
            }
            word.clear();
        };
        for character in text.chars() {
            if !word.is_empty() && self.width(face, size, &format!("{word}{character}")) > width {
                flush(&mut word);
            }
            word.push(character);
            if character == ' ' || is_wide(character) {
                flush(&mut word);
            }
        }
        flush(&mut word);
        lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
    }
}
