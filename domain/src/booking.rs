//! What staff book about stock: receipts, adjustments after a count, damage. Which of them can be, and which movement of the ledger each is.

use crate::stock::{Balance, Movement};

/// Most pieces in one booking: more is a slip of the finger.
pub const PIECES_MAX: u32 = 100_000;

/// One thing that somebody books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Booking {
    /// Pieces came in, with a delivery note or an order to the supplier.
    Receipt { pieces: u32, reference: String },
    /// The figure is wrong, and why.
    Adjustment { figure: Figure, reason: Reason, words: String },
    /// Free pieces that nobody can sell any more.
    Damage { pieces: u32, words: String },
}

/// How the right figure is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// So many pieces more, or fewer.
    Difference(i64),
    /// So many pieces lie on the shelf: free, held for orders, and sold ones that have not left yet.
    Counted(u32),
}

/// Why a figure is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Count,
    Found,
    Lost,
    Stolen,
    /// An earlier booking was wrong.
    Mistake,
    /// Anything else, which the words have to say.
    Other,
}

impl Reason {
    pub const ALL: [Self; 6] = [Self::Count, Self::Found, Self::Lost, Self::Stolen, Self::Mistake, Self::Other];

    /// The word in forms and in the ledger.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Found => "found",
            Self::Lost => "lost",
            Self::Stolen => "stolen",
            Self::Mistake => "mistake",
            Self::Other => "other",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// Why nothing was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookingRefused {
    /// The figure is the one in the books.
    #[error("nothing to book")]
    Nothing,
    /// More would be promised than is there. It can be booked by whoever means it.
    #[error("{free} would be free")]
    BelowZero { free: i64 },
    /// Only free pieces can be damaged: held and sold ones belong to orders.
    #[error("only {left} are free")]
    NotFree { left: i64 },
    #[error("the figure is too large")]
    Overflow,
}

impl Booking {
    /// The movement that this is, at a location with this balance in all its rows and so many sold pieces that have not left. `below_zero`:
    /// whoever books it was asked, and means it.
    pub fn movement(&self, balance: Balance, unshipped: u32, below_zero: bool) -> Result<Movement, BookingRefused> {
        let movement = match self {
            Self::Receipt { pieces, .. } => Movement::Receipt(*pieces),
            Self::Adjustment { figure: Figure::Difference(difference), .. } => Movement::Adjustment(*difference),
            Self::Adjustment { figure: Figure::Counted(counted), .. } => {
                Movement::Adjustment(i64::from(*counted) - balance.on_hand() - i64::from(unshipped))
            }
            Self::Damage { pieces, .. } if i64::from(*pieces) > balance.free => return Err(BookingRefused::NotFree { left: balance.free.max(0) }),
            Self::Damage { pieces, .. } => Movement::Damage(*pieces),
        };
        if movement.quantity() == 0 {
            return Err(BookingRefused::Nothing);
        }
        let after = balance.after(movement, false).map_err(|_| BookingRefused::Overflow)?;
        if after.free < 0 && after.free < balance.free && !below_zero {
            return Err(BookingRefused::BelowZero { free: after.free });
        }
        Ok(movement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjust(figure: Figure) -> Booking {
        Booking::Adjustment { figure, reason: Reason::Count, words: String::new() }
    }

    #[test]
    fn each_booking_is_a_movement_or_says_why_not() {
        let balance = Balance { free: 3, held: 2 };
        let receipt = Booking::Receipt { pieces: 5, reference: String::new() };
        let damage = |pieces| Booking::Damage { pieces, words: String::new() };
        for (booking, below_zero, expected) in [
            (receipt, false, Ok(Movement::Receipt(5))),
            (adjust(Figure::Difference(-3)), false, Ok(Movement::Adjustment(-3))),
            (adjust(Figure::Difference(-4)), false, Err(BookingRefused::BelowZero { free: -1 })),
            (adjust(Figure::Difference(-4)), true, Ok(Movement::Adjustment(-4))),
            (adjust(Figure::Difference(0)), true, Err(BookingRefused::Nothing)),
            // Three free, two held, four sold and still here: nine on the shelf.
            (adjust(Figure::Counted(9)), false, Err(BookingRefused::Nothing)),
            (adjust(Figure::Counted(10)), false, Ok(Movement::Adjustment(1))),
            (adjust(Figure::Counted(6)), false, Ok(Movement::Adjustment(-3))),
            (adjust(Figure::Counted(5)), false, Err(BookingRefused::BelowZero { free: -1 })),
            (damage(3), false, Ok(Movement::Damage(3))),
            (damage(4), true, Err(BookingRefused::NotFree { left: 3 })),
            (adjust(Figure::Difference(i64::MAX)), false, Err(BookingRefused::Overflow)),
        ] {
            assert_eq!(booking.movement(balance, 4, below_zero), expected, "{booking:?}");
        }
    }

    #[test]
    fn a_debt_can_be_made_smaller_without_asking() {
        let debt = Balance { free: -5, held: 0 };
        assert_eq!(adjust(Figure::Difference(2)).movement(debt, 0, false), Ok(Movement::Adjustment(2)));
        assert_eq!(adjust(Figure::Difference(-1)).movement(debt, 0, false), Err(BookingRefused::BelowZero { free: -6 }));
    }

    #[test]
    fn reasons_read_back() {
        assert!(Reason::ALL.into_iter().all(|reason| Reason::parse(reason.word()) == Some(reason)));
        assert_eq!(Reason::parse("whim"), None);
    }
}
