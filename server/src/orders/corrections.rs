//! What staff change about an order beside its ledgers: where it goes, and what they note about it. Both are sealed with the customer's key.

use super::{
    ChangeError, Orders,
    request::{OrderBody, Personal},
    store,
    story::{self, Actor, Happened},
    tokens,
};
use crate::{keys::DataKey, mail, params, sql::Tx, tariffs};
use anyhow::Context as _;
use app::mail::Kind;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{OrderId, address::Address, order::CannotCorrect};
use serde_json::json;

/// The longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 2_000;

/// What is sealed with a customer's key is bound to its order, and notes are no addresses.
fn context(order: OrderId) -> String {
    format!("{order}:note")
}

impl Orders {
    /// Corrects the delivery address of an order that nobody has begun to pack; it is sealed again, and found by its new postcode.
    pub async fn correct_address(&self, order: OrderId, address: &Address, actor: Actor) -> Result<(), ChangeError> {
        self.db
            .transact::<_, ChangeError>(|tx| {
                let (this, address, actor) = (self.clone(), address.clone(), actor.clone());
                Box::pin(async move {
                    let known = store::lock(tx, order, this.clock.now()).await?.ok_or(ChangeError::NotFound)?;
                    if this.is_done(tx, &actor).await? {
                        return Ok(());
                    }
                    let key = this.key_of(tx, order).await?.ok_or(ChangeError::Erased)?;
                    let sealed = tx.first("SELECT personal FROM orders WHERE id = $1", params![order]).await?.context("the order is locked")?;
                    let sealed = sealed.bytes_or_null("personal")?.unwrap_or_default();
                    let plain = key.open(&order.to_string(), &sealed).map_err(|_| ChangeError::Erased)?;
                    let mut personal: Personal = serde_json::from_slice(&plain).context("orders.personal")?;
                    known.may_go_to(&personal.delivery.destination(), &address.destination())?;
                    if zone(tx, order, &personal.delivery).await? != zone(tx, order, &address).await? {
                        return Err(CannotCorrect::Elsewhere.into());
                    }
                    if personal.delivery == address {
                        return Ok(());
                    }
                    personal.delivery = address;
                    let sealed = key.seal(&order.to_string(), &serde_json::to_vec(&personal).context("personal data")?);
                    tx.execute("UPDATE orders SET personal = $2 WHERE id = $1", params![order, sealed]).await?;
                    tx.execute("DELETE FROM order_tokens WHERE order_id = $1", params![order]).await?;
                    tokens::write(tx, &this.keys, order, known.placed_at, &personal).await?;
                    story::tell(tx, &this.clock, &actor, order, &Happened::AddressChanged).await?;
                    this.log(tx, &actor, order, json!({}), json!({})).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Adds a note for the staff. It is cut to [`NOTE_CHARS_MAX`] characters.
    pub async fn add_note(&self, order: OrderId, text: &str, actor: Actor) -> Result<(), ChangeError> {
        let text: String = text.chars().take(NOTE_CHARS_MAX).collect();
        self.db
            .transact::<_, ChangeError>(|tx| {
                let (this, text, actor) = (self.clone(), text.clone(), actor.clone());
                Box::pin(async move {
                    store::lock(tx, order, this.clock.now()).await?.ok_or(ChangeError::NotFound)?;
                    if this.is_done(tx, &actor).await? {
                        return Ok(());
                    }
                    let key = this.key_of(tx, order).await?.ok_or(ChangeError::Erased)?;
                    let sealed = STANDARD.encode(key.seal(&context(order), text.as_bytes()));
                    story::tell(tx, &this.clock, &actor, order, &Happened::Note { sealed }).await?;
                    this.log(tx, &actor, order, json!({}), json!({ "characters": text.chars().count() })).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Sends the latest mail of a kind once more, with the order's present link.
    pub async fn mail_again(&self, order: OrderId, kind: Kind, actor: Actor) -> Result<(), ChangeError> {
        self.db
            .transact::<_, ChangeError>(|tx| {
                let (this, actor) = (self.clone(), actor.clone());
                Box::pin(async move {
                    store::lock(tx, order, this.clock.now()).await?.ok_or(ChangeError::NotFound)?;
                    if this.is_done(tx, &actor).await? {
                        return Ok(());
                    }
                    this.key_of(tx, order).await?.ok_or(ChangeError::Erased)?;
                    this.resend_in(tx, order, kind).await?;
                    this.log(tx, &actor, order, json!({}), json!({ "mail": kind.word() })).await?;
                    Ok(())
                })
            })
            .await?;
        mail::ring();
        Ok(())
    }

    /// Opens the notes in a story; `None` for one whose key was destroyed.
    pub async fn notes(&self, order: OrderId, sealed: &[&str]) -> anyhow::Result<Vec<Option<String>>> {
        if sealed.is_empty() {
            return Ok(Vec::new());
        }
        let row = self.db.first(KEY, params![order]).await?;
        let key = match row.map(|row| Ok::<_, anyhow::Error>((row.text("subject")?, row.bytes_or_null("wrapped_key")?))).transpose()? {
            Some((subject, Some(wrapped))) => Some(self.keys.data_key(&subject, &wrapped)?),
            _ => None,
        };
        let open = |sealed: &&str| {
            let bytes = STANDARD.decode(sealed).ok()?;
            String::from_utf8(key.as_ref()?.open(&context(order), &bytes).ok()?).ok()
        };
        Ok(sealed.iter().map(open).collect())
    }

    /// The customer's key, unless it was destroyed.
    async fn key_of(&self, tx: &mut Tx, order: OrderId) -> anyhow::Result<Option<DataKey>> {
        let row = tx.first(KEY, params![order]).await?;
        let Some(row) = row else { return Ok(None) };
        row.bytes_or_null("wrapped_key")?.map(|wrapped| self.keys.data_key(&row.text("subject")?, &wrapped)).transpose()
    }
}

/// The zone of an address by the order's method as it was when it was placed; `None`: the home zone, or a method that is gone.
async fn zone(tx: &mut Tx, order: OrderId, address: &Address) -> anyhow::Result<Option<String>> {
    let row = tx.first("SELECT market, placed_at, body FROM orders WHERE id = $1", params![order]).await?.context("the order is locked")?;
    let body: OrderBody = serde_json::from_str(&row.text("body")?).context("orders.body")?;
    let methods = tariffs::methods_in(tx, row.parse("market")?, row.int("placed_at")?).await?;
    let method = methods.iter().find(|method| method.code == body.method.code);
    Ok(method.and_then(|method| method.zone_of(address.place())).map(|zone| zone.code.clone()))
}

const KEY: &str = "SELECT o.subject, c.wrapped_key FROM orders o JOIN customer_keys c ON c.subject = o.subject WHERE o.id = $1";
