//! The cart: what is in it, what it comes to, and the way to the checkout. Each line is two forms that work without script.

use super::{
    Line, Notice, Problem,
    coupon::{self, Kept, Rejected, Removal},
    sums, trace,
};
use crate::{
    i18n::{date_range, filled, money, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, ListQuery, Route},
};
use domain::{
    cart::Quantity,
    delivery::{Method, Promise},
    live::Hole,
    money::Money,
    pricing::Quote,
};
use leptos::prelude::*;

/// A visitor's cart, read and priced.
#[derive(Clone, Debug)]
pub struct CartData {
    pub lines: Vec<Line>,
    /// Of the lines that count, with the market's first delivery method.
    pub quote: Quote,
    pub method: Option<Method>,
    /// `None`: something is on back-order, so that nobody knows a day.
    pub promise: Option<Promise>,
    /// Whether some places cost or take something else.
    pub has_zones: bool,
    /// Why no method takes the parcel, and what to do.
    pub refusal: Option<String>,
    /// The discount code, if there is one.
    pub coupon: Option<Kept>,
    /// A code that was not taken.
    pub rejected: Option<Rejected>,
    pub notice: Option<Notice>,
    /// 200, or what a refused form deserves.
    pub status: u16,
}

/// The cart's page.
pub fn page(view: &View, data: CartData) -> Page {
    let messages = till(view.locale);
    let address = Address::new(view.locale, Route::Cart);
    let pieces: u32 = data.lines.iter().map(|line| line.quantity).sum();
    let title = if data.lines.is_empty() { messages.cart_heading.to_owned() } else { messages.cart_title.text(view.locale, pieces.into()) };
    let status = data.status;
    let view = view.clone();
    let mut page =
        Page::new(Head::private(title, &address), Vec::new(), move || if data.lines.is_empty() { empty(&view, data) } else { full(&view, data) });
    page.status = status;
    page
}

/// A statement, one sentence and one way on.
fn empty(view: &View, data: CartData) -> AnyView {
    let messages = till(view.locale);
    let all = Address::new(view.locale, Route::All { query: ListQuery::default() }).url();
    view! {
        <main id="main">
            {data.notice.map(Notice::show)}
            <section class="fault">
                <h1>{messages.empty_title}</h1>
                <p>{messages.empty_text}</p>
                <a class="button" href=all>{messages.look_around}</a>
            </section>
        </main>
    }
    .into_any()
}

fn full(view: &View, data: CartData) -> AnyView {
    let messages = till(view.locale);
    let all = Address::new(view.locale, Route::All { query: ListQuery::default() }).url();
    let lines = data.lines.iter().map(|line| editable(line, view)).collect_view();
    let arrives = data.promise.map(|promise| filled(messages.arrives, &[("dates", &date_range(promise.from, promise.to, view.locale))]));
    let sums = sums::sums(&data.quote, arrives, Removal::Form, view);
    let explanation = sums::explanation(&data.quote, view);
    let missing = data.method.as_ref().and_then(|method| to_free_delivery(method, data.quote.goods));
    let missing = missing.map(|amount| view! { <p class="why">{filled(messages.free_more, &[("amount", &money(amount, view.locale))])}</p> });
    let elsewhere = (data.has_zones && data.method.is_some()).then(|| view! { <p class="why">{messages.zones_note}</p> });
    view! {
        <main id="main" class="till basket">
            <div>
                <h1>{messages.cart_heading}</h1>
                {data.notice.clone().map(Notice::show)}
                <ul>{lines}</ul>
                <p><a href=all>{messages.continue_shopping}</a></p>
            </div>
            <aside aria-label=messages.total>
                <div>
                    {coupon::field(data.rejected.as_ref(), view)}
                    {sums}
                    {coupon::refused(data.coupon.as_ref(), Removal::Form, view)}
                    {missing}
                    {elsewhere}
                    {data.refusal.clone().map(|text| view! { <p class="notice bad">{text}</p> })}
                    {trace::hints(&data.quote, view)}
                    <div class="go">{way_on(&data, view)}</div>
                    {explanation}
                </div>
            </aside>
        </main>
    }
    .into_any()
}

/// The link to the checkout, or why there is none.
fn way_on(data: &CartData, view: &View) -> AnyView {
    let messages = till(view.locale);
    if data.lines.iter().any(|line| line.problem.is_some_and(Problem::blocks)) {
        return view! { <p class="notice bad">{messages.lower_first}</p> }.into_any();
    }
    if data.quote.lines.is_empty() {
        return view! { <p class="notice bad">{messages.nothing_to_order}</p> }.into_any();
    }
    let checkout = Address::new(view.locale, Route::Checkout).url();
    view! { <a class="button wide" href=checkout>{messages.check_out}</a> }.into_any()
}

/// What is missing for free delivery, if there is such a limit and it is not reached.
fn to_free_delivery(method: &Method, goods: Money) -> Option<Money> {
    let missing = method.free_from?.minus(goods).ok()?;
    (missing.minor > 0 && goods.minor > 0).then_some(missing)
}

fn editable(line: &Line, view: &View) -> AnyView {
    let messages = till(view.locale);
    let action = Action::ChangeLine { variant: line.variant }.url(view.locale);
    let class = if line.problem.is_some_and(Problem::leaves_out) { "line gone" } else { "line" };
    let id = format!("quantity-{}", line.variant);
    let named = |template| filled(template, &[("product", &line.title)]);
    let each = line.price.as_ref().filter(|price| price.quantity.get() > 1);
    let each = each.map(|price| view! { <small>{filled(messages.each, &[("price", &money(price.unit, view.locale))])}</small> });
    let described = line.problem.map(|_| format!("problem-{}", line.variant));
    let mutation = || view! { <input type="hidden" name="mutation" value=Hole::MutationId.mark()/> };
    view! {
        <li class=class>
            {line.picture()}
            <div>
                {line.name()}
                {each}
                {line.problem(view)}
                <div class="acts">
                    <form method="post" action=action.clone()>
                        {mutation()}
                        <label class="vh" for=id.clone()>{named(messages.quantity_of)}</label>
                        <input
                            id=id
                            name="quantity"
                            type="number"
                            inputmode="numeric"
                            min="1"
                            max=Quantity::MAX.get().to_string()
                            value=line.quantity.to_string()
                            autocomplete="off"
                            aria-describedby=described
                            required
                        />
                        <button class="link" aria-label=named(messages.update_of)>{messages.update}</button>
                    </form>
                    <form method="post" action=action>
                        {mutation()}
                        <input type="hidden" name="quantity" value="0"/>
                        <button class="link" aria-label=named(messages.remove_of)>{messages.remove}</button>
                    </form>
                </div>
            </div>
            {line.cost(view)}
        </li>
    }
    .into_any()
}
