//! People who buy over HTTP, and remember what they were promised.

use crate::{support::Visitor, world::World};
use anyhow::{Context as _, ensure};

pub const PAYS: &str = "4242 4242 4242 4242";

/// A thing that the demo sells: its slug, and the field and value of its one option.
pub const THING: (&str, &str, &str) = ("canvas-tote", "colour", "navy");

/// Somebody on the way through the till.
pub struct Buyer {
    pub visitor: Visitor,
    /// A discount code to type into the cart.
    pub code: Option<String>,
    /// The payment page, once an order was acknowledged.
    pub page: Option<String>,
    /// The order's path, once the shopper was sent there.
    pub order: Option<String>,
    /// The number of the order whose link was to be replaced, until that was answered.
    pub renewing: Option<String>,
}

impl Buyer {
    pub fn new(world: &World) -> anyhow::Result<Self> {
        Ok(Self { visitor: world.visitor()?, code: None, page: None, order: None, renewing: None })
    }

    /// Puts one piece into the cart and orders it.
    pub async fn place(&mut self) -> anyhow::Result<()> {
        self.add().await?;
        if let Some(code) = &self.code {
            let taken = self.visitor.post("/en-gb/cart/coupon", &[("code", code)]).await?;
            ensure!(taken.status == 303, "the code {code} answers {}", taken.status);
        }
        self.check_out().await
    }

    /// Puts one piece into the cart.
    pub async fn add(&self) -> anyhow::Result<()> {
        let (slug, option, value) = THING;
        let shown = self.visitor.get(&format!("/en-gb/p/{slug}")).await?;
        let product = shown.field("product").context("a product")?.to_owned();
        let added = self.visitor.post("/en-gb/cart/lines", &[("product", &product), (option, value), ("quantity", "1")]).await?;
        ensure!(added.status == 303, "adding answers {}", added.status);
        Ok(())
    }

    /// Orders what is in the cart.
    pub async fn check_out(&mut self) -> anyhow::Result<()> {
        let form = self.visitor.get("/en-gb/checkout").await?;
        let field = |name: &str| form.field(name).map(str::to_owned).with_context(|| format!("the checkout answers {} without {name}", form.status));
        let (mutation, version, total) = (field("mutation")?, field("cart_version")?, field("seen_total")?);
        let placed = self
            .visitor
            .post(
                "/en-gb/checkout",
                &[
                    ("intent", "place"),
                    ("mutation", &mutation),
                    ("cart_version", &version),
                    ("seen_total", &total),
                    ("method", "standard"),
                    ("email", "ada@example.com"),
                    ("delivery_country", "GB"),
                    ("delivery_name", "Ada Lovelace"),
                    ("delivery_line1", "12 St James's Square"),
                    ("delivery_city", "London"),
                    ("delivery_postcode", "SW1Y4JH"),
                ],
            )
            .await?;
        let to = placed.location().with_context(|| format!("the checkout answers {}", placed.status))?;
        if to.starts_with("http") {
            self.page = Some(to);
        } else {
            self.order = Some(path(&to));
        }
        Ok(())
    }

    /// Pays on the provider's page.
    pub async fn pay(&mut self) -> anyhow::Result<()> {
        self.pay_with(PAYS).await
    }

    /// Types a card on the provider's page.
    pub async fn pay_with(&mut self, card: &str) -> anyhow::Result<()> {
        let page = self.page.as_ref().context("a payment page")?;
        let form = [("cardnumber", card), ("exp-date", "12/34"), ("cvc", "123"), ("ccname", "Ada Lovelace")];
        let answer = self.visitor.client.post(page).form(&form).send().await?;
        ensure!(answer.status() == 303, "the payment page answers {}", answer.status());
        self.order = Some(path(answer.headers()["location"].to_str()?));
        Ok(())
    }

    /// Asks for another page to pay on.
    pub async fn pay_again(&mut self) -> anyhow::Result<()> {
        let order = self.order.as_ref().context("an order")?;
        let answer = self.visitor.post(&format!("{order}/pay"), &[]).await?;
        self.page = Some(answer.location().context("a way to pay again")?);
        Ok(())
    }

    /// Has the order's link replaced.
    pub async fn renew(&mut self) -> anyhow::Result<()> {
        let order = self.order.as_ref().context("an order")?;
        self.renewing = Some(self.number().await?);
        let answer = self.visitor.post(&format!("{order}/renew"), &[]).await?;
        self.order = Some(path(&answer.location().context("another link")?));
        self.renewing = None;
        Ok(())
    }

    /// Whether the order opens, at its link or, if that was replaced and the answer lost, at the one that was mailed.
    pub async fn opens(&self, world: &World) -> anyhow::Result<bool> {
        let opens = async |link: &str| anyhow::Ok(self.visitor.get(link).await?.status == 200);
        if opens(self.order.as_ref().context("an order")?).await? {
            return Ok(true);
        }
        let Some(number) = &self.renewing else { return Ok(false) };
        for _ in 0..100 {
            for link in world.mailed_links(number)? {
                if opens(&link).await? {
                    return Ok(true);
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(false)
    }

    /// Looks at the order, as whoever comes back from paying does.
    pub async fn look(&self) -> anyhow::Result<()> {
        self.visitor.get(self.order.as_ref().context("an order")?).await.map(drop)
    }

    /// The order's number, as its page shows it.
    pub async fn number(&self) -> anyhow::Result<String> {
        let page = self.visitor.get(self.order.as_ref().context("an order")?).await?;
        let at = page.body.find("NG-").context("a number")?;
        Ok(page.body[at..at + 12].to_owned())
    }

    /// All of it.
    pub async fn buy(world: &World) -> anyhow::Result<Self> {
        let mut buyer = Self::new(world)?;
        buyer.place().await?;
        buyer.pay().await?;
        Ok(buyer)
    }

    /// Waits until the order's page says a word.
    pub async fn sees(&self, word: &str) -> anyhow::Result<()> {
        let order = self.order.as_ref().context("an order")?;
        let mut last = String::new();
        for _ in 0..80 {
            let page = self.visitor.get(order).await?;
            if page.status == 200 && page.body.contains(word) {
                return Ok(());
            }
            last = format!("{}: {}", page.status, page.body.split_once("<main").map_or("", |(_, main)| main));
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("{order} does not say {word:?}: {last}")
    }
}

/// An address without its origin and query.
fn path(url: &str) -> String {
    let path = url.find("/en-gb/").map_or(url, |at| &url[at..]);
    path.split('?').next().unwrap_or(path).to_owned()
}
