//! Stock: finding variants, a variant's page, and the three forms that book something.

use super::{OTHER_WORDS, desk, query_fields, send};
use crate::{
    Shop,
    http::{Failure, Fields, forms::see_other},
    staff::{
        Staff,
        stock::{self, BookError, Entry, Known},
    },
};
use app::{
    pages::Fault,
    private::Notice,
    staff::{
        Route, Sheet,
        ledger::Line,
        stock::{Form, ListData, Name, Place, Typed, VariantData, list, pieces_words, variant},
    },
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use domain::{
    VariantId,
    account::{clean, clean_ascii},
    booking::{Booking, BookingRefused, Figure, PIECES_MAX, Reason},
    offer::Instant,
    staff::Right,
    stock::Movement,
};

/// Matches on a page of the list, and rows of a ledger.
const MATCHES: u32 = 25;
const ROWS: u32 = 50;
/// Characters of a delivery's reference, and of words.
const REFERENCE_CHARS_MAX: usize = 80;
const WORDS_CHARS_MAX: usize = 200;

pub fn routes() -> Router<Shop> {
    Router::new()
        .route("/ops/stock", get(find))
        .route("/ops/stock/{variant}", get(show))
        .route("/ops/stock/{variant}/receipts", post(receive))
        .route("/ops/stock/{variant}/adjustments", post(adjust))
        .route("/ops/stock/{variant}/damage", post(damage))
}

async fn find(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let query = query_fields(query.as_deref());
    let wanted = clean(query.get("q"));
    let matches = stock::find(&shop.db, &wanted, query.optional("after"), MATCHES).await?;
    if let Some(variant) = matches.exact.filter(|_| query.optional("after").is_none()) {
        return Ok(see_other(&Route::Variant { variant, older_than: None }.url()));
    }
    let next = matches.after.map(|after| Route::Stock { wanted: wanted.clone(), after: Some(after) });
    let rows = matches.variants.into_iter().map(|known| (name(&known), known.balance)).collect();
    send(&shop, list(&desk(&shop, &staff), ListData { wanted, rows, next }))
}

async fn show(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let query = query_fields(query.as_deref());
    let notice = match query.get("said") {
        "received" => Some("The receipt is booked."),
        "adjusted" => Some("The adjustment is booked."),
        "damaged" => Some("The damage is booked."),
        _ => None,
    };
    let older_than = query.optional("older_than").and_then(|key| {
        let (at, id) = key.split_once('.')?;
        Some((at.parse().ok()?, id.to_owned()))
    });
    let page = Page { older_than, typed: None, notice: notice.map(Notice::good), status: 200 };
    send(&shop, page.sheet(&shop, &staff, parsed(&id)?).await?)
}

async fn receive(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    book(&shop, &staff, parsed(&id)?, Form::Receipt, &fields).await
}

async fn adjust(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    book(&shop, &staff, parsed(&id)?, Form::Adjustment, &fields).await
}

async fn damage(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    book(&shop, &staff, parsed(&id)?, Form::Damage, &fields).await
}

async fn book(shop: &Shop, staff: &Staff, variant: VariantId, form: Form, fields: &Fields) -> Result<Response, Failure> {
    staff.require(Right::MoveStock)?;
    let mut typed = typed(form, fields);
    let Some(booking) = booking(&mut typed) else { return refused(shop, staff, variant, typed, None, 422).await };
    let below_zero = fields.get("below_zero") == "yes";
    let mutation = fields.optional("mutation").filter(|mutation| (1..=64).contains(&mutation.len()));
    let mutation = mutation.map_or_else(|| shop.clock.id().to_string(), str::to_owned);
    let (pieces_error, status) = match stock::book(shop, staff, variant, &typed.location, &booking, below_zero, &mutation).await {
        Ok(()) => {
            let said = match form {
                Form::Receipt => "received",
                Form::Adjustment => "adjusted",
                Form::Damage => "damaged",
            };
            return Ok(see_other(&format!("{}?said={said}", Route::Variant { variant, older_than: None }.url())));
        }
        Err(BookError::NotAllowed) => return Err(Fault::Forbidden.into()),
        Err(BookError::NotFound) => {
            typed.location_error = Some("Choose one of the locations.".to_owned());
            (None, 422)
        }
        Err(BookError::Refused(BookingRefused::Nothing)) => (Some("The books say the same: there is nothing to book.".to_owned()), 422),
        Err(BookError::Refused(BookingRefused::BelowZero { free })) => {
            typed.below_zero = Some(free);
            (None, 409)
        }
        Err(BookError::Refused(BookingRefused::NotFree { left })) => {
            (Some(format!("Only {left} are free there. Cancel an order first if a piece of it is damaged.")), 409)
        }
        Err(BookError::Refused(BookingRefused::Overflow)) => (Some(TOO_LARGE.to_owned()), 422),
        Err(BookError::OtherWords) => (Some(OTHER_WORDS.to_owned()), 422),
        Err(BookError::Failed(error)) => return Err(error.into()),
    };
    typed.pieces_error = pieces_error;
    refused(shop, staff, variant, typed, None, status).await
}

const TOO_LARGE: &str = "Nothing was booked: the stock there would become larger than the books can hold. Check the figure, and the books.";

/// The page with the form as it was typed.
async fn refused(shop: &Shop, staff: &Staff, variant: VariantId, typed: Typed, notice: Option<Notice>, status: u16) -> Result<Response, Failure> {
    let page = Page { older_than: None, typed: Some(typed), notice, status };
    send(shop, page.sheet(shop, staff, variant).await?)
}

fn typed(form: Form, fields: &Fields) -> Typed {
    let get = |name| clean(fields.get(name));
    Typed {
        form,
        location: get("location"),
        pieces: get("pieces"),
        figure: get("figure"),
        reason: get("reason"),
        words: get("words"),
        pieces_error: None,
        words_error: None,
        location_error: None,
        below_zero: None,
    }
}

/// Reads a form; what is wrong with it is written beside the fields.
fn booking(typed: &mut Typed) -> Option<Booking> {
    let figure: Option<i64> = clean_ascii(&typed.pieces).trim_start_matches('+').parse().ok();
    let figure = figure.filter(|figure| figure.unsigned_abs() <= u64::from(PIECES_MAX));
    let at_least = |least: i64| figure.filter(|figure| *figure >= least).and_then(|figure| u32::try_from(figure).ok());
    let words_max = if typed.form == Form::Receipt { REFERENCE_CHARS_MAX } else { WORDS_CHARS_MAX };
    let reason = Reason::parse(&typed.reason);
    let needs_words = typed.form != Form::Adjustment || reason.is_none_or(|reason| reason == Reason::Other);
    if typed.words.chars().count() > words_max {
        typed.words_error = Some(format!("Say it in at most {words_max} characters."));
    } else if needs_words && typed.words.is_empty() {
        typed.words_error =
            Some(if typed.form == Form::Receipt { "Type what the delivery is known by." } else { "Say it in a few words." }.to_owned());
    }
    let words = typed.words.clone();
    let booking = match typed.form {
        Form::Receipt => at_least(1).map(|pieces| Booking::Receipt { pieces, reference: words }),
        Form::Damage => at_least(1).map(|pieces| Booking::Damage { pieces, words }),
        Form::Adjustment => {
            let figure = if typed.figure == "difference" { figure.map(Figure::Difference) } else { at_least(0).map(Figure::Counted) };
            figure.map(|figure| Booking::Adjustment { figure, reason: reason.unwrap_or(Reason::Other), words })
        }
    };
    if booking.is_none() {
        typed.pieces_error = Some(pieces_words(typed.form));
    }
    booking.filter(|_| typed.words_error.is_none())
}

/// What a variant's page shows beside the variant.
struct Page {
    older_than: Option<(Instant, String)>,
    typed: Option<Typed>,
    notice: Option<Notice>,
    status: u16,
}

impl Page {
    async fn sheet(self, shop: &Shop, staff: &Staff, id: VariantId) -> Result<Sheet, Failure> {
        let Some((known, places)) = stock::look(shop, id).await? else { return Err(Fault::NotFound.into()) };
        let is_latest = self.older_than.is_none();
        let mut entries = stock::ledger(&shop.db, id, self.older_than, ROWS + 1).await?;
        let more = entries.len() > ROWS as usize;
        entries.truncate(ROWS as usize);
        let older = entries.last().filter(|_| more).map(|last| Route::Variant { variant: id, older_than: Some(format!("{}.{}", last.at, last.id)) });
        let place = |place: stock::Place| Place { name: place.name, code: place.location, balance: place.balance, unshipped: place.unshipped };
        let places: Vec<Place> = places.into_iter().map(place).collect();
        let data = VariantData {
            name: name(&known),
            ledger: entries.into_iter().map(|entry| line(entry, &places)).collect(),
            places,
            is_latest,
            older,
            typed: self.typed,
            notice: self.notice,
            status: self.status,
        };
        Ok(variant(&desk(shop, staff), data))
    }
}

fn parsed(id: &str) -> Result<VariantId, Fault> {
    id.parse().map_err(|_| Fault::NotFound)
}

fn name(known: &Known) -> Name {
    Name {
        variant: known.id,
        title: known.title.clone(),
        options: known.options.clone(),
        sku: known.sku.clone(),
        barcode: known.barcode.clone(),
        untracked: !known.tracked,
        backorder: known.oversell,
        retired: !known.active,
    }
}

fn line(entry: Entry, places: &[Place]) -> Line {
    let pieces = u32::try_from(entry.quantity).unwrap_or(0);
    let (what, movement) = match entry.kind.as_str() {
        "receipt" => ("Received", Some(Movement::Receipt(pieces))),
        "adjustment" => ("Adjusted", Some(Movement::Adjustment(entry.quantity))),
        "hold" => ("Held for an order", Some(Movement::Hold(pieces))),
        "release" => ("Free again", Some(Movement::Release(pieces))),
        "sale" => ("Sold", Some(Movement::Sale(pieces))),
        "return" => ("Came back", Some(Movement::Return(pieces))),
        "damage" => ("Damaged", Some(Movement::Damage(pieces))),
        other => (other, None),
    };
    let (cause, order) = match (entry.name, entry.cause.split_once(':')) {
        (Some(name), Some(("order", _))) => (String::new(), Some(name)),
        (Some(name), _) => (name, None),
        (None, _) => (entry.cause.clone(), None),
    };
    let why = [entry.reason.as_str(), cause.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let place = places.iter().find(|place| place.code == entry.location).map_or_else(|| entry.location.clone(), |place| place.name.clone());
    Line { at: entry.at, place, what: what.to_owned(), effect: movement.map(Movement::effect), why, order }
}
