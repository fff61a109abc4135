//! A seller's files: what is taken, what is refused and why, and that the same file twice changes nothing.

use crate::{catalog::readmodel, catalog::stores};
use app::ports::storefront::{Found, Storefront as _};
use domain::{catalog::PictureSource, live::Availability, locale::TextLanguage, offer::offer};
use server::{
    catalog::{
        import::{self, Report},
        stock,
    },
    clock::Clock,
    params,
    sql::Db,
    staff::audit,
};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/catalog/fixtures").join(name)
}

pub fn args(file: PathBuf) -> import::Args {
    import::Args { file, currency: "USD".to_owned(), language: "en-us".to_owned(), location: None, market: vec![] }
}

pub async fn import(db: &Db, data: &Path, args: &import::Args) -> Report {
    import::run(db, &Clock::system(), data, args).await.expect("an import")
}

pub async fn figures(db: &Db) -> Vec<i64> {
    let mut figures = Vec::new();
    for sql in [
        "SELECT COUNT(*) AS n FROM products",
        "SELECT COUNT(*) AS n FROM variants",
        "SELECT COUNT(*) AS n FROM prices",
        "SELECT COUNT(*) AS n FROM price_history",
        "SELECT COUNT(*) AS n FROM stock_ledger",
        "SELECT COUNT(*) AS n FROM outbox",
        "SELECT CAST(SUM(free) AS BIGINT) AS n FROM stock_balances",
    ] {
        figures.push(db.first(sql, vec![]).await.expect("a read").expect("a row").int("n").expect("a number"));
    }
    figures
}

#[tokio::test]
async fn the_demos_own_file_is_recognised_and_twice_changes_nothing() {
    for stores in stores::all().await {
        let (clock, model, dispatcher) = readmodel::demo(&stores).await;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/shopify-products.csv");
        let demo = figures(&stores.db).await;
        let report = import(&stores.db, stores.folder.path(), &args(file.clone())).await;
        assert_eq!((report.products_read, report.products_new, report.exit_code()), (41, 0, 0), "{}: {report}", stores.name);
        let before = figures(&stores.db).await;
        assert_eq!((before[0], before[1]), (41, 182));
        assert_eq!((before[4], before[6]), (demo[4], demo[6]), "the file counts the demo's pieces at all locations: none are booked");
        let again = import(&stores.db, stores.folder.path(), &args(file)).await;
        assert_eq!((again.products_same, again.products_changed), (41, 0), "{again}");
        assert_eq!(figures(&stores.db).await, before, "the same file twice changes nothing");

        dispatcher.drain().await.expect("delivered");
        let bottle = readmodel::product(&model, TextLanguage::Ja, "insulated-bottle").await;
        assert_eq!(bottle.title, "ループキャップ付き保冷・保温ボトル 500ml", "other languages stay");
        assert!(matches!(bottle.pictures[0].source, PictureSource::Sized { .. }), "ready-made sizes stay");
        let english = readmodel::product(&model, TextLanguage::EnUs, "insulated-bottle").await;
        assert_eq!(english.details.len(), 5);
        assert!(!english.description_html.contains("<ul>"), "the closing list stands among the details only");
        let live = model.storefront.live(&[bottle.id]).await.expect("live").pop().expect("the bottle");
        let offer = live.lowest_offer("US".parse().expect("a code"), clock.now()).expect("an offer").0;
        assert_eq!(offer.price.minor, 3400);
    }
}

#[tokio::test]
async fn bad_rows_are_named_and_the_good_variants_stay() {
    for stores in stores::all().await {
        let report = import(&stores.db, stores.folder.path(), &args(fixture("bad-rows.csv"))).await;
        let refused: Vec<(u64, &str)> = report.refusals.iter().map(|refusal| (refusal.line, refusal.column.as_str())).collect();
        assert_eq!(
            refused,
            [
                (3, "Variant Inventory Qty"),
                (4, "Variant Price"),
                (5, "Option1 Value"),
                (6, "Image Src"),
                (7, "Option2 Value"),
                (8, "Gift Card"),
                (9, ""),
                (10, "Handle"),
                (13, "Title"),
                (14, ""),
                (15, "Image Src"),
            ],
            "{}: {report}",
            stores.name
        );
        assert_eq!((report.exit_code(), report.products_new, report.variants), (3, 4, 5), "{report}");
        assert_eq!((report.products_read, report.products_left_out(), report.products_hidden), (7, 3, 0), "{report}");
        assert_eq!(report.remote_pictures.len(), 1);
        let text = report.to_string();
        assert!(text.contains("bad-rows.csv:9: gift-card was left out, and this row with it"), "{text}");
        assert!(text.contains("bad-rows.csv:4: Variant Price: \"forty-eight\" is not a price in USD such as 34.00"), "{text}");
        assert_eq!(text.matches("https://pictures.example").count(), 1, "addresses are named once: {text}");

        let model = server::readmodel::open(stores.db.clone(), stores.table.clone(), Clock::system()).expect("a read model");
        model.projector.start().await.expect("a start");
        let shirt = readmodel::product(&model, TextLanguage::De, "linen-shirt").await;
        assert_eq!(shirt.description_html, "<p>Cool linen.</p>");
        assert_eq!(shirt.details, ["Care: wash cold"]);
        assert_eq!(shirt.options.iter().map(|option| option.slug.as_str()).collect::<Vec<_>>(), ["colour", "size"]);
        assert_eq!(shirt.variants.len(), 2);
        assert_eq!(shirt.tags, ["summer", "linen-things"]);
        assert!(matches!(&shirt.pictures[0].source, PictureSource::Remote { url } if url == "https://pictures.example/shirt.jpg"));
        let live = model.storefront.live(&[shirt.id]).await.expect("live").pop().expect("the shirt");
        let us = "US".parse().expect("a code");
        let white = live.variant(us, shirt.variants[0].id).expect("sold in the US");
        assert_eq!(white.availability, Availability::Low { left: 5 });
        let white = offer(&white.windows, Clock::system().now()).expect("an offer");
        assert_eq!((white.price.minor, white.was), (4800, None), "a compare-at price without history strikes nothing through");
        assert_eq!(live.variant(us, shirt.variants[1].id).map(|live| live.availability), Some(Availability::InStock), "not counted");
        assert_eq!(live.variant("DE".parse().expect("a code"), shirt.variants[0].id), None, "a market without a price does not sell it");
        for hidden in ["secret-hat", "draft-hat"] {
            assert_eq!(model.storefront.product(TextLanguage::EnUs, hidden).await.expect("a read"), Found::Missing, "{hidden}");
        }
        let odd = readmodel::product(&model, TextLanguage::EnUs, "odd-options").await;
        assert_eq!(odd.options.iter().map(|option| option.slug.as_str()).collect::<Vec<_>>(), ["option-quantity", "option-mutation"]);
    }
}

#[tokio::test]
async fn what_was_sold_never_comes_back() {
    for stores in stores::all().await {
        let folder = stores.folder.path();
        let file = folder.join("cups.csv");
        let write = |quantity: i64| {
            let text = format!(
                "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\ncup,Cup,Title,Default Title,C,shopify,{quantity},18.00\n"
            );
            std::fs::write(&file, text).expect("a file");
        };
        let free =
            async || stores.db.first("SELECT free FROM stock_balances", vec![]).await.expect("a read").expect("a row").int("free").expect("a number");
        write(10);
        assert_eq!(import(&stores.db, folder, &args(file.clone())).await.products_new, 1);
        assert_eq!(free().await, 10, "{}", stores.name);
        let row = stores.db.first("SELECT id, product_id FROM variants", vec![]).await.expect("a read").expect("a row");
        let item = stock::Item { product: row.parse("product_id").expect("an id"), variant: row.parse("id").expect("an id") };
        stores
            .db
            .transact::<_, anyhow::Error>(|tx| Box::pin(async move { stock::adjust(tx, &Clock::system(), item, "reno", -4, "sold", "test").await }))
            .await
            .expect("four are sold");
        assert_eq!(import(&stores.db, folder, &args(file.clone())).await.products_same, 1);
        assert_eq!(free().await, 6, "the same file resurrects nothing");
        write(12);
        import(&stores.db, folder, &args(file.clone())).await;
        assert_eq!(free().await, 8, "two more came in");
        let kinds = stores.db.all("SELECT kind FROM stock_ledger WHERE variant_id = $1", params![item.variant]).await.expect("a read");
        assert_eq!(kinds.len(), 3, "a receipt and two adjustments");
        let told = audit::page(&stores.db, None, 10).await.expect("the log is read");
        assert!(told.iter().all(|entry| entry.actor == audit::Actor::CommandLine && entry.subject == audit::Subject::File("cups.csv".to_owned())));
        let told: Vec<&str> = told.iter().rev().filter_map(|entry| entry.after.as_deref()).collect();
        assert_eq!(told, [r#"{"changed":[],"new":["cup"]}"#, r#"{"changed":["cup"],"new":[]}"#], "the log has what was changed");
    }
}

#[tokio::test]
async fn both_header_sets_are_read_and_pictures_beside_the_file_are_taken() {
    for stores in stores::all().await {
        let folder = stores.folder.path();
        let beside = folder.join("file");
        std::fs::create_dir_all(&beside).expect("a folder");
        std::fs::copy(fixture("shopify-2019.csv"), beside.join("products.csv")).expect("a copy");
        image::RgbImage::from_pixel(80, 100, image::Rgb([180, 90, 60])).save(beside.join("cup.png")).expect("a picture");
        std::fs::write(beside.join("cup-side.png"), b"not a picture").expect("a file");
        let report = import(&stores.db, folder, &args(beside.join("products.csv"))).await;
        assert_eq!((report.products_new, report.exit_code()), (1, 3), "{}: {report}", stores.name);
        assert_eq!(report.refusals[0].line, 3);
        assert!(report.refusals[0].reason.contains("not a JPEG, PNG or WebP"), "{report}");

        let today = import::Args {
            language: "de-de".to_owned(),
            currency: "EUR".to_owned(),
            location: Some("rotterdam".to_owned()),
            ..args(fixture("shopify-today.csv"))
        };
        let report = import(&stores.db, folder, &today).await;
        assert_eq!((report.products_new, report.variants, report.exit_code()), (1, 2, 0), "{report}");
        let model = server::readmodel::open(stores.db.clone(), stores.table.clone(), Clock::system()).expect("a read model");
        model.projector.start().await.expect("a start");
        let cup = readmodel::product(&model, TextLanguage::EnUs, "clay-cup").await;
        assert_eq!((cup.pictures[0].width, cup.pictures[0].height, cup.pictures[0].alt.as_str()), (80, 100, "A cup of red clay"));
        let PictureSource::File { path } = &cup.pictures[0].source else { panic!("a file") };
        assert!(folder.join("media").join(path).is_file());
        assert_eq!((cup.variants.len(), cup.options.len(), cup.category.as_ref().map(|(key, _)| key.as_str())), (1, 0, Some("cups")));
        let rug = readmodel::product(&model, TextLanguage::De, "wool-rug").await;
        assert_eq!(rug.options[0].slug, "colour");
        assert_eq!(rug.options[1].values[0].slug, "120-60");
        assert_eq!(rug.category.as_ref().map(|(_, title)| title.as_str()), Some("Rugs"));
        let live = model.storefront.live(&[rug.id]).await.expect("live").pop().expect("the rug");
        for market in ["DE", "FR"] {
            let variants = &live.markets[&market.parse().expect("a code")];
            assert_eq!(variants[&rug.variants[0].id].availability, Availability::Low { left: 2 });
            assert_eq!(variants[&rug.variants[1].id].availability, Availability::BackOrder);
        }
        assert!(live.markets[&"GB".parse().expect("a code")].is_empty(), "no price in pounds");
    }
}

#[tokio::test]
async fn what_is_no_product_file_changes_nothing() {
    let stores = stores::all().await.remove(0);
    let folder = stores.folder.path();
    let cases: [(&str, &[u8], &str); 3] = [
        ("empty.csv", b"", "no column Handle"),
        ("orders.csv", b"Name,Email\n#1,a@b.example\n", "no column Handle"),
        ("bare.csv", b"Handle,Title\n", "no rows"),
    ];
    for (name, bytes, reason) in cases {
        std::fs::write(folder.join(name), bytes).expect("a file");
        let error = import::run(&stores.db, &Clock::system(), folder, &args(folder.join(name))).await.expect_err("refused");
        assert!(format!("{error:#}").contains(reason), "{name}: {error:#}");
    }
    for bad in [
        import::Args { currency: "XXX".to_owned(), ..args(fixture("bad-rows.csv")) },
        import::Args { language: "tlh".to_owned(), ..args(fixture("bad-rows.csv")) },
        import::Args { location: Some("moon".to_owned()), ..args(fixture("bad-rows.csv")) },
        import::Args { market: vec!["DE".to_owned()], ..args(fixture("bad-rows.csv")) },
        args(folder.join("nowhere.csv")),
    ] {
        assert!(import::run(&stores.db, &Clock::system(), folder, &bad).await.is_err(), "{bad:?}");
    }
    std::fs::write(folder.join("latin.csv"), b"Handle,Title,Variant Price\ncup,T\xe4sse,3.00\nmug,Mug,3.00\n").expect("a file");
    let report = import(&stores.db, folder, &args(folder.join("latin.csv"))).await;
    assert_eq!((report.refusals.len(), report.refusals[0].line, report.refusals[0].column.as_str()), (1, 2, "Title"), "{report}");
    assert_eq!((report.products_new, report.products_hidden), (2, 1), "the cup waits for its title: {report}");
    std::fs::write(folder.join("marks.csv"), "Handle,Title,Variant Price\nhole,A\u{e000}nonce\u{e001}B,3.00\n").expect("a file");
    import(&stores.db, folder, &args(folder.join("marks.csv"))).await;
    let row = stores.db.first("SELECT texts FROM products WHERE handle = 'hole'", vec![]).await.expect("a read").expect("a row");
    assert!(row.text("texts").expect("text").contains("AnonceB"), "marks of holes are stripped");
}

#[tokio::test]
#[ignore = "takes a minute or more: run it by name"]
async fn ten_thousand_products_come_in_and_are_found() {
    let stores = stores::all().await.remove(0);
    let (clock, model, dispatcher) = readmodel::demo(&stores).await;
    dispatcher.drain().await.expect("delivered");
    let file = stores.folder.path().join("many.csv");
    let mut text =
        "Handle,Title,Body (HTML),Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
            .to_owned();
    for n in 0..10_000 {
        for (i, colour) in ["Sage", "Clay", "Ink"].iter().enumerate() {
            let head = if i == 0 { format!("Thing number {n},<p>A thing.</p>,Things {},\"bulk, t{}\"", n % 20, n % 50) } else { ",,,".to_owned() };
            let name = if i == 0 { "Color" } else { "" };
            writeln!(text, "thing-{n},{head},{name},{colour},T{n}-{i},shopify,{},{}.00", n % 9, 10 + n % 90).expect("a line");
        }
    }
    std::fs::write(&file, text).expect("a file");
    let started = tokio::time::Instant::now();
    let report = import(&stores.db, stores.folder.path(), &args(file)).await;
    assert_eq!((report.products_new, report.exit_code()), (10_000, 0));
    println!("10,000 products into SQL: {} ms", started.elapsed().as_millis());
    let started = tokio::time::Instant::now();
    dispatcher.drain().await.expect("delivered");
    println!("10,000 products projected: {} ms", started.elapsed().as_millis());
    let view = readmodel::view(&model, "en-us", &clock).await;
    assert_eq!(view.shop.products, 10_041);
    let started = tokio::time::Instant::now();
    let query = app::ports::storefront::ListingQuery { text: Some("thing 4711".to_owned()), ..Default::default() };
    let Found::Here((list, _)) = model.storefront.query(&view, &query).await.expect("a read") else { panic!("found") };
    println!("searched in {} µs", started.elapsed().as_micros());
    assert_eq!(list.cards[0].slug, "thing-4711");
}
