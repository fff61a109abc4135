//! Tables of rules under `/ops`: rows by form and by file, looked at before, told in the history and the log, undone.

use crate::{
    staff::house::{self, House},
    support::{Answer, Visitor},
};
use anyhow::{Context as _, ensure};
use app::staff::{Action, Route, tables::Table};
use domain::staff::Role;
use server::{params, promotions, tariffs};
use std::time::Duration;

const BOUNDARY: &str = "a-boundary-that-no-file-has";

/// The page of a table.
pub fn table(table: Table) -> String {
    Route::Table { table, wanted: String::new(), after: None }.url()
}

/// The value of a hidden field.
pub fn hidden(answer: &Answer, name: &str) -> anyhow::Result<String> {
    Ok(answer.field(name).with_context(|| format!("no field {name}: {}", answer.body))?.to_owned())
}

/// Sends a file to be looked at.
pub async fn look(visitor: &Visitor, table: Table, text: &str) -> anyhow::Result<Answer> {
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"rows.csv\"\r\nContent-Type: text/csv\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n"
    );
    let request = visitor.client.post(format!("{}{}", visitor.url, Action::TableFile { table }.url())).header("origin", &visitor.url);
    Answer::read(request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)).await
}

/// A promotion by the fields of its form; what is not said is empty.
async fn add_promotion(visitor: &Visitor, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let page = visitor.get(&Route::TableNew { table: Table::Promotions, like: None }.url()).await?;
    let (mutation, seen) = (hidden(&page, "mutation")?, hidden(&page, "seen")?);
    let fields: Vec<(&str, &str)> = [("mutation", &*mutation), ("seen", &*seen)].into_iter().chain(fields.iter().copied()).collect();
    visitor.post(&Action::TableSave { table: Table::Promotions }.url(), &fields).await
}

impl House {
    /// How many promotions take something off carts right now.
    async fn running(&self) -> anyhow::Result<usize> {
        let shop = &self.shop.shop;
        let now = shop.clock.now();
        let near = promotions::near(&shop.db, now).await?;
        Ok(near.iter().filter(|promotion| promotion.rule.valid_from <= now && promotion.rule.valid_until.is_none_or(|until| now < until)).count())
    }
}

#[tokio::test]
async fn only_merchants_change_what_things_cost() -> anyhow::Result<()> {
    let house = house::open().await?;
    let viewer = house.signed_in(Role::Viewer).await?;
    let page = viewer.get(&table(Table::Promotions)).await?;
    assert!(page.status == 200 && page.body.contains("Clothing: three for two") && !page.body.contains("Add a promotion"), "{}", page.body);
    assert_eq!(viewer.get(&Route::TableNew { table: Table::Promotions, like: None }.url()).await?.status, 403);
    for action in [
        Action::TableSave { table: Table::Promotions },
        Action::TableEnd { table: Table::Promotions },
        Action::TableApply { table: Table::Promotions },
        Action::TableUndo { edit: "x".to_owned() },
    ] {
        assert_eq!(viewer.post(&action.url(), &[]).await?.status, 403, "{action:?}");
    }
    assert_eq!(look(&viewer, Table::Promotions, "id\n").await?.status, 403);
    let merchant = house.signed_in(Role::Merchant).await?;
    assert!(merchant.get(&table(Table::Promotions)).await?.body.contains("Add a promotion"));
    assert_eq!(merchant.get(&Route::Table { table: Table::Taxes, wanted: "US-NY".to_owned(), after: None }.url()).await?.status, 200);
    assert_eq!(merchant.get("/ops/tables/secrets").await?.status, 404);
    house.close().await
}

#[tokio::test]
async fn a_promotion_is_added_changed_ended_and_brought_back() -> anyhow::Result<()> {
    let house = house::open().await?;
    let merchant = house.signed_in(Role::Merchant).await?;
    let before = house.running().await?;

    // Everything that is wrong is said at once, and nothing that was typed is lost.
    let refused = add_promotion(&merchant, &[("title", "Spring"), ("effect", "ten off"), ("markets", "DE XX"), ("priority", "high")]).await?;
    assert_eq!(refused.status, 422);
    for told in ["Write it as 10%", "There is no market \"XX\"", "whole number such as 10", "value=\"ten off\""] {
        assert!(refused.body.contains(told), "{told}: {}", refused.body);
    }
    assert_eq!(house.running().await?, before);

    let added = add_promotion(&merchant, &[("title", "Spring"), ("effect", "15%"), ("categories", "desk"), ("markets", "DE FR")]).await?;
    let row = added.location().with_context(|| added.body.clone())?;
    let page = merchant.get(&row).await?;
    assert!(page.body.contains("Saved") && page.body.contains("value=\"15%\"") && page.body.contains("in force"), "{}", page.body);
    assert_eq!(house.running().await?, before + 1);

    // A second click changes nothing; somebody who saw the row as it was is told.
    let (key, seen, mutation) = (hidden(&page, "key")?, hidden(&page, "seen")?, hidden(&page, "mutation")?);
    let save = Action::TableSave { table: Table::Promotions }.url();
    let change = [("mutation", &*mutation), ("seen", &*seen), ("key", &*key), ("effect", "20%")];
    for _ in 0..2 {
        assert_eq!(merchant.post(&save, &change).await?.status, 303);
    }
    let late = merchant.post(&save, &[("mutation", "another"), ("seen", &*seen), ("key", &*key), ("effect", "25%")]).await?;
    assert!(late.status == 409 && late.body.contains("changed meanwhile") && late.body.contains("value=\"25%\""), "{}", late.body);

    let ended = merchant.post(&Action::TableEnd { table: Table::Promotions }.url(), &[("key", &*key), ("mutation", "end")]).await?;
    assert_eq!(ended.status, 303, "{}", ended.body);
    assert_eq!(house.running().await?, before);

    // The last change is undone, then the one before; the first cannot be twice.
    let history = merchant.get(&Route::TableHistory { table: Table::Promotions, older_than: None }.url()).await?;
    let edits: Vec<String> = history.body.split("href=\"/ops/edits/").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect();
    let [ended, changed, _added] = edits.as_slice() else { anyhow::bail!("three changes: {edits:?}") };
    let undo = async |edit: &str, mutation: &str| merchant.post(&Action::TableUndo { edit: edit.to_owned() }.url(), &[("mutation", mutation)]).await;
    let blocked = undo(changed, "u0").await?;
    assert!(blocked.status == 409 && blocked.body.contains("changed again since"), "{}", blocked.body);
    assert_eq!(undo(ended, "u1").await?.status, 303);
    assert_eq!(house.running().await?, before + 1);
    assert_eq!(undo(changed, "u2").await?.status, 303);
    let page = merchant.get(&row).await?;
    assert!(page.body.contains("value=\"15%\"") && page.body.contains("undoing a change"), "{}", page.body);
    assert!(merchant.get(&format!("/ops/edits/{ended}")).await?.body.contains("was undone"));

    let logged = house.last_logged().await?;
    assert_eq!((logged.action.as_str(), &logged.after["first"]), ("change undone", &serde_json::json!("Spring")));
    house.close().await
}

#[tokio::test]
async fn a_file_is_looked_at_before_it_changes_anything() -> anyhow::Result<()> {
    let house = house::open().await?;
    let merchant = house.signed_in(Role::Merchant).await?;
    let count = "SELECT COUNT(*) AS n FROM coupons";
    let coupons = async || house.shop.shop.db.first(count, params![]).await?.context("a count")?.int("n");
    let before = coupons().await?;

    let file = "code;title;effect;cap;until\nAUTUMN-10;Autumn;10%;500;2027-03-01\nWINTER-5;Winter;5.00EUR;;\nWINTER-5;Winter again;6.00EUR;;\n";
    let looked = look(&merchant, Table::Coupons, file).await?;
    assert!(looked.status == 200 && looked.body.contains("2 new, 1 changed, 0 ended, 0 as they are, 0 wrong"), "{}", looked.body);
    assert_eq!(coupons().await?, before, "looking changes nothing");
    let wrong = look(&merchant, Table::Coupons, "code,title,effect\nAUTUMN-10,Autumn,ten\nAB,Short,5%\n").await?;
    assert!(wrong.body.contains("2 wrong") && wrong.body.contains("cannot be a code") && !wrong.body.contains("Change 2 rows"), "{}", wrong.body);
    for (text, why) in [("", "Choose a file"), ("colour\nred\n", "no column"), ("code\n\n", "no rows")] {
        let refused = look(&merchant, Table::Coupons, text).await?;
        assert!(refused.status == 422 && refused.body.contains(why), "{text:?}: {}", refused.body);
    }

    let apply = Action::TableApply { table: Table::Coupons }.url();
    let (seen, mutation) = (hidden(&looked, "seen")?, hidden(&looked, "mutation")?);
    let other = merchant.post(&apply, &[("text", "code,title,effect\nOTHER,Other,50%\n"), ("seen", &*seen), ("mutation", "m")]).await?;
    assert!(other.status == 409 && other.body.contains("since you looked"), "only what was looked at is carried out: {}", other.body);
    let done = merchant.post(&apply, &[("text", file), ("seen", &*seen), ("mutation", &*mutation)]).await?;
    let edit = done.location().with_context(|| done.body.clone())?;
    assert_eq!(coupons().await?, before + 2);
    let page = merchant.get(&edit).await?;
    assert!(page.body.contains("AUTUMN-10") && page.body.contains("by a file"), "{}", page.body);

    // What is downloaded is the same as it stands.
    let csv = merchant.get(&Route::TableCsv { table: Table::Coupons, wanted: String::new() }.url()).await?;
    assert!(csv.header("content-type").starts_with("text/csv") && csv.body.contains("AUTUMN-10"), "{}", csv.body);
    let again = look(&merchant, Table::Coupons, &csv.body).await?;
    assert!(again.body.contains("0 new, 0 changed, 0 ended") && again.body.contains("There is nothing to change"), "{}", again.body);

    // A limit that was not counted from the beginning cannot be added.
    let capped = look(&merchant, Table::Coupons, "code,cap\nWINTER-5,10\nAUTUMN-10,50\n").await?;
    assert!(
        capped.body.contains("1 changed, 0 ended, 0 as they are, 1 wrong") && capped.body.contains("neither added nor removed"),
        "{}",
        capped.body
    );

    // Many codes at once, and their file.
    let many = look(&merchant, Table::Coupons, "code,title,effect\nVIP x 30,For thirty,30%\n").await?;
    let (seen, mutation) = (hidden(&many, "seen"), hidden(&many, "mutation")?);
    ensure!(seen.is_ok(), "{}", many.body);
    let page = merchant.get(&Route::TableNew { table: Table::Coupons, like: None }.url()).await?;
    let fields = [("mutation", &*mutation), ("seen", &*hidden(&page, "seen")?), ("code", "VIP x 30"), ("title", "For thirty"), ("effect", "30%")];
    let made = merchant.post(&Action::TableSave { table: Table::Coupons }.url(), &fields).await?;
    let page = merchant.get(&made.location().with_context(|| made.body.clone())?).await?;
    let key = hidden(&page, "key")?;
    let codes = merchant.get(&Route::CouponCodes { key }.url()).await?;
    assert_eq!(codes.body.lines().filter(|line| line.starts_with("VIP-") && line.ends_with(",0")).count(), 30, "{}", codes.body);

    // The whole file is undone.
    let edit = edit.trim_start_matches("/ops/edits/").split('?').next().context("an id")?.to_owned();
    assert_eq!(merchant.post(&Action::TableUndo { edit }.url(), &[("mutation", "undo")]).await?.status, 303);
    let list = merchant.get(&Route::Table { table: Table::Coupons, wanted: "AUTUMN10".to_owned(), after: None }.url()).await?;
    assert!(list.body.contains("AUTUMN-10") && list.body.contains("ended"), "{}", list.body);
    house.close().await
}

#[tokio::test]
async fn taxes_change_from_an_instant_on_and_never_before() -> anyhow::Result<()> {
    let house = house::open().await?;
    let merchant = house.signed_in(Role::Merchant).await?;
    let shop = &house.shop.shop;
    let germany = "DE".parse()?;
    let general = async || {
        let rates = tariffs::rates(&shop.db, germany, shop.clock.now()).await?;
        let vat = rates.into_iter().filter(|rate| rate.region.is_empty() && rate.category.is_empty()).max_by_key(|rate| rate.valid_from);
        anyhow::Ok(vat.context("a rate")?.millionths)
    };
    assert_eq!(general().await?, 190_000);
    let head = "country,region,category,name,from,rate,source\n";
    let past = look(&merchant, Table::Taxes, &format!("{head}DE,,,VAT,2020-01-01,16,BGBl. I 2020\n")).await?;
    assert!(past.body.contains("Orders of the past keep their taxes"), "{}", past.body);
    let strange = look(&merchant, Table::Taxes, &format!("{head}DE,XX,,VAT,,16,\nDE,,,VAT,,160,law\n")).await?;
    for told in ["no region", "more than any tax", "2 wrong"] {
        assert!(strange.body.contains(told), "{told}: {}", strange.body);
    }

    let second = look(&merchant, Table::Taxes, &format!("{head}DE,,,Vat,,19,law\nDE,,clohting,VAT,,7,law\n")).await?;
    for told in ["another name would be a second tax", "No product can have the tax category", "2 wrong"] {
        assert!(second.body.contains(told), "{told}: {}", second.body);
    }

    let day = jiff::Timestamp::from_microsecond(shop.clock.now() + 86_400_000_000)?.to_string();
    let file = format!("{head}DE,,,VAT,{day},20,a law to come\n");
    let looked = look(&merchant, Table::Taxes, &file).await?;
    let apply = Action::TableApply { table: Table::Taxes }.url();
    let done = merchant.post(&apply, &[("text", &*file), ("seen", &*hidden(&looked, "seen")?), ("mutation", &*hidden(&looked, "mutation")?)]).await?;
    let edit = done.location().with_context(|| format!("{}: {}", done.status, done.body))?;
    assert_eq!(general().await?, 190_000, "it is to come");
    house.shop.clock.advance(Duration::from_hours(24));
    assert_eq!(general().await?, 200_000);

    // Undone after it began: what counted before counts again, and orders of the time between keep theirs.
    house.shop.clock.advance(Duration::from_mins(1));
    let merchant = house.signed_in(Role::Merchant).await?;
    let edit = edit.trim_start_matches("/ops/edits/").split('?').next().context("an id")?.to_owned();
    let undone = merchant.post(&Action::TableUndo { edit }.url(), &[("mutation", "undo")]).await?;
    assert_eq!(undone.status, 303, "{}", undone.body);
    assert_eq!(general().await?, 190_000);
    let rows =
        "SELECT COUNT(*) AS n FROM tax_rates WHERE country = 'DE' AND region = '' AND category = '' AND name = 'VAT' AND rate_millionths = 200000";
    assert_eq!(shop.db.first(rows, params![]).await?.context("a count")?.int("n")?, 1);

    let page = merchant.get(&Route::TableNew { table: Table::Collection, like: None }.url()).await?;
    let fields = [("mutation", "c"), ("seen", &*hidden(&page, "seen")?), ("place", "US-TX"), ("collects", "no")];
    let stopped = merchant.post(&Action::TableSave { table: Table::Collection }.url(), &fields).await?;
    assert_eq!(stopped.status, 303, "{}", stopped.body);
    assert!(!tariffs::rates(&shop.db, "US".parse()?, shop.clock.now()).await?.iter().any(|rate| rate.region == "TX"));
    house.close().await
}
