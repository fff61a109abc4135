//! The search beside all choices that there are.

use super::{super::Candidate, *};
use crate::{
    VariantId,
    cart::Quantity,
    discount::{Effect, Off, PieceTier, ValueTier},
    ids::{ProductId, PromotionId},
    locale::TextLanguage,
    money::{Currency, Money},
    offer::Offer,
    pricing::Wanted,
    promotion::{Combines, Promotion, Rule, Scope},
};
use proptest::prelude::*;
use uuid::Uuid;

/// What a promotion is made of: its kind, a part in millionths, an amount, the lines that it names as bits, whether it is for all others to go with,
/// its priority.
type Drawn = (u8, u32, i64, u8, bool, i32);

fn promotion(n: u128, (kind, millionths, minor, lines, open, priority): Drawn) -> Promotion {
    let money = Money::new(minor, Currency::EUR);
    let effect = match kind {
        0 | 1 => Effect::Percent { millionths },
        2 => Effect::Amount { amount: money },
        3 => Effect::FixedPrice { price: money },
        4 => Effect::BuyGet { buy: 1 + millionths % 2, get: 1, millionths },
        // The first tier may give more than the second.
        5 => Effect::PieceTiers { tiers: vec![PieceTier { from: 1, off: Off::Amount(money) }, PieceTier { from: 6, off: Off::Percent(millionths) }] },
        _ => Effect::ValueTiers { tiers: vec![ValueTier { from: money, off: Off::Percent(millionths) }] },
    };
    let variants = (0..8_u128).filter(|line| lines >> line & 1 == 1).map(|line| VariantId(Uuid::from_u128(line))).collect();
    let rule = Rule {
        titles: std::collections::BTreeMap::new(),
        effect,
        markets: vec![],
        valid_from: 0,
        valid_until: None,
        minimum: None,
        scope: Scope { variants, ..Scope::default() },
        audience: crate::promotion::Audience::Everyone,
        includes_reduced: true,
        combines: if open { Combines::WithAll } else { Combines::Never },
        priority,
    };
    Promotion { id: PromotionId(Uuid::from_u128(n)), rule, hidden: false }
}

fn wanted(n: u128, pieces: u32, minor: i64) -> Wanted {
    Wanted {
        product: ProductId(Uuid::from_u128(n)),
        variant: VariantId(Uuid::from_u128(n)),
        quantity: Quantity::new(pieces).expect("in range"),
        offer: Offer { price: Money::new(minor, Currency::EUR), was: None, valid_until: None },
        weight_g: 0,
        tax_category: String::new(),
        category: String::new(),
        tags: vec![],
    }
}

/// Those that would take something, in the search's order.
fn able<'a, 'c>(candidates: &'c [Candidate<'a>], wanted: &[Wanted], open: &Open) -> Vec<Able<'a, 'c>> {
    let mut shares = vec![0; wanted.len()];
    let mut able: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| {
            let lines = (0..).zip(wanted).filter(|(_, line)| candidate.rule.scope.covers(line)).fold(0, |lines, (at, _)| lines | 1 << at);
            let before = open.value(lines);
            shares.fill(0);
            let taken = open.reckon(&candidate.rule.effect, lines, before, &mut shares).ok()?;
            Some(Able {
                candidate,
                turn: candidate.turn(),
                goes: candidate.goes(),
                lines,
                before,
                alone: taken.minor,
                claim: lines,
                rivals: 0,
                granted: lines,
            })
        })
        .collect();
    able.sort_unstable_by(Able::by_rate);
    able
}

/// What all that is granted saves, applied in turn.
fn saved(able: &[Able<'_, '_>], open: &Open) -> (i64, i64) {
    let (mut open, mut shares) = (open.clone(), vec![0; open.lines.len()]);
    let mut by_turn: Vec<_> = able.iter().filter(|one| one.granted != 0).collect();
    by_turn.sort_by_key(|one| one.turn);
    let (mut saved, mut priority) = (0, 0);
    for one in by_turn {
        shares.fill(0);
        priority += i64::from(one.candidate.rule.priority);
        if let Ok(taken) = open.reckon(&one.candidate.rule.effect, one.granted, one.before, &mut shares) {
            open.take(&taken, one.granted, &mut shares);
            saved += taken.minor;
        }
    }
    (saved, priority)
}

/// The best of all choices to which nothing can be added that takes no line from another, each of them tried.
fn by_brute_force(able: &mut [Able<'_, '_>], open: &Open) -> (i64, i64) {
    let mut shares = vec![0; open.lines.len()];
    let mut best = (0, i64::MIN);
    'choices: for choice in 0_u32..1 << able.len() {
        let mut left_out = Vec::new();
        for at in 0..able.len() {
            let rivals = (0..at).filter(|rival| able[*rival].is_in_the_way_of(&able[at]));
            let lines = able[at].lines & !rivals.fold(0, |lines, rival| lines | able[rival].granted);
            shares.fill(0);
            let effect = &able[at].candidate.rule.effect;
            let is_able = lines != 0 && open.reckon(effect, lines, able[at].before, &mut shares).is_ok();
            let is_taken = is_able && choice >> at & 1 == 1;
            able[at].granted = if is_taken { lines } else { 0 };
            left_out.extend((is_able && !is_taken).then_some(at));
        }
        for at in left_out {
            if !able[at + 1..].iter().any(|later| later.granted != 0 && able[at].is_in_the_way_of(later)) {
                continue 'choices;
            }
        }
        best = best.max(saved(able, open));
    }
    best
}

#[test]
fn a_large_knot_costs_little() {
    // Twenty lines and fifty promotions on all of them, of which one in three goes with no other: more choices than could be looked at in years.
    let wanted: Vec<_> = (0..20).map(|n| wanted(n, 1 + u32::try_from(n).expect("small") % 5, 990 + i64::try_from(n).expect("small") * 731)).collect();
    let kind = |n: u32| (u8::try_from(n % 7).expect("small"), 50_000, 300 + i64::from(n), u8::MAX, !n.is_multiple_of(3), 0);
    let promotions: Vec<_> = (0..50).map(|n| promotion(n.into(), kind(n))).collect();
    let candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
    let open = Open::new(&wanted, None, Currency::EUR);
    let mut able = able(&candidates, &wanted, &open);
    choose(&mut able, &open);
    assert!(able.iter().any(|one| one.granted != 0));
    let members = able.iter().filter(|one| one.rivals != 0).fold(0, |knot, one| knot | one.rivals);
    let mut search = Search::new(&able, members, 0, &open);
    search.descend(search.knot, Decided { rest: i64::MAX, ..Decided::default() });
    // The first choice is gone through to its end.
    assert!(search.tries <= search.tries_max && search.decisions <= DECISIONS_MAX.max(50) && search.tries_max <= WORK_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn knots_of_up_to_ten_are_untied_as_well_as_can_be(
        lines in prop::collection::vec((1_u32..=4, 100_i64..10_000), 8),
        rules in prop::collection::vec((0_u8..7, 10_000_u32..=600_000, 50_i64..6_000, 1_u8..=255, any::<bool>(), 0_i32..2), 1..=EXACT_MAX),
    ) {
        let wanted: Vec<_> = (0..).zip(&lines).map(|(n, (pieces, minor))| wanted(n, *pieces, *minor)).collect();
        let promotions: Vec<_> = (1..).zip(&rules).map(|(n, rule)| promotion(n, *rule)).collect();
        let candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
        let open = Open::new(&wanted, None, Currency::EUR);
        let mut able = able(&candidates, &wanted, &open);
        choose(&mut able, &open);
        let found = saved(&able, &open);
        prop_assert_eq!(found, by_brute_force(&mut able, &open));
    }
}
