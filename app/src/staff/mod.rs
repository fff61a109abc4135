//! The operator pages under `/ops`: their frame, and a file for each page. English only, rendered at the origin for one member of staff, and
//! never stored. They take what was read already; reading, and who may do what, are the server's business.

pub mod audit;
mod document;
pub mod fault;
pub mod form;
pub mod home;
pub mod ledger;
pub mod order;
pub mod orders;
pub mod route;
pub mod ship;
pub mod sign_in;
pub mod stock;
pub mod tables;

pub use document::document;
pub use route::{Action, Route};

use crate::private::Notice;
use domain::{
    offer::Instant,
    staff::{Right, Roles},
};
use leptos::prelude::*;

/// Who is signed in, as pages say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub email: String,
    pub roles: Roles,
}

/// A part of the operations, as the rail lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Home,
    Orders,
    Ship,
    Stock,
    Tables,
    Audit,
}

impl Section {
    /// In the rail's order.
    const ALL: [Self; 6] = [Self::Home, Self::Orders, Self::Ship, Self::Stock, Self::Tables, Self::Audit];

    const fn name(self) -> &'static str {
        match self {
            Self::Home => "Needs action",
            Self::Stock => "Stock",
            Self::Orders => "Orders",
            Self::Ship => "Ship",
            Self::Tables => "Prices and rules",
            Self::Audit => "Audit log",
        }
    }

    const fn right(self) -> Right {
        match self {
            Self::Home | Self::Orders | Self::Stock | Self::Tables => Right::Look,
            Self::Ship => Right::Ship,
            Self::Audit => Right::ReadAudit,
        }
    }

    fn route(self) -> Route {
        match self {
            Self::Home => Route::Home,
            Self::Stock => Route::Stock { wanted: String::new(), after: None },
            Self::Orders => Route::Orders { list: route::OrderList::default() },
            Self::Ship => Route::Ship { after: None },
            Self::Tables => Route::Tables,
            Self::Audit => Route::Audit { older_than: None },
        }
    }
}

/// What every page in the frame needs beside its own data.
#[derive(Clone, Debug)]
pub struct Desk {
    pub person: Person,
    pub now: Instant,
    /// Names one wish to change something: [`form::mutation`] puts it into a form, so that a second click changes nothing.
    pub mutation: String,
}

impl Desk {
    /// Asks the rule in the page: what is not allowed is not offered.
    pub fn may(&self, right: Right) -> bool {
        self.person.roles.may(right)
    }
}

/// A page of the operations: what stands in the bar, and what below it.
pub struct Sheet {
    pub status: u16,
    pub title: String,
    pub body: AnyView,
}

impl Sheet {
    /// A page in the frame: the rail with `active` marked, a bar with the title and `tools` (tags, buttons; or nothing), `notice`, and the page.
    pub fn framed(desk: &Desk, active: Section, title: impl Into<String>, notice: Option<Notice>, tools: AnyView, children: AnyView) -> Self {
        let title = title.into();
        let body = frame(desk, active, &title, notice, tools, children);
        Self { status: 200, title, body }
    }

    /// The same page with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

fn frame(desk: &Desk, active: Section, title: &str, notice: Option<Notice>, tools: AnyView, children: AnyView) -> AnyView {
    let sections = Section::ALL.into_iter().filter(|section| desk.may(section.right())).map(|section| {
        let current = (section == active).then_some("page");
        view! { <li><a href=section.route().url() aria-current=current>{section.name()}</a></li> }
    });
    let title = title.to_owned();
    view! {
        <div class="staff">
            <header class="rail">
                <a class="wordmark" href=Route::Home.url()>"NextGen"</a>
                <nav aria-label="Operations"><ul>{sections.collect_view()}</ul></nav>
                <div class="self">
                    <p><span class="vh">"Signed in as "</span>{desk.person.email.clone()}<small>{desk.person.roles.to_string()}</small></p>
                    <a href=Route::Password.url()>"Change password"</a>
                    <form method="post" action=Action::SignOut.url()><button class="link">"Sign out"</button></form>
                </div>
            </header>
            <main id="main" tabindex="-1">
                <div class="bar"><h1>{title}</h1>{tools}</div>
                <div class="sheet">
                    {notice.map(Notice::show)}
                    {children}
                </div>
            </main>
        </div>
    }
    .into_any()
}

/// An instant as staff read it, to the second: `24 Nov 2026, 15:05:09 UTC`.
pub fn moment(at: Instant) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::new(), |at| at.strftime("%-d %b %Y, %H:%M:%S UTC").to_string())
}

/// An instant for people, with the exact one for machines.
pub fn time(at: Instant) -> AnyView {
    let machine = jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::new(), |at| at.to_string());
    view! { <time datetime=machine>{moment(at)}</time> }.into_any()
}

/// A link to the next rows of a list that is turned by key; nothing where there are none.
pub fn turn(words: &'static str, to: Option<Route>) -> AnyView {
    match to {
        Some(route) => view! { <nav class="turn" aria-label="More rows"><a class="button quiet small" href=route.url()>{words}</a></nav> }.into_any(),
        None => ().into_any(),
    }
}

#[cfg(test)]
mod tests;
