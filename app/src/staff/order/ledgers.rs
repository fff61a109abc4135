//! The money of an order: payments, refunds and disputes, and what can be done about refunds that are stuck.

use super::{Act, OrderData, forms::goodwill_words, may, slot::Slot};
use crate::{
    i18n::money,
    staff::{Desk, moment, orders::english, time},
};
use domain::{
    dispute::DisputeState,
    order::Order,
    payment::{Payment, PaymentState},
    refund::{REFUND_ATTEMPTS_MAX, Refund, RefundReason, RefundState},
};
use leptos::prelude::*;

/// Attempts to pay.
pub fn payments(desk: &Desk, data: &OrderData) -> AnyView {
    let rows = data.order.payments.iter().map(|payment| {
        let state = match &payment.state {
            PaymentState::Created => view! { "the provider was not reached" }.into_any(),
            PaymentState::Open { .. } => view! { "open at the provider" }.into_any(),
            PaymentState::Pending => view! { "under way, not settled" }.into_any(),
            PaymentState::Captured { at } => view! { "captured "{time(*at)} }.into_any(),
            PaymentState::Failed { at, reason } => view! { {format!("declined ({}) ", reason.code().replace('_', " "))}{time(*at)} }.into_any(),
            PaymentState::Closed { at } => view! { "closed "{time(*at)} }.into_any(),
        };
        view! {
            <tr>
                <th scope="row" data-label="Begun"><span>{time(payment.created_at)}<small><code>{payment.id.to_string()}</code></small></span></th>
                <td data-label="State"><span>{state}</span></td>
                <td data-label="Amount" class="n">{money(payment.amount, english())}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let odd = data.order.payments.iter().filter_map(|payment| odd(desk, data, payment)).collect_view();
    view! {
        <section>
            <h2 class="panel-h">"Payments"</h2>
            <table class="rows">
                <thead><tr><th scope="col">"Begun"</th><th scope="col">"State"</th><th scope="col" class="n">"Amount"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {odd}
        </section>
    }
    .into_any()
}

/// The provider took another amount: nothing is sold for it until somebody has looked.
fn odd(desk: &Desk, data: &OrderData, payment: &Payment) -> Option<AnyView> {
    let odd = payment.odd.filter(|odd| !odd.settled)?;
    let slot = Slot::new(Act::Odd, payment.id.to_string(), data);
    let (took, asked) = (money(odd.amount, english()), money(payment.amount, english()));
    let form = may(desk, Act::Odd).then(|| {
        let sure = slot.sure("It was sent back, or explained. Nobody is asked to look again.");
        slot.show(desk, "Looked into…", sure, &[("odd", "Note it")])
    });
    Some(
        view! {
            <div class="panel">
                <p class="notice bad">{format!("The provider took {took} for {}, where {asked} was asked for. Nothing is sold for it.", payment.id)}</p>
                {form}
            </div>
        }
        .into_any(),
    )
}

/// Money that goes back.
pub fn refunds(desk: &Desk, data: &OrderData) -> AnyView {
    if data.order.refunds.is_empty() {
        return ().into_any();
    }
    let all = data.order.refunds.iter().map(|refund| {
        let class = if refund.state.is_stuck() { "tag warn" } else { "tag" };
        view! {
            <div class="panel">
                <p><b>{money(refund.amount, english())}</b>" "<span class=class>{state(refund.state)}</span></p>
                <p class="why">{reason(refund)}<span class="id"><code>{refund.id.to_string()}</code></span></p>
                {stuck(desk, data, refund)}
            </div>
        }
    });
    let all = all.collect_view();
    let (left, stuck) = (money(data.order.refundable(), english()), data.order.stuck_left());
    let words = if data.order.is_disputed() {
        no_refund(&data.order)
    } else if stuck.is_zero() {
        format!("{left} is left that could go back.")
    } else {
        format!("{left} is left that could go back; {} of it is owed by what is stuck.", money(stuck, english()))
    };
    view! { <section><h2 class="panel-h">"Refunds"</h2>{all}<p class="why">{words}</p></section> }.into_any()
}

fn stuck(desk: &Desk, data: &OrderData, refund: &Refund) -> AnyView {
    // While a bank claims the payment, nothing goes back by any way: `no_refund` says so.
    if !refund.state.is_stuck() || !may(desk, Act::Settle) || data.order.is_disputed() {
        return ().into_any();
    }
    let of = refund.id.to_string();
    // Asking again is of use where nothing came back.
    let retry = data.order.clone().retry_refund(refund.id).is_ok().then(|| {
        let slot = Slot::new(Act::Retry, of.clone(), data);
        slot.show(
            desk,
            "Ask again…",
            view! { <p class="why">"The provider is asked for the same refund once more."</p> }.into_any(),
            &[("retry", "Ask again")],
        )
    });
    let settle = Slot::new(Act::Settle, of, data);
    let sure = settle.sure("The shopper has the money, by a transfer for instance. This cannot be undone.");
    view! { {retry}{settle.show(desk, "Paid back some other way…", sure, &[("settle", "Note it")])} }.into_any()
}

/// Why nothing is refunded while a bank questions the payment, and until when.
pub fn no_refund(order: &Order) -> String {
    let due = order.disputes.iter().filter_map(|dispute| dispute.state.due()).min();
    let by = |what: &str| due.map_or_else(String::new, |due| format!(" {what} is due by {}.", moment(due)));
    if order.is_only_asked() {
        let answer = by("Our answer");
        return format!(
            "No refund while a bank asks about the payment: it may still take the money by itself, and it would go twice.{answer} Refunds are possible again when the bank is satisfied."
        );
    }
    let evidence = by("Our evidence");
    format!(
        "No refund while a bank claims the payment: it may take the money by itself, and it would go twice.{evidence} Refunds are possible again if the bank decides for us."
    )
}

const fn state(state: RefundState) -> &'static str {
    match state {
        RefundState::Requested { attempts: REFUND_ATTEMPTS_MAX.. } => "asked for again and again, the provider does not answer",
        RefundState::Requested { .. } => "asked for",
        RefundState::Pending => "under way",
        RefundState::Issued => "paid back",
        RefundState::Failed => "refused by the provider",
        RefundState::Bounced => "sent back by the bank",
        RefundState::SettledOutside => "settled some other way",
    }
}

fn reason(refund: &Refund) -> String {
    let words = match refund.reason {
        RefundReason::SoldOutMeanwhile => "Sold out before the money came",
        RefundReason::PaidTwice => "Paid twice",
        RefundReason::Withdrawn => "The order had been replaced",
        RefundReason::Cancelled => "Cancelled",
        RefundReason::Returned => "Returned",
        RefundReason::Goodwill => "Goodwill",
    };
    refund.goodwill.map_or_else(|| words.to_owned(), |why| format!("{words}: {}", goodwill_words(why).to_lowercase()))
}

/// Banks that ask for the money back.
pub fn disputes(data: &OrderData) -> AnyView {
    if data.order.disputes.is_empty() {
        return ().into_any();
    }
    let all = data.order.disputes.iter().map(|dispute| {
        let (class, words, at) = match dispute.state {
            DisputeState::Inquiry { evidence_due: Some(due) } => ("tag warn", "the bank asks: an answer is due ", Some(due)),
            DisputeState::Inquiry { evidence_due: None } => ("tag warn", "the bank asks: an answer is due", None),
            DisputeState::InquiryAnswered => ("tag", "the bank thinks about the answer", None),
            DisputeState::Open { evidence_due: Some(due) } => ("tag warn", "evidence is due ", Some(due)),
            DisputeState::Open { evidence_due: None } => ("tag warn", "evidence is due", None),
            DisputeState::UnderReview => ("tag", "the bank decides", None),
            DisputeState::Won { at } => ("tag live", "won ", Some(at)),
            DisputeState::Lost { at } => ("tag", "lost ", Some(at)),
        };
        view! {
            <div class="panel">
                <p><b>{money(dispute.amount, english())}</b>" "<span class=class>{words}{at.map(time)}</span></p>
                <p class="why">{dispute.reason.replace('_', " ")}", since "{time(dispute.opened_at)}<span class="id"><code>{dispute.reference.clone()}</code></span></p>
            </div>
        }
    });
    let all = all.collect_view();
    let open = data.order.is_disputed().then(|| {
        let words = if data.order.is_only_asked() {
            "No money has moved: the bank asks first, and claims the money if it gets no answer that satisfies it. Nothing is sent, cancelled or refunded meanwhile: it could be lost twice. Answer on the payment provider's own pages."
        } else {
            "Nothing is sent, cancelled or refunded while a dispute is open: it could be lost twice. Send evidence on the payment provider's own pages; without it the money is lost."
        };
        view! { <p class="why">{words}</p> }
    });
    let lost = (data.order.is_charged_back() && !data.order.unsent_portions().is_empty()).then(|| {
        view! { <p class="notice bad">"The bank took the money back: nothing more is sent. Put back what is packed, and cancel the pieces."</p> }
    });
    view! { <section><h2 class="panel-h">"Disputes"</h2>{all}{open}{lost}</section> }.into_any()
}
