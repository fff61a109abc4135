//! Two servers over one database and one table: each event is taken by one of them, and both know what it led to.

use crate::catalog::{
    readmodel::{demo, product, view},
    stores::{self, Stores},
};
use app::ports::storefront::{Found, ListingQuery, ShelfKey, Storefront as _};
use domain::{event::Event, locale::TextLanguage, search::Sort};
use server::{
    clock::Clock,
    events::{self, Dispatcher},
    params,
    readmodel::{self, ReadModel},
};

/// Takes a product out of Germany, or brings it back.
async fn moves(stores: &Stores, clock: &Clock, model: &ReadModel, slug: &str, away: bool) -> anyhow::Result<()> {
    let document = product(model, TextLanguage::EnUs, slug).await;
    let (from, to) = if away { ("de", "away") } else { ("away", "de") };
    stores
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, document) = (clock.clone(), document.clone());
            Box::pin(async move {
                for variant in &document.variants {
                    let sql = "UPDATE prices SET price_list = $3 WHERE price_list = $2 AND variant_id = $1";
                    tx.execute(sql, params![variant.id, from, to]).await?;
                }
                let event = Event::PriceChanged { product: document.id, variant: document.variants[0].id };
                events::emit(tx, &clock, &event).await?;
                Ok(())
            })
        })
        .await
}

/// How many products a computed list has in Germany, and how many the shelf that the table has.
async fn counts(model: &ReadModel, clock: &Clock) -> anyhow::Result<(u32, u32)> {
    let view = view(model, "de-de", clock).await;
    let all = ListingQuery { sort: Sort::Newest, ..ListingQuery::default() };
    let Found::Here((computed, _)) = model.storefront.query(&view, &all).await? else { anyhow::bail!("a list") };
    let Found::Here(shelf) = model.storefront.listing(view.text(), view.market.code, &ShelfKey::All, 1).await? else { anyhow::bail!("a shelf") };
    Ok((computed.total, shelf.total))
}

#[tokio::test]
async fn what_one_server_delivers_is_on_the_lists_of_both() -> anyhow::Result<()> {
    for stores in stores::all().await {
        let (clock, one, first) = demo(&stores).await;
        first.drain().await?;
        let other = readmodel::open(stores.db.clone(), stores.table.clone(), clock.clone())?;
        other.projector.start().await?;
        let second = Dispatcher::new(stores.db.clone(), clock.clone(), vec![other.projector.clone()]);
        assert_eq!((counts(&one, &clock).await?, counts(&other, &clock).await?), ((41, 41), (41, 41)));

        moves(&stores, &clock, &one, "insulated-bottle", true).await?;
        first.drain().await?;
        assert_eq!(counts(&one, &clock).await?.0, 40, "{}", stores.name);
        assert_eq!(counts(&other, &clock).await?.0, 41, "nobody told the other one");
        // From an index that lags the other one writes a list that has too much on it.
        moves(&stores, &clock, &one, "travel-mug", true).await?;
        second.drain().await?;
        assert_eq!(counts(&other, &clock).await?, (40, 40), "{}", stores.name);

        other.projector.catch_up().await?;
        one.projector.catch_up().await?;
        assert_eq!((counts(&one, &clock).await?, counts(&other, &clock).await?), ((39, 39), (39, 39)), "{}", stores.name);

        moves(&stores, &clock, &one, "travel-mug", false).await?;
        moves(&stores, &clock, &one, "insulated-bottle", false).await?;
        second.drain().await?;
        one.projector.catch_up().await?;
        assert_eq!((counts(&one, &clock).await?, counts(&other, &clock).await?), ((41, 41), (41, 41)), "{}", stores.name);
    }
    Ok(())
}
