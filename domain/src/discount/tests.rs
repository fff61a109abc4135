//! Spreading conserves; each effect by its example; groups follow no order of lines.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn id(n: u128) -> VariantId {
    VariantId(Uuid::from_u128(n))
}

fn spread(amount: i64, weights: &[(VariantId, i64)]) -> Vec<i64> {
    let mut shares = vec![0; weights.len()];
    spread_over(amount, weights.iter().enumerate().map(|(at, (id, weight))| (at, *id, *weight)), &mut shares);
    shares
}

const ALL: Lines = Lines::MAX;

/// Lines of so many pieces at so much each.
fn open(lines: &[(u32, i64)]) -> Open {
    let line = |(n, (pieces, each)): (u128, &(u32, i64))| OpenLine { variant: id(n), pieces: *pieces, minor: each * i64::from(*pieces) };
    Open { lines: (1..).zip(lines).map(line).collect(), delivery: 490, is_standard: true, currency: Currency::EUR }
}

/// What each line gives, or why nothing.
fn shares(effect: &Effect, lines: &[(u32, i64)]) -> Result<Vec<i64>, Refusal> {
    let mut open = open(lines);
    let mut shares = vec![0; lines.len()];
    let taken = open.reckon(effect, ALL, open.value(ALL), &mut shares)?;
    open.take(&taken, ALL, &mut shares);
    Ok(shares)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

#[test]
fn each_effect_by_its_example() {
    let three_for_two = Effect::BuyGet { buy: 2, get: 1, millionths: 1_000_000 };
    let second_half = Effect::BuyGet { buy: 1, get: 1, millionths: 500_000 };
    let pieces =
        Effect::PieceTiers { tiers: vec![PieceTier { from: 2, off: Off::Percent(100_000) }, PieceTier { from: 5, off: Off::Amount(eur(1_500)) }] };
    let values = Effect::ValueTiers {
        tiers: vec![ValueTier { from: eur(5_000), off: Off::Amount(eur(500)) }, ValueTier { from: eur(10_000), off: Off::Percent(200_000) }],
    };
    for (what, effect, lines, expected) in [
        ("12.5 % of 30.01", Effect::Percent { millionths: 125_000 }, &[(1, 1_000), (1, 2_001)][..], Ok(vec![125, 250])),
        ("at most what they cost", Effect::Amount { amount: eur(5_000) }, &[(1, 1_000), (2, 500)], Ok(vec![1_000, 1_000])),
        ("each at 9.00, what is cheaper stays", Effect::FixedPrice { price: eur(900) }, &[(2, 1_000), (1, 800)], Ok(vec![200, 0])),
        ("3 for 2 of one kind", three_for_two.clone(), &[(3, 1_000)], Ok(vec![1_000])),
        (
            "the cheapest is free, and all three bear it: 500 over 1,000, 800 and 500",
            three_for_two.clone(),
            &[(1, 500), (1, 1_000), (1, 800)],
            Ok(vec![109, 217, 174]),
        ),
        ("seven are two groups and one more, the cheapest", three_for_two.clone(), &[(4, 1_000), (3, 600)], Ok(vec![1_000 + 273, 327])),
        ("two are too few", three_for_two, &[(1, 1_000), (1, 500)], Err(Refusal::TooFewPieces { missing: 1 })),
        ("the second at half its price", second_half, &[(2, 999)], Ok(vec![500])),
        ("from two pieces on", pieces.clone(), &[(1, 1_000), (1, 500)], Ok(vec![100, 50])),
        ("from five pieces on", pieces.clone(), &[(5, 1_000)], Ok(vec![1_500])),
        ("one piece", pieces, &[(1, 1_000)], Err(Refusal::TooFewPieces { missing: 1 })),
        ("from 50.00 on", values.clone(), &[(1, 5_000)], Ok(vec![500])),
        ("from 100.00 on", values.clone(), &[(2, 5_000)], Ok(vec![2_000])),
        ("one cent below", values, &[(1, 4_999)], Err(Refusal::BelowMinimum { missing: eur(1) })),
        ("delivery is no line's", Effect::FreeStandardDelivery, &[(1, 5_000)], Ok(vec![0])),
        ("nothing is left", Effect::Percent { millionths: 100_000 }, &[(1, 0)], Err(Refusal::NothingApplies)),
    ] {
        assert_eq!(shares(&effect, lines), expected, "{what}");
    }
}

#[test]
fn what_is_left_over_goes_to_those_who_lost_most() {
    for (amount, weights, shares) in [
        (100, vec![1, 1, 1], vec![34, 33, 33]),
        (1, vec![5, 5], vec![1, 0]),
        (10, vec![99, 1], vec![10, 0]),
        (5, vec![30, 20, 50], vec![2, 1, 2]),
        (0, vec![7, 7], vec![0, 0]),
        (3, vec![0, 3], vec![0, 3]),
        (3, vec![], vec![]),
        (3, vec![0], vec![0]),
    ] {
        let weights: Vec<_> = (1..).map(id).zip(weights).collect();
        assert_eq!(spread(amount, &weights), shares, "{amount} over {weights:?}");
    }
}

#[test]
fn a_percentage_is_rounded_once_from_a_half_on_upwards() {
    // 10 % of 45 yen is 4.5: 5. 9.975 % of 1,000: 99.75.
    for (base, millionths, minor) in [(45, 100_000, 5), (44, 100_000, 4), (1_000, 99_750, 100), (1, 1_000_000, 1), (i64::MAX, 1_000_000, i64::MAX)] {
        assert_eq!(percent(base, millionths), minor, "{millionths} of {base}");
    }
}

proptest! {
    #[test]
    fn shares_conserve_and_follow_the_lines(weights in prop::collection::vec(0_i64..1_000_000_000_000_000, 1..50), part in 0_u32..=1_000_000, turn in 0_usize..50) {
        let weights: Vec<_> = (0..).map(id).zip(weights).collect();
        let sum: i64 = weights.iter().map(|(_, weight)| *weight).sum();
        let amount = percent(sum, part);
        let shares = spread(amount, &weights);
        prop_assert_eq!(shares.iter().sum::<i64>(), amount);
        prop_assert!(shares.iter().zip(&weights).all(|(share, (_, weight))| (0..=*weight).contains(share)));
        let mut turned = weights.clone();
        turned.rotate_left(turn % weights.len());
        let mut expected = shares;
        expected.rotate_left(turn % weights.len());
        prop_assert_eq!(spread(amount, &turned), expected);
    }

    #[test]
    fn groups_spare_what_their_cheapest_pieces_cost(
        lines in prop::collection::vec((1_u32..=10, 1_i64..100_000), 1..20), buy in 1_u32..4, get in 1_u32..3, turn in 0_usize..20,
    ) {
        let effect = Effect::BuyGet { buy, get, millionths: 1_000_000 };
        // By hand: all pieces, the dearest first, in groups.
        let mut pieces: Vec<_> = lines.iter().flat_map(|(pieces, each)| std::iter::repeat_n(*each, *pieces as usize)).collect();
        pieces.sort_unstable_by(|one, other| other.cmp(one));
        let groups = pieces.chunks_exact((buy + get) as usize);
        let expected: i64 = groups.flat_map(|group| &group[buy as usize..]).sum();
        let given = shares(&effect, &lines).unwrap_or_else(|_| vec![0; lines.len()]);
        prop_assert_eq!(given.iter().sum::<i64>(), expected);
        prop_assert!(given.iter().zip(&lines).all(|(share, (pieces, each))| (0..=each * i64::from(*pieces)).contains(share)));
        let mut turned: Vec<_> = open(&lines).lines;
        turned.rotate_left(turn % lines.len());
        let turned = Open { lines: turned, ..open(&lines) };
        let mut again = vec![0; lines.len()];
        let _ = turned.reckon(&effect, ALL, turned.value(ALL), &mut again);
        let mut expected = given;
        expected.rotate_left(turn % lines.len());
        prop_assert_eq!(again, expected);
    }
}
