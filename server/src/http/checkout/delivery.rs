//! What the page said of the delivery, and what is said where the address leads to another one.

use super::Checkout;
use app::{
    i18n::{date_range, filled, money, till},
    private::Notice,
};
use domain::money::Money;

impl Checkout {
    /// The zone and the days of the chosen method, as the form brings them back: another one has to be confirmed.
    pub(super) fn delivery_said(&self) -> String {
        let Some(here) = self.ways.find(&self.method) else { return String::new() };
        let zone = here.zone.as_ref().map_or("", |zone| zone.code.as_str());
        let days = self.ways.promised(here).map_or_else(String::new, |promise| format!("{}/{}", promise.from, promise.to));
        format!("{}:{zone}:{days}", here.code)
    }

    /// Whether the delivery differs from what the form says was seen, by the same method: another method has another price or is chosen knowingly.
    pub(super) fn is_new_delivery(&self, seen: &str) -> bool {
        seen.split_once(':').is_some_and(|(code, _)| code == self.method) && seen != self.delivery_said()
    }

    /// What is said where the address leads to another zone or to other days than the page showed.
    pub(super) fn new_delivery(&self, total: Money) -> Notice {
        let messages = till(self.view.locale);
        let here = self.ways.find(&self.method);
        let title = here.map_or_else(String::new, |here| here.title(self.view.text()));
        let dates = here.and_then(|here| self.ways.promised(here)).map(|promise| date_range(promise.from, promise.to, self.view.locale));
        let what = std::iter::once(title).chain(dates).collect::<Vec<_>>().join(", ");
        let text = filled(messages.err_delivery, &[("what", &what)]);
        Notice::good(format!("{text} {}", filled(messages.err_total, &[("amount", &money(total, self.view.locale))])))
    }
}
