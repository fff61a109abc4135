//! What a visitor typed into the checkout, kept beside the cart for a day, so that its page can be loaded again and Back asks for
//! nothing. Sealed under a key of its own, because it is personal data of somebody who has not ordered.

use super::carts;
use crate::{clock::Clock, dynamo::Table, events, keys::Keys};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::CartId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A draft is kept for a day after its last change: 24 × 3,600 s. When the cart is paid it goes at once.
pub const KEPT_S: i64 = 86_400;
/// The sort key beside the cart's own.
pub(super) const SORT: &str = "draft";

/// The drafts of checkouts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drafts {
    table: Table,
    clock: Clock,
    keys: Arc<Keys>,
}

/// As it stands in the table, in base64.
#[derive(Serialize, Deserialize)]
struct Sealed {
    key: String,
    typed: String,
}

impl Drafts {
    pub const fn new(table: Table, clock: Clock, keys: Arc<Keys>) -> Self {
        Self { table, clock, keys }
    }

    /// Keeps what was typed, by the fields' names; the latest wins.
    pub async fn put(&self, cart: CartId, typed: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (key, wrapped) = self.keys.new_data_key(&subject(cart));
        let sealed = Sealed {
            key: URL_SAFE_NO_PAD.encode(wrapped),
            typed: URL_SAFE_NO_PAD.encode(key.seal(&subject(cart), &serde_json::to_vec(typed).context("a draft")?)),
        };
        let version = u64::try_from(events::stamp(now)).context("a time before 1970")?;
        self.table.put_newer(&carts::key(cart), SORT, version, &sealed, Some(now / 1_000_000 + KEPT_S)).await.context("keeping a draft")?;
        Ok(())
    }

    /// What was typed last; nothing after a day.
    pub async fn get(&self, cart: CartId) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        let item = self.table.get::<Sealed>(&carts::key(cart), SORT).await.context("reading a draft")?;
        let now_s = self.clock.now() / 1_000_000;
        // The table forgets what expired within days, not on the second.
        let Some(item) = item.filter(|item| item.expires_s.is_none_or(|at| now_s < at)) else { return Ok(None) };
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).context("a draft");
        let key = self.keys.data_key(&subject(cart), &decoded(&item.body.key)?)?;
        let typed = key.open(&subject(cart), &decoded(&item.body.typed)?)?;
        Ok(Some(serde_json::from_slice(&typed).context("a draft")?))
    }
}

/// What binds the key and its content to one cart.
fn subject(cart: CartId) -> String {
    format!("draft:{cart}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::{NAME, Place};
    use std::sync::atomic::{AtomicI64, Ordering};
    use uuid::Uuid;

    #[tokio::test]
    async fn a_draft_is_sealed_replaced_and_forgotten_after_a_day() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let table = Table::open(&Place::Embedded { file: None }, NAME).await?;
        table.create_if_missing().await?;
        let now = Arc::new(AtomicI64::new(1_000_000));
        let clock = now.clone();
        let drafts = Drafts::new(table.clone(), Clock::from_fn(move || clock.load(Ordering::Relaxed)), Arc::new(Keys::open(folder.path())?));
        let cart = CartId(Uuid::from_u128(1));
        let typed = |city: &str| BTreeMap::from([("delivery_city".to_owned(), city.to_owned())]);
        assert_eq!(drafts.get(cart).await?, None);
        drafts.put(cart, &typed("Berlin")).await?;
        drafts.put(cart, &typed("Potsdam")).await?;
        assert_eq!(drafts.get(cart).await?, Some(typed("Potsdam")));
        assert_eq!(drafts.get(CartId(Uuid::from_u128(2))).await?, None);
        let stored = table.get::<serde_json::Value>(&carts::key(cart), SORT).await?.context("an item")?;
        assert!(!stored.body.to_string().contains("Potsdam") && !stored.body.to_string().contains("delivery_city"), "{}", stored.body);
        now.fetch_add(KEPT_S * 1_000_000, Ordering::Relaxed);
        assert_eq!(drafts.get(cart).await?, None);
        Ok(())
    }
}
