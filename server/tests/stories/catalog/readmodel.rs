//! From SQL to pages: what the first start brings, how a change becomes visible, and what a reader gets who comes too late.

use crate::catalog::stores::{self, Stores};
use app::ports::storefront::{Found, ListingQuery, ShelfKey, Storefront as _, View};
use domain::{
    ProductId, VariantId,
    catalog::{PictureSource, ProductDocument},
    event::Event,
    live::Availability,
    locale::{Locale, TextLanguage},
    market::MarketCode,
    money::{Currency, Money},
    offer::offer,
    page::Block,
    search::{Filter, Sort},
};
use server::{
    catalog::{
        self,
        locations::{self, Location},
        prices,
    },
    clock::Clock,
    events::{self, Dispatcher},
    params,
    readmodel::{self, ReadModel},
};
use std::{sync::Arc, time::Duration};

/// A shop with the demo in it, projected.
pub async fn demo(stores: &Stores) -> (Clock, ReadModel, Dispatcher) {
    let clock = Clock::system();
    assert!(catalog::first_start(&stores.db, &clock, true).await.expect("the demo"));
    let model = readmodel::open(stores.db.clone(), stores.table.clone(), clock.clone()).expect("a read model");
    model.projector.start().await.expect("a start");
    let dispatcher = Dispatcher::new(stores.db.clone(), clock.clone(), vec![model.projector.clone()]);
    (clock, model, dispatcher)
}

pub async fn view(model: &ReadModel, locale: &str, clock: &Clock) -> View {
    let locale: Locale = locale.parse().expect("a locale");
    let shop = model.storefront.shop(locale.text_language()).await.expect("the shop");
    let market = Arc::new(shop.market(locale).expect("a market").clone());
    View { locale, market, now: clock.now(), origin: "http://shop.example".into(), shop, cards: Arc::default() }
}

/// A market that sells everything in the demo.
fn us() -> MarketCode {
    "US".parse().expect("a code")
}

pub async fn product(model: &ReadModel, language: TextLanguage, slug: &str) -> Arc<ProductDocument> {
    match model.storefront.product(language, slug).await.expect("a read") {
        Found::Here(product) => product,
        other => panic!("{slug}: {other:?}"),
    }
}

#[tokio::test]
async fn the_first_start_brings_the_demo_and_pages_can_be_read() {
    for stores in stores::all().await {
        let started = tokio::time::Instant::now();
        let (clock, model, _) = demo(&stores).await;
        println!("{}: the demo took {} ms", stores.name, started.elapsed().as_millis());
        assert!(!catalog::first_start(&stores.db, &clock, true).await.expect("a second start"), "once");
        let shop = model.storefront.shop(TextLanguage::De).await.expect("the shop");
        assert_eq!(shop.categories.iter().map(|shelf| (shelf.key.as_str(), shelf.count)).collect::<Vec<_>>()[..2], [("bags-travel", 8), ("wear", 6)]);
        assert_eq!((shop.products, shop.markets.len(), shop.help.len(), shop.demo), (41, 7, 8, true));
        assert_eq!(shop.categories[0].title, "Taschen & Reise");
        let promises = shop.promises[&"DE".parse().expect("a code")];
        assert_eq!((promises.free_from, promises.return_days), (Some(5900), 30));

        let bottle = product(&model, TextLanguage::Fr, "insulated-bottle").await;
        assert_eq!(bottle.title, "Gourde isotherme à anneau, 500 ml");
        assert_eq!(bottle.pictures[0].alt, "Gourde isotherme coloris sauge, bague en acier et bouchon à anneau");
        assert!(matches!(&bottle.pictures[0].source, PictureSource::Sized { path, .. } if path == "bags-travel/insulated-bottle/sage-front"));
        assert_eq!(bottle.variants.len(), 4);
        assert_eq!(bottle.goes_with.len(), 8);
        let cards = model.storefront.cards(TextLanguage::Ko, &bottle.goes_with).await.expect("cards");
        assert_eq!(cards.iter().map(|card| card.id).collect::<Vec<_>>(), bottle.goes_with);

        let Found::Here(all) = model.storefront.listing(TextLanguage::EnUs, us(), &ShelfKey::All, 2).await.expect("a read") else { panic!("page 2") };
        assert_eq!((all.page, all.pages, all.total, all.cards.len()), (2, 2, 41, 17));
        let beyond = model.storefront.listing(TextLanguage::EnUs, us(), &ShelfKey::All, 3).await.expect("a read");
        assert_eq!(beyond, Found::Missing);
        let tag = ShelfKey::Tag("bestseller".to_owned());
        let Found::Here(often) = model.storefront.listing(TextLanguage::Ja, us(), &tag, 1).await.expect("a read") else { panic!("a tag") };
        assert_eq!((often.shelf.title.as_str(), often.total), ("よく選ばれているもの", 12));
        let nowhere = model.storefront.listing(TextLanguage::Ja, us(), &ShelfKey::Category("nowhere".to_owned()), 1).await.expect("a read");
        assert_eq!(nowhere, Found::Missing);

        let Found::Here(home) = model.storefront.page(TextLanguage::De, "home").await.expect("a read") else { panic!("home") };
        assert_eq!(home.blocks.len(), 9);
        assert!(matches!(&home.blocks[8], Block::Newsletter { label, .. } if label == "E-Mail-Adresse"), "{:?}", home.blocks[8]);
        assert!(matches!(&home.blocks[0], Block::Hero { dark: true, button: Some(_), .. }), "{:?}", home.blocks[0]);
        let german = view(&model, "de-de", &clock).await;
        let Found::Here(delivery) = model.storefront.help(TextLanguage::De, &german.market, "delivery").await.expect("a read") else {
            panic!("help")
        };
        assert_eq!(delivery.facts[0], ("Standardversand".to_owned(), "4,90\u{a0}€ · kostenlos ab 59\u{a0}€ · 2–3 Werktage".to_owned()));
    }
}

#[tokio::test]
async fn a_reduced_price_is_struck_through_by_its_history_in_every_market() {
    for stores in stores::all().await {
        let (clock, model, _) = demo(&stores).await;
        let mug = product(&model, TextLanguage::EnUs, "travel-mug").await;
        let live = model.storefront.live(&[mug.id]).await.expect("live values").pop().expect("the mug");
        for (market, price, was) in [("US", 2800, 3600), ("DE", 2900, 3600), ("JP", 3850, 4840), ("KR", 36000, 45000)] {
            let variant = live.variant(market.parse().expect("a code"), mug.variants[0].id).expect("sold here");
            let offer = offer(&variant.windows, clock.now()).expect("an offer");
            assert_eq!((offer.price.minor, offer.was.map(|was| was.minor)), (price, Some(was)), "{market}");
        }
        let bottle = product(&model, TextLanguage::EnUs, "insulated-bottle").await;
        let live = model.storefront.live(&[bottle.id]).await.expect("live values").pop().expect("the bottle");
        let (offer, from) = live.lowest_offer("US".parse().expect("a code"), clock.now()).expect("an offer");
        assert_eq!((offer.price.minor, offer.was, from), (3400, None, false));
    }
}

#[tokio::test]
async fn what_a_location_keeps_back_is_not_shown_as_left() {
    for stores in stores::all().await {
        let (clock, model, dispatcher) = demo(&stores).await;
        dispatcher.drain().await.expect("events");
        let bottle = product(&model, TextLanguage::EnUs, "insulated-bottle").await;
        let seen = async |market: &str| {
            let live = model.storefront.live(&[bottle.id]).await.expect("live values").pop().expect("the bottle");
            live.variant(market.parse().expect("a code"), bottle.variants[0].id).expect("sold here").availability
        };
        let lying = |location: &str| {
            let values = params![bottle.variants[0].id, location];
            stores.db.first("SELECT free FROM stock_balances WHERE variant_id = $1 AND location = $2", values)
        };
        let there = lying("rotterdam").await.expect("a read").expect("a balance").int("free").expect("a number");
        let rotterdam = |safety| Location { code: "rotterdam".to_owned(), name: "Rotterdam, Netherlands".to_owned(), safety };
        let before = (seen("DE").await, seen("US").await);
        assert_eq!(before, (Availability::InStock, Availability::InStock));
        for (safety, expected) in [(there - 2, Availability::Low { left: 2 }), (there, Availability::SoldOut), (0, Availability::InStock)] {
            let location = rotterdam(u32::try_from(safety).expect("a few"));
            stores
                .db
                .transact::<_, anyhow::Error>(|tx| {
                    let (clock, location) = (clock.clone(), location.clone());
                    Box::pin(async move { locations::set(tx, &clock, &location).await })
                })
                .await
                .expect("a new version");
            dispatcher.drain().await.expect("events");
            assert_eq!((seen("DE").await, seen("US").await), (expected, Availability::InStock), "{safety} kept back");
        }
        let names: Vec<_> = locations::all(&stores.db, clock.now()).await.expect("a read").into_iter().map(|location| location.name).collect();
        assert_eq!(names, ["Osaka, Japan", "Reno, Nevada", "Rotterdam, Netherlands"]);
    }
}

async fn set_price(stores: &Stores, clock: &Clock, product: ProductId, variant: VariantId, minor: i64) {
    stores
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move {
                let price = Money::new(minor, Currency::USD);
                let new = prices::NewPrice { list: "us", variant, price, compare_at: None, source: "operator" };
                prices::set(tx, &clock, new, clock.now()).await?;
                events::emit(tx, &clock, &Event::PriceChanged { product, variant }).await?;
                Ok(())
            })
        })
        .await
        .expect("a price");
}

#[tokio::test]
async fn a_price_changed_elsewhere_is_seen_within_a_second() {
    for stores in stores::all().await {
        let (clock, model, dispatcher) = demo(&stores).await;
        let bottle = product(&model, TextLanguage::EnUs, "insulated-bottle").await;
        let variant = bottle.variants[0].id;
        dispatcher.drain().await.expect("delivered");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(dispatcher.run(async move {
            let _ = stopped.await;
        }));
        let mut seen_ms = Vec::new();
        for round in 0..20 {
            let minor = 3500 + round;
            set_price(&stores, &clock, bottle.id, variant, minor).await;
            let committed = tokio::time::Instant::now();
            loop {
                let live = model.storefront.live(&[bottle.id]).await.expect("live values").pop().expect("the bottle");
                let shown = live.variant("US".parse().expect("a code"), variant).and_then(|live| offer(&live.windows, clock.now()));
                if shown.is_some_and(|offer| offer.price.minor == minor) {
                    break;
                }
                assert!(committed.elapsed() < Duration::from_secs(5), "{}: never seen", stores.name);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            seen_ms.push(committed.elapsed().as_millis());
        }
        let _ = stop.send(());
        running.await.expect("a clean stop");
        seen_ms.sort_unstable();
        let (p50, p95) = (seen_ms[seen_ms.len() / 2], seen_ms[seen_ms.len() * 95 / 100]);
        println!("{}: change to visible: p50 {p50} ms, p95 {p95} ms", stores.name);
        assert!(p95 <= 1_000, "{seen_ms:?}");
    }
}

#[tokio::test]
async fn a_price_that_goes_or_comes_changes_what_a_market_lists() {
    for stores in stores::all().await {
        let (clock, model, dispatcher) = demo(&stores).await;
        dispatcher.drain().await.expect("delivered");
        let bottle = product(&model, TextLanguage::EnUs, "insulated-bottle").await;
        let (de, variants): (MarketCode, Vec<_>) = ("DE".parse().expect("a code"), bottle.variants.iter().map(|variant| variant.id).collect());
        let sums = async |locale: &str| {
            let view = view(&model, locale, &clock).await;
            let shelf = ShelfKey::Category("bags-travel".to_owned());
            let Found::Here(list) = model.storefront.listing(view.text(), view.market.code, &shelf, 1).await.expect("a read") else {
                panic!("a shelf")
            };
            let all = ListingQuery { sort: Sort::Newest, ..ListingQuery::default() };
            let Found::Here((all, _)) = model.storefront.query(&view, &all).await.expect("a read") else { panic!("a list") };
            (list.total, list.cards.len(), all.total, view.shop.products_in(view.market.code))
        };
        assert_eq!((sums("de-de").await, sums("en-us").await), ((8, 8, 41, 41), (8, 8, 41, 41)));
        let changed = async |sql: &'static str| {
            let event = Event::PriceChanged { product: bottle.id, variant: variants[0] };
            stores
                .db
                .transact::<_, anyhow::Error>(|tx| {
                    let (clock, variants, event) = (clock.clone(), variants.clone(), event.clone());
                    Box::pin(async move {
                        for variant in variants {
                            tx.execute(sql, params![variant]).await?;
                        }
                        events::emit(tx, &clock, &event).await?;
                        Ok(())
                    })
                })
                .await
                .expect("a change");
            dispatcher.drain().await.expect("delivered");
        };
        changed("UPDATE prices SET price_list = 'away' WHERE price_list = 'de' AND variant_id = $1").await;
        assert_eq!((sums("de-de").await, sums("en-us").await), ((7, 7, 40, 40), (8, 8, 41, 41)), "{}", stores.name);
        assert_eq!(product(&model, TextLanguage::De, "insulated-bottle").await.unsold, [de].into());
        // A process that starts on the same table reads the same.
        let other = readmodel::open(stores.db.clone(), stores.table.clone(), clock.clone()).expect("a read model");
        other.projector.start().await.expect("a start");
        let Found::Here(all) = other.storefront.listing(TextLanguage::De, de, &ShelfKey::All, 2).await.expect("a read") else { panic!("page 2") };
        assert_eq!((all.pages, all.total, all.cards.len()), (2, 40, 16));
        changed("UPDATE prices SET price_list = 'de' WHERE price_list = 'away' AND variant_id = $1").await;
        assert_eq!(sums("de-de").await, (8, 8, 41, 41));
        assert!(product(&model, TextLanguage::De, "insulated-bottle").await.unsold.is_empty());
    }
}

#[tokio::test]
async fn what_is_hidden_gone_or_renamed_answers_so() {
    for stores in stores::all().await {
        let (clock, model, dispatcher) = demo(&stores).await;
        let (bottle, mug, belt) = (
            product(&model, TextLanguage::De, "insulated-bottle").await.id,
            product(&model, TextLanguage::De, "travel-mug").await.id,
            product(&model, TextLanguage::De, "leather-belt").await.id,
        );
        stores
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    tx.execute("UPDATE products SET status = 'draft' WHERE id = $1", params![bottle]).await?;
                    tx.execute("UPDATE products SET status = 'archived' WHERE id = $1", params![mug]).await?;
                    catalog::product::rename(tx, catalog::product::SlugKind::Product, TextLanguage::De, "ledergürtel", &belt.to_string()).await?;
                    for product in [bottle, mug, belt] {
                        events::emit(tx, &clock, &Event::ProductChanged { product }).await?;
                    }
                    Ok(())
                })
            })
            .await
            .expect("a change");
        dispatcher.drain().await.expect("delivered");
        let read = async |slug: &str| model.storefront.product(TextLanguage::De, slug).await.expect("a read");
        assert_eq!(read("insulated-bottle").await, Found::Missing);
        assert_eq!(read("travel-mug").await, Found::Gone);
        assert_eq!(read("leather-belt").await, Found::Moved("ledergürtel".to_owned()));
        assert!(matches!(read("ledergürtel").await, Found::Here(_)));
        let english = model.storefront.product(TextLanguage::EnUs, "leather-belt").await.expect("a read");
        assert!(matches!(english, Found::Here(_)), "other languages keep theirs");
        let Found::Here(shelf) =
            model.storefront.listing(TextLanguage::EnGb, us(), &ShelfKey::Category("bags-travel".to_owned()), 1).await.expect("a read")
        else {
            panic!("the shelf")
        };
        assert_eq!((shelf.total, shelf.cards.len()), (6, 6));
        assert_eq!(model.storefront.shop(TextLanguage::EnUs).await.expect("the shop").products, 39);
        // Another process that starts on the same table sees the same.
        let other = readmodel::open(stores.db.clone(), stores.table.clone(), clock.clone()).expect("a read model");
        other.projector.start().await.expect("a start");
        assert_eq!(other.storefront.product(TextLanguage::De, "travel-mug").await.expect("a read"), Found::Gone);
        other.projector.rebuild().await.expect("a rebuild");
        assert!(matches!(other.storefront.product(TextLanguage::Ja, "leather-belt").await.expect("a read"), Found::Here(_)));
    }
}

#[tokio::test]
async fn lists_are_narrowed_counted_sorted_and_searched() {
    let stores = stores::all().await.remove(0);
    let (clock, model, _) = demo(&stores).await;
    let us = view(&model, "en-us", &clock).await;
    let ask = async |view: &View, query: ListingQuery| match model.storefront.query(view, &query).await.expect("a read") {
        Found::Here(answer) => answer,
        other => panic!("{query:?}: {other:?}"),
    };
    let bags = Some(ShelfKey::Category("bags-travel".to_owned()));
    let (list, facets) = ask(&us, ListingQuery { shelf: bags.clone(), ..ListingQuery::default() }).await;
    assert_eq!((list.total, facets.in_stock), (8, 8));
    let colours = facets.options.iter().find(|facet| facet.slug == "colour").expect("colours");
    assert_eq!(colours.name, "Color");
    let count = |slug: &str| colours.values.iter().find(|(value, _)| value.slug == slug).map_or(0, |(_, count)| *count);
    let wanted: Filter = Filter::from_pairs([("o.colour", "sage")], 2);
    let (narrowed, own) = ask(&us, ListingQuery { shelf: bags.clone(), filter: wanted.clone(), ..ListingQuery::default() }).await;
    assert_eq!(narrowed.total, count("sage"));
    assert_eq!(own.options[0].values.len(), colours.values.len(), "a facet is counted without its own filter");
    for card in &narrowed.cards {
        assert_eq!(card.selected.as_deref(), Some("sage"));
        assert_eq!(card.picture.as_ref().and_then(|picture| picture.value.as_deref()), Some("sage"), "{} shows the colour", card.title);
    }
    let cheap = Filter::from_pairs([("max", "50")], 2);
    let (list, _) = ask(&us, ListingQuery { filter: cheap, sort: Sort::PriceDescending, ..ListingQuery::default() }).await;
    let live = model.storefront.live(&list.cards.iter().map(|card| card.id).collect::<Vec<_>>()).await.expect("live");
    let price = |id| {
        live.iter().find(|live| live.product == id).and_then(|live| live.lowest_offer(us.market.code, us.now)).map(|(offer, _)| offer.price.minor)
    };
    let prices: Vec<_> = list.cards.iter().filter_map(|card| price(card.id)).collect();
    assert!(prices.len() > 5 && prices.is_sorted_by(|a, b| a >= b) && prices.iter().all(|price| *price <= 5000), "{prices:?}");

    for (locale, text, first) in [
        ("en-us", "bottle", "insulated-bottle"),
        ("en-us", "BOTTLES", "insulated-bottle"),
        ("de-de", "flasche", "insulated-bottle"),
        ("de-de", "mützen", "rib-beanie"),
        ("fr-fr", "ecouteurs", "wireless-earbuds"),
        ("ja-jp", "ボトル", "insulated-bottle"),
        ("ko-kr", "보틀", "insulated-bottle"),
        ("en-gb", "head", "over-ear-headphones"),
    ] {
        let view = view(&model, locale, &clock).await;
        let (list, _) = ask(&view, ListingQuery { text: Some(text.to_owned()), ..ListingQuery::default() }).await;
        assert_eq!(list.cards.first().map(|card| card.slug.as_str()), Some(first), "{locale} {text}");
    }
    for text in ["", "   ", "xyzzy", "<script>"] {
        let (list, _) = ask(&us, ListingQuery { text: Some(text.to_owned()), ..ListingQuery::default() }).await;
        assert_eq!(list.total, 0, "{text:?}");
    }
    let beyond = model.storefront.query(&us, &ListingQuery { page: 9, ..ListingQuery::default() }).await.expect("a read");
    assert_eq!(beyond, Found::Missing);
}
