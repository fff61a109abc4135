//! Messages of what follows an order: the mails about it, the way back to it, a new link, the same again.

mod de;
mod en_ca;
mod en_gb;
mod en_us;
mod fr;
mod fr_ca;
mod ja;
mod ko;

use super::{by_locale, messages};
use domain::locale::Locale;

messages! {
    /// What mails about orders say, and the pages that lead back to one.
    Follow {
        greeting,
        placed_subject,
        placed_text,
        placed_next,
        paid_subject,
        paid_text,
        paid_next,
        shipped_subject,
        shipped_part_subject,
        shipped_text,
        shipped_next,
        delivered_subject,
        delivered_part_subject,
        delivered_text,
        delivered_next,
        refunded_subject,
        refunded_text,
        refunded_next,
        cancelled_subject,
        cancelled_text,
        cancelled_next,
        returned_subject,
        returned_text,
        returned_next,
        link_subject,
        link_text,
        link_next,
        view_order,
        carrier,
        tracking,
        shipped_items,
        returned_items,
        refunded_items,
        refund,
        why_mail,
        find_text,
        find_number,
        find_number_hint,
        find_postcode_hint,
        find_submit,
        find_sent,
        find_bad_number,
        find_too_often,
        gone_title,
        gone_text,
        gate_title,
        gate_text,
        gate_submit,
        gate_wrong,
        gate_locked,
        gate_new_link,
        renew_title,
        renew_text,
        renew_submit,
        said_renewed,
        order_again,
        cancel_order,
        cancel_items,
        cancel_unpaid,
        cancel_text,
        cancel_quantity,
        cancel_submit,
        cancel_packed,
        cancel_disputed,
        said_cancelled,
        cancel_too_late,
        cancel_none,
        cancelled_item,
        refund_going,
        refunded,
        refund_done,
        refund_stuck,
        parcels_title,
        parcel_sent,
        parcel_arrived,
        parcel_assumed,
        in_exchange,
        way_packing,
        text_packing,
        way_partly,
        text_partly,
        way_shipped,
        text_shipped,
        way_delivered,
        text_delivered,
        way_returned,
        text_returned,
        way_exchange,
        text_exchange,
        way_bank,
        text_bank,
        way_charged_back,
        text_charged_back,
        cancel_charged_back,
        again_all,
        again_some,
        again_none,
    }
    plural {
        find_wait,
    }
}

/// The messages of a locale.
pub fn follow(locale: Locale) -> &'static Follow {
    by_locale!(Follow, locale, {
        en_us: en_us::EN_US, en_gb: en_gb::EN_GB, en_ca: en_ca::EN_CA, de: de::DE, fr: fr::FR, fr_ca: fr_ca::FR_CA, ja: ja::JA, ko: ko::KO,
    })
}
