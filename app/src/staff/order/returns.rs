//! What comes back: announced, received, refused.

use super::{Act, OrderData, may, slot::Slot};
use crate::{
    i18n::money,
    staff::{Desk, orders::english, time},
};
use domain::order::{Fulfilment, Receipt, Resolution, Restock, Return, ReturnState};
use leptos::prelude::*;

/// All returns, each with what can be done about it.
pub fn list(desk: &Desk, data: &OrderData) -> AnyView {
    if data.order.returns.is_empty() {
        return ().into_any();
    }
    let all = data.order.returns.iter().map(|back| one(desk, data, back)).collect_view();
    view! { <section><h2 class="panel-h">"Returns"</h2>{all}</section> }.into_any()
}

fn one(desk: &Desk, data: &OrderData, back: &Return) -> AnyView {
    let pieces: Vec<String> = back
        .items
        .iter()
        .map(|item| {
            let what = match item.resolution {
                Resolution::Refund => String::new(),
                Resolution::Exchange { variant, .. } => format!(", to be exchanged for {}", data.variant(variant)),
            };
            format!("{} × {} ({}{what})", item.quantity, data.name(item.line), item.reason.code().replace('_', " "))
        })
        .collect();
    let state = match &back.state {
        ReturnState::Requested => view! { <span class="tag warn">"awaited"</span> }.into_any(),
        ReturnState::Received { at, receipts, kept_back, delivery, .. } => {
            let came: u32 = receipts.iter().map(|receipt| receipt.quantity).sum();
            let shelf: u32 = receipts.iter().filter(|receipt| receipt.restock == Restock::Shelf).map(|receipt| receipt.quantity).sum();
            let is_exchange = |line: u32| back.items.iter().any(|item| item.line == line && item.resolution != Resolution::Refund);
            let unsent = receipts.iter().any(|receipt| is_exchange(receipt.line) && !receipt.exchanged);
            let mut words = format!("{came} came, {shelf} back on the shelf");
            for (amount, what) in [(kept_back, "kept back"), (delivery, "of the delivery charge went back")] {
                if !amount.is_zero() {
                    words.extend(["; ", &*money(*amount, english()), " ", what]);
                }
            }
            words.push_str(if unsent { ". Not everything was exchanged: money goes back for it. " } else { ". " });
            view! { <span class="tag">"received"</span>" "{words}{time(*at)} }.into_any()
        }
        ReturnState::Refused { at, why } => view! { <span class="tag">"refused"</span>" "{why.clone()}" "{time(*at)} }.into_any(),
        ReturnState::Cancelled { at } => view! { <span class="tag">"called off"</span>" "{time(*at)} }.into_any(),
    };
    view! {
        <div class="panel">
            <p>{state}</p>
            <p class="why">{pieces.join("; ")}</p>
            <p class="why">"Announced "{time(back.requested_at)}</p>
            {acts(desk, data, back)}
        </div>
    }
    .into_any()
}

fn acts(desk: &Desk, data: &OrderData, back: &Return) -> AnyView {
    if back.state != ReturnState::Requested || !may(desk, Act::Receive) {
        return ().into_any();
    }
    let of = back.id.to_string();
    let slot = Slot::new(Act::Receive, of.clone(), data);
    let holds = |sent: &&Fulfilment| {
        sent.state.shipment().is_some() && sent.portions.iter().any(|portion| back.items.iter().any(|item| item.line == portion.line))
    };
    let sent_from = data.order.fulfilments.iter().rfind(holds).map_or("", |sent| sent.location.as_str());
    let lines = back.items.iter().map(|item| {
        let (line, all) = (item.line, item.quantity.to_string());
        let label = format!("{}: to the shelf", data.name(line));
        let exchange = matches!(item.resolution, Resolution::Exchange { .. }).then(|| {
            slot.choice(
                &format!("exchange-{line}"),
                "Send the exchange",
                "yes",
                vec![("yes".to_owned(), "Yes, if it is in stock".to_owned()), ("no".to_owned(), "No, money back".to_owned())],
            )
        });
        view! {
            {slot.line(&format!("shelf-{line}"), &label, &all, &format!("{all} announced. As new, sold again."), "numeric")}
            {slot.line(&format!("discard-{line}"), "To discard", "0", "Came back, but cannot be sold.", "numeric")}
            {exchange}
        }
    });
    let lines = lines.collect_view();
    let whole: Vec<Receipt> = back
        .items
        .iter()
        .map(|item| Receipt {
            line: item.line,
            quantity: item.quantity,
            restock: Restock::Shelf,
            exchanged: matches!(item.resolution, Resolution::Exchange { .. }),
        })
        .collect();
    let (due, left) = (data.order.delivery_due(&whole), data.order.delivery_left());
    let currency = data.order.total.currency;
    let label = data.order.label_due(&back.items);
    let used = "For pieces that were used beyond trying them.";
    let kept_hint =
        if label.is_zero() { used.to_owned() } else { format!("{} for the label, as the shopper was shown. {used}", money(label, english())) };
    let delivery_hint = format!("{} by law if all of this came; at most {}.", money(due, english()), money(left, english()));
    let delivery = (!left.is_zero())
        .then(|| slot.line("delivery", &format!("Delivery charge that goes back, in {currency}"), &due.decimal(), &delivery_hint, "decimal"));
    let refuse = Slot::new(Act::Refuse, of.clone(), data);
    let call_off = Slot::new(Act::CallOff, of, data);
    let why = refuse.area("why", "Why", "", "The shopper reads this.", 500);
    let fields = view! {
        {slot.choice("location", "Came to", sent_from, data.locations.clone())}
        {lines}
        {slot.line("kept_back", &format!("Kept back, in {currency}"), &label.decimal(), &kept_hint, "decimal")}
        {delivery}
        {slot.sure("Pieces and money move. This cannot be undone.")}
    };
    view! {
        {slot.show(desk, "Receive…", fields.into_any(), &[("receive", "Receive")])}
        {refuse.show(desk, "Refuse…", view! { {why}{refuse.sure("The shopper keeps the pieces and gets no money.")} }.into_any(), &[("refuse", "Refuse")])}
        {call_off.show(desk, "Call off…", call_off.sure("It does not come: the shopper keeps the pieces and may announce them again.").into_any(), &[("call-off", "Call off")])}
    }
    .into_any()
}
