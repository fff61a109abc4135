//! What staff see when something cannot be done: a sentence, and a way on.

use super::{Route, Sheet};
use crate::pages::Fault;
use leptos::prelude::*;

/// The page for a fault. `reference` is a number to quote; empty where nothing of ours is broken.
pub fn page(fault: Fault, reference: &str) -> Sheet {
    let (title, help) = match fault {
        Fault::Forbidden => ("Not allowed", "Your roles do not include this, or the form came from another site. Ask an admin for the role."),
        Fault::NotFound | Fault::Gone => ("Not found", "There is no such page, or what it showed is gone."),
        Fault::Conflict => ("Changed meanwhile", "Somebody else was faster. Load the page again and look."),
        Fault::TooLarge => ("Too much", "That is more than a form takes. Send less at once."),
        Fault::TooManyRequests => ("Too fast", "Wait a little, then try again."),
        Fault::Unavailable | Fault::OutOfReach => ("Not answering", "Something that this page needs does not answer. Try again in a moment."),
        Fault::BadRequest => ("Not understood", "The form was incomplete or damaged. Go back, load the page again and repeat it."),
        Fault::Server => ("Our mistake", "Something broke. Nothing was changed by halves; try again, and quote the number if it happens again."),
    };
    let quoted = (!reference.is_empty()).then(|| view! { <p class="why">"Reference "{reference.to_owned()}</p> });
    let body = view! {
        <main id="main" class="alone" tabindex="-1">
            <p class="wordmark">"NextGen"</p>
            <h1>{title}</h1>
            <p>{help}</p>
            {quoted}
            <p><a class="button quiet" href=Route::Home.url()>"Back to operations"</a></p>
        </main>
    };
    Sheet { status: fault.status(), title: title.to_owned(), body: body.into_any() }
}
