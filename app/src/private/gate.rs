//! What stands before an order: the question for the postcode when its link is old, and the way on when a link leads nowhere.

use super::Notice;
use crate::{
    i18n::{follow, shop, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, Route},
};
use leptos::prelude::*;

/// Asks for the delivery address's postcode, and shows nothing of the order. `is_locked`: there is nothing more to try.
pub fn page(view: &View, secret: &str, wrong: Option<&'static str>, is_locked: bool, status: u16) -> Page {
    let address = Address::new(view.locale, Route::Order { secret: secret.to_owned() });
    let head = Head::private(follow(view.locale).gate_title, &address);
    let action = Action::OpenOrder { secret: secret.to_owned() }.url(view.locale);
    let view = view.clone();
    let mut page = Page::new(head, Vec::new(), move || {
        let (messages, common) = (follow(view.locale), till(view.locale));
        let find = Address::new(view.locale, Route::FindOrder).url();
        let form = (!is_locked).then(|| {
            view! {
                <p class="lede">{messages.gate_text}</p>
                <form method="post" action=action class="fieldrow">
                    <div class=if wrong.is_some() { "field half wrong" } else { "field half" }>
                        <label for="postcode">{common.postcode}</label>
                        <input
                            id="postcode"
                            name="postcode"
                            type="text"
                            autocomplete="postal-code"
                            maxlength="20"
                            required
                            aria-invalid=wrong.map(|_| "true")
                            aria-describedby=wrong.map(|_| "postcode-error")
                        />
                        {wrong.map(|text| view! { <p class="error" id="postcode-error">{text}</p> })}
                    </div>
                    <div class="field"><button class="button wide">{messages.gate_submit}</button></div>
                </form>
            }
        });
        view! {
            <main id="main">
                <article class="prose">
                    <h1>{messages.gate_title}</h1>
                    {is_locked.then(|| Notice::bad(messages.gate_locked).show())}
                    {form}
                    <p><a href=find>{messages.gate_new_link}</a></p>
                </article>
            </main>
        }
        .into_any()
    });
    page.status = status;
    page
}

/// No order has this link, or has it any more: 404. The same for a link that was replaced and one that was made up.
pub fn gone(view: &View, secret: &str) -> Page {
    let address = Address::new(view.locale, Route::Order { secret: secret.to_owned() });
    let head = Head::private(follow(view.locale).gone_title, &address);
    let view = view.clone();
    let mut page = Page::new(head, Vec::new(), move || {
        let messages = follow(view.locale);
        let find = Address::new(view.locale, Route::FindOrder).url();
        view! {
            <main id="main">
                <article class="prose">
                    <h1>{messages.gone_title}</h1>
                    <p class="lede">{messages.gone_text}</p>
                    <p><a class="button" href=find>{shop(view.locale).find_order}</a></p>
                </article>
            </main>
        }
        .into_any()
    });
    page.status = 404;
    page
}
