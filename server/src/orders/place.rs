//! Placing an order: one SQL transaction from the idempotency key to the outbox, then the payment page.

use super::{
    Orders,
    capsule::Capsule,
    hear::hear_in,
    once::Repeated,
    price::Unlocked,
    record::Record,
    request::{OrderRequest, PlaceOrderError, Placed},
    store,
    story::Actor,
};
use crate::{
    catalog::stock::{self, Holding, Item},
    coupons::{self, Redemption},
    events, failpoint, params,
    payments::NOBODY,
    random,
    sql::{Lost, Tx},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    CartId, OrderId, PaymentId,
    cart::Cart,
    event::Event,
    order::{CannotEnd, HOLD_US, OrderNumber, Pieces, Status},
    payment::{News, Payment, PaymentState},
};

/// What one transaction came to.
enum Stored {
    Order {
        record: Box<Record>,
        number: OrderNumber,
        payment: Payment,
    },
    /// Somebody was here before with the same key or the same cart: look again.
    Taken,
}

/// A key is a UUID; anything much longer is not ours.
const KEY_BYTES_MAX: usize = 128;

impl Orders {
    /// Places an order and opens its payment page.
    ///
    /// The same key with the same content gets the same answer, also while the first request is still under way. The same content of the
    /// same cart under another key (a second tab) is [`PlaceOrderError::CartAlreadyOrdered`]; other content replaces an order that nobody
    /// paid: its payment page is closed first.
    pub async fn place(&self, request: OrderRequest) -> Result<Placed, PlaceOrderError> {
        Box::pin(self.place_once(request, Repeated::GoesOn)).await
    }

    /// The same; `repeated` says what becomes of a request whose key came before.
    pub async fn place_once(&self, request: OrderRequest, repeated: Repeated) -> Result<Placed, PlaceOrderError> {
        if request.lines.is_empty() || request.lines.len() > Cart::LINES_MAX {
            return Err(PlaceOrderError::Empty);
        }
        if request.key.is_empty() || request.key.len() > KEY_BYTES_MAX {
            return Err(PlaceOrderError::KeyReused);
        }
        let fingerprint = self.fingerprint(&request)?;
        // Twice is enough: once the key or the cart is taken, the second look finds who took it.
        for _ in 0..3 {
            if let Some(order) = self.answered(&request, &fingerprint).await? {
                return Box::pin(self.answer(&request, order, repeated)).await;
            }
            match Box::pin(self.withdraw_earlier(&request, &fingerprint)).await {
                // The first half of a double click may have been stored since we looked: then it is this very form's order.
                Err(PlaceOrderError::CartAlreadyOrdered { secret }) => match self.answered(&request, &fingerprint).await? {
                    Some(order) => return Box::pin(self.answer(&request, order, repeated)).await,
                    None => return Err(PlaceOrderError::CartAlreadyOrdered { secret }),
                },
                withdrawn => withdrawn?,
            }
            let stored = self
                .db
                .transact::<_, PlaceOrderError>(|tx| {
                    let (this, request, fingerprint) = (self.clone(), request.clone(), fingerprint.clone());
                    Box::pin(async move { this.store(tx, &request, &fingerprint).await })
                })
                .await?;
            if let Stored::Order { record, number, payment } = stored {
                failpoint!("order-committed");
                events::ring();
                tracing::info!(%number, market = %request.market.code, "an order was placed");
                metrics::counter!("orders_placed_total").increment(1);
                let order = record.id;
                // Nobody can have opened its page or renewed its link yet: there is nothing to look up.
                let page = if payment.amount.is_zero() || self.provider.name() == NOBODY {
                    Ok(None)
                } else {
                    let attempt = Capsule { order: *record, attempted_at: payment.created_at, amount: payment.amount };
                    Box::pin(self.ask_for_page_of(payment.id, &attempt, 0)).await.map_err(Into::into)
                };
                return self.save_answer(&request, number, self.secret(order, 0), page).await;
            }
        }
        Err(PlaceOrderError::Failed(anyhow::anyhow!("an order's key or cart is taken, but nobody is found who has it")))
    }

    /// The latest order of a cart that still waits to be paid: its pieces are kept, so the shelves may look empty to their own buyer.
    pub async fn waiting_order(&self, cart: CartId) -> anyhow::Result<Option<Placed>> {
        let row = self
            .db
            .first(
                "SELECT id, number FROM orders WHERE cart_id = $1 AND pieces = 'held' AND status <> 'paid' ORDER BY placed_at DESC, id DESC LIMIT 1",
                params![cart],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Placed { number: row.parse("number")?, secret: self.present_secret(row.parse("id")?).await?, redirect_url: None }))
    }

    /// Everything that makes an order, or nothing.
    async fn store(&self, tx: &mut Tx, request: &OrderRequest, fingerprint: &str) -> Result<Stored, PlaceOrderError> {
        let now = self.clock.now();
        let order = OrderId(self.clock.id());
        let new = tx
            .execute(
                "INSERT INTO idempotency_keys (scope, key, fingerprint, body, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, key) DO NOTHING",
                params![scope(request.cart), &request.key, fingerprint, order.to_string(), now],
            )
            .await?;
        if new == 0 {
            return Ok(Stored::Taken);
        }
        failpoint!("key-taken");
        let (body, unlocked) = self.price(tx, request, now).await?;
        if body.quote.total != request.confirmed_total {
            return Err(PlaceOrderError::PriceChanged(Box::new(body.quote)));
        }
        let total = body.quote.total;
        let payment = Payment { id: PaymentId(self.clock.id()), amount: total, created_at: now, state: PaymentState::Created, odd: None };
        let number = OrderNumber::from_random(random::bytes());
        let record = Record {
            id: order,
            number: number.to_string(),
            cart: request.cart,
            cart_version: request.cart_version,
            fingerprint: fingerprint.to_owned(),
            market: request.market.code,
            locale: request.locale,
            placed_at: now,
            body,
            personal: Some(request.personal.clone()),
            subject: self.subject(&request.personal),
        };
        let placed = record.order(Pieces::Held { until: now + HOLD_US }, vec![payment.clone()])?;
        if !self.insert(tx, &record, &placed, true).await? {
            // The key goes with the transaction, so that it may be used again.
            return match self.claimed(tx, request).await? {
                Some(secret) => Err(PlaceOrderError::CartAlreadyOrdered { secret }),
                // Of 40 random bits: among a million orders one in a million draws a number that is taken, and draws again.
                None => Err(anyhow::Error::from(Lost).into()),
            };
        }
        failpoint!("order-written");
        store::insert_payment(tx, order, self.provider.name(), &payment).await?;
        events::emit(tx, &self.clock, &Event::OrderPlaced { order }).await?;
        let wanted: Vec<_> = request.lines.iter().map(|line| (Item { product: line.product, variant: line.variant }, line.quantity.get())).collect();
        let holding = Holding { order, locations: &request.market.locations, split: request.market.split };
        stock::hold(tx, &self.clock, holding, &wanted).await?.map_err(PlaceOrderError::OutOfStock)?;
        if total.is_zero() {
            // A code took all of it: there is nothing to pay, and no provider takes nothing.
            hear_in(tx, &self.clock, self.provider.name(), payment.id, News::Captured { amount: total }).await?;
        }
        if let Some(Unlocked { found, code, customer }) = &unlocked {
            failpoint!("coupon-not-redeemed");
            let redemption = Redemption { order, coupon: &found.coupon, code, customer, now };
            coupons::redeem(tx, redemption).await?.map_err(PlaceOrderError::Coupon)?;
        }
        failpoint!("pieces-held");
        Ok(Stored::Order { record: Box::new(record), number, payment })
    }

    /// The order that this key led to before.
    async fn answered(&self, request: &OrderRequest, fingerprint: &str) -> Result<Option<OrderId>, PlaceOrderError> {
        let row = self
            .db
            .first("SELECT fingerprint, body FROM idempotency_keys WHERE scope = $1 AND key = $2", params![scope(request.cart), &request.key])
            .await?;
        let Some(row) = row else { return Ok(None) };
        if row.text("fingerprint")? != fingerprint {
            return Err(PlaceOrderError::KeyReused);
        }
        Ok(Some(row.parse("body")?))
    }

    /// The answer to whoever placed `order`: saved under the key, or, while the first request is still asking, asked for by this one too,
    /// which is harmless because the provider knows the payment by its id.
    async fn answer(&self, request: &OrderRequest, order: OrderId, repeated: Repeated) -> Result<Placed, PlaceOrderError> {
        let saved = self
            .db
            .first(
                "SELECT o.number, k.location, k.status, k.created_at, COALESCE(l.generation, 0) AS generation FROM orders o \
                 JOIN idempotency_keys k ON k.body = o.id LEFT JOIN order_links l ON l.order_id = o.id WHERE o.id = $1 AND k.scope = $2 AND k.key = $3",
                params![order, scope(request.cart), &request.key],
            )
            .await?
            .context("an order without its key")?;
        let number = saved.parse("number")?;
        let secret = self.secret(order, saved.int("generation")?);
        if let Some(location) = saved.text_or_null("location")? {
            return Ok(Placed { number, secret, redirect_url: Some(location) });
        }
        if repeated == Repeated::IsTold {
            if self.is_in_flight(&saved)? {
                return Err(PlaceOrderError::InFlight);
            }
            if saved.int_or_null("status")?.is_some() {
                return Ok(Placed { number, secret, redirect_url: None });
            }
        }
        let page = self.open_page(order).await;
        self.save_answer(request, number, secret, page).await
    }

    /// Orders of this cart that nobody paid make room for the new one, after their payment pages are closed. One that is paid, being
    /// paid, or the very same is the answer.
    async fn withdraw_earlier(&self, request: &OrderRequest, fingerprint: &str) -> Result<(), PlaceOrderError> {
        let rows = self
            .db
            .all(
                "SELECT id, fingerprint, cart_claim, pieces FROM orders WHERE cart_id = $1 AND pieces <> 'withdrawn' ORDER BY placed_at, id",
                params![request.cart],
            )
            .await?;
        let claim = claim(request);
        for row in &rows {
            let order: OrderId = row.parse("id")?;
            let same_cart = row.text_or_null("cart_claim")?.as_deref() == Some(&claim);
            let is_sold = row.text("pieces")? == "sold";
            if same_cart && (is_sold || row.text("fingerprint")? == fingerprint) {
                return Err(PlaceOrderError::CartAlreadyOrdered { secret: self.present_secret(order).await? });
            }
            if is_sold {
                continue;
            }
            match self.withdraw(order).await? {
                Withdrawn::Yes => {}
                // An older cart's order that turned out paid is history; this cart's order is the answer.
                Withdrawn::Paid if !same_cart => {}
                Withdrawn::Paid | Withdrawn::No => {
                    return Err(PlaceOrderError::CartAlreadyOrdered { secret: self.present_secret(order).await? });
                }
            }
        }
        Ok(())
    }

    async fn withdraw(&self, order: OrderId) -> Result<Withdrawn, PlaceOrderError> {
        let Some(known) = store::load(&self.db, order).await? else { return Ok(Withdrawn::Yes) };
        if !self.close_pages(&known).await? {
            return Ok(Withdrawn::No);
        }
        failpoint!("withdrawal-pages-closed");
        self.db
            .transact::<_, PlaceOrderError>(|tx| {
                let this = self.clone();
                Box::pin(async move {
                    let Some(before) = store::lock(tx, order, this.clock.now()).await? else { return Ok(Withdrawn::Yes) };
                    match before.clone().withdraw() {
                        Ok((after, events)) => {
                            stock::release(tx, &this.clock, order).await?;
                            failpoint!("withdrawal-released");
                            store::save(tx, &this.clock, &this.author(Actor::Shopper), &before, &after, &events).await?;
                            Ok(Withdrawn::Yes)
                        }
                        Err(CannotEnd::PaymentLive | CannotEnd::TooEarly) => Ok(Withdrawn::No),
                        Err(CannotEnd::NotHeld) if matches!(before.status(), Status::Paid { .. }) => Ok(Withdrawn::Paid),
                        Err(CannotEnd::NotHeld) => {
                            // Its money went back, or it was withdrawn by another request: it must not stand in the way.
                            tx.execute("UPDATE orders SET cart_claim = NULL WHERE id = $1", params![order]).await?;
                            Ok(Withdrawn::Yes)
                        }
                    }
                })
            })
            .await
    }

    /// The secret of the order that has this cart.
    async fn claimed(&self, tx: &mut Tx, request: &OrderRequest) -> anyhow::Result<Option<String>> {
        let sql =
            "SELECT o.id, COALESCE(l.generation, 0) AS generation FROM orders o LEFT JOIN order_links l ON l.order_id = o.id WHERE o.cart_claim = $1";
        let Some(row) = tx.first(sql, params![claim(request)]).await? else { return Ok(None) };
        Ok(Some(self.secret(row.parse("id")?, row.int("generation")?)))
    }

    /// A keyed hash of all that makes an order this order. Keyed, because addresses can be guessed.
    fn fingerprint(&self, request: &OrderRequest) -> anyhow::Result<String> {
        let lines: Vec<_> = request.lines.iter().map(|line| (line.variant, line.quantity)).collect();
        let mut content = serde_json::to_vec(&(
            request.cart,
            request.cart_version,
            request.market.code,
            request.locale,
            lines,
            &request.personal,
            &request.method,
            request.confirmed_total,
        ))
        .context("a request's fingerprint")?;
        content.extend(request.coupon.iter().flat_map(|code| code.key().bytes()));
        Ok(URL_SAFE_NO_PAD.encode(self.keys.hmac("order fingerprint", &content)))
    }
}

enum Withdrawn {
    Yes,
    /// Money may still come, or the provider does not answer.
    No,
    Paid,
}

pub(super) fn scope(cart: CartId) -> String {
    format!("place-order:{cart}")
}

fn claim(request: &OrderRequest) -> String {
    format!("{}:{}", request.cart, request.cart_version)
}
