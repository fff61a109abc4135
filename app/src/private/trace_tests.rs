//! Each way in which an amount can come about, and each reason why a promotion can give nothing, is said in every language: in its own words, with
//! its own figures, in whole sentences.

use super::{
    sums::{because, label},
    trace::{how, reason},
};
use crate::{i18n::money, pages::memory, ports::View, private::percent};
use domain::{
    PromotionId, VariantId,
    discount::Off,
    locale::Locale,
    money::{Currency, Money},
    pricing::{Entry, Label, Quote, Why},
    promotion::{Audience, Change, How, Outcome, Refusal, Traced},
    tax::Rounding,
};
use std::collections::BTreeSet;

const TITLE: &str = "Πρόσφορα";
/// Words of English sentences that others use as well. Reviewed by hand.
const SHARED: &[&str] = &["code", "fractions", "standard", "taxes", "total"];

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// With all figures different, so that none stands for another.
fn hows() -> Vec<How> {
    let all = vec![
        How::Percent { millionths: 125_000, base: usd(123_456) },
        How::Amount { amount: usd(2_050) },
        How::FixedPrice { price: usd(990), pieces: 7 },
        How::BuyGet { buy: 2, get: 1, millionths: 1_000_000, groups: 4 },
        How::BuyGet { buy: 3, get: 2, millionths: 505_000, groups: 6 },
        How::PieceTier { pieces: 9, from: 8, off: Off::Percent(75_000) },
        How::PieceTier { pieces: 9, from: 8, off: Off::Amount(usd(1_505)) },
        How::ValueTier { value: usd(1_234_567), from: usd(1_000_000), off: Off::Percent(75_000) },
        How::ValueTier { value: usd(1_234_567), from: usd(1_000_000), off: Off::Amount(usd(1_505)) },
        How::FreeDelivery,
    ];
    // A kind that is added is added above.
    let kind = |how: &How| match how {
        How::Percent { .. } => 0,
        How::Amount { .. } => 1,
        How::FixedPrice { .. } => 2,
        How::BuyGet { .. } => 3,
        How::PieceTier { .. } => 4,
        How::ValueTier { .. } => 5,
        How::FreeDelivery => 6,
    };
    assert!(all.iter().map(kind).collect::<BTreeSet<_>>().into_iter().eq(0..7));
    all
}

fn refusals() -> Vec<Refusal> {
    let all = vec![
        Refusal::Unknown,
        Refusal::NotYet { from: 1_796_860_800_000_000 },
        Refusal::Over,
        Refusal::UsedUp,
        Refusal::UsedByCustomer,
        Refusal::BelowMinimum { missing: usd(123_456) },
        Refusal::TooFewPieces { missing: 1 },
        Refusal::TooFewPieces { missing: 3 },
        Refusal::OtherMarket,
        Refusal::NothingApplies,
        Refusal::ForOthers { audience: Audience::FirstOrder, is_known: true },
        Refusal::ForOthers { audience: Audience::Returning, is_known: false },
        Refusal::ForOthers { audience: Audience::Segment("vip".to_owned()), is_known: true },
        Refusal::Beaten { by: TITLE.to_owned() },
        Refusal::NotCombinable { with: TITLE.to_owned() },
    ];
    let kind = |refusal: &Refusal| match refusal {
        Refusal::Unknown => 0,
        Refusal::NotYet { .. } => 1,
        Refusal::Over => 2,
        Refusal::UsedUp => 3,
        Refusal::UsedByCustomer => 4,
        Refusal::BelowMinimum { .. } => 5,
        Refusal::TooFewPieces { .. } => 6,
        Refusal::OtherMarket => 7,
        Refusal::NothingApplies => 8,
        Refusal::Beaten { .. } => 9,
        Refusal::NotCombinable { .. } => 10,
        Refusal::ForOthers { .. } => 11,
    };
    assert!(all.iter().map(kind).collect::<BTreeSet<_>>().into_iter().eq(0..12));
    all
}

fn whys() -> Vec<Why> {
    let all = vec![
        Why::Lines { lines: 1, pieces: 1 },
        Why::Lines { lines: 2, pieces: 5 },
        Why::Reduced { pieces: 1, until: None },
        Why::Reduced { pieces: 4, until: Some(1_796_860_800_000_000) },
        Why::FreeFrom { limit: usd(123_456) },
        Why::Charged { free_from: None },
        Why::Charged { free_from: Some(usd(123_456)) },
        Why::Free,
        Why::PercentOff { millionths: 125_000, base: usd(123_456) },
        Why::AmountOff { amount: usd(123_456) },
        Why::DeliveryOff,
        Why::TaxOnTop { base: usd(123_456), rounding: Rounding::HalfUp, estimated: true },
        Why::TaxOnTop { base: usd(123_456), rounding: Rounding::HalfUp, estimated: false },
        Why::TaxIncluded { base: usd(123_456), rounding: Rounding::HalfUp },
        Why::TaxIncluded { base: usd(123_456), rounding: Rounding::Down },
    ];
    let kind = |why: &Why| match why {
        Why::Lines { .. } => 0,
        Why::Reduced { .. } => 1,
        Why::FreeFrom { .. } => 2,
        Why::Charged { .. } => 3,
        Why::Free => 4,
        Why::PercentOff { .. } => 5,
        Why::AmountOff { .. } => 6,
        Why::DeliveryOff => 7,
        Why::TaxOnTop { .. } => 8,
        Why::TaxIncluded { .. } => 9,
    };
    assert!(all.iter().map(kind).collect::<BTreeSet<_>>().into_iter().eq(0..10));
    all
}

fn quote(trace: Vec<Traced>) -> Quote {
    let (lines, discounts, taxes, entries) = (vec![], vec![], vec![], vec![]);
    Quote { lines, goods: usd(0), delivery: None, discounts, taxes, tax_known: true, total: usd(0), entries, trace }
}

/// An entry with its reason, as pages show it.
fn entry(why: &Why) -> Entry {
    let label = match why {
        Why::Lines { .. } => Label::Subtotal,
        Why::Reduced { .. } => Label::Reductions,
        Why::FreeFrom { .. } | Why::Charged { .. } | Why::Free => Label::Delivery,
        Why::PercentOff { .. } | Why::AmountOff { .. } | Why::DeliveryOff => {
            Label::Discount { code: String::new(), title: TITLE.to_owned(), promotion: None }
        }
        Why::TaxOnTop { .. } | Why::TaxIncluded { .. } => Label::Tax { name: "GST".to_owned(), region: String::new(), millionths: 99_750 },
    };
    Entry { label, amount: usd(-2_050), why: why.clone(), included: matches!(why, Why::TaxIncluded { .. }), parcel: None }
}

/// Every sentence, with the figures that must stand in it.
fn sentences(view: &View) -> Vec<(String, Vec<String>)> {
    let (sum, part) = (|amount: Money| money(amount, view.locale), |millionths| percent(millionths, view.locale));
    let off = |off| match off {
        Off::Percent(millionths) => part(millionths),
        Off::Amount(amount) => sum(amount),
    };
    let mut all = Vec::new();
    for came in hows() {
        let figures = match came {
            How::Percent { millionths, base } => vec![part(millionths), sum(base)],
            How::Amount { amount } => vec![sum(amount)],
            How::FixedPrice { price, pieces } => vec![sum(price), pieces.to_string()],
            How::BuyGet { buy, get, millionths: 1_000_000, groups } => vec![(buy + get).to_string(), get.to_string(), groups.to_string()],
            How::BuyGet { buy, get, millionths, groups } => vec![(buy + get).to_string(), get.to_string(), groups.to_string(), part(millionths)],
            How::PieceTier { pieces, from, off: taken } => vec![pieces.to_string(), from.to_string(), off(taken)],
            How::ValueTier { value, from, off: taken } => vec![sum(value), sum(from), off(taken)],
            How::FreeDelivery => vec![],
        };
        all.push((how(&came, view), figures));
        // The page asks the trace for the reason beside an amount.
        let id = PromotionId(uuid::Uuid::nil());
        let lines = vec![Change { variant: VariantId(uuid::Uuid::nil()), amount: usd(2_050) }];
        let outcome = Outcome::Applied { amount: usd(2_050), how: came, lines };
        let traced = Traced { promotion: id, code: String::new(), title: TITLE.to_owned(), hidden: false, outcome };
        let mut told = entry(&Why::AmountOff { amount: usd(2_050) });
        told.label = Label::Discount { code: String::new(), title: TITLE.to_owned(), promotion: Some(id) };
        assert_eq!(because(&told, &quote(vec![traced]), view), how(&came, view));
    }
    for refusal in refusals() {
        let figures = match &refusal {
            Refusal::BelowMinimum { missing } => vec![sum(*missing)],
            Refusal::TooFewPieces { missing } => vec![missing.to_string()],
            Refusal::Beaten { by: title } | Refusal::NotCombinable { with: title } => vec![title.clone()],
            Refusal::Unknown
            | Refusal::NotYet { .. }
            | Refusal::Over
            | Refusal::UsedUp
            | Refusal::UsedByCustomer
            | Refusal::OtherMarket
            | Refusal::ForOthers { .. }
            | Refusal::NothingApplies => vec![],
        };
        all.push((reason(&refusal, view), figures));
    }
    for why in whys() {
        let figures = match &why {
            Why::Lines { pieces, .. } | Why::Reduced { pieces, .. } => vec![pieces.to_string()],
            Why::FreeFrom { limit: amount } | Why::Charged { free_from: Some(amount) } | Why::AmountOff { amount } => vec![sum(*amount)],
            Why::Charged { free_from: None } | Why::Free | Why::DeliveryOff => vec![],
            Why::PercentOff { millionths, base } => vec![part(*millionths), sum(*base)],
            Why::TaxOnTop { base, .. } | Why::TaxIncluded { base, .. } => vec![part(99_750), sum(*base)],
        };
        assert!(!label(&entry(&why), view).trim().is_empty());
        all.push((because(&entry(&why), &quote(vec![]), view), figures));
    }
    all
}

/// The words of a sentence in Latin letters, without its figures.
fn latin(sentence: &str, figures: &[String]) -> BTreeSet<String> {
    let bare = figures.iter().fold(sentence.to_owned(), |text, figure| text.replace(figure.as_str(), " "));
    let words = bare.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2 && word.is_ascii());
    words.map(str::to_lowercase).filter(|word| !SHARED.contains(&word.as_str())).collect()
}

#[test]
fn every_reason_is_said_in_every_language() {
    let english = sentences(&memory::view("en-us".parse().expect("a locale")));
    for locale in Locale::OFFERED {
        let view = memory::view(locale);
        for ((said, figures), (english, of_english)) in sentences(&view).iter().zip(&english) {
            let ends = said.trim_end_matches(['”', '»', '」']);
            assert!(ends.ends_with(['.', '。']) && said.trim() == said, "{locale}: no sentence: {said:?}");
            assert!(!said.contains(['{', '}']), "{locale}: {said:?}");
            for twice in ["..", "。。", ",,", ";;", "::", "  ", " .", " ,", "。.", ".。", "%%", "()", "（）", "“”", "„“", "「」"] {
                assert!(!said.contains(twice), "{locale}: {twice:?} in {said:?}");
            }
            for figure in figures {
                assert!(said.contains(figure.as_str()), "{locale}: {figure:?} is missing in {said:?}");
            }
            if locale.language != domain::locale::Language::En {
                let left: Vec<_> = latin(said, figures).intersection(&latin(english, of_english)).cloned().collect();
                assert!(left.is_empty(), "{locale}: {left:?} is English in {said:?}");
            }
        }
    }
}
