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
