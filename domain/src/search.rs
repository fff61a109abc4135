//! Filters and sorting of a list, to and from a URL's query. Unknown keys are ignored, doubled ones merged, and the printed form
//! is canonical: the same choice has one address.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a list is narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// Chosen values by option: `colour` → {`sage`, `clay`}. Values of one option are alternatives, options narrow together.
    pub options: BTreeMap<String, BTreeSet<String>>,
    /// Lowest price in minor units of the market's currency.
    pub price_min: Option<i64>,
    /// Highest price in minor units.
    pub price_max: Option<i64>,
    /// Only what can be bought now.
    pub in_stock: bool,
}

/// In which order a list stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The shop's own order; for a search, the best match first.
    #[default]
    Featured,
    Newest,
    PriceAscending,
    PriceDescending,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Featured, Self::Newest, Self::PriceAscending, Self::PriceDescending];

    /// Its value in a URL.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Featured => "featured",
            Self::Newest => "newest",
            Self::PriceAscending => "price-asc",
            Self::PriceDescending => "price-desc",
        }
    }

    /// Reads a URL's value; anything unknown is the shop's own order.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.key() == text).unwrap_or_default()
    }
}

/// Most values that one filter takes into account.
pub const FILTER_VALUES_MAX: usize = 60;

impl Filter {
    /// Whether nothing is narrowed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads a filter from decoded query pairs. Prices are typed in major units (`48` or `48.50`); `minor_digits` turns them into minor units.
    /// Keys: `o.<option>` = value, `min`, `max`, `stock=1`.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, minor_digits: u32) -> Self {
        let mut filter = Self::default();
        for (key, value) in pairs.into_iter().take(FILTER_VALUES_MAX) {
            let value = value.trim();
            match key {
                "min" => filter.price_min = parse_price(value, minor_digits),
                "max" => filter.price_max = parse_price(value, minor_digits),
                "stock" => filter.in_stock = value == "1",
                _ => {
                    if let Some(option) = key.strip_prefix("o.")
                        && is_slug(option)
                        && is_slug(value)
                    {
                        filter.options.entry(option.to_owned()).or_default().insert(value.to_owned());
                    }
                }
            }
        }
        filter
    }

    /// The canonical query pairs of this filter.
    pub fn to_pairs(&self, minor_digits: u32) -> Vec<(String, String)> {
        let mut pairs: Vec<_> =
            self.options.iter().flat_map(|(option, values)| values.iter().map(move |value| (format!("o.{option}"), value.clone()))).collect();
        pairs.extend(self.price_min.map(|minor| ("min".to_owned(), print_price(minor, minor_digits))));
        pairs.extend(self.price_max.map(|minor| ("max".to_owned(), print_price(minor, minor_digits))));
        if self.in_stock {
            pairs.push(("stock".to_owned(), "1".to_owned()));
        }
        pairs
    }
}

/// Slugs of options and values: letters of any script, digits and hyphens, at most 80 bytes.
pub fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && text.chars().all(|c| c.is_alphanumeric() || c == '-')
}

fn parse_price(text: &str, minor_digits: u32) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = minor_digits as usize;
    if whole.is_empty() || whole.len() > 9 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    format!("{whole}{fraction}").parse().ok()
}

fn print_price(minor: i64, minor_digits: u32) -> String {
    let scale = 10_i64.pow(minor_digits);
    if minor % scale == 0 {
        (minor / scale).to_string()
    } else {
        format!("{}.{:0width$}", minor / scale, minor % scale, width = minor_digits as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printed_filters_read_back(
            options in prop::collection::btree_map("[a-z]{1,8}", prop::collection::btree_set("[a-z0-9]{1,8}", 1..4), 0..3),
            price_min in prop::option::of(0_i64..100_000_000), price_max in prop::option::of(0_i64..100_000_000), in_stock: bool, digits in prop::sample::select(vec![0_u32, 2, 3]),
        ) {
            let filter = Filter { options, price_min, price_max, in_stock };
            let pairs = filter.to_pairs(digits);
            let read = Filter::from_pairs(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())), digits);
            prop_assert_eq!(read, filter);
        }
    }

    #[test]
    fn nonsense_narrows_nothing() {
        let pairs = [
            ("min", "abc"),
            ("max", "-4"),
            ("o.colour", "<b>"),
            ("o.", "x"),
            ("stock", "yes"),
            ("utm_source", "mail"),
            ("max", "99999999999999999999"),
        ];
        assert!(Filter::from_pairs(pairs, 2).is_empty());
    }
}
