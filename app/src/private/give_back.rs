//! Returns by the shopper: on the order's page what was announced and the way to the form, then the form, then a look over what it will do.

use super::{Notice, cancel::Piece, order::long_day};
use crate::{
    i18n::{GiveBack, filled, give_back, money, number},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, Route},
};
use domain::{ReturnId, VariantId, live::Hole, money::Money, offer::Instant, order::ReturnReason};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Until when things may be announced to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Until(Instant),
    /// Something is still on its way: so many days after delivery.
    Open {
        days: i64,
    },
}

/// Whether the shopper may announce a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Can {
    Yes(Window),
    /// The time ended then.
    Over(Instant),
    /// The bank is asked about the payment.
    Disputed,
    /// The bank took the payment back.
    ChargedBack,
    Nothing,
}

/// What an order's page says about returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returns {
    pub can: Can,
    /// In the order in which they were announced.
    pub announced: Vec<Announced>,
}

/// One return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    pub id: ReturnId,
    pub pieces: Vec<Piece>,
    pub state: State,
    pub can_be_called_off: bool,
}

/// What became of a return, as shoppers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Announced {
        at: Instant,
    },
    Received {
        at: Instant,
        /// What is sent for it.
        exchanged: Vec<Piece>,
        /// Whether something could not be exchanged as it was wished.
        unsent: bool,
        /// What goes back, and whether it went.
        refund: Option<(Money, bool)>,
    },
    Refused {
        at: Instant,
        why: String,
    },
    CalledOff {
        at: Instant,
    },
}

impl Returns {
    /// The list, how a parcel that is awaited is sent, and the link; or nothing.
    pub fn show(&self, secret: &str, order: &str, view: &View) -> AnyView {
        let messages = give_back(view.locale);
        let link = match self.can {
            Can::Yes(window) => {
                let form = Action::ReturnItems { secret: secret.to_owned() }.url(view.locale);
                Some(view! { <p><a class="button quiet" href=form>{messages.title}</a></p> <p class="why">{window.words(view)}</p> }.into_any())
            }
            Can::Over(at) => Some(view! { <p class="why">{filled(messages.over, &[("date", &long_day(at, view))])}</p> }.into_any()),
            Can::Disputed => Some(view! { <p class="why">{messages.disputed}</p> }.into_any()),
            // The page says at its top what the bank did.
            Can::ChargedBack | Can::Nothing => None,
        };
        let list = (!self.announced.is_empty()).then(|| {
            let all = self.announced.iter().map(|back| back.show(secret, view)).collect_view();
            let is_awaited = self.announced.iter().any(|back| matches!(back.state, State::Announced { .. }));
            let how = is_awaited.then(|| view! { <p>{filled(messages.label_how, &[("number", order)])}</p> });
            view! { <section class="ledger" id="returns"><h2>{messages.list_title}</h2>{all}{how}</section> }
        });
        view! { {list}{link} }.into_any()
    }
}

impl Announced {
    fn show(&self, secret: &str, view: &View) -> AnyView {
        let messages = give_back(view.locale);
        let day = |at: Instant| long_day(at, view);
        let state = match &self.state {
            State::Announced { at } => filled(messages.state_announced, &[("date", &day(*at))]),
            State::Received { at, exchanged, unsent, refund } => {
                let piece = |piece: &Piece| format!("{} × {}", number(piece.quantity.into(), view.locale), piece.title);
                let pieces = exchanged.iter().map(piece).collect::<Vec<_>>().join(", ");
                let refund = refund.map(|(amount, is_done)| {
                    let template = if is_done { messages.received_refunded } else { messages.received_refund_going };
                    filled(template, &[("amount", &money(amount, view.locale))])
                });
                let sentences = [
                    Some(filled(messages.state_received, &[("date", &day(*at))])),
                    (!exchanged.is_empty()).then(|| filled(messages.received_exchange, &[("pieces", &pieces)])),
                    unsent.then(|| messages.received_no_exchange.to_owned()),
                    refund,
                ];
                sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            State::Refused { at, why } => filled(messages.state_refused, &[("date", &day(*at)), ("why", why)]),
            State::CalledOff { at } => filled(messages.state_called_off, &[("date", &day(*at))]),
        };
        let keep = self.can_be_called_off.then(|| {
            let action = Action::KeepItems { secret: secret.to_owned() }.url(view.locale);
            view! {
                <form method="post" action=action>
                    <input type="hidden" name="return" value=self.id.to_string()/>
                    <p><button class="button quiet small">{messages.keep}</button></p>
                </form>
            }
        });
        view! { <div>{pieces(&self.pieces, view)}<p class="why">{state}</p>{keep}</div> }.into_any()
    }
}

impl Window {
    /// `You can return items until …`
    pub fn words(self, view: &View) -> String {
        let messages = give_back(view.locale);
        match self {
            Self::Until(at) => filled(messages.until, &[("date", &long_day(at, view))]),
            Self::Open { days } => filled(messages.until_open, &[("days", &days.to_string())]),
        }
    }
}

/// `2 × Canvas tote, Navy`, as a list.
pub(super) fn pieces(pieces: &[Piece], view: &View) -> AnyView {
    let count = |piece: &Piece| number(piece.quantity.into(), view.locale);
    let item = |piece: &Piece| view! { <li><bdi>{count(piece)}</bdi>" × "<bdi>{piece.title.clone()}</bdi></li> };
    view! { <ul>{pieces.iter().map(item).collect_view()}</ul> }.into_any()
}

/// The form.
#[derive(Clone, Debug)]
pub struct FormData {
    pub secret: String,
    /// What can go back; empty: nothing can, and the notice says why.
    pub lines: Vec<Returnable>,
    pub window: Option<Window>,
    pub notice: Option<Notice>,
    /// The field that the notice is about.
    pub wrong: Option<String>,
    /// The fields as they were sent.
    pub typed: BTreeMap<String, String>,
    pub status: u16,
}

/// A line of which something can go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returnable {
    /// With as many pieces as can go back at most.
    pub piece: Piece,
    /// Other variants of the product at the same price that are in stock.
    pub exchanges: Vec<(VariantId, String)>,
}

/// The page with the form.
pub fn form_page(view: &View, data: FormData) -> Page {
    let status = data.status;
    let head = head(give_back(view.locale).title, &data.secret, view);
    let view = view.clone();
    let mut page = Page::new(head, Vec::new(), move || form(&view, &data));
    page.status = status;
    page
}

/// The switch of languages leads to the order itself.
fn head(title: &'static str, secret: &str, view: &View) -> Head {
    Head::private(title, &order_address(secret, view))
}

fn order_address(secret: &str, view: &View) -> Address {
    Address::new(view.locale, Route::Order { secret: secret.to_owned() })
}

fn form(view: &View, data: &FormData) -> AnyView {
    let messages = give_back(view.locale);
    let action = Action::ReturnItems { secret: data.secret.clone() }.url(view.locale);
    let order = order_address(&data.secret, view).url();
    let window = data.window.map(|window| view! { <p>{window.words(view)}</p> });
    let form = (!data.lines.is_empty()).then(|| {
        view! {
            <p class="lede">{messages.lede}</p>
            {window}
            <form method="get" action=action class="give-back" novalidate>
                <input type="hidden" name="step" value="review"/>
                {data.lines.iter().map(|line| line_fields(line, data, view)).collect_view()}
                <p class="why">{messages.sealed}</p>
                <p><button class="button wide">{messages.next}</button></p>
            </form>
        }
    });
    view! {
        <main id="main">
            <article class="prose">
                <h1>{messages.title}</h1>
                {data.notice.clone().map(Notice::show)}
                {form}
                <p><a href=order>{messages.back_to_order}</a></p>
            </article>
        </main>
    }
    .into_any()
}

fn line_fields(line: &Returnable, data: &FormData, view: &View) -> AnyView {
    let messages = give_back(view.locale);
    let number_of = line.piece.line;
    let (count, reason, wish) = (format!("line-{number_of}"), format!("reason-{number_of}"), format!("for-{number_of}"));
    let typed = |name: &str| data.typed.get(name).cloned().unwrap_or_default();
    let wrong = |name: &str| data.wrong.as_deref() == Some(name);
    let quantity = if data.typed.contains_key(&count) { typed(&count) } else { "0".to_owned() };
    let hint = filled(messages.at_most, &[("count", &number(line.piece.quantity.into(), view.locale))]);
    let chosen_reason = typed(&reason);
    let reasons = ReturnReason::ALL
        .into_iter()
        .map(|known| view! { <option value=known.code() selected={known.code() == chosen_reason}>{reason_words(known, messages)}</option> })
        .collect_view();
    let chosen = typed(&wish);
    let exchanges = line
        .exchanges
        .iter()
        .map(|(variant, name)| {
            let value = variant.to_string();
            let selected = value == chosen;
            view! { <option value=value selected=selected>{filled(messages.wish_exchange, &[("variant", name)])}</option> }
        })
        .collect_view();
    let wishes = (!line.exchanges.is_empty()).then(|| {
        view! {
            <div class=if wrong(&wish) { "field wrong" } else { "field" }>
                <label for=wish.clone()>{messages.wish}</label>
                <select id=wish.clone() name=wish.clone() aria-invalid=wrong(&wish).then_some("true")>
                    <option value="refund">{messages.wish_refund}</option>
                    {exchanges}
                </select>
            </div>
        }
    });
    view! {
        <fieldset>
            <legend><bdi>{line.piece.title.clone()}</bdi></legend>
            <div class="fieldrow">
                <div class=if wrong(&count) { "field half wrong" } else { "field half" }>
                    <label for=count.clone()>{messages.quantity}</label>
                    <input
                        id=count.clone()
                        name=count.clone()
                        type="number"
                        inputmode="numeric"
                        min="0"
                        max=line.piece.quantity.to_string()
                        value=quantity
                        autocomplete="off"
                        aria-invalid=wrong(&count).then_some("true")
                        aria-describedby=format!("{count}-hint")
                    />
                    <p class="hint" id=format!("{count}-hint")>{hint}</p>
                </div>
                <div class=if wrong(&reason) { "field wrong" } else { "field" }>
                    <label for=reason.clone()>{messages.reason}</label>
                    <select id=reason.clone() name=reason.clone() aria-invalid=wrong(&reason).then_some("true")>
                        <option value="">{messages.reason_choose}</option>
                        {reasons}
                    </select>
                </div>
                {wishes}
            </div>
        </fieldset>
    }
    .into_any()
}

/// The reason that a shopper gave, in the words of the form.
pub const fn reason_words(reason: ReturnReason, messages: &GiveBack) -> &'static str {
    match reason {
        ReturnReason::ChangedMind => messages.reason_changed_mind,
        ReturnReason::TooSmall => messages.reason_too_small,
        ReturnReason::TooLarge => messages.reason_too_large,
        ReturnReason::NotAsDescribed => messages.reason_not_as_described,
        ReturnReason::Faulty => messages.reason_faulty,
        ReturnReason::WrongItem => messages.reason_wrong_item,
        ReturnReason::Late => messages.reason_late,
        ReturnReason::Other => messages.reason_other,
    }
}

/// What a return will do, before it is announced.
#[derive(Clone, Debug)]
pub struct ReviewData {
    pub secret: String,
    pub number: String,
    pub items: Vec<Reviewed>,
    /// What goes back if all of it arrives, the label deducted.
    pub amount: Money,
    /// What the label costs the shopper.
    pub label: Money,
    pub window: Window,
    /// The fields of the form, to be sent again.
    pub fields: Vec<(String, String)>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    pub piece: Piece,
    pub reason: ReturnReason,
    /// What is sent instead; `None`: the money goes back.
    pub exchange: Option<String>,
}

/// The page that shows it, with the button that announces it.
pub fn review_page(view: &View, data: ReviewData) -> Page {
    let head = head(give_back(view.locale).review_title, &data.secret, view);
    let view = view.clone();
    Page::new(head, Vec::new(), move || review(&view, &data))
}

fn review(view: &View, data: &ReviewData) -> AnyView {
    let messages = give_back(view.locale);
    let action = Action::ReturnItems { secret: data.secret.clone() }.url(view.locale);
    let order = order_address(&data.secret, view).url();
    let hidden = || {
        let fields = data.fields.iter().map(|(name, value)| view! { <input type="hidden" name=name.clone() value=value.clone()/> });
        fields.collect_view()
    };
    let items = data.items.iter().map(|item| {
        let wish = item.exchange.as_ref().map_or(messages.wish_refund.to_owned(), |other| filled(messages.wish_exchange, &[("variant", other)]));
        let count = number(item.piece.quantity.into(), view.locale);
        view! {
            <li>
                <bdi>{count}</bdi>" × "<bdi>{item.piece.title.clone()}</bdi>
                <br/>
                <small>{reason_words(item.reason, messages)}<br/>{wish}</small>
            </li>
        }
    });
    let amount = |template: &str, amount: Money| filled(template, &[("amount", &money(amount, view.locale))]);
    let back = if data.amount.is_zero() { messages.amount_none.to_owned() } else { amount(messages.amount_text, data.amount) };
    let label = if data.label.is_zero() { messages.label_free.to_owned() } else { amount(messages.label_fee, data.label) };
    let how = filled(messages.label_how, &[("number", &data.number)]);
    view! {
        <main id="main">
            <article class="prose">
                <h1>{messages.review_title}</h1>
                <dl class="facts">
                    <dt>{messages.pieces}</dt><dd><ul class="plain">{items.collect_view()}</ul></dd>
                    <dt>{messages.amount}</dt><dd>{back}</dd>
                    <dt>{messages.label}</dt><dd>{label}</dd>
                    <dt>{messages.how}</dt><dd>{how}</dd>
                </dl>
                <p class="why">{data.window.words(view)}" "{messages.sealed}</p>
                <form method="post" action=action.clone()>
                    <input type="hidden" name="mutation" value=Hole::MutationId.mark()/>
                    {hidden()}
                    <p><button class="button wide">{messages.confirm}</button></p>
                </form>
                <form method="get" action=action>
                    {hidden()}
                    <p><button class="link">{messages.change}</button></p>
                </form>
                <p><a href=order>{messages.back_to_order}</a></p>
            </article>
        </main>
    }
    .into_any()
}
