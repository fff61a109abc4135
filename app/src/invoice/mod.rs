//! An invoice as words and figures in its own locale: what both the page ([`html`]) and the PDF show. What it comes to was decided in
//! [`domain::invoice`].

pub mod html;

use crate::{
    i18n::{date_range, filled, invoice as words, long_date, money, number},
    private::{country_name, percent, region_name, tax_name},
};
use domain::{
    delivery,
    invoice::{Buyer, Invoice, Kind, Row, Tax},
    locale::Locale,
    market::{Country, TaxMode},
    money::Money,
    offer::Instant,
    refund::RefundReason,
};

/// A document, ready to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    pub locale: Locale,
    pub title: String,
    pub number: String,
    /// Name and lines of who sells: address, tax numbers.
    pub seller: (String, Vec<String>),
    /// Heading and lines of whom it is for; no lines where nobody knows any more.
    pub buyer: (String, Vec<String>),
    /// Names and values.
    pub facts: Vec<(String, String)>,
    pub goods: Table,
    /// Names and amounts, the total last.
    pub sums: Vec<(String, String)>,
    pub tax_title: String,
    pub taxes: Table,
    pub notes: Vec<String>,
}

/// A table whose first column is text and whose others are figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub heads: Vec<String>,
    pub rows: Vec<Entry>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// In small below it.
    pub more: String,
    pub figures: Vec<String>,
}

/// Sets a document. `None` for a buyer of whom nothing is known any more.
pub fn paper(invoice: &Invoice, buyer: Option<&Buyer>) -> Paper {
    let (locale, messages) = (invoice.locale, words(invoice.locale));
    let is_note = invoice.kind != Kind::Invoice;
    let seller = &invoice.seller;
    let mut lines = seller.address.clone();
    lines.push(country_name(seller.country, locale).to_owned());
    lines.extend(seller.tax_ids.iter().map(|id| format!("{} {}", id.label, id.number)));
    let buyer = buyer.map(|buyer| {
        let country = buyer.country.filter(|country| country_name(*country, locale) != country_name(unknown(), locale));
        buyer.lines.iter().cloned().chain(country.map(|country| country_name(country, locale).to_owned())).collect()
    });
    let mut notes = seller.remarks.clone();
    if invoice.amounts.taxes.iter().any(Tax::is_reduced) {
        notes.insert(0, messages.reduced.to_owned());
    }
    Paper {
        locale,
        title: (if is_note { messages.credit_note } else { messages.invoice }).to_owned(),
        number: invoice.number.clone(),
        seller: (seller.name.clone(), lines),
        buyer: (messages.buyer.to_owned(), buyer.unwrap_or_default()),
        facts: facts(invoice),
        goods: goods(invoice, is_note),
        sums: sums(invoice, is_note),
        tax_title: messages.taxes.to_owned(),
        taxes: taxes(invoice),
        notes,
    }
}

fn unknown() -> Country {
    "ZZ".parse().expect("two capitals")
}

fn facts(invoice: &Invoice) -> Vec<(String, String)> {
    let messages = words(invoice.locale);
    let day = |at| day(invoice, at);
    let mut facts = vec![(messages.number, invoice.number.clone()), (messages.issued, day(invoice.issued_at))];
    match &invoice.kind {
        Kind::Invoice => {
            let arrives = date_range(invoice.promise.from, invoice.promise.to, invoice.locale);
            facts.extend([(messages.ordered, day(invoice.ordered_at)), (messages.paid, day(invoice.paid_at))]);
            facts.extend((!invoice.undated).then_some((messages.arrives, arrives)));
        }
        Kind::CreditNote { corrects, corrects_issued_at, reason } => {
            let corrected = filled(messages.corrected, &[("number", corrects), ("date", &day(*corrects_issued_at))]);
            let reason = match reason {
                RefundReason::Returned => messages.reason_returned,
                RefundReason::Goodwill => messages.reason_goodwill,
                RefundReason::Cancelled | RefundReason::SoldOutMeanwhile | RefundReason::PaidTwice | RefundReason::Withdrawn => {
                    messages.reason_cancelled
                }
            };
            facts.extend([(messages.corrects, corrected), (messages.paid, day(invoice.paid_at)), (messages.reason, reason.to_owned())]);
        }
    }
    facts.push((messages.order, invoice.order.clone()));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether the price of a piece without tax is told beside the one with it: in the EU and in Great Britain (art. 226(8); Notice 700, 16.3).
fn tells_net(invoice: &Invoice) -> bool {
    invoice.tax_mode == TaxMode::Inclusive && !matches!(invoice.market.code(), "JP" | "KR")
}

fn goods(invoice: &Invoice, is_note: bool) -> Table {
    let (locale, messages, taxes) = (invoice.locale, words(invoice.locale), &invoice.amounts.taxes);
    let discounted = !is_note && invoice.amounts.rows.iter().any(|row| !row.discount.is_zero());
    let (net, unit) = (!is_note && tells_net(invoice), !is_note);
    let heads = [
        (true, messages.item),
        (true, messages.quantity),
        (net, messages.unit_net),
        (unit, messages.unit),
        (discounted, messages.discount),
        (true, messages.rate),
        (true, messages.amount),
    ];
    let row = |row: &Row| {
        let minus = || if row.discount.is_zero() { String::new() } else { money(Money::new(-row.discount.minor, row.discount.currency), locale) };
        let figures = [
            (true, if row.quantity == 0 { String::new() } else { number(row.quantity.into(), locale) }),
            (net, row.unit_net(taxes).map_or_else(|| money(row.unit, locale), |unit| money(unit, locale))),
            (unit, money(row.unit, locale)),
            (discounted, minus()),
            (true, row.taxes(taxes).map(|tax| percent(tax.millionths, locale)).collect::<Vec<_>>().join(" + ")),
            (true, money(row.amount, locale)),
        ];
        let mark = if row.taxes(taxes).any(Tax::is_reduced) { " ※" } else { "" };
        let lowered = (row.quantity == 0).then(|| messages.lowered.to_owned());
        let more: Vec<String> =
            row.item.options.iter().cloned().chain(Some(row.item.sku.clone())).chain(lowered).filter(|part| !part.is_empty()).collect();
        let figures = figures.into_iter().filter(|(shown, _)| *shown).map(|(_, figure)| figure).collect();
        Entry { name: format!("{}{mark}", row.item.title), more: more.join(" · "), figures }
    };
    Table {
        heads: heads.into_iter().filter(|(shown, _)| *shown).map(|(_, head)| head.to_owned()).collect(),
        rows: invoice.amounts.rows.iter().map(row).collect(),
    }
}

fn sums(invoice: &Invoice, is_note: bool) -> Vec<(String, String)> {
    let (locale, messages) = (invoice.locale, words(invoice.locale));
    let total = if is_note { messages.total_back } else { messages.total };
    let taxes = invoice.amounts.taxes.iter().map(|tax| (tax_words(tax, locale), money(tax.amount, locale)));
    let net = (messages.net.to_owned(), money(invoice.amounts.net, locale));
    std::iter::once(net).chain(taxes).chain([(total.to_owned(), money(invoice.amounts.total, locale))]).collect()
}

fn taxes(invoice: &Invoice) -> Table {
    let (locale, messages) = (invoice.locale, words(invoice.locale));
    let rows = invoice.amounts.taxes.iter().map(|tax| {
        let gross = Money::new(tax.net().minor + tax.amount.minor, tax.amount.currency);
        let mark = if tax.is_reduced() { " ※" } else { "" };
        let figures = [tax.net(), tax.amount, gross].map(|amount| money(amount, locale)).to_vec();
        Entry { name: format!("{}{mark}", tax_words(tax, locale)), more: String::new(), figures }
    });
    let heads = [messages.rate, messages.net_of_rate, messages.tax, messages.gross].map(str::to_owned).to_vec();
    Table { heads, rows: rows.collect() }
}

/// `MwSt. 19 %`, `QST Quebec 9.975%`.
fn tax_words(tax: &Tax, locale: Locale) -> String {
    let region = if tax.region.is_empty() { String::new() } else { format!(" {}", region_name(tax.country, &tax.region, locale)) };
    format!("{}{region} {}", tax_name(&tax.name, locale), percent(tax.millionths, locale))
}

/// A day in the market's zone.
fn day(invoice: &Invoice, at: Instant) -> String {
    let zone = delivery::zone(&invoice.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::new(), |at| long_date(at.to_zoned(zone).date(), invoice.locale))
}
