//! What an order costs now, by what its transaction sees: prices, taxes, delivery, and what its code gives.

use super::{
    Orders,
    request::{OrderBody, OrderRequest, PlaceOrderError},
};
use crate::{
    catalog::prices,
    coupons::{self, Customer, Found},
    sql::Tx,
    tariffs,
};
use anyhow::Context as _;
use domain::{
    coupon::{Code, Refusal, Trial},
    delivery::Method,
    discount::Discount,
    offer::{Instant, offer},
    order,
    pricing::{self, Quote, Wanted},
    tax,
};

/// A code that gives something, with whom it is counted for.
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
        let mut not_sold = Vec::new();
        for line in &request.lines {
            let priced = windows.iter().find(|priced| priced.variant == line.variant && priced.product == line.product);
            match priced.and_then(|priced| Some((offer(&priced.windows, now)?, priced.tax_category.clone()))) {
                Some((offer, tax_category)) => {
                    wanted.push(Wanted { product: line.product, variant: line.variant, quantity: line.quantity, offer, tax_category });
                }
                None => not_sold.push(line.variant),
            }
        }
        if !not_sold.is_empty() {
            return Err(PlaceOrderError::NotSold(not_sold));
        }
        let methods = tariffs::methods_in(tx, request.market.code, now).await?;
        let method = methods.into_iter().find(|method| method.code == request.method).ok_or(PlaceOrderError::UnknownMethod)?;
        let (unlocked, discounts) = match &request.coupon {
            Some(code) => {
                let (unlocked, discount) = self.unlock(tx, request, code, (&wanted, &method), now).await?;
                (Some(unlocked), vec![discount])
            }
            None => (None, Vec::new()),
        };
        let destination = request.personal.delivery.destination();
        let rates = tariffs::rates_in(tx, destination.country, now).await?;
        let quote: Quote = pricing::quote(&request.market, &wanted, &discounts, Some(&method), Some(&destination), &rates, now)
            .context("reckoning an order's total")?;
        if !quote.is_final() {
            return Err(PlaceOrderError::TaxUnknown);
        }
        let parts = pricing::tax_parts(&quote.lines, &wanted, quote.net_delivery());
        let weights = tax::weights(request.market.tax_mode, &parts, &destination, &rates, now);
        let paid = order::shares(quote.total, &weights);
        let promise = method.promise(destination.country, now);
        let texts = request.lines.iter().map(|line| line.text.clone()).collect();
        Ok((OrderBody { texts, quote, paid, method, promise, locations: request.market.locations.clone(), split: request.market.split }, unlocked))
    }

    /// What a code gives for these goods.
    async fn unlock(
        &self,
        tx: &mut Tx,
        request: &OrderRequest,
        code: &Code,
        (wanted, delivery): (&[Wanted], &Method),
        now: Instant,
    ) -> Result<(Unlocked, Discount), PlaceOrderError> {
        let customer = Customer::new(&self.keys, &request.personal.contact.email);
        let found = coupons::find_in(tx, code, &customer).await?.ok_or(PlaceOrderError::Coupon(Refusal::Unknown))?;
        let language = request.locale.text_language();
        let trial = Trial { market: &request.market, language, wanted, delivery: Some(delivery), usage: found.usage, now };
        let discount = found.coupon.grant(code, &trial).map_err(PlaceOrderError::Coupon)?;
        Ok((Unlocked { found, code: code.clone(), customer }, discount))
    }
}
