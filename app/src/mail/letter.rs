//! The parts of a letter in their order, as words: what text and HTML both say.

use super::{Kind, MailData, MailLine, MoneyBack, sentences};
use crate::{
    document::SHOP_NAME,
    i18n::{date_range, filled, follow, give_back, money, promotion, till},
    ports::View,
    private::{country_name, give_back::reason_words, sums, told, trace},
};
use domain::{
    address::Address,
    pricing::{Entry, Why},
};

/// A letter, ready to be set.
pub struct Letter {
    pub subject: String,
    /// `Hello Ada Lovelace,`
    pub greeting: String,
    /// What happened, and what happens next.
    pub paragraphs: Vec<String>,
    /// The words and the address of the one button.
    pub button: (String, String),
    pub items: Vec<Items>,
    /// Label and amount; the last one is the total.
    pub sums: Vec<(String, String)>,
    /// Label and lines: parcels, delivery, addresses.
    pub facts: Vec<Fact>,
    /// Why this mail came.
    pub small: String,
    /// Who is behind the shop, where its name alone does not say it.
    pub entity: Option<String>,
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
    let messages = follow(view.locale);
    // Latin numbers and amounts keep their order inside a right-to-left sentence (Unicode UAX 9, 2.4: isolates).
    let isolated = |text: &str| if view.locale.language.is_rtl() { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() };
    let amount = money(sentences::amount(data), view.locale);
    let (number, amount, name) = (isolated(&data.number), isolated(&amount), isolated(&data.name));
    let fill = |template: &str| filled(template, &[("number", &number), ("amount", &amount), ("name", &name)]);
    let entity = &view.market.legal_entity;
    Letter {
        subject: fill(sentences::subject(data, messages)),
        greeting: fill(messages.greeting),
        paragraphs: sentences::paragraphs(view, data).iter().map(|paragraph| fill(paragraph)).collect(),
        button: (messages.view_order.to_owned(), data.link.clone()),
        items: items(view, data),
        sums: if matches!(data.kind, Kind::Placed | Kind::Paid | Kind::PaymentFailed) { sums_of(view, data) } else { money_back(view, data) },
        facts: facts(view, data, &number),
        small: fill(messages.why_mail),
        entity: (!entity.is_empty() && entity != SHOP_NAME).then(|| entity.clone()),
    }
}

fn items(view: &View, data: &MailData) -> Vec<Items> {
    let (messages, common, returns) = (follow(view.locale), till(view.locale), give_back(view.locale));
    let title = match data.kind {
        Kind::Shipped | Kind::Delivered => messages.shipped_items,
        Kind::PartCancelled => messages.cancelled_items,
        Kind::ReturnAnnounced => returns.pieces,
        Kind::Returned => messages.returned_items,
        Kind::ReturnRefused | Kind::ReturnCalledOff => messages.return_items,
        Kind::Refunded => messages.refunded_items,
        // The link alone: whoever reads this mailbox need not have ordered.
        Kind::Link => return Vec::new(),
        Kind::Placed | Kind::Paid | Kind::PaymentFailed | Kind::Cancelled => common.order_items,
    };
    let all = [(title, &data.lines), (messages.exchange_items, &data.back.exchange), (messages.missing_items, &data.back.missing)];
    let told = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    told.map(|(title, lines)| Items { title: title.to_owned(), lines: lines.iter().map(|line| item(view, line)).collect() }).collect()
}

fn item(view: &View, line: &MailLine) -> Item {
    let (common, returns) = (till(view.locale), give_back(view.locale));
    let quantity = filled(common.quantity_is, &[("count", &line.quantity.to_string())]);
    let wish = line.wish.iter().flat_map(|wish| {
        let exchange = wish.exchange.as_ref().map(|variant| filled(returns.wish_exchange, &[("variant", variant)]));
        [reason_words(wish.reason, returns).to_owned(), exchange.unwrap_or_else(|| returns.wish_refund.to_owned())]
    });
    let details = line.options.iter().cloned().chain([quantity]).chain(wish).collect::<Vec<_>>().join(", ");
    Item { title: line.title.clone(), details, amount: line.total.map(|total| money(total, view.locale)) }
}

/// What goes back, and what was kept of it.
fn money_back(view: &View, data: &MailData) -> Vec<(String, String)> {
    let messages = follow(view.locale);
    let refund = match data.money {
        MoneyBack::Going(amount) | MoneyBack::Sent(amount) | MoneyBack::SentOtherwise(amount) => Some(amount),
        MoneyBack::Untold | MoneyBack::NeverCharged | MoneyBack::TakenByBank | MoneyBack::Nothing => None,
    };
    let all = [(messages.kept_back, data.kept_back), (messages.charge_back, data.charge), (messages.refund, refund)];
    all.into_iter().filter_map(|(label, amount)| Some((label.to_owned(), money(amount?, view.locale)))).collect()
}

fn sums_of(view: &View, data: &MailData) -> Vec<(String, String)> {
    let common = till(view.locale);
    let entries = |included: bool| data.quote.entries.iter().filter(move |entry| entry.included == included);
    let label = |entry: &Entry| {
        let is_estimated = matches!(entry.why, Why::TaxOnTop { estimated: true, .. });
        if is_estimated { format!("{} ({})", sums::label(entry, view), common.estimated) } else { sums::label(entry, view) }
    };
    let mut rows: Vec<_> = entries(false).map(|entry| (label(entry), sums::amount(entry, view))).collect();
    rows.extend(entries(true).map(|entry| (sums::label(entry, view), money(entry.amount, view.locale))));
    rows.push((common.total.to_owned(), money(data.quote.total, view.locale)));
    rows
}

/// How the total came about, and why promotions did not apply: what the order's page says.
fn reasons(view: &View, data: &MailData) -> [(&'static str, Vec<String>); 2] {
    let quote = &data.quote;
    let taken = quote.entries.iter().filter(|entry| !matches!(entry.why, Why::Lines { .. }));
    let taken = taken.map(|entry| told(&sums::label(entry, view), &sums::because(entry, quote, view), view.locale));
    let left = quote.trace.iter().filter(|traced| traced.is_for_shoppers());
    let left = left.filter_map(|traced| Some(told(&trace::name(traced), &trace::reason(traced.refusal()?, view), view.locale)));
    [(till(view.locale).how_total, taken.collect()), (promotion(view.locale).not_applied, left.collect())]
}

fn facts(view: &View, data: &MailData, number: &str) -> Vec<Fact> {
    let (messages, common, returns) = (follow(view.locale), till(view.locale), give_back(view.locale));
    let plain = |label: &str, lines: Vec<String>| Fact { label: label.to_owned(), lines };
    let postal = |address: &Address| {
        let mut lines = address.label();
        lines.push(country_name(address.country, view.locale).to_owned());
        lines
    };
    let mut facts = Vec::new();
    if let Some(awaited) = &data.back.awaited {
        let with = |template: &str, amount| filled(template, &[("amount", &money(amount, view.locale))]);
        let amount = awaited.amount.map(|amount| with(returns.amount_text, amount));
        let amount = amount.or_else(|| awaited.all_exchanged.then(|| returns.amount_none.to_owned()));
        facts.extend(amount.map(|words| plain(returns.amount, vec![words])));
        let label = if awaited.label.is_zero() { returns.label_free.to_owned() } else { with(returns.label_fee, awaited.label) };
        facts.push(plain(returns.label, vec![label]));
        facts.push(plain(returns.how, vec![filled(returns.label_how, &[("number", number)])]));
    }
    if !data.back.why.is_empty() {
        facts.push(plain(returns.reason, data.back.why.lines().map(str::to_owned).collect()));
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
        facts.extend(reasons(view, data).into_iter().filter(|(_, lines)| !lines.is_empty()).map(|(label, lines)| plain(label, lines)));
        let arrives = data.promise.map(|promise| filled(common.arrives, &[("dates", &date_range(promise.from, promise.to, view.locale))]));
        facts.push(plain(common.delivery_method, std::iter::once(data.method.clone()).chain(arrives).collect()));
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
