//! Stock under `/ops`: finding variants, what lies where, and each booking with its refusals, its ledger row and its row of the log.

use crate::{
    staff::house::{self, House},
    support::{Answer, Visitor},
};
use anyhow::{Context as _, ensure};
use app::staff::{Action, Route};
use domain::{VariantId, staff::Role};
use server::{
    catalog::stock::{self, Item},
    params,
};

/// The natural tote of the demo, at one place of the market that it lies in first.
struct Tote {
    variant: VariantId,
    item: Item,
    sku: String,
    location: String,
}

impl House {
    async fn tote(&self) -> anyhow::Result<Tote> {
        let db = &self.shop.shop.db;
        let row = db
            .first(
                "SELECT v.id, v.product_id, v.sku, b.location FROM variants v JOIN products p ON p.id = v.product_id JOIN stock_balances b ON b.variant_id = v.id \
                 WHERE p.handle = 'canvas-tote' AND v.sku <> '' AND b.free > 5 ORDER BY v.position, b.location LIMIT 1",
                params![],
            )
            .await?
            .context("the demo sells totes")?;
        let variant = row.parse("id")?;
        Ok(Tote { variant, item: Item { product: row.parse("product_id")?, variant }, sku: row.text("sku")?, location: row.text("location")? })
    }

    /// Free and held pieces at its place.
    async fn balance(&self, tote: &Tote) -> anyhow::Result<(i64, i64)> {
        let row = self
            .shop
            .shop
            .db
            .first("SELECT free, held FROM stock_balances WHERE variant_id = $1 AND location = $2", params![tote.variant, &tote.location])
            .await?
            .context("a balance")?;
        Ok((row.int("free")?, row.int("held")?))
    }

    async fn bookings(&self, tote: &Tote) -> anyhow::Result<i64> {
        let count = "SELECT COUNT(*) AS n FROM stock_ledger WHERE variant_id = $1";
        self.shop.shop.db.first(count, params![tote.variant]).await?.context("a count")?.int("n")
    }

    async fn set_free(&self, tote: &Tote, free: i64) -> anyhow::Result<()> {
        let shop = &self.shop.shop;
        let difference = free - self.balance(tote).await?.0;
        shop.db
            .transact::<_, anyhow::Error>(|tx| {
                let (clock, location, item) = (shop.clock.clone(), tote.location.clone(), tote.item);
                Box::pin(async move { stock::adjust(tx, &clock, item, &location, difference, "test", "test").await })
            })
            .await
    }
}

async fn book(visitor: &Visitor, action: Action, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
    visitor.post(&action.url(), fields).await
}

fn page_of(tote: &Tote) -> String {
    Route::Variant { variant: tote.variant, older_than: None }.url()
}

#[tokio::test]
async fn variants_are_found_by_sku_barcode_and_any_word_of_the_title() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let viewer = house.signed_in(Role::Viewer).await?;
    let find = |wanted: &str| Route::Stock { wanted: wanted.to_owned(), after: None }.url();
    let exact = viewer.get(&find(&tote.sku.to_lowercase())).await?;
    assert_eq!(exact.location(), Some(page_of(&tote)), "a scanned code leads to its variant");
    let barcode =
        house.shop.shop.db.first("SELECT barcode FROM variants WHERE id = $1", params![tote.variant]).await?.context("it")?.text("barcode")?;
    if !barcode.is_empty() {
        assert_eq!(viewer.get(&find(&barcode)).await?.location(), Some(page_of(&tote)));
    }
    for wanted in [&tote.sku[..tote.sku.len() - 1], "canvas", "TOTE", "  tot"] {
        let page = viewer.get(&find(wanted)).await?;
        assert_eq!(page.status, 200, "{wanted}");
        assert_eq!(page.body.matches(&format!("href=\"{}\"", page_of(&tote))).count(), 1, "{wanted}: once\n{}", page.body);
    }
    for (wanted, says) in [("zeppelin", "Nothing begins with"), ("", "any word of the title")] {
        assert!(viewer.get(&find(wanted)).await?.body.contains(says), "{wanted}");
    }
    assert!(viewer.get(&find("<b>\"&")).await?.body.contains("&lt;b&gt;"), "what was typed is text");
    house.close().await
}

#[tokio::test]
async fn long_lists_and_ledgers_are_turned_by_key() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let viewer = house.signed_in(Role::Viewer).await?;
    // Every demo product has some word with one of these letters.
    let all = house.shop.shop.db.first("SELECT COUNT(*) AS n FROM variants", params![]).await?.context("a count")?.int("n")?;
    let mut seen = std::collections::BTreeSet::new();
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789".chars() {
        let mut next = Some(Route::Stock { wanted: letter.to_string(), after: None }.url());
        while let Some(url) = next {
            let page = viewer.get(&url).await?;
            ensure!(page.status == 200, "{url}");
            let links = page.body.split("href=\"/ops/stock/").skip(1).filter_map(|rest| rest.split('"').next());
            seen.extend(links.map(str::to_owned));
            next = link(&page.body, "/ops/stock?q=");
        }
    }
    assert_eq!(i64::try_from(seen.len())?, all, "turning the pages shows every variant");

    for free in 0..60 {
        house.set_free(&tote, 100 + free).await?;
    }
    let first = viewer.get(&page_of(&tote)).await?;
    assert_eq!(first.body.matches("<time").count(), 50);
    let older = link(&first.body, &format!("{}?older_than=", page_of(&tote))).context("older rows")?;
    let second = viewer.get(&older).await?;
    let rest = usize::try_from(house.bookings(&tote).await?)? - 50;
    assert_eq!(second.body.matches("<time").count(), rest);
    assert!(second.body.contains("Back to the latest rows") && second.body.contains("Received"), "{}", second.body);
    house.close().await
}

fn link(body: &str, begins: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("href=\"{begins}"))?;
    Some(format!("{begins}{}", rest.split('"').next()?.replace("&amp;", "&")))
}

#[tokio::test]
async fn a_receipt_adds_pieces_once() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let warehouse = house.signed_in(Role::Warehouse).await?;
    let (free, held) = house.balance(&tote).await?;
    let page = warehouse.get(&page_of(&tote)).await?;
    let mutation = page.field("mutation").context("a form")?.to_owned();
    let action = Action::Receive { variant: tote.variant };
    let fields = [("mutation", mutation.as_str()), ("location", &tote.location), ("pieces", "+12"), ("words", "DN-4711")];
    for _ in 0..2 {
        let answer = book(&warehouse, action.clone(), &fields).await?;
        assert_eq!(answer.location(), Some(format!("{}?said=received", page_of(&tote))), "{}", answer.body);
    }
    assert_eq!(house.balance(&tote).await?, (free + 12, held), "a double click books once");
    let shown = warehouse.get(&format!("{}?said=received", page_of(&tote))).await?.body;
    assert!(shown.contains("The receipt is booked.") && shown.contains("DN-4711") && shown.contains("+12"), "{shown}");
    let logged = house.last_logged().await?;
    assert_eq!((logged.action.as_str(), logged.subject.as_str()), ("stock received", format!("variant:{}", tote.variant).as_str()));
    assert!(logged.actor.starts_with("staff:"), "{logged:?}");
    assert_eq!((logged.before["free"].as_i64(), logged.after["free"].as_i64()), (Some(free), Some(free + 12)));
    assert_eq!((logged.after["booked"].as_i64(), logged.after["why"].as_str()), (Some(12), Some("DN-4711")));

    let booked = house.bookings(&tote).await?;
    let long = "x".repeat(81);
    for (location, pieces, words, error) in [
        (tote.location.as_str(), "0", "DN", "f-r-pieces-error"),
        (&tote.location, "-1", "DN", "f-r-pieces-error"),
        (&tote.location, "1.5", "DN", "f-r-pieces-error"),
        (&tote.location, "", "DN", "f-r-pieces-error"),
        (&tote.location, "100001", "DN", "f-r-pieces-error"),
        (&tote.location, "3", " ", "f-r-words-error"),
        (&tote.location, "3", &long, "f-r-words-error"),
        ("atlantis", "3", "DN", "f-r-location-error"),
        ("", "3", "DN", "f-r-location-error"),
    ] {
        let answer = book(&warehouse, action.clone(), &[("location", location), ("pieces", pieces), ("words", words)]).await?;
        assert!(answer.status == 422 && answer.body.contains(error), "{location} {pieces} {words}: {}", answer.body);
        assert!(answer.body.contains("<details open"), "the form stands open");
        assert!(answer.body.contains(&format!("value=\"{pieces}\"")), "what was typed is kept: {pieces}");
    }
    assert_eq!(house.bookings(&tote).await?, booked, "and nothing was booked");
    house.close().await
}

#[tokio::test]
async fn an_adjustment_is_a_difference_or_a_count_and_asks_before_it_goes_below_zero() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let warehouse = house.signed_in(Role::Warehouse).await?;
    house.set_free(&tote, 10).await?;
    let action = Action::Adjust { variant: tote.variant };
    let send = |fields: &'static [(&'static str, &'static str)]| {
        let (warehouse, action, location) = (warehouse.clone(), action.clone(), tote.location.clone());
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("location", location.as_str())]).collect();
            book(&warehouse, action, &fields).await
        }
    };
    let done = Some(format!("{}?said=adjusted", page_of(&tote)));
    assert_eq!(send(&[("figure", "difference"), ("pieces", "−3"), ("reason", "lost")]).await?.location(), done, "a real minus is a minus");
    assert_eq!(house.balance(&tote).await?.0, 7);
    assert_eq!(send(&[("figure", "counted"), ("pieces", "9"), ("reason", "count"), ("words", "second shelf")]).await?.location(), done);
    assert_eq!(house.balance(&tote).await?.0, 9);
    let logged = house.last_logged().await?;
    assert_eq!((logged.action.as_str(), logged.before["free"].as_i64(), logged.after["free"].as_i64()), ("stock adjusted", Some(7), Some(9)));
    assert_eq!(logged.after["why"].as_str(), Some("count: second shelf"));

    let same = send(&[("figure", "counted"), ("pieces", "9"), ("reason", "count")]).await?;
    assert!(same.status == 422 && same.body.contains("nothing to book"), "{}", same.body);
    for fields in [
        &[("figure", "counted"), ("pieces", "-1"), ("reason", "count")][..],
        &[("figure", "difference"), ("pieces", "many"), ("reason", "count")],
        &[("figure", "difference"), ("pieces", "1"), ("reason", "other")],
        &[("figure", "difference"), ("pieces", "1"), ("reason", "whim")],
    ] {
        assert_eq!(send(fields).await?.status, 422, "{fields:?}");
    }
    let asked = send(&[("figure", "difference"), ("pieces", "-11"), ("reason", "stolen"), ("mutation", "one-wish")]).await?;
    assert!(asked.status == 409 && asked.body.contains("name=\"below_zero\"") && asked.body.contains("−2 free"), "{}", asked.body);
    assert_eq!(house.balance(&tote).await?.0, 9, "asked first");
    let meant = send(&[("figure", "difference"), ("pieces", "-11"), ("reason", "stolen"), ("mutation", "one-wish"), ("below_zero", "yes")]).await?;
    assert_eq!(meant.location(), done, "the wish that was asked about is still the first of its kind: {}", meant.body);
    assert_eq!(house.balance(&tote).await?.0, -2);
    assert!(warehouse.get(&page_of(&tote)).await?.body.contains("−2"), "a debt is shown");
    house.close().await
}

#[tokio::test]
async fn damage_takes_free_pieces_only() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let warehouse = house.signed_in(Role::Warehouse).await?;
    house.set_free(&tote, 4).await?;
    let action = Action::Damage { variant: tote.variant };
    let fields = |pieces: &'static str, words: &'static str| [("location", tote.location.as_str()), ("pieces", pieces), ("words", words)];
    let refused = book(&warehouse, action.clone(), &fields("5", "water")).await?;
    assert!(refused.status == 409 && refused.body.contains("Only 4 are free"), "{}", refused.body);
    assert_eq!(book(&warehouse, action.clone(), &fields("1", "")).await?.status, 422, "it says what happened");
    assert_eq!(book(&warehouse, action.clone(), &fields("3", "water")).await?.status, 303);
    assert_eq!(house.balance(&tote).await?.0, 1);
    let logged = house.last_logged().await?;
    assert_eq!((logged.action.as_str(), logged.after["booked"].as_i64(), logged.after["why"].as_str()), ("stock damaged", Some(3), Some("water")));

    // Spread over rows, what is free is still free.
    let shop = &house.shop.shop;
    house.set_free(&tote, 64).await?;
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, location, item) = (shop.clock.clone(), tote.location.clone(), tote.item);
            Box::pin(async move { stock::spread(tx, &clock, item, &location, 8).await })
        })
        .await?;
    assert_eq!(book(&warehouse, action, &fields("60", "fire")).await?.status, 303);
    let left = "SELECT CAST(SUM(free) AS BIGINT) AS free FROM stock_balances WHERE variant_id = $1 AND location = $2";
    let left = shop.db.first(left, params![tote.variant, &tote.location]).await?.context("rows")?.int("free")?;
    assert_eq!(left, 4);
    house.close().await
}

#[tokio::test]
async fn only_the_warehouse_books() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let booked = house.bookings(&tote).await?;
    let actions = [Action::Receive { variant: tote.variant }, Action::Adjust { variant: tote.variant }, Action::Damage { variant: tote.variant }];
    let fields = [("location", tote.location.as_str()), ("pieces", "1"), ("figure", "difference"), ("reason", "found"), ("words", "x")];
    for role in [Role::Viewer, Role::Support] {
        let visitor = house.signed_in(role).await?;
        let page = visitor.get(&page_of(&tote)).await?;
        assert!(page.status == 200 && !page.body.contains("Book receipt"), "{role} is offered nothing to book");
        for action in &actions {
            assert_eq!(book(&visitor, action.clone(), &fields).await?.status, 403, "{role} {action:?}");
        }
    }
    let stranger = house.shop.visitor();
    for action in &actions {
        assert_eq!(book(&stranger, action.clone(), &fields).await?.location().as_deref(), Some("/ops/sign-in"), "{action:?}");
        let warehouse = house.signed_in(Role::Warehouse).await?;
        let foreign = warehouse.client.post(format!("{}{}", warehouse.url, action.url())).header("origin", "https://evil.example").form(&fields);
        assert_eq!(Answer::read(foreign).await?.status, 403, "{action:?}");
        assert_eq!(warehouse.get(&action.url()).await?.status, 405, "{action:?}");
    }
    assert_eq!(house.bookings(&tote).await?, booked);
    let nobody = Route::Variant { variant: VariantId(uuid::Uuid::nil()), older_than: None }.url();
    let admin = house.signed_in(Role::Admin).await?;
    assert_eq!((admin.get(&nobody).await?.status, admin.get("/ops/stock/nonsense").await?.status), (404, 404));
    house.close().await
}

#[tokio::test]
async fn a_page_from_before_books_nothing_else() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let warehouse = house.signed_in(Role::Warehouse).await?;
    house.set_free(&tote, 20).await?;
    for (action, first, other, free) in [
        (Action::Receive { variant: tote.variant }, vec![("pieces", "12"), ("words", "DN-1")], vec![("pieces", "13"), ("words", "DN-1")], 32),
        (Action::Receive { variant: tote.variant }, vec![("pieces", "1"), ("words", "DN-2")], vec![("pieces", "1"), ("words", "DN-3")], 33),
        (
            Action::Adjust { variant: tote.variant },
            vec![("figure", "difference"), ("pieces", "-3"), ("reason", "lost")],
            vec![("figure", "difference"), ("pieces", "-3"), ("reason", "stolen")],
            30,
        ),
        (Action::Damage { variant: tote.variant }, vec![("pieces", "2"), ("words", "water")], vec![("pieces", "4"), ("words", "water")], 28),
    ] {
        let mutation = warehouse.get(&page_of(&tote)).await?.field("mutation").context("a form")?.to_owned();
        let send = async |fields: &[(&'static str, &'static str)]| {
            let named = [("mutation", mutation.as_str()), ("location", tote.location.as_str())];
            book(&warehouse, action.clone(), &[&named[..], fields].concat()).await
        };
        assert_eq!(send(&first).await?.status, 303, "{action:?}");
        let (booked, logged) = (house.bookings(&tote).await?, house.log().await?.len());
        let told = send(&other).await?;
        assert!(
            told.status == 422 && told.body.contains("This form was sent before with other words, and that was done."),
            "{action:?}: {}",
            told.body
        );
        let pieces = other.iter().find(|(name, _)| *name == "pieces").context("a figure")?.1;
        assert!(told.body.contains("<details open") && told.body.contains(&format!("value=\"{pieces}\"")), "{action:?}: what was typed stays");
        assert_eq!(send(&first).await?.status, 303, "{action:?}: the same form again is no other one");
        assert_eq!((house.balance(&tote).await?.0, house.bookings(&tote).await?, house.log().await?.len()), (free, booked, logged), "{action:?}");
    }
    house.close().await
}

#[tokio::test]
async fn a_figure_that_cannot_be_kept_is_refused() -> anyhow::Result<()> {
    let house = house::open().await?;
    let tote = house.tote().await?;
    let warehouse = house.signed_in(Role::Warehouse).await?;
    let db = &house.shop.shop.db;
    db.execute("UPDATE stock_balances SET free = 0, held = 0 WHERE variant_id = $1", params![tote.variant]).await?;
    let sql = "UPDATE stock_balances SET free = $3 WHERE variant_id = $1 AND location = $2 AND bucket = 0";
    db.execute(sql, params![tote.variant, &tote.location, i64::MAX - 5]).await?;
    let (booked, logged) = (house.bookings(&tote).await?, house.log().await?.len());
    let location = ("location", tote.location.as_str());
    for (action, fields) in [
        (Action::Receive { variant: tote.variant }, vec![location, ("pieces", "6"), ("words", "DN")]),
        (Action::Adjust { variant: tote.variant }, vec![location, ("figure", "difference"), ("pieces", "6"), ("reason", "found")]),
    ] {
        let told = book(&warehouse, action.clone(), &fields).await?;
        let is_told = told.body.contains("the stock there would become larger than the books can hold") && !told.body.contains("Type a whole number");
        assert!(told.status == 422 && is_told, "{action:?}: {} {}", told.status, told.body);
        assert!(told.body.contains("value=\"6\""), "{action:?}: what was typed stays");
    }
    assert_eq!((house.balance(&tote).await?.0, house.bookings(&tote).await?, house.log().await?.len()), (i64::MAX - 5, booked, logged));
    house.close().await
}
