//! The checkout: contact, address in the country's own form, delivery, and the whole sum beside it, on one page and in one form. What was
//! typed stays, and what is wrong with it stands by its field.

use super::{
    Line, Notice, country_name,
    coupon::{self, CHECKOUT_FORM, Kept, Removal},
    field_label, region_name, sums,
};
use crate::{
    i18n::{date_range, filled, money, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, Route},
};
use domain::{
    address::{AddressForm, Field, FieldSpec, Width},
    delivery::{Method, Promise},
    live::Hole,
    market::Country,
    money::Money,
    pricing::Quote,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// What the checkout shows.
#[derive(Clone, Debug)]
pub struct CheckoutData {
    pub lines: Vec<Line>,
    /// With the chosen method, and with tax once an address is known.
    pub quote: Quote,
    /// The cart's discount code, if it has one.
    pub coupon: Option<Kept>,
    pub methods: Vec<Offered>,
    /// Whether some places cost or take something else.
    pub has_zones: bool,
    /// The zone and the days that the page shows, as the form brings them back.
    pub seen_delivery: String,
    /// The chosen method's code.
    pub method: String,
    pub cart_version: u64,
    /// Everything that was typed, by the fields' names.
    pub typed: BTreeMap<String, String>,
    pub faults: Vec<Fault>,
    pub notice: Option<Notice>,
    pub delivery_country: Country,
    /// Where this market delivers to.
    pub delivery_countries: Vec<Country>,
    /// `None`: the bill goes where the parcel goes.
    pub billing_country: Option<Country>,
    /// Where a bill may go.
    pub billing_countries: Vec<Country>,
    /// 200, or what a refused form deserves.
    pub status: u16,
}

/// A delivery method with what it costs here and when it comes.
#[derive(Clone, Debug)]
pub struct Offered {
    pub method: Method,
    pub charge: Money,
    /// `None`: something is on back-order, or the method does not take the parcel.
    pub promise: Option<Promise>,
    /// Why it does not take the parcel, and what to do.
    pub refusal: Option<String>,
}

/// A field that cannot be taken, by the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: String,
    pub text: String,
}

/// Which address a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Delivery,
    Billing,
}

impl Part {
    /// The form field's name: `delivery_city`.
    pub fn name(self, key: &str) -> String {
        match self {
            Self::Delivery => format!("delivery_{key}"),
            Self::Billing => format!("billing_{key}"),
        }
    }

    const fn section(self) -> &'static str {
        match self {
            Self::Delivery => "shipping",
            Self::Billing => "billing",
        }
    }
}

/// The checkout's page.
pub fn page(view: &View, data: CheckoutData) -> Page {
    let address = Address::new(view.locale, Route::Checkout);
    let status = data.status;
    let view = view.clone();
    let mut page = Page::new(Head::private(till(view.locale).checkout, &address), Vec::new(), move || body(&view, &data));
    page.status = status;
    page
}

fn body(view: &View, data: &CheckoutData) -> AnyView {
    let messages = till(view.locale);
    view! {
        <main id="main" class="till checkout">
            <div>
                <h1>{messages.checkout}</h1>
                {data.notice.clone().map(Notice::show)}
                {summary_of_faults(data, view)}
                {form(data, view)}
            </div>
            <aside>
                <div>
                    <details class="summary" open>
                        <summary data-total=money(data.quote.total, view.locale)><h2>{messages.cart_heading}</h2></summary>
                        <ul>{data.lines.iter().map(|line| line.summary(view)).collect_view()}</ul>
                        {sums::sums(&data.quote, None, Removal::Checkout, view)}
                        {coupon::refused(data.coupon.as_ref(), Removal::Checkout, view)}
                        {sums::explanation(&data.quote, view)}
                    </details>
                </div>
            </aside>
        </main>
    }
    .into_any()
}

/// What is wrong, each with a link to its field.
fn summary_of_faults(data: &CheckoutData, view: &View) -> Option<AnyView> {
    if data.faults.is_empty() {
        return None;
    }
    let title = till(view.locale).err_summary.text(view.locale, data.faults.len() as u64);
    let items = data.faults.iter().map(|fault| view! { <li><a href=format!("#{}", fault.field)>{fault.text.clone()}</a></li> }).collect_view();
    Some(view! { <div class="errors" role="alert" tabindex="-1" id="errors" autofocus><h2>{title}</h2><ul>{items}</ul></div> }.into_any())
}

fn form(data: &CheckoutData, view: &View) -> AnyView {
    let messages = till(view.locale);
    let cart = Address::new(view.locale, Route::Cart).url();
    let action = Action::PlaceOrder.url(view.locale);
    let (button, note) = if data.quote.is_final() {
        let sum = filled(messages.place_order, &[("amount", &money(data.quote.total, view.locale))]);
        // Once another delivery method is chosen, the sum is that of the one before (till.css).
        (view! { <span class="sum">{sum}</span><span class="open">{messages.place_order_open}</span> }.into_any(), None)
    } else {
        (messages.place_order_open.into_any(), Some(view! { <p class="why">{messages.tax_note}</p> }))
    };
    view! {
        <form id=CHECKOUT_FORM method="post" action=action novalidate>
            // The Enter key presses the first button: it has to be the order, not one of the small ones in between.
            <button class="vh" name="intent" value="place" tabindex="-1" aria-hidden="true"></button>
            <input type="hidden" name="mutation" value=Hole::MutationId.mark()/>
            <input type="hidden" name="cart_version" value=data.cart_version.to_string()/>
            <input type="hidden" name="seen_total" value=if data.quote.is_final() { data.quote.total.minor.to_string() } else { String::new() }/>
            <input type="hidden" name="seen_delivery" value=data.seen_delivery.clone()/>
            <fieldset class="stack">
                <legend class="head">{messages.contact}</legend>
                <div class="fieldrow">
                    {input(&Input { name: "email", label: messages.email.to_owned(), kind: "email", autocomplete: "email", mode: "email", max: 254, required: true, hint: None, width: "field" }, data)}
                    {input(&Input { name: "phone", label: filled(messages.optional, &[("field", messages.phone)]), kind: "tel", autocomplete: "tel", mode: "tel", max: 30, required: false, hint: Some(messages.phone_hint), width: "field" }, data)}
                </div>
            </fieldset>
            {address(Part::Delivery, messages.delivery_address, data.delivery_country, &data.delivery_countries, data, view)}
            {billing(data, view)}
            {methods(data, view)}
            <button class="button wide" name="intent" value="place">{button}</button>
            {note}
            <p class="why">{messages.pay_note}</p>
            <p><a href=cart>{messages.back_to_cart}</a></p>
        </form>
    }
    .into_any()
}

/// The billing address's own form, or the way to it.
fn billing(data: &CheckoutData, view: &View) -> AnyView {
    let messages = till(view.locale);
    match data.billing_country {
        Some(country) => view! {
            <input type="hidden" name="billing" value="other"/>
            <a id="billing"></a>
            {address(Part::Billing, messages.billing_address, country, &data.billing_countries, data, view)}
            <p><button class="link" name="intent" value="billing-same">{format!("{}: {}", messages.remove, messages.billing_address)}</button></p>
        }
        .into_any(),
        None => view! { <p><button class="link" name="intent" value="billing-other" formaction=format!("{}#billing", Action::PlaceOrder.url(view.locale))>{messages.billing_other}</button></p> }.into_any(),
    }
}

/// An address in its country's own form.
fn address(part: Part, title: &'static str, country: Country, countries: &[Country], data: &CheckoutData, view: &View) -> AnyView {
    let messages = till(view.locale);
    let form = AddressForm::for_country(country);
    let fields = form.fields.iter().map(|spec| field(part, spec, &form, data, view)).collect_view();
    let name = part.name("country");
    let options = countries.iter().map(|known| {
        view! { <option value=known.code().to_owned() selected={*known == country}>{country_name(*known, view.locale)}</option> }
    });
    let (wrong, error) = fault(&name, data);
    let switch = (countries.len() > 1).then(|| {
        view! { <p class="hint"><button class="link" name="intent" value="country">{messages.change_country}</button></p> }
    });
    view! {
        <fieldset class="stack">
            <legend class="head">{title}</legend>
            <div class="fieldrow">
                <div class=if wrong { "field wrong" } else { "field" }>
                    <label for=name.clone()>{messages.country}</label>
                    <select
                        id=name.clone()
                        name=name.clone()
                        autocomplete=format!("{} country", part.section())
                        required
                        aria-invalid=wrong.then_some("true")
                        aria-describedby=wrong.then(|| format!("{name}-error"))
                    >
                        {options.collect_view()}
                    </select>
                    {error}
                    {switch}
                </div>
                {fields}
            </div>
        </fieldset>
    }
    .into_any()
}

fn field(part: Part, spec: &FieldSpec, form: &AddressForm, data: &CheckoutData, view: &View) -> AnyView {
    let messages = till(view.locale);
    let name = part.name(spec.field.key());
    let plain = field_label(spec.field, form.country, view.locale);
    let label = if spec.required { plain.to_owned() } else { filled(messages.optional, &[("field", plain)]) };
    let autocomplete = spec.field.autocomplete().map_or_else(|| "off".to_owned(), |token| format!("{} {token}", part.section()));
    let width = match spec.width {
        Width::Full => "field",
        Width::Half => "field half",
        Width::Third => "field third",
    };
    if spec.choices.is_empty() {
        let mode = if spec.field == Field::Postcode && form.postcode_numeric { "numeric" } else { "text" };
        let max = spec.field.chars_max();
        return input(
            &Input { name: &name, label, kind: "text", autocomplete: &autocomplete, mode, max, required: spec.required, hint: None, width },
            data,
        );
    }
    let typed = typed(&name, data);
    let chosen = domain::region::parse(form.country, typed).unwrap_or_default();
    let options = spec.choices.iter().map(|(code, _)| {
        view! { <option value=*code selected={*code == chosen}>{region_name(form.country, code, view.locale)}</option> }
    });
    let (wrong, error) = fault(&name, data);
    view! {
        <div class=if wrong { format!("{width} wrong") } else { width.to_owned() }>
            <label for=name.clone()>{label}</label>
            <select
                id=name.clone()
                name=name.clone()
                autocomplete=autocomplete
                required=spec.required
                aria-invalid=wrong.then_some("true")
                aria-describedby=wrong.then(|| format!("{name}-error"))
            >
                <option value="" selected={chosen.is_empty()}>{messages.please_choose}</option>
                {options.collect_view()}
            </select>
            {error}
        </div>
    }
    .into_any()
}

/// A text field and how it is filled.
struct Input<'a> {
    name: &'a str,
    label: String,
    kind: &'static str,
    autocomplete: &'a str,
    mode: &'static str,
    max: usize,
    required: bool,
    hint: Option<&'static str>,
    width: &'static str,
}

fn input(spec: &Input<'_>, data: &CheckoutData) -> AnyView {
    let (wrong, error) = fault(spec.name, data);
    let name = spec.name.to_owned();
    let mut described = Vec::new();
    if wrong {
        described.push(format!("{name}-error"));
    }
    if spec.hint.is_some() {
        described.push(format!("{name}-hint"));
    }
    view! {
        <div class=if wrong { format!("{} wrong", spec.width) } else { spec.width.to_owned() }>
            <label for=name.clone()>{spec.label.clone()}</label>
            <input
                id=name.clone()
                name=name.clone()
                type=spec.kind
                inputmode=spec.mode
                autocomplete=spec.autocomplete.to_owned()
                maxlength=spec.max.to_string()
                value=typed(spec.name, data).to_owned()
                required=spec.required
                aria-invalid=wrong.then_some("true")
                aria-describedby=(!described.is_empty()).then(|| described.join(" "))
            />
            {error}
            {spec.hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
        </div>
    }
    .into_any()
}

fn methods(data: &CheckoutData, view: &View) -> AnyView {
    let messages = till(view.locale);
    let (wrong, error) = fault("method", data);
    let choices = data.methods.iter().enumerate().map(|(index, offered)| {
        let code = offered.method.code.clone();
        let dates = offered.promise.map(|promise| date_range(promise.from, promise.to, view.locale));
        let about = offered.refusal.clone().or(dates).map(|text| view! { <small>{text}</small> });
        let charge = if offered.charge.is_zero() { messages.free.to_owned() } else { money(offered.charge, view.locale) };
        let charge = offered.refusal.is_none().then_some(charge);
        let (checked, is_refused) = (code == data.method, offered.refusal.is_some());
        // The first choice carries the id that the list of errors points to.
        let id = (index == 0).then_some("method");
        view! {
            <label>
                <input type="radio" name="method" id=id value=code checked=checked && !is_refused disabled=is_refused required/>
                <span>{offered.method.title(view.text())}{about}</span>
                <span>{charge}</span>
            </label>
        }
    });
    view! {
        <fieldset class="stack" aria-describedby=wrong.then_some("method-error")>
            <legend class="head">{messages.delivery_method}</legend>
            <div class="choice">{choices.collect_view()}</div>
            {error}
            {data.has_zones.then(|| view! { <p class="hint">{messages.zones_note}</p> })}
            <p><button class="button quiet small" name="intent" value="update">{messages.update_total}</button></p>
        </fieldset>
    }
    .into_any()
}

/// Whether a field is wrong, and the sentence to stand below it.
fn fault(name: &str, data: &CheckoutData) -> (bool, Option<AnyView>) {
    let fault = data.faults.iter().find(|fault| fault.field == name).cloned();
    (fault.is_some(), fault.map(|fault| view! { <p class="error" id=format!("{}-error", fault.field)>{fault.text}</p> }.into_any()))
}

fn typed<'a>(name: &str, data: &'a CheckoutData) -> &'a str {
    data.typed.get(name).map_or("", String::as_str)
}
