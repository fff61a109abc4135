//! What the checkout answers when an order was not placed: the page with the reason, or another page.

use super::{Checkout, to_cart};
use crate::{
    Shop,
    http::{Failure, Visitor, forms::see_other, order::order_url},
    orders::PlaceOrderError,
};
use app::{
    i18n::{filled, money, till},
    private::{
        Notice,
        checkout::{Fault, Part},
        coupon::sentence,
        field_label,
    },
};
use axum::response::Response;
use domain::{address::Field, coupon::Code};

/// The page, or another one, for an order that was not placed.
pub async fn refused(mut checkout: Checkout, shop: &Shop, visitor: &Visitor, refusal: PlaceOrderError) -> Result<Response, Failure> {
    let locale = checkout.view.locale;
    let messages = till(locale);
    let (faults, text) = match refusal {
        PlaceOrderError::Empty => return Ok(to_cart(locale)),
        PlaceOrderError::CartAlreadyOrdered { secret } => return Ok(see_other(&format!("{}?said=ordered", order_url(&checkout.view, &secret)))),
        PlaceOrderError::Failed(error) => return Err(error.into()),
        PlaceOrderError::KeyReused | PlaceOrderError::InFlight => {
            return checkout.respond(shop, visitor, Vec::new(), Some(Notice::bad(messages.err_form)), 422).await;
        }
        PlaceOrderError::OutOfStock(shortages) => {
            let sentence = |(variant, left): (domain::VariantId, u32)| {
                let title = checkout.title(variant);
                if left == 0 {
                    filled(messages.err_sold_out, &[("product", title)])
                } else {
                    messages.err_only_left.with(locale, left.into(), &[("product", title)])
                }
            };
            (Vec::new(), shortages.iter().map(|shortage| sentence((shortage.variant, shortage.left))).collect::<Vec<_>>().join(" "))
        }
        PlaceOrderError::NotSold(variants) => {
            let sentences: Vec<_> = variants.iter().map(|variant| filled(messages.err_sold_out, &[("product", checkout.title(*variant))])).collect();
            (Vec::new(), sentences.join(" "))
        }
        PlaceOrderError::PriceChanged(quote) => (Vec::new(), filled(messages.err_total, &[("amount", &money(quote.total, locale))])),
        PlaceOrderError::Coupon(refusal) => {
            let code = checkout.cart.coupon.as_ref().map_or("", Code::as_str);
            let refused = sentence(&refusal, code, &checkout.view);
            let total = checkout.quote(shop).await?.total;
            (Vec::new(), format!("{refused} {}", filled(messages.err_total, &[("amount", &money(total, locale))])))
        }
        PlaceOrderError::NotOffered(_) => {
            let text = checkout.ways.refusal(&checkout.method, &checkout.view).unwrap_or_else(|| messages.err_method.to_owned());
            (vec![Fault { field: "method".to_owned(), text }], String::new())
        }
        PlaceOrderError::UnknownMethod => (vec![Fault { field: "method".to_owned(), text: messages.err_method.to_owned() }], String::new()),
        PlaceOrderError::TaxUnknown => {
            let field = field_label(Field::Region, checkout.delivery_country, locale);
            let text = filled(messages.err_choose, &[("field", field)]);
            (vec![Fault { field: Part::Delivery.name(Field::Region.key()), text }], String::new())
        }
    };
    let status = if faults.is_empty() { 409 } else { 422 };
    let notice = (!text.is_empty()).then(|| Notice::bad(text));
    checkout.respond(shop, visitor, faults, notice, status).await
}
