//! The checkout's page and its one form. Whatever is wrong, the form comes back as it was typed, with a sentence by each field; an order is
//! placed only when the page showed the total that it costs.

mod delivery;
mod refused;

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor,
        basket::Basket,
        cart::{self, visit},
        coupon::{self, Standing},
        draft,
        forms::see_other,
        idempotency::{Named, in_flight},
        order::order_url,
        render,
        ways::Ways,
    },
    orders::{OrderRequest, Personal, Placed, Repeated, RequestedLine},
};
use app::{
    i18n::{filled, money, till},
    ports::View,
    private::{
        Notice,
        checkout::{CheckoutData, Fault, Part, page},
        field_label,
    },
    routes::{Address as Url, Route},
};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::{get, post},
};
use domain::{
    CartId,
    account::{self, Contact, Email, EmailError, Phone, PhoneError},
    address::{Address, AddressForm, Destination, Field, FieldErrorKind},
    cart::Cart,
    delivery::Place,
    market::Country,
    money::Money,
    postcode, region,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/checkout", get(show)).route("/{locale}/checkout", post(place))
}

async fn show(State(shop): State<Shop>, InLocale(locale): InLocale, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(mut checkout) = Checkout::open(&shop, &visitor, view.clone(), None).await? else {
        return Ok(ordered_before(&shop, &visitor, &view, None, Repeated::GoesOn).await?.unwrap_or_else(|| to_cart(locale)));
    };
    let said = Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let quote = checkout.quote(&shop).await?;
    let notice = match said.get("said") {
        "coupon-removed" => Some(Notice::good(app::i18n::coupon(locale).said_removed)),
        _ if !quote.is_final() => None,
        // Tax that only the address could tell is nobody's mistake.
        "total" => Some(Standing::new_total(checkout.coupon.as_ref(), quote.total, true, &checkout.view)),
        "delivery" => Some(checkout.new_delivery(quote.total)),
        "updated" => Some(Notice::good(filled(till(locale).err_updated, &[("amount", &money(quote.total, locale))]))),
        _ => None,
    };
    checkout.respond(&shop, &visitor, Vec::new(), notice, 200).await
}

/// Keeps what was typed as a draft, and leads on: to the payment page when everything is right, to this page by GET when there is
/// something to look at, so that neither Back nor Reload asks to send the form again. What is wrong answers directly with its status
/// (422, 409), for programs that read it; the draft has it too.
async fn place(State(shop): State<Shop>, InLocale(locale): InLocale, visitor: Visitor, named: Named, fields: Fields) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let key = named.read(&fields, &shop.clock);
    let Some(mut checkout) = Checkout::open(&shop, &visitor, view.clone(), Some(&fields)).await? else {
        return Ok(ordered_before(&shop, &visitor, &view, key, named.repeated()).await?.unwrap_or_else(|| to_cart(locale)));
    };
    let messages = till(locale);
    let page = Url::new(locale, Route::Checkout).url();
    let intent = fields.get("intent");
    match intent {
        "billing-other" => drop(checkout.typed.insert("billing".to_owned(), "other".to_owned())),
        "billing-same" => drop(checkout.typed.remove("billing")),
        _ => {}
    }
    draft::keep(&shop, &checkout.cart, &checkout.typed).await?;
    match intent {
        "billing-other" => return Ok(see_other(&format!("{page}#billing"))),
        "coupon-remove" => {
            cart::carts(&shop).set_coupon(checkout.cart.id, None).await?;
            return Ok(see_other(&format!("{page}?said=coupon-removed")));
        }
        "billing-same" | "country" => return Ok(see_other(&page)),
        "update" => return Ok(see_other(&format!("{page}?said=updated"))),
        _ => {}
    }
    let Some(key) = key else {
        return checkout.respond(&shop, &visitor, Vec::new(), Some(Notice::bad(messages.err_form)), 400).await;
    };
    let personal = match checkout.read() {
        Ok(personal) => personal,
        Err(faults) => return checkout.respond(&shop, &visitor, faults, None, 422).await,
    };
    let seen_version = fields.get("cart_version");
    if !seen_version.is_empty() && seen_version != checkout.cart.version.to_string() {
        if let Some(answer) = answered_before(&shop, &checkout.view, checkout.cart.id, key, named.repeated()).await? {
            return Ok(answer);
        }
        return checkout.respond(&shop, &visitor, Vec::new(), Some(Notice::bad(messages.err_cart_changed)), 409).await;
    }
    let quote = checkout.quote(&shop).await?;
    // Another zone, or other days, than the page showed: the address tells, so it is nobody's mistake, and the shopper confirms it.
    if checkout.is_new_delivery(fields.get("seen_delivery")) {
        if let Some(answer) = answered_before(&shop, &checkout.view, checkout.cart.id, key, named.repeated()).await? {
            return Ok(answer);
        }
        return Ok(see_other(&format!("{page}?said=delivery")));
    }
    let seen_total = fields.get("seen_total");
    if seen_total.is_empty() {
        return Ok(see_other(&format!("{page}?said=total")));
    }
    if seen_total != quote.total.minor.to_string() {
        // The second half of a double click whose first half used a code up.
        if let Some(answer) = answered_before(&shop, &checkout.view, checkout.cart.id, key, named.repeated()).await? {
            return Ok(answer);
        }
        // Less, such as by what is for this customer, is nobody's mistake either.
        let is_less = seen_total.parse().is_ok_and(|seen: i64| quote.total.minor < seen);
        let notice = Standing::new_total(checkout.coupon.as_ref(), quote.total, is_less, &checkout.view);
        return checkout.respond(&shop, &visitor, Vec::new(), Some(notice), 409).await;
    }
    let request = checkout.request(key.to_string(), personal, quote.total);
    match Box::pin(shop.orders.place_once(request, named.repeated())).await {
        Ok(placed) => Ok(to_page(&checkout.view, placed)),
        Err(refusal) => match named.refused(&refusal) {
            Some(answer) => Ok(answer),
            None => refused::refused(checkout, &shop, &visitor, refusal).await,
        },
    }
}

/// The way to what this cart was ordered into, when the cart itself can no longer be: the second half of a double click, and the buyer of
/// the last piece, to whom the shelf looks empty.
async fn ordered_before(shop: &Shop, visitor: &Visitor, view: &View, key: Option<Uuid>, repeated: Repeated) -> Result<Option<Response>, Failure> {
    let Some(cart) = visit(shop, visitor).await?.cart() else { return Ok(None) };
    if let Some(key) = key
        && let Some(answer) = answered_before(shop, view, cart.id, key, repeated).await?
    {
        return Ok(Some(answer));
    }
    if cart.is_empty() {
        return Ok(None);
    }
    let waiting = shop.orders.waiting_order(cart.id).await?;
    Ok(waiting.map(|placed| see_other(&format!("{}?said=ordered", order_url(view, &placed.secret)))))
}

/// The answer that a cart's key was given before, or that it is still to come.
async fn answered_before(shop: &Shop, view: &View, cart: CartId, key: Uuid, repeated: Repeated) -> Result<Option<Response>, Failure> {
    let before = shop.orders.answered_before(cart, &key.to_string()).await?;
    Ok(before.map(|before| if before.is_in_flight && repeated == Repeated::IsTold { in_flight() } else { to_page(view, before.placed) }))
}

/// To the payment page, or to the order's while the provider does not answer.
fn to_page(view: &View, placed: Placed) -> Response {
    see_other(&placed.redirect_url.unwrap_or_else(|| order_url(view, &placed.secret)))
}

/// A visitor's checkout: the cart, the choices there are, and what was typed.
struct Checkout {
    view: View,
    cart: Cart,
    basket: Basket,
    /// The cart's code as the latest quote saw it.
    coupon: Option<Standing>,
    ways: Ways,
    method: String,
    typed: BTreeMap<String, String>,
    delivery_country: Country,
    billing_country: Option<Country>,
}

/// The longest value that is kept and shown again; every field's own limit is far below.
const TYPED_CHARS_MAX: usize = 1_000;

impl Checkout {
    /// From the form, or without one from the draft. `None`: there is nothing to order, or the cart has to be mended first.
    async fn open(shop: &Shop, visitor: &Visitor, view: View, form: Option<&Fields>) -> Result<Option<Self>, Failure> {
        let Some(cart) = visit(shop, visitor).await?.cart().filter(|cart| !cart.is_empty()) else { return Ok(None) };
        let basket = Basket::read(shop, &view, &cart).await?;
        if basket.is_blocked() {
            return Ok(None);
        }
        let fields = match form {
            Some(form) => form.clone(),
            None => draft::read(shop, &cart).await,
        };
        let typed: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| (name.to_owned(), value.chars().take(TYPED_CHARS_MAX).collect::<String>())).collect();
        let country = |part: Part| fields.get(&part.name("country")).trim().parse::<Country>().ok();
        let delivery_country = country(Part::Delivery).filter(|country| view.market.countries.contains(country)).unwrap_or_else(|| home(&view));
        let billing_country = (fields.get("billing") == "other")
            .then(|| country(Part::Billing).filter(|country| billing_countries(&view).contains(country)).unwrap_or(delivery_country));
        let delivery = |field: Field| typed.get(&Part::Delivery.name(field.key())).map_or("", String::as_str);
        let postcode = postcode::parse(delivery_country, &account::clean_ascii(delivery(Field::Postcode)));
        let region = region::parse(delivery_country, delivery(Field::Region));
        let place = Place { country: delivery_country, region, postcode: postcode.as_deref() };
        let ways = Ways::read(shop, &view, &basket, place).await?;
        let method = fields.optional("method").map_or_else(|| ways.first().map(|method| method.code.clone()).unwrap_or_default(), str::to_owned);
        Ok(Some(Self { view, cart, basket, coupon: None, ways, method, typed, delivery_country, billing_country }))
    }

    /// The total by what is known so far.
    async fn quote(&mut self, shop: &Shop) -> Result<domain::pricing::Quote, Failure> {
        let method = self.ways.find(&self.method);
        let email = self.typed.get("email").and_then(|email| Email::parse(email).ok());
        let place = self.destination();
        let (quote, standing) = coupon::quote(shop, &self.view, &self.cart, &mut self.basket, method, place.as_ref(), email.as_ref()).await?;
        self.coupon = standing;
        Ok(quote)
    }

    /// Where the goods go, as far as tax is concerned: known as soon as the region is.
    fn destination(&self) -> Option<Destination> {
        let form = AddressForm::for_country(self.delivery_country);
        if !form.has(Field::Region) {
            return Some(Destination { country: self.delivery_country, region: None });
        }
        let typed = self.typed.get(&Part::Delivery.name(Field::Region.key()))?;
        let region = region::parse(self.delivery_country, typed)?.to_owned();
        Some(Destination { country: self.delivery_country, region: Some(region) })
    }

    /// Everything that was typed as a value, or everything that is wrong with it, in the page's order.
    fn read(&self) -> Result<Personal, Vec<Fault>> {
        let locale = self.view.locale;
        let messages = till(locale);
        let mut faults = Vec::new();
        let text = |name: &str| self.typed.get(name).map_or("", String::as_str);
        let mut fault = |field: &str, text: String| faults.push(Fault { field: field.to_owned(), text });
        let email = Email::parse(text("email"));
        match &email {
            Ok(_) => {}
            Err(EmailError::Missing) => fault("email", filled(messages.err_required, &[("field", messages.email)])),
            Err(EmailError::Malformed) => fault("email", messages.err_email.to_owned()),
            Err(EmailError::TooLong) => {
                fault("email", filled(messages.err_too_long, &[("field", messages.email), ("max", &Email::BYTES_MAX.to_string())]));
            }
        }
        let phone = Phone::parse(text("phone"));
        if phone == Err(PhoneError::Malformed) {
            fault("phone", messages.err_phone.to_owned());
        }
        let mut country_fault = |part: Part, allowed: &[Country]| {
            let name = part.name("country");
            let typed = text(&name).trim();
            if !typed.is_empty() && !allowed.iter().any(|country| country.code() == typed) {
                fault(&name, messages.err_country.to_owned());
            }
        };
        country_fault(Part::Delivery, &self.view.market.countries);
        if self.billing_country.is_some() {
            country_fault(Part::Billing, &billing_countries(&self.view));
        }
        let delivery = self.address(Part::Delivery, self.delivery_country, &mut faults);
        let billing = self.billing_country.map(|country| self.address(Part::Billing, country, &mut faults));
        if self.ways.find(&self.method).is_none() {
            let text = self.ways.refusal(&self.method, &self.view).unwrap_or_else(|| messages.err_method.to_owned());
            faults.push(Fault { field: "method".to_owned(), text });
        }
        match (email, delivery, billing) {
            (Ok(email), Some(delivery), billing) if faults.is_empty() => {
                Ok(Personal { contact: Contact { email, phone: phone.ok() }, delivery, billing: billing.flatten() })
            }
            _ => Err(faults),
        }
    }

    fn address(&self, part: Part, country: Country, faults: &mut Vec<Fault>) -> Option<Address> {
        let form = AddressForm::for_country(country);
        let typed = Field::ALL.into_iter().filter_map(|field| Some((field.key().to_owned(), self.typed.get(&part.name(field.key()))?.clone())));
        match form.parse(&typed.collect()) {
            Ok(address) => {
                let postcode = address.postcode.as_deref().unwrap_or_default();
                if part == Part::Delivery && !postcode::is_inside_vat_territory(country, postcode) {
                    let text = filled(till(self.view.locale).err_not_served, &[("postcode", postcode)]);
                    faults.push(Fault { field: part.name(Field::Postcode.key()), text });
                }
                Some(address)
            }
            Err(errors) => {
                faults.extend(errors.into_iter().map(|error| {
                    let text = self.sentence(error.field, error.kind, &form);
                    Fault { field: part.name(error.field.key()), text }
                }));
                None
            }
        }
    }

    fn sentence(&self, field: Field, kind: FieldErrorKind, form: &AddressForm) -> String {
        let messages = till(self.view.locale);
        let label = field_label(field, form.country, self.view.locale);
        let chosen = form.fields.iter().any(|spec| spec.field == field && !spec.choices.is_empty());
        match kind {
            FieldErrorKind::Missing if chosen => filled(messages.err_choose, &[("field", label)]),
            FieldErrorKind::Missing => filled(messages.err_required, &[("field", label)]),
            FieldErrorKind::TooLong { max } => filled(messages.err_too_long, &[("field", label), ("max", &max.to_string())]),
            FieldErrorKind::Malformed if field == Field::Postcode => {
                filled(messages.err_postcode, &[("field", label), ("example", form.postcode_example)])
            }
            FieldErrorKind::Malformed => filled(messages.err_letters, &[("field", label)]),
            FieldErrorKind::Unknown => filled(messages.err_choose, &[("field", label)]),
        }
    }

    fn request(&self, key: String, personal: Personal, confirmed_total: Money) -> OrderRequest {
        let line = |line: &crate::http::basket::BasketLine| {
            let wanted = line.wanted.as_ref()?;
            Some(RequestedLine { product: wanted.product, variant: wanted.variant, quantity: wanted.quantity, text: line.text.clone() })
        };
        OrderRequest {
            key,
            cart: self.cart.id,
            cart_version: self.cart.version,
            market: (*self.view.market).clone(),
            locale: self.view.locale,
            lines: self.basket.lines.iter().filter_map(line).collect(),
            personal,
            method: self.method.clone(),
            coupon: self.coupon.as_ref().and_then(Standing::granted),
            confirmed_total,
        }
    }

    /// A line's title.
    fn title(&self, variant: domain::VariantId) -> &str {
        self.basket.lines.iter().find(|line| line.shown.variant == variant).map_or("", |line| line.shown.title.as_str())
    }

    async fn respond(mut self, shop: &Shop, visitor: &Visitor, faults: Vec<Fault>, notice: Option<Notice>, status: u16) -> Result<Response, Failure> {
        let quote = self.quote(shop).await?;
        let data = CheckoutData {
            lines: self.basket.shown(),
            coupon: self.coupon.as_ref().map(Standing::kept),
            methods: self.ways.offered(quote.goods, &self.view),
            has_zones: self.ways.has_zones(),
            seen_delivery: self.delivery_said(),
            method: self.method,
            cart_version: self.cart.version,
            typed: self.typed,
            faults,
            notice,
            delivery_country: self.delivery_country,
            delivery_countries: self.view.market.countries.clone(),
            billing_country: self.billing_country,
            billing_countries: billing_countries(&self.view),
            status,
            quote,
        };
        let mut response = render::private(shop, &visitor.with_cart_count(self.cart.pieces()), &self.view, page(&self.view, data)).await?;
        cart::remember(shop, &mut response, Some(&self.cart));
        Ok(response)
    }
}

/// The market's own country, which the locale's usually is.
fn home(view: &View) -> Country {
    if view.market.countries.contains(&view.locale.country) {
        view.locale.country
    } else {
        view.market.countries.first().copied().unwrap_or(view.market.code)
    }
}

/// A bill may go to every country that the shop knows.
fn billing_countries(view: &View) -> Vec<Country> {
    let mut countries: Vec<Country> = view.market.countries.clone();
    for country in view.shop.markets.iter().flat_map(|market| &market.countries) {
        if !countries.contains(country) {
            countries.push(*country);
        }
    }
    countries
}

fn to_cart(locale: domain::locale::Locale) -> Response {
    see_other(&Url::new(locale, Route::Cart).url())
}
