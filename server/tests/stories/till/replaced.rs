//! Orders that a later order of the same cart replaced: they are not paid any more, and money that comes all the same goes back.

use crate::{
    support::Visitor,
    till::house::{self, House, PAYS, Thing, add, checkout_fields, operate, paid, place, post, type_card, words},
};
use anyhow::Context as _;
use app::i18n::{filled, follow, money, till};
use domain::{
    OrderId,
    locale::Locale,
    order::{Order, Status},
    refund::RefundState,
    staff::Role,
};
use serde_json::json;
use server::params;
use std::time::Duration;

/// An order that a later one replaced.
struct Replaced {
    visitor: Visitor,
    locale: Locale,
    /// Its page's path.
    page: String,
    id: OrderId,
    /// The payment page of the later one.
    later: String,
}

impl Replaced {
    async fn known(&self, house: &House) -> anyhow::Result<Order> {
        house.shop.shop.orders.ledgers(self.id).await?.context("an order")
    }

    /// Lets time pass until its page says so.
    async fn says(&self, house: &House, word: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            house.shop.shop.orders.tend().await?;
            if words(&self.visitor.get(&self.page).await?.body).contains(word) {
                return Ok(());
            }
            house.shop.clock.advance(Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("the page does not say {word:?}: {}", words(&self.visitor.get(&self.page).await?.body))
    }

    /// Asks to pay: led back to the order, which says why and has no button, and no attempt is made.
    async fn is_not_payable(&self, house: &House, word: &str) -> anyhow::Result<()> {
        let attempts = self.known(house).await?.payments.len();
        let asked = self.visitor.post(&format!("{}/pay", self.page), &[]).await?;
        assert_eq!((asked.status, asked.location()), (303, Some(self.page.clone())), "{word}");
        let page = self.visitor.get(&self.page).await?;
        assert!(page.status == 200 && words(&page.body).contains(word), "{word}: {}", words(&page.body));
        assert!(!page.body.contains(&format!("{}/pay\"", self.page)), "{word}: no button that cannot work");
        assert_eq!(self.known(house).await?.payments.len(), attempts, "{word}");
        Ok(())
    }
}

impl Replaced {
    /// Asks to cancel, with the pieces that a page of a paid order names and without: led back to the order, which says why, and nothing moves.
    async fn is_not_cancelled(&self, house: &House, thing: &Thing, words_of: &[&str]) -> anyhow::Result<()> {
        let (known, free) = (self.moved(house).await?, house.free(thing).await?);
        for form in [&[][..], &[("line-0", "1")]] {
            let asked = self.visitor.post(&format!("{}/cancel", self.page), form).await?;
            assert_eq!((asked.status, asked.location()), (303, Some(self.page.clone())), "{form:?}: {}", words(&asked.body));
        }
        let page = self.visitor.get(&self.page).await?;
        for word in words_of {
            assert!(page.status == 200 && words(&page.body).contains(word), "{word}: {}", words(&page.body));
        }
        assert!(!page.body.contains(&format!("{}/cancel\"", self.page)), "no button that cannot work: {}", words(&page.body));
        assert_eq!((self.moved(house).await?, house.free(thing).await?), (known, free));
        Ok(())
    }

    /// Pieces and money, however often a refund was tried meanwhile.
    async fn moved(&self, house: &House) -> anyhow::Result<Order> {
        let mut known = self.known(house).await?;
        for refund in &mut known.refunds {
            if let RefundState::Requested { attempts } = &mut refund.state {
                *attempts = 0;
            }
        }
        Ok(known)
    }

    /// The sentence with what the order costs.
    async fn filled(&self, house: &House, template: &str) -> anyhow::Result<String> {
        Ok(filled(template, &[("amount", &money(self.known(house).await?.total, self.locale))]))
    }
}

/// Orders, goes back to the checkout instead of paying, and orders to another address.
async fn replaced(house: &House, thing: &Thing, locale: Locale) -> anyhow::Result<Replaced> {
    let visitor = house.shop.visitor();
    add(&visitor, locale, thing).await?;
    place(&visitor, locale).await?;
    let row = house.shop.shop.db.first("SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    let id: OrderId = row.context("an order")?.parse("id")?;
    let view = house.shop.shop.orders.by_id(id).await?.context("an order")?;
    let path = format!("/{locale}/checkout");
    let mut fields = checkout_fields(&visitor.get(&path).await?, locale)?;
    fields.iter_mut().find(|(name, _)| name == "delivery_line1").context("a street")?.1.push_str(" 2");
    let answer = post(&visitor, &path, &fields).await?;
    let later = answer.location().filter(|to| to.contains("/pay/")).with_context(|| words(&answer.body))?;
    Ok(Replaced { visitor, locale, page: format!("/{locale}/orders/{}", view.secret), id, later })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_replaced_is_not_paid_and_the_later_one_is() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for code in ["en-gb", "de-de", "fr-fr", "ja-jp", "ko-kr"] {
        let old = replaced(&house, &things[0], code.parse()?).await.context(code)?;
        assert_eq!(old.known(&house).await?.status(), Status::Withdrawn, "{code}");
        for word in [till(old.locale).status_withdrawn, till(old.locale).text_withdrawn] {
            old.is_not_payable(&house, word).await.context(code)?;
        }
        let page = type_card(&old.visitor, &old.later, PAYS).await?;
        assert_ne!(page, old.page, "{code}");
        paid(&old.visitor, &page, till(old.locale).status_paid).await.context(code)?;
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_money_went_back_is_not_paid_again() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-gb".parse()?;
    let messages = till(locale);
    let (old, stuck) = (replaced(&house, &things[0], locale).await?, replaced(&house, &things[1], locale).await?);
    // While the provider is down the money waits; then it goes back.
    house.provider_does(json!({ "down": true })).await?;
    house.late_money(old.known(&house).await?.payments[0].id).await?;
    old.says(&house, messages.status_refunding).await?;
    old.is_not_payable(&house, messages.status_refunding).await?;
    let why = old.filled(&house, messages.text_refunding_over).await?;
    old.is_not_cancelled(&house, &things[0], &[messages.status_refunding, &why]).await?;
    house.provider_does(json!({})).await?;
    // The status alone is a word of the totals as well.
    let sent = old.filled(&house, messages.text_refunded).await?;
    old.says(&house, &sent).await?;
    old.is_not_payable(&house, messages.status_refunded).await?;
    old.is_not_cancelled(&house, &things[0], &[messages.status_refunded, &sent]).await?;
    let known = old.known(&house).await?;
    assert_eq!((known.refunds.len(), known.refunds[0].amount), (1, known.total), "all of it, once");
    let mail = house.shop.mail(|mail| mail.text.contains(follow(locale).why_withdrawn)).await?;
    assert!(mail.subject().starts_with("Refund") && mail.text.contains(&money(known.total, locale)), "{}", mail.text);

    house.provider_does(json!({ "refuse_refunds": true })).await?;
    house.late_money(stuck.known(&house).await?.payments[0].id).await?;
    let delayed = stuck.filled(&house, messages.text_refund_failed).await?;
    stuck.says(&house, &delayed).await?;
    stuck.is_not_payable(&house, messages.status_refund_failed).await?;
    stuck.is_not_cancelled(&house, &things[1], &[messages.status_refund_failed, &delayed]).await?;
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_replaced_is_not_cancelled_by_anybody() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let support = house.shop.signed_in(Role::Support).await?;
    for code in ["en-us", "de-de", "fr-ca", "ja-jp", "ko-kr"] {
        let old = replaced(&house, &things[0], code.parse()?).await.context(code)?;
        let messages = till(old.locale);
        old.is_not_cancelled(&house, &things[0], &[messages.status_withdrawn, messages.text_withdrawn]).await.context(code)?;
        let (known, number) = (old.known(&house).await?, house.shop.shop.orders.by_id(old.id).await?.context("an order")?.number);
        let told = operate(&support, &number, "cancel", &[("reason", "changed_mind"), ("sure", "yes")]).await?;
        assert!(told.status == 422 && words(&told.body).contains("The order is over already."), "{code}: {} {}", told.status, words(&told.body));
        assert_eq!(old.known(&house).await?, known, "{code}");
        // The later one is still there to be paid.
        let page = type_card(&old.visitor, &old.later, PAYS).await?;
        paid(&old.visitor, &page, messages.status_paid).await.context(code)?;
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_cancelled_stays_so_when_money_comes() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let locale: Locale = "en-gb".parse()?;
    let messages = till(locale);
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let later = place(&visitor, locale).await?;
    let order = house.latest().await?;
    let old = Replaced { visitor, locale, page: format!("/{locale}/orders/{}", order.secret), id: order.id, later };
    let cancel = async || {
        let asked = old.visitor.post(&format!("{}/cancel", old.page), &[]).await?;
        assert_eq!((asked.status, asked.location()), (303, Some(format!("{}?said=cancelled", old.page))), "{}", words(&asked.body));
        anyhow::Ok(words(&old.visitor.get(&format!("{}?said=cancelled", old.page)).await?.body))
    };
    // Once or twice: it is cancelled.
    for _ in 0..2 {
        let text = cancel().await?;
        assert!(text.contains(messages.status_cancelled) && text.contains(follow(locale).said_cancelled), "{text}");
    }
    house.provider_does(json!({ "down": true })).await?;
    house.late_money(order.ledgers.payments[0].id).await?;
    let why = old.filled(&house, messages.text_refunding_over).await?;
    old.says(&house, &why).await?;
    let known = old.known(&house).await?;
    let text = cancel().await?;
    assert!(text.contains(&why), "{text}");
    let after = old.known(&house).await?;
    assert_eq!((after.pieces, after.refunds.len(), after.refunds[0].amount), (known.pieces, 1, known.total), "all of it, once");
    house.provider_does(json!({})).await?;
    old.says(&house, messages.status_refunded).await?;
    house.close().await
}
