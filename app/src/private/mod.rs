//! Pages that belong to one visitor and are rendered at the origin only: cart, checkout, order, the newsletter's steps. They take what the
//! visitor has, already read and priced; reading and pricing are the server's business.

pub mod cancel;
pub mod cart;
pub mod checkout;
pub mod coupon;
pub mod find;
pub mod gate;
pub mod give_back;
pub mod newsletter;
pub mod order;
pub mod parcels;
pub mod sums;
pub mod trace;
#[cfg(test)]
mod trace_tests;
mod tracking;
mod words;

pub use words::{country_name, field_label, percent, region_name, tax_name, time_of_day, told, weight};

use crate::{
    holes::struck,
    i18n::{filled, money, till},
    ports::View,
};
use domain::{VariantId, pricing::PricedLine};
use leptos::prelude::*;

/// Something the shop has to say about what was just done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `true`: it worked. `false`: it did not, or needs a look.
    pub good: bool,
    pub text: String,
}

impl Notice {
    pub fn good(text: impl Into<String>) -> Self {
        Self { good: true, text: text.into() }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self { good: false, text: text.into() }
    }

    pub fn show(self) -> AnyView {
        let (class, role) = if self.good { ("notice good", "status") } else { ("notice bad", "alert") };
        view! { <p class=class role=role>{self.text}</p> }.into_any()
    }
}

/// A line of a cart or an order, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub variant: VariantId,
    /// The product's page with this variant chosen, where there is one.
    pub href: Option<String>,
    pub title: String,
    /// Names of the chosen values: `Tan`, `90 cm`.
    pub options: Vec<String>,
    /// Address of a small picture.
    pub picture: Option<String>,
    pub quantity: u32,
    /// How many of them were cancelled since.
    pub cancelled: u32,
    /// Missing where the line does not count.
    pub price: Option<PricedLine>,
    pub problem: Option<Problem>,
}

/// Why a line cannot be ordered as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Left out of the total.
    SoldOut,
    /// More than is there: the quantity has to come down first.
    TooMany { left: u32 },
    /// Not in this market; left out of the total.
    NotSold,
    /// Not offered anywhere any more; left out of the total.
    Gone,
    /// Can be ordered, comes later.
    BackOrder,
    /// Can be ordered; few are left.
    Few { left: u32 },
}

impl Problem {
    /// Whether the line is left out of the total.
    pub const fn leaves_out(self) -> bool {
        matches!(self, Self::SoldOut | Self::NotSold | Self::Gone)
    }

    /// Whether nothing can be ordered until this is mended.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::TooMany { .. })
    }

    fn text(self, view: &View) -> String {
        let messages = till(view.locale);
        match self {
            Self::SoldOut => messages.line_sold_out.to_owned(),
            Self::TooMany { left } => messages.line_too_many.text(view.locale, left.into()),
            Self::NotSold => filled(messages.line_not_sold, &[("country", country_name(view.market.code, view.locale))]),
            Self::Gone => messages.line_gone.to_owned(),
            Self::BackOrder => messages.back_order.to_owned(),
            Self::Few { left } => messages.left.text(view.locale, left.into()),
        }
    }
}

impl Line {
    fn picture(&self) -> AnyView {
        match self.picture.clone() {
            Some(source) => view! { <img src=source alt="" width="320" height="400" loading="lazy" decoding="async"/> }.into_any(),
            None => view! { <span class="placeholder" aria-hidden="true"></span> }.into_any(),
        }
    }

    fn name(&self) -> AnyView {
        let options = (!self.options.is_empty()).then(|| view! { <small>{self.options.join(", ")}</small> });
        let title = self.title.clone();
        match self.href.clone() {
            Some(href) => view! { <a href=href>{title}</a> {options} }.into_any(),
            None => view! { <span>{title}</span> {options} }.into_any(),
        }
    }

    fn problem(&self, view: &View) -> Option<AnyView> {
        let problem = self.problem?;
        let text = problem.text(view);
        let class = if matches!(problem, Problem::BackOrder | Problem::Few { .. }) { "hint" } else { "error" };
        Some(view! { <p class=class id=format!("problem-{}", self.variant)>{text}</p> }.into_any())
    }

    /// What the line costs, as everywhere in the shop.
    fn cost(&self, view: &View) -> AnyView {
        let Some(price) = &self.price else { return view! { <span></span> }.into_any() };
        let was = price.total_was().map(|was| money(was, view.locale));
        let mut html = String::new();
        struck(was.as_deref(), &money(price.total, view.locale), view.locale, &mut html);
        view! { <span class="price" inner_html=html></span> }.into_any()
    }

    /// The line as a summary shows it: nothing to change.
    fn summary(&self, view: &View) -> AnyView {
        let is_gone = self.problem.is_some_and(Problem::leaves_out) || (self.cancelled > 0 && self.cancelled == self.quantity);
        let class = if is_gone { "line gone" } else { "line" };
        let cancelled = filled(till(view.locale).line_cancelled, &[("count", &self.cancelled.to_string())]);
        let cancelled = (self.cancelled > 0).then(|| view! { <small>{cancelled}</small> });
        let quantity = filled(till(view.locale).quantity_is, &[("count", &self.quantity.to_string())]);
        view! {
            <li class=class>
                {self.picture()}
                <div>{self.name()}<small>{quantity}</small>{cancelled}{self.problem(view)}</div>
                {self.cost(view)}
            </li>
        }
        .into_any()
    }
}
