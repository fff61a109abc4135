//! An edge beside a running origin: the crates that the edge hosts are made of, here in the test's own process, reading the shop over HTTP.

use crate::support::{TestShop, start_with};
use anyhow::Context as _;
use domain::{ProductId, VariantId, event::Event, offer::Instant};
use edge_pages::{Edge, Log, Machine, Pages, Request, Verdict, edge::Answer, pages::Room};
use edge_replica::http::{Config as EdgeConfig, Keys, TablePlace, storefront};
use futures::future::BoxFuture;
use server::{dynamo::Place, events, params};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const KEY: &str = "a key that only an edge knows";

struct Here {
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
    /// How often work was left for later.
    left: Arc<AtomicUsize>,
}

impl Machine for Here {
    fn now(&self) -> Instant {
        (self.now)()
    }
    fn random(&self) -> [u8; 16] {
        server::random::bytes()
    }
    fn later(&self, work: BoxFuture<'static, ()>) {
        self.left.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(work);
    }
    fn log(&self, _: Log<'_>) {}
}

/// A shop with an edge, and where the edge's table is.
async fn with_edge() -> anyhow::Result<(TestShop, Edge)> {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let shop = start_with(|config| {
        config.edge_key = Some(KEY.into());
        if matches!(config.dynamodb, Place::Embedded { .. }) {
            config.dynamodb_listen = Some(port);
        }
    })
    .await?;
    let edge = edge_at(&shop, &table_of(&shop, port), KEY, &[]);
    Ok((shop, edge))
}

fn table_of(shop: &TestShop, port: SocketAddr) -> String {
    match &shop.shop.config.dynamodb {
        Place::Endpoint { url } => url.clone(),
        _ => format!("http://{port}"),
    }
}

/// An edge that reads this table, with nearer origins than the shop itself.
fn edge_at(shop: &TestShop, table: &str, key: &str, nearer: &[String]) -> Edge {
    edge_with(shop, table, key, nearer, Arc::default())
}

fn edge_with(shop: &TestShop, table: &str, key: &str, nearer: &[String], left: Arc<AtomicUsize>) -> Edge {
    let clock = shop.clock.clone();
    let now: Arc<dyn Fn() -> Instant + Send + Sync> = Arc::new(move || clock.now());
    let credentials = Keys { access_key_id: "local".to_owned(), secret_access_key: "local".to_owned(), session_token: None };
    let table = TablePlace { name: shop.shop.config.dynamodb_table.clone(), region: "local".to_owned(), endpoint: Some(table.to_owned()) };
    let config = EdgeConfig {
        origins: [nearer, std::slice::from_ref(&shop.url)].concat(),
        url: shop.url.clone(),
        table,
        near: std::collections::HashMap::new(),
        assets: shop.shop.pages.assets.clone(),
        credentials,
        templates_max: None,
        edge_key: key.to_owned(),
    };
    let (storefront, _) = storefront(&config, &now);
    let room = Room { templates_max: 100, bytes_max: 16 << 20 };
    Edge::new(Arc::new(Pages::new(config.assets, config.url.into(), storefront, Arc::new(Here { now, left }), room)))
}

async fn ask(edge: &Edge, url: &str) -> anyhow::Result<Answer> {
    match verdict(edge, "GET", url).await {
        Verdict::Answer(answer) => Ok(answer),
        Verdict::Pass => anyhow::bail!("{url} was passed"),
    }
}

async fn verdict(edge: &Edge, method: &str, url: &str) -> Verdict {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    edge.answer(Request { method, path, query, cookies: Some("cart_count=2; bucket=3"), languages: Some("ja"), country: Some("DE") }).await
}

/// A page without what differs in every answer: nonces and mutation ids.
fn alike(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((at, mark)) = ["nonce=\"", "name=\"mutation\" value=\""].iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min() {
        let end = at + mark.len();
        out.push_str(&rest[..end]);
        rest = rest[end..].split_once('"').map_or("", |(_, after)| after);
    }
    out + rest
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[tokio::test]
async fn an_edge_sends_what_the_origin_sends_byte_for_byte() -> anyhow::Result<()> {
    let (shop, edge) = with_edge().await?;
    let visitor = shop.visitor();
    let mut pages = vec!["/en-us/search?q=bag".to_owned(), "/en-us/c/desk?sort=price-asc".to_owned(), "/fr-ca/all?o.colour=black".to_owned()];
    for locale in ["en-us", "en-ca", "fr-ca", "en-gb", "de-de", "fr-fr", "ja-jp", "ko-kr", "en-xa", "ar-xb"] {
        let below =
            ["", "/c/bags-travel", "/all", "/all?page=2", "/t/new", "/p/canvas-tote", "/p/canvas-tote?colour=navy", "/pages/travel", "/help/returns"];
        pages.extend(below.iter().map(|page| format!("/{locale}{page}")));
    }
    for page in pages {
        let client = visitor.client.get(format!("{}{page}", shop.url)).header("cookie", "cart_count=2; bucket=3");
        let origin = crate::support::Answer::read(client).await?;
        if origin.status != 200 {
            assert!(origin.status == 301 || verdict(&edge, "GET", &page).await == Verdict::Pass, "{page}: {}", origin.status);
            continue;
        }
        let answer = ask(&edge, &page).await?;
        assert_eq!(answer.status, 200, "{page}");
        assert_eq!(alike(&answer.body), alike(&origin.body), "{page}");
        for name in ["content-type", "cache-control", "vary", "x-store", "referrer-policy", "x-content-type-options"] {
            assert_eq!(header(&answer, name), origin.header(name), "{page}: {name}");
        }
        assert_eq!(header(&answer, "x-template"), "miss", "{page}");
        assert_eq!(header(&ask(&edge, &page).await?, "x-template"), "hit", "{page}");
    }
    shop.stop().await
}

#[tokio::test]
async fn an_edge_leaves_to_the_origin_what_is_not_everybodys() -> anyhow::Result<()> {
    let (shop, edge) = with_edge().await?;
    for (method, url) in [
        ("GET", "/en-us/cart"),
        ("GET", "/en-us/checkout"),
        ("GET", "/en-us/orders/find"),
        ("GET", "/en-us/orders/0123456789abcdefghij"),
        ("POST", "/en-us/p/canvas-tote"),
        ("DELETE", "/en-us"),
        ("GET", "/ops"),
        ("GET", "/assets/x.css"),
        ("GET", "/locale/de-de/p/canvas-tote"),
        ("GET", "/sitemap.xml"),
        ("GET", "/_edge/items"),
        ("GET", "/en-us/p/there-is-no-such-thing"),
        ("GET", "/en-us/p/%ff"),
        ("GET", "/en-us/../ops"),
    ] {
        assert_eq!(verdict(&edge, method, url).await, Verdict::Pass, "{method} {url}");
    }
    let head = verdict(&edge, "HEAD", "/en-us").await;
    assert!(matches!(&head, Verdict::Answer(answer) if answer.status == 200 && answer.body.is_empty()), "{head:?}");
    let root = ask(&edge, "/?utm_source=x").await?;
    assert_eq!((root.status, header(&root, "location"), header(&root, "cache-control")), (303, "/ja-jp?utm_source=x", "no-store"));
    let spelling = ask(&edge, "/EN-us/P/canvas-tote/").await?;
    assert_eq!((spelling.status, header(&spelling, "location")), (301, "/en-us/p/canvas-tote"));
    shop.stop().await
}

#[tokio::test]
async fn without_its_table_an_edge_reads_at_the_origin_and_without_both_it_keeps_what_it_had() -> anyhow::Result<()> {
    let (shop, _) = with_edge().await?;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let edge = edge_at(&shop, &format!("http://{nobody}"), KEY, &[]);
    let page = ask(&edge, "/de-de/p/canvas-tote").await?;
    assert_eq!((page.status, header(&page, "x-template")), (200, "miss"));
    let stranger = edge_at(&shop, &format!("http://{nobody}"), "a key that nobody has heard of", &[]);
    assert_eq!(verdict(&stranger, "GET", "/de-de/p/canvas-tote").await, Verdict::Pass, "nothing is known, so the origin answers");

    let clock = shop.clock.clone();
    shop.stop().await?;
    // What was read a moment ago is held for a second of the machine's own time.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    clock.advance(Duration::from_millis(500));
    let fresh = ask(&edge, "/de-de/p/canvas-tote").await?;
    assert_eq!((fresh.status, header(&fresh, "x-template")), (200, "stale"), "a fresh template says so when its prices and stock are old");
    clock.advance(Duration::from_secs(30));
    let stale = ask(&edge, "/de-de/p/canvas-tote").await?;
    assert_eq!((stale.status, header(&stale, "x-template")), (200, "stale"));
    clock.advance(Duration::from_hours(20));
    let old = ask(&edge, "/de-de/p/canvas-tote").await?;
    assert_eq!((old.status, header(&old, "x-template")), (200, "stale"), "for a day while nothing can be read");
    assert_eq!(verdict(&edge, "GET", "/de-de/cart").await, Verdict::Pass);
    let cart = edge.without_origin(Request { method: "GET", path: "/de-de/cart", cookies: Some("cart_count=2"), ..Request::default() }).await;
    assert_eq!((cart.status, header(&cart, "cache-control")), (503, "no-store"));
    assert!(cart.body.contains("Ihr Warenkorb bleibt erhalten") && header(&cart, "retry-after") == "30", "{}", cart.body);
    Ok(())
}

/// It takes connections and says nothing.
async fn silent() -> anyhow::Result<(SocketAddr, Arc<AtomicUsize>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let (address, asked) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            held.push(connection);
        }
    });
    Ok((address, asked))
}

#[tokio::test]
async fn an_origin_that_hangs_is_waited_for_once() -> anyhow::Result<()> {
    let (shop, _) = with_edge().await?;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let (near, asked) = silent().await?;
    let edge = edge_at(&shop, &format!("http://{nobody}"), KEY, &[format!("http://{near}")]);
    let page = ask(&edge, "/de-de/p/canvas-tote").await?;
    assert_eq!((page.status, header(&page, "x-template")), (200, "miss"));
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one read waited, the others went to the next at once");
    for other in ["/de-de", "/de-de/all", "/de-de/search?q=lampe"] {
        assert_eq!(ask(&edge, other).await?.status, 200, "{other}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    shop.clock.advance(Duration::from_secs(6));
    assert_eq!(ask(&edge, "/de-de/p/city-backpack").await?.status, 200);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "after its rest it is tried again");
    shop.stop().await
}

#[tokio::test]
async fn only_an_edge_is_told_about_items_and_only_about_those_of_the_read_model() -> anyhow::Result<()> {
    let (shop, _) = with_edge().await?;
    let ask = |path: &str, key: Option<&str>, body: &str| {
        let request = shop.visitor().client.post(format!("{}{path}", shop.url)).header("content-type", "application/json").body(body.to_owned());
        let request = match key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        async move { anyhow::Ok(request.send().await?.status().as_u16()) }
    };
    let items = r#"{"keys": [["shop", "en-us"]]}"#;
    assert_eq!(ask("/_edge/items", Some(KEY), items).await?, 200);
    assert_eq!(ask("/_edge/items", None, items).await?, 403);
    assert_eq!(ask("/_edge/items", Some("a key that only an edge knew"), items).await?, 403);
    assert_eq!(ask("/_edge/items", Some(KEY), r#"{"keys": [["shop", "en-us"], ["cart#1", "-"]]}"#).await?, 403);
    let list = r#"{"locale": "en-us", "query": {"shelf": null, "text": "bag", "filter": {"options": {}, "price_min": null, "price_max": null, "in_stock": false}, "sort": "featured", "page": 1}}"#;
    assert_eq!(ask("/_edge/lists", Some(KEY), list).await?, 200);
    assert_eq!(ask("/_edge/lists", None, list).await?, 403);
    if let Some(port) = shop.shop.config.dynamodb_listen {
        let table = |target: &'static str, pk: &str| {
            let body = format!(r#"{{"RequestItems": {{"nextgen": {{"Keys": [{{"pk": {{"S": "{pk}"}}, "sk": {{"S": "en-us"}}}}]}}}}}}"#);
            let request = shop.visitor().client.post(format!("http://{port}/")).header("x-amz-target", target).body(body);
            async move { anyhow::Ok(request.send().await.context("the table's port")?.status().as_u16()) }
        };
        assert_eq!(table("DynamoDB_20120810.BatchGetItem", "shop").await?, 200);
        assert_eq!(table("DynamoDB_20120810.BatchGetItem", "cart#1").await?, 400);
        assert_eq!(table("DynamoDB_20120810.PutItem", "shop").await?, 400);
    }
    shop.stop().await?;
    let closed = start_with(|_| {}).await?;
    let request =
        closed.visitor().client.post(format!("{}/_edge/items", closed.url)).header("authorization", "Bearer ").json(&serde_json::json!({"keys": []}));
    assert_eq!(request.send().await?.status().as_u16(), 404, "without an edge there is nothing");
    closed.stop().await
}

/// Asks until a page says something; the answer that does.
async fn until(shop: &TestShop, edge: &Edge, page: &str, words: &str) -> anyhow::Result<Answer> {
    for _ in 0..200 {
        // What a page and the hot cache hold is a moment old.
        shop.clock.advance(Duration::from_millis(1));
        let answer = ask(edge, page).await?;
        if answer.body.contains(words) {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    anyhow::bail!("{page} does not say {words:?}")
}

#[tokio::test]
async fn prices_and_stock_change_in_a_template_and_names_with_it() -> anyhow::Result<()> {
    let (shop, edge) = with_edge().await?;
    let page = "/en-us/p/canvas-tote?colour=navy";
    assert_eq!(header(&ask(&edge, page).await?, "x-template"), "miss");
    let (db, clock) = (&shop.shop.db, &shop.shop.clock);
    let sql = "SELECT v.id, v.product_id FROM variants v JOIN products p ON p.id = v.product_id WHERE p.handle = 'canvas-tote' ORDER BY v.position";
    let rows = db.all(sql, params![]).await?;
    let product: ProductId = rows.first().context("the tote")?.parse("product_id")?;
    let variants = rows.iter().map(|row| row.parse("id")).collect::<anyhow::Result<Vec<VariantId>>>()?;
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, variants) = (clock.clone(), variants.clone());
        Box::pin(async move {
            for variant in variants {
                tx.execute("UPDATE prices SET amount_minor = 12345 WHERE variant_id = $1 AND currency = 'USD'", params![variant]).await?;
                events::emit(tx, &clock, &Event::PriceChanged { product, variant }).await?;
            }
            Ok(())
        })
    })
    .await?;
    let priced = until(&shop, &edge, page, "$123.45").await?;
    assert_eq!(header(&priced, "x-template"), "hit", "the template is the same");

    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            tx.execute(
                "UPDATE products SET texts = REPLACE(texts, 'Everyday canvas tote', 'Everyday sailcloth tote') WHERE id = $1",
                params![product],
            )
            .await?;
            events::emit(tx, &clock, &Event::ProductChanged { product }).await?;
            Ok(())
        })
    })
    .await?;
    let named = until(&shop, &edge, page, "Everyday sailcloth tote").await?;
    // Made anew before it is sent, or a moment before, if it was no longer fresh.
    assert_ne!(header(&named, "x-template"), "stale");
    shop.stop().await
}

#[tokio::test]
async fn a_crowd_makes_a_page_anew_once() -> anyhow::Result<()> {
    let (shop, _) = with_edge().await?;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let left = Arc::new(AtomicUsize::new(0));
    let edge = edge_with(&shop, &format!("http://{nobody}"), KEY, &[], left.clone());
    let page = "/de-de/p/canvas-tote";
    ask(&edge, page).await?;
    shop.clock.advance(Duration::from_secs(3));
    let crowd = futures::future::try_join_all((0..20).map(|_| ask(&edge, page))).await?;
    assert!(crowd.iter().all(|answer| answer.status == 200 && header(answer, "x-template") == "stale"), "nobody waits");
    assert_eq!(left.load(Ordering::Relaxed), 1, "and one of them makes it anew");
    for _ in 0..100 {
        if header(&ask(&edge, page).await?, "x-template") == "hit" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(header(&ask(&edge, page).await?, "x-template"), "hit");
    // A computed list is a minute old at most, while it can be computed.
    let list = "/de-de/all?sort=price-asc";
    ask(&edge, list).await?;
    shop.clock.advance(Duration::from_secs(41));
    assert_eq!(header(&ask(&edge, list).await?, "x-template"), "miss", "with the 20 s for which the list itself is held");
    shop.stop().await
}

#[tokio::test]
async fn an_edge_may_ask_as_often_as_its_visitors_do() -> anyhow::Result<()> {
    let shop = start_with(|config| {
        config.edge_key = Some(KEY.into());
        config.rate_limits = true;
    })
    .await?;
    let client = shop.visitor().client;
    let ask = async |key: &str| {
        let question = client.post(format!("{}/_edge/items", shop.url)).bearer_auth(key).header("content-type", "application/json");
        anyhow::Ok(question.body(r#"{"keys":[]}"#).send().await?.status().as_u16())
    };
    let all = async |key: &str| futures::future::try_join_all((0..150).map(|_| ask(key))).await;
    assert_eq!(all(KEY).await?, [200; 150]);
    let strangers = all("a guess").await?;
    assert!(strangers.contains(&429) && strangers.iter().all(|status| [403, 429].contains(status)), "whoever guesses keys waits: {strangers:?}");
    shop.stop().await
}
