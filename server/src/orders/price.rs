//! What an order costs now, by what its transaction sees: prices, taxes, delivery, and what its code gives.

use super::{
    Orders,
    request::{OrderBody, OrderRequest, PlaceOrderError},
};
use crate::{
    catalog::{
        prices,
        stock::{Item, Leaving, Piece},
    },
    coupons::{self, Customer, Found},
    promotions::{self, customers},
    sql::Tx,
    tariffs,
};
use anyhow::Context as _;
use domain::{
    coupon::Code,
    delivery::Method,
    offer::{Instant, offer},
    order,
    pricing::{self, Quote, Wanted},
    promotion::{Candidate, Refusal},
    tax,
};

/// A code that is known, with whom it is counted for.
pub(super) struct Unlocked {
    pub found: Found,
    pub code: Code,
    pub customer: Customer,
}

impl Orders {
    /// What the request costs now, frozen, and the coupon to redeem.
    pub(super) async fn price(&self, tx: &mut Tx, request: &OrderRequest, now: Instant) -> Result<(OrderBody, Option<Unlocked>), PlaceOrderError> {
        let variants: Vec<_> = request.lines.iter().map(|line| line.variant).collect();
        let windows = prices::of(tx, &request.market, &variants, now).await?;
        let mut wanted = Vec::with_capacity(request.lines.len());
        let mut pieces = Vec::with_capacity(request.lines.len());
        let mut not_sold = Vec::new();
        for line in &request.lines {
            let priced = windows.iter().find(|priced| priced.variant == line.variant && priced.product == line.product);
            match priced.and_then(|priced| Some((priced, offer(&priced.windows, now)?))) {
                Some((priced, offer)) => {
                    pieces.push(Piece {
                        item: Item { product: line.product, variant: line.variant },
                        quantity: line.quantity.get(),
                        handling_days: priced.handling_days,
                        oversell: priced.oversell,
                    });
                    wanted.push(Wanted {
                        product: line.product,
                        variant: line.variant,
                        quantity: line.quantity,
                        offer,
                        weight_g: priced.weight_g,
                        tax_category: priced.tax_category.clone(),
                        category: priced.category.clone(),
                        tags: priced.tags.clone(),
                    });
                }
                None => not_sold.push(line.variant),
            }
        }
        if !not_sold.is_empty() {
            return Err(PlaceOrderError::NotSold(not_sold));
        }
        let methods = tariffs::methods_in(tx, request.market.code, now).await?;
        let method = methods.into_iter().find(|method| method.code == request.method).ok_or(PlaceOrderError::UnknownMethod)?;
        let place = request.personal.delivery.place();
        let method = method.to(place, pricing::grams(&wanted)).map_err(PlaceOrderError::NotOffered)?;
        let unlocked = match &request.coupon {
            Some(code) => Some(self.unlock(tx, request, code).await?),
            None => None,
        };
        let language = request.locale.text_language();
        let promotions = promotions::near_in(tx, now).await?;
        let mut candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, language)).collect();
        candidates.extend(unlocked.iter().map(|it| Candidate::coupon(&it.found.coupon, &it.code, it.found.usage, language)));
        let customer = customers::find_in(tx, &self.subject(&request.personal)).await?;
        let candidates: Vec<_> = candidates.into_iter().map(|candidate| candidate.of(Some(&customer))).collect();
        let destination = request.personal.delivery.destination();
        let rates = tariffs::rates_in(tx, destination.country, now).await?;
        let quote: Quote = pricing::quote(&request.market, &wanted, &candidates, Some(&method), Some(&destination), &rates, now)
            .context("reckoning an order's total")?;
        if let Some(refusal) = quote.code_refusal() {
            return Err(PlaceOrderError::Coupon(refusal.clone()));
        }
        if !quote.is_final() {
            return Err(PlaceOrderError::TaxUnknown);
        }
        let parts = pricing::tax_parts(&quote.lines, &wanted, quote.net_delivery());
        let weights = tax::weights(request.market.tax_mode, &parts, &destination, &rates, now);
        let paid = order::shares(quote.total, &weights);
        let leaving = Leaving::read_in(tx, &request.market, &pieces, &method, now).await?;
        let (promise, undated) = (leaving.promise(&method, destination.country, now), leaving.is_owed());
        // What is promised stands: where else it could leave from is nobody's question any more.
        let method = Method { origins: Vec::new(), ..method };
        let texts = request.lines.iter().map(|line| line.text.clone()).collect();
        let (locations, split) = (request.market.locations.clone(), request.market.split);
        Ok((OrderBody { texts, quote, paid, method, promise, undated, locations, split }, unlocked))
    }

    /// The coupon that a code unlocks.
    async fn unlock(&self, tx: &mut Tx, request: &OrderRequest, code: &Code) -> Result<Unlocked, PlaceOrderError> {
        let customer = Customer::new(&self.keys, &request.personal.contact.email);
        let found = coupons::find_in(tx, code, &customer).await?.ok_or(PlaceOrderError::Coupon(Refusal::Unknown))?;
        Ok(Unlocked { found, code: code.clone(), customer })
    }
}
