//! The first start: markets, delivery methods and help pages that every shop begins with, and the demo's products.

use crate::{
    catalog::{
        help::{FactWords, Origin, Policies},
        locations::{self, Location},
        prices::{self, NewPrice, Shown},
        product::{Lines, OptionTexts, PictureTexts, Product, ProductTexts, SlugKind, Status, Texts, Variant, count, give_slug},
        shelves::{Category, Tag, add_market, markets, put_page, set_once, setting},
        stock,
    },
    clock::Clock,
    coupons, events, params, promotions,
    sql::{Db, Tx},
    tariffs,
};
use anyhow::Context as _;
use domain::{
    ProductId, VariantId,
    catalog::PictureSource,
    event::Event,
    market::{Market, MarketCode},
    money::Money,
    offer::Instant,
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// In the order of the navigation.
const CATEGORIES: [&str; 6] = [
    include_str!("../../demo/products/bags-travel.json"),
    include_str!("../../demo/products/wear.json"),
    include_str!("../../demo/products/jewellery-eyewear.json"),
    include_str!("../../demo/products/audio-wearables.json"),
    include_str!("../../demo/products/power-mobile.json"),
    include_str!("../../demo/products/desk.json"),
];
const HOME: &str = include_str!("../../demo/home.json");
/// Home and the promo pages, by slug.
const PAGES: [(&str, &str); 3] =
    [("home", HOME), ("launch", include_str!("../../demo/pages/launch.json")), ("travel", include_str!("../../demo/pages/travel.json"))];
const MARKETS: &str = include_str!("../../demo/markets.json");
const LOCATIONS: &str = include_str!("../../demo/locations.json");
const POLICIES: &str = include_str!("../../demo/policies.json");
const FACTS: &str = include_str!("../../demo/facts.json");
const TAGS: &str = include_str!("../../demo/tags.json");
const PICTURES: &str = include_str!("../../demo/pictures.json");

const DAY: Instant = 86_400_000_000;
/// How long before the first start the demo's made-up price history begins: the 30 days of the rule and one to spare.
const HISTORY_DAYS: i64 = 31;

/// Gives a new shop what it needs, and with `demo` the demo's products if it has none yet. Does nothing the second time. Whether
/// products came in.
pub async fn first_start(db: &Db, clock: &Clock, demo: bool) -> anyhow::Result<bool> {
    if setting(db, "first_start").await?.is_none() {
        let clock = clock.clone();
        db.transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move { basics(tx, &clock).await })
        })
        .await
        .context("giving the shop its markets and help pages")?;
    }
    if !demo || setting(db, "demo").await?.is_some() || count(db).await? > 0 {
        return Ok(false);
    }
    bring_in(db, clock).await.context("bringing in the demo catalogue")?;
    events::ring();
    Ok(true)
}

async fn basics(tx: &mut Tx, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    if !set_once(tx, "first_start", &now.to_string()).await? {
        return Ok(());
    }
    let markets: Vec<Market> = serde_json::from_str(MARKETS).context("demo/markets.json")?;
    let policies: Policies = serde_json::from_str(POLICIES).context("demo/policies.json")?;
    let words: FactWords = serde_json::from_str(FACTS).context("demo/facts.json")?;
    let origins: Vec<Origin> = serde_json::from_str(LOCATIONS).context("demo/locations.json")?;
    for (position, market) in (0..).zip(&markets) {
        debug_assert_eq!(policies.ships_from(market.code), market.locations.first().map(String::as_str));
        add_market(tx, market, position, now).await?;
        for (position, method) in (0..).zip(policies.delivery_methods(market, &origins)) {
            tariffs::put_method(tx, market.code, position, &method, now).await?.with_context(|| format!("{} in {}", method.code, market.code))?;
        }
    }
    for location in serde_json::from_str::<Vec<Location>>(LOCATIONS).context("demo/locations.json")? {
        locations::set(tx, clock, &location).await?;
    }
    for (position, page) in (0..).zip(policies.pages(&markets, &words)) {
        put_page(tx, "help", &page.slug, position, &serde_json::to_string(&page)?).await?;
    }
    events::emit(tx, clock, &Event::ShopChanged).await?;
    Ok(())
}

/// A category's file.
#[derive(Deserialize)]
struct Shelf {
    category: String,
    title: Texts,
    description: Texts,
    seo_title: Texts,
    seo_description: Texts,
    products: Vec<Piece>,
}

#[derive(Deserialize)]
struct Piece {
    slug: String,
    title: Texts,
    summary: Texts,
    description: Lines,
    details: Lines,
    materials: Lines,
    options: Vec<OptionTexts>,
    variants: Vec<PieceVariant>,
    prices: BTreeMap<MarketCode, i64>,
    #[serde(default)]
    compare_at: BTreeMap<MarketCode, i64>,
    #[serde(default)]
    variant_prices: BTreeMap<String, BTreeMap<MarketCode, i64>>,
    tax_category: String,
    hs_code: String,
    origin: String,
    alt: Texts,
    tags: Vec<String>,
    published: bool,
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct PieceVariant {
    sku: String,
    options: BTreeMap<String, String>,
    weight_g: i64,
    #[serde(default)]
    handling_days: i64,
    stock: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Image {
    path: String,
    colour: Option<String>,
    view: String,
    width: u32,
    height: u32,
}

/// The sizes in which a picture is ready: width, height and widths by path.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sizes {
    pub width: u32,
    pub height: u32,
    pub widths: Vec<u32>,
}

/// The demo's ready-made pictures by path below `/media`, without width and ending.
pub(crate) fn pictures() -> anyhow::Result<BTreeMap<String, Sizes>> {
    serde_json::from_str(PICTURES).context("demo/pictures.json")
}

async fn bring_in(db: &Db, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let markets = Arc::new(markets(db, now).await?);
    let pictures = Arc::new(pictures()?);
    let tags: Arc<Vec<Tag>> = Arc::new(serde_json::from_str(TAGS).context("demo/tags.json")?);
    let shelves = CATEGORIES.iter().map(|json| Ok(Arc::new(serde_json::from_str(json)?))).collect::<anyhow::Result<Vec<Arc<Shelf>>>>()?;
    let alts = tile_alts()?;
    let (shelves, clock) = (Arc::new(shelves), clock.clone());
    // One transaction: a stop halfway leaves an empty shop, not half a demo.
    db.transact::<_, anyhow::Error>(|tx| {
        let (markets, pictures, tags, shelves, alts, clock) =
            (markets.clone(), pictures.clone(), tags.clone(), shelves.clone(), alts.clone(), clock.clone());
        Box::pin(async move {
            if !set_once(tx, "demo", "1").await? {
                return Ok(());
            }
            coupons::add_demo(tx, &clock).await?;
            promotions::add_demo(tx, &clock).await?;
            for tag in &*tags {
                tag.add(tx).await?;
            }
            for (position, (slug, page)) in (0..).zip(PAGES) {
                put_page(tx, "page", slug, position, page).await?;
            }
            let mut position = 0;
            for shelf in &*shelves {
                shelf.category(&pictures, &alts).add(tx).await?;
                for piece in &shelf.products {
                    add_piece(tx, &clock, piece, &Place { category: &shelf.category, position, markets: &markets, pictures: &pictures, now }).await?;
                    position += 1;
                }
            }
            events::emit(tx, &clock, &Event::ShopChanged).await?;
            Ok(())
        })
    })
    .await
}

impl Shelf {
    fn category(&self, pictures: &BTreeMap<String, Sizes>, alts: &BTreeMap<String, Texts>) -> Category {
        let path = format!("tiles/tile-{}", self.category);
        Category {
            key: self.category.clone(),
            titles: self.title.clone(),
            descriptions: self.description.clone(),
            seo_titles: self.seo_title.clone(),
            seo_descriptions: self.seo_description.clone(),
            tile: pictures.get(&path).map(|sizes| PictureTexts {
                source: PictureSource::Sized { path, widths: sizes.widths.clone() },
                width: sizes.width,
                height: sizes.height,
                value: None,
                view: String::new(),
                alts: alts.get(&self.category).cloned().unwrap_or_default(),
                named: String::new(),
            }),
        }
    }
}

/// Alternative texts of the category tiles, which stand in the home page's file.
fn tile_alts() -> anyhow::Result<BTreeMap<String, Texts>> {
    #[derive(Deserialize)]
    struct Page {
        blocks: Vec<Block>,
    }
    #[derive(Deserialize)]
    struct Block {
        #[serde(default)]
        alts: BTreeMap<String, Tile>,
    }
    #[derive(Deserialize)]
    struct Tile {
        alt: Texts,
    }
    let page: Page = serde_json::from_str(HOME).context("demo/home.json")?;
    Ok(page.blocks.into_iter().flat_map(|block| block.alts).map(|(category, tile)| (category, tile.alt)).collect())
}

/// Where a product goes.
struct Place<'a> {
    category: &'a str,
    position: i64,
    markets: &'a [Market],
    pictures: &'a BTreeMap<String, Sizes>,
    now: Instant,
}

async fn add_piece(tx: &mut Tx, clock: &Clock, piece: &Piece, place: &Place<'_>) -> anyhow::Result<()> {
    let product = piece.product(ProductId(clock.id()), place);
    product.insert(tx, place.now).await?;
    give_slug(tx, SlugKind::Product, &piece.slug, &product.id.to_string()).await?;
    for (position, line) in (0..).zip(&piece.variants) {
        let variant = Variant {
            id: VariantId(clock.id()),
            product: product.id,
            position,
            sku: line.sku.clone(),
            barcode: String::new(),
            values: piece.options.iter().map(|option| line.options.get(&option.slug).cloned().unwrap_or_default()).collect(),
            weight_g: line.weight_g,
            handling_days: line.handling_days,
            tracked: true,
            oversell: false,
            active: true,
        };
        variant.insert(tx).await?;
        for market in place.markets {
            let amount = piece.variant_prices.get(&line.sku).and_then(|prices| prices.get(&market.code)).or_else(|| piece.prices.get(&market.code));
            let Some(amount) = amount else { continue };
            let price = Money::new(*amount, market.currency);
            let compare_at = piece.compare_at.get(&market.code).copied();
            let before = Money::new(compare_at.unwrap_or(*amount), market.currency);
            let list = market.price_list.as_str();
            let shown = Shown { price: before, from: place.now - HISTORY_DAYS * DAY, compare_at: None };
            prices::remember(tx, clock, list, variant.id, shown, "demo").await?;
            prices::set(tx, clock, NewPrice { list, variant: variant.id, price, compare_at, source: "import" }, place.now).await?;
        }
        for (location, quantity) in &line.stock {
            let item = stock::Item { product: product.id, variant: variant.id };
            stock::receipt(tx, clock, item, location, *quantity, "import:demo").await?;
            remember_stock(tx, variant.id, location, i64::from(*quantity)).await?;
        }
    }
    events::emit(tx, clock, &Event::ProductChanged { product: product.id }).await?;
    Ok(())
}

/// Keeps what an import said about stock.
pub(crate) async fn remember_stock(tx: &mut Tx, variant: VariantId, location: &str, quantity: i64) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO imported_stock (variant_id, location, quantity) VALUES ($1, $2, $3) \
         ON CONFLICT (variant_id, location) DO UPDATE SET quantity = excluded.quantity",
        params![variant, location, quantity],
    )
    .await?;
    Ok(())
}

impl Piece {
    fn product(&self, id: ProductId, place: &Place<'_>) -> Product {
        let is_new = self.tags.iter().any(|tag| tag == "new");
        Product {
            id,
            handle: self.slug.clone(),
            status: Status::Active,
            published: self.published,
            vendor: "NextGen".to_owned(),
            category: Some(place.category.to_owned()),
            tags: self.tags.clone(),
            tax_category: self.tax_category.clone(),
            hs_code: self.hs_code.clone(),
            origin: self.origin.clone(),
            position: place.position,
            texts: ProductTexts {
                title: self.title.clone(),
                summary: self.summary.clone(),
                description_html: self.description.iter().map(|(language, lines)| (*language, paragraphs(lines))).collect(),
                details: self.details.clone(),
                materials: self.materials.clone(),
                alt: self.alt.clone(),
                seo_title: self.title.clone(),
                seo_description: self.summary.clone(),
            },
            options: self.options.clone(),
            pictures: self.images.iter().map(|image| image.texts(place.pictures)).collect(),
            // The newest first: what is tagged new came this week, the rest a day apart before that.
            created_at: place.now - if is_new { place.position * DAY / 24 } else { (7 + place.position) * DAY },
        }
    }
}

impl Image {
    fn texts(&self, pictures: &BTreeMap<String, Sizes>) -> PictureTexts {
        let path = self.path.trim_start_matches("images/").trim_end_matches(".webp").to_owned();
        let source = match pictures.get(&path) {
            Some(sizes) => PictureSource::Sized { path, widths: sizes.widths.clone() },
            None => PictureSource::File { path: format!("{path}.webp") },
        };
        PictureTexts {
            source,
            width: self.width,
            height: self.height,
            value: self.colour.clone(),
            view: self.view.clone(),
            alts: Texts::new(),
            named: self.path.clone(),
        }
    }
}

/// Paragraphs as HTML.
fn paragraphs(lines: &[String]) -> String {
    lines.iter().flat_map(|line| ["<p>".to_owned(), escape(line), "</p>".to_owned()]).collect()
}

/// Escapes text for HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::product::text;
    use domain::locale::TextLanguage;

    #[test]
    fn the_demo_is_whole() {
        let pictures = pictures().expect("pictures");
        let mut variants = 0;
        for json in CATEGORIES {
            let shelf: Shelf = serde_json::from_str(json).expect("a category");
            assert!(shelf.category(&pictures, &tile_alts().expect("alts")).tile.is_some_and(|tile| tile.alts.len() == 6), "{}", shelf.category);
            for piece in &shelf.products {
                variants += piece.variants.len();
                for image in &piece.images {
                    assert!(matches!(image.texts(&pictures).source, PictureSource::Sized { .. }), "{} has ready-made sizes", image.path);
                }
                assert!(TextLanguage::ALL.iter().all(|language| !text(&piece.title, *language).is_empty()));
            }
        }
        assert_eq!(variants, 182);
        for (slug, page) in PAGES {
            assert_eq!(crate::readmodel::pages::PageTexts::read(page).expect("a page").slug(), slug);
            assert!(!page.contains("{ends") && !page.contains("{starts"), "{slug} promises nothing that no campaign keeps");
        }
    }
}
