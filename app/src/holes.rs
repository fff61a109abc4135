//! Fills the holes of a page: the only place that turns an offer or an availability into HTML. Pages name holes, they never print a price.

use crate::i18n::{self, filled, shop};
use domain::{
    VariantId,
    delivery::{Leaving, Timetable},
    live::{Availability, CLOSE, Hole, LiveItem, LiveVariant, OPEN, OR},
    locale::{Language, Locale},
    market::Market,
    offer::{Instant, Offer, offer},
};
use std::{fmt::Write as _, sync::Arc};

/// What the holes of one response are filled from.
#[derive(Clone, Copy, Debug)]
pub struct HoleValues<'a> {
    pub locale: Locale,
    pub market: &'a Market,
    pub now: Instant,
    /// Live items of the products on the page, in any order.
    pub live: &'a [Arc<LiveItem>],
    pub nonce: &'a str,
    /// A fresh id in the form of [`domain::MutationId`].
    pub mutation_id: &'a str,
    /// Pieces in the visitor's cart.
    pub cart_count: u32,
    /// The market's standard delivery, by which pieces are promised.
    pub standard: Option<&'a Timetable>,
}

impl HoleValues<'_> {
    fn item(&self, product: domain::ProductId) -> Option<&LiveItem> {
        self.live.iter().find(|item| item.product == product).map(AsRef::as_ref)
    }

    fn variant(&self, variant: VariantId) -> Option<(&LiveVariant, Offer)> {
        let live = self.live.iter().find_map(|item| item.variant(self.market.code, variant))?;
        Some((live, offer(&live.windows, self.now)?))
    }

    /// Which of two alternatives a hole shows that is a choice: whether a variant is offered here, and whether it can be bought.
    pub fn holds(&self, choice: Hole) -> bool {
        match choice {
            Hole::IfBuyable(variant) => self.variant(variant).is_some_and(|(live, _)| live.availability.buyable()),
            Hole::IfSold(variant) => self.variant(variant).is_some(),
            _ => false,
        }
    }
}

/// Writes what stands in a hole. A choice holds no value of its own: whoever splits the template asks [`HoleValues::holds`] which
/// alternative stands.
pub fn fill(hole: Hole, values: &HoleValues<'_>, out: &mut String) {
    let locale = values.locale;
    match hole {
        Hole::Nonce => escape(values.nonce, out),
        Hole::MutationId => escape(values.mutation_id, out),
        Hole::CartBadge => out.push_str(&cart_badge(values.cart_count, locale)),
        Hole::Price(variant) => {
            if let Some((_, offer)) = values.variant(variant) {
                price_block(&offer, values, out);
            }
        }
        Hole::CardPrice(product) => match values.item(product).and_then(|item| item.lowest_offer(values.market.code, values.now)) {
            Some((offer, true)) if offer.was.is_none() => {
                escape(&filled(shop(locale).price_from, &[("price", &i18n::price(offer.price, locale))]), out);
            }
            Some((offer, _)) => reduced(&offer, locale, out),
            None => escape(shop(locale).not_sold_here, out),
        },
        Hole::CardFlag(product) => card_flag(product, values, out),
        Hole::Availability(variant) => availability(variant, values, out),
        Hole::IfBuyable(_) | Hole::IfSold(_) => {}
        Hole::PlainPrice(variant) => {
            if let Some((_, offer)) = values.variant(variant) {
                out.push_str(&offer.price.decimal());
            }
        }
        Hole::SchemaAvailability(variant) => {
            out.push_str("https://schema.org/");
            out.push_str(match values.variant(variant).map(|(live, _)| live.availability) {
                Some(Availability::InStock) => "InStock",
                Some(Availability::Low { .. }) => "LimitedAvailability",
                Some(Availability::BackOrder) => "BackOrder",
                Some(Availability::SoldOut) | None => "OutOfStock",
            });
        }
        Hole::DeliveryPromise(variant) => promise(variant, values, out),
    }
}

/// Fills a whole rendered page at once: for pages that are never stored, and for tests. Stored pages are split once by `edge-core`.
pub fn fill_page(html: &str, values: &HoleValues<'_>) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tail)) = rest.split_once(OPEN) {
        out.push_str(before);
        let end = closing(tail);
        let inside = &tail[..end];
        rest = tail.get(end + CLOSE.len_utf8()..).unwrap_or("");
        let (name, alternatives) = divided(inside);
        match (name.parse(), alternatives) {
            (Ok(choice), Some((if_so, if_not))) => out.push_str(&fill_page(if values.holds(choice) { if_so } else { if_not }, values)),
            (Ok(hole), _) => fill(hole, values, &mut out),
            (Err(_), _) => {}
        }
    }
    out.push_str(rest);
    out
}

/// Where the mark that opened just before `tail` closes, in bytes; holes may stand inside alternatives.
fn closing(tail: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in tail.char_indices() {
        match c {
            OPEN => depth += 1,
            CLOSE if depth == 0 => return at,
            CLOSE => depth -= 1,
            _ => {}
        }
    }
    tail.len()
}

/// A hole's name and, if it has them, its two alternatives.
fn divided(inside: &str) -> (&str, Option<(&str, &str)>) {
    let mut depth = 0_u32;
    let mut cuts = Vec::with_capacity(2);
    for (at, c) in inside.char_indices() {
        match c {
            OPEN => depth += 1,
            CLOSE => depth = depth.saturating_sub(1),
            OR if depth == 0 => cuts.push(at),
            _ => {}
        }
    }
    match cuts.as_slice() {
        [first, second, ..] => (&inside[..*first], Some((&inside[first + OR.len_utf8()..*second], &inside[second + OR.len_utf8()..]))),
        _ => (inside, None),
    }
}

/// The badge on the cart's link: hidden when nothing is in it.
pub fn cart_badge(count: u32, locale: Locale) -> String {
    if count == 0 {
        return "<b hidden></b>".to_owned();
    }
    let words = shop(locale).badge_items;
    let word = if count == 1 { words.one } else { words.other };
    let mut out = format!("<b>{}<span class=\"vh\"> ", i18n::number(count.into(), locale));
    escape(word, &mut out);
    out.push_str("</span></b>");
    out
}

/// A variant's price: the old one struck through before the new one, and what the law wants said about the old one.
fn price_block(offer: &Offer, values: &HoleValues<'_>, out: &mut String) {
    reduced(offer, values.locale, out);
    // The reference of an EU reduction is the lowest price of the 30 days before it (Directive 98/6/EC, Article 6a).
    if let Some(was) = offer.was
        && matches!(values.market.code.code(), "DE" | "FR")
    {
        out.push_str(" <small class=\"reference\">");
        escape(&filled(shop(values.locale).lowest_30_days, &[("price", &i18n::price(was, values.locale))]), out);
        out.push_str("</small>");
    }
}

fn reduced(offer: &Offer, locale: Locale, out: &mut String) {
    let was = offer.was.map(|was| i18n::price(was, locale));
    struck(was.as_deref(), &i18n::price(offer.price, locale), locale, out);
}

/// An amount; the earlier one before it, struck through, and named for those who do not see the line through it.
pub(crate) fn struck(was: Option<&str>, now: &str, locale: Locale, out: &mut String) {
    let Some(was) = was else { return escape(now, out) };
    let messages = shop(locale);
    for (open, word, amount, close) in [("<s>", messages.price_was, was, "</s> "), ("<span class=\"now\">", messages.price_now, now, "</span>")] {
        out.push_str(open);
        out.push_str("<span class=\"vh\">");
        escape(word, out);
        out.push_str(" </span>");
        escape(amount, out);
        out.push_str(close);
    }
}

fn card_flag(product: domain::ProductId, values: &HoleValues<'_>, out: &mut String) {
    let Some(item) = values.item(product) else { return };
    let messages = shop(values.locale);
    let Some((offer, _)) = item.lowest_offer(values.market.code, values.now) else { return };
    let (class, text) = match (item.availability(values.market.code), offer.percent_off()) {
        (Availability::SoldOut, _) => ("flag out", messages.sold_out.to_owned()),
        (_, Some(percent)) => ("flag", format!("–{percent}{}%", percent_gap(values.locale))),
        (Availability::Low { left }, None) => ("flag", messages.left.text(values.locale, left.into())),
        _ => return,
    };
    let _ = write!(out, "<span class=\"{class}\">");
    escape(&text, out);
    out.push_str("</span>");
}

fn availability(variant: VariantId, values: &HoleValues<'_>, out: &mut String) {
    let messages = shop(values.locale);
    let (class, text) = match values.variant(variant).map(|(live, _)| live.availability) {
        Some(Availability::InStock) => ("stock", messages.in_stock.to_owned()),
        Some(Availability::Low { left }) => ("stock low", messages.left.text(values.locale, left.into())),
        Some(Availability::BackOrder) => ("stock low", messages.back_order.to_owned()),
        Some(Availability::SoldOut) => ("stock out", messages.sold_out.to_owned()),
        None => ("stock out", messages.not_sold_here.to_owned()),
    };
    let _ = write!(out, "<span class=\"{class}\">");
    escape(&text, out);
    out.push_str("</span>");
}

/// When a variant should arrive: from another location it takes longer, and what is on back-order has no day.
fn promise(variant: VariantId, values: &HoleValues<'_>, out: &mut String) {
    let (Some(timetable), messages) = (values.standard, shop(values.locale)) else { return };
    let live = values.variant(variant).map(|(live, _)| live);
    if live.is_some_and(|live| live.availability == Availability::BackOrder) {
        return escape(messages.delivery_later, out);
    }
    let leaving = live.map_or_else(Leaving::default, LiveVariant::leaving);
    let template = if timetable.origin(leaving).is_some() { messages.delivery_elsewhere } else { messages.delivery_between };
    let promise = timetable.promise(values.market.code, leaving, values.now);
    escape(&filled(template, &[("dates", &i18n::date_range(promise.from, promise.to, values.locale))]), out);
}

/// Escapes for text and for quoted attributes.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// What stands before a per cent sign (CLDR's percent patterns): German and French have a space.
fn percent_gap(locale: Locale) -> &'static str {
    if matches!(locale.language, Language::De | Language::Fr) { "\u{a0}" } else { "" }
}

#[cfg(test)]
#[path = "holes_tests.rs"]
mod tests;
