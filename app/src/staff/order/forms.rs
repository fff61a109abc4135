//! What can be done about an order as a whole.

use super::{Act, Customer, OrderData, ledgers, may, may_act, pieces, slot::Slot};
use crate::{
    i18n::money,
    mail::Kind,
    private::field_label,
    staff::{Desk, orders::english},
};
use domain::{
    address::{Address, AddressForm, Field},
    order::{By, CancelReason, Pieces, ReturnReason},
    refund::GoodwillReason,
};
use leptos::prelude::*;

/// All forms that are offered now.
pub fn all(desk: &Desk, data: &OrderData) -> AnyView {
    if !may_act(desk) {
        return ().into_any();
    }
    let offered = view! { {ship(desk, data)}{cancel(desk, data)}{refund(desk, data)}{announce(desk, data)}{address(desk, data)}{mail(desk, data)}{note(desk, data)} };
    view! { <section><h2 class="panel-h">"Actions"</h2>{offered}</section> }.into_any()
}

fn ship(desk: &Desk, data: &OrderData) -> AnyView {
    if !may(desk, Act::Pack) || data.order.can_fulfil().is_err() {
        return ().into_any();
    }
    let forms = data.shelves.iter().map(|shelf| {
        let slot = Slot::new(Act::Pack, shelf.location.clone(), data);
        let pieces = shelf.portions.iter().map(|portion| {
            let hint = format!("{} lie there.", portion.quantity);
            slot.line(&format!("line-{}", portion.line), &data.name(portion.line), &portion.quantity.to_string(), &hint, "numeric")
        });
        let pieces = pieces.collect_view();
        let fields = view! { {pieces}{pieces::carrier(&slot, &[])} };
        let title = format!("Ship from {}…", data.location(&shelf.location));
        slot.show(desk, &title, fields.into_any(), &[("ship", "Ship"), ("pack", "Only begin to pack")])
    });
    forms.collect_view().into_any()
}

fn cancel(desk: &Desk, data: &OrderData) -> AnyView {
    if !may(desk, Act::Cancel) || data.order.can_cancel(By::Staff).is_err() {
        return ().into_any();
    }
    let slot = Slot::new(Act::Cancel, "", data);
    let is_paid = data.order.pieces == Pieces::Sold;
    let pieces = is_paid.then(|| {
        let open = data.order.open_portions();
        let lines = open.iter().map(|portion| {
            let hint = format!("{} can be cancelled.", portion.quantity);
            slot.line(&format!("line-{}", portion.line), &data.name(portion.line), &portion.quantity.to_string(), &hint, "numeric")
        });
        lines.collect_view()
    });
    let words = |reason: CancelReason| match reason {
        CancelReason::ChangedMind => "The shopper changed their mind",
        CancelReason::NotAvailable => "We cannot find or send it",
        CancelReason::Fraud => "Fraud",
        CancelReason::Other => "Another reason",
    };
    let reasons = CancelReason::ALL.into_iter().map(|reason| (reason.code().to_owned(), words(reason).to_owned())).collect();
    let sure = if data.order.is_charged_back() {
        "The pieces are sold to others. No money goes back: the bank has taken it. This cannot be undone."
    } else if is_paid {
        "The pieces are sold to others and the money goes back. This cannot be undone."
    } else {
        "The order is over. This cannot be undone."
    };
    let fields = view! { {pieces}{slot.choice("reason", "Reason", "changed_mind", reasons)}{slot.sure(sure)} };
    let title = if is_paid { "Cancel pieces…" } else { "Cancel the order…" };
    slot.show(desk, title, fields.into_any(), &[("cancel", "Cancel them")])
}

fn refund(desk: &Desk, data: &OrderData) -> AnyView {
    let (left, stuck) = (data.order.goodwill_left(), data.order.stuck_left());
    if !may(desk, Act::Refund) || data.order.refundable().minor <= 0 {
        return ().into_any();
    }
    if data.order.is_disputed() {
        return view! { <p class="why">{ledgers::no_refund(&data.order)}</p> }.into_any();
    }
    if left.minor <= 0 {
        let can_ask = data.order.refunds.iter().any(|refund| data.order.clone().retry_refund(refund.id).is_ok());
        let next = if can_ask { "ask again for it, or note that it was paid" } else { "note it when it was paid" };
        let words = format!(
            "No refund for goodwill: the {} that is left is owed by a refund that is stuck. Under Refunds, {next} back some other way.",
            money(stuck, english())
        );
        return view! { <p class="why">{words}</p> }.into_any();
    }
    let slot = Slot::new(Act::Refund, "", data);
    let hint = format!("At most {}. For goodwill: cancelled and returned pieces are refunded by themselves.", money(left, english()));
    let label = format!("Amount in {}", left.currency);
    let reasons = GoodwillReason::ALL.into_iter().map(|reason| (reason.code().to_owned(), goodwill_words(reason).to_owned()));
    let reasons = [(String::new(), "Choose a reason".to_owned())].into_iter().chain(reasons).collect();
    let fields = view! { {slot.line("amount", &label, "", &hint, "decimal")}{slot.choice("reason", "Reason", "", reasons)}{slot.sure("The money goes back. This cannot be undone.")} };
    slot.show(desk, "Refund…", fields.into_any(), &[("refund", "Refund")])
}

/// Why money goes back although nothing came back, in words.
pub const fn goodwill_words(reason: GoodwillReason) -> &'static str {
    match reason {
        GoodwillReason::Late => "The parcel came late",
        GoodwillReason::Damaged => "Something was damaged, and the shopper keeps it",
        GoodwillReason::Missing => "Something was missing",
        GoodwillReason::Price => "A lower price was matched",
        GoodwillReason::Service => "We made a mistake",
        GoodwillReason::Other => "Another reason",
    }
}

fn announce(desk: &Desk, data: &OrderData) -> AnyView {
    if !may(desk, Act::Return) || data.order.can_return(By::Staff, desk.now).is_err() {
        return ().into_any();
    }
    let slot = Slot::new(Act::Return, "", data);
    let lines = data.order.lines.iter().filter_map(|line| {
        let left = data.order.tally(line.line).returnable();
        if left == 0 {
            return None;
        }
        let mut choices = vec![("refund".to_owned(), "Money back".to_owned())];
        let others = data.exchanges.iter().filter(|(of, _)| *of == line.line);
        choices.extend(others.map(|(_, variant)| (variant.to_string(), format!("Exchange for {}", data.variant(*variant)))));
        let hint = format!("{left} can come back.");
        Some(view! {
            {slot.line(&format!("line-{}", line.line), &data.name(line.line), "0", &hint, "numeric")}
            {slot.choice(&format!("for-{}", line.line), "What the shopper gets", "refund", choices)}
        })
    });
    let lines = lines.collect_view();
    let words = |reason: ReturnReason| match reason {
        ReturnReason::ChangedMind => "Changed their mind",
        ReturnReason::TooSmall => "Too small",
        ReturnReason::TooLarge => "Too large",
        ReturnReason::NotAsDescribed => "Not as described",
        ReturnReason::Faulty => "Faulty",
        ReturnReason::WrongItem => "Wrong item",
        ReturnReason::Late => "Came too late",
        ReturnReason::Other => "Another reason",
    };
    let reasons = ReturnReason::ALL.into_iter().map(|reason| (reason.code().to_owned(), words(reason).to_owned())).collect();
    let fields = view! { {lines}{slot.choice("reason", "Reason", "changed_mind", reasons)} };
    slot.show(desk, "Announce a return…", fields.into_any(), &[("return", "Announce")])
}

fn address(desk: &Desk, data: &OrderData) -> AnyView {
    let Customer::Whole { delivery, .. } = &data.customer else { return ().into_any() };
    if !may(desk, Act::Address) || data.order.can_correct_address().is_err() {
        return ().into_any();
    }
    let slot = Slot::new(Act::Address, "", data);
    let form = AddressForm::for_country(delivery.country);
    let fields = form.fields.iter().filter(|spec| spec.field != Field::Region).map(|spec| {
        let label = field_label(spec.field, delivery.country, english());
        slot.line(spec.field.key(), label, &known(delivery, spec.field), "", "text")
    });
    let fields = fields.collect_view();
    let fields = view! { <p class="why">"Country and region stay: taxes were reckoned for them."</p>{fields} };
    slot.show(desk, "Correct the delivery address…", fields.into_any(), &[("address", "Save")])
}

/// What an address says in a field. A name in two parts is family name first.
fn known(address: &Address, field: Field) -> String {
    let (family, given) = address.name.full.split_once(' ').unwrap_or((&address.name.full, ""));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match field {
        Field::Name => address.name.full.clone(),
        Field::FamilyName => family.to_owned(),
        Field::GivenName => given.to_owned(),
        Field::Kana => text(&address.name.kana),
        Field::Company => text(&address.company),
        Field::Line1 => address.line1.clone(),
        Field::Line2 => text(&address.line2),
        Field::City => address.city.clone(),
        Field::Region => text(&address.region),
        Field::Postcode => text(&address.postcode),
    }
}

/// A kind of mail in words.
pub const fn mail_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Placed => "Order received",
        Kind::Paid => "Payment received",
        Kind::PaymentFailed => "Latest payment did not come",
        Kind::Shipped => "Latest shipment has left",
        Kind::Delivered => "Latest shipment has arrived",
        Kind::Refunded => "Latest refund",
        Kind::Cancelled => "Order cancelled",
        Kind::PartCancelled => "Latest cancelled pieces",
        Kind::ReturnAnnounced => "Latest return was announced",
        Kind::Returned => "Latest return has arrived",
        Kind::ReturnRefused => "Latest return was refused",
        Kind::ReturnCalledOff => "Latest return was called off",
        Kind::Link => "Link to the order",
    }
}

fn mail(desk: &Desk, data: &OrderData) -> AnyView {
    if !may(desk, Act::Mail) || data.mails.is_empty() || matches!(data.customer, Customer::Erased) {
        return ().into_any();
    }
    let slot = Slot::new(Act::Mail, "", data);
    let kinds = data.mails.iter().map(|kind| (kind.word().to_owned(), mail_words(*kind).to_owned())).collect();
    let proposed = data.mails.first().map_or("", |kind| kind.word());
    let fields = view! { <p class="why">"It goes to the order's own email address, with the link that is good now."</p>{slot.choice("mail", "Mail", proposed, kinds)} };
    slot.show(desk, "Send a mail again…", fields.into_any(), &[("mail", "Send again")])
}

fn note(desk: &Desk, data: &OrderData) -> AnyView {
    if !may(desk, Act::Note) || matches!(data.customer, Customer::Erased) {
        return ().into_any();
    }
    let slot = Slot::new(Act::Note, "", data);
    let field = slot.area("note", "Note", "", "For the staff only. Erased with the customer.", 2_000);
    slot.show(desk, "Add a note…", field, &[("note", "Add")])
}
