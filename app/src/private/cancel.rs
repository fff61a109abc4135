//! Cancelling, on the page of an order: what can be cancelled, why the rest cannot, and what became of what was.

use crate::{
    i18n::{filled, follow, give_back, money, number},
    ports::View,
    routes::Action,
};
use domain::{live::Hole, money::Money, refund::RefundState};
use leptos::prelude::*;

/// What can be cancelled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Nobody paid: the whole order.
    Whole,
    /// Pieces that nobody has begun to pack.
    Pieces {
        open: Vec<Piece>,
        /// What goes back if all of them are cancelled.
        back: Money,
    },
    /// Somebody is packing what is left.
    Packed,
    /// The bank is asked about the payment.
    Disputed,
    /// The bank has taken the payment back.
    ChargedBack,
    /// There is nothing left to say about it.
    Over,
}

/// Equal pieces of an order's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub line: u32,
    pub title: String,
    pub quantity: u32,
}

/// What was cancelled, and the money that goes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    pub pieces: Vec<Piece>,
    pub refunds: Vec<(Money, RefundState)>,
}

impl Cancel {
    /// The form, or why there is none.
    pub fn show(&self, secret: &str, view: &View) -> AnyView {
        let messages = follow(view.locale);
        let action = Action::CancelOrder { secret: secret.to_owned() }.url(view.locale);
        let mutation = || view! { <input type="hidden" name="mutation" value=Hole::MutationId.mark()/> };
        match self {
            Self::Whole => view! {
                <details class="fold">
                    <summary>{messages.cancel_order}</summary>
                    <form method="post" action=action>
                        {mutation()}
                        <p>{messages.cancel_unpaid}</p>
                        <p><button class="button quiet small">{messages.cancel_order}</button></p>
                    </form>
                </details>
            }
            .into_any(),
            Self::Pieces { open, back } => view! {
                <details class="fold">
                    <summary>{messages.cancel_items}</summary>
                    <form method="post" action=action class="stack">
                        {mutation()}
                        <p>{filled(messages.cancel_text, &[("amount", &money(*back, view.locale))])}</p>
                        {open.iter().map(|piece| quantity(piece, is_single(open), view)).collect_view()}
                        <p><button class="button quiet small">{messages.cancel_submit}</button></p>
                    </form>
                </details>
            }
            .into_any(),
            Self::Packed => view! { <p class="why">{messages.cancel_packed}</p> }.into_any(),
            Self::Disputed => view! { <p class="why">{messages.cancel_disputed}</p> }.into_any(),
            Self::ChargedBack => view! { <p class="why">{messages.cancel_charged_back}</p> }.into_any(),
            Self::Over => ().into_any(),
        }
    }
}

/// Whether there is nothing to choose: who opens the form means this piece.
fn is_single(open: &[Piece]) -> bool {
    matches!(open, [Piece { quantity: 1, .. }])
}

/// How many pieces of a line: none, until somebody says so.
fn quantity(piece: &Piece, is_chosen: bool, view: &View) -> AnyView {
    let name = format!("line-{}", piece.line);
    let hint = format!("{name}-hint");
    let at_most = filled(give_back(view.locale).at_most, &[("count", &number(piece.quantity.into(), view.locale))]);
    view! {
        <p class="field">
            <label for=name.clone()>{filled(follow(view.locale).cancel_quantity, &[("product", &piece.title)])}</label>
            <input
                id=name.clone()
                name=name
                type="number"
                inputmode="numeric"
                min="0"
                max=piece.quantity.to_string()
                value=if is_chosen { "1" } else { "0" }
                autocomplete="off"
                aria-describedby=hint.clone()
            />
            <span class="hint" id=hint>{at_most}</span>
        </p>
    }
    .into_any()
}

impl Undone {
    /// A list, or nothing.
    pub fn show(&self, view: &View) -> Option<AnyView> {
        let messages = follow(view.locale);
        let pieces = self
            .pieces
            .iter()
            .map(|piece| filled(messages.cancelled_item, &[("product", &piece.title), ("count", &number(piece.quantity.into(), view.locale))]));
        let refunds = self.refunds.iter().map(|(amount, state)| {
            let template = match state {
                RefundState::Issued | RefundState::SettledOutside => messages.refund_done,
                state if state.is_stuck() => messages.refund_stuck,
                _ => messages.refund_going,
            };
            filled(template, &[("amount", &money(*amount, view.locale))])
        });
        let items: Vec<String> = pieces.chain(refunds).collect();
        (!items.is_empty()).then(|| view! { <ul>{items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view()}</ul> }.into_any())
    }

    /// What went back or is on its way, to stand below the total.
    pub fn sum(&self, view: &View) -> Option<AnyView> {
        let mut amounts = self.refunds.iter().filter(|(_, state)| !state.is_stuck()).map(|(amount, _)| *amount);
        let first = amounts.next()?;
        let back = amounts.try_fold(first, Money::plus).ok()?;
        let minus = money(Money { minor: -back.minor, ..back }, view.locale);
        Some(view! { <dl class="sums"><dt>{follow(view.locale).refunded}</dt><dd class="now">{minus}</dd></dl> }.into_any())
    }
}
