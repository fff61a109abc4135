//! The structure of documents; how they look was looked at.

use super::*;
use std::collections::BTreeSet;

fn paper(locale: &str, name: &str, rows: usize) -> Paper {
    let entry = Entry { name: name.to_owned(), more: "48 cm".to_owned(), figures: vec!["1".to_owned(), "1.234,00\u{a0}€".to_owned()] };
    Paper {
        locale: locale.parse().expect("a locale"),
        title: name.to_owned(),
        number: "DE-2026-000001".to_owned(),
        seller: (name.to_owned(), vec!["10115 Berlin".to_owned()]),
        buyer: (name.to_owned(), vec!["Zoë Łukasiewicz".to_owned(), "髙﨑 花子".to_owned()]),
        facts: vec![("Datum".to_owned(), "24. November 2026".to_owned())],
        goods: Table { heads: vec!["A".to_owned(), "B".to_owned(), "C".to_owned()], rows: vec![entry; rows] },
        sums: vec![("Summe".to_owned(), "1.234,00\u{a0}€".to_owned())],
        tax_title: "Steuern".to_owned(),
        taxes: Table::default(),
        notes: vec!["Zeile ".repeat(60)],
    }
}

#[test]
fn a_document_has_its_pages_and_only_the_fonts_that_it_uses() {
    for (locale, name, fonts) in [("de-de", "Rechnung", 3), ("ja-jp", "適格請求書", 3), ("ko-kr", "거래명세서", 3)] {
        let bytes = write(&paper(locale, name, 3));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.") && text.trim_end().ends_with("%%EOF"), "{locale}");
        assert_eq!((text.matches("/Type0").count(), text.matches("/ToUnicode").count()), (fonts, fonts), "{locale}");
        assert!(bytes.len() < 60_000, "{locale}: {} bytes", bytes.len());
        assert!(text.contains("/Count 1"), "{locale}");
    }
    let long = write(&paper("de-de", "Rechnung", 200));
    assert!(String::from_utf8_lossy(&long).contains("/Count 9") || String::from_utf8_lossy(&long).contains("/Count 8"));
}

#[test]
fn every_word_of_every_language_has_its_glyphs() {
    let fonts = Fonts::new();
    let missing = |character: &char| *character != '\u{a0}' && fonts.0.iter().all(|font| font.face.glyph_index(*character).is_none());
    for locale in Locale::OFFERED {
        let words: String = app::i18n::invoice(locale).entries().into_iter().map(|(_, text)| text).collect();
        let all: BTreeSet<char> = words.chars().filter(missing).collect();
        assert_eq!(all, BTreeSet::new(), "{locale}");
    }
    assert_eq!("髙﨑Łę￥₩뷁".chars().filter(missing).collect::<String>(), "");
}

#[test]
fn lines_end_where_the_column_does() {
    let fonts = Fonts::new();
    for text in [
        "Leather belt with a buckle of brass and a loop",
        "本革のベルト、真鍮のバックル付き、長さ九十センチ",
        "Donaudampfschifffahrtsgesellschaftskapitän",
    ] {
        let lines = fonts.wrap(Face::Regular, TEXT, 80.0, text);
        assert!(lines.len() > 1 && lines.iter().all(|line| fonts.width(Face::Regular, TEXT, line) <= 80.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }
}
