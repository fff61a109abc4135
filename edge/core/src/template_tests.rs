//! Templates: what is filled, what is refused, and that no mark ever comes out.

use super::*;
use domain::{ProductId, VariantId, live::strip_marks};
use proptest::prelude::*;
use std::fmt::Write as _;

/// Fills every hole with its own name in brackets; variants with an even last byte are sold and can be bought.
struct Named;
impl Values for Named {
    fn fill(&self, hole: Hole, out: &mut String) {
        let _ = write!(out, "[{hole}]");
    }
    fn holds(&self, choice: Hole) -> bool {
        matches!(choice, Hole::IfBuyable(variant) | Hole::IfSold(variant) if variant.0.as_bytes()[15].is_multiple_of(2))
    }
}

fn variant(n: u128) -> VariantId {
    VariantId(domain_uuid(n))
}

fn domain_uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn fill(html: &str) -> Result<String, Malformed> {
    Ok(Template::parse(html)?.fill(&Named))
}

#[test]
fn holes_are_filled_in_text_and_attributes_and_alternatives() {
    let (even, odd) = (variant(2), variant(3));
    let html = format!(
        "<p title=\"{}\">{}</p>{}{}",
        Hole::Availability(even).mark(),
        Hole::CartBadge.mark(),
        Hole::IfBuyable(even).either(&format!("<button>{}</button>", Hole::MutationId.mark()), "gone"),
        Hole::IfBuyable(odd).either("buy", &format!("gone {}", Hole::IfBuyable(even).either("but this", "nothing"))),
    );
    assert_eq!(fill(&html), Ok(format!("<p title=\"[avail:{even}]\">[badge]</p><button>[mutation]</button>gone but this")));
    let holes = Template::parse(html).map(|template| template.holes());
    assert_eq!(
        holes,
        Ok(vec![Hole::Availability(even), Hole::CartBadge, Hole::IfBuyable(even), Hole::MutationId, Hole::IfBuyable(odd), Hole::IfBuyable(even)])
    );
}

#[test]
fn malformed_marks_are_refused() {
    let id = variant(2);
    let nested = (0..6).fold("x".to_owned(), |inner, _| Hole::IfBuyable(id).either(&inner, ""));
    let table = [
        (format!("a{CLOSE}"), Malformed::Stray(1)),
        (format!("a{OR}b"), Malformed::Stray(1)),
        (format!("{OPEN}badge"), Malformed::Open(0)),
        (format!("{OPEN}badge{OPEN}nonce{CLOSE}{CLOSE}"), Malformed::Open(0)),
        (format!("{OPEN}price:7{CLOSE}"), Malformed::Unknown(0)),
        (format!("{OPEN}{CLOSE}"), Malformed::Unknown(0)),
        (format!("{OPEN}if:{id}{CLOSE}"), Malformed::Alternatives(0)),
        (format!("{OPEN}badge{OR}a{OR}b{CLOSE}"), Malformed::Alternatives(0)),
        (format!("{OPEN}if:{id}{OR}a{CLOSE}"), Malformed::Alternatives(0)),
        (format!("{OPEN}if:{id}{OR}a{OR}b{OR}c{CLOSE}"), Malformed::Alternatives(0)),
        (format!("{OPEN}if:{id}{OR}a{OR}b"), Malformed::Open(0)),
        (format!("{OPEN}if:{id}{OR}a"), Malformed::Open(0)),
        (format!("{OPEN}sold:{id}{CLOSE}"), Malformed::Alternatives(0)),
    ];
    for (html, refusal) in table {
        assert_eq!(fill(&html), Err(refusal), "{html:?}");
    }
    assert!(matches!(fill(&nested), Err(Malformed::Deep(_))));
}

#[test]
fn other_private_characters_are_text() {
    assert_eq!(fill("\u{E003}\u{F8FF}é한").as_deref(), Ok("\u{E003}\u{F8FF}é한"));
    assert_eq!(fill("").as_deref(), Ok(""));
}

fn has_mark(text: &str) -> bool {
    text.contains([OPEN, CLOSE, OR])
}

/// Pages as the app renders them: texts without marks, holes, alternatives around pages.
fn page() -> impl Strategy<Value = String> {
    let text = "[a-z<>&é한\u{E003}]{0,12}".prop_map(|text| text);
    let hole = (0_u8..10, any::<u128>()).prop_map(|(kind, id)| {
        let (variant, product) = (variant(id), ProductId(domain_uuid(id)));
        match kind {
            0 => Hole::Nonce,
            1 => Hole::MutationId,
            2 => Hole::CartBadge,
            3 => Hole::Price(variant),
            4 => Hole::CardPrice(product),
            5 => Hole::CardFlag(product),
            6 => Hole::Availability(variant),
            7 => Hole::PlainPrice(variant),
            8 => Hole::SchemaAvailability(variant),
            _ => Hole::DeliveryPromise(variant),
        }
        .mark()
    });
    let leaf = prop_oneof![text, hole];
    let inner = leaf.prop_recursive(3, 24, 4, |inner| {
        let part = prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| parts.concat());
        (any::<u128>(), part.clone(), part)
            .prop_map(|(id, a, b)| if id % 3 == 0 { Hole::IfSold(variant(id)).either(&a, &b) } else { Hole::IfBuyable(variant(id)).either(&a, &b) })
    });
    prop::collection::vec(inner, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_mark_survives(html in page()) {
        let filled = fill(&html);
        prop_assert!(filled.is_ok_and(|filled| !has_mark(&filled)), "{html:?}");
    }

    #[test]
    fn settling_first_changes_nothing(html in page()) {
        let template = Template::parse(html).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let settled = template.settle(&Named);
        prop_assert_eq!(settled.fill(&Named), template.fill(&Named));
        prop_assert!(settled.holes().into_iter().all(is_personal));
        let (text, parts) = settled.clone().into_parts();
        let mut sent = String::new();
        for part in parts {
            match part {
                Part::Text(range) => sent.push_str(&text[range]),
                Part::Hole(hole) => Named.fill(hole, &mut sent),
            }
        }
        prop_assert_eq!(sent, template.fill(&Named));
    }

    #[test]
    fn any_text_at_all_is_filled_or_refused(html in "[a-z:\u{E000}\u{E001}\u{E002}\u{E003}é-]{0,40}") {
        prop_assert!(fill(&html).map_or(true, |filled| !has_mark(&filled)));
    }

    #[test]
    fn a_page_cut_anywhere_shows_no_mark(html in page(), cut in any::<prop::sample::Index>()) {
        let ends: Vec<usize> = html.char_indices().map(|(at, _)| at).chain([html.len()]).collect();
        let html = &html[..ends[cut.index(ends.len())]];
        prop_assert!(fill(html).map_or(true, |filled| !has_mark(&filled)));
    }

    #[test]
    fn no_input_can_forge_a_hole(input in "[a-z\u{E000}\u{E001}\u{E002}:]{0,40}") {
        let html = format!("<p>{}</p>{}", strip_marks(&input), Hole::CartBadge.mark());
        let template = Template::parse(html).map(|template| template.holes());
        prop_assert_eq!(template, Ok(vec![Hole::CartBadge]));
    }

    #[test]
    fn text_without_marks_is_kept(html in "[^\u{E000}\u{E001}\u{E002}]{0,200}") {
        prop_assert_eq!(fill(&html), Ok(html));
    }
}
