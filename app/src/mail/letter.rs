//! The parts of a letter in their order, as words: what text and HTML both say.

use super::{Kind, MailData};
use crate::{
    i18n::{date_range, filled, follow, money, till},
    ports::View,
    private::{country_name, sums},
};
use domain::address::Address;

/// A letter, ready to be set.
pub struct Letter {
    pub subject: String,
    /// `Hello Ada Lovelace,`
    pub greeting: String,
    /// What happened, and what happens next.
    pub paragraphs: Vec<String>,
    /// The words and the address of the one button.
    pub button: (String, String),
    pub items: Option<Items>,
    /// Label and amount; the last one is the total.
    pub sums: Vec<(String, String)>,
    /// Label and lines: parcels, delivery, addresses.
    pub facts: Vec<Fact>,
    /// Why this mail came, and from whom.
    pub small: Vec<String>,
}

/// The lines that a letter is about.
pub struct Items {
    pub title: String,
    pub lines: Vec<Item>,
}

/// One line.
pub struct Item {
    pub title: String,
    /// Options and quantity.
    pub details: String,
    pub amount: Option<String>,
}

/// A label with lines below it.
pub struct Fact {
    pub label: String,
    pub lines: Vec<String>,
}

pub fn letter(view: &View, data: &MailData) -> Letter {
    let (messages, common) = (follow(view.locale), till(view.locale));
    let (subject, text, next) = match data.kind {
        Kind::Placed => (messages.placed_subject, messages.placed_text, messages.placed_next),
        Kind::Paid => (messages.paid_subject, messages.paid_text, messages.paid_next),
        Kind::Shipped if data.is_part => (messages.shipped_part_subject, messages.shipped_text, messages.shipped_next),
        Kind::Delivered if data.is_part => (messages.delivered_part_subject, messages.delivered_text, messages.delivered_next),
        Kind::Shipped => (messages.shipped_subject, messages.shipped_text, messages.shipped_next),
        Kind::Delivered => (messages.delivered_subject, messages.delivered_text, messages.delivered_next),
        Kind::Refunded => (messages.refunded_subject, messages.refunded_text, messages.refunded_next),
        Kind::Cancelled if data.replaced => (messages.cancelled_subject, common.text_withdrawn, messages.cancelled_next),
        Kind::Cancelled => (messages.cancelled_subject, messages.cancelled_text, messages.cancelled_next),
        Kind::Returned => (messages.returned_subject, messages.returned_text, messages.returned_next),
        Kind::Link => (messages.link_subject, messages.link_text, messages.link_next),
    };
    // Latin numbers and amounts keep their order inside a right-to-left sentence (Unicode UAX 9, 2.4: isolates).
    let isolated = |text: &str| if view.locale.language.is_rtl() { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() };
    let (number, amount, name) = (isolated(&data.number), isolated(&money(data.amount, view.locale)), isolated(&data.name));
    let fill = |template: &str| filled(template, &[("number", &number), ("amount", &amount), ("name", &name)]);
    let mut small = vec![fill(messages.why_mail)];
    small.extend((!view.market.legal_entity.is_empty()).then(|| view.market.legal_entity.clone()));
    Letter {
        subject: fill(subject),
        greeting: fill(messages.greeting),
        paragraphs: vec![fill(text), fill(next)],
        button: (messages.view_order.to_owned(), data.link.clone()),
        items: items(view, data),
        sums: if matches!(data.kind, Kind::Placed | Kind::Paid) { sums_of(view, data) } else { Vec::new() },
        facts: facts(view, data),
        small,
    }
}

fn items(view: &View, data: &MailData) -> Option<Items> {
    let (messages, common) = (follow(view.locale), till(view.locale));
    let title = match data.kind {
        Kind::Shipped | Kind::Delivered => messages.shipped_items,
        Kind::Returned => messages.returned_items,
        Kind::Refunded => messages.refunded_items,
        // The link alone: whoever reads this mailbox need not have ordered.
        Kind::Link => return None,
        _ => common.order_items,
    };
    let lines = data.lines.iter().map(|line| {
        let quantity = filled(common.quantity_is, &[("count", &line.quantity.to_string())]);
        let details = line.options.iter().cloned().chain([quantity]).collect::<Vec<_>>().join(", ");
        Item { title: line.title.clone(), details, amount: line.total.map(|total| money(total, view.locale)) }
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| Items { title: title.to_owned(), lines })
}

fn sums_of(view: &View, data: &MailData) -> Vec<(String, String)> {
    let common = till(view.locale);
    let entries = |included: bool| data.quote.entries.iter().filter(move |entry| entry.included == included);
    let mut rows: Vec<_> = entries(false).map(|entry| (sums::label(entry, view), sums::amount(entry, view))).collect();
    rows.extend(entries(true).map(|entry| (sums::label(entry, view), money(entry.amount, view.locale))));
    rows.push((common.total.to_owned(), money(data.quote.total, view.locale)));
    rows
}

fn facts(view: &View, data: &MailData) -> Vec<Fact> {
    let (messages, common) = (follow(view.locale), till(view.locale));
    let plain = |label: &str, lines: Vec<String>| Fact { label: label.to_owned(), lines };
    let postal = |address: &Address| {
        let mut lines = address.label();
        lines.push(country_name(address.country, view.locale).to_owned());
        lines
    };
    let mut facts = Vec::new();
    if data.kind == Kind::Refunded {
        facts.push(plain(messages.refund, vec![money(data.amount, view.locale)]));
    }
    for parcel in &data.parcels {
        if !parcel.carrier.is_empty() {
            facts.push(plain(messages.carrier, vec![parcel.carrier.clone()]));
        }
        if !parcel.tracking.is_empty() {
            facts.push(plain(messages.tracking, vec![parcel.tracking.clone()]));
        }
    }
    if matches!(data.kind, Kind::Placed | Kind::Paid) {
        let arrives = filled(common.arrives, &[("dates", &date_range(data.promise.from, data.promise.to, view.locale))]);
        facts.push(plain(common.delivery_method, vec![data.method.clone(), arrives]));
    }
    if matches!(data.kind, Kind::Placed | Kind::Paid | Kind::Shipped | Kind::Delivered) {
        facts.push(plain(common.deliver_to, postal(&data.delivery)));
    }
    if matches!(data.kind, Kind::Placed | Kind::Paid)
        && let Some(billing) = &data.billing
    {
        facts.push(plain(common.bill_to, postal(billing)));
    }
    facts
}
