//! Signing in, and choosing another password.

use super::{Action, Route, Sheet, form::Field};
use crate::private::Notice;
use leptos::prelude::*;

/// What the sign-in page shows.
#[derive(Clone, Debug, Default)]
pub struct SignInData {
    /// As typed.
    pub email: String,
    /// Where to go afterwards.
    pub next: Option<String>,
    pub notice: Option<Notice>,
    pub status: u16,
}

/// The page to sign in.
pub fn page(data: SignInData) -> Sheet {
    let email = Field { value: data.email, autocomplete: "username", required: true, ..Field::new("email", "Email") };
    let password = Field { autocomplete: "current-password", required: true, ..Field::new("password", "Password") };
    let next = data.next.clone().map(|next| view! { <input type="hidden" name="next" value=next/> });
    // A link from another site does not carry the cookie; one from here does.
    let onward = data.next.unwrap_or_else(|| Route::Home.url());
    let body = view! {
        <main id="main" class="alone" tabindex="-1">
            <p class="wordmark">"NextGen"</p>
            <h1>"Sign in to operations"</h1>
            {data.notice.map(Notice::show)}
            <form method="post" action=Action::SignIn.url()>
                {next}
                {email.email()}
                {password.password()}
                <button class="button wide">"Sign in"</button>
            </form>
            <p class="why">"Accounts are made on the command line: "<code>"nextgen staff add EMAIL --role admin"</code></p>
            <p class="why"><a href=onward>"Signed in already? Go on"</a></p>
        </main>
    };
    Sheet { status: data.status, title: "Sign in".to_owned(), body: body.into_any() }
}

/// What the password page shows.
#[derive(Clone, Debug, Default)]
pub struct PasswordData {
    pub email: String,
    /// The password in use was made by the shop: nothing else opens before another one is chosen.
    pub must: bool,
    /// What is wrong with the password in use as it was typed, and with the chosen one.
    pub current_error: Option<String>,
    pub chosen_error: Option<String>,
    pub notice: Option<Notice>,
    pub status: u16,
}

/// The page to choose another password.
pub fn password_page(data: PasswordData) -> Sheet {
    let current = Field { autocomplete: "current-password", required: true, error: data.current_error, ..Field::new("current", "Password in use") };
    let chosen = Field {
        autocomplete: "new-password",
        required: true,
        error: data.chosen_error,
        hint: "At least 15 characters. A few words do; a password manager does better.",
        ..Field::new("chosen", "New password")
    };
    let words = if data.must { "The password you were given opens this page only." } else { "All your sessions end; you stay signed in here." };
    let back = (!data.must).then(|| view! { <p class="why"><a href=Route::Home.url()>"Keep the password"</a></p> });
    let body = view! {
        <main id="main" class="alone" tabindex="-1">
            <p class="wordmark">"NextGen"</p>
            <h1>"Choose a password"</h1>
            <p>{words}</p>
            {data.notice.map(Notice::show)}
            <form method="post" action=Action::ChangePassword.url()>
                // Password managers file the new password under this name.
                <input class="vh" type="text" name="username" value=data.email autocomplete="username" tabindex="-1" aria-hidden="true" readonly/>
                {current.password()}
                {chosen.password()}
                <button class="button wide">"Save password"</button>
            </form>
            <form method="post" action=Action::SignOut.url()><button class="link">"Sign out"</button></form>
            {back}
        </main>
    };
    Sheet { status: data.status, title: "Choose a password".to_owned(), body: body.into_any() }
}
