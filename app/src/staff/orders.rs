//! Lists of orders: what waits for somebody, what is in which state, and what one exact thing leads to.

use super::{Desk, Route, Section, Sheet, form::Field, route::OrderList, time, turn};
use crate::{i18n::money, private::Notice};
use domain::{locale::Locale, money::Money, offer::Instant};
use leptos::prelude::*;

/// The states that lists know: code, words, and the words of status and progress as they are stored.
pub const STATES: [(&str, &str, &str, &str); 18] = [
    ("awaiting_payment", "Awaiting payment", "awaiting_payment", ""),
    ("payment_pending", "Payment pending", "payment_pending", ""),
    ("payment_failed", "Payment failed", "payment_failed", ""),
    ("open", "Paid, nothing packed", "paid", "open"),
    ("packing", "Packing", "paid", "packing"),
    ("partly_shipped", "Partly shipped", "paid", "partly_shipped"),
    ("shipped", "Shipped", "paid", "shipped"),
    ("delivered", "Delivered", "paid", "delivered"),
    ("exchange_to_send", "Exchange to send", "paid", "exchange_to_send"),
    ("exchange_sent", "Exchange on its way", "paid", "exchange_sent"),
    ("returned", "Returned", "paid", "returned"),
    ("paid", "Paid", "paid", ""),
    ("cancelled", "Cancelled", "cancelled", ""),
    ("refunding", "Refunding", "refunding", ""),
    ("refunded", "Refunded", "refunded", ""),
    ("refund_failed", "Refund failed", "refund_failed", ""),
    ("lapsed", "Not paid in time", "lapsed", ""),
    ("withdrawn", "Replaced by a later order", "withdrawn", ""),
];

/// What orders wait for: the word, what the tab is called, and what to do about it.
pub const WAITS: [(&str, &str, &str); 6] = [
    (
        "dispute",
        "Disputes",
        "A bank asks about a payment, or claims it. Answer on the payment provider's own pages in time: else a claim is lost, and an inquiry becomes one.",
    ),
    ("amount", "Amounts", "The provider took another amount than was asked for: compare both ledgers, and send it back on the provider's own pages."),
    ("refund", "Refunds", "The provider refused them: ask again. Or the bank sent them back: pay back some other way."),
    ("charged_back", "Charged back", "The bank took the money back and pieces have not been sent: put back what is packed, and cancel them."),
    ("return", "Returns", "Look at what came back, put it on the shelf or discard it, and refund."),
    ("ship", "To ship", "Paid and waiting to be packed or sent."),
];

/// A state in words.
pub fn state_words(status: &str, progress: &str) -> &'static str {
    let known = STATES.iter().find(|state| state.2 == status && state.3 == progress);
    known.map_or("Unknown", |state| state.1)
}

/// What an order waits for, in a word; nothing where it waits for nothing.
pub fn wait_words(attention: &str) -> Option<&'static str> {
    Some(match attention {
        "dispute" => "Dispute",
        "amount" => "Amount differs",
        "refund" => "Refund stuck",
        "charged_back" => "Charged back",
        "return" => "Return",
        "ship" => "To ship",
        _ => return None,
    })
}

/// What a dispute is called while the bank only asks.
pub const INQUIRY: &str = "Bank asks";

/// How many wait; `or_more`: counting stopped there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub n: u64,
    pub or_more: bool,
}

impl Count {
    /// `18`, `10,000+`.
    pub fn words(self) -> String {
        let figure = crate::i18n::number(self.n, english());
        if self.or_more { format!("{figure}+") } else { figure }
    }
}

/// How figures are written for staff.
pub fn english() -> Locale {
    Locale::OFFERED.into_iter().find(|locale| locale.to_string() == "en-us").unwrap_or(Locale::OFFERED[0])
}

/// A row of a list.
#[derive(Clone, Debug)]
pub struct Line {
    pub number: String,
    pub placed_at: Instant,
    pub market: String,
    pub state: &'static str,
    pub waits: Option<&'static str>,
    /// The bank only asks: no money has moved.
    pub is_inquiry: bool,
    /// When an answer or evidence is due.
    pub due: Option<Instant>,
    pub total: Money,
}

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct ListData {
    pub list: OrderList,
    pub lines: Vec<Line>,
    /// The key of the last row, if there are more.
    pub more: Option<String>,
    /// In the order of [`WAITS`].
    pub counts: Vec<Count>,
    /// Codes and names.
    pub markets: Vec<(String, String)>,
    /// Whether personal things may be searched for.
    pub personal: bool,
    pub notice: Option<Notice>,
}

/// The page.
pub fn page(desk: &Desk, data: ListData) -> Sheet {
    let title = match WAITS.iter().find(|waits| waits.0 == data.list.waits) {
        Some(waits) => format!("Orders: {}", waits.1.to_lowercase()),
        None if !data.list.wanted.is_empty() => format!("Orders: “{}”", data.list.wanted),
        None => "Orders".to_owned(),
    };
    let help = WAITS.iter().find(|waits| waits.0 == data.list.waits).map(|waits| view! { <p class="why">{waits.2}</p> });
    let body = view! {
        {search(&data)}
        {tabs(&data)}
        {help}
        {data.list.wanted.is_empty().then(|| filters(&data))}
        {rows(&data)}
        {turn(if data.list.waits.is_empty() { "Older orders" } else { "More orders" }, data.more.clone().map(|after| Route::Orders { list: data.list.turned(after) }))}
    };
    Sheet::framed(desk, Section::Orders, title, data.notice.clone(), ().into_any(), body.into_any())
}

fn search(data: &ListData) -> AnyView {
    let hint = if data.personal {
        "Order number, email, phone, postcode, SKU or tracking number, exactly."
    } else {
        "Order number, SKU or tracking number, exactly."
    };
    let field = Field { value: data.list.wanted.clone(), hint, chars_max: 300, ..Field::new("q", "Find orders") };
    let action = Route::Orders { list: OrderList::default() }.url();
    view! { <form class="find" method="get" action=action role="search">{field.text()}<button class="button quiet">"Find"</button></form> }.into_any()
}

fn tabs(data: &ListData) -> AnyView {
    let all = OrderList { market: data.list.market.clone(), ..OrderList::default() };
    let is_all = data.list.waits.is_empty() && data.list.wanted.is_empty();
    let tabs = WAITS.iter().zip(&data.counts).map(|((word, name, _), count)| {
        let to = Route::Orders { list: OrderList { waits: (*word).to_owned(), market: data.list.market.clone(), ..OrderList::default() } }.url();
        let current = (data.list.waits == *word).then_some("page");
        view! { <li><a href=to aria-current=current>{*name}" "<small>{count.words()}</small></a></li> }
    });
    let tabs = tabs.collect_view();
    view! {
        <nav class="tabs" aria-label="What orders wait for">
            <ul>
                <li><a href=Route::Orders { list: all }.url() aria-current=is_all.then_some("page")>"All"</a></li>
                {tabs}
            </ul>
        </nav>
    }
    .into_any()
}

fn filters(data: &ListData) -> AnyView {
    let any = |words: &str| (String::new(), words.to_owned());
    let states = std::iter::once(any("Any state")).chain(STATES.iter().map(|state| (state.0.to_owned(), state.1.to_owned()))).collect();
    let markets = std::iter::once(any("Any market")).chain(data.markets.iter().cloned()).collect();
    let field = |name, label, value: &str| Field { value: value.to_owned(), ..Field::new(name, label) };
    let action = Route::Orders { list: OrderList::default() }.url();
    if !data.list.waits.is_empty() {
        return view! {
            <form class="find" method="get" action=action>
                <input type="hidden" name="waits" value=data.list.waits.clone()/>
                {field("market", "Market", &data.list.market).choice(markets)}
                <button class="button quiet">"Show"</button>
            </form>
        }
        .into_any();
    }
    view! {
        <form class="find" method="get" action=action>
            {field("state", "State", &data.list.state).choice(states)}
            {field("market", "Market", &data.list.market).choice(markets)}
            {field("from", "Placed from", &data.list.from).day()}
            {field("to", "Placed until", &data.list.to).day()}
            <button class="button quiet">"Show"</button>
        </form>
    }
    .into_any()
}

fn rows(data: &ListData) -> AnyView {
    if data.lines.is_empty() {
        let words = if !data.list.wanted.is_empty() {
            "No order has exactly this. Check the spelling: parts of a number or address are not searched."
        } else if !data.list.waits.is_empty() {
            if data.list.market.is_empty() { "Nothing of this kind waits." } else { "Nothing of this kind waits in this market." }
        } else if data.list == OrderList::default() {
            "There are no orders yet."
        } else {
            "No order fits these choices."
        };
        return view! { <p class="empty">{words}</p> }.into_any();
    }
    let rows = data.lines.iter().map(|line| {
        let waits = if line.is_inquiry { Some(INQUIRY) } else { line.waits };
        let waits = waits.map(|words| view! { <span class="tag warn">{words}</span> });
        let what = if line.is_inquiry { " answer by " } else { " evidence by " };
        let due = line.due.map(|due| view! { {what}{time(due)} });
        view! {
            <tr>
                <th scope="row" data-label="Order"><a href=Route::Order { number: line.number.clone() }.url()>{line.number.clone()}</a></th>
                <td data-label="Placed">{time(line.placed_at)}</td>
                <td data-label="Market">{line.market.clone()}</td>
                <td data-label="State">{line.state}</td>
                <td data-label="Waits for">{waits}{due}</td>
                <td data-label="Total" class="n">{money(line.total, english())}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <table class="rows orders">
            <thead>
                <tr>
                    <th scope="col">"Order"</th><th scope="col">"Placed"</th><th scope="col">"Market"</th><th scope="col">"State"</th>
                    <th scope="col">"Waits for"</th><th scope="col" class="n">"Total"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
