//! Returns: what comes back, why, and what becomes of it.

use super::{By, CannotRefund, Line, NoSuchPieces, Order, Portion, Tally, return_days, return_label};
use crate::{
    event::Event,
    ids::{ProductId, RefundId, ReturnId, VariantId},
    money::Money,
    offer::Instant,
    refund::RefundReason,
};
use serde::{Deserialize, Serialize};

/// Pieces that a shopper sends back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub id: ReturnId,
    pub by: By,
    pub requested_at: Instant,
    pub items: Vec<ReturnItem>,
    pub state: ReturnState,
}

/// Some pieces of a line that come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnItem {
    pub line: u32,
    pub quantity: u32,
    pub reason: ReturnReason,
    pub resolution: Resolution,
}

/// Why something comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    ChangedMind,
    TooSmall,
    TooLarge,
    NotAsDescribed,
    Faulty,
    WrongItem,
    Late,
    Other,
}

impl ReturnReason {
    pub const ALL: [Self; 8] =
        [Self::ChangedMind, Self::TooSmall, Self::TooLarge, Self::NotAsDescribed, Self::Faulty, Self::WrongItem, Self::Late, Self::Other];

    /// The word in forms and tables.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChangedMind => "changed_mind",
            Self::TooSmall => "too_small",
            Self::TooLarge => "too_large",
            Self::NotAsDescribed => "not_as_described",
            Self::Faulty => "faulty",
            Self::WrongItem => "wrong_item",
            Self::Late => "late",
            Self::Other => "other",
        }
    }

    /// Reads the word in forms and tables.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// What the shopper gets for what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resolution", rename_all = "snake_case")]
pub enum Resolution {
    Refund,
    /// Another variant of the same product at the same price.
    Exchange {
        product: ProductId,
        variant: VariantId,
    },
}

/// Where a return is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReturnState {
    /// Announced: the parcel is awaited.
    Requested,
    /// Looked at: what came, what became of it, what was kept back, what of the delivery charge went back.
    Received {
        at: Instant,
        receipts: Vec<Receipt>,
        kept_back: Money,
        delivery: Money,
        refund: Option<RefundId>,
    },
    Refused {
        at: Instant,
        why: String,
    },
    /// The shopper keeps the pieces after all, or the parcel never came.
    Cancelled {
        at: Instant,
    },
}

/// So many pieces of a line came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub line: u32,
    pub quantity: u32,
    pub restock: Restock,
    /// Whether a replacement was taken from the stock for these: then their value is not refunded.
    pub exchanged: bool,
}

/// What becomes of a piece that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restock {
    /// As new: back on the shelf.
    Shelf,
    /// Not fit to be sold.
    Discard,
}

/// Why nothing comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotReturn {
    /// Nothing is out there that could come back.
    #[error("nothing was sent, or everything came back already")]
    NothingSent,
    /// The time for sending back ended then.
    #[error("the time for returns is over")]
    TooLate { since: Instant },
    #[error(transparent)]
    Pieces(#[from] NoSuchPieces),
    #[error("no such return, or it is decided already")]
    NotOpen,
    #[error("more would be kept back than the pieces are worth")]
    KeptBack,
    #[error("more of the delivery charge would go back than was paid")]
    Delivery,
    /// There is no money of it left that could go back; staff may still take things.
    #[error("the payment was charged back")]
    ChargedBack,
    #[error(transparent)]
    Refund(#[from] CannotRefund),
}

impl ReturnState {
    /// The word in the table's `state`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Received { .. } => "received",
            Self::Refused { .. } => "refused",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl Return {
    /// Whether the shopper may call it off: announced by themselves, and not decided. Staff call off any that is not decided.
    pub fn can_be_called_off(&self) -> bool {
        self.by == By::Shopper && self.state == ReturnState::Requested
    }

    /// The refund that it led to, if money goes back for it.
    pub const fn refund(&self) -> Option<RefundId> {
        match &self.state {
            ReturnState::Received { refund, .. } => *refund,
            ReturnState::Requested | ReturnState::Refused { .. } | ReturnState::Cancelled { .. } => None,
        }
    }

    /// What of the delivery charge went back with it, in minor units of the order's currency.
    pub const fn delivery_minor(&self) -> i64 {
        match &self.state {
            ReturnState::Received { delivery, .. } => delivery.minor,
            ReturnState::Requested | ReturnState::Refused { .. } | ReturnState::Cancelled { .. } => 0,
        }
    }
}

impl Order {
    /// Until when the shopper may announce a return: days after the delivery of the last parcel; `None` while something is on its way.
    pub fn returnable_until(&self) -> Option<Instant> {
        let mut last = None;
        for fulfilment in &self.fulfilments {
            match &fulfilment.state {
                super::FulfilmentState::Delivered { at, .. } => last = last.max(Some(*at)),
                super::FulfilmentState::Packing { .. } | super::FulfilmentState::Shipped { .. } => return None,
            }
        }
        last.map(|at| at.saturating_add(return_days(self.market) * 24 * 3_600 * 1_000_000))
    }

    /// What the label for these pieces costs the shopper: it is kept back from what goes back for them, and is never more than that.
    pub fn label_due(&self, items: &[ReturnItem]) -> Money {
        let label = return_label(self.market, items, self.total);
        Money::new(label.minor.min(self.value_of_refunded(items)), label.currency)
    }

    /// What will go back if all of an announced or planned return comes: the value of what is not exchanged, delivery where the law says so,
    /// less the label. What goodwill has given back already is not given twice.
    pub fn return_value(&self, items: &[ReturnItem]) -> Money {
        let receipts: Vec<Receipt> = items
            .iter()
            .map(|item| Receipt {
                line: item.line,
                quantity: item.quantity,
                restock: Restock::Shelf,
                exchanged: item.resolution != Resolution::Refund,
            })
            .collect();
        let due = self.value_of_refunded(items) - self.label_due(items).minor + self.delivery_due(&receipts).minor;
        Money::new(due.min(self.refundable().minor), self.total.currency)
    }

    fn value_of_refunded(&self, items: &[ReturnItem]) -> i64 {
        let refunded = items.iter().filter(|item| item.resolution == Resolution::Refund);
        self.value(&refunded.map(|item| Portion { line: item.line, quantity: item.quantity }).collect::<Vec<_>>()).minor
    }

    /// Whether the shopper may announce a return now.
    pub fn can_return(&self, by: By, now: Instant) -> Result<(), CannotReturn> {
        if self.portions(Tally::returnable).is_empty() {
            return Err(CannotReturn::NothingSent);
        }
        if self.is_disputed() {
            return Err(CannotRefund::Disputed.into());
        }
        if by == By::Shopper && self.is_charged_back() {
            return Err(CannotReturn::ChargedBack);
        }
        match self.returnable_until() {
            Some(since) if by == By::Shopper && now >= since => Err(CannotReturn::TooLate { since }),
            _ => Ok(()),
        }
    }

    /// Announces a return. Staff may do so at any time.
    pub fn request_return(mut self, id: ReturnId, items: Vec<ReturnItem>, by: By, now: Instant) -> Result<(Self, Vec<Event>), CannotReturn> {
        self.can_return(by, now)?;
        let items: Vec<ReturnItem> = items.into_iter().filter(|item| item.quantity > 0).collect();
        let portions: Vec<Portion> = items.iter().map(|item| Portion { line: item.line, quantity: item.quantity }).collect();
        self.check(&portions, Tally::returnable)?;
        self.returns.push(Return { id, by, requested_at: now, items, state: ReturnState::Requested });
        let order = self.id;
        Ok((self, vec![Event::ReturnRequested { order, return_id: id }]))
    }

    /// What of the delivery charge goes back by law if these pieces come back too: all of it when nothing of the order stays with the shopper
    /// (Directive 2011/83/EU, article 13), else nothing.
    pub fn delivery_due(&self, receipts: &[Receipt]) -> Money {
        let stays = |line: &Line| {
            let tally = self.tally(line.line);
            let coming: u32 = receipts.iter().filter(|receipt| receipt.line == line.line).map(|receipt| receipt.quantity).sum();
            tally.ordered.saturating_sub(tally.cancelled + tally.returned + coming) > 0
        };
        let nothing_stays = receipts.iter().all(|receipt| !receipt.exchanged) && !self.lines.iter().any(stays);
        if nothing_stays { self.delivery_left() } else { Money::zero(self.total.currency) }
    }

    /// Takes what came back of an announced return and asks for the money: the pieces' value, less what is kept back, with `delivery`.
    /// Pieces marked as exchanged become new lines of this order at the same amount; the caller has taken the replacements from the stock.
    pub fn receive_return(
        mut self,
        id: ReturnId,
        receipts: Vec<Receipt>,
        kept_back: Money,
        delivery: Money,
        refund: RefundId,
        now: Instant,
    ) -> Result<(Self, Vec<Event>), CannotReturn> {
        let known = self.returns.iter().position(|back| back.id == id && back.state == ReturnState::Requested).ok_or(CannotReturn::NotOpen)?;
        if self.is_disputed() {
            return Err(CannotRefund::Disputed.into());
        }
        let announced = self.returns[known].items.clone();
        let receipts: Vec<Receipt> = receipts.into_iter().filter(|receipt| receipt.quantity > 0).collect();
        let portion = |receipt: &Receipt| Portion { line: receipt.line, quantity: receipt.quantity };
        let mut per_line: Vec<Portion> = Vec::new();
        for receipt in &receipts {
            match per_line.iter_mut().find(|portion| portion.line == receipt.line) {
                Some(portion) => portion.quantity += receipt.quantity,
                None => per_line.push(portion(receipt)),
            }
        }
        for Portion { line, quantity } in &per_line {
            let left = announced.iter().filter(|item| item.line == *line).map(|item| item.quantity).sum();
            if *quantity > left {
                return Err(NoSuchPieces::TooMany { line: *line, left }.into());
            }
        }
        if per_line.is_empty() {
            return Err(NoSuchPieces::None.into());
        }
        let replaced = self.replacements(id, &announced, &receipts);
        let value = self.value(&per_line);
        let exchanged: i64 = replaced.iter().map(|line| line.amount.minor).sum();
        let money_back = value.minor - exchanged;
        if kept_back.minor < 0 || kept_back.minor > money_back {
            return Err(CannotReturn::KeptBack);
        }
        if delivery.minor < 0 || delivery.minor > self.delivery_left().minor {
            return Err(CannotReturn::Delivery);
        }
        let due = Money::new(money_back - kept_back.minor + delivery.minor, self.total.currency);
        let refund = if due.minor > 0 { self.owe(refund, due, RefundReason::Returned)? } else { None };
        self.lines.extend(replaced);
        self.returns[known].state = ReturnState::Received { at: now, receipts, kept_back, delivery, refund };
        let order = self.id;
        Ok((self, vec![Event::ReturnReceived { order, return_id: id }]))
    }

    /// The new lines that replace exchanged pieces.
    fn replacements(&self, id: ReturnId, announced: &[ReturnItem], receipts: &[Receipt]) -> Vec<Line> {
        let mut next = self.lines.iter().map(|line| line.line + 1).max().unwrap_or(0);
        let mut lines: Vec<Line> = Vec::new();
        let mut before: Vec<Portion> = Vec::new();
        for receipt in receipts {
            let earlier = before.iter().filter(|portion| portion.line == receipt.line).map(|portion| portion.quantity).sum::<u32>();
            before.push(Portion { line: receipt.line, quantity: receipt.quantity });
            let wanted = announced.iter().find_map(|item| match item.resolution {
                Resolution::Exchange { product, variant } if item.line == receipt.line && receipt.exchanged => Some((product, variant)),
                _ => None,
            });
            if let Some((product, variant)) = wanted {
                let upto = |quantity| self.value(&[Portion { line: receipt.line, quantity }]).minor;
                let amount = Money::new(upto(earlier + receipt.quantity) - upto(earlier), self.total.currency);
                lines.push(Line { line: next, product, variant, quantity: receipt.quantity, amount, replaces: Some(id) });
                next += 1;
            }
        }
        lines
    }

    /// Refuses an announced return, with a reason for the shopper.
    pub fn refuse_return(self, id: ReturnId, why: String, now: Instant) -> Result<(Self, Vec<Event>), CannotReturn> {
        let order = self.id;
        let after = self.end_return(id, ReturnState::Refused { at: now, why })?;
        Ok((after, vec![Event::ReturnRefused { order, return_id: id }]))
    }

    /// Ends an announced return: the pieces stay where they are. No event: nothing follows but a mail, which
    /// is queued with it.
    pub fn cancel_return(self, id: ReturnId, now: Instant) -> Result<Self, CannotReturn> {
        self.end_return(id, ReturnState::Cancelled { at: now })
    }

    fn end_return(mut self, id: ReturnId, state: ReturnState) -> Result<Self, CannotReturn> {
        let back = self.returns.iter_mut().find(|back| back.id == id && back.state == ReturnState::Requested).ok_or(CannotReturn::NotOpen)?;
        back.state = state;
        Ok(self)
    }
}
