//! Uses, counted where an order's fate is decided: in its own transaction, by updates of single rows under their caps. The customer's row
//! comes first and the coupon's, which everybody wants, last; stock comes before all of them, so that two orders never wait for each other
//! in a circle. At REPEATABLE READ a lost race is a conflict (40001), and the transaction is tried again.

use super::Customer;
use crate::{params, sql::Tx};
use anyhow::Context as _;
use domain::{
    CouponId, OrderId,
    coupon::{Code, Coupon},
    discount::Granted,
    offer::Instant,
    order::{Order, Pieces, Status},
    promotion::Refusal,
};

/// One use by one order.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    pub order: OrderId,
    pub coupon: &'a Coupon,
    pub code: &'a Code,
    pub customer: &'a Customer,
    pub now: Instant,
}

/// Counts a use, or says which cap is reached; then roll back.
pub async fn redeem(tx: &mut Tx, use_: Redemption<'_>) -> anyhow::Result<Result<(), Refusal>> {
    let Redemption { order, coupon, code, customer: Customer(customer), now } = use_;
    tx.execute(
        "INSERT INTO coupon_redemptions (order_id, coupon_id, code_key, customer, state, created_at, updated_at) VALUES ($1, $2, $3, $4, 'counted', $5, $5)",
        params![order, coupon.id, code.key(), customer, now],
    )
    .await?;
    if let Some(cap) = coupon.caps.per_customer {
        know(tx, coupon.id, customer).await?;
        let counted = tx
            .execute(
                "UPDATE coupon_customers SET used = used + 1 WHERE coupon_id = $1 AND customer = $2 AND used < $3",
                params![coupon.id, customer, cap],
            )
            .await?;
        if counted == 0 {
            return Ok(Err(Refusal::UsedByCustomer));
        }
    }
    if let Some(cap) = coupon.caps.per_code {
        let counted = tx.execute("UPDATE coupon_codes SET used = used + 1 WHERE key = $1 AND used < $2", params![code.key(), cap]).await?;
        if counted == 0 {
            return Ok(Err(Refusal::UsedUp));
        }
    }
    if let Some(cap) = coupon.caps.total {
        let counted = tx.execute("UPDATE coupons SET used = used + 1 WHERE id = $1 AND used < $2", params![coupon.id, cap]).await?;
        if counted == 0 {
            return Ok(Err(Refusal::UsedUp));
        }
    }
    Ok(Ok(()))
}

/// Follows an order: its use is given back when it lapses, is withdrawn or is cancelled whole, and counted again when it is paid after
/// all. An order keeps the price that was confirmed: paid after all, it counts even where the cap was reached meanwhile, and nobody else gets in
/// until enough was given back.
pub async fn follow(tx: &mut Tx, before: &Order, after: &Order, now: Instant) -> anyhow::Result<()> {
    let is_over =
        |order: &Order| matches!(order.pieces, Pieces::Lapsed | Pieces::Withdrawn | Pieces::Cancelled) || order.status() == Status::Cancelled;
    match (is_over(before), is_over(after)) {
        (false, true) => give_back(tx, after.id, now).await,
        (true, false) => count_again(tx, after.id, now).await,
        _ => Ok(()),
    }
}

async fn give_back(tx: &mut Tx, order: OrderId, now: Instant) -> anyhow::Result<()> {
    let Some((coupon, key, customer)) = turn(tx, order, "counted", "returned", now).await? else { return Ok(()) };
    // Where nothing is counted the figure is 0, and stays.
    let of_customer = "UPDATE coupon_customers SET used = used - 1 WHERE coupon_id = $1 AND customer = $2 AND used > 0";
    tx.execute(of_customer, params![coupon, customer]).await?;
    tx.execute("UPDATE coupon_codes SET used = used - 1 WHERE key = $1 AND used > 0", params![key]).await?;
    tx.execute("UPDATE coupons SET used = used - 1 WHERE id = $1 AND used > 0", params![coupon]).await?;
    Ok(())
}

async fn count_again(tx: &mut Tx, order: OrderId, now: Instant) -> anyhow::Result<()> {
    let Some((coupon, key, customer)) = turn(tx, order, "returned", "counted", now).await? else { return Ok(()) };
    // A shop that was restored may be older than the coupon: then there is nothing to count.
    let Some(row) = tx.first("SELECT body FROM coupons WHERE id = $1", params![coupon]).await? else { return Ok(()) };
    let caps = serde_json::from_str::<Coupon>(&row.text("body")?).context("coupons.body")?.caps;
    if caps.per_customer.is_some() {
        know(tx, coupon, &customer).await?;
        tx.execute("UPDATE coupon_customers SET used = used + 1 WHERE coupon_id = $1 AND customer = $2", params![coupon, customer]).await?;
    }
    if caps.per_code.is_some() {
        tx.execute("UPDATE coupon_codes SET used = used + 1 WHERE key = $1", params![key]).await?;
    }
    if caps.total.is_some() {
        tx.execute("UPDATE coupons SET used = used + 1 WHERE id = $1", params![coupon]).await?;
    }
    Ok(())
}

/// Notes uses of a lapsed order that is written again from what is kept elsewhere: once it is paid, they count.
pub async fn note_returned(tx: &mut Tx, order: OrderId, discounts: &[Granted], customer: &Customer, now: Instant) -> anyhow::Result<()> {
    for discount in discounts {
        let (Some(coupon), Ok(code)) = (discount.coupon(), discount.code.parse::<Code>()) else { continue };
        tx.execute(
            "INSERT INTO coupon_redemptions (order_id, coupon_id, code_key, customer, state, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, 'returned', $5, $5) ON CONFLICT (order_id, coupon_id) DO NOTHING",
            params![order, coupon, code.key(), &customer.0, now],
        )
        .await?;
    }
    Ok(())
}

/// Turns an order's redemption from one state into the other, once; coupon, code and customer of it.
async fn turn(tx: &mut Tx, order: OrderId, from: &str, to: &str, now: Instant) -> anyhow::Result<Option<(CouponId, String, String)>> {
    let turned = tx
        .execute("UPDATE coupon_redemptions SET state = $3, updated_at = $4 WHERE order_id = $1 AND state = $2", params![order, from, to, now])
        .await?;
    if turned == 0 {
        return Ok(None);
    }
    let row = tx.first("SELECT coupon_id, code_key, customer FROM coupon_redemptions WHERE order_id = $1", params![order]).await?;
    let row = row.context("a redemption was just there")?;
    Ok(Some((row.parse("coupon_id")?, row.text("code_key")?, row.text("customer")?)))
}

/// Makes a customer's row where there is none.
async fn know(tx: &mut Tx, coupon: CouponId, customer: &str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO coupon_customers (coupon_id, customer, used) VALUES ($1, $2, 0) ON CONFLICT (coupon_id, customer) DO NOTHING",
        params![coupon, customer],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, coupons, sql::Db};
    use domain::{
        PromotionId,
        coupon::Caps,
        discount::Effect,
        locale::TextLanguage,
        money::{Currency, Money},
        promotion::{Combines, Rule, Scope},
    };
    use std::{collections::BTreeMap, sync::Arc};
    use uuid::Uuid;

    fn order(pieces: Pieces) -> anyhow::Result<Order> {
        Ok(Order {
            id: OrderId(Uuid::from_u128(1)),
            market: "DE".parse()?,
            total: Money::zero(Currency::EUR),
            placed_at: 1,
            lines: vec![],
            delivery: Money::zero(Currency::EUR),
            pieces,
            payments: vec![],
            refunds: vec![],
            disputes: vec![],
            cancellations: vec![],
            fulfilments: vec![],
            returns: vec![],
        })
    }

    #[tokio::test]
    async fn an_order_that_is_written_again_counts_once_it_is_paid() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("shop.db").display())).await?;
        db.migrate().await?;
        let coupon = Arc::new(Coupon {
            id: CouponId(Uuid::from_u128(2)),
            rule: Rule {
                titles: BTreeMap::from([(TextLanguage::EnUs, "x".to_owned())]),
                effect: Effect::Percent { millionths: 100_000 },
                markets: vec![],
                valid_from: 0,
                valid_until: None,
                minimum: None,
                audience: domain::promotion::Audience::Everyone,
                includes_reduced: true,
                scope: Scope::default(),
                combines: Combines::WithAll,
                priority: 0,
            },
            caps: Caps { total: Some(1), per_code: None, per_customer: Some(1) },
        });
        // The second coupon is younger than the backup: nobody knows it.
        for (known, uses) in [(true, 1), (false, 1)] {
            let id = if known { coupon.id } else { CouponId(Uuid::from_u128(3)) };
            let (lapsed, sold) = (order(Pieces::Lapsed)?, order(Pieces::Sold)?);
            let coupon = Arc::clone(&coupon);
            let used = db
                .transact::<_, anyhow::Error>(|tx| {
                    let (coupon, lapsed, sold) = (Arc::clone(&coupon), lapsed.clone(), sold.clone());
                    Box::pin(async move {
                        if known {
                            coupons::add(tx, &coupon, &Clock::from_fn(|| 1)).await?;
                        }
                        tx.execute("DELETE FROM coupon_redemptions", params![]).await?;
                        let granted = Granted {
                            promotion: PromotionId(id.0),
                            code: "Tenth".to_owned(),
                            title: String::new(),
                            amount: Money::new(1, Currency::EUR),
                        };
                        let customer = Customer("hash".to_owned());
                        note_returned(tx, lapsed.id, std::slice::from_ref(&granted), &customer, 1).await?;
                        note_returned(tx, lapsed.id, std::slice::from_ref(&granted), &customer, 2).await?;
                        follow(tx, &lapsed, &lapsed, 2).await?;
                        follow(tx, &lapsed, &sold, 3).await?;
                        // Being told twice counts once.
                        follow(tx, &lapsed, &sold, 4).await?;
                        tx.first("SELECT used FROM coupons WHERE id = $1", params![coupon.id]).await?.context("a coupon")?.int("used")
                    })
                })
                .await?;
            assert_eq!(used, uses, "known: {known}");
        }
        Ok(())
    }
}
