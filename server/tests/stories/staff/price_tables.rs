//! Prices, delivery methods and zones under `/ops`: what merchants write is what shoppers see, from its instant on, and what was stays told.

use crate::{
    staff::{
        house::{self, House},
        tables::{hidden, look},
    },
    support::{Answer, Visitor},
};
use anyhow::{Context as _, ensure};
use app::staff::{Action, Route, tables::Table};
use domain::{delivery::Place, staff::Role};
use server::{params, tariffs};
use std::time::Duration;

/// The file is looked at, then carried out; the change's id.
async fn changes(visitor: &Visitor, table: Table, file: &str) -> anyhow::Result<String> {
    let looked = look(visitor, table, file).await?;
    ensure!(looked.body.contains(", 0 wrong"), "{}", looked.body);
    let fields = [("text", file), ("seen", &*hidden(&looked, "seen")?), ("mutation", &*hidden(&looked, "mutation")?)];
    let done = visitor.post(&Action::TableApply { table }.url(), &fields).await?;
    let edit = done.location().with_context(|| format!("{}: {}", done.status, done.body))?;
    Ok(edit.trim_start_matches("/ops/edits/").split('?').next().context("an id")?.to_owned())
}

async fn undo(visitor: &Visitor, edit: &str) -> anyhow::Result<Answer> {
    visitor.post(&Action::TableUndo { edit: edit.to_owned() }.url(), &[("mutation", &*format!("undo {edit}"))]).await
}

async fn listed(visitor: &Visitor, table: Table, wanted: &str) -> anyhow::Result<String> {
    Ok(visitor.get(&Route::Table { table, wanted: wanted.to_owned(), after: None }.url()).await?.body)
}

async fn downloaded(visitor: &Visitor, table: Table, wanted: &str) -> anyhow::Result<String> {
    Ok(visitor.get(&Route::TableCsv { table, wanted: wanted.to_owned() }.url()).await?.body)
}

/// The head and a delivery method's row, from now on.
async fn csv_of(visitor: &Visitor, begins: &str) -> anyhow::Result<String> {
    let all = downloaded(visitor, Table::Delivery, "").await?;
    let row = all.lines().find(|line| line.starts_with(begins)).context("the row")?;
    let mut cells: Vec<&str> = row.split(',').collect();
    cells[2] = "";
    Ok(format!("{}\n{}\n", all.lines().next().context("a head")?, cells.join(",")))
}

impl House {
    /// An instant so much later, as a cell has it.
    fn later(&self, time: Duration) -> anyhow::Result<String> {
        let later = self.shop.shop.clock.now() + i64::try_from(time.as_micros())?;
        Ok(jiff::Timestamp::from_microsecond(later)?.to_string())
    }

    /// A page says it soon.
    async fn soon(&self, url: &str, says: &str) -> anyhow::Result<()> {
        let visitor = self.shop.visitor();
        for _ in 0..100 {
            if visitor.get(url).await?.body.contains(says) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("{url} does not say {says:?} in five seconds")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn price_lists_change_by_file_and_shoppers_see_it() -> anyhow::Result<()> {
    let house = house::open().await?;
    let merchant = house.signed_in(Role::Merchant).await?;
    let sql = "SELECT v.sku, s.slug FROM variants v JOIN slugs s ON s.target = v.product_id WHERE s.kind = 'product' AND s.slug = 'canvas-tote' AND v.active = 1 ORDER BY v.position LIMIT 1";
    let sku = house.shop.shop.db.first(sql, params![]).await?.context("a tote")?.text("sku")?;
    let page = "/de-de/p/canvas-tote";

    // Nothing is written while anything is wrong, and each cell says why.
    let head = "list,sku,from,until,price,compare_at\n";
    let wrong = format!("{head}xx,{sku},,,1,\nde,NO-SUCH,,,1,\nde,{sku},2020-01-01,,1,\nde,{sku},,,0,\nde,{sku},,,39.999,\nde,{sku},,,20,10\n");
    let looked = look(&merchant, Table::Prices, &wrong).await?;
    for told in ["6 wrong", "no price list", "No variant on offer", "Prices of the past", "above zero", "not an amount", "more than what it costs"] {
        assert!(looked.body.contains(told), "{told}: {}", looked.body);
    }
    let csv = downloaded(&merchant, Table::Prices, &format!("de {sku}")).await?;
    let first_price = csv.lines().nth(1).and_then(|row| row.split(',').nth(4)).context("a price")?.to_owned();
    let again = look(&merchant, Table::Prices, &csv).await?;
    assert!(again.body.contains("0 new, 0 changed, 0 ended, 1 as they are, 0 wrong"), "{csv}: {}", again.body);

    // As large as the page says that a file may be.
    let row = csv.lines().nth(1).context("a row")?;
    let large = format!("{}\n{}", csv.lines().next().context("a head")?, format!("{row}\r\n").repeat(1_900));
    assert!(large.len() > 80_000);
    let looked = look(&merchant, Table::Prices, &large).await?;
    assert!(looked.status == 200 && looked.body.contains("1900 as they are, 0 wrong"), "{}", looked.status);

    // A list price from now on, then an override of an hour that begins in an hour.
    let file = format!("{head}de,{sku},,,57.31,\n");
    let looked = look(&merchant, Table::Prices, &file).await?;
    assert!(looked.body.contains("0 new, 1 changed") && looked.body.contains("57.31"), "{}", looked.body);
    let first = changes(&merchant, Table::Prices, &file).await?;
    house.soon(page, "57,31").await?;
    let (begins, ends) = (house.later(Duration::from_hours(1))?, house.later(Duration::from_hours(2))?);
    let second = changes(&merchant, Table::Prices, &format!("{head}de,{sku},{begins},{ends},41.17,\n")).await?;
    let list = listed(&merchant, Table::Prices, &format!("de {sku}")).await?;
    assert!(list.contains("to come") && list.contains("41.17") && list.contains("57.31"), "{list}");
    let overlaps = look(&merchant, Table::Prices, &format!("{head}de,{sku},{},{ends},40,\n", house.later(Duration::from_mins(90))?)).await?;
    assert!(overlaps.body.contains("withdraw it first"), "{}", overlaps.body);
    let stops = look(&merchant, Table::Prices, &format!("list,sku,from,end\nde,{sku},,yes\n")).await?;
    assert!(stops.body.contains("are planned for it in this list"), "{}", stops.body);

    house.shop.clock.advance(Duration::from_mins(61));
    house.soon(page, "41,17").await?;
    // It runs: its price stays, its end may move.
    let merchant = house.signed_in(Role::Merchant).await?;
    let dearer = look(&merchant, Table::Prices, &format!("{head}de,{sku},{begins},{ends},44,\n")).await?;
    assert!(dearer.body.contains("It runs, and shoppers saw it"), "{}", dearer.body);
    let longer = house.later(Duration::from_hours(5))?;
    changes(&merchant, Table::Prices, &format!("{head}de,{sku},{begins},{longer},41.17,\n")).await?;
    house.shop.clock.advance(Duration::from_hours(2));
    house.soon(page, "41,17").await?;

    // Undone in the order of time: the override as it was is over by now, so it cannot be; ended it can.
    let merchant = house.signed_in(Role::Merchant).await?;
    let blocked = undo(&merchant, &second).await?;
    assert!(blocked.status == 409 && blocked.body.contains("changed again since"), "{}", blocked.body);
    changes(&merchant, Table::Prices, &format!("list,sku,from,until,end\nde,{sku},{begins},{longer},yes\n")).await?;
    house.soon(page, "57,31").await?;
    assert_eq!(undo(&merchant, &first).await?.status, 303);
    let csv = downloaded(&merchant, Table::Prices, &format!("de {sku}")).await?;
    assert_eq!(csv.lines().nth(1).and_then(|row| row.split(',').nth(4)), Some(&*first_price), "{csv}");
    house.soon(page, &format!("\"price\":\"{first_price}\"")).await?;
    let shown = "SELECT COUNT(*) AS n FROM price_history h JOIN variants v ON v.id = h.variant_id WHERE v.sku = $1 AND h.price_list = 'de' AND h.amount_minor IN (5731, 4117)";
    let shown = house.shop.shop.db.first(shown, params![&sku]).await?.context("a count")?.int("n")?;
    assert_eq!(shown, 3, "57.31, then 41.17, then 57.31 again: what was shown is kept");

    // Without a price the list does not sell it.
    let stopped = changes(&merchant, Table::Prices, &format!("list,sku,from,end\nde,{sku},,yes\n")).await?;
    assert!(listed(&merchant, Table::Prices, &format!("de {sku}")).await?.contains("Nothing begins with"));
    assert_eq!(undo(&merchant, &stopped).await?.status, 303);
    assert!(!listed(&merchant, Table::Prices, &format!("de {sku}")).await?.contains("Nothing begins with"));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_changes_from_an_instant_on_in_the_cart_and_on_the_help_page() -> anyhow::Result<()> {
    let house = house::open().await?;
    let merchant = house.signed_in(Role::Merchant).await?;
    let shop = &house.shop.shop;
    let germany = "DE".parse()?;
    let standard = async || {
        let methods = tariffs::methods(&shop.db, germany, shop.clock.now()).await?;
        methods.into_iter().find(|method| method.code == "standard").context("standard delivery")
    };
    let was = standard().await?;
    house.soon("/de-de/help/delivery", "bis 14\u{a0}Uhr").await?;
    let csv = downloaded(&merchant, Table::Delivery, "DE").await?;
    let again = look(&merchant, Table::Delivery, &csv).await?;
    assert!(again.body.contains("0 new, 0 changed, 0 ended") && again.body.contains(" 0 wrong"), "{csv}: {}", again.body);

    let refused = look(
        &merchant,
        Table::Delivery,
        "market,method,from,name,price,days,cut_off,ships_from,weights,offered\nDE,standard,2020-01-01,Standard,4.90,2-3,14:00 Europe/Berlin,rotterdam NL,,\n\
         DE,standard,,Standard,4.905,3-2,14 Uhr,rotterdam Netherlands,5kg,no\nXX,standard,,Standard,1,1-2,14:00 UTC,rotterdam,,\nDE,standard,,Standard,4,1-2,14:00 UTC,rotterdam NL,,no\n",
    )
    .await?;
    for told in [
        "4 wrong",
        "Orders of the past",
        "not an amount",
        "not such as 2-3",
        "not a time such as",
        "not a country code",
        "not such as 5000",
        "no market",
        "always offered",
    ] {
        assert!(refused.body.to_lowercase().contains(&told.to_lowercase()), "{told}: {}", refused.body);
    }

    // From an hour on: dearer, and slower, with the zones that it has.
    let file = format!(
        "market,method,from,name,name_de,price,free_from,days,cut_off,ships_from\nDE,standard,{},Standard,Standardversand,6.35,80.00,4-6,12:00 Europe/Berlin,rotterdam NL\n",
        house.later(Duration::from_hours(1))?
    );
    let edit = changes(&merchant, Table::Delivery, &file).await?;
    assert_eq!(standard().await?, was, "it is to come");
    let blocked = look(&merchant, Table::Zones, "market,method,zone,name,postcodes,price\nDE,standard,bavaria,Bavaria,80,5\n").await?;
    assert!(blocked.body.contains("A later version of this method is planned"), "{}", blocked.body);
    house.shop.clock.advance(Duration::from_mins(61));
    let now = standard().await?;
    assert_eq!((now.price.minor, now.days_min, &now.zones), (635, 4, &was.zones));
    house.soon("/de-de/help/delivery", "6,35").await?;
    let help = house.shop.visitor().get("/de-de/help/delivery").await?.body;
    assert!(help.contains("4–6") && !help.contains("bis 14\u{a0}Uhr"), "a sentence that is no longer true is not said: {help}");

    // Undone: what counted before counts again.
    let merchant = house.signed_in(Role::Merchant).await?;
    assert_eq!(undo(&merchant, &edit).await?.status, 303);
    assert_eq!(standard().await?, was);
    house.soon("/de-de/help/delivery", "bis 14\u{a0}Uhr").await?;

    // A zone of two postcodes, and one that nobody can tell from another.
    let zones = "market,method,zone,name,name_de,postcodes,price,days\n";
    let edit = changes(&merchant, Table::Zones, &format!("{zones}DE,standard,harbour,Harbour,Hafen,\"20457, 2045\",7.77,1-2\n")).await?;
    let place = |postcode| Place { country: germany, region: None, postcode: Some(postcode) };
    let here = standard().await?.to(place("20457"), 0)?;
    assert_eq!((here.price.minor, here.days_min), (777, was.days_min + 1));
    house.soon("/de-de/help/delivery", "Standardversand: Hafen").await?;
    let twice = look(&merchant, Table::Zones, &format!("{zones}DE,standard,elbe,Elbe,,204,9.00,\n")).await?;
    assert!(twice.body.contains("The zone &quot;harbour&quot; has") || twice.body.contains("The zone \"harbour\" has"), "{}", twice.body);
    let csv = downloaded(&merchant, Table::Zones, "").await?;
    let again = look(&merchant, Table::Zones, &csv).await?;
    assert!(again.body.contains("0 new, 0 changed, 0 ended") && again.body.contains(" 0 wrong"), "{csv}: {}", again.body);
    assert_eq!(undo(&merchant, &edit).await?.status, 303);
    assert_eq!(standard().await?.zones, was.zones);

    // Neither what nobody would be sent, nor what the method itself says, nor a warehouse that is none.
    let odd = look(&merchant, Table::Zones, &format!("{zones}DE,standard,all,All,,,5.00,\n")).await?;
    assert!(odd.body.contains("Name regions or postcodes"), "{}", odd.body);
    let abroad = look(&merchant, Table::Zones, "market,method,zone,name,countries,price\nDE,standard,at,Austria,AT,12.00\n").await?;
    assert!(abroad.body.contains("The market does not deliver to AT"), "{}", abroad.body);
    let nowhere = look(&merchant, Table::Delivery, &csv_of(&merchant, "DE,standard").await?.replace("rotterdam NL", "atlantis NL")).await?;
    assert!(nowhere.body.contains("There is no stock location"), "{}", nowhere.body);

    // A method that is not offered any more cannot be chosen, and comes back.
    let file = "market,method,from,offered\nDE,express,,no\n";
    let express = look(&merchant, Table::Delivery, file).await?;
    assert!(express.body.contains("American English is what"), "a version says everything: {}", express.body);
    let all = downloaded(&merchant, Table::Delivery, "DE").await?;
    let row = all.lines().find(|line| line.starts_with("DE,express,")).context("express")?;
    let mut cells: Vec<&str> = row.split(',').collect();
    cells[2] = "";
    let closed = format!("{}\n{},no,\n", all.lines().next().context("a head")?, cells[..cells.len() - 2].join(","));
    let edit = changes(&merchant, Table::Delivery, &closed).await?;
    assert!(tariffs::methods(&shop.db, germany, shop.clock.now()).await?.iter().all(|method| method.code != "express"));
    assert_eq!(undo(&merchant, &edit).await?.status, 303);
    assert!(tariffs::methods(&shop.db, germany, shop.clock.now()).await?.iter().any(|method| method.code == "express"));
    house.close().await
}
