//! Mails about the newsletter's list: the one that asks for a confirmation, and the one that says that there is nothing to confirm.

use super::{Rendered, html, letter, text};
use crate::{document::SHOP_NAME, i18n::newsletter, ports::View};
use domain::newsletter::Letter;

/// Writes a mail in the view's locale. `link`: where it is confirmed, or where the address leaves the list.
pub fn render(view: &View, kind: Letter, link: &str) -> Rendered {
    let messages = newsletter(view.locale);
    let entity = &view.market.legal_entity;
    let (subject, paragraphs, button, small) = match kind {
        Letter::Confirm => {
            (messages.confirm_subject, [messages.confirm_mail, messages.confirm_mail_next], messages.confirm_mail_button, messages.confirm_mail_small)
        }
        Letter::Already => {
            (messages.already_subject, [messages.already_mail, messages.already_mail_next], messages.leave_submit, messages.already_mail_small)
        }
    };
    let letter = letter::Letter {
        subject: subject.to_owned(),
        greeting: messages.greeting.to_owned(),
        paragraphs: paragraphs.map(str::to_owned).to_vec(),
        button: (button.to_owned(), link.to_owned()),
        items: Vec::new(),
        sums: Vec::new(),
        facts: Vec::new(),
        small: small.to_owned(),
        entity: (!entity.is_empty() && entity != SHOP_NAME).then(|| entity.clone()),
    };
    Rendered { text: text::text(&letter), html: html::html(&letter, view.locale), subject: letter.subject }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::memory;
    use domain::locale::Locale;

    #[test]
    fn both_say_the_same_as_text_and_as_html_in_every_language() {
        const LINK: &str = "https://shop.example/x/newsletter/confirm/abc.def";
        for locale in Locale::OFFERED.into_iter().chain([Locale::PSEUDO_RTL]) {
            for kind in [Letter::Confirm, Letter::Already] {
                let mail = render(&memory::view(locale), kind, LINK);
                assert!(mail.text.contains(LINK) && mail.html.contains(&format!("href=\"{LINK}\"")), "{locale}: {}", mail.text);
                let messages = newsletter(locale);
                let said = match kind {
                    Letter::Confirm => [messages.confirm_mail, messages.confirm_mail_next, messages.confirm_mail_small],
                    Letter::Already => [messages.already_mail, messages.already_mail_next, messages.already_mail_small],
                };
                for sentence in said {
                    assert!(
                        mail.text.contains(sentence) && mail.html.contains(&crate::document::Escaped(sentence).to_string()),
                        "{locale}: {sentence}"
                    );
                }
                assert!(!mail.html.contains("<img") && !mail.html.contains("<script") && !mail.subject.contains('\n'), "{locale}");
            }
        }
    }
}
