//! Pages as visitors and machines read them, over a small catalogue in memory.

use super::*;
use crate::{
    document::{Assets, document},
    holes::{HoleValues, fill_page},
    ports::{Facets, Found, Help, ListingQuery, View},
};
use async_trait::async_trait;
use domain::{
    VariantId,
    catalog::{
        Card, CardColour, ListingPage, OptionValue, Picture, PictureSource, ProductDocument, ProductOption, Promises, Shelf, ShopDocument, Variant,
    },
    live::{Availability, LiveItem, LiveVariant},
    locale::TextLanguage,
    market::{Market, TaxMode},
    money::Money,
    offer::PriceWindow,
    page::PageDocument,
};
use leptos::{prelude::*, reactive::owner::Owner};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
};

struct Memory;

const HAT: ProductId = ProductId(uuid::Uuid::from_u128(1));
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
    }
}

fn card() -> Card {
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
        count: 1,
        tile: None,
    }
}

fn live() -> Arc<LiveItem> {
    let window = |minor, was: Option<i64>| {
        let money = |minor| Money::new(minor, domain::money::Currency::USD);
        vec![PriceWindow { from: 0, until: None, price: money(minor), reference: was.map(money) }]
    };
    let of = |place, windows, availability| (variant_id(place), LiveVariant { windows, availability });
    let variants = [
        of(0, window(3800, None), Availability::InStock),
        of(1, window(4000, None), Availability::SoldOut),
        of(2, window(3000, Some(3800)), Availability::Low { left: 2 }),
        of(3, window(4000, None), Availability::InStock),
    ];
    let us = "US".parse().expect("a country");
    Arc::new(LiveItem { product: HAT, version: 1, published: true, markets: [(us, variants.into())].into() })
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
    async fn listing(&self, _: TextLanguage, shelf: &ShelfKey, page: u32) -> Result<Found<Arc<ListingPage>>, ReadError> {
        Ok(match shelf {
            ShelfKey::Category(slug) if slug == "wear" && page <= 2 => {
                Found::Here(Arc::new(ListingPage { shelf: wear(), page, pages: 2, total: 25, cards: vec![card()] }))
            }
            ShelfKey::All => Found::Here(Arc::new(ListingPage { shelf: wear(), page: 1, pages: 0, total: 0, cards: vec![] })),
            _ => Found::Missing,
        })
    }
    async fn cards(&self, _: TextLanguage, _: &[ProductId]) -> Result<Vec<Card>, ReadError> {
        Err(ReadError("down".into()))
    }
    async fn live(&self, _: &[ProductId]) -> Result<Vec<Arc<LiveItem>>, ReadError> {
        Ok(vec![live()])
    }
    async fn page(&self, _: TextLanguage, _: &str) -> Result<Found<Arc<PageDocument>>, ReadError> {
        Ok(Found::Missing)
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
            ListingPage { shelf: wear(), page: 1, pages: 1, total, cards },
            Facets { options: vec![facet], price_range: Some((3000, 4000)), in_stock: 1 },
        )))
    }
    async fn shelf(&self, _: TextLanguage, _: &ShelfKey) -> Result<Found<Shelf>, ReadError> {
        Ok(Found::Here(wear()))
    }
}

fn view(locale: Locale) -> View {
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
    };
    let shop = ShopDocument {
        version: 1,
        language: TextLanguage::EnUs,
        markets: vec![market.clone()],
        categories: vec![wear()],
        help: vec![("returns".into(), "Returns".into()), ("imprint".into(), "Imprint".into())],
        demo: true,
        products: 1,
        promises: [(us, Promises { free_from: Some(7500), return_days: 30 })].into(),
    };
    View { locale, market: Arc::new(market), now: 1, origin: "https://shop.example".into(), shop: Arc::new(shop) }
}

/// Nothing in memory ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn open(url: &str) -> Outcome {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let address = Address::parse(path, query).expect("an address");
    now(load(&address, &view(address.locale), &Memory)).expect("readable")
}

/// The status and the text that a visitor gets.
fn get(url: &str) -> (u16, String) {
    let Outcome::Page(page) = open(url) else { panic!("{url} redirects") };
    let (status, locale) = (page.status, url[1..6].parse().expect("a locale"));
    let view = view(locale);
    let html = Owner::new_root(Some(Arc::new(hydration_context::SsrSharedContext::new_islands())))
        .with(|| document(page.head, page.body, &view, &Assets { script: "/assets/shop.js".into(), ..Assets::default() }).to_html());
    let live = [live()];
    let values = HoleValues { locale, market: &view.market, now: 1, live: &live, nonce: "abc", mutation_id: "m-1", cart_count: 2, promise: None };
    (status, fill_page(&html, &values))
}

/// The attributes' and texts' order in a page is what its reader meets.
fn assert_in_order(html: &str, pieces: &[&str]) {
    let mut rest = html;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { panic!("{piece} is not there, or too early, in {html}") };
        rest = after;
    }
}

#[test]
fn a_product_can_be_chosen_and_added_without_script() {
    let (status, html) = get("/en-us/p/ribbed-beanie?colour=forest");
    assert_eq!(status, 200);
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en-US\" dir=\"ltr\"><head>"), "{}", &html[..80]);
    assert_in_order(
        &html,
        &[
            "<h1>Ribbed &lt;/script&gt; beanie</h1>",
            "<s><span class=\"vh\">Was </span>$38</s>",
            "method=\"post\" action=\"/en-us/cart/lines\"",
            "name=\"mutation\" value=\"m-1\"",
            "name=\"colour\" value=\"forest\"",
            "checked",
            "name=\"quantity\" value=\"1\"",
            ">Add to cart</button>",
            "2 left",
            ", free from $75",
            "30 days to return",
        ],
    );
    assert!(html.contains("<button class=\"button wide\" disabled>Sold out</button>"), "the sold-out variant says so");
    // The chosen colour's picture comes first.
    assert_in_order(&html, &["class=\"gallery\"", "forest-front", "fetchpriority=\"high\"", "oat-front"]);
    assert!(html.contains("Beanie in &lt;forest&gt;"));
}

#[test]
fn machines_read_prices_through_the_same_holes() {
    let (_, html) = get("/en-us/p/ribbed-beanie");
    let json = html.split("application/ld+json\" nonce=\"abc\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("JSON-LD");
    let group: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(group["@type"], "ProductGroup");
    assert_eq!(group["name"], "Ribbed </script> beanie");
    assert_eq!(group["hasVariant"][2]["offers"]["price"], "30.00");
    assert_eq!(group["hasVariant"][1]["offers"]["availability"], "https://schema.org/OutOfStock");
    assert_eq!(group["hasVariant"][2]["offers"]["url"], "https://shop.example/en-us/p/ribbed-beanie?colour=forest&size=m");
}

#[test]
fn the_switch_keeps_the_page_and_its_own_slug() {
    let (_, html) = get("/en-us/p/ribbed-beanie?colour=oat");
    assert!(html.contains("hreflang=\"de-DE\" href=\"https://shop.example/de-de/p/rippmuetze?colour=oat\""), "{html}");
    assert!(html.contains("<link rel=\"canonical\" href=\"https://shop.example/en-us/p/ribbed-beanie\">"));
    assert!(html.contains("hreflang=\"x-default\""));
    assert!(html.contains("<a href=\"/de-de/p/rippmuetze?colour=oat\" hreflang=\"de-DE\" lang=\"de-DE\""));
}

#[test]
fn a_filtered_shelf_shows_and_links_the_colour() {
    let (status, html) = get("/en-us/c/wear?o.colour=forest&max=40");
    assert_eq!(status, 200);
    assert!(html.contains("href=\"/en-us/p/ribbed-beanie?colour=forest\""), "{html}");
    assert!(html.contains("wear/rib-beanie/forest-front-480.avif 480w"));
    assert!(html.contains("<meta name=\"robots\" content=\"noindex\">"));
    assert!(html.contains("<link rel=\"canonical\" href=\"https://shop.example/en-us/c/wear\">"));
    assert_in_order(
        &html,
        &[
            "1 product",
            "class=\"chips\"",
            "href=\"/en-us/c/wear?max=40\"",
            "FOREST",
            "href=\"/en-us/c/wear?o.colour=forest\"",
            "Up to $40",
            "$30</span>",
        ],
    );
}

#[test]
fn shelves_have_pages_with_addresses() {
    let (_, html) = get("/en-us/c/wear?page=2");
    assert_in_order(
        &html,
        &[
            "rel=\"prev\" href=\"/en-us/c/wear\"",
            "aria-current=\"page\">Wear</a>",
            "25 products",
            "<a rel=\"prev\" href=\"/en-us/c/wear\">",
            "aria-label=\"Page 2 of 2\" aria-current=\"page\"",
        ],
    );
    assert_eq!(get("/en-us/c/wear?page=3").0, 404);
}

#[test]
fn empty_lists_say_so_and_lead_on() {
    assert_in_order(&get("/en-us/all").1, &["No products", "This shelf is empty.", "class=\"button\""]);
    assert_in_order(&get("/en-us/search?q=nothing").1, &["Nothing found for “nothing”", "href=\"/en-us/c/wear\""]);
    assert_in_order(&get("/en-us/search?q=%3Cb%3E").1, &["value=\"&lt;b&gt;\"", "1 result for “&lt;b&gt;”"]);
}

#[test]
fn what_is_not_there_has_its_status_and_a_way_on() {
    for (url, status, words) in [
        ("/en-us/p/nothing", 404, "This page is not here"),
        ("/de-de/p/gone", 410, "Das führen wir nicht mehr"),
        ("/fr-fr/c/rien", 404, "Cette page n’existe pas"),
    ] {
        let (got, html) = get(url);
        assert_eq!(got, status);
        assert_in_order(&html, &["noindex", "class=\"fault\"", words, "class=\"button\""]);
    }
    let Outcome::Redirect { to, permanent } = open("/en-us/p/old-beanie?size=m") else { panic!("an old slug redirects") };
    assert_eq!((to.as_str(), permanent), ("/en-us/p/ribbed-beanie?size=m", true));
}

#[test]
fn a_failed_read_is_no_page() {
    let address = Address::parse("/en-us/p/lost", "").expect("an address");
    assert!(now(load(&address, &view(address.locale), &Memory)).is_err());
}

#[test]
fn every_page_says_what_it_is_in_every_locale() {
    for locale in Locale::OFFERED.into_iter().chain([Locale::PSEUDO, Locale::PSEUDO_RTL]) {
        for path in ["", "/c/wear", "/p/ribbed-beanie", "/search", "/help/returns"] {
            let (status, html) = get(&format!("/{locale}{path}"));
            assert_eq!(status, 200, "/{locale}{path}");
            let direction = if locale == Locale::PSEUDO_RTL { "rtl" } else { "ltr" };
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"{direction}\">", locale.bcp47())));
            assert_eq!(html.matches("<h1").count(), 1, "/{locale}{path}");
            assert_eq!(html.matches("<main id=\"main\"").count(), 1);
            assert!(html.contains("<b>2<span class=\"vh\">"), "the badge counts");
            assert!(!html.contains(['\u{e000}', '\u{e001}', '\u{e002}']), "every hole is filled");
            assert!(!html.contains(" style=\""), "the content security policy blocks style attributes");
        }
    }
}

#[test]
fn selections_are_kept_apart_from_what_is_typed() {
    let selection: BTreeMap<_, _> = [("colour".to_owned(), "oat".to_owned())].into();
    assert_eq!(Address::new(Locale::DEFAULT, Route::Product { slug: "a b".into(), selection }).url(), "/en-us/p/a%20b?colour=oat");
}
