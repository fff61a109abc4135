//! The database cannot be reached: public pages go on, and the till says that the cart is kept and what to do.

use crate::till::house::{self, add, checkout_fields, post, words};
use app::i18n::shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_the_till_says_what_to_do_and_public_pages_stay() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale = "de-de".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let page = visitor.get("/de-de/checkout").await?;
    assert_eq!(page.status, 200);
    let form = checkout_fields(&page, locale)?;
    house.shop.shop.db.clone().close().await;
    for answer in [visitor.get("/de-de/checkout").await?, post(&visitor, "/de-de/checkout", &form).await?] {
        let text = words(&answer.body);
        assert!(answer.status == 503 && text.contains(shop(locale).out_of_reach), "{}: {text}", answer.status);
        assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("5", "no-store"));
    }
    assert_eq!(visitor.get("/de-de/p/insulated-bottle").await?.status, 200);
    house.close().await
}
