//! A small catalogue in memory, sold everywhere but in France.

use crate::ports::{Facets, Found, Help, ListingQuery, ReadError, Storefront, View, storefront::ShelfKey};
use async_trait::async_trait;
use domain::{
    ProductId, VariantId,
    catalog::{
        Card, CardColour, ListingPage, OptionValue, Picture, PictureSource, ProductDocument, ProductOption, Promises, Shelf, ShopDocument, Variant,
    },
    live::{Availability, LiveItem, LiveVariant},
    locale::{Locale, TextLanguage},
    market::{Market, MarketCode, TaxMode},
    money::Money,
    offer::PriceWindow,
    page::{Block, PageDocument, Target},
};
use std::{collections::BTreeMap, sync::Arc};

pub struct Memory;

/// A market that has no price for anything.
pub fn france() -> MarketCode {
    "FR".parse().expect("a country")
}

pub const HAT: ProductId = ProductId(uuid::Uuid::from_u128(1));
const LOST: &str = "lost";

fn picture(colour: &str) -> Picture {
    Picture {
        source: PictureSource::Sized { path: format!("wear/rib-beanie/{colour}-front"), widths: vec![320, 480, 800] },
        width: 800,
        height: 1000,
        alt: format!("Beanie in <{colour}>"),
        value: Some(colour.into()),
        view: "front".into(),
    }
}

fn value(slug: &str) -> OptionValue {
    OptionValue { slug: slug.into(), name: slug.to_uppercase(), hex: Some("#D9C9B0".into()) }
}

fn variant_id(place: u128) -> VariantId {
    VariantId(uuid::Uuid::from_u128(100 + place))
}

fn hat() -> ProductDocument {
    let variants = [("oat", "m"), ("oat", "l"), ("forest", "m"), ("forest", "l")];
    let variant = |(place, (colour, size)): (usize, (&str, &str))| Variant {
        id: variant_id(place as u128),
        sku: "HAT".into(),
        values: vec![colour.into(), size.into()],
        weight_g: 90,
    };
    ProductDocument {
        id: HAT,
        version: 1,
        language: TextLanguage::EnUs,
        slugs: [(TextLanguage::EnUs, "ribbed-beanie".to_owned()), (TextLanguage::De, "rippmuetze".to_owned())].into(),
        title: "Ribbed </script> beanie".into(),
        summary: "Warm & light.".into(),
        description_html: "<p>Knitted.</p>".into(),
        details: vec!["Weight: 90 g".into()],
        materials: vec!["Merino".into()],
        vendor: "NextGen".into(),
        category: Some(("wear".into(), "Wear".into())),
        tags: vec!["new".into()],
        options: vec![
            ProductOption { slug: "colour".into(), name: "Color".into(), values: vec![value("oat"), value("forest")] },
            ProductOption { slug: "size".into(), name: "Size".into(), values: vec![value("m"), value("l")] },
        ],
        variants: variants.into_iter().enumerate().map(variant).collect(),
        pictures: vec![picture("oat"), picture("forest")],
        seo_title: String::new(),
        seo_description: String::new(),
        origin: "PT".into(),
        goes_with: vec![HAT],
        unsold: [france()].into(),
    }
}

pub fn card() -> Card {
    let colour = |slug: &str| CardColour { value: value(slug), picture: Some(picture(slug)) };
    Card {
        id: HAT,
        slug: "ribbed-beanie".into(),
        title: "Ribbed beanie".into(),
        category: "wear".into(),
        is_new: true,
        picture: Some(picture("oat")),
        colours: vec![colour("oat"), colour("forest")],
        first_variant: None,
        selected: None,
        unsold: [france()].into(),
    }
}

fn wear() -> Shelf {
    Shelf {
        key: "wear".into(),
        slug: "wear".into(),
        title: "Wear".into(),
        description: "For heads.".into(),
        seo_title: String::new(),
        seo_description: String::new(),
        count: 25,
        counts: [(france(), 1)].into(),
        tile: None,
    }
}

fn promo() -> PageDocument {
    let hero = Block::Hero {
        picture: picture("oat"),
        dark: true,
        kicker: "New".into(),
        heading: "Turn the <day> down".into(),
        text: "For the evening.".into(),
        button: Some(("All of it".into(), Target::Page("travel".into()))),
        product: Some(Box::new(card())),
    };
    PageDocument {
        slug: "after-dark".into(),
        version: 1,
        language: TextLanguage::EnUs,
        seo_title: "After dark".into(),
        seo_description: "For the evening.".into(),
        blocks: vec![
            hero,
            Block::RichText { heading: "In a dim room".into(), paragraphs: vec!["One.".into(), "Two & three.".into()] },
            Block::ProductGrid { heading: "The hat".into(), cards: vec![card(), card()], limit: 1, more: None },
        ],
    }
}

pub fn live() -> Arc<LiveItem> {
    let window = |minor, was: Option<i64>| {
        let money = |minor| Money::new(minor, domain::money::Currency::USD);
        vec![PriceWindow::new(0, None, money(minor), was.map(money))]
    };
    let of = |place, windows, availability| (variant_id(place), LiveVariant { windows, availability, handling_days: 0, location: None });
    let variants = [
        of(0, window(3800, None), Availability::InStock),
        of(1, window(4000, None), Availability::SoldOut),
        of(2, window(3000, Some(3800)), Availability::Low { left: 2 }),
        of(3, window(4000, None), Availability::InStock),
    ];
    let us = "US".parse().expect("a country");
    Arc::new(LiveItem { product: HAT, version: 1, documents: 0, published: true, markets: [(us, variants.into())].into() })
}

#[async_trait]
impl Storefront for Memory {
    async fn shop(&self, _: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        Err(ReadError("not asked".into()))
    }
    async fn product(&self, _: TextLanguage, slug: &str) -> Result<Found<Arc<ProductDocument>>, ReadError> {
        Ok(match slug {
            "ribbed-beanie" => Found::Here(Arc::new(hat())),
            "old-beanie" => Found::Moved("ribbed-beanie".into()),
            "gone" => Found::Gone,
            LOST => return Err(ReadError("down".into())),
            _ => Found::Missing,
        })
    }
    async fn listing(&self, _: TextLanguage, _: MarketCode, shelf: &ShelfKey, page: u32) -> Result<Found<Arc<ListingPage>>, ReadError> {
        Ok(match shelf {
            ShelfKey::Category(slug) if slug == "wear" && page <= 2 => {
                Found::Here(Arc::new(ListingPage { shelf: wear(), page, pages: 2, total: 25, cards: vec![card()], good_until: None }))
            }
            ShelfKey::All => Found::Here(Arc::new(ListingPage { shelf: wear(), page: 1, pages: 0, total: 0, cards: vec![], good_until: None })),
            _ => Found::Missing,
        })
    }
    async fn cards(&self, language: TextLanguage, _: &[ProductId]) -> Result<Vec<Card>, ReadError> {
        // Down for most, and the page stands without.
        if language == TextLanguage::Fr { Ok(vec![card()]) } else { Err(ReadError("down".into())) }
    }
    async fn live(&self, _: &[ProductId]) -> Result<Vec<Arc<LiveItem>>, ReadError> {
        Ok(vec![live()])
    }
    async fn page(&self, _: TextLanguage, slug: &str) -> Result<Found<Arc<PageDocument>>, ReadError> {
        Ok(if slug == "after-dark" { Found::Here(Arc::new(promo())) } else { Found::Missing })
    }
    async fn help(&self, _: TextLanguage, _: &Market, _: &str) -> Result<Found<Arc<Help>>, ReadError> {
        let section = ("How long".to_owned(), vec!["Thirty days.".to_owned()]);
        let help = Help {
            slug: "returns".into(),
            title: "Returns".into(),
            seo_title: String::new(),
            seo_description: String::new(),
            intro: None,
            sections: vec![section],
            facts: vec![("Days".into(), "30".into())],
        };
        Ok(Found::Here(Arc::new(help)))
    }
    async fn query(&self, _: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError> {
        let none = query.text.as_deref() == Some("nothing");
        let facet = crate::ports::storefront::OptionFacet {
            slug: "colour".into(),
            name: "Color".into(),
            values: vec![(value("oat"), 1), (value("forest"), 1)],
        };
        let cards = if none { vec![] } else { vec![card()] };
        let total = u32::from(!none);
        Ok(Found::Here((
            ListingPage { shelf: wear(), page: 1, pages: 1, total, cards, good_until: None },
            Facets { options: vec![facet], by_price: true, in_stock: 1 },
        )))
    }
}

pub fn view(locale: Locale) -> View {
    let us = "US".parse().expect("a country");
    let market = Market {
        code: us,
        countries: vec![us],
        legal_entity: "Test".into(),
        currency: domain::money::Currency::USD,
        price_list: "us".into(),
        tax_mode: TaxMode::Exclusive,
        time_zone: "America/Los_Angeles".into(),
        locations: vec![],
        split: domain::sourcing::Split::Allowed,
    };
    let market = if locale.country == france() { Market { code: france(), countries: vec![france()], ..market } } else { market };
    let shop = ShopDocument {
        version: 1,
        language: TextLanguage::EnUs,
        markets: vec![market.clone()],
        categories: vec![wear()],
        help: vec![("returns".into(), "Returns".into()), ("imprint".into(), "Imprint".into())],
        demo: true,
        products: 1,
        counts: BTreeMap::new(),
        tags: vec![],
        pages: vec![],
        promises: [(us, Promises { free_from: Some(7500), return_days: 30 })].into(),
        standard: BTreeMap::new(),
        experiments: BTreeMap::new(),
    };
    View { locale, market: Arc::new(market), now: 1, origin: "https://shop.example".into(), shop: Arc::new(shop), cards: Arc::default() }
}
