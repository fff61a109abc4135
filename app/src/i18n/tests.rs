//! Every language says something of its own.

use super::*;
use std::collections::BTreeSet;

/// Messages that read the same in English and in the language named, and are right so. Reviewed by hand.
const SAME_AS_ENGLISH: &[(&str, &str)] = &[
    ("de-de", "details"),
    ("de-de", "filter"),
    ("fr-fr", "menu"),
    ("fr-fr", "pages"),
    ("fr-fr", "page_of"),
    ("de-de", "tax_on_top"),
    ("fr-fr", "tax_on_top"),
    ("ja-jp", "tax_on_top"),
    ("ko-kr", "tax_on_top"),
    ("de-de", "tax_region"),
    ("fr-fr", "tax_region"),
    ("fr-fr", "total"),
    ("de-de", "optional"),
    ("fr-fr", "country_ca"),
    ("fr-fr", "country_fr"),
    ("de-de", "country_jp"),
];

/// All groups of messages.
fn everything(locale: Locale) -> Vec<(&'static str, &'static str)> {
    [
        shop(locale).entries(),
        till(locale).entries(),
        coupon(locale).entries(),
        promotion(locale).entries(),
        follow(locale).entries(),
        give_back(locale).entries(),
        invoice(locale).entries(),
        newsletter(locale).entries(),
    ]
    .concat()
}

fn locale(text: &str) -> Locale {
    text.parse().expect("a locale")
}

#[test]
fn no_message_is_english_by_mistake() {
    let english = everything(locale("en-us"));
    for language in ["de-de", "fr-fr", "fr-ca", "ja-jp", "ko-kr"] {
        let same: Vec<_> =
            english.iter().zip(everything(locale(language))).filter(|((_, english), (_, text))| english == text).map(|((key, _), _)| *key).collect();
        let reviewed = |key: &str| SAME_AS_ENGLISH.contains(&(if language == "fr-ca" { "fr-fr" } else { language }, key));
        let unreviewed: Vec<_> = same.iter().filter(|key| !reviewed(key)).collect();
        assert!(unreviewed.is_empty(), "{language}: {unreviewed:?} equal English");
    }
}

#[test]
fn every_message_keeps_its_placeholders() {
    let placeholders = |text: &str| -> BTreeSet<String> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned())).collect()
    };
    let english = everything(locale("en-us"));
    for language in Locale::OFFERED.into_iter().chain([Locale::PSEUDO, Locale::PSEUDO_RTL]) {
        for ((key, english), (_, text)) in english.iter().zip(everything(language)) {
            assert!(!text.trim().is_empty(), "{language} {key} is empty");
            assert_eq!(placeholders(english), placeholders(text), "{language} {key}");
        }
    }
}

#[test]
fn plurals_follow_the_language() {
    let count = |language: &str, count| shop(locale(language)).product_count.text(locale(language), count);
    assert_eq!((count("en-us", 0), count("en-us", 1), count("en-us", 1200)), ("0 products".into(), "1 product".into(), "1,200 products".into()));
    assert_eq!((count("fr-fr", 0), count("fr-fr", 2)), ("0 produit".into(), "2 produits".into()));
    assert_eq!(count("ja-jp", 1), "1点");
}

#[test]
fn a_value_is_never_taken_for_a_placeholder() {
    assert_eq!(filled("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
    assert_eq!(filled("{unknown} stays {", &[]), "{unknown} stays {");
}

#[test]
fn pseudo_languages_are_long_and_run_the_other_way() {
    assert!(shop(Locale::PSEUDO).add_to_cart.chars().count() > "Add to cart".len() * 13 / 10);
    let (english, turned) = (shop(locale("en-us")), shop(Locale::PSEUDO_RTL));
    for (text, turned) in [(english.add_to_cart, turned.add_to_cart), (english.delivery_returns, turned.delivery_returns)] {
        assert!(turned.chars().count() >= text.len() * 13 / 10, "{turned} is longer than {text}, by its words");
        assert!(turned.split(' ').count() == text.split(' ').count());
    }
    assert!(turned.add_to_cart.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)));
}
