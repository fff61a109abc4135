//! A shop with one product, its payment provider, and people who order and pay.

use crate::support::{self, TestShop};
use anyhow::{Context as _, ensure};
use domain::{
    CartId, PaymentId, ProductId, VariantId,
    money::{Currency, Money},
    order::Status,
};
pub use server::simulation::twin::shop::{check_ledger, line, request, shelve};
use server::{
    catalog::stock::{self, Item},
    config::{Config, TestProvider},
    orders::{OrderRequest, OrderView, Orders, PlaceOrderError, Placed},
    params,
    payments::test_provider,
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::oneshot};

pub const PAYS: &str = "4242 4242 4242 4242";
pub const DECLINES: &str = "4000 0000 0000 0002";
pub const CHALLENGES: &str = "4000 0000 0000 3220";

/// 119.00 € a piece, delivery 4.90 €, tax included.
pub const PRICE: i64 = 11_900;
pub const DELIVERY: i64 = 490;

pub struct House {
    pub shop: TestShop,
    pub orders: Orders,
    pub item: Item,
    pub other: Item,
    pub http: reqwest::Client,
    pub provider: String,
    /// Dropping it ends the provider.
    _stop: oneshot::Sender<()>,
}

/// Opens a shop with `pieces` of one variant in Rotterdam and `elsewhere` of them in Leipzig; of another variant there are 100.
pub async fn open(pieces: u32, elsewhere: u32) -> anyhow::Result<House> {
    open_with(pieces, elsewhere, |_| {}).await
}

/// The same, with a configuration that was changed before.
pub async fn open_with(pieces: u32, elsewhere: u32, change: impl FnOnce(&mut Config)) -> anyhow::Result<House> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let provider = format!("http://{}", listener.local_addr()?);
    let at: Arc<str> = provider.as_str().into();
    let shop = support::start_with(|config| {
        config.demo = false;
        config.test_provider = TestProvider::At(at);
        change(config);
    })
    .await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (data, clock) = (shop.data().to_owned(), shop.shop.clock.clone());
    tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        test_provider::serve(listener, &data, clock, stopped).await.expect("the provider serves");
    });
    let id = || shop.shop.clock.id();
    let item = Item { product: ProductId(id()), variant: VariantId(id()) };
    let other = Item { product: item.product, variant: VariantId(id()) };
    let house = House {
        orders: shop.shop.orders.clone(),
        http: server::outbound::client(Duration::from_secs(20)).redirect(reqwest::redirect::Policy::none()).build()?,
        shop,
        item,
        other,
        provider,
        _stop: stop,
    };
    house.stock_up(pieces, elsewhere).await?;
    Ok(house)
}

impl House {
    async fn stock_up(&self, pieces: u32, elsewhere: u32) -> anyhow::Result<()> {
        let clock = self.shop.shop.clock.clone();
        let (item, other) = (self.item, self.other);
        self.shop
            .shop
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    shelve(tx, &clock, [item, other]).await?;
                    for (item, location, pieces) in [(item, "rotterdam", pieces), (item, "leipzig", elsewhere), (other, "rotterdam", 100)] {
                        stock::receipt(tx, &clock, item, location, pieces, "test").await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// A cart of somebody's with `quantity` pieces, ready to be ordered.
    pub fn request(&self, quantity: u32) -> OrderRequest {
        let clock = &self.shop.shop.clock;
        let total = Money::new(PRICE * i64::from(quantity) + DELIVERY, Currency::EUR);
        OrderRequest { key: clock.id().to_string(), cart: CartId(clock.id()), ..request(vec![line(self.item, quantity)], total) }
    }

    pub async fn place(&self, quantity: u32) -> Result<Placed, PlaceOrderError> {
        self.orders.place(self.request(quantity)).await
    }

    /// Types a card into the provider's page; the shopper ends where this says.
    pub async fn type_card(&self, page: &str, card: &str) -> anyhow::Result<String> {
        let form = [("cardnumber", card), ("exp-date", "12/34"), ("cvc", "123"), ("ccname", "Ada Lovelace")];
        let answer = self.http.post(page).form(&form).send().await?;
        ensure!(answer.status() == 303, "the page answers {}: {}", answer.status(), answer.text().await?);
        Ok(answer.headers()["location"].to_str()?.to_owned())
    }

    /// The order as its page shows it.
    pub async fn look(&self, secret: &str) -> anyhow::Result<OrderView> {
        self.orders.find_by_secret(secret).await?.context("an order")
    }

    pub async fn status(&self, secret: &str) -> anyhow::Result<&'static str> {
        Ok(self.look(secret).await?.status.word())
    }

    /// The status as it is stored, without asking the provider.
    pub async fn stored_status(&self, placed: &Placed) -> anyhow::Result<String> {
        let row = self.shop.shop.db.first("SELECT status FROM orders WHERE number = $1", params![placed.number.to_string()]).await?;
        row.context("an order")?.text("status")
    }

    /// Waits until an order's stored status is `wanted`, for webhooks that are on their way.
    pub async fn until(&self, placed: &Placed, wanted: &str) -> anyhow::Result<()> {
        for _ in 0..200 {
            if self.stored_status(placed).await? == wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        anyhow::bail!("{} never became {wanted}: it is {}", placed.number, self.stored_status(placed).await?)
    }

    /// Lets time pass, half a minute a round, until an order's stored status is `wanted`.
    pub async fn tend_until(&self, placed: &Placed, wanted: &str) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.orders.tend().await?;
            if self.stored_status(placed).await? == wanted {
                return Ok(());
            }
            self.shop.clock.advance(Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("{} never became {wanted}: it is {}", placed.number, self.stored_status(placed).await?)
    }

    /// Free and held pieces of the first variant, everywhere.
    pub async fn stock(&self) -> anyhow::Result<(i64, i64)> {
        let row = self
            .shop
            .shop
            .db
            .first(
                "SELECT CAST(SUM(free) AS BIGINT) AS free, CAST(SUM(held) AS BIGINT) AS held FROM stock_balances WHERE variant_id = $1",
                params![self.item.variant],
            )
            .await?
            .context("a balance")?;
        Ok((row.int("free")?, row.int("held")?))
    }

    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        self.shop.shop.db.first(sql, params![]).await?.context("a count")?.int("n")
    }

    /// The latest attempt to pay.
    pub async fn payment(&self, placed: &Placed) -> anyhow::Result<PaymentId> {
        let row = self
            .shop
            .shop
            .db
            .first(
                "SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.number = $1 ORDER BY p.created_at DESC, p.id DESC LIMIT 1",
                params![placed.number.to_string()],
            )
            .await?;
        row.context("a payment")?.parse("id")
    }

    pub async fn faults(&self, faults: serde_json::Value) -> anyhow::Result<()> {
        let answer = self.http.post(format!("{}/_faults", self.provider)).json(&faults).send().await?;
        ensure!(answer.status() == 204, "{}", answer.text().await?);
        Ok(())
    }

    /// Money comes, whatever became of the session.
    pub async fn late_money(&self, payment: PaymentId) -> anyhow::Result<()> {
        let answer = self.http.post(format!("{}/_faults/capture/{payment}", self.provider)).send().await?;
        ensure!(answer.status() == 204, "{}", answer.status());
        Ok(())
    }

    /// What a bank does about a payment: `inquiry`, `answered`, `open`, `review`, `won` or `lost`.
    pub async fn bank(&self, payment: PaymentId, stage: &str) -> anyhow::Result<()> {
        let answer = self.http.post(format!("{}/_faults/dispute/{payment}/{stage}", self.provider)).send().await?;
        ensure!(answer.status() == 204, "{}", answer.status());
        Ok(())
    }

    pub async fn ledger(&self) -> anyhow::Result<serde_json::Value> {
        let secret = String::from_utf8(test_provider::secret(self.shop.data())?)?;
        Ok(self.http.get(format!("{}/v1/ledger", self.provider)).bearer_auth(secret).send().await?.error_for_status()?.json().await?)
    }

    /// What the provider captured and did not give back, in minor units, and how many sessions that are.
    pub async fn kept_by_provider(&self) -> anyhow::Result<(usize, i64)> {
        let ledger = self.ledger().await?;
        let kept: Vec<i64> = ledger["sessions"]
            .as_array()
            .context("sessions")?
            .iter()
            .filter(|session| session["state"]["state"] == "captured")
            .map(|session| session["amount"]["minor"].as_i64().unwrap_or(0) - session["refunded_minor"].as_i64().unwrap_or(0))
            .filter(|kept| *kept != 0)
            .collect();
        Ok((kept.len(), kept.iter().sum()))
    }

    /// What must hold at any quiet moment: the ledger adds up to the balances, what is held belongs to orders that wait, and what the
    /// provider keeps is what is paid.
    pub async fn check_books(&self) -> anyhow::Result<()> {
        check_ledger(&self.shop.shop.db).await?;
        let held = self.count("SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) AS n FROM stock_balances").await?;
        let holds = self
            .count("SELECT CAST(COALESCE(SUM(h.quantity), 0) AS BIGINT) AS n FROM holds h JOIN orders o ON o.id = h.order_id WHERE h.state = 'held' AND o.pieces = 'held'")
            .await?;
        ensure!(held == holds, "{held} held, {holds} of them for orders that wait");
        let paid = self.count("SELECT CAST(COALESCE(SUM(total_minor), 0) AS BIGINT) AS n FROM orders WHERE status = 'paid'").await?;
        let (_, kept) = self.kept_by_provider().await?;
        ensure!(kept == paid, "the provider keeps {kept}, the orders say {paid}");
        Ok(())
    }
}

pub fn is_paid(view: &OrderView) -> bool {
    matches!(view.status, Status::Paid { .. })
}
