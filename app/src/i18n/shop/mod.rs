//! Messages of the public pages: navigation, lists, products, search, errors.

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
    /// What the public pages say.
    Shop {
        home,
        all_products,
        all_of,
        see_all,
        new,
        categories,
        menu,
        search,
        cart,
        shop,
        help,
        find_order,
        country_language,
        skip_to_content,
        breadcrumb,
        footer_line,
        demo,
        demo_notice,
        home_title,
        home_description,
        all_description,
        add_to_cart,
        quantity,
        in_stock,
        back_order,
        sold_out,
        not_sold_here,
        no_combination,
        price_from,
        price_was,
        price_now,
        lowest_30_days,
        tax_included,
        tax_excluded,
        delivery_between,
        delivery_elsewhere,
        delivery_later,
        free_from,
        goes_with,
        details,
        materials,
        delivery_returns,
        pictures,
        picture_missing,
        filter,
        apply,
        clear_all,
        chosen_filters,
        remove_filter,
        price,
        price_min,
        price_max,
        price_under,
        price_over,
        availability,
        in_stock_only,
        sort,
        sort_featured,
        sort_best_match,
        sort_newest,
        sort_price_asc,
        sort_price_desc,
        page_of,
        pages,
        next,
        previous,
        products,
        no_products,
        empty_filter,
        empty_filter_hint,
        empty_shelf,
        empty_shelf_hint,
        empty_shop,
        empty_shop_hint,
        search_label,
        search_submit,
        search_none,
        search_hint,
        not_found,
        not_found_help,
        gone,
        gone_help,
        bad_request,
        bad_request_help,
        forbidden,
        forbidden_help,
        conflict,
        conflict_help,
        too_large,
        too_large_help,
        too_many,
        too_many_help,
        server_error,
        server_error_help,
        out_of_reach,
        out_of_reach_help,
        reference,
        back_home,
        back_to_cart,
    }
    plural {
        badge_items,
        colours,
        left,
        days_to_return,
        product_count,
        show_products,
        search_results,
    }
}

/// The messages of a locale.
pub fn shop(locale: Locale) -> &'static Shop {
    by_locale!(Shop, locale, {
        en_us: en_us::EN_US, en_gb: en_gb::EN_GB, en_ca: en_ca::EN_CA, de: de::DE, fr: fr::FR, fr_ca: fr_ca::FR_CA, ja: ja::JA, ko: ko::KO,
    })
}
