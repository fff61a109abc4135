//! The dates that a shopper is promised are the same on the product's page, in the cart, at the checkout, on the order's page and in its mail,
//! and no public holiday is among the days that were counted.

use crate::till::house::{self, PAYS, add, paid, place, type_card, words};
use anyhow::Context as _;
use app::i18n::{date_range, till};
use domain::locale::Locale;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_promises_the_same_days_and_counts_no_holiday() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    // It is Monday, 23 November 2026, 12:00 UTC. From Reno 3 to 5 business days: the 24th, 25th, 27th (Thanksgiving is the 26th), 30th, 1 December.
    // In Osaka the 23rd is Labour Thanksgiving Day: it leaves on the 24th, and takes 1 to 3.
    for (locale, from, to) in [("en-us", "2026-11-27", "2026-12-01"), ("ja-jp", "2026-11-25", "2026-11-27")] {
        let locale: Locale = locale.parse()?;
        let dates = words(&date_range(from.parse()?, to.parse()?, locale));
        let says = |place: &str, text: &str| -> anyhow::Result<()> {
            anyhow::ensure!(words(text).contains(&dates), "{locale}, {place}: not {dates}, but {}", words(text));
            Ok(())
        };
        let visitor = house.shop.visitor();
        let cards = house.shop.shop.storefront.cards(locale.text_language(), &[things[0].product]).await?;
        let slug = &cards.first().context("a card")?.slug;
        says("product", &visitor.get(&format!("/{locale}/p/{slug}")).await?.body)?;
        add(&visitor, locale, &things[0]).await?;
        says("cart", &visitor.get(&format!("/{locale}/cart")).await?.body)?;
        says("checkout", &visitor.get(&format!("/{locale}/checkout")).await?.body)?;
        let payment = place(&visitor, locale).await?;
        let order = type_card(&visitor, &payment, PAYS).await?;
        says("order", &paid(&visitor, &order, till(locale).status_paid).await?.body)?;
        let mail = house.shop.mail(|mail| mail.order().is_ok_and(|path| path == order)).await?;
        says("mail", &mail.text)?;
    }
    house.close().await
}
