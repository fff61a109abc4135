//! The cart: lines by variant, limits, and the memory of wishes that makes a double click and a retry one change. Prices are not
//! in here: a cart is priced by the offer whenever it is shown.

use crate::{
    coupon::Code,
    ids::{CartId, MutationId, OrderId, ProductId, VariantId},
    offer::Instant,
};
use serde::{Deserialize, Serialize};

/// How many pieces of one variant: 1 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u32);

impl Quantity {
    /// Ten of one thing is a household; more is a trade order, which people settle by writing to us.
    pub const MAX: Self = Self(10);
    pub const ONE: Self = Self(1);

    /// `None` for 0 and above the limit.
    pub const fn new(pieces: u32) -> Option<Self> {
        if pieces >= 1 && pieces <= Self::MAX.0 { Some(Self(pieces)) } else { None }
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;
    fn try_from(pieces: u32) -> Result<Self, Self::Error> {
        Self::new(pieces).ok_or(QuantityError)
    }
}
impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

/// Not between 1 and [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is between 1 and 10")]
pub struct QuantityError;

/// One line: a variant and how many of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub product: ProductId,
    pub variant: VariantId,
    pub quantity: Quantity,
    pub added_at: Instant,
}

/// What a visitor means to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    pub id: CartId,
    /// Grows with each change of the lines or the code; an order names the version that it bought.
    pub version: u64,
    /// In the order in which they came; one a variant.
    pub lines: Vec<Line>,
    /// The discount code that was typed and taken. What it gives is asked anew whenever the cart is priced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<Code>,
    /// The latest wishes, newest last.
    #[serde(default)]
    pub wishes: Vec<Wish>,
    /// The latest orders whose paid pieces were taken out: being told twice takes them out once.
    #[serde(default)]
    pub settled: Vec<OrderId>,
    pub updated_at: Instant,
}

/// A change that was carried out, remembered so that the same wish is not carried out twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub id: MutationId,
    pub change: Change,
    pub at: Instant,
    /// The cart's version with this change in it.
    #[serde(default)]
    pub version: u64,
}

/// What a visitor may do to a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// More of a variant, on top of what is there.
    Add {
        product: ProductId,
        variant: VariantId,
        quantity: Quantity,
    },
    /// Exactly so many of a variant that is there.
    Set {
        variant: VariantId,
        quantity: Quantity,
    },
    Remove {
        variant: VariantId,
    },
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The cart is different now.
    Done,
    /// It went up to the line's limit, not further.
    Limited,
    /// It was carried out before, or there was nothing to do.
    Already,
}

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    #[error("a cart holds at most {} different things", Cart::LINES_MAX)]
    Full,
    #[error("this line is at its limit of {} pieces", Quantity::MAX.0)]
    LineFull,
    #[error("this is not in the cart any more")]
    NoSuchLine,
}

/// The same id with the same payload is a double click for so long (10 s).
const SAME_WISH_US: Instant = 10 * 1_000_000;
/// More wishes than a person has while one answer is on its way; the oldest are forgotten.
const WISHES_MAX: usize = 32;
/// More orders than one cart sees in the 30 days that it is kept; the oldest are forgotten.
const SETTLED_MAX: usize = 32;

impl Cart {
    /// So that one page shows it, one request reads it (100 live items at once) and an item stays far below 400 KB.
    pub const LINES_MAX: usize = 50;

    pub const fn new(id: CartId, now: Instant) -> Self {
        Self { id, version: 0, lines: Vec::new(), coupon: None, wishes: Vec::new(), settled: Vec::new(), updated_at: now }
    }

    /// Carries out a wish of somebody who has seen the cart in version `seen`, or says why not. A refusal changes nothing.
    ///
    /// The same id with the same payload is the same wish when it comes within ten seconds, and, however late, from somebody whom no
    /// answer has told of the first: an edge that asks a second region, a reload after an error. Once it was seen, the form that the back
    /// button brings up means one more.
    pub fn apply(&mut self, wish: MutationId, change: Change, seen: Option<u64>, now: Instant) -> Result<Changed, CartError> {
        let is_unseen = |done: &Wish| seen.is_some_and(|seen| seen < done.version);
        let is_same = |done: &Wish| done.id == wish && done.change == change;
        if self.wishes.iter().any(|done| is_same(done) && (now.saturating_sub(done.at) <= SAME_WISH_US || is_unseen(done))) {
            return Ok(Changed::Already);
        }
        let changed = self.change(change, now)?;
        if changed != Changed::Already {
            self.touch(now);
        }
        self.wishes.push(Wish { id: wish, change, at: now, version: self.version });
        let surplus = self.wishes.len().saturating_sub(WISHES_MAX);
        self.wishes.drain(..surplus);
        Ok(changed)
    }

    /// Puts a code in, in the place of the one before, or takes it out. Whether that changed anything.
    pub fn set_coupon(&mut self, code: Option<Code>, now: Instant) -> bool {
        if self.coupon == code {
            return false;
        }
        self.coupon = code;
        self.touch(now);
        true
    }

    /// Takes out what an order paid for: so many of each line go, what was added since stays. The code that it redeemed goes as well,
    /// found by its key. Whether anything was left to do.
    pub fn settle(&mut self, order: OrderId, paid: &[(VariantId, u32)], redeemed: Option<&str>, now: Instant) -> bool {
        if self.settled.contains(&order) {
            return false;
        }
        for (variant, pieces) in paid {
            if let Some(at) = self.lines.iter().position(|line| line.variant == *variant) {
                match Quantity::new(self.lines[at].quantity.get().saturating_sub(*pieces)) {
                    Some(left) => self.lines[at].quantity = left,
                    None => drop(self.lines.remove(at)),
                }
            }
        }
        if self.coupon.as_ref().is_some_and(|code| Some(code.key()) == redeemed) {
            self.coupon = None;
        }
        self.settled.push(order);
        let surplus = self.settled.len().saturating_sub(SETTLED_MAX);
        self.settled.drain(..surplus);
        self.touch(now);
        true
    }

    /// Pieces in all: the badge's figure.
    pub fn pieces(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity.get()).sum()
    }

    pub fn line(&self, variant: VariantId) -> Option<&Line> {
        self.lines.iter().find(|line| line.variant == variant)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn change(&mut self, change: Change, now: Instant) -> Result<Changed, CartError> {
        let is_full = self.lines.len() >= Self::LINES_MAX;
        match change {
            Change::Add { product, variant, quantity } => match self.lines.iter_mut().find(|line| line.variant == variant) {
                Some(line) if line.quantity == Quantity::MAX => Err(CartError::LineFull),
                Some(line) => {
                    let wanted = line.quantity.get() + quantity.get();
                    line.quantity = Quantity::new(wanted).unwrap_or(Quantity::MAX);
                    Ok(if wanted > Quantity::MAX.get() { Changed::Limited } else { Changed::Done })
                }
                None if is_full => Err(CartError::Full),
                None => {
                    self.lines.push(Line { product, variant, quantity, added_at: now });
                    Ok(Changed::Done)
                }
            },
            Change::Set { variant, quantity } => {
                let line = self.lines.iter_mut().find(|line| line.variant == variant).ok_or(CartError::NoSuchLine)?;
                let same = line.quantity == quantity;
                line.quantity = quantity;
                Ok(if same { Changed::Already } else { Changed::Done })
            }
            Change::Remove { variant } => {
                let before = self.lines.len();
                self.lines.retain(|line| line.variant != variant);
                Ok(if self.lines.len() == before { Changed::Already } else { Changed::Done })
            }
        }
    }

    const fn touch(&mut self, now: Instant) {
        self.version += 1;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const SECOND: Instant = 1_000_000;

    fn cart() -> Cart {
        Cart::new(CartId(Uuid::from_u128(1)), 0)
    }
    fn add(n: u128, pieces: u32) -> Change {
        Change::Add {
            product: ProductId(Uuid::from_u128(n)),
            variant: VariantId(Uuid::from_u128(n)),
            quantity: Quantity::new(pieces).expect("in range"),
        }
    }
    fn wish(n: u128) -> MutationId {
        MutationId(Uuid::from_u128(n))
    }

    #[test]
    fn a_double_click_is_one_line_and_the_back_button_later_is_a_new_wish() {
        let mut cart = cart();
        assert_eq!(cart.apply(wish(1), add(7, 1), None, 0), Ok(Changed::Done));
        assert_eq!(cart.apply(wish(1), add(7, 1), None, 10 * SECOND), Ok(Changed::Already));
        assert_eq!((cart.pieces(), cart.version), (1, 1));
        assert_eq!(cart.apply(wish(1), add(7, 2), None, 10 * SECOND), Ok(Changed::Done), "the same id with another payload is another wish");
        assert_eq!(cart.apply(wish(1), add(7, 1), None, 11 * SECOND + 10 * SECOND), Ok(Changed::Done));
        assert_eq!((cart.pieces(), cart.version, cart.lines.len()), (4, 3, 1));
    }

    #[test]
    fn a_repeat_of_what_nobody_was_told_of_counts_once_however_late_it_comes() {
        let mut cart = cart();
        assert_eq!(cart.apply(wish(1), add(1, 1), None, 0), Ok(Changed::Done));
        assert_eq!(cart.apply(wish(2), add(7, 1), Some(1), 0), Ok(Changed::Done));
        assert_eq!(cart.apply(wish(2), add(7, 1), Some(1), 3_600 * SECOND), Ok(Changed::Already), "they saw one piece, and still do");
        assert_eq!(cart.apply(wish(2), add(7, 1), Some(2), 3_600 * SECOND), Ok(Changed::Done), "they saw two, went back, and want three");
        assert_eq!((cart.pieces(), cart.version), (3, 3));
    }

    #[test]
    fn a_cart_line_stops_at_its_limit() {
        let mut cart = cart();
        assert_eq!(cart.apply(wish(1), add(7, 8), None, 0), Ok(Changed::Done));
        assert_eq!(cart.apply(wish(2), add(7, 8), None, 0), Ok(Changed::Limited));
        assert_eq!(cart.apply(wish(3), add(7, 1), None, 0), Err(CartError::LineFull));
        assert_eq!((cart.pieces(), cart.version), (10, 2));
    }

    #[test]
    fn a_cart_stops_at_fifty_lines() {
        let mut cart = cart();
        for n in 0..50 {
            assert_eq!(cart.apply(wish(n), add(n, 1), None, 0), Ok(Changed::Done));
        }
        assert_eq!(cart.apply(wish(99), add(99, 1), None, 0), Err(CartError::Full));
        assert_eq!(cart.apply(wish(98), add(3, 1), None, 0), Ok(Changed::Done), "a line that is there may still grow");
    }

    #[test]
    fn what_was_added_while_paying_stays() {
        let mut cart = cart();
        cart.apply(wish(1), add(1, 2), None, 0).expect("added");
        cart.apply(wish(2), add(2, 1), None, 0).expect("added");
        let paid: Vec<_> = cart.lines.iter().map(|line| (line.variant, line.quantity.get())).collect();
        cart.apply(wish(3), add(1, 1), None, 0).expect("added");
        let order = OrderId(Uuid::from_u128(1));
        assert!(cart.set_coupon("NEWER".parse().ok(), 4));
        assert!(cart.settle(order, &paid, Some("0RDERED"), 5));
        assert_eq!(cart.coupon.as_ref().map(Code::as_str), Some("NEWER"), "a code that came since stays as well");
        assert_eq!((cart.pieces(), cart.lines.len()), (1, 1));
        assert!(!cart.settle(order, &paid, None, 6), "the same news again changes nothing");
        assert_eq!((cart.pieces(), cart.version), (1, 5));
    }

    #[test]
    fn a_code_goes_with_the_order_that_redeemed_it() {
        let mut cart = cart();
        let code: Option<Code> = "Welcome-10".parse().ok();
        assert!(cart.set_coupon(code.clone(), 1) && !cart.set_coupon(code, 2), "the same again changes nothing");
        assert_eq!(cart.version, 1);
        assert!(cart.settle(OrderId(Uuid::from_u128(1)), &[], Some("WE1C0ME10"), 3));
        assert_eq!((cart.coupon, cart.version), (None, 2));
    }

    #[test]
    fn a_line_that_is_gone_cannot_be_set() {
        let mut cart = cart();
        let variant = VariantId(Uuid::from_u128(1));
        assert_eq!(cart.apply(wish(1), Change::Set { variant, quantity: Quantity::ONE }, None, 0), Err(CartError::NoSuchLine));
        assert_eq!(cart.apply(wish(2), Change::Remove { variant }, None, 0), Ok(Changed::Already));
        assert_eq!(cart.version, 0);
    }

    proptest! {
        #[test]
        fn limits_and_versions_hold_whatever_is_wished(changes in prop::collection::vec((0_u128..60, 0_u8..3, 1_u32..=10, 0_i64..30), 0..120)) {
            let mut cart = cart();
            let mut now = 0;
            for (i, (n, kind, pieces, wait)) in changes.into_iter().enumerate() {
                now += wait * SECOND;
                let variant = VariantId(Uuid::from_u128(n));
                let quantity = Quantity::new(pieces).expect("in range");
                let change = match kind { 0 => add(n, pieces), 1 => Change::Set { variant, quantity }, _ => Change::Remove { variant } };
                let (before, version) = (cart.lines.clone(), cart.version);
                let outcome = cart.apply(wish(i as u128), change, None, now);
                let changed = before != cart.lines;
                prop_assert_eq!(changed, matches!(outcome, Ok(Changed::Done | Changed::Limited)));
                prop_assert_eq!(cart.version, version + u64::from(changed));
                prop_assert!(cart.lines.len() <= Cart::LINES_MAX);
                prop_assert!(cart.wishes.len() <= WISHES_MAX);
            }
        }
    }
}
