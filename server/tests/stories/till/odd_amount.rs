//! The provider takes another amount than was asked for: nothing is sold for it, the order's page says so without asking for money again, and
//! when somebody has looked into it the order can be paid.

use crate::{
    stripe::Faults,
    support::Visitor,
    till::house::{self, House, add, operate, paid, place, words},
};
use anyhow::{Context as _, ensure};
use app::{
    i18n::{follow, till},
    staff::orders::english,
};
use domain::{
    locale::Locale,
    money::Money,
    order::{Pieces, Status},
    payment::Odd,
    staff::Role,
};
use server::orders::OrderView;
use std::time::Duration;

/// Pays on Stripe's page; the payment's webhook comes twice.
async fn pays(visitor: &Visitor, page: &str) -> anyhow::Result<()> {
    let answer = visitor.client.post(page).form(&[("manner", "pays")]).send().await?;
    ensure!(answer.status() == 303, "the payment page answers {}", answer.status());
    Ok(())
}

async fn waits(staff: &Visitor, order: &OrderView) -> anyhow::Result<bool> {
    Ok(staff.get("/ops/orders?waits=amount").await?.body.contains(&order.number.to_string()))
}

/// What the order's page and its forms say until somebody has looked: money came, none is asked for, and nothing is changed.
async fn says_that_somebody_looks(house: &House, visitor: &Visitor, order: &OrderView, here: Locale) -> anyhow::Result<()> {
    let (page, messages) = (format!("/{here}/orders/{}", order.secret), till(here));
    let shown = paid(visitor, &page, messages.text_odd).await?;
    let before = house.latest().await?.ledgers;
    let text = words(&shown.body);
    assert!(text.contains(messages.status_pending) && !text.contains(messages.status_awaiting), "{here}: {text}");
    assert!(!shown.body.contains(&format!("{page}/pay\"")) && !shown.body.contains(&format!("{page}/cancel\"")), "{here}: {text}");
    let asked = visitor.post(&format!("{page}/pay"), &[]).await?;
    assert_eq!((asked.status, asked.location()), (303, Some(page.clone())), "{here}: the page says why");
    let refused = visitor.post(&format!("{page}/cancel"), &[]).await?;
    let told = words(&refused.body);
    assert!(refused.status == 409 && told.contains(messages.text_odd) && !told.contains(messages.err_provider), "{here}: {told}");
    let mut after = house.latest().await?.ledgers;
    // While somebody looks, the hold is prolonged again and again.
    assert!(matches!(after.pieces, Pieces::Held { .. }), "{here}: {after:?}");
    after.pieces = before.pieces;
    assert_eq!(after, before, "{here}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_amount_is_told_looked_into_and_then_the_order_is_paid() -> anyhow::Result<()> {
    let (house, stand_in) = house::open_at_stripe().await?;
    stand_in.set(Faults { duplicate_webhooks: true, ..Faults::default() });
    let things = house.things().await?;
    let support = house.shop.signed_in(Role::Support).await?;
    for code in ["en-gb", "de-de", "fr-ca", "ja-jp", "ko-kr"] {
        let here: Locale = code.parse()?;
        let visitor = house.shop.visitor();
        add(&visitor, here, &things[0]).await?;
        let free = house.free(&things[0]).await?;
        let payment_page = place(&visitor, here).await?;
        let order = house.latest().await?;
        let payment = order.ledgers.payments[0].id;
        let odd = Money::new(order.total.minor - 1, order.total.currency);
        stand_in.state().ledger.by_reference(&payment.to_string()).context("a session")?.amount = odd.minor;
        pays(&visitor, &payment_page).await?;
        says_that_somebody_looks(&house, &visitor, &order, here).await?;
        // However long that takes: the money is there.
        house.shop.clock.advance(Duration::from_mins(40));
        house.shop.shop.orders.tend().await?;
        let known = house.latest().await?.ledgers;
        assert!(matches!(known.pieces, Pieces::Held { .. }) && known.refunds.is_empty(), "{code}: {known:?}");
        assert_eq!((known.payments[0].odd, house.free(&things[0]).await?), (Some(Odd { amount: odd, settled: false }), free - 1), "{code}");
        says_that_somebody_looks(&house, &visitor, &order, here).await?;

        let ops = format!("/ops/orders/{}", order.number);
        let (took, asked) = (app::i18n::money(odd, english()), app::i18n::money(order.total, english()));
        let shown = words(&support.get(&ops).await?.body);
        let notice = words(&format!("<p>The provider took {took} for {payment}, where {asked} was asked for. Nothing is sold for it.</p>"));
        assert!(shown.contains(&notice) && waits(&support, &order).await?, "{code}: {shown}");
        let of = payment.to_string();
        let unsure = operate(&support, &order.number, "odd", &[("of", &of)]).await?;
        assert!(unsure.status == 422 && unsure.body.contains("Tick the box"), "{code}: {}", words(&unsure.body));
        let settled = operate(&support, &order.number, "odd", &[("of", &of), ("sure", "yes")]).await?;
        assert_eq!(settled.location(), Some(format!("{ops}?said=odd")), "{code}: {}", words(&settled.body));
        let again = operate(&support, &order.number, "odd", &[("of", &of), ("sure", "yes")]).await?;
        assert!(again.status == 422 && again.body.contains("has looked into its amount already"), "{code}: {}", words(&again.body));
        let shown = words(&support.get(&ops).await?.body);
        assert!(!shown.contains(&notice) && shown.contains("Looked into the amount that differs"), "{code}: {shown}");
        assert!(!waits(&support, &order).await?, "{code}");

        // Nothing more is waited for: the order is paid as any other, once.
        let page = format!("/{here}/orders/{}", order.secret);
        let shown = visitor.get(&page).await?;
        assert!(shown.body.contains(&format!("{page}/pay\"")) && !words(&shown.body).contains(till(here).text_odd), "{code}: {}", words(&shown.body));
        let to = visitor.post(&format!("{page}/pay"), &[]).await?.location().context("a payment page")?;
        assert!(to.starts_with(&stand_in.origin) && to != payment_page, "{code}: {to}");
        pays(&visitor, &to).await?;
        let shown = paid(&visitor, &page, till(here).status_paid).await?;
        assert!(words(&shown.body).contains(follow(here).cancel_submit), "{code}: {}", words(&shown.body));
        let known = house.latest().await?.ledgers;
        assert_eq!((known.payments.len(), known.refunds.len(), house.free(&things[0]).await?), (2, 0, free - 1), "{code}");
        assert!(matches!(known.status(), Status::Paid { .. }), "{code}: {known:?}");
    }
    stand_in.check()?;
    house.close().await
}
