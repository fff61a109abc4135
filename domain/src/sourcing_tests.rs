//! Plans against examples, against all plans there are, and against what they promise.

use super::*;
use proptest::{collection::vec, prelude::*};

fn firm(quantities: &[u32]) -> Vec<Line> {
    quantities.iter().map(|quantity| Line { quantity: *quantity, backorder: false }).collect()
}

/// Place, line, pieces of each part, or line and what is left.
type Plain = Result<Vec<(usize, usize, u32)>, Vec<(usize, u32)>>;

fn parts(plan: Result<Vec<Part>, Vec<Short>>) -> Plain {
    plan.map(|parts| parts.iter().map(|part| (part.place, part.line, part.pieces)).collect())
        .map_err(|shorts| shorts.iter().map(|short| (short.line, short.left)).collect())
}

#[test]
fn an_order_is_one_parcel_when_one_place_has_it_all_and_as_few_as_can_be_otherwise() {
    type Case = (&'static str, Vec<u32>, Vec<Vec<u32>>, Plain);
    let cases: Vec<Case> = vec![
        ("the first place that has both", vec![2, 1], vec![vec![2, 0], vec![2, 1], vec![9, 9]], Ok(vec![(1, 0, 2), (1, 1, 1)])),
        ("a line alone would come from the first, the order does not", vec![1, 1], vec![vec![1, 0], vec![5, 5]], Ok(vec![(1, 0, 1), (1, 1, 1)])),
        ("two places, the preferred pair", vec![3, 1], vec![vec![3, 0], vec![0, 1], vec![0, 1]], Ok(vec![(0, 0, 3), (1, 1, 1)])),
        ("the second and third alone suffice as a pair", vec![4, 4], vec![vec![1, 1], vec![4, 0], vec![0, 4]], Ok(vec![(1, 0, 4), (2, 1, 4)])),
        ("one line from two places", vec![5], vec![vec![2], vec![4]], Ok(vec![(0, 0, 2), (1, 0, 3)])),
        ("too few together", vec![5, 1], vec![vec![2, 1], vec![2, 0]], Err(vec![(0, 4)])),
        ("no place at all", vec![1], vec![], Err(vec![(0, 0)])),
    ];
    for (name, wanted, there, expected) in cases {
        assert_eq!(parts(plan(&firm(&wanted), &there, Split::Allowed)), expected, "{name}");
    }
}

#[test]
fn a_market_that_splits_nothing_says_what_one_parcel_could_hold() {
    let there = vec![vec![1, 3], vec![2, 0]];
    assert_eq!(parts(plan(&firm(&[1, 2]), &there, Split::Never)), Ok(vec![(0, 0, 1), (0, 1, 2)]));
    assert_eq!(parts(plan(&firm(&[2, 2]), &there, Split::Never)), Err(vec![(0, 1)]), "the first place has three of the four");
    assert_eq!(parts(plan(&firm(&[2, 2]), &there, Split::Allowed)), Ok(vec![(0, 1, 2), (1, 0, 2)]));
    assert_eq!((left(&[1, 2], Split::Never), left(&[1, 2], Split::Allowed), left(&[], Split::Never)), (2, 3, 0));
}

#[test]
fn what_is_on_back_order_goes_with_the_rest_or_is_owed_by_the_first_place() {
    let line = |quantity, backorder| Line { quantity, backorder };
    let there = vec![vec![0, 1], vec![5, 1]];
    // Enough of it somewhere: nothing is owed.
    assert_eq!(plan(&[line(5, true)], &there, Split::Allowed), Ok(vec![Part { place: 1, line: 0, pieces: 5, owed: false }]));
    assert_eq!(plan(&[line(6, true)], &there, Split::Allowed), Ok(vec![Part { place: 0, line: 0, pieces: 6, owed: true }]));
    let both = plan(&[line(6, true), line(1, false)], &[vec![0, 0], vec![0, 1]], Split::Allowed);
    let expected = vec![Part { place: 1, line: 0, pieces: 6, owed: true }, Part { place: 1, line: 1, pieces: 1, owed: false }];
    assert_eq!(both, Ok(expected.clone()), "one parcel, from where the other line is");
    assert_eq!(plan(&[line(6, true), line(1, false)], &[vec![6, 0], vec![0, 1]], Split::Never), Ok(expected));
    assert_eq!(plan(&[line(6, true), line(9, false)], &there, Split::Allowed), Err(vec![Short { line: 1, left: 2 }]));
    assert_eq!(plan(&[line(6, true)], &[], Split::Allowed).map(|parts| parts.len()), Ok(1));
}

#[test]
fn safety_stock_is_never_sold_and_debts_are_nothing() {
    assert_eq!([sellable(5, 2), sellable(2, 2), sellable(1, 2), sellable(-4, 0), sellable(i64::MAX, 0)], [3, 0, 0, 0, u32::MAX]);
}

/// Lines (of any kind), and what each place has of them.
fn orders() -> impl Strategy<Value = (Vec<Line>, Vec<Vec<u32>>)> {
    (1_usize..4, 0_usize..5).prop_flat_map(|(lines, places)| {
        let line = (1_u32..6, prop::bool::weighted(0.2)).prop_map(|(quantity, backorder)| Line { quantity, backorder });
        (vec(line, lines), vec(vec(0_u32..6, lines), places))
    })
}

fn split() -> impl Strategy<Value = Split> {
    prop_oneof![Just(Split::Allowed), Just(Split::Never)]
}

/// The fewest places whose stock together covers all lines, by trying every set.
fn brute_force(lines: &[Line], there: &[Vec<u32>], split: Split) -> Option<u32> {
    (0..1_u32 << there.len())
        .filter(|set| {
            let has = |line: usize| there.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1).map(|(_, free)| free[line]).sum::<u32>();
            lines.iter().enumerate().all(|(at, line)| has(at) >= line.quantity)
        })
        .map(u32::count_ones)
        .filter(|parcels| split == Split::Allowed || *parcels <= 1)
        .min()
}

fn places_of(parts: &[Part]) -> std::collections::BTreeSet<usize> {
    parts.iter().map(|part| part.place).collect()
}

proptest! {
    #[test]
    fn a_plan_gives_what_was_wanted_and_takes_no_more_than_is_there((lines, there) in orders(), split in split()) {
        let Ok(parts) = plan(&lines, &there, split) else { return Ok(()) };
        prop_assert!(parts.is_sorted());
        for (at, line) in lines.iter().enumerate() {
            let of_line = || parts.iter().filter(|part| part.line == at);
            prop_assert_eq!(of_line().map(|part| part.pieces).sum::<u32>(), line.quantity);
            prop_assert!(of_line().all(|part| part.pieces > 0 && (!part.owed || line.backorder)));
            for (place, free) in there.iter().enumerate() {
                let taken: u32 = of_line().filter(|part| part.place == place && !part.owed).map(|part| part.pieces).sum();
                prop_assert!(taken <= free[at]);
            }
        }
        prop_assert!(split == Split::Allowed || places_of(&parts).len() <= 1);
    }

    #[test]
    fn the_fewest_parcels_are_found_whenever_there_are_any((lines, there) in orders(), split in split()) {
        let best = brute_force(&lines, &there, split);
        match plan(&lines, &there, split) {
            Ok(parts) if parts.iter().all(|part| !part.owed) => prop_assert_eq!(u32::try_from(places_of(&parts).len()).ok(), best),
            Ok(_) => prop_assert!(best.is_none(), "owed although it was there"),
            Err(_) => prop_assert!(best.is_none(), "refused although it was there"),
        }
    }

    #[test]
    fn the_order_of_the_lines_changes_nothing((lines, there) in orders(), split in split(), turn in 0_usize..4) {
        let from = |at: usize| (at + turn) % lines.len();
        let turned: Vec<Line> = (0..lines.len()).map(|at| lines[from(at)]).collect();
        let turned_there: Vec<Vec<u32>> = there.iter().map(|free| (0..lines.len()).map(|at| free[from(at)]).collect()).collect();
        let back = plan(&turned, &turned_there, split)
            .map(|parts| {
                let mut parts: Vec<Part> = parts.into_iter().map(|part| Part { line: from(part.line), ..part }).collect();
                parts.sort_unstable();
                parts
            })
            .map_err(|shorts| {
                let mut shorts: Vec<Short> = shorts.into_iter().map(|short| Short { line: from(short.line), ..short }).collect();
                shorts.sort_by_key(|short| short.line);
                shorts
            });
        prop_assert_eq!(back, plan(&lines, &there, split));
    }

    #[test]
    fn what_a_refusal_says_is_left_can_be_ordered((mut lines, there) in orders(), split in split()) {
        let Err(shorts) = plan(&lines, &there, split) else { return Ok(()) };
        prop_assert!(!shorts.is_empty());
        for short in shorts {
            prop_assert!(short.left < lines[short.line].quantity && !lines[short.line].backorder);
            lines[short.line].quantity = short.left;
        }
        prop_assert!(plan(&lines, &there, split).is_ok());
    }

    #[test]
    fn the_shop_shows_as_left_what_one_order_could_get(there in vec(vec(0_u32..6, 1), 0..5), split in split(), quantity in 1_u32..30) {
        let at_places: Vec<u32> = there.iter().map(|place| place[0]).collect();
        prop_assert_eq!(plan(&firm(&[quantity]), &there, split).is_ok(), quantity <= left(&at_places, split));
    }

    #[test]
    fn with_many_places_nothing_is_refused_that_is_there(there in vec(vec(0_u32..3, 2), 11..14), wanted in (1_u32..9, 1_u32..9)) {
        let lines = firm(&[wanted.0, wanted.1]);
        let covered = (0..2).all(|line| there.iter().map(|place| place[line]).sum::<u32>() >= lines[line].quantity);
        prop_assert_eq!(plan(&lines, &there, Split::Allowed).is_ok(), covered);
    }
}
