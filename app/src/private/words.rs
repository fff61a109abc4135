//! Names that depend on more than a language: countries, regions, taxes, fields, percentages, times of day.

use crate::{i18n::till, ports::View};
use domain::{
    address::Field,
    delivery,
    locale::{Language, Locale},
    market::Country,
    offer::Instant,
    region,
};

/// A country's name; its code where we do not sell.
pub fn country_name(country: Country, locale: Locale) -> &'static str {
    let messages = till(locale);
    match country.code() {
        "US" => messages.country_us,
        "CA" => messages.country_ca,
        "GB" => messages.country_gb,
        "DE" => messages.country_de,
        "FR" => messages.country_fr,
        "JP" => messages.country_jp,
        "KR" => messages.country_kr,
        _ => messages.country,
    }
}

/// A region's name, in French where Canada has one.
pub fn region_name(country: Country, code: &str, locale: Locale) -> String {
    let french = (locale.language == Language::Fr).then(|| region::french_name(country, code)).flatten();
    french.or_else(|| region::name(country, code)).unwrap_or(code).to_owned()
}

/// What a tax is called.
pub fn tax_name(name: &str, locale: Locale) -> &'static str {
    let messages = till(locale);
    match name {
        "VAT" => messages.tax_vat,
        "sales tax" => messages.tax_sales,
        "GST" => messages.tax_gst,
        "HST" => messages.tax_hst,
        "PST" => messages.tax_pst,
        "QST" => messages.tax_qst,
        "RST" => messages.tax_rst,
        "consumption tax" => messages.tax_consumption,
        _ => messages.tax,
    }
}

/// A field's label in a country's form.
pub fn field_label(field: Field, country: Country, locale: Locale) -> &'static str {
    let messages = till(locale);
    match field {
        Field::Name => messages.full_name,
        Field::FamilyName => messages.family_name,
        Field::GivenName => messages.given_name,
        Field::Kana => messages.kana,
        Field::Company => messages.company,
        Field::Line1 => messages.line1,
        Field::Line2 => messages.line2,
        Field::City => messages.city,
        Field::Region => match country.code() {
            "US" => messages.state,
            "JP" => messages.prefecture,
            "KR" => messages.sido,
            _ => messages.province,
        },
        Field::Postcode if country.code() == "US" => messages.zip,
        Field::Postcode => messages.postcode,
    }
}

/// A rate in millionths: `9.975%`, `9,975 %`.
pub fn percent(millionths: u32, locale: Locale) -> String {
    let (whole, fraction) = (millionths / 10_000, millionths % 10_000);
    let comma = matches!(locale.language, Language::De | Language::Fr);
    let mut figure = whole.to_string();
    if fraction > 0 {
        figure.push(if comma { ',' } else { '.' });
        figure.push_str(format!("{fraction:04}").trim_end_matches('0'));
    }
    figure.push_str(if comma { "\u{a0}%" } else { "%" });
    figure
}

/// A name and what it comes to, or a sentence about it, as a language sets the colon between them: French puts a space before it.
pub fn told(name: &str, what: &str, locale: Locale) -> String {
    let colon = match locale.language {
        Language::Ja => "：",
        Language::Fr => "\u{a0}: ",
        _ => ": ",
    };
    format!("{name}{colon}{what}")
}

/// A weight as parcels have it: `12.4 kg`, in the United States `27.3 lb` (453.59237 g, NIST Handbook 44). Rounded up to a tenth.
pub fn weight(grams: u64, locale: Locale) -> String {
    let (tenths, unit) =
        if locale.country.code() == "US" { (u128::from(grams) * 1_000_000, ("lb", 45_359_237_u128)) } else { (u128::from(grams), ("kg", 100)) };
    let tenths = tenths.div_ceil(unit.1);
    let point = if matches!(locale.language, Language::De | Language::Fr) { ',' } else { '.' };
    let fraction = if tenths.is_multiple_of(10) { String::new() } else { format!("{point}{}", tenths % 10) };
    format!("{}{fraction}\u{a0}{}", tenths / 10, unit.0)
}

/// The time of day in the market's zone, as its readers write it: `3:05 PM`, `15:05`.
pub fn time_of_day(at: Instant, view: &View) -> String {
    let zone = delivery::zone(&view.market.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let Ok(time) = jiff::Timestamp::from_microsecond(at).map(|at| at.to_zoned(zone).time()) else { return String::new() };
    let (hour, minute) = (time.hour(), time.minute());
    match (view.locale.language, view.locale.country.code()) {
        (Language::En | Language::Pseudo | Language::PseudoRtl, "US" | "CA") => {
            let half = if hour < 12 { "AM" } else { "PM" };
            format!("{}:{minute:02}\u{a0}{half}", if hour % 12 == 0 { 12 } else { hour % 12 })
        }
        (Language::Fr, "CA") => format!("{hour}\u{a0}h\u{a0}{minute:02}"),
        (Language::De, _) => format!("{hour}:{minute:02}\u{a0}Uhr"),
        _ => format!("{hour}:{minute:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_written_as_each_locale_does() {
        for (locale, grams, text) in [
            ("de-de", 12_400, "12,4\u{a0}kg"),
            ("en-gb", 30_000, "30\u{a0}kg"),
            ("ja-jp", 1_250, "1.3\u{a0}kg"),
            ("en-us", 4_535, "10\u{a0}lb"),
            ("en-us", 30_000, "66.2\u{a0}lb"),
        ] {
            assert_eq!(weight(grams, locale.parse().expect("a locale")), text);
        }
    }

    #[test]
    fn rates_are_written_as_each_locale_does() {
        for (locale, millionths, text) in
            [("en-ca", 99_750, "9.975%"), ("fr-ca", 99_750, "9,975\u{a0}%"), ("de-de", 190_000, "19\u{a0}%"), ("ja-jp", 100_000, "10%")]
        {
            assert_eq!(percent(millionths, locale.parse().expect("a locale")), text);
        }
    }
}
