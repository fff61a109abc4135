//! Why nothing was done about an order, in sentences that say what to do.
//!
//! Some of these no form of staff can reach: pieces of an unpaid order (`CannotCancel::NotPaid`: its form names none), what only shoppers are
//! refused (`ChargedBack` when cancelling and returning, `TooLate`), pieces beside the order's (`NoSuchPieces::Line` and `Twice`: forms are
//! read along its lines), amounts that are nothing or in another currency (`CannotRefund::NotPositive` and `Reckoning`: the form is read
//! first, in the order's currency), and a hold that has not lapsed (`CannotEnd::TooEarly`: only time ends one). They have sentences all the
//! same: the rules are `domain`'s, and whoever makes a form that reaches one finds it told. Tests of `domain::order` hold them:
//! `pieces_of_an_order_that_is_not_paid_are_not_cancelled_one_by_one`, `a_shopper_cannot_cancel_or_return_what_the_bank_has_paid_back`,
//! `returns_have_an_end_for_shoppers_and_none_for_staff`, `shipments_refuse_what_is_not_there`, `refunds_stop_at_what_was_captured` and
//! `pieces_are_not_given_away_while_money_may_come`.

use crate::{http::ops::OTHER_WORDS, mail::CannotResend, orders::ChangeError};
use app::{
    i18n::money,
    staff::{
        order::{Act, LineName},
        orders::english,
    },
};
use domain::order::{CannotCancel, CannotCorrect, CannotEnd, CannotFulfil, CannotRefund, CannotReturn, NoSuchPieces};

/// What a line is called, by its number.
pub type Name<'a> = &'a dyn Fn(u32) -> String;

/// What a line is called: `Leather belt, Tan, 90 cm`.
pub fn named(lines: &[u32], names: &[LineName], line: u32) -> String {
    let name = lines.iter().position(|known| *known == line).and_then(|place| names.get(place));
    let Some(name) = name else { return format!("line {}", line + 1) };
    if name.options.is_empty() { name.title.clone() } else { format!("{}, {}", name.title, name.options) }
}

/// The sentence. A failure of the world has none of its own.
pub fn sentence(error: &ChangeError, name: Name<'_>) -> String {
    match error {
        ChangeError::NotFound => "There is no such order any more.".to_owned(),
        ChangeError::Cancel(refusal) => cancelling(*refusal, name),
        ChangeError::End(CannotEnd::PaymentLive) => {
            "A payment is under way and the provider does not close it. Wait until it is decided, then try again.".to_owned()
        }
        ChangeError::End(CannotEnd::NotHeld | CannotEnd::TooEarly) => "The order is over already.".to_owned(),
        ChangeError::Fulfil(refusal) => fulfilling(*refusal, name),
        ChangeError::Return(refusal) => returning(*refusal, name),
        ChangeError::Refund(refusal) => refunding(*refusal),
        ChangeError::Correct(CannotCorrect::Packed) => "Packing has begun: put the pieces back first, or write to the carrier.".to_owned(),
        ChangeError::Correct(CannotCorrect::Over) => "The order is over: nothing will be sent.".to_owned(),
        ChangeError::Correct(CannotCorrect::Elsewhere) => {
            "Country, region and delivery zone stay as they are: taxes and delivery were reckoned for them. Cancel the order and ask the shopper to order again.".to_owned()
        }
        ChangeError::OtherWords => OTHER_WORDS.to_owned(),
        ChangeError::Erased => "The customer was erased: nothing personal can be kept.".to_owned(),
        ChangeError::Mail(CannotResend::TooMany) => "Enough mails of this order were sent again in the last hour: wait a while.".to_owned(),
        ChangeError::Mail(_) => "There is nothing of this kind to tell: it has not happened.".to_owned(),
        ChangeError::NotThere { left, .. } => format!("Only {left} of these pieces lie there. Look where the others are."),
        ChangeError::Failed(_) => "Something broke. Try again.".to_owned(),
    }
}

/// The field of an act's form that a refusal is about, where it is about one.
pub fn field(act: Act, error: &ChangeError) -> Option<String> {
    let pieces = match error {
        ChangeError::Cancel(CannotCancel::Pieces(pieces))
        | ChangeError::Fulfil(CannotFulfil::Pieces(pieces))
        | ChangeError::Return(CannotReturn::Pieces(pieces)) => Some(pieces),
        _ => None,
    };
    match (act, error) {
        (Act::Pack | Act::Send | Act::Parcels, ChangeError::Fulfil(CannotFulfil::Parcels)) => Some("tracking".to_owned()),
        (Act::Refund, ChangeError::Refund(CannotRefund::MoreThanCaptured { .. } | CannotRefund::NotPositive)) => Some("amount".to_owned()),
        (Act::Receive, ChangeError::Return(CannotReturn::KeptBack)) => Some("kept_back".to_owned()),
        (Act::Receive, ChangeError::Return(CannotReturn::Delivery)) => Some("delivery".to_owned()),
        _ => match pieces {
            Some(NoSuchPieces::TooMany { line, .. }) if act == Act::Receive => Some(format!("shelf-{line}")),
            Some(NoSuchPieces::TooMany { line, .. }) => Some(format!("line-{line}")),
            _ => None,
        },
    }
}

fn pieces(refusal: NoSuchPieces, name: Name<'_>) -> String {
    match refusal {
        NoSuchPieces::None => "Choose at least one piece.".to_owned(),
        NoSuchPieces::Line { .. } | NoSuchPieces::Twice { .. } => "The form does not fit the order any more. Load the page again.".to_owned(),
        NoSuchPieces::TooMany { left: 0, line } => format!("Nothing of “{}” is left for this.", name(line)),
        NoSuchPieces::TooMany { left, line } => {
            let are = if left == 1 { "is" } else { "are" };
            format!("Of “{}” only {left} {are} left for this: type at most {left}.", name(line))
        }
    }
}

fn cancelling(refusal: CannotCancel, name: Name<'_>) -> String {
    match refusal {
        CannotCancel::NotPaid => "The order is not paid: cancel it whole.".to_owned(),
        CannotCancel::NothingOpen => "Everything is packed, sent or cancelled already. Put packed pieces back first.".to_owned(),
        CannotCancel::ChargedBack => "The bank took the money back: staff cancel what is left.".to_owned(),
        CannotCancel::Pieces(refusal) => pieces(refusal, name),
        CannotCancel::Refund(refusal) => refunding(refusal),
    }
}

fn fulfilling(refusal: CannotFulfil, name: Name<'_>) -> String {
    match refusal {
        CannotFulfil::NotPaid => "The order is not paid: nothing is sent.".to_owned(),
        CannotFulfil::Disputed => "A bank questions the payment: nothing is sent until that is decided.".to_owned(),
        CannotFulfil::ChargedBack => "The bank took the money back: nothing is sent. Put back what is packed, and cancel the pieces.".to_owned(),
        CannotFulfil::NothingOpen => "Nothing is left to pack: everything is packed, sent or cancelled.".to_owned(),
        CannotFulfil::Pieces(refusal) => pieces(refusal, name),
        CannotFulfil::Unknown => "There is no such shipment any more: the pieces were put back.".to_owned(),
        CannotFulfil::Shipped => "The shipment has left already.".to_owned(),
        CannotFulfil::NotShipped => "The shipment has not left yet.".to_owned(),
        CannotFulfil::Delivered => "The shipment has arrived already.".to_owned(),
        CannotFulfil::Parcels => "A shipment has 1 to 20 parcels.".to_owned(),
    }
}

fn refunding(refusal: CannotRefund) -> String {
    match refusal {
        CannotRefund::NothingCaptured => "Nothing was paid.".to_owned(),
        CannotRefund::NotPositive => "Type an amount of more than nothing.".to_owned(),
        CannotRefund::MoreThanCaptured { left } => format!("Only {} of what was paid is left: type at most that.", money(left, english())),
        CannotRefund::Disputed => {
            "A bank questions the payment and may take the money back by itself: nothing is refunded until that is decided.".to_owned()
        }
        CannotRefund::NotFailed => "This refund did not fail, or is settled already.".to_owned(),
        CannotRefund::NotOdd => "There is no such payment, or somebody has looked into its amount already.".to_owned(),
        CannotRefund::Reckoning(_) => "The amount is too large, or in another currency.".to_owned(),
    }
}

fn returning(refusal: CannotReturn, name: Name<'_>) -> String {
    match refusal {
        CannotReturn::NothingSent => "Nothing is out there that could come back.".to_owned(),
        CannotReturn::TooLate { .. } => "The time for returns is over.".to_owned(),
        CannotReturn::ChargedBack => "The bank took the money back: announce the return for the shopper.".to_owned(),
        CannotReturn::Pieces(refusal) => pieces(refusal, name),
        CannotReturn::NotOpen => "This return is decided already.".to_owned(),
        CannotReturn::KeptBack => "More would be kept back than the pieces are worth: type less.".to_owned(),
        CannotReturn::Delivery => "More of the delivery charge would go back than was paid: type less.".to_owned(),
        CannotReturn::Refund(refusal) => refunding(refusal),
    }
}
