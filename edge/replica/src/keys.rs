//! Where what stands in the table.

use app::ports::storefront::ShelfKey;
use domain::{ProductId, locale::TextLanguage, market::MarketCode};

/// The sort key of an item that is alone under its key.
pub const ONLY: &str = "-";
/// The form of the items.
pub const FORMAT: &str = "readmodel";
pub const LIVE: &str = "live";
/// Renamed shelves.
pub const SLUGS: &str = "slugs";

/// What all pages share.
pub const SHOP: &str = "shop";

/// Whether an item under this partition key belongs to the read model, and so to nobody.
pub fn is_public(pk: &str) -> bool {
    matches!(pk, SHOP | SLUGS) || ["product#", "slug#", "listing#", "page#", "help#"].iter().any(|prefix| pk.starts_with(prefix))
}

pub fn product(id: ProductId) -> String {
    format!("product#{id}")
}
pub fn document(language: TextLanguage) -> String {
    format!("doc#{}", language.key())
}
pub fn slug(slug: &str) -> String {
    format!("slug#{slug}")
}
pub fn listing(shelf: &ShelfKey) -> String {
    match shelf {
        ShelfKey::All => "listing#all".to_owned(),
        ShelfKey::Category(key) => format!("listing#c#{key}"),
        ShelfKey::Tag(key) => format!("listing#t#{key}"),
    }
}
/// A page of a shelf, as one market or as all that sell everything on it see it.
pub fn page(language: TextLanguage, market: Option<MarketCode>, page: u32) -> String {
    match market {
        None => format!("{}#{page:05}", language.key()),
        Some(market) => format!("{}#{market}#{page:05}", language.key()),
    }
}
/// A shelf's title and how much is on it.
pub fn head(language: TextLanguage) -> String {
    format!("{}#head", language.key())
}
pub fn blocks(slug: &str) -> String {
    format!("page#{slug}")
}
pub fn help(slug: &str) -> String {
    format!("help#{slug}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_are_made_from_is_public_and_what_belongs_to_somebody_is_not() {
        let shelf = listing(&ShelfKey::Tag("new".to_owned()));
        for pk in [SHOP, SLUGS, &slug("lamp"), &blocks("home"), &help("returns"), &shelf] {
            assert!(is_public(pk), "{pk}");
        }
        for pk in ["cart#1", "draft#1", "account#1", "", "Product#1", "shop2", FORMAT] {
            assert!(!is_public(pk), "{pk}");
        }
    }
}
