//! Messages of what goes back: the form that announces a return, and what became of it.

mod de;
mod en;
mod fr;
mod ja;
mod ko;

use super::{by_locale, messages};
use domain::locale::Locale;

messages! {
    /// What the pages about returns say.
    GiveBack {
        title,
        until,
        until_open,
        over,
        nothing,
        lede,
        sealed,
        quantity,
        at_most,
        reason,
        reason_choose,
        reason_changed_mind,
        reason_too_small,
        reason_too_large,
        reason_not_as_described,
        reason_faulty,
        reason_wrong_item,
        reason_late,
        reason_other,
        wish,
        wish_refund,
        wish_exchange,
        next,
        review_title,
        pieces,
        amount,
        amount_text,
        amount_none,
        label,
        label_free,
        label_fee,
        label_how,
        how,
        confirm,
        change,
        said_announced,
        said_kept,
        back_to_order,
        list_title,
        state_announced,
        state_received,
        received_exchange,
        received_no_exchange,
        received_refunded,
        received_refund_going,
        state_refused,
        state_called_off,
        keep,
        disputed,
        err_none,
        err_too_many,
        err_unknown,
        err_reason,
        err_price,
        err_sold_out,
        err_changed,
        err_keep,
    }
    plural {}
}

/// The messages of a locale.
pub fn give_back(locale: Locale) -> &'static GiveBack {
    by_locale!(GiveBack, locale, { en_us: en::EN, en_gb: en::EN, en_ca: en::EN, de: de::DE, fr: fr::FR, fr_ca: fr::FR, ja: ja::JA, ko: ko::KO })
}
