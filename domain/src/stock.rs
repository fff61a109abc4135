//! The arithmetic of the stock ledger: what each movement does to a balance, and from which rows an order's pieces are taken.
//! Who may move stock, and the conditional updates that decide races, live in the server.

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
        }
    }

    /// The figure in the ledger's `quantity`: positive but for an adjustment downwards.
    pub fn quantity(self) -> i64 {
        match self {
            Self::Adjustment(difference) => difference,
            Self::Receipt(n) | Self::Hold(n) | Self::Release(n) | Self::Sale(n) | Self::Return(n) | Self::Damage(n) => i64::from(n),
        }
    }

    /// What it adds to `free` and to `held`.
    pub fn effect(self) -> (i64, i64) {
        let n = self.quantity();
        match self {
            Self::Receipt(_) | Self::Adjustment(_) | Self::Return(_) => (n, 0),
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

    /// The balance after `movement`. A hold takes what is free and no more, unless the variant is sold on back-order.
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
        if next.free < 0 && matches!(movement, Movement::Hold(_) | Movement::Damage(_)) && !backorder {
            return Err(MovementRefused::NotFree { left: self.free.max(0) });
        }
        Ok(next)
    }
}

/// How `quantity` pieces are taken from rows with so many `free`, which stand in the market's order of preference: from the first row
/// that suffices alone, so that an order is one parcel; else from several in order. Pairs of row and pieces; `None` when all together
/// hold too few.
pub fn take(free: &[i64], quantity: u32) -> Option<Vec<(usize, u32)>> {
    let wanted = i64::from(quantity);
    if let Some(row) = free.iter().position(|free| *free >= wanted) {
        return Some(vec![(row, quantity)]);
    }
    let mut left = quantity;
    let mut taken = Vec::new();
    for (row, free) in free.iter().enumerate() {
        let here = u32::try_from(*free).unwrap_or(0).min(left);
        if here > 0 {
            taken.push((row, here));
            left -= here;
        }
    }
    (left == 0).then_some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_order_is_one_parcel_when_one_place_has_it_all() {
        for (free, quantity, expected) in [
            (&[5, 5][..], 3, Some(vec![(0, 3)])),
            (&[2, 5], 3, Some(vec![(1, 3)])),
            (&[2, 2], 3, Some(vec![(0, 2), (1, 1)])),
            (&[-4, 1, 0, 2], 3, Some(vec![(1, 1), (3, 2)])),
            (&[2, 0], 3, None),
            (&[], 1, None),
        ] {
            assert_eq!(take(free, quantity), expected, "{quantity} from {free:?}");
        }
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
        fn taking_takes_exactly_what_was_asked(free in proptest::collection::vec(-3_i64..9, 0..6), quantity in 1_u32..20) {
            let there: i64 = free.iter().filter(|free| **free > 0).sum();
            match take(&free, quantity) {
                Some(taken) => {
                    prop_assert_eq!(taken.iter().map(|(_, n)| n).sum::<u32>(), quantity);
                    for (row, n) in taken {
                        prop_assert!(n > 0 && i64::from(n) <= free[row]);
                    }
                }
                None => prop_assert!(there < i64::from(quantity)),
            }
        }
    }
}
