//! The file around the text (ISO 32000-1): pages, fonts as the subsets that the document uses, and which characters their glyphs are.

use super::fonts::{Face, Font, Fonts};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{
    Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};

/// The paper, in points.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    pub width: f32,
    pub height: f32,
}

/// What stands on a page.
pub struct Page(Content);

impl Default for Page {
    fn default() -> Self {
        Self(Content::new())
    }
}

impl Page {
    /// Writes a text whose baseline begins there.
    pub fn text(&mut self, fonts: &mut Fonts, face: Face, size: f32, x: f32, y: f32, text: &str) {
        let mut x = x;
        for (font, bytes, width) in fonts.runs(face, size, text) {
            self.0.begin_text().set_font(Name(fonts.0[font].name.as_bytes()), size).next_line(x, y).show(Str(&bytes)).end_text();
            x += width;
        }
    }

    /// Draws a line across.
    pub fn rule(&mut self, from: f32, to: f32, y: f32, dark: bool) {
        self.0.set_line_width(0.5).set_stroke_gray(if dark { 0.0 } else { 0.8 }).move_to(from, y).line_to(to, y).stroke();
    }
}

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
/// Each font takes five objects from here on.
const FONTS: i32 = 4;
const OBJECTS: i32 = 5;
const SYSTEM: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The bytes of the document.
pub fn document(sheet: Sheet, pages: &[Page], fonts: &Fonts, title: &str, language: &str) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(TREE).lang(TextStr(language));
    pdf.document_info(INFO).title(TextStr(title));
    let used: Vec<(i32, &Font)> =
        (0..).step_by(5).zip(&fonts.0).filter(|(_, font)| !font.used.is_empty()).map(|(at, font)| (FONTS + at, font)).collect();
    for (first, font) in &used {
        embed(&mut pdf, *first, font);
    }
    let first = FONTS + OBJECTS * i32::try_from(fonts.0.len()).unwrap_or(0);
    let refs: Vec<(Ref, Ref)> = (first..).step_by(2).take(pages.len()).map(|at| (Ref::new(at), Ref::new(at + 1))).collect();
    pdf.pages(TREE).kids(refs.iter().map(|(page, _)| *page)).count(i32::try_from(refs.len()).unwrap_or(i32::MAX));
    for ((id, content), page) in refs.iter().zip(pages) {
        let mut written = pdf.page(*id);
        written.media_box(Rect::new(0.0, 0.0, sheet.width, sheet.height)).parent(TREE).contents(*content);
        let mut resources = written.resources();
        let mut names = resources.fonts();
        for (first, font) in &used {
            names.pair(Name(font.name.as_bytes()), Ref::new(*first));
        }
        names.finish();
        resources.finish();
        written.finish();
        let bytes = page.0.as_bytes();
        pdf.stream(*content, &compress_to_vec_zlib(bytes, 6)).filter(Filter::FlateDecode);
    }
    pdf.finish()
}

/// A font as a composite one whose codes are glyphs (ISO 32000-1, 9.7), with the way back to characters (9.10.3).
fn embed(pdf: &mut Pdf, first: i32, font: &Font) {
    let [outer, inner, descriptor, program, characters] = std::array::from_fn(|at| Ref::new(first + i32::try_from(at).unwrap_or(0)));
    let subset = subsetter::subset(font.data, 0, &font.glyphs).unwrap_or_else(|_| font.data.to_vec());
    // Of an OpenType font with PostScript outlines only these are embedded (9.9, FontFile3).
    let outlines = ttf_parser::RawFace::parse(&subset, 0).ok().and_then(|face| face.table(ttf_parser::Tag::from_bytes(b"CFF "))).map(<[u8]>::to_vec);
    let is_cff = outlines.is_some();
    let tag = format!("SUBSET+{}", ["Familjen-Regular", "Familjen-Bold", "NotoSansCJK-Regular"][usize::from(font.name.as_bytes()[1] - b'0')]);
    let name = Name(tag.as_bytes());
    pdf.type0_font(outer).base_font(name).encoding_predefined(Name(b"Identity-H")).descendant_font(inner).to_unicode(characters);
    let mut cid = pdf.cid_font(inner);
    cid.subtype(if is_cff { CidFontType::Type0 } else { CidFontType::Type2 }).base_font(name).system_info(SYSTEM).font_descriptor(descriptor);
    if !is_cff {
        cid.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let mut widths = cid.widths();
    for (glyph, (_, width)) in &font.used {
        widths.consecutive(*glyph, [*width]);
    }
    widths.finish();
    cid.finish();
    let scale = |units: i16| f32::from(units) * 1_000.0 / f32::from(font.face.units_per_em());
    let bounds = font.face.global_bounding_box();
    let mut described = pdf.font_descriptor(descriptor);
    described
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(scale(bounds.x_min), scale(bounds.y_min), scale(bounds.x_max), scale(bounds.y_max)))
        .italic_angle(0.0)
        .ascent(scale(font.face.ascender()))
        .descent(scale(font.face.descender()))
        .cap_height(scale(font.face.capital_height().unwrap_or_else(|| font.face.ascender())))
        .stem_v(80.0);
    if is_cff {
        described.font_file3(program)
    } else {
        described.font_file2(program)
    };
    described.finish();
    let mut stream_of = |bytes: &[u8]| {
        let packed = compress_to_vec_zlib(bytes, 6);
        let mut stream = pdf.stream(program, &packed);
        stream.filter(Filter::FlateDecode);
        if is_cff {
            stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        }
    };
    stream_of(outlines.as_deref().unwrap_or(&subset));
    let mut map = UnicodeCmap::new(Name(b"Characters"), SYSTEM);
    for (glyph, (character, _)) in &font.used {
        map.pair(*glyph, *character);
    }
    pdf.cmap(characters, &map.finish());
}
