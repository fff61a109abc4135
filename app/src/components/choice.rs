//! Which variant is chosen, without script: every variant's price, availability and button stand in the page, and a few CSS rules
//! made for this product show those that the checked radios choose. What the visitor's address chose stands checked from the start.

use domain::catalog::{ProductDocument, Variant};
use std::{collections::BTreeMap, fmt::Write as _};

/// The variant that an address chooses: the first that has all chosen values, else the first that has the most.
pub fn chosen(product: &ProductDocument, selection: &BTreeMap<String, String>) -> usize {
    let fits =
        |variant: &Variant| product.options.iter().zip(&variant.values).filter(|(option, value)| selection.get(&option.slug) == Some(*value)).count();
    let best = product.variants.iter().map(fits).max().unwrap_or(0);
    product.variants.iter().position(|variant| fits(variant) == best).unwrap_or(0)
}

/// The id of a value's radio, by the places of option and value.
pub fn radio_id(option: usize, value: usize) -> String {
    format!("o{option}-{value}")
}

/// Whether some combination of values is no variant.
pub fn has_gaps(product: &ProductDocument) -> bool {
    product.options.iter().map(|option| option.values.len()).product::<usize>() > product.variants.len()
}

/// The rules of a product page. Class `v{n}` stands for the variant's place, `n{option}-{value}` for the value's name, `g{n}` for
/// words that say it is sold out, `c{option}-{value}` for a picture that shows the value and `l…` for the first such picture.
pub fn rules(product: &ProductDocument) -> String {
    let mut css = String::with_capacity(1024);
    let places = |variant: &Variant| -> Option<Vec<usize>> {
        let place = |(index, value): (usize, &String)| product.options.get(index)?.values.iter().position(|known| known.slug == *value);
        variant.values.iter().enumerate().map(place).collect()
    };
    // Words that a variant is sold out stand in the cell of each of its values, and count when its other values are chosen.
    css.push_str(".gone{display:none}");
    let mut all = String::new();
    for (index, variant) in product.variants.iter().enumerate() {
        let Some(places) = places(variant) else { continue };
        let has = |skip: Option<usize>| {
            places.iter().enumerate().filter(|(option, _)| Some(*option) != skip).fold(".item".to_owned(), |mut text, (option, value)| {
                let _ = write!(text, ":has(#{}:checked)", radio_id(option, *value));
                text
            })
        };
        if product.variants.len() > 1 {
            let _ = write!(css, "{} .v{index}{{display:inline}}", has(None));
            let _ = write!(all, "{}{}", if all.is_empty() { "" } else { "," }, has(None));
        }
        for option in 0..places.len() {
            let cell = format!("{} label:has(.g{index})", has(Some(option)));
            let _ = write!(
                css,
                "{cell}>span{{text-decoration:line-through}}{cell}:not(:has(:checked))>span{{color:var(--soft)}}{cell} img{{opacity:.5}}{cell} .g{index}{{display:inline}}"
            );
        }
    }
    for (option, values) in product.options.iter().enumerate() {
        for value in 0..values.values.len() {
            let _ = write!(css, ".item:has(#{}:checked) .n{option}-{value}{{display:inline}}", radio_id(option, value));
            if values.slug == "colour" {
                let checked = format!(".item:has(#{}:checked) .gallery", radio_id(option, value));
                let _ = write!(
                    css,
                    "{checked}>li{{grid-column:auto}}{checked}>.c{option}-{value}{{order:-1}}{checked}>.l{option}-{value}{{order:-2;grid-column:1/-1}}"
                );
            }
        }
    }
    // Browsers without :has() keep what was chosen by the address: the rest stays hidden by its attribute.
    let hide = if product.variants.len() > 1 { ".v,.n{display:none}" } else { ".n{display:none}" };
    let gap =
        if all.is_empty() || !has_gaps(product) { String::new() } else { format!(".v.none{{display:inline}}:is({all}) .v.none{{display:none}}") };
    format!("@supports selector(:has(a)){{{hide}{gap}{css}}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        ProductId, VariantId,
        catalog::{OptionValue, ProductOption},
        locale::TextLanguage,
    };

    fn product() -> ProductDocument {
        let option = |slug: &str, values: &[&str]| ProductOption {
            slug: slug.into(),
            name: slug.into(),
            values: values.iter().map(|value| OptionValue { slug: (*value).into(), name: (*value).into(), hex: None }).collect(),
        };
        let variant = |id, values: [&str; 2]| Variant {
            id: VariantId(uuid::Uuid::from_u128(id)),
            sku: String::new(),
            values: values.map(str::to_owned).into(),
            weight_g: 0,
        };
        ProductDocument {
            id: ProductId(uuid::Uuid::from_u128(9)),
            version: 1,
            language: TextLanguage::EnUs,
            slugs: BTreeMap::new(),
            title: "Hat".into(),
            summary: String::new(),
            description_html: String::new(),
            details: vec![],
            materials: vec![],
            vendor: String::new(),
            category: None,
            tags: vec![],
            options: vec![option("colour", &["oat", "clay"]), option("size", &["m", "l"])],
            variants: vec![variant(1, ["oat", "m"]), variant(2, ["oat", "l"]), variant(3, ["clay", "l"])],
            pictures: vec![],
            seo_title: String::new(),
            seo_description: String::new(),
            origin: String::new(),
            goes_with: vec![],
            unsold: std::collections::BTreeSet::new(),
        }
    }

    fn selection(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(option, value)| ((*option).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_address_chooses_what_fits_best() {
        let hat = product();
        for (pairs, place) in [
            (vec![], 0),
            (vec![("size", "l")], 1),
            (vec![("colour", "clay")], 2),
            (vec![("colour", "clay"), ("size", "m")], 0),
            (vec![("colour", "<b>")], 0),
        ] {
            assert_eq!(chosen(&hat, &selection(&pairs)), place, "{pairs:?}");
        }
    }

    #[test]
    fn each_variant_has_its_rule_and_a_gap_is_said() {
        let css = rules(&product());
        assert!(css.contains(".item:has(#o0-1:checked):has(#o1-1:checked) .v2{display:inline}"), "{css}");
        assert!(css.contains(".v.none{display:inline}"), "{css}");
        assert!(!css.contains('<'));
    }
}
