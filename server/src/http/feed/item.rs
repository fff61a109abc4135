//! One variant as an entry of the feed. It says only what the shop knows: no GTIN that is none, no date on which more pieces come, and an earlier
//! price only where the page strikes one through.

use super::{Feed, element};
use crate::{
    catalog::{
        import::body::plain,
        product::{Variant, text},
    },
    readmodel::{documents, records::Record},
};
use app::{
    components::picture,
    routes::{Address, Route},
};
use domain::{
    catalog::{Picture, ProductOption},
    delivery::Place,
    live::{Availability, LiveVariant},
    money::Money,
    offer::{Instant, Offer, offer},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Google's limits, in characters and pictures.
const TITLE_CHARS_MAX: usize = 150;
const DESCRIPTION_CHARS_MAX: usize = 5_000;
const MORE_PICTURES_MAX: usize = 10;
const PICTURE_PX: u32 = 1_200;

/// Writes an entry for each variant of a product that the market sells.
pub(super) fn write(feed: &Feed, record: &Record, out: &mut String) {
    let live = record.live(std::slice::from_ref(&feed.market), 0, feed.now);
    let language = feed.locale.text_language();
    let options = documents::options(&record.product, language);
    let pictures = documents::pictures(&record.product, &options, language);
    for variant in &record.variants {
        let Some(here) = live.variant(feed.market.code, variant.id) else { continue };
        if let Some(offer) = offer(&here.windows, feed.now) {
            out.push_str("<item>\n");
            Entry { feed, record, variant, options: &options, pictures: &pictures }.write(here, &offer, out);
            out.push_str("</item>\n");
        }
    }
}

struct Entry<'a> {
    feed: &'a Feed,
    record: &'a Record,
    variant: &'a Variant,
    options: &'a [ProductOption],
    pictures: &'a [Picture],
}

impl Entry<'_> {
    fn write(&self, here: &LiveVariant, offer: &Offer, out: &mut String) {
        let Self { feed, record, variant, .. } = self;
        let (product, language) = (&record.product, feed.locale.text_language());
        let title = text(&product.texts.title, language);
        let names = self.chosen().map(|(_, _, name)| name);
        let name: Vec<&str> = std::iter::once(title.as_str()).chain(names).collect();
        let description = [plain(&text(&product.texts.description_html, language)), text(&product.texts.summary, language), title.clone()];
        let description = description.iter().find(|text| !text.is_empty()).map_or("", String::as_str);
        element("g:id", &variant.id.to_string(), out);
        element("g:item_group_id", &product.id.to_string(), out);
        element("g:title", &cut(&name.join(", "), TITLE_CHARS_MAX), out);
        element("g:description", &cut(description, DESCRIPTION_CHARS_MAX), out);
        element("g:link", &self.link(), out);
        self.write_pictures(out);
        element("g:availability", availability(here.availability), out);
        self.write_price(offer, out);
        self.write_identity(out);
        element("g:condition", "new", out);
        for (option, _, name) in self.chosen() {
            match option {
                "colour" => element("g:color", name, out),
                "size" => element("g:size", name, out),
                "material" => element("g:material", name, out),
                _ => {}
            }
        }
        if let Some(category) = product.category.as_deref().and_then(|key| feed.shared.category(key)) {
            element("g:product_type", &text(&category.titles, language), out);
        }
        if variant.weight_g > 0 {
            element("g:shipping_weight", &format!("{} g", variant.weight_g), out);
        }
        let grams = u64::try_from(variant.weight_g).unwrap_or(0);
        let standard = feed.standard.as_ref().and_then(|method| method.to(Place::somewhere(feed.market.code), grams).ok());
        if let Some(standard) = standard {
            out.push_str("<g:shipping>\n");
            element("g:country", feed.market.code.code(), out);
            element("g:service", standard.name(language), out);
            element("g:price", &amount(standard.charge(offer.price, grams)), out);
            out.push_str("</g:shipping>\n");
        }
    }

    /// The slug of each option with slug and name of the value.
    fn chosen(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.options.iter().zip(&self.variant.values).filter_map(|(option, value)| {
            let known = option.values.iter().find(|known| known.slug == *value)?;
            Some((option.slug.as_str(), known.slug.as_str(), known.name.as_str()))
        })
    }

    /// The page with the variant chosen, as JSON-LD names it.
    fn link(&self) -> String {
        let slugs = &self.record.slugs;
        let slug = slugs.get(&self.feed.locale.text_language()).or_else(|| slugs.values().next()).cloned().unwrap_or_default();
        let selection: BTreeMap<_, _> = self.options.iter().map(|option| option.slug.clone()).zip(self.variant.values.iter().cloned()).collect();
        format!("{}{}", self.feed.origin, Address::new(self.feed.locale, Route::Product { slug, selection }).url())
    }

    /// Pictures of the variant's colour, or of the product where none shows it.
    fn write_pictures(&self, out: &mut String) {
        let colour = self.chosen().find(|(option, _, _)| *option == "colour").map(|(_, value, _)| value);
        let of_colour: Vec<&Picture> = self.pictures.iter().filter(|picture| colour.is_some() && picture.value.as_deref() == colour).collect();
        let shown = if of_colour.is_empty() { self.pictures.iter().collect() } else { of_colour };
        let addresses = shown.into_iter().filter_map(|shown| picture::address(shown, PICTURE_PX));
        for (at, path) in addresses.take(1 + MORE_PICTURES_MAX).enumerate() {
            let name = if at == 0 { "g:image_link" } else { "g:additional_image_link" };
            element(name, &format!("{}{path}", self.feed.origin), out);
        }
    }

    /// As the market shows prices: without tax in the United States and Canada, with it elsewhere, which is also what Google wants.
    fn write_price(&self, offer: &Offer, out: &mut String) {
        let Some(was) = offer.was else { return element("g:price", &amount(offer.price), out) };
        element("g:price", &amount(was), out);
        element("g:sale_price", &amount(offer.price), out);
        if let Some(until) = offer.valid_until {
            element("g:sale_price_effective_date", &format!("{}/{}", time(self.feed.now), time(until)), out);
        }
    }

    /// Barcodes count if they are GTINs. SKUs are the shop's own and no manufacturer's part numbers.
    fn write_identity(&self, out: &mut String) {
        if !self.record.product.vendor.is_empty() {
            element("g:brand", &self.record.product.vendor, out);
        }
        if is_gtin(&self.variant.barcode) {
            element("g:gtin", &self.variant.barcode, out);
        } else {
            element("g:identifier_exists", "no", out);
        }
    }
}

/// The day on which a back-order leaves is not known, so none is named.
const fn availability(availability: Availability) -> &'static str {
    match availability {
        Availability::InStock | Availability::Low { .. } => "in_stock",
        Availability::BackOrder => "backorder",
        Availability::SoldOut => "out_of_stock",
    }
}

/// `29.00 EUR`.
fn amount(money: Money) -> String {
    format!("{} {}", money.decimal(), money.currency.code())
}

/// ISO 8601, in UTC and whole seconds.
fn time(at: Instant) -> String {
    Timestamp::from_second(at.div_euclid(1_000_000)).map_or_else(|_| String::new(), |at| at.to_string())
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// 8, 12, 13 or 14 digits with a check digit (GS1 General Specifications, 7.9), and none of those that a shop gives itself: GTIN-13 that begin with
/// 2 or 02 to 04 are for use inside one company (1.4.5), which Google refuses.
fn is_gtin(code: &str) -> bool {
    if !matches!(code.len(), 8 | 12 | 13 | 14) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = code.bytes().rev().zip([1, 3].into_iter().cycle()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let as_14 = format!("{code:0>14}");
    let is_own = match &as_14[1..] {
        rest if code.len() == 8 => rest.as_bytes().get(5).is_some_and(|first| matches!(first, b'0' | b'2')),
        rest => rest.starts_with('2') || ["02", "04"].iter().any(|own| rest.starts_with(own)),
    };
    sum.is_multiple_of(10) && sum > 0 && !is_own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_gtins_are_named() {
        for code in ["4006381333931", "036000291452", "96385074", "10614141000415"] {
            assert!(is_gtin(code), "{code}");
        }
        for code in ["", "4006381333932", "400638133393", "400638133393A", "2000000000008", "0000000000000", "0200000000004", "２４００６３８１３３"]
        {
            assert!(!is_gtin(code), "{code}");
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out_and_the_rest_escaped() {
        let mut out = String::new();
        element("g:title", "Cups & \u{0}\u{b}<saucers>\u{ffff} 日本", &mut out);
        assert_eq!(out, "<g:title>Cups &amp; &lt;saucers&gt; 日本</g:title>\n");
    }
}
