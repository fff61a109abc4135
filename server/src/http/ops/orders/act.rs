//! What the forms of an order's page ask for: read, checked, and handed to the order core. What is wrong comes back as a sentence.

use super::refusals::sentence;
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
    money::Money,
    order::{CancelReason, CannotCorrect, Order, Parcel, Pieces, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason},
    postcode,
    refund::GoodwillReason,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Why nothing was done.
pub enum Refusal {
    /// In a sentence, beside the form.
    Why(String),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Failed(error) => Self::Failed(error),
            other => Self::Why(sentence(&other)),
        }
    }
}

fn why<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Why(text.into()))
}

/// Carriers' names and numbers, in characters.
const CARRIER_CHARS_MAX: usize = 40;
const TRACKING_CHARS_MAX: usize = 60;

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
    let Ok(id) = fields.get("id").parse::<Uuid>() else { return why("The form was incomplete. Load the page again and repeat it.") };
    let known = shop.orders.ledgers(order).await?.ok_or(ChangeError::NotFound)?;
    let wish = Wish { key: format!("{}:{id}:{}", act.word(), fields.get("of")), fingerprint: fields.fingerprint(), action: act.logged() };
    let form = Form { fields, id, order: known, orders: shop.orders.wishing(wish), actor: Actor::Staff(staff.id().to_string()) };
    match act {
        Act::Pack => form.pack().await?,
        Act::Send => {
            let parcels = parcels(fields)?;
            form.orders.ship(order, FulfilmentId(form.of()?), &parcels, form.actor.clone()).await?;
        }
        Act::Unpack => {
            form.orders.unpack(order, FulfilmentId(form.of()?), form.actor.clone()).await?;
        }
        Act::Parcels => {
            let parcels = parcels(fields)?;
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
        Act::Refuse => {
            let text = fields.get("why").trim();
            if text.is_empty() || text.chars().count() > 500 {
                return why("Say why, in at most 500 characters: the shopper reads it.");
            }
            form.sure()?;
            form.orders.refuse_return(order, ReturnId(form.of()?), text, form.actor.clone()).await?;
        }
        Act::CallOff => {
            form.sure()?;
            form.orders.cancel_return(order, ReturnId(form.of()?), form.actor.clone()).await?;
        }
        Act::Address => Box::pin(form.address(shop)).await?,
        Act::Note => {
            let text = fields.get("note").trim();
            if text.is_empty() || text.chars().count() > crate::orders::NOTE_CHARS_MAX {
                return why(format!("Write a note of at most {} characters.", crate::orders::NOTE_CHARS_MAX));
            }
            form.orders.add_note(order, text, form.actor.clone()).await?;
        }
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
        self.fields.get("of").parse().map_err(|_| Refusal::Why("The form was incomplete. Load the page again and repeat it.".to_owned()))
    }

    /// Whether somebody confirmed what cannot be undone.
    fn sure(&self) -> Result<(), Refusal> {
        if self.fields.get("sure") == "yes" { Ok(()) } else { why("Tick the box to confirm: this cannot be undone.") }
    }

    /// A number of pieces; an empty field is none.
    fn pieces(&self, name: &str) -> Result<u32, Refusal> {
        let text = self.fields.get(name).trim();
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().ok().filter(|pieces| *pieces <= 100_000).map_or_else(|| why(format!("Type a whole number of pieces, not “{text}”.")), Ok)
    }

    /// The pieces of each line, from the fields `line-…`.
    fn portions(&self) -> Result<Vec<Portion>, Refusal> {
        let mut portions = Vec::new();
        for line in &self.order.lines {
            let quantity = self.pieces(&format!("line-{}", line.line))?;
            if quantity > 0 {
                portions.push(Portion { line: line.line, quantity });
            }
        }
        if portions.is_empty() { why("Choose at least one piece.") } else { Ok(portions) }
    }

    fn amount(&self, name: &str) -> Result<Money, Refusal> {
        let (text, currency) = (self.fields.get(name).trim(), self.order.total.currency);
        if text.is_empty() {
            return Ok(Money::zero(currency));
        }
        let example = Money::new(1_250, currency).decimal();
        Money::parse(text, currency).map_or_else(|| why(format!("“{text}” is no amount in {currency}. Type it like {example}.")), Ok)
    }

    async fn pack(&self) -> Result<(), Refusal> {
        let (order, id, location) = (self.order.id, FulfilmentId(self.id), self.fields.get("of"));
        let portions = self.portions()?;
        if self.fields.get("step") == "pack" {
            self.orders.pack(order, id, location, &portions, self.actor.clone()).await?;
        } else {
            let parcels = parcels(self.fields)?;
            self.orders.pack_and_ship(order, id, location, &portions, &parcels, self.actor.clone()).await?;
        }
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Refusal> {
        let reason = CancelReason::from_code(self.fields.get("reason"));
        let Some(reason) = reason else { return why("Choose a reason.") };
        let portions = if self.order.pieces == Pieces::Sold { Some(self.portions()?) } else { None };
        self.sure()?;
        self.orders.cancel(self.order.id, CancellationId(self.id), portions.as_deref(), reason, self.actor.clone()).await?;
        Ok(())
    }

    async fn refund(&self) -> Result<(), Refusal> {
        let amount = self.amount("amount")?;
        if amount.minor == 0 {
            return why(format!("Type an amount, at most {}.", money(self.order.refundable(), english())));
        }
        let Some(reason) = GoodwillReason::from_code(self.fields.get("reason")) else { return why("Choose a reason: the order's story keeps it.") };
        self.sure()?;
        self.orders.refund_goodwill(self.order.id, RefundId(self.id), amount, reason, self.actor.clone()).await?;
        Ok(())
    }

    async fn announce(&self, shop: &Shop) -> Result<(), Refusal> {
        let Some(reason) = ReturnReason::from_code(self.fields.get("reason")) else { return why("Choose a reason.") };
        let mut items = Vec::new();
        for Portion { line, quantity } in self.portions()? {
            let resolution = match self.fields.get(&format!("for-{line}")) {
                "" | "refund" => Resolution::Refund,
                variant => self.exchange(shop, line, variant).await?,
            };
            items.push(ReturnItem { line, quantity, reason, resolution });
        }
        self.orders.request_return(self.order.id, ReturnId(self.id), &items, self.actor.clone()).await?;
        Ok(())
    }

    /// Another variant of the line's product, at the same price.
    async fn exchange(&self, shop: &Shop, line: u32, variant: &str) -> Result<Resolution, Refusal> {
        let line = self.order.lines.iter().find(|known| known.line == line);
        let (Some(line), Ok(variant)) = (line, variant.parse::<VariantId>()) else { return why("Choose what the shopper gets.") };
        let sql = "SELECT id FROM variants WHERE id = $1 AND product_id = $2 AND active = 1";
        if shop.db.first(sql, params![variant, line.product]).await?.is_none() {
            return why("This can be exchanged for another variant of the same product only.");
        }
        let Some(found) = shop.orders.by_id(self.order.id).await? else { return Err(ChangeError::NotFound.into()) };
        if !exchange::for_staff(shop, &found, line).await?.contains(&variant) {
            return why("This costs another amount now. Give the money back, and ask the shopper to order the other one.");
        }
        Ok(Resolution::Exchange { product: line.product, variant })
    }

    async fn receive(&self, shop: &Shop) -> Result<(), Refusal> {
        let id = ReturnId(self.of()?);
        let items = self.order.returns.iter().find(|known| known.id == id).map(|known| known.items.clone()).unwrap_or_default();
        let mut receipts = Vec::new();
        for item in items {
            let wants = matches!(item.resolution, Resolution::Exchange { .. }) && self.fields.get(&format!("exchange-{}", item.line)) != "no";
            for (name, restock) in [("shelf", Restock::Shelf), ("discard", Restock::Discard)] {
                let quantity = self.pieces(&format!("{name}-{}", item.line))?;
                if quantity > 0 {
                    receipts.push(Receipt { line: item.line, quantity, restock, exchanged: wants });
                }
            }
        }
        let location = self.fields.get("location").to_owned();
        let known = shop.db.first("SELECT location FROM stock_balances WHERE location = $1 LIMIT 1", params![&location]).await?;
        if known.is_none() {
            return why("Choose the location that the pieces came to.");
        }
        let (kept_back, delivery) = (self.amount("kept_back")?, self.amount("delivery")?);
        self.sure()?;
        let received = Received { receipts, location, kept_back, delivery: Some(delivery) };
        self.orders.receive_return(self.order.id, id, &received, self.actor.clone()).await?;
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
        let address = match form.parse(&typed) {
            Ok(address) => address,
            Err(wrong) => {
                let told: Vec<String> = wrong
                    .into_iter()
                    .map(|wrong| {
                        let label = field_label(wrong.field, country, english());
                        match wrong.kind {
                            FieldErrorKind::Missing => format!("{label} is missing."),
                            FieldErrorKind::TooLong { max } => format!("{label} has at most {max} characters."),
                            FieldErrorKind::Malformed if wrong.field == Field::Postcode => {
                                format!("{label} looks like {} there.", form.postcode_example)
                            }
                            FieldErrorKind::Malformed | FieldErrorKind::Unknown => format!("{label} cannot be read."),
                        }
                    })
                    .collect();
                return why(told.join(" "));
            }
        };
        if !postcode::is_inside_vat_territory(country, address.postcode.as_deref().unwrap_or_default()) {
            return why("We do not deliver to this postcode: it lies outside the VAT territory.");
        }
        Ok(self.orders.correct_address(self.order.id, &address, self.actor.clone()).await?)
    }
}

/// The parcels that a form names: one carrier, a number on each line.
fn parcels(fields: &Fields) -> Result<Vec<Parcel>, Refusal> {
    named(fields.get("carrier"), fields.get("tracking").lines()).map_err(Refusal::Why)
}

/// One carrier's parcels; no number is one parcel without.
pub fn named<'a>(carrier: &str, numbers: impl Iterator<Item = &'a str>) -> Result<Vec<Parcel>, String> {
    let carrier = carrier.trim();
    if carrier.is_empty() || carrier.chars().count() > CARRIER_CHARS_MAX {
        return Err(format!("Name the carrier, in at most {CARRIER_CHARS_MAX} characters."));
    }
    let numbers: Vec<&str> = numbers.map(str::trim).filter(|number| !number.is_empty()).collect();
    if let Some(long) = numbers.iter().find(|number| number.chars().count() > TRACKING_CHARS_MAX) {
        return Err(format!("A tracking number has at most {TRACKING_CHARS_MAX} characters: “{long}” has more."));
    }
    let parcel = |number: &str| Parcel { carrier: carrier.to_owned(), tracking: number.to_owned() };
    Ok(if numbers.is_empty() { vec![parcel("")] } else { numbers.into_iter().map(parcel).collect() })
}
