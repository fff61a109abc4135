//! An order as its page shows it. Which words stand for a status is the page's business.

use super::{
    Orders,
    many::many,
    request::{LineText, OrderBody, Personal},
    store, story,
};
use crate::{params, sql::Row};
use anyhow::Context as _;
use domain::{
    OrderId, VariantId,
    locale::Locale,
    market::MarketCode,
    money::Money,
    offer::Instant,
    order::{CannotPay, Order, OrderNumber, Pieces, Status},
};
use std::{collections::BTreeMap, time::Duration};

/// How long the page waits for the provider when it does not know whether an order is paid.
const ASKING: Duration = Duration::from_millis(1_500);

/// What the page of an order, or of many, needs beside the ledgers; with the columns that those are read with.
macro_rules! views {
    ($($of:tt)*) => {
        concat!(
            "SELECT o.id, o.number, o.market, o.locale, o.body, o.personal, o.subject, c.wrapped_key, COALESCE(l.made_at, o.placed_at) AS link_made_at, \
             COALESCE(l.generation, 0) AS generation, o.currency, o.total_minor, o.delivery_minor, o.placed_at, o.pieces, o.hold_until \
             FROM orders o LEFT JOIN customer_keys c ON c.subject = o.subject LEFT JOIN order_links l ON l.order_id = o.id WHERE ",
            $($of)*
        )
    };
}
const BY_ID: &str = views!("o.id = $1");
pub const BY_NUMBERS: &str = views!("o.number ", many!());

/// What an order page needs.
#[derive(Clone, Debug)]
pub struct OrderView {
    pub id: OrderId,
    pub number: OrderNumber,
    pub secret: String,
    pub market: MarketCode,
    /// The locale in which it was ordered.
    pub locale: Locale,
    pub placed_at: Instant,
    /// When its present link was made.
    pub link_made_at: Instant,
    pub status: Status,
    /// Whether the button "Pay again" works now, or why not.
    pub can_pay: Result<(), CannotPay>,
    /// Until when the pieces are kept, while they are.
    pub held_until: Option<Instant>,
    pub total: Money,
    pub body: OrderBody,
    /// `None`: the customer was erased.
    pub personal: Option<Personal>,
    /// Everything that follows a payment.
    pub ledgers: Order,
    /// What pieces are exchanged for and the frozen texts do not know, as the catalogue calls it now. Empty until whoever shows it has looked
    /// there.
    pub exchanged: BTreeMap<VariantId, LineText>,
}

impl Orders {
    /// The order behind a link, as it is now. While a payment is open the provider is asked first, for a bounded time, so that a shopper who
    /// comes back from paying sees "Paid" at once, whether or not the webhook was faster.
    pub async fn find_by_secret(&self, secret: &str) -> anyhow::Result<Option<OrderView>> {
        let Some(order) = self.id_of(secret).await? else { return Ok(None) };
        let Some(known) = store::load(&self.db, order).await? else { return Ok(None) };
        if let Some(live) = known.payments.iter().rfind(|payment| payment.state.is_live()) {
            match tokio::time::timeout(ASKING, self.ask(live)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(payment = %live.id, error = format!("{error:#}"), "the provider could not be asked"),
                Err(_) => tracing::warn!(payment = %live.id, "the provider was too slow to be asked"),
            }
        }
        self.view(order).await
    }

    /// An order by its id; the provider is not asked.
    pub async fn by_id(&self, id: OrderId) -> anyhow::Result<Option<OrderView>> {
        self.view(id).await
    }

    /// An order's ledgers, as they are now.
    pub async fn ledgers(&self, order: OrderId) -> anyhow::Result<Option<Order>> {
        store::load(&self.db, order).await
    }

    /// What happened to an order, newest first.
    pub async fn story(&self, order: OrderId) -> anyhow::Result<Vec<story::Entry>> {
        story::of(&self.db, order).await
    }

    /// Which order a secret opens.
    pub(super) async fn id_of(&self, secret: &str) -> anyhow::Result<Option<OrderId>> {
        // 16 bytes in base64 are 22 characters.
        if secret.len() != 22 {
            return Ok(None);
        }
        self.db.first("SELECT id FROM orders WHERE secret_hash = $1", params![self.secret_hash(secret)]).await?.map(|row| row.parse("id")).transpose()
    }

    async fn view(&self, id: OrderId) -> anyhow::Result<Option<OrderView>> {
        let Some(order) = store::load(&self.db, id).await? else { return Ok(None) };
        let row = self.db.first(BY_ID, params![id]).await?.context("the order was just there")?;
        self.viewed(&row, order).map(Some)
    }

    /// What a row of [`BY_ID`] or [`BY_NUMBERS`] and the ledgers make together.
    pub(super) fn viewed(&self, row: &Row, order: Order) -> anyhow::Result<OrderView> {
        let id = order.id;
        let personal = match row.bytes_or_null("wrapped_key")? {
            Some(wrapped) => {
                let sealed = row.bytes_or_null("personal")?.context("orders.personal")?;
                let plain = self.keys.data_key(&row.text("subject")?, &wrapped)?.open(&id.to_string(), &sealed);
                // An order from before an erasure stays closed although the customer has a new key.
                plain.ok().map(|plain| serde_json::from_slice(&plain).context("orders.personal")).transpose()?
            }
            None => None,
        };
        Ok(OrderView {
            id,
            number: row.parse("number")?,
            secret: self.secret(id, row.int("generation")?),
            market: row.parse("market")?,
            locale: row.parse("locale")?,
            placed_at: order.placed_at,
            link_made_at: row.int("link_made_at")?,
            status: order.status(),
            can_pay: order.can_pay_again(self.clock.now()).map(|_| ()),
            held_until: if let Pieces::Held { until } = order.pieces { Some(until) } else { None },
            total: order.total,
            body: serde_json::from_str(&row.text("body")?).context("orders.body")?,
            personal,
            ledgers: order,
            exchanged: BTreeMap::new(),
        })
    }
}
