//! Carts in the table: one item a cart, found by a signed cookie, changed by conditional writes. What a change means is decided in
//! `domain::cart`.

use super::drafts;
use crate::{clock::Clock, dynamo::Table, keys::Keys};
use anyhow::Context as _;
use domain::{
    CartId, MutationId, OrderId, VariantId,
    cart::{Cart, CartError, Change, Changed},
    coupon::Code,
};
use std::{sync::Arc, time::Duration};

/// The cookie's name.
pub const COOKIE: &str = "cart";
/// A cart is kept for 30 days after its last change: 30 × 86,400 s.
pub const KEPT_S: i64 = 2_592_000;
/// Tries of one change against others of the same cart: a visitor has a few tabs, not dozens.
const TRIES: u32 = 12;
/// What the signature in the cookie is for.
const PURPOSE: &str = "cart";

/// The visitors' carts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Carts {
    table: Table,
    clock: Clock,
    keys: Arc<Keys>,
}

/// A visitor's cart by its cookie, and in which version they have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: CartId,
    /// Not known from a cookie of an earlier release.
    pub seen: Option<u64>,
}

/// What a request's cookie leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// No cookie: somebody new.
    New,
    Here(Cart),
    /// A cookie that was tampered with, is another shop's, or whose cart is gone: a fresh start, and said so.
    Lost,
}

impl Visit {
    /// The cart, if there is one.
    pub fn cart(self) -> Option<Cart> {
        match self {
            Self::Here(cart) => Some(cart),
            Self::New | Self::Lost => None,
        }
    }
}

impl Carts {
    pub const fn new(table: Table, clock: Clock, keys: Arc<Keys>) -> Self {
        Self { table, clock, keys }
    }

    /// The cookie's value for a cart, as the answer that sets it shows it.
    pub fn signed(&self, cart: &Cart) -> String {
        self.keys.sign(PURPOSE, &format!("{}.{}", cart.id, cart.version))
    }

    /// What a cookie's value says.
    pub fn known(&self, cookie: &str) -> Option<Known> {
        let value = self.keys.verify(PURPOSE, cookie)?;
        let (id, seen) = value.split_once('.').map_or((value, None), |(id, seen)| (id, seen.parse().ok()));
        Some(Known { id: id.parse().ok()?, seen })
    }

    /// The cart behind a cookie's value.
    pub async fn visit(&self, cookie: Option<&str>) -> anyhow::Result<Visit> {
        let Some(cookie) = cookie else { return Ok(Visit::New) };
        let Some(Known { id, .. }) = self.known(cookie) else { return Ok(Visit::Lost) };
        Ok(self.get(id).await?.map_or(Visit::Lost, |(cart, _)| Visit::Here(cart)))
    }

    /// Carries out a wish on a cart, or on a new one without `cart`. The wishes of two tabs are both carried out, one after the other.
    pub async fn change(&self, known: Option<Known>, wish: MutationId, change: Change) -> anyhow::Result<Result<(Cart, Changed), CartError>> {
        for attempt in 0..TRIES {
            let stored = match known {
                Some(known) => self.get(known.id).await?,
                None => None,
            };
            // A cart that is gone starts anew under a new id: orders know carts by id and version, and versions must not come twice.
            let (mut cart, expected) = stored.unwrap_or_else(|| (Cart::new(CartId(self.clock.id()), self.clock.now()), None));
            let before = cart.version;
            let outcome = cart.apply(wish, change, known.and_then(|known| known.seen), self.clock.now());
            match outcome {
                Err(refusal) => return Ok(Err(refusal)),
                Ok(changed) if cart.version == before => return Ok(Ok((cart, changed))),
                Ok(changed) if self.put(&cart, expected).await? => return Ok(Ok((cart, changed))),
                Ok(_) => wait(attempt).await,
            }
        }
        anyhow::bail!("a cart was changed by others {TRIES} times in a row")
    }

    /// Puts a discount code into a cart, or takes it out. `None`: the cart is gone.
    pub async fn set_coupon(&self, cart: CartId, code: Option<&Code>) -> anyhow::Result<Option<Cart>> {
        for attempt in 0..TRIES {
            let Some((mut stored, expected)) = self.get(cart).await? else { return Ok(None) };
            if !stored.set_coupon(code.cloned(), self.clock.now()) || self.put(&stored, expected).await? {
                return Ok(Some(stored));
            }
            wait(attempt).await;
        }
        anyhow::bail!("a cart was changed by others {TRIES} times in a row")
    }

    /// Takes an order's paid pieces, and the code that it redeemed, out of a cart. A cart that is gone has nothing to lose.
    pub async fn settle(&self, cart: CartId, order: OrderId, paid: &[(VariantId, u32)], redeemed: Option<&str>) -> anyhow::Result<()> {
        for attempt in 0..TRIES {
            let Some((mut stored, expected)) = self.get(cart).await? else { return Ok(()) };
            if !stored.settle(order, paid, redeemed, self.clock.now()) {
                return Ok(());
            }
            // Who has paid needs no draft.
            self.table.delete(&key(cart), drafts::SORT).await.context("forgetting a draft")?;
            if self.put(&stored, expected).await? {
                return Ok(());
            }
            wait(attempt).await;
        }
        anyhow::bail!("a cart was changed by others {TRIES} times in a row")
    }

    async fn get(&self, id: CartId) -> anyhow::Result<Option<(Cart, Option<u64>)>> {
        let item = self.table.get::<Cart>(&key(id), "cart").await.context("reading a cart")?;
        let now_s = self.clock.now() / 1_000_000;
        // The table forgets what expired within days, not on the second.
        Ok(item.filter(|item| item.expires_s.is_none_or(|at| now_s < at)).map(|item| (item.body, Some(item.version))))
    }

    async fn put(&self, cart: &Cart, expected: Option<u64>) -> anyhow::Result<bool> {
        let expires_s = self.clock.now() / 1_000_000 + KEPT_S;
        self.table.put_if_version(&key(cart.id), "cart", expected, cart.version, cart, Some(expires_s)).await.context("writing a cart")
    }
}

pub(super) fn key(id: CartId) -> String {
    format!("cart#{id}")
}

/// 1, 2, 4 … 64 ms, so that two tabs do not keep bumping into each other.
async fn wait(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::{NAME, Place};
    use domain::{ProductId, cart::Quantity};
    use std::sync::atomic::{AtomicI64, Ordering};
    use uuid::Uuid;

    async fn carts(folder: &std::path::Path, now: Arc<AtomicI64>) -> anyhow::Result<Carts> {
        let table = Table::open(&Place::Embedded { file: None }, NAME).await?;
        table.create_if_missing().await?;
        Ok(Carts::new(table, Clock::from_fn(move || now.load(Ordering::Relaxed)), Arc::new(Keys::open(folder)?)))
    }
    fn add(n: u128) -> Change {
        Change::Add { product: ProductId(Uuid::from_u128(n)), variant: VariantId(Uuid::from_u128(n)), quantity: Quantity::ONE }
    }

    #[tokio::test]
    async fn two_tabs_lose_nothing() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let carts = carts(folder.path(), Arc::new(AtomicI64::new(1_000_000))).await?;
        let (cart, _) = carts.change(None, MutationId(Uuid::from_u128(0)), add(0)).await??;
        let known = carts.known(&carts.signed(&cart));
        let tabs = (1..=10).map(|n| carts.change(known, MutationId(Uuid::from_u128(n)), add(n % 5)));
        for outcome in futures::future::join_all(tabs).await {
            outcome??;
        }
        let cart = carts.visit(Some(&carts.signed(&cart))).await?.cart().context("a cart")?;
        assert_eq!((cart.pieces(), cart.lines.len(), cart.version), (11, 5, 11));
        Ok(())
    }

    #[tokio::test]
    async fn a_cookie_that_is_not_ours_or_too_old_is_a_fresh_start() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let now = Arc::new(AtomicI64::new(1_000_000));
        let carts = carts(folder.path(), now.clone()).await?;
        let (cart, _) = carts.change(None, MutationId(Uuid::from_u128(0)), add(0)).await??;
        let signed = carts.signed(&cart);
        assert_eq!(carts.visit(None).await?, Visit::New);
        let (id, signature) = signed.rsplit_once('.').context("an id, a version and a signature")?;
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let tampered = format!("{id}.{other}{}", &signature[1..]);
        for cookie in ["", "x", "null", &cart.id.to_string(), &tampered, &format!("{signed}="), &carts.signed(&Cart::new(CartId(Uuid::nil()), 0))] {
            assert_eq!(carts.visit(Some(cookie)).await?, Visit::Lost, "{cookie}");
        }
        now.fetch_add((KEPT_S - 1) * 1_000_000, Ordering::Relaxed);
        assert!(matches!(carts.visit(Some(&signed)).await?, Visit::Here(_)));
        now.fetch_add(1_000_000, Ordering::Relaxed);
        assert_eq!(carts.visit(Some(&signed)).await?, Visit::Lost);
        // What is added then goes into a cart of its own: versions of the old id never come twice.
        let (fresh, _) = carts.change(carts.known(&signed), MutationId(Uuid::from_u128(1)), add(1)).await??;
        assert_ne!(fresh.id, cart.id);
        Ok(())
    }
}
