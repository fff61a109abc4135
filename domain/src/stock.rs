//! The arithmetic of the stock ledger: what each movement does to a balance, from which rows of a location pieces are taken,
//! and how a hot variant's lie in them. From which location they come is decided in [`crate::sourcing`]; who may move stock, and the conditional updates that decide races, live in the server.

use serde::{Deserialize, Serialize};

/// What the ledger of one row adds up to: `free + held = on hand`.
///
/// `free` below zero is a debt: pieces of a back-order variant that were sold before they came, or a count that found fewer pieces
/// than were promised. `held` is never below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What the next order may take.
    pub free: i64,
    /// What is kept for orders that are not paid yet.
    pub held: i64,
}

/// A row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "quantity", rename_all = "snake_case")]
pub enum Movement {
    /// Pieces came in.
    Receipt(u32),
    /// A count, or an import, says otherwise; always with a reason.
    Adjustment(i64),
    /// Pieces are kept for an order.
    Hold(u32),
    /// What was kept is free again.
    Release(u32),
    /// What was kept has been paid for and leaves.
    Sale(u32),
    /// A sold piece came back whole.
    Return(u32),
    /// A free piece is lost.
    Damage(u32),
    /// Free pieces go from one row of a location to another, or come from there: two rows of the ledger that sum to nothing.
    Transfer(i64),
}

impl Movement {
    /// The word in the ledger's `kind`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Receipt(_) => "receipt",
            Self::Adjustment(_) => "adjustment",
            Self::Hold(_) => "hold",
            Self::Release(_) => "release",
            Self::Sale(_) => "sale",
            Self::Return(_) => "return",
            Self::Damage(_) => "damage",
            Self::Transfer(_) => "transfer",
        }
    }

    /// The figure in the ledger's `quantity`: positive but for an adjustment downwards and a transfer to another row.
    pub fn quantity(self) -> i64 {
        match self {
            Self::Adjustment(difference) | Self::Transfer(difference) => difference,
            Self::Receipt(n) | Self::Hold(n) | Self::Release(n) | Self::Sale(n) | Self::Return(n) | Self::Damage(n) => i64::from(n),
        }
    }

    /// What it adds to `free` and to `held`.
    pub fn effect(self) -> (i64, i64) {
        let n = self.quantity();
        match self {
            Self::Receipt(_) | Self::Adjustment(_) | Self::Transfer(_) | Self::Return(_) => (n, 0),
            Self::Damage(_) => (-n, 0),
            Self::Hold(_) => (-n, n),
            Self::Release(_) => (n, -n),
            Self::Sale(_) => (0, -n),
        }
    }
}

/// Why a movement cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MovementRefused {
    #[error("only {left} are free")]
    NotFree { left: i64 },
    #[error("only {held} are held")]
    NotHeld { held: i64 },
    #[error("the figure is too large")]
    Overflow,
}

impl Balance {
    /// Pieces in the house.
    pub const fn on_hand(self) -> i64 {
        self.free + self.held
    }

    /// The balance after `movement`. A hold takes what is free and no more, unless the variant is sold on back-order;
    /// neither does a transfer.
    pub fn after(self, movement: Movement, backorder: bool) -> Result<Self, MovementRefused> {
        let (free, held) = movement.effect();
        let next = Self {
            free: self.free.checked_add(free).ok_or(MovementRefused::Overflow)?,
            held: self.held.checked_add(held).ok_or(MovementRefused::Overflow)?,
        };
        next.free.checked_add(next.held).ok_or(MovementRefused::Overflow)?;
        if next.held < 0 {
            return Err(MovementRefused::NotHeld { held: self.held });
        }
        let may_owe = match movement {
            Movement::Hold(_) => backorder,
            Movement::Damage(_) => false,
            Movement::Transfer(n) => n >= 0,
            _ => true,
        };
        if next.free < 0 && !may_owe {
            return Err(MovementRefused::NotFree { left: self.free.max(0) });
        }
        Ok(next)
    }
}

/// Pieces that are taken from one row of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Position among the rows.
    pub row: usize,
    pub pieces: u32,
    /// What must stay free in the row afterwards: its share of the pieces that are never sold online.
    pub keeps: i64,
}

/// Takes `pieces` from a location whose rows (bucket 0 first) have so many `free`, keeping `safety` back, in the first rows. Concurrent
/// buyers begin at different rows (`start`, any number): with the first one from there that suffices alone, else with several. `None` when
/// all rows together hold too few.
pub fn draw(free: &[i64], safety: u32, pieces: u32, start: usize) -> Option<Vec<Draw>> {
    let mut back = i64::from(safety);
    // What each row may give, and what it keeps; what a row lacks, the next one keeps in its stead.
    let rows: Vec<(u32, i64)> = free
        .iter()
        .map(|free| {
            let keeps = back;
            back = (keeps - free).max(0);
            (u32::try_from((free - keeps).max(0)).unwrap_or(u32::MAX), keeps)
        })
        .collect();
    let turned = || (0..rows.len()).map(|at| (at + start % rows.len().max(1)) % rows.len());
    if let Some(row) = turned().find(|row| rows[*row].0 >= pieces) {
        return Some(vec![Draw { row, pieces, keeps: rows[row].1 }]);
    }
    let mut draws = Vec::new();
    let mut missing = pieces;
    for row in turned() {
        let here = rows[row].0.min(missing);
        if here > 0 {
            draws.push(Draw { row, pieces: here, keeps: rows[row].1 });
            missing -= here;
        }
    }
    draws.sort_unstable_by_key(|draw| draw.row);
    (missing == 0).then_some(draws)
}

/// Below so many pieces a bucket, a location's stock lies in one row.
const PIECES_PER_BUCKET_MIN: i64 = 2;

/// How what is free at a location is best spread over `buckets` rows (bucket 0 first, with the pieces that are never sold online): evenly, or
/// all in bucket 0 when little is left. `None` when it lies well enough already: each move costs the buyers a conflict.
pub fn level(free: &[i64], safety: u32, buckets: usize) -> Option<Vec<i64>> {
    let total: i64 = free.iter().sum();
    let safety = i64::from(safety);
    let count = i64::try_from(buckets.max(1)).unwrap_or(i64::MAX);
    let is_little = count == 1 || (total - safety) / count < PIECES_PER_BUCKET_MIN;
    let share = if is_little { 0 } else { (total - safety) / count };
    let mut best = vec![0; free.len().max(if is_little { 1 } else { buckets })];
    if !is_little {
        best[1..buckets].fill(share);
    }
    best[0] = total - best[1..].iter().sum::<i64>();
    let is_well = (0..best.len()).all(|row| {
        let here = free.get(row).copied().unwrap_or(0);
        match row {
            0 => here >= safety.min(total) + share / 2,
            _ if best[row] == 0 => here == 0,
            _ => here >= share / 2,
        }
    });
    (!is_well).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_come_from_one_row_where_one_has_them_all() {
        let taken = |free: &[i64], safety, pieces, start| {
            draw(free, safety, pieces, start).map(|draws| draws.iter().map(|draw| (draw.row, draw.pieces, draw.keeps)).collect::<Vec<_>>())
        };
        assert_eq!(taken(&[5, 5], 0, 3, 0), Some(vec![(0, 3, 0)]));
        assert_eq!(taken(&[5, 5], 0, 3, 7), Some(vec![(1, 3, 0)]), "another buyer begins elsewhere");
        assert_eq!(taken(&[2, 2], 0, 3, 1), Some(vec![(0, 1, 0), (1, 2, 0)]));
        assert_eq!(taken(&[5, 5], 4, 3, 0), Some(vec![(1, 3, 0)]), "the first row keeps four of its five");
        assert_eq!(taken(&[1, 5], 4, 2, 0), Some(vec![(1, 2, 3)]), "what the first row lacks, the second keeps");
        assert_eq!(taken(&[-4, 7], 0, 3, 0), Some(vec![(1, 3, 4)]), "a debt is kept back like pieces");
        assert_eq!(taken(&[2, 0], 0, 3, 0), None);
        assert_eq!(taken(&[], 0, 1, 3), None);
    }

    #[test]
    fn much_is_spread_evenly_and_little_lies_together() {
        assert_eq!(level(&[100], 0, 4), Some(vec![25, 25, 25, 25]));
        assert_eq!(level(&[103], 2, 4), Some(vec![28, 25, 25, 25]), "what is kept back lies in the first row");
        assert_eq!(level(&[28, 25, 20, 13], 2, 4), None, "not worth a move");
        assert_eq!(level(&[28, 25, 20, 3], 2, 4), Some(vec![22, 18, 18, 18]));
        assert_eq!(level(&[3, 0, 3, 1], 0, 4), Some(vec![7, 0, 0, 0]), "too few for four rows");
        assert_eq!(level(&[7, 0, 0, 0], 0, 4), None);
        assert_eq!(level(&[40, 40], 0, 1), Some(vec![80, 0]), "one row is asked for");
        assert_eq!((level(&[], 0, 4), level(&[-5], 0, 4)), (None, None));
    }

    #[test]
    fn what_is_not_there_cannot_be_held_sold_or_lost() {
        let balance = Balance { free: 2, held: 1 };
        assert_eq!(balance.after(Movement::Hold(3), false), Err(MovementRefused::NotFree { left: 2 }));
        assert_eq!(balance.after(Movement::Hold(3), true), Ok(Balance { free: -1, held: 4 }));
        assert_eq!(balance.after(Movement::Sale(2), false), Err(MovementRefused::NotHeld { held: 1 }));
        assert_eq!(balance.after(Movement::Release(2), false), Err(MovementRefused::NotHeld { held: 1 }));
        assert_eq!(balance.after(Movement::Damage(3), false), Err(MovementRefused::NotFree { left: 2 }));
        assert_eq!(balance.after(Movement::Adjustment(-3), false), Ok(Balance { free: -1, held: 1 }));
        assert_eq!(Balance { free: i64::MAX, held: 0 }.after(Movement::Receipt(1), false), Err(MovementRefused::Overflow));
    }

    fn movement() -> impl Strategy<Value = Movement> {
        prop_oneof![
            (0_u32..50).prop_map(Movement::Receipt),
            (-20_i64..20).prop_map(Movement::Adjustment),
            (1_u32..20).prop_map(Movement::Hold),
            (1_u32..20).prop_map(Movement::Release),
            (1_u32..20).prop_map(Movement::Sale),
            (1_u32..5).prop_map(Movement::Return),
            (1_u32..5).prop_map(Movement::Damage),
            (-5_i64..5).prop_map(Movement::Transfer),
        ]
    }

    proptest! {
        #[test]
        fn the_balance_is_the_sum_of_its_ledger(movements in proptest::collection::vec(movement(), 0..60)) {
            let mut balance = Balance::default();
            let mut on_hand = 0_i64;
            for movement in movements {
                let before = balance;
                if let Ok(next) = balance.after(movement, false) {
                    on_hand += match movement {
                        Movement::Hold(_) | Movement::Release(_) => 0,
                        Movement::Sale(n) | Movement::Damage(n) => -i64::from(n),
                        other => other.quantity(),
                    };
                    balance = next;
                } else {
                    prop_assert_eq!(balance, before);
                }
                prop_assert!(balance.held >= 0);
                prop_assert_eq!(balance.on_hand(), on_hand);
            }
        }

        #[test]
        fn drawing_takes_exactly_what_was_asked_and_keeps_what_is_kept_back(
            free in proptest::collection::vec(0_i64..9, 0..6), debt in 0_i64..4, safety in 0_u32..6, pieces in 1_u32..20, start in 0_usize..9,
        ) {
            let mut free = free;
            if let Some(first) = free.first_mut() {
                *first -= debt;
            }
            let there = free.iter().sum::<i64>() - i64::from(safety);
            match draw(&free, safety, pieces, start) {
                Some(draws) => {
                    prop_assert_eq!(draws.iter().map(|draw| draw.pieces).sum::<u32>(), pieces);
                    prop_assert!(there >= i64::from(pieces));
                    prop_assert!(draws.is_sorted_by_key(|draw| draw.row));
                    prop_assert!(draws.iter().all(|draw| draw.pieces > 0 && free[draw.row] - i64::from(draw.pieces) >= draw.keeps));
                }
                None => prop_assert!(there < i64::from(pieces)),
            }
        }

        #[test]
        fn levelling_moves_pieces_and_makes_none(
            free in proptest::collection::vec(0_i64..60, 0..20), debt in 0_i64..9, safety in 0_u32..9, buckets in 0_usize..20,
        ) {
            let mut free = free;
            if let Some(first) = free.first_mut() {
                *first -= debt;
            }
            let Some(best) = level(&free, safety, buckets) else { return Ok(()) };
            prop_assert_eq!(best.iter().sum::<i64>(), free.iter().sum::<i64>());
            prop_assert!(best.iter().skip(1).all(|bucket| *bucket >= 0));
            prop_assert!(best[1..].iter().all(|bucket| *bucket == 0) || best[0] >= i64::from(safety));
            prop_assert_eq!(level(&best, safety, buckets), None, "once is enough");
        }
    }
}
