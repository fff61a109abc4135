//! An order by its secret link: its state in words, where its parcels are, what was bought and why it costs what it costs, and the button to pay (again) while
//! that is possible.

use super::{
    Line, Notice, cancel, country_name,
    coupon::Removal,
    give_back,
    parcels::{self, Way},
    sums, time_of_day,
};
use crate::{
    i18n::{date_range, filled, follow, invoice, long_date, money, shop, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, ListQuery, Route},
};
use domain::{
    account::Contact,
    address,
    delivery::{self, Promise},
    live::Hole,
    locale::Language,
    money::Money,
    offer::Instant,
    order::{CannotPay, Progress, Status},
    payment::Decline,
    pricing::Quote,
    refund::RefundState,
};
use leptos::prelude::*;

/// An order, read.
#[derive(Clone, Debug)]
pub struct OrderData {
    pub secret: String,
    pub number: String,
    pub placed_at: Instant,
    pub status: Status,
    /// Whether another amount came than was asked for, and nobody has looked into it.
    pub odd: bool,
    /// Whether it was over, replaced or cancelled, before any money came.
    pub over: bool,
    /// Whether money came in.
    pub is_captured: bool,
    pub can_pay: Result<(), CannotPay>,
    /// What was sent, and how far the rest has come.
    pub parcels: parcels::Parcels,
    /// What of it can be cancelled now.
    pub cancel: cancel::Cancel,
    /// What was cancelled and what went back.
    pub undone: cancel::Undone,
    /// What went back or can go back.
    pub returns: give_back::Returns,
    /// What was ordered, then what is sent in exchange.
    pub lines: Vec<Line>,
    pub quote: Quote,
    pub total: Money,
    pub method: String,
    /// `None`: something was on back-order, and no day was promised.
    pub promise: Option<Promise>,
    /// Missing after an erasure.
    pub contact: Option<Contact>,
    pub delivery: Option<address::Address>,
    pub billing: Option<address::Address>,
    /// Numbers of its invoice and credit notes.
    pub invoices: Vec<String>,
    pub notice: Option<Notice>,
    pub http_status: u16,
}

impl OrderData {
    /// Whether something is still to arrive when it was promised.
    const fn is_awaited(&self) -> bool {
        match self.status {
            Status::AwaitingPayment { .. } | Status::PaymentFailed { .. } | Status::PaymentPending => !self.odd,
            Status::Paid { .. } => {
                let Way::Far(Some(progress)) = self.parcels.way else { return false };
                matches!(progress, Progress::Open | Progress::Packing | Progress::PartlyShipped { .. } | Progress::Shipped)
            }
            Status::Lapsed | Status::Withdrawn | Status::Cancelled | Status::Refunding | Status::Refunded | Status::RefundFailed => false,
        }
    }
}

/// The order's page.
pub fn page(view: &View, data: OrderData) -> Page {
    let messages = till(view.locale);
    let address = Address::new(view.locale, Route::Order { secret: data.secret.clone() });
    let head = Head::private(filled(messages.order_number, &[("number", &data.number)]), &address);
    let status = data.http_status;
    let view = view.clone();
    let mut page = Page::new(head, Vec::new(), move || body(&view, data));
    page.status = status;
    page
}

fn body(view: &View, data: OrderData) -> AnyView {
    let messages = till(view.locale);
    let (state, word, text) = status_words(&data, view);
    let number = filled(messages.order_number, &[("number", &data.number)]);
    let placed = filled(messages.placed_on, &[("date", &long_day(data.placed_at, view))]);
    let arrives = data.promise.filter(|_| data.is_awaited());
    let arrives = arrives.map(|promise| filled(messages.arrives, &[("dates", &date_range(promise.from, promise.to, view.locale))]));
    let shopping = Address::new(view.locale, Route::All { query: ListQuery::default() }).url();
    let postal = |title: &'static str, address: &address::Address| {
        let mut lines = address.label();
        lines.push(country_name(address.country, view.locale).to_owned());
        view! { <dt>{title}</dt><dd><address>{each(lines)}</address></dd> }
    };
    let contact = data.contact.as_ref().map(|contact| {
        let phone = contact.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let lines = [Some(contact.email.as_str().to_owned()), phone].into_iter().flatten().collect();
        view! { <dt>{messages.contact}</dt><dd><address>{each(lines)}</address></dd> }
    });
    view! {
        <main id="main" class="till order">
            <div>
                <h1>{number}</h1>
                {data.notice.clone().map(Notice::show)}
                <p class="status" data-state=state role="status">{word}</p>
                <p>{text}</p>
                {data.parcels.show(view)}
                {data.undone.show(view)}
                {pay(&data, view)}
                <dl class="facts">
                    <dt>{messages.delivery_method}</dt><dd>{data.method.clone()}{arrives.clone().map(|arrives| view! { <br/>{arrives} })}</dd>
                    {data.delivery.as_ref().map(|address| postal(messages.deliver_to, address))}
                    {data.billing.as_ref().map(|address| postal(messages.bill_to, address))}
                    {contact}
                </dl>
                {invoices(&data, view)}
                <p class="why">{placed}<br/>{messages.keep_address}</p>
                {data.cancel.show(&data.secret, view)}
                {data.returns.show(&data.secret, &data.number, view)}
                {again(&data, view)}
                <p><a href=shopping>{messages.continue_shopping}</a></p>
                {renew(&data, view)}
            </div>
            <aside>
                <div>
                    <h2>{messages.order_items}</h2>
                    <ul>{data.lines.iter().map(|line| line.summary(view)).collect_view()}</ul>
                    {sums::sums(&data.quote, arrives, Removal::Never, view)}
                    {data.undone.sum(view)}
                    {sums::explanation(&data.quote, view)}
                </div>
            </aside>
        </main>
    }
    .into_any()
}

/// Lines that read as they are written, also on a page from right to left.
fn each(lines: Vec<String>) -> AnyView {
    lines.into_iter().enumerate().map(|(at, line)| view! { {(at > 0).then_some("\n")}<bdi>{line}</bdi> }).collect_view().into_any()
}

/// Its invoice and credit notes, to read and to keep.
fn invoices(data: &OrderData, view: &View) -> Option<AnyView> {
    let links = data.invoices.iter().map(|number| {
        let to = |pdf| Address::new(view.locale, Route::Invoice { secret: data.secret.clone(), number: number.clone(), pdf }).url();
        view! { <li><a href=to(false)>{number.clone()}</a>" · "<a href=to(true)>"PDF"<span class="vh">{format!(" {number}")}</span></a></li> }
    });
    let links = links.collect_view();
    (!data.invoices.is_empty()).then(|| view! { <h2>{invoice(view.locale).list}</h2><ul>{links}</ul> }.into_any())
}

/// The same once more.
fn again(data: &OrderData, view: &View) -> AnyView {
    let action = Action::OrderAgain { secret: data.secret.clone() }.url(view.locale);
    view! {
        <form method="post" action=action>
            <input type="hidden" name="mutation" value=Hole::MutationId.mark()/>
            <p><button class="button quiet">{follow(view.locale).order_again}</button></p>
        </form>
    }
    .into_any()
}

/// Another link for whoever lost control of this one, and the way to other orders.
fn renew(data: &OrderData, view: &View) -> AnyView {
    let messages = follow(view.locale);
    let action = Action::RenewLink { secret: data.secret.clone() }.url(view.locale);
    let find = Address::new(view.locale, Route::FindOrder).url();
    view! {
        <details class="fold">
            <summary>{messages.renew_title}</summary>
            <form method="post" action=action>
                <p>{messages.renew_text}</p>
                <p><button class="button quiet small">{messages.renew_submit}</button></p>
            </form>
        </details>
        <p><a href=find>{shop(view.locale).find_order}</a></p>
    }
    .into_any()
}

/// The button to pay, or why there is none.
fn pay(data: &OrderData, view: &View) -> AnyView {
    let messages = till(view.locale);
    match data.can_pay {
        // The button could only lead to a page on which money was taken already.
        Ok(()) if data.odd => ().into_any(),
        Ok(()) => {
            let action = Action::PayAgain { secret: data.secret.clone() }.url(view.locale);
            let template = if matches!(data.status, Status::PaymentFailed { .. } | Status::Lapsed) { messages.pay_again } else { messages.pay_now };
            let words = filled(template, &[("amount", &money(data.total, view.locale))]);
            view! { <form method="post" action=action><button class="button wide">{words}</button></form> }.into_any()
        }
        Err(CannotPay::TooOld) => view! { <p class="why">{messages.cannot_pay_too_old}</p> }.into_any(),
        Err(CannotPay::TooManyAttempts) => view! { <p class="why">{messages.cannot_pay_attempts}</p> }.into_any(),
        Err(CannotPay::Pending) => {
            let here = Address::new(view.locale, Route::Order { secret: data.secret.clone() }).url();
            view! { <p><a class="button quiet" href=here>{messages.refresh}</a></p> }.into_any()
        }
        Err(CannotPay::Paid | CannotPay::Withdrawn | CannotPay::Cancelled | CannotPay::Refunded) => ().into_any(),
    }
}

/// The state for the style, the word for people, and a sentence.
fn status_words(data: &OrderData, view: &View) -> (&'static str, &'static str, String) {
    let messages = till(view.locale);
    let amount = || money(data.total, view.locale);
    let with_amount = |template| filled(template, &[("amount", &amount())]);
    match data.status {
        _ if data.odd => ("waiting", messages.status_pending, messages.text_odd.to_owned()),
        Status::AwaitingPayment { until } => {
            ("waiting", messages.status_awaiting, filled(messages.text_awaiting, &[("time", &time_of_day(until, view))]))
        }
        Status::PaymentFailed { reason } => ("failed", messages.status_declined, decline_text(reason, view).to_owned()),
        Status::PaymentPending => ("waiting", messages.status_pending, messages.text_pending.to_owned()),
        Status::Paid { .. } => data.parcels.way.words(view),
        Status::Lapsed => ("cancelled", messages.status_lapsed, messages.text_lapsed.to_owned()),
        Status::Withdrawn => ("cancelled", messages.status_withdrawn, messages.text_withdrawn.to_owned()),
        Status::Cancelled => ("cancelled", messages.status_cancelled, cancelled_text(data, view)),
        Status::Refunding if data.over => ("waiting", messages.status_refunding, with_amount(messages.text_refunding_over)),
        Status::Refunding => ("waiting", messages.status_refunding, with_amount(messages.text_refunding)),
        Status::Refunded => ("cancelled", messages.status_refunded, with_amount(messages.text_refunded)),
        Status::RefundFailed => ("waiting", messages.status_refund_failed, with_amount(messages.text_refund_failed)),
    }
}

/// What became of the money: the list below says how far it is.
fn cancelled_text(data: &OrderData, view: &View) -> String {
    let messages = till(view.locale);
    let text = match (data.undone.refunds.is_empty(), data.is_captured) {
        // Some of it went another way than it came.
        (false, _) if data.undone.refunds.iter().any(|(_, state)| *state == RefundState::SettledOutside) => messages.text_cancelled,
        (false, _) => messages.text_cancelled_paid,
        (true, false) => messages.text_cancelled_unpaid,
        // It cost nothing.
        _ if data.total.is_zero() => messages.text_cancelled,
        (true, true) => {
            let space = if view.locale.language == Language::Ja { "" } else { " " };
            return [messages.text_cancelled, follow(view.locale).refund_by_bank].join(space);
        }
    };
    text.to_owned()
}

fn decline_text(reason: Decline, view: &View) -> &'static str {
    let messages = till(view.locale);
    match reason {
        Decline::Declined => messages.text_declined,
        Decline::InsufficientFunds => messages.text_funds,
        Decline::ExpiredCard => messages.text_expired_card,
        Decline::WrongCode => messages.text_wrong_code,
        Decline::NotAuthenticated => messages.text_not_authenticated,
    }
}

pub fn long_day(at: Instant, view: &View) -> String {
    let zone = delivery::zone(&view.market.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::new(), |at| long_date(at.to_zoned(zone).date(), view.locale))
}
