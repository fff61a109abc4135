//! Public pages: one template for everybody, filled for each; what happens when it grows old and when the catalogue cannot be read.

use crate::support::{Answer, TestShop, Visitor, start, start_with};
use anyhow::{Context as _, ensure};
use app::ports::{Facets, Found, Help, ListingQuery, ReadError, Storefront, View, storefront::ShelfKey};
use async_trait::async_trait;
use domain::{
    ProductId,
    catalog::{Card, ListingPage, ProductDocument, ShopDocument},
    event::Event,
    live::LiveItem,
    locale::{Locale, TextLanguage},
    market::{Market, MarketCode},
    page::PageDocument,
};
use edge_pages::Pages;
use reqwest::header;
use server::{
    Shop, events,
    http::{self, pages::ROOM, render::Process},
    params,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn one_template_is_filled_for_everybody_and_nothing_of_a_visitor_stays() -> anyhow::Result<()> {
    let shop = start().await?;
    let (anna, ben) = (shop.visitor(), shop.visitor());
    let hostile = anna
        .client
        .get(format!("{}/en-us/all?utm_source=annas-secret&cart_count=9", shop.url))
        .header(header::COOKIE, "cart_count=7; cart=annas-secret; locale=de-de; x=\u{e000}badge\u{e001}")
        .header(header::USER_AGENT, "annas-secret<script>")
        .header(header::REFERER, "https://annas-secret.example/")
        .header("x-forwarded-host", "annas-secret.example")
        .header("x-forwarded-proto", "https")
        .header(header::ACCEPT_LANGUAGE, "annas-secret");
    let first = Answer::read(hostile).await?;
    assert_eq!((first.status, first.header("x-template")), (200, "miss"));
    assert!(first.body.contains("<b>7<span"), "her own badge is filled");
    let second = ben.get("/en-us/all").await?;
    assert_eq!((second.status, second.header("x-template")), (200, "hit"), "tracking parameters make no page of their own");
    assert!(second.body.contains("<b hidden>") && !second.body.contains("annas-secret") && !second.body.contains("<b>7<span"));
    assert!(second.body.contains(&format!("<link rel=\"canonical\" href=\"{}/en-us/all\">", shop.url)));
    for answer in [&first, &second] {
        assert!(!answer.body.contains(['\u{e000}', '\u{e001}', '\u{e002}']), "no mark is sent");
        assert_eq!((answer.header("set-cookie"), answer.header("x-store")), ("", "public"));
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert!(answer.header("vary").contains("cookie"));
    }
    let forged = ben.get("/en-us/search?q=%EE%80%80badge%EE%80%81%EE%80%82").await?;
    assert!(forged.status == 200 && !forged.body.contains(['\u{e000}', '\u{e001}', '\u{e002}']) && forged.body.contains("badge"));
    shop.stop().await
}

#[tokio::test]
async fn head_says_what_get_would() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    for path in ["/en-us", "/en-us/all", "/en-us/cart", "/healthz", "/sitemap.xml"] {
        let (get, head) = (visitor.get(path).await?, Answer::read(visitor.client.head(format!("{}{path}", shop.url))).await?);
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    shop.stop().await
}

#[tokio::test]
async fn an_old_template_is_sent_once_more_and_then_renewed() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let template = async |path: &str| anyhow::Ok(visitor.get(path).await?.header("x-template").to_owned());
    assert_eq!([template("/en-us/all").await?, template("/en-us/all").await?], ["miss", "hit"]);
    shop.clock.advance(Duration::from_secs(10));
    assert_eq!(template("/en-us/all").await?, "stale");
    for _ in 0..100 {
        if template("/en-us/all").await? == "hit" {
            shop.clock.advance(Duration::from_mins(10));
            assert_eq!(template("/en-us/all").await?, "miss", "ten minutes are too old");
            return shop.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the template was never renewed")
}

#[tokio::test]
async fn while_the_catalogue_cannot_be_read_known_pages_stay_and_others_say_so() -> anyhow::Result<()> {
    let shop = start().await?;
    let (visitor, flaky) = behind_a_flaky_catalogue(&shop).await?;
    assert_eq!(visitor.get("/en-us/all").await?.header("x-template"), "miss");
    flaky.down.store(true, Ordering::Relaxed);
    for (later_s, source) in [(0, "hit"), (10, "stale"), (600, "stale")] {
        shop.clock.advance(Duration::from_secs(later_s));
        let known = visitor.get("/en-us/all").await?;
        assert_eq!((known.status, known.header("x-template")), (200, source), "after {later_s} s more");
        assert!(known.body.contains('$'), "prices are the ones seen last");
    }
    let other = visitor.get("/en-us").await?;
    assert_eq!((other.status, other.header("cache-control"), other.header("retry-after")), (503, "no-store", "5"));
    assert!(other.body.contains("<h1>") && other.body.contains(other.header("x-request-id")), "the reference can be quoted");
    assert!(!other.body.contains("down for a test"), "internal words stay inside");
    flaky.down.store(false, Ordering::Relaxed);
    assert_eq!(visitor.get("/en-us").await?.status, 200, "a failure is not kept");
    shop.stop().await
}

#[tokio::test]
async fn what_moved_is_followed_and_what_is_gone_says_so() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let missing = visitor.get("/en-us/p/no-such-thing").await?;
    assert_eq!((missing.status, missing.header("x-store"), missing.header("cache-control")), (404, "", "no-store"));
    let rows = shop
        .shop
        .db
        .all("SELECT slug, target FROM slugs WHERE kind = 'product' AND language = 'en-us' AND is_current = 1 ORDER BY slug LIMIT 2", vec![])
        .await?;
    let (moved, gone) = (rows.first().context("a product")?, rows.get(1).context("another product")?);
    let (moved_slug, gone_slug) = (moved.text("slug")?, gone.text("slug")?);
    assert_eq!(visitor.get(&format!("/en-us/p/{gone_slug}")).await?.status, 200);
    change(
        &shop.shop,
        moved.text("target")?.parse()?,
        "INSERT INTO slugs (kind, language, slug, target, is_current) VALUES ('product', 'en-us', 'an-earlier-name', $1, 0)",
    )
    .await?;
    change(&shop.shop, gone.text("target")?.parse()?, "UPDATE products SET status = 'archived' WHERE id = $1").await?;
    let expect = async |path: String, status: u16| {
        for _ in 0..150 {
            shop.clock.advance(Duration::from_secs(5));
            let answer = visitor.get(&path).await?;
            if answer.status == status {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("{path} never became {status}")
    };
    let answer = expect("/en-us/p/an-earlier-name".to_owned(), 301).await?;
    assert_eq!(answer.location(), Some(format!("/en-us/p/{moved_slug}")));
    let answer = expect(format!("/en-us/p/{gone_slug}"), 410).await?;
    assert!(answer.body.contains("<h1>") && answer.header("x-store").is_empty());
    shop.stop().await
}

#[tokio::test]
async fn every_address_in_the_sitemap_answers() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let robots = visitor.get("/robots.txt").await?;
    assert!(robots.body.contains(&format!("Sitemap: {}/sitemap.xml", shop.url)) && robots.body.contains("Disallow: /*/cart"));
    let map = visitor.get("/sitemap.xml").await?;
    assert!(map.header("content-type").starts_with("application/xml"));
    let addresses: Vec<&str> = map.body.split("<loc>").skip(1).filter_map(|rest| rest.split_once("</loc>").map(|(url, _)| url)).collect();
    ensure!(addresses.len() >= 8 * 50, "only {} addresses", addresses.len());
    for kind in ["/de-de/t/new", "/ja-jp/pages/travel", "/en-us/help/returns", "/fr-ca/c/desk", "/ko-kr/p/canvas-tote"] {
        assert!(addresses.contains(&format!("{}{kind}", shop.url).as_str()), "{kind} is missing");
    }
    for address in addresses.iter().step_by(7) {
        let path = address.strip_prefix(&shop.url).context("addresses begin with the public origin")?;
        assert_eq!(visitor.get(path).await?.status, 200, "{path}");
    }
    assert!(map.body.contains("hreflang=\"x-default\"") && map.body.contains("hreflang=\"ja-JP\"") && !map.body.contains("en-xa"));
    shop.stop().await
}

#[tokio::test]
async fn what_a_market_has_no_price_for_is_on_none_of_its_lists() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let row = shop.shop.db.first("SELECT target FROM slugs WHERE slug = 'canvas-tote' AND language = 'de-de'", vec![]).await?.context("the tote")?;
    let product: ProductId = row.parse("target")?;
    change(&shop.shop, product, "DELETE FROM prices WHERE price_list = 'de' AND variant_id IN (SELECT id FROM variants WHERE product_id = $1)")
        .await?;
    for path in ["/de-de/c/bags-travel", "/de-de/all?sort=newest", "/de-de/search?q=canvas", "/de-de", "/de-de/t/bestseller"] {
        let mut tries = 0;
        while visitor.get(path).await?.body.contains("/p/canvas-tote") {
            tries += 1;
            ensure!(tries < 150, "{path} still lists it");
            tokio::time::sleep(Duration::from_millis(20)).await;
            shop.clock.advance(Duration::from_mins(2));
        }
    }
    assert!(visitor.get("/de-de/c/bags-travel").await?.body.contains("7 Produkte"));
    let page = visitor.get("/de-de/p/canvas-tote").await?;
    assert!(page.status == 200 && page.body.contains("In diesem Land nicht erhältlich") && !page.body.contains("\"priceCurrency\""), "{}", page.body);
    let abroad = visitor.get("/fr-fr/p/canvas-tote").await?.body;
    assert!(abroad.contains("hreflang=\"ja-JP\" href=\"http") && !abroad.contains("hreflang=\"de-DE\" href=\"http"));
    assert!(abroad.contains("\"priceCurrency\":\"EUR\"") && visitor.get("/fr-fr/c/bags-travel").await?.body.contains("/p/canvas-tote"));
    let map = visitor.get("/sitemap.xml").await?.body;
    assert!(!map.contains("/de-de/p/canvas-tote") && map.contains("/fr-fr/p/canvas-tote"));
    shop.stop().await
}

#[tokio::test]
async fn made_up_queries_keep_no_templates() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    assert_eq!(visitor.get("/en-us/p/canvas-tote?colour=olive").await?.status, 200);
    let (kept, _) = shop.shop.pages.usage();
    for n in 0..20 {
        let answer = visitor.get(&format!("/en-us/p/canvas-tote?colour=olive&made-up-{n}=up")).await?;
        assert_eq!((answer.status, answer.location().as_deref()), (302, Some("/en-us/p/canvas-tote?colour=olive")));
    }
    assert_eq!(shop.shop.pages.usage().0, kept);
    shop.stop().await
}

#[tokio::test]
async fn promo_pages_are_linked_from_home_in_every_locale() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    for locale in Locale::OFFERED {
        let home = visitor.get(&format!("/{locale}")).await?.body;
        for slug in ["launch", "travel"] {
            let path = format!("/{locale}/pages/{slug}");
            assert!(home.contains(&format!("href=\"{path}\"")), "{path}");
            let page = visitor.get(&path).await?;
            assert!(page.status == 200 && page.body.contains("class=\"reading\""), "{path}");
            assert_eq!(page.body.contains("<p class=\"caption\">"), slug == "launch", "the product in the picture is named with its price");
        }
    }
    shop.stop().await
}

#[tokio::test]
async fn an_empty_shop_is_no_blank_page() -> anyhow::Result<()> {
    let shop = start_with(|config| config.demo = false).await?;
    let home = shop.visitor().get("/de-de").await?;
    assert!(
        home.status == 200 && home.body.contains("<h1>Die Regale sind noch leer.</h1>") && home.body.contains("class=\"button\""),
        "{}",
        home.body
    );
    shop.stop().await
}

async fn change(shop: &Shop, product: ProductId, sql: &'static str) -> anyhow::Result<()> {
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = shop.clock.clone();
            Box::pin(async move {
                tx.execute(sql, params![product]).await?;
                events::emit(tx, &clock, &Event::ProductChanged { product }).await?;
                Ok(())
            })
        })
        .await?;
    events::ring();
    Ok(())
}

#[tokio::test]
async fn a_fault_of_ours_is_a_page_that_tells_nothing_inside() -> anyhow::Result<()> {
    let shop = crate::support::start().await?;
    let (visitor, flaky) = behind_a_flaky_catalogue(&shop).await?;
    flaky.broken.store(true, Ordering::Relaxed);
    let answer = visitor.get("/de-de/p/canvas-tote").await?;
    assert_eq!((answer.status, answer.header("cache-control")), (500, "no-store"));
    assert!(answer.body.contains("lang=\"de-DE\"") && answer.body.contains("<h1>"), "{}", answer.body);
    assert!(answer.body.contains(answer.header("x-request-id")) && !answer.body.contains("broken for a test"), "{}", answer.body);
    flaky.broken.store(false, Ordering::Relaxed);
    assert_eq!(visitor.get("/de-de/p/canvas-tote").await?.status, 200, "nothing of it is kept");
    shop.stop().await
}

async fn behind_a_flaky_catalogue(shop: &TestShop) -> anyhow::Result<(Visitor, Arc<Flaky>)> {
    let flaky = Arc::new(Flaky { inner: Arc::clone(&shop.shop.storefront), down: AtomicBool::new(false), broken: AtomicBool::new(false) });
    let pages = &shop.shop.pages;
    let machine = Arc::new(Process(shop.shop.clock.clone()));
    let pages = Arc::new(Pages::new(pages.assets.clone(), pages.url.clone(), Arc::clone(&flaky) as _, machine, ROOM));
    let router = http::router(&Shop { storefront: Arc::clone(&flaky) as _, pages, ..shop.shop.clone() });
    Ok((shop.serve(router).await?, flaky))
}

/// A catalogue that can be switched off, and whose products can be broken.
struct Flaky {
    inner: Arc<dyn Storefront>,
    down: AtomicBool,
    broken: AtomicBool,
}

impl Flaky {
    fn up(&self) -> Result<&dyn Storefront, ReadError> {
        if self.down.load(Ordering::Relaxed) { Err(ReadError("down for a test".to_owned())) } else { Ok(&*self.inner) }
    }
}

#[async_trait]
impl Storefront for Flaky {
    async fn shop(&self, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        self.up()?.shop(language).await
    }
    async fn product(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<ProductDocument>>, ReadError> {
        assert!(!self.broken.load(Ordering::Relaxed), "broken for a test");
        self.up()?.product(language, slug).await
    }
    async fn listing(&self, language: TextLanguage, market: MarketCode, shelf: &ShelfKey, page: u32) -> Result<Found<Arc<ListingPage>>, ReadError> {
        self.up()?.listing(language, market, shelf, page).await
    }
    async fn cards(&self, language: TextLanguage, products: &[ProductId]) -> Result<Vec<Card>, ReadError> {
        self.up()?.cards(language, products).await
    }
    async fn live(&self, products: &[ProductId]) -> Result<Vec<Arc<LiveItem>>, ReadError> {
        self.up()?.live(products).await
    }
    async fn page(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<PageDocument>>, ReadError> {
        self.up()?.page(language, slug).await
    }
    async fn help(&self, language: TextLanguage, market: &Market, slug: &str) -> Result<Found<Arc<Help>>, ReadError> {
        self.up()?.help(language, market, slug).await
    }
    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError> {
        self.up()?.query(view, query).await
    }
}
