//! One order with its whole story, and what can be done about it. A form is offered only where the domain's own rule says that it can be, and
//! the role that it may be.

mod act;
mod forms;
mod ledgers;
mod pieces;
mod returns;
mod slot;

pub use act::Act;
pub use forms::{goodwill_words, mail_words};
pub use slot::Refused;

use super::{
    Desk, Route, Section, Sheet,
    orders::{INQUIRY, english, state_words, wait_words},
    time,
};
use crate::{
    i18n::money,
    mail::Kind,
    ports::View,
    private::{Notice, country_name},
};
use domain::{
    VariantId,
    account::Contact,
    address::Address,
    delivery::Promise,
    money::Money,
    offer::Instant,
    order::{Attention, Order, Portion, Progress},
    pricing::Quote,
    staff::Right,
};
use leptos::prelude::*;

/// What a line is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineName {
    pub title: String,
    /// `Tan, 90 cm`.
    pub options: String,
    pub sku: String,
}

/// Pieces that lie at a location and can be packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The location's code.
    pub location: String,
    pub portions: Vec<Portion>,
}

/// One entry of the story, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub at: Instant,
    pub who: String,
    pub text: String,
    /// What a note says.
    pub note: Option<String>,
}

/// Who ordered, as far as the reader may know.
#[derive(Clone, Debug)]
pub enum Customer {
    /// The reader's roles do not include it.
    Hidden,
    /// The customer's key was destroyed.
    Erased,
    /// For whoever packs: where it goes.
    Destination {
        delivery: Address,
    },
    Whole {
        contact: Contact,
        delivery: Address,
        billing: Option<Box<Address>>,
    },
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct OrderData {
    pub number: String,
    pub order: Order,
    /// In the order of the order's lines.
    pub names: Vec<LineName>,
    pub quote: Quote,
    pub method: String,
    /// `None`: something was on back-order, and no day was promised.
    pub promise: Option<Promise>,
    pub customer: Customer,
    /// The shopper's own link, for those who serve customers.
    pub link: Option<String>,
    /// The language of the order: `de-de`.
    pub locale: String,
    pub shelves: Vec<Shelf>,
    /// Codes and names.
    pub locations: Vec<(String, String)>,
    /// What the products' variants are called.
    pub variants: Vec<(VariantId, String)>,
    /// What each line's pieces can be exchanged for: at the same price.
    pub exchanges: Vec<(u32, VariantId)>,
    /// Mails that can be sent again.
    pub mails: Vec<Kind>,
    /// Numbers and totals of its invoice and credit notes, for those who may see people.
    pub invoices: Vec<(String, Money)>,
    pub story: Vec<Told>,
    pub refused: Option<Refused>,
    pub notice: Option<Notice>,
    /// Figures, zones and regions of the market that sold it, in English.
    pub view: View,
}

impl OrderData {
    /// A location's name; its code where it has none.
    fn location(&self, code: &str) -> String {
        self.locations.iter().find(|known| known.0 == code).map_or_else(|| code.to_owned(), |known| known.1.clone())
    }

    /// What a variant is called that pieces can be exchanged for.
    fn variant(&self, variant: VariantId) -> String {
        self.variants.iter().find(|known| known.0 == variant).map_or_else(|| "another variant".to_owned(), |known| known.1.clone())
    }

    /// A line's name in a form: `Leather belt, Tan, 90 cm`.
    fn name(&self, line: u32) -> String {
        let place = self.order.lines.iter().position(|known| known.line == line);
        let Some(name) = place.and_then(|place| self.names.get(place)) else { return format!("Line {}", line + 1) };
        if name.options.is_empty() { name.title.clone() } else { format!("{}, {}", name.title, name.options) }
    }
}

/// The page.
pub fn page(desk: &Desk, data: OrderData) -> Sheet {
    let tools = tags(&data);
    let status = if data.refused.is_some() { 422 } else { 200 };
    let body = view! {
        <div class="two">
            <div>
                {pieces::table(&data)}
                {pieces::shipments(desk, &data)}
                {pieces::total(&data)}
                {ledgers::payments(desk, &data)}
                {ledgers::refunds(desk, &data)}
                {ledgers::disputes(&data)}
                {returns::list(desk, &data)}
            </div>
            <div>
                {forms::all(desk, &data)}
                {customer(&data)}
                {invoices(&data)}
                {notes(&data)}
                {story(&data)}
            </div>
        </div>
    };
    let body = view! { {refused(&data)}{body} };
    let title = format!("Order {}", data.number);
    Sheet::framed(desk, Section::Orders, title, data.notice.clone(), tools, body.into_any()).with_status(status)
}

/// Says at the top of a long page that nothing was done, and leads to the form. Not where the notice says it already.
fn refused(data: &OrderData) -> AnyView {
    let Some(refused) = data.refused.as_ref().filter(|_| data.notice.is_none()) else { return ().into_any() };
    let form = format!("#{}", slot::place(refused.act, &refused.of));
    view! { <p class="notice bad" role="alert">"Nothing was changed. "{refused.why.clone()}" "<a href=form>"Go to the form"</a></p> }.into_any()
}

fn tags(data: &OrderData) -> AnyView {
    let (status, progress) = (data.order.status(), data.order.progress());
    let words = match progress {
        Some(Progress::PartlyShipped { shipped, of }) => format!("{shipped} of {of} shipped"),
        other => state_words(status.word(), other.map_or("", Progress::word)).to_owned(),
    };
    // Nothing is well while something waits, or a bank decides.
    let is_well = progress.is_some() && data.order.is_paid_for().is_ok() && data.order.attention().is_empty();
    let class = if is_well { "tag live" } else { "tag" };
    let is_inquiry = data.order.is_only_asked();
    let waits = data.order.attention().into_iter().filter_map(|attention| match attention {
        Attention::Dispute { .. } if is_inquiry => Some(INQUIRY),
        other => wait_words(other.word()),
    });
    let waits = waits.map(|words| view! { <span class="tag warn">{words}</span> }).collect_view();
    let market = data.order.market.code().to_owned();
    view! { <span class=class>{words}</span>{waits}<span class="tag">{market}</span> }.into_any()
}

fn customer(data: &OrderData) -> AnyView {
    let label = |title: &'static str, address: &Address| {
        let mut lines = address.label();
        lines.push(country_name(address.country, english()).to_owned());
        view! { <dt>{title}</dt><dd><address>{lines.join("\n")}</address></dd> }
    };
    let inside = match &data.customer {
        Customer::Hidden => view! { <p class="why">"Your roles do not include personal data."</p> }.into_any(),
        Customer::Erased => view! { <p class="why">"The customer was erased."</p> }.into_any(),
        Customer::Destination { delivery } => view! { <dl class="facts">{label("Deliver to", delivery)}</dl> }.into_any(),
        Customer::Whole { contact, delivery, billing } => {
            let phone = contact.phone.as_ref().map(|phone| view! { <br/>{phone.as_str().to_owned()} });
            let mail = contact.email.as_str().to_owned();
            view! {
                <dl class="facts">
                    <dt>"Contact"</dt><dd>{mail}{phone}</dd>
                    {label("Deliver to", delivery)}
                    {billing.as_deref().map(|address| label("Bill to", address))}
                </dl>
            }
            .into_any()
        }
    };
    let link = data.link.clone().map(|link| {
        view! { <p class="why">"The shopper's page: "<a href=link.clone() rel="noreferrer">"open"</a><br/><code>{link.clone()}</code></p> }
    });
    let day = |date: jiff::civil::Date| date.strftime("%-d %b %Y").to_string();
    let promised = data.promise.map_or_else(|| "no day promised: back-order".to_owned(), |it| format!("promised {} to {}", day(it.from), day(it.to)));
    let language = format!("Ordered in {} · {}, {promised}", data.locale, data.method);
    view! { <section><h2 class="panel-h">"Customer"</h2>{inside}<p class="why">{language}</p>{link}</section> }.into_any()
}

fn invoices(data: &OrderData) -> Option<AnyView> {
    let links = data.invoices.iter().map(|(number, total)| {
        let to = |pdf| Route::Invoice { order: data.number.clone(), number: number.clone(), pdf }.url();
        let pdf = view! { <a href=to(true)>"PDF"<span class="vh">{format!(" {number}")}</span></a> };
        view! { <li><a href=to(false)>{number.clone()}</a>" · "{money(*total, english())}" · "{pdf}</li> }
    });
    let links = links.collect_view();
    (!data.invoices.is_empty()).then(|| view! { <section><h2 class="panel-h">"Invoices"</h2><ul>{links}</ul></section> }.into_any())
}

fn notes(data: &OrderData) -> AnyView {
    let notes: Vec<_> = data.story.iter().filter_map(|told| told.note.clone().map(|note| (note, told.who.clone(), told.at))).collect();
    if notes.is_empty() {
        return ().into_any();
    }
    let notes = notes.into_iter().map(|(note, who, at)| view! { <li><p class="note">{note}</p><small>{time(at)}" by "{who}</small></li> });
    view! { <section><h2 class="panel-h">"Notes"</h2><ul class="notes">{notes.collect_view()}</ul></section> }.into_any()
}

fn story(data: &OrderData) -> AnyView {
    let told = data.story.iter().map(|told| view! { <li>{told.text.clone()}<small>{time(told.at)}" by "{told.who.clone()}</small></li> });
    let told = told.collect_view();
    view! {
        <section>
            <h2 class="panel-h">"Story"</h2>
            <ol class="story">{told}<li>"Placed"<small>{time(data.order.placed_at)}" by the shopper"</small></li></ol>
        </section>
    }
    .into_any()
}

/// Whether the reader may do this, as the role says.
fn may(desk: &Desk, act: Act) -> bool {
    desk.may(act.right())
}

/// Whether the reader may do anything at all about orders.
fn may_act(desk: &Desk) -> bool {
    desk.may(Right::Ship) || desk.may(Right::ServeCustomers)
}
