//! Names into keys: option slugs that mean the same in every shop, and slugs of everything else.

use crate::search::fold;
use domain::search::is_slug;

/// Options that have one slug whatever a file calls them.
const OPTIONS: [(&str, &[&str]); 5] = [
    ("colour", &["color", "colour", "farbe", "couleur", "coloris", "カラー", "色", "색상", "컬러"]),
    ("size", &["size", "grösse", "größe", "taille", "サイズ", "사이즈", "크기"]),
    ("length", &["length", "länge", "longueur", "長サ", "長さ", "길이"]),
    ("material", &["material", "matière", "素材", "소재"]),
    ("style", &["style", "stil", "スタイル", "스타일"]),
];
/// Fields of the cart's form: an option of this name would be taken for them.
const RESERVED: [&str; 3] = ["product", "quantity", "mutation"];

/// The slug of an option.
pub(super) fn option_slug(name: &str) -> Option<String> {
    let folded = fold(name.trim());
    if let Some((slug, _)) = OPTIONS.iter().find(|(_, names)| names.iter().any(|known| fold(known) == folded)) {
        return Some((*slug).to_owned());
    }
    let slug = slug(name)?;
    Some(if RESERVED.contains(&slug.as_str()) { format!("option-{slug}") } else { slug })
}

/// A text as a slug: letters and digits of any script, the rest hyphens, at most 80 bytes. `None`: nothing is left.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in fold(text).chars() {
        if c.is_alphanumeric() {
            if slug.len() + c.len_utf8() > 80 {
                break;
            }
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && slug.len() < 80 {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-').to_owned();
    is_slug(&slug).then_some(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_options_have_one_slug_and_no_option_is_a_field_of_the_form() {
        for (name, slug) in
            [("Color", "colour"), ("FARBE", "colour"), ("Größe", "size"), ("Kordel Länge", "kordel-lange"), ("Quantity", "option-quantity")]
        {
            assert_eq!(option_slug(name).as_deref(), Some(slug), "{name}");
        }
        assert_eq!(option_slug("!!!"), None);
    }

    #[test]
    fn slugs_are_short_and_clean() {
        assert_eq!(slug("  Bags & Travel / 2026 ").as_deref(), Some("bags-travel-2026"));
        assert!(slug(&"ä".repeat(500)).is_some_and(|slug| slug.len() <= 80));
        assert_eq!(slug("<>"), None);
    }
}
