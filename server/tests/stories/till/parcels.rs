//! The page of an order follows its parcels: packed, sent in two, arrived, exchanged.

use crate::till::{
    house::{self, House, Thing, words},
    sending_back::{Bought, buys, locale, sends, siblings, staff},
};
use anyhow::Context as _;
use app::{
    i18n::{filled, follow, give_back, till},
    ports::Found,
};
use domain::{
    FulfilmentId, ReturnId, VariantId,
    catalog::ProductDocument,
    locale::Locale,
    money::Money,
    order::{CannotFulfil, Parcel, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason},
};
use server::{
    orders::{ChangeError, Received},
    params,
};
use std::sync::Arc;

/// Packs one piece, and says where.
async fn packs(house: &House, bought: &Bought) -> anyhow::Result<FulfilmentId> {
    let orders = &house.shop.shop.orders;
    let shelves = orders.to_pack(&bought.ledgers(house).await?, "anywhere").await?;
    let (location, portions) = shelves.first().context("pieces that lie somewhere")?;
    let id = FulfilmentId(house.shop.shop.clock.id());
    let one = [Portion { line: portions[0].line, quantity: 1 }];
    orders.pack(bought.id, id, location, &one, staff()).await?;
    Ok(id)
}

async fn page(bought: &Bought) -> anyhow::Result<(String, String)> {
    let answer = bought.visitor.get(&bought.page).await?;
    Ok((words(&answer.body), answer.body))
}

fn parcel(carrier: &str, tracking: &str) -> Vec<Parcel> {
    vec![Parcel { carrier: carrier.to_owned(), tracking: tracking.to_owned() }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_parcels_are_followed_from_the_shelf_to_the_door() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let orders = &house.shop.shop.orders;
    for code in ["en-gb", "de-de", "ja-jp"] {
        let here = locale(code);
        let messages = follow(here);
        let bought = buys(&house, &things[0], here, 2).await?;
        let (text, _) = page(&bought).await?;
        assert!(text.contains(till(here).text_paid) && !text.contains(messages.parcels_title), "{code}: {text}");

        let first = packs(&house, &bought).await?;
        let (text, _) = page(&bought).await?;
        assert!(text.contains(messages.text_packing) && !text.contains(messages.tracking), "{code}: {text}");
        // Nothing arrives that has not left: the page still says so.
        assert!(matches!(orders.deliver(bought.id, first, staff()).await, Err(ChangeError::Fulfil(CannotFulfil::NotShipped))));
        let (text, _) = page(&bought).await?;
        assert!(text.contains(messages.text_packing) && !text.contains(messages.way_delivered), "{code}: {text}");

        orders.ship(bought.id, first, &parcel("Royal Mail", "RM 1234 5678 9GB"), staff()).await?;
        let number = orders.by_id(bought.id).await?.context("an order")?.number.to_string();
        let subject = |template| filled(template, &[("number", &number)]);
        let mail = house.shop.mail(|mail| mail.subject() == subject(messages.shipped_part_subject)).await.context(code)?;
        assert!(mail.text.contains("RM 1234 5678 9GB") && mail.html.contains("RM 1234 5678 9GB"), "{code}: {}", mail.text);
        let (text, body) = page(&bought).await?;
        let partly = filled(messages.text_partly, &[("count", "1"), ("total", "2")]);
        assert!(text.contains(messages.way_partly) && text.contains(&partly), "{code}: {text}");
        let title = title(&house, &things[0], here).await?;
        assert!(text.contains("Royal Mail") && text.contains("RM 1234 5678 9GB") && text.contains(&title), "{code}: {title}: {text}");
        assert!(
            body.contains("href=\"https://www.royalmail.com/track-your-item#/tracking-results/RM123456789GB\" rel=\"noreferrer\""),
            "{code}: {body}"
        );

        let second = packs(&house, &bought).await?;
        orders.ship(bought.id, second, &parcel("Ada's bicycle", "<7>"), staff()).await?;
        let (text, body) = page(&bought).await?;
        assert!(text.contains(messages.way_shipped) && text.contains("&lt;7&gt;") && !body.contains("<7>"), "{code}: {text}");

        let mail = house.shop.mail(|mail| mail.subject() == subject(messages.shipped_rest_subject)).await.context(code)?;
        assert!(mail.text.contains("<7>") && !mail.text.contains(messages.shipped_part_next), "{code}: {}", mail.text);

        let arrived = messages.parcel_arrived.split('{').next().unwrap_or_default();
        for (id, way) in [(first, messages.way_shipped), (second, messages.way_delivered)] {
            orders.deliver(bought.id, id, staff()).await?;
            let (text, _) = page(&bought).await?;
            assert!(text.contains(way) && text.contains(arrived.trim()), "{code}: {text}");
        }
        house.shop.mail(|mail| mail.subject() == subject(messages.delivered_part_subject)).await.context(code)?;
        house.shop.mail(|mail| mail.subject() == subject(messages.delivered_rest_subject)).await.context(code)?;
        let (text, _) = page(&bought).await?;
        assert!(text.contains(messages.text_delivered) && !text.contains(till(here).text_paid), "{code}: {text}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parcel_of_which_nobody_told_is_said_to_be_assumed() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("en-us");
    let bought = buys(&house, &things[0], here, 1).await?;
    sends(&house, &bought, false).await?;
    house.shop.clock.advance(std::time::Duration::from_hours(15 * 24));
    house.shop.shop.orders.tend().await?;
    let (text, _) = page(&bought).await?;
    assert!(text.contains(follow(here).way_delivered) && text.contains("Should have arrived by"), "{text}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_is_told_by_its_name_from_the_wish_to_the_door() -> anyhow::Result<()> {
    let house = house::open().await?;
    let here = locale("en-gb");
    let (messages, returns) = (follow(here), give_back(here));
    let shop = &house.shop.shop;
    let mut found = None;
    for thing in house.things().await? {
        if let Some(other) = siblings(&house, &thing, here).await?.first() {
            found = Some((thing, *other));
            break;
        }
    }
    let (thing, other) = found.context("a thing with two variants at one price")?;
    let name = name(&house, &thing, other, here).await?;
    let bought = buys(&house, &thing, here, 1).await?;
    sends(&house, &bought, true).await?;
    let resolution = Resolution::Exchange { product: thing.product, variant: other };
    let wish = [ReturnItem { line: 0, quantity: 1, reason: ReturnReason::TooSmall, resolution }];
    let id = ReturnId(shop.clock.id());
    shop.orders.request_return(bought.id, id, &wish, staff()).await?;
    let row = shop.db.first("SELECT location FROM stock_balances ORDER BY location LIMIT 1", params![]).await?.context("a location")?;
    let receipts = vec![Receipt { line: 0, quantity: 1, restock: Restock::Shelf, exchanged: true }];
    let received =
        Received { receipts, location: row.text("location")?, kept_back: Money::zero(bought.ledgers(&house).await?.total.currency), delivery: None };
    shop.orders.receive_return(bought.id, id, &received, staff()).await?;

    let (text, _) = page(&bought).await?;
    let told = returns.received_exchange.split("{pieces}").next().unwrap_or_default().rsplit('}').next().unwrap_or_default().trim().to_owned();
    assert!(text.contains(messages.way_exchange) && text.contains(messages.text_exchange), "{text}");
    assert!(text.contains(&told) && text.contains(&format!("1 × {name}")), "{name}: {text}");
    assert!(text.contains(&format!(", {}", messages.in_exchange)), "the lines have it, too: {text}");

    let second = packs(&house, &bought).await?;
    shop.orders.ship(bought.id, second, &parcel("DHL", "JD2"), staff()).await?;
    let (text, body) = page(&bought).await?;
    assert!(text.contains(messages.way_shipped) && text.matches(&name).count() >= 2, "{name}: {text}");
    assert!(body.contains("tracking-id=JD2"), "{text}");
    shop.orders.deliver(bought.id, second, staff()).await?;
    let (text, _) = page(&bought).await?;
    assert!(text.contains(messages.way_delivered), "{text}");
    house.close().await
}

async fn document(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<Arc<ProductDocument>> {
    let shop = &house.shop.shop;
    let sql = "SELECT slug FROM slugs WHERE target = $1 AND kind = 'product' AND is_current = 1";
    for row in shop.db.all(sql, params![thing.product]).await? {
        if let Found::Here(document) = shop.storefront.product(locale.text_language(), &row.text("slug")?).await? {
            return Ok(document);
        }
    }
    anyhow::bail!("{} has no page", thing.title)
}

async fn title(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<String> {
    Ok(document(house, thing, locale).await?.title.clone())
}

/// `Canvas tote, Natural`, as the catalogue calls another variant of the thing.
async fn name(house: &House, thing: &Thing, variant: VariantId, locale: Locale) -> anyhow::Result<String> {
    let document = document(house, thing, locale).await?;
    let known = document.variants.iter().find(|known| known.id == variant).context("a variant of the thing")?;
    let values = document.options.iter().zip(&known.values);
    let named = values.map(|(option, slug)| option.values.iter().find(|value| value.slug == *slug).map_or(slug.as_str(), |value| &value.name));
    Ok([document.title.as_str()].into_iter().chain(named).collect::<Vec<_>>().join(", "))
}
