//! What is taxed where: the same hat bears other taxes in other states, an estimate is called one, and a state without a nexus takes none.

use crate::till::house::{self, House, Thing, add, checkout_fields, post, words};
use anyhow::Context as _;
use app::i18n::till;
use domain::locale::Locale;
use server::{
    params,
    tariffs::command::{self, TaxTask},
};

/// Something that counts as clothing, cheaper than any state's limit.
pub(super) async fn hat(house: &House) -> anyhow::Result<Thing> {
    let db = &house.shop.shop.db;
    for page in 1.. {
        let Some(things) = house.variants(page).await? else { break };
        for thing in things {
            let row = db.first("SELECT tax_category FROM products WHERE id = $1", params![thing.product]).await?.context("a product")?;
            if row.text("tax_category")? == "clothing" && thing.title.contains("eanie") {
                return Ok(thing);
            }
        }
    }
    anyhow::bail!("the demo sells no beanie")
}

/// What the checkout says once it knows the address.
async fn total_at(house: &House, thing: &Thing, state: &str, postcode: &str) -> anyhow::Result<String> {
    let locale: Locale = "en-us".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    let page = visitor.get("/en-us/checkout").await?;
    let mut fields = checkout_fields(&page, locale)?;
    for (name, value) in &mut fields {
        match name.as_str() {
            "delivery_region" => state.clone_into(value),
            "delivery_postcode" => postcode.clone_into(value),
            _ => {}
        }
    }
    let seen = post(&visitor, "/en-us/checkout", &fields).await?;
    let location = seen.location().with_context(|| format!("{state}: {} {}", seen.status, words(&seen.body)))?;
    Ok(words(&visitor.get(&location).await?.body))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hat_is_taxed_as_its_state_taxes_clothing() -> anyhow::Result<()> {
    let house = house::open().await?;
    let hat = hat(&house).await?;
    let estimated = till("en-us".parse()?).estimated;

    // $39.00 and $5.95 for delivery: 44.95 × 7.25 % of the hat alone in California, 6.25 % of both in Texas.
    let california = total_at(&house, &hat, "CA", "94103").await?;
    assert!(california.contains("California 7.25%") && california.contains("$2.83") && california.contains(estimated), "{california}");
    let texas = total_at(&house, &hat, "TX", "78701").await?;
    assert!(texas.contains("Texas 6.25%") && texas.contains("$2.81"), "{texas}");
    let new_york = total_at(&house, &hat, "NY", "10001").await?;
    assert!(new_york.contains("New York 0%") && new_york.contains(estimated) && new_york.contains("$44.95"), "{new_york}");
    let pennsylvania = total_at(&house, &hat, "PA", "19103").await?;
    assert!(!pennsylvania.contains(estimated) && pennsylvania.contains("$44.95"), "{pennsylvania}");

    let shop = &house.shop.shop;
    command::run(&shop.db, &shop.clock, TaxTask::Stop { place: "US-TX".to_owned(), from: None }).await?;
    let texas = total_at(&house, &hat, "TX", "78701").await?;
    assert!(!texas.contains("Texas 6.25%") && texas.contains("$44.95"), "{texas}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vat_number_alone_removes_no_tax() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "de-de".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let page = visitor.get("/de-de/checkout").await?;
    let mut fields = checkout_fields(&page, locale)?;
    fields.push(("delivery_company".to_owned(), "Groß GmbH, USt-IdNr. DE136695976".to_owned()));
    let placed = post(&visitor, "/de-de/checkout", &fields).await?;
    assert_eq!(placed.status, 303, "{}", words(&placed.body));
    let quote = house.latest().await?.body.quote;
    // 19 of 119 parts of everything, as for anybody.
    let vat = (quote.total.minor * 19 * 2 + 119) / (119 * 2);
    assert_eq!(quote.taxes.iter().map(|line| (line.millionths, line.base, line.amount.minor)).collect::<Vec<_>>(), [(190_000, quote.total, vat)]);
    house.close().await
}
