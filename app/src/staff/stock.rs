//! Stock: finding a variant, and one variant's pieces by location with its ledger and the forms that book something.

use super::{
    Action, Desk, Route, Section, Sheet,
    form::{Field, mutation},
    ledger::{Line, ledger},
    orders::english,
    turn,
};
use crate::private::Notice;
use domain::{
    VariantId,
    booking::{PIECES_MAX, Reason},
    staff::Right,
    stock::Balance,
};
use leptos::prelude::*;

/// What a variant is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub variant: VariantId,
    pub title: String,
    pub options: Vec<String>,
    pub sku: String,
    pub barcode: String,
    /// Not counted: there is always enough.
    pub untracked: bool,
    /// Sold on when nothing is left.
    pub backorder: bool,
    /// No longer offered.
    pub retired: bool,
}

impl Name {
    fn codes(&self) -> String {
        let codes = [&self.sku, &self.barcode].into_iter().filter(|code| !code.is_empty()).cloned();
        codes.chain((!self.options.is_empty()).then(|| self.options.join(", "))).collect::<Vec<_>>().join(" · ")
    }

    fn tags(&self) -> AnyView {
        let tag = |on: bool, class: &'static str, word: &'static str| on.then(|| view! { <span class=class>{word}</span> });
        view! {
            {tag(self.retired, "tag warn", "no longer offered")}
            {tag(self.untracked, "tag", "not counted")}
            {tag(self.backorder, "tag", "back-order")}
        }
        .into_any()
    }
}

/// What the list shows.
#[derive(Clone, Debug, Default)]
pub struct ListData {
    /// As typed.
    pub wanted: String,
    pub rows: Vec<(Name, Balance)>,
    pub next: Option<Route>,
}

/// The list of what was found.
pub fn list(desk: &Desk, data: ListData) -> Sheet {
    let field = Field {
        value: data.wanted.clone(),
        chars_max: 60,
        hint: "SKU, barcode, or any word of the title: the beginning is enough.",
        ..Field::new("q", "Find a variant")
    };
    let found = if data.wanted.is_empty() {
        ().into_any()
    } else if data.rows.is_empty() {
        view! { <p class="empty">"Nothing begins with “"{data.wanted}"”. Try fewer characters, or another word of the title."</p> }.into_any()
    } else {
        let rows = data.rows.into_iter().map(|(name, balance)| {
            let to = Route::Variant { variant: name.variant, older_than: None }.url();
            view! {
                <tr>
                    <th scope="row"><div><a href=to>{name.title.clone()}</a><small>{name.codes()}</small>{name.tags()}</div></th>
                    {figure("Free", balance.free)}{figure("Held", balance.held)}
                </tr>
            }
        });
        view! {
            <table class="rows">
                <thead><tr><th scope="col">"Variant"</th><th scope="col" class="n">"Free"</th><th scope="col" class="n">"Held"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {turn("More variants", data.next)}
        }
        .into_any()
    };
    let body = view! {
        <form class="find" method="get" action=Route::Stock { wanted: String::new(), after: None }.url() role="search">
            {field.text()}<button class="button">"Find"</button>
        </form>
        {found}
    };
    Sheet::framed(desk, Section::Stock, Section::Stock.name(), None, ().into_any(), body.into_any())
}

/// A variant at one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub code: String,
    pub name: String,
    pub balance: Balance,
    /// Sold, and not shipped yet.
    pub unshipped: u32,
}

impl Place {
    fn on_the_shelf(&self) -> i64 {
        self.balance.on_hand() + i64::from(self.unshipped)
    }
}

/// Which of the three forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Receipt,
    Adjustment,
    Damage,
}

/// A form as it was sent, with what is wrong with it: kept, so that nothing is typed twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub form: Form,
    pub location: String,
    pub pieces: String,
    /// `difference` or `counted`.
    pub figure: String,
    pub reason: String,
    /// The words, or the delivery's reference.
    pub words: String,
    pub pieces_error: Option<String>,
    pub words_error: Option<String>,
    pub location_error: Option<String>,
    /// What would be free: whoever books has to say that it is meant.
    pub below_zero: Option<i64>,
}

/// What a variant's page shows.
#[derive(Clone, Debug)]
pub struct VariantData {
    pub name: Name,
    pub places: Vec<Place>,
    pub ledger: Vec<Line>,
    /// The ledger from its beginning, and older rows.
    pub is_latest: bool,
    pub older: Option<Route>,
    pub typed: Option<Typed>,
    pub notice: Option<Notice>,
    pub status: u16,
}

/// A variant's page.
pub fn variant(desk: &Desk, data: VariantData) -> Sheet {
    let forms = desk.may(Right::MoveStock).then(|| {
        let places = &data.places;
        let typed = |form: Form| data.typed.clone().filter(|typed| typed.form == form);
        view! {
            <section class="bookings">
                <h2>"Book"</h2>
                <div>
                    {receipt(desk, data.name.variant, places, typed(Form::Receipt))}
                    {adjustment(desk, data.name.variant, places, typed(Form::Adjustment))}
                    {damage(desk, data.name.variant, places, typed(Form::Damage))}
                </div>
            </section>
        }
    });
    let tools = view! { {data.name.tags()}<span class="end"><a class="button quiet" href=Route::Stock { wanted: String::new(), after: None }.url()>"Find another"</a></span> };
    let body = view! {
        <p class="why">{data.name.codes()}</p>
        <div class="stocked">
            <div>{places_table(&data.places)}</div>
            {forms}
            <div class="ledger">{ledger(&data)}</div>
        </div>
    };
    let title = data.name.title.clone();
    Sheet::framed(desk, Section::Stock, title, data.notice, tools.into_any(), body.into_any()).with_status(data.status)
}

fn places_table(places: &[Place]) -> AnyView {
    let rows = places.iter().map(|place| {
        view! {
            <tr>
                <th scope="row">{place.name.clone()}</th>
                {figure("Free", place.balance.free)}{figure("Held", place.balance.held)}
                {figure("Sold, not shipped", i64::from(place.unshipped))}{figure("On the shelf", place.on_the_shelf())}
            </tr>
        }
    });
    let sum = |of: fn(&Place) -> i64| places.iter().map(of).sum::<i64>();
    let total = (places.len() > 1).then(|| {
        view! {
            <tfoot>
                <tr>
                    <th scope="row">"Together"</th>
                    {figure("Free", sum(|place| place.balance.free))}{figure("Held", sum(|place| place.balance.held))}
                    {figure("Sold, not shipped", sum(|place| place.unshipped.into()))}{figure("On the shelf", sum(Place::on_the_shelf))}
                </tr>
            </tfoot>
        }
    });
    view! {
        <table class="rows">
            <thead>
                <tr>
                    <th scope="col">"Location"</th><th scope="col" class="n">"Free"</th><th scope="col" class="n">"Held"</th>
                    <th scope="col" class="n">"Sold, not shipped"</th><th scope="col" class="n">"On the shelf"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
            {total}
        </table>
    }
    .into_any()
}

fn receipt(desk: &Desk, variant: VariantId, places: &[Place], typed: Option<Typed>) -> AnyView {
    let open = typed.is_some();
    let typed = typed.unwrap_or_else(|| empty(Form::Receipt));
    let words = Field { required: true, chars_max: 80, ..with(&typed, "r-words", "Delivery", "words") };
    let fields = view! {
        {location(places, &typed, "r-location")}
        {pieces(&typed, "r-pieces", "Pieces", "")}
        {Field { hint: "The delivery note or the order to the supplier.", error: typed.words_error.clone(), ..words }.text()}
    };
    act(desk, "Receive pieces", &Action::Receive { variant }, open, fields.into_any(), "Book receipt")
}

fn adjustment(desk: &Desk, variant: VariantId, places: &[Place], typed: Option<Typed>) -> AnyView {
    let open = typed.is_some();
    let typed = typed.unwrap_or_else(|| empty(Form::Adjustment));
    let figure = Field { value: typed.figure.clone(), ..with(&typed, "a-figure", "What you know", "figure") };
    let figures = [("counted", "How many lie on the shelf"), ("difference", "How many more or fewer")];
    let reason = Field { value: typed.reason.clone(), ..with(&typed, "a-reason", "Reason", "reason") };
    let words = Field { chars_max: 200, error: typed.words_error.clone(), ..with(&typed, "a-words", "In words", "words") };
    let meant = typed.below_zero.map(|free| {
        let pieces = free.unsigned_abs();
        view! {
            <p class="notice bad" role="alert">{format!("That would leave {} free: {pieces} more promised than there are. Orders may have to be cancelled.", minus(free))}</p>
            <label class="check"><input type="checkbox" name="below_zero" value="yes"/>"Book it all the same"</label>
        }
    });
    let fields = view! {
        {location(places, &typed, "a-location")}
        {figure.choice(figures.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec())}
        {pieces(&typed, "a-pieces", "Figure", "Fewer pieces with a minus: -3.")}
        {reason.choice(Reason::ALL.map(|reason| (reason.word().to_owned(), reason_words(reason).to_owned())).to_vec())}
        {Field { hint: "Needed where the reason is another one.", ..words }.text()}
        {meant}
    };
    act(desk, "Adjust after a count", &Action::Adjust { variant }, open, fields.into_any(), "Book adjustment")
}

fn damage(desk: &Desk, variant: VariantId, places: &[Place], typed: Option<Typed>) -> AnyView {
    let open = typed.is_some();
    let typed = typed.unwrap_or_else(|| empty(Form::Damage));
    let words = Field { required: true, chars_max: 200, error: typed.words_error.clone(), ..with(&typed, "d-words", "What happened", "words") };
    let fields = view! {
        {location(places, &typed, "d-location")}
        {pieces(&typed, "d-pieces", "Pieces", "Free ones only: held and sold pieces belong to orders.")}
        {words.text()}
    };
    act(desk, "Write off damage", &Action::Damage { variant }, open, fields.into_any(), "Book damage")
}

/// A folded form.
fn act(desk: &Desk, title: &'static str, action: &Action, open: bool, fields: AnyView, button: &'static str) -> AnyView {
    view! {
        <details class="act" open=open>
            <summary>{title}</summary>
            <form method="post" action=action.url()>{mutation(desk)}{fields}<button class="button">{button}</button></form>
        </details>
    }
    .into_any()
}

fn location(places: &[Place], typed: &Typed, id: &'static str) -> AnyView {
    let field = Field { value: typed.location.clone(), error: typed.location_error.clone(), ..with(typed, id, "Location", "location") };
    field.choice(places.iter().map(|place| (place.code.clone(), place.name.clone())).collect())
}

fn pieces(typed: &Typed, id: &'static str, label: &'static str, hint: &'static str) -> AnyView {
    let field =
        Field { value: typed.pieces.clone(), error: typed.pieces_error.clone(), required: true, chars_max: 12, ..with(typed, id, label, "pieces") };
    Field { hint, ..field }.number()
}

/// A field of one of the three forms, which share names: the id tells them apart.
fn with(typed: &Typed, id: &'static str, label: &'static str, name: &'static str) -> Field {
    Field { id: Some(id), value: if name == "words" { typed.words.clone() } else { String::new() }, ..Field::new(name, label) }
}

fn empty(form: Form) -> Typed {
    Typed {
        form,
        location: String::new(),
        pieces: String::new(),
        figure: "counted".to_owned(),
        reason: Reason::Count.word().to_owned(),
        words: String::new(),
        pieces_error: None,
        words_error: None,
        location_error: None,
        below_zero: None,
    }
}

/// The reason as people choose it.
const fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Count => "Stock count",
        Reason::Found => "Found again",
        Reason::Lost => "Lost",
        Reason::Stolen => "Stolen",
        Reason::Mistake => "An earlier booking was wrong",
        Reason::Other => "Another reason",
    }
}

/// What to say about a figure that cannot be read.
pub fn pieces_words(form: Form) -> String {
    match form {
        Form::Adjustment => format!("Type a whole number between −{PIECES_MAX} and {PIECES_MAX}; a counted figure has no minus."),
        Form::Receipt | Form::Damage => format!("Type a whole number from 1 to {PIECES_MAX}."),
    }
}

/// A cell with a figure; one below zero stands out.
fn figure(label: &'static str, figure: i64) -> AnyView {
    let class = if figure < 0 { "n under" } else { "n" };
    view! { <td class=class data-label=label>{minus(figure)}</td> }.into_any()
}

fn minus(figure: i64) -> String {
    let digits = crate::i18n::number(figure.unsigned_abs(), english());
    if figure < 0 { format!("−{digits}") } else { digits }
}

/// A change: `+5`, `−3`; nothing for none.
pub(super) fn signed(change: i64) -> Option<String> {
    match change {
        0 => None,
        change if change > 0 => Some(format!("+{}", minus(change))),
        change => Some(minus(change)),
    }
}
