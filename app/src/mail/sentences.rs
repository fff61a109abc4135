//! What a mail says happened, and what happens next: its subject and its paragraphs, each a few sentences. Lists and amounts stand in
//! `letter`.

use super::{Cause, Kind, MailData, MoneyBack, Payment, Share};
use crate::{
    i18n::{Follow, follow, give_back},
    ports::View,
};
use domain::{
    locale::Language,
    money::Money,
    refund::{GoodwillReason, RefundReason},
};

/// The `{amount}` of all sentences: what goes back, or what was paid.
pub fn amount(data: &MailData) -> Money {
    match data.money {
        MoneyBack::Going(amount) | MoneyBack::Sent(amount) | MoneyBack::SentOtherwise(amount) => amount,
        MoneyBack::Untold | MoneyBack::NeverCharged | MoneyBack::TakenByBank | MoneyBack::Nothing => data.total,
    }
}

pub fn subject(data: &MailData, messages: &Follow) -> &'static str {
    match (data.kind, data.share) {
        (Kind::Placed, _) => messages.placed_subject,
        (Kind::Paid, _) => messages.paid_subject,
        (Kind::PaymentFailed, _) => messages.failed_subject,
        (Kind::Shipped, Share::Whole) => messages.shipped_subject,
        (Kind::Shipped, Share::Part) => messages.shipped_part_subject,
        (Kind::Shipped, Share::Rest) => messages.shipped_rest_subject,
        (Kind::Shipped, Share::Exchange) => messages.shipped_exchange_subject,
        (Kind::Delivered, Share::Whole) => messages.delivered_subject,
        (Kind::Delivered, Share::Part) => messages.delivered_part_subject,
        (Kind::Delivered, Share::Rest) => messages.delivered_rest_subject,
        (Kind::Delivered, Share::Exchange) => messages.delivered_exchange_subject,
        (Kind::Refunded, _) => messages.refunded_subject,
        (Kind::Cancelled, _) => messages.cancelled_subject,
        (Kind::PartCancelled, _) => messages.part_cancelled_subject,
        (Kind::ReturnAnnounced, _) => messages.return_announced_subject,
        (Kind::Returned, _) => messages.returned_subject,
        (Kind::ReturnRefused, _) => messages.return_refused_subject,
        (Kind::ReturnCalledOff, _) => messages.return_called_off_subject,
        (Kind::Link, _) => messages.link_subject,
    }
}

/// Paragraphs that are not filled in yet. The first one follows the greeting: in German it begins small.
pub fn paragraphs(view: &View, data: &MailData) -> Vec<String> {
    let space = if view.locale.language == Language::Ja { "" } else { " " };
    let all = told(view, data).into_iter().filter(|sentences| !sentences.is_empty()).map(|sentences| sentences.join(space));
    all.enumerate().map(|(at, paragraph)| if at == 0 { paragraph } else { capital(&paragraph) }).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn told(view: &View, data: &MailData) -> Vec<Vec<&'static str>> {
    let (messages, returns) = (follow(view.locale), give_back(view.locale));
    let when = |is: bool, text: &'static str| is.then_some(text);
    match data.kind {
        Kind::Placed => placed(data.payment, messages),
        Kind::Paid => vec![vec![messages.paid_text], when(!data.is_begun, messages.paid_next).into_iter().collect()],
        Kind::PaymentFailed => {
            let next = when(data.payment != Payment::Settled, messages.failed_next);
            vec![vec![messages.failed_text], next.into_iter().collect()]
        }
        Kind::Shipped => {
            let is_tracked = data.parcels.iter().any(|parcel| !parcel.tracking.is_empty());
            let next = [when(is_tracked, messages.shipped_next), when(data.share == Share::Part, messages.shipped_part_next)];
            vec![vec![messages.shipped_text], next.into_iter().flatten().collect()]
        }
        Kind::Delivered => vec![vec![messages.delivered_text], vec![messages.delivered_next]],
        Kind::Refunded => {
            let mut sent = money(data.money, messages);
            let cause = data.cause.map(|cause| why(cause, messages));
            if let Some(first) = sent.first_mut() {
                first.extend(cause);
            }
            sent
        }
        Kind::Cancelled | Kind::PartCancelled => {
            let text = match data.kind {
                _ if data.cancelled.replaced => messages.replaced_text,
                Kind::PartCancelled => messages.part_cancelled_text,
                _ => messages.cancelled_text,
            };
            let next = when(data.kind == Kind::PartCancelled, messages.part_cancelled_next);
            let first = [Some(text), when(data.cancelled.not_available, messages.not_available), next];
            [vec![first.into_iter().flatten().collect()], money(data.money, messages)].concat()
        }
        Kind::ReturnAnnounced => vec![when(data.back.awaited.is_some(), returns.said_announced).into_iter().collect()],
        Kind::Returned => {
            let exchange = [when(data.back.exchange_follows, messages.exchange_next), when(data.back.not_exchanged, messages.not_exchanged)];
            [vec![vec![messages.returned_text], exchange.into_iter().flatten().collect()], money(data.money, messages)].concat()
        }
        Kind::ReturnRefused => vec![vec![messages.return_refused_text]],
        Kind::ReturnCalledOff => vec![vec![messages.return_called_off_text]],
        Kind::Link => vec![vec![messages.link_text], vec![messages.link_next]],
    }
}

fn placed(payment: Payment, messages: &Follow) -> Vec<Vec<&'static str>> {
    match payment {
        Payment::Awaited => vec![vec![messages.placed_text, messages.placed_kept], vec![messages.placed_next]],
        Payment::UnderWay => vec![vec![messages.placed_text, messages.placed_kept]],
        Payment::Late => vec![vec![messages.placed_text], vec![messages.placed_next]],
        Payment::Settled => vec![vec![messages.placed_text]],
    }
}

fn money(money: MoneyBack, messages: &Follow) -> Vec<Vec<&'static str>> {
    match money {
        MoneyBack::Untold => Vec::new(),
        MoneyBack::NeverCharged => vec![vec![messages.never_charged]],
        MoneyBack::Going(_) => vec![vec![messages.refund_follows]],
        MoneyBack::Sent(_) => vec![vec![messages.refunded_text], vec![messages.refunded_next]],
        MoneyBack::SentOtherwise(_) => vec![vec![messages.refunded_otherwise]],
        MoneyBack::TakenByBank => vec![vec![messages.refund_by_bank]],
        MoneyBack::Nothing => vec![vec![messages.refund_none]],
    }
}

const fn why(cause: Cause, messages: &Follow) -> &'static str {
    match cause.reason {
        RefundReason::SoldOutMeanwhile => messages.why_sold_out,
        RefundReason::PaidTwice => messages.why_paid_twice,
        RefundReason::Withdrawn => messages.why_withdrawn,
        RefundReason::Cancelled if cause.too_late => messages.why_cancelled_before,
        RefundReason::Cancelled => messages.why_cancelled,
        RefundReason::Returned => messages.why_returned,
        RefundReason::Goodwill => match cause.goodwill {
            Some(GoodwillReason::Late) => messages.why_late,
            Some(GoodwillReason::Damaged) => messages.why_damaged,
            Some(GoodwillReason::Missing) => messages.why_missing,
            Some(GoodwillReason::Price) => messages.why_price,
            Some(GoodwillReason::Service) => messages.why_service,
            Some(GoodwillReason::Other) | None => messages.why_goodwill,
        },
    }
}
