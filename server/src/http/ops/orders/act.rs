//! What the forms of an order's page ask for: read, checked, and handed to the order core. What is wrong comes back in sentences.

use super::typed::{Faults, INCOMPLETE, Refusal};
use crate::{
    Shop,
    http::{Fields, exchange},
    orders::{ChangeError, Orders, Received, Wish, story::Actor},
    params,
    staff::Staff,
};
use app::{
    i18n::money,
    private::field_label,
    staff::{order::Act, orders::english},
};
use domain::{
    CancellationId, FulfilmentId, OrderId, PaymentId, RefundId, ReturnId, VariantId,
    address::{AddressForm, Field, FieldErrorKind},
    order::{CancelReason, CannotCorrect, Order, Parcel, Pieces, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason},
    postcode,
    refund::GoodwillReason,
};
use std::collections::BTreeMap;
use uuid::Uuid;

fn why<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Why(text.into()))
}

/// One form, with whom and what it is about.
struct Form<'a> {
    fields: &'a Fields,
    /// What it makes, and what makes it count once.
    id: Uuid,
    order: Order,
    orders: Orders,
    actor: Actor,
}

/// Does what a form asks for.
pub async fn perform(shop: &Shop, staff: &Staff, order: OrderId, act: Act, fields: &Fields) -> Result<(), Refusal> {
    let Ok(id) = fields.get("id").parse::<Uuid>() else { return why(INCOMPLETE) };
    let known = shop.orders.ledgers(order).await?.ok_or(ChangeError::NotFound)?;
    let wish = Wish { key: format!("{}:{id}:{}", act.word(), fields.get("of")), fingerprint: fields.fingerprint(), action: act.logged() };
    let form = Form { fields, id, order: known, orders: shop.orders.wishing(wish), actor: Actor::Staff(staff.id().to_string()) };
    match act {
        Act::Pack => form.pack().await?,
        Act::Send => {
            let parcels = form.parcels()?;
            form.orders.ship(order, FulfilmentId(form.of()?), &parcels, form.actor.clone()).await?;
        }
        Act::Unpack => {
            form.orders.unpack(order, FulfilmentId(form.of()?), form.actor.clone()).await?;
        }
        Act::Parcels => {
            let parcels = form.parcels()?;
            form.orders.correct_parcels(order, FulfilmentId(form.of()?), &parcels, form.actor.clone()).await?;
        }
        Act::Delivered => {
            form.sure()?;
            form.orders.deliver(order, FulfilmentId(form.of()?), form.actor.clone()).await?;
        }
        Act::Cancel => form.cancel().await?,
        Act::Refund => form.refund().await?,
        Act::Retry => {
            form.orders.retry_refund(order, RefundId(form.of()?), form.actor.clone()).await?;
        }
        Act::Settle => {
            form.sure()?;
            form.orders.settle_refund_outside(order, RefundId(form.of()?), form.actor.clone()).await?;
        }
        Act::Odd => {
            form.sure()?;
            form.orders.settle_odd(order, PaymentId(form.of()?), form.actor.clone()).await?;
        }
        Act::Return => form.announce(shop).await?,
        Act::Receive => form.receive(shop).await?,
        Act::Refuse => form.refuse().await?,
        Act::CallOff => {
            form.sure()?;
            form.orders.cancel_return(order, ReturnId(form.of()?), form.actor.clone()).await?;
        }
        Act::Address => Box::pin(form.address(shop)).await?,
        Act::Note => form.note().await?,
        Act::Mail => {
            let Ok(kind) = fields.get("mail").parse() else { return why("Choose a mail.") };
            form.orders.mail_again(order, kind, form.actor.clone()).await?;
        }
    }
    Ok(())
}

impl Form<'_> {
    /// What the form is about.
    fn of(&self) -> Result<Uuid, Refusal> {
        self.fields.get("of").parse().map_err(|_| Refusal::Why(INCOMPLETE.to_owned()))
    }

    /// Refuses unless somebody confirmed what cannot be undone.
    fn sure(&self) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        faults.sure(self.fields);
        faults.end(Some(()))
    }

    fn parcels(&self) -> Result<Vec<Parcel>, Refusal> {
        let mut faults = Faults::default();
        let parcels = faults.parcels(self.fields);
        faults.end(parcels)
    }

    async fn pack(&self) -> Result<(), Refusal> {
        let (order, id, location) = (self.order.id, FulfilmentId(self.id), self.fields.get("of"));
        let mut faults = Faults::default();
        let portions = faults.portions(self.fields, &self.order);
        if self.fields.get("step") == "pack" {
            let portions = faults.end(portions)?;
            self.orders.pack(order, id, location, &portions, self.actor.clone()).await?;
        } else {
            let parcels = faults.parcels(self.fields);
            let (portions, parcels) = faults.end(portions.zip(parcels))?;
            self.orders.pack_and_ship(order, id, location, &portions, &parcels, self.actor.clone()).await?;
        }
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let portions = if self.order.pieces == Pieces::Sold { faults.portions(self.fields, &self.order) } else { None };
        let reason = CancelReason::from_code(self.fields.get("reason"));
        let reason = faults.read("reason", reason.ok_or_else(|| "Choose a reason.".to_owned()));
        faults.sure(self.fields);
        let reason = faults.end(reason)?;
        self.orders.cancel(self.order.id, CancellationId(self.id), portions.as_deref(), reason, self.actor.clone()).await?;
        Ok(())
    }

    async fn refund(&self) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let (left, stuck) = (self.order.goodwill_left(), self.order.stuck_left());
        let amount = faults.amount(self.fields, "amount", left.currency);
        if amount.is_some_and(|amount| amount.minor == 0) {
            faults.note("amount", format!("Type an amount, at most {}.", money(left, english())));
        } else if amount.is_some_and(|amount| amount.minor > left.minor) && stuck.minor > 0 && !self.order.is_disputed() {
            let (left, stuck) = (money(left, english()), money(stuck, english()));
            faults.note("amount", format!("{stuck} of what is left is owed by a refund that is stuck, see Refunds: type at most {left}."));
        }
        let reason = GoodwillReason::from_code(self.fields.get("reason"));
        let reason = faults.read("reason", reason.ok_or_else(|| "Choose a reason: the order's story keeps it.".to_owned()));
        faults.sure(self.fields);
        let (amount, reason) = faults.end(amount.zip(reason))?;
        self.orders.refund_goodwill(self.order.id, RefundId(self.id), amount, reason, self.actor.clone()).await?;
        Ok(())
    }

    async fn announce(&self, shop: &Shop) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let portions = faults.portions(self.fields, &self.order);
        let reason = ReturnReason::from_code(self.fields.get("reason"));
        let reason = faults.read("reason", reason.ok_or_else(|| "Choose a reason.".to_owned()));
        let mut resolutions = Vec::new();
        for Portion { line, .. } in portions.iter().flatten() {
            let field = format!("for-{line}");
            let wanted = match self.fields.get(&field) {
                "" | "refund" => Ok(Resolution::Refund),
                variant => self.exchange(shop, *line, variant).await?,
            };
            resolutions.extend(faults.read(&field, wanted));
        }
        let (portions, reason) = faults.end(portions.zip(reason))?;
        let item = |(Portion { line, quantity }, resolution)| ReturnItem { line, quantity, reason, resolution };
        let items: Vec<ReturnItem> = portions.into_iter().zip(resolutions).map(item).collect();
        self.orders.request_return(self.order.id, ReturnId(self.id), &items, self.actor.clone()).await?;
        Ok(())
    }

    /// Another variant of the line's product, at the same price; or why not.
    async fn exchange(&self, shop: &Shop, line: u32, variant: &str) -> Result<Result<Resolution, String>, Refusal> {
        let no = |why: &str| Ok(Err(why.to_owned()));
        let line = self.order.lines.iter().find(|known| known.line == line);
        let (Some(line), Ok(variant)) = (line, variant.parse::<VariantId>()) else { return no("Choose what the shopper gets.") };
        let sql = "SELECT id FROM variants WHERE id = $1 AND product_id = $2 AND active = 1";
        if shop.db.first(sql, params![variant, line.product]).await?.is_none() {
            return no("This can be exchanged for another variant of the same product only.");
        }
        let Some(found) = shop.orders.by_id(self.order.id).await? else { return Err(ChangeError::NotFound.into()) };
        if !exchange::for_staff(shop, &found, line).await?.contains(&variant) {
            return no("This costs another amount now. Give the money back, and ask the shopper to order the other one.");
        }
        Ok(Ok(Resolution::Exchange { product: line.product, variant }))
    }

    async fn receive(&self, shop: &Shop) -> Result<(), Refusal> {
        let id = ReturnId(self.of()?);
        let items = self.order.returns.iter().find(|known| known.id == id).map(|known| known.items.clone()).unwrap_or_default();
        let mut faults = Faults::default();
        let mut receipts = Vec::new();
        for item in items {
            let wants = matches!(item.resolution, Resolution::Exchange { .. }) && self.fields.get(&format!("exchange-{}", item.line)) != "no";
            for (name, restock) in [("shelf", Restock::Shelf), ("discard", Restock::Discard)] {
                let quantity = faults.pieces(self.fields, &format!("{name}-{}", item.line)).unwrap_or(0);
                if quantity > 0 {
                    receipts.push(Receipt { line: item.line, quantity, restock, exchanged: wants });
                }
            }
        }
        let location = self.fields.get("location").to_owned();
        let known = shop.db.first("SELECT location FROM stock_balances WHERE location = $1 LIMIT 1", params![&location]).await?;
        if known.is_none() {
            faults.note("location", "Choose the location that the pieces came to.");
        }
        let currency = self.order.total.currency;
        let kept_back = faults.amount(self.fields, "kept_back", currency);
        let delivery = faults.amount(self.fields, "delivery", currency);
        faults.sure(self.fields);
        let (kept_back, delivery) = faults.end(kept_back.zip(delivery))?;
        let received = Received { receipts, location, kept_back, delivery: Some(delivery) };
        self.orders.receive_return(self.order.id, id, &received, self.actor.clone()).await?;
        Ok(())
    }

    async fn refuse(&self) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let text = self.fields.get("why").trim();
        if text.is_empty() || text.chars().count() > 500 {
            faults.note("why", "Say why, in at most 500 characters: the shopper reads it.");
        }
        faults.sure(self.fields);
        faults.end(Some(()))?;
        self.orders.refuse_return(self.order.id, ReturnId(self.of()?), text, self.actor.clone()).await?;
        Ok(())
    }

    async fn note(&self) -> Result<(), Refusal> {
        let (text, most) = (self.fields.get("note").trim(), crate::orders::NOTE_CHARS_MAX);
        let is_fit = !text.is_empty() && text.chars().count() <= most;
        let mut faults = Faults::default();
        let fit = faults.read("note", if is_fit { Ok(text) } else { Err(format!("Write a note of at most {most} characters.")) });
        self.orders.add_note(self.order.id, faults.end(fit)?, self.actor.clone()).await?;
        Ok(())
    }

    async fn address(&self, shop: &Shop) -> Result<(), Refusal> {
        let Some(found) = shop.orders.by_id(self.order.id).await? else { return Err(ChangeError::NotFound.into()) };
        let Some(personal) = found.personal else { return Err(ChangeError::Erased.into()) };
        let country = personal.delivery.country;
        let form = AddressForm::for_country(country);
        let mut typed: BTreeMap<String, String> =
            Field::ALL.into_iter().filter_map(|field| Some((field.key().to_owned(), self.fields.optional(field.key())?.to_owned()))).collect();
        // The form has neither field. Whoever sends one that differs is told, not overruled.
        let differs = |name: &str, known: &str| self.fields.optional(name).is_some_and(|typed| typed.trim() != known);
        if differs("country", country.code()) || differs(Field::Region.key(), personal.delivery.region.as_deref().unwrap_or_default()) {
            return Err(ChangeError::Correct(CannotCorrect::Elsewhere).into());
        }
        typed.insert(Field::Region.key().to_owned(), personal.delivery.region.clone().unwrap_or_default());
        let mut faults = Faults::default();
        let address = form.parse(&typed);
        for wrong in address.as_ref().err().into_iter().flatten() {
            let label = field_label(wrong.field, country, english());
            let told = match wrong.kind {
                FieldErrorKind::Missing => format!("{label} is missing."),
                FieldErrorKind::TooLong { max } => format!("{label} has at most {max} characters."),
                FieldErrorKind::Malformed if wrong.field == Field::Postcode => format!("{label} looks like {} there.", form.postcode_example),
                FieldErrorKind::Malformed | FieldErrorKind::Unknown => format!("{label} cannot be read."),
            };
            faults.note(wrong.field.key(), told);
        }
        let postcode = address.as_ref().ok().and_then(|address| address.postcode.as_deref()).unwrap_or_default();
        if address.is_ok() && !postcode::is_inside_vat_territory(country, postcode) {
            faults.note(Field::Postcode.key(), "We do not deliver to this postcode: it lies outside the VAT territory.");
        }
        Ok(self.orders.correct_address(self.order.id, &faults.end(address.ok())?, self.actor.clone()).await?)
    }
}
