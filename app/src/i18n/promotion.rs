//! Messages about promotions: how each came to its amount, why another one did not apply, and what is missing for it.

use super::{Plural, by_locale, messages};
use domain::locale::Locale;

messages! {
    /// What cart, checkout, order pages and the operators' pages say about promotions.
    Promotion {
        how_percent,
        how_amount,
        how_delivery,
        how_fixed,
        how_free,
        how_less,
        how_pieces,
        how_value,
        not_applied,
        not_yet,
        over,
        used_up,
        used_by_you,
        below_minimum,
        elsewhere,
        nothing,
        beaten,
        not_combinable,
        more_value,
    }
    plural {
        too_few,
        more_pieces,
    }
}

/// The messages of a locale.
pub fn promotion(locale: Locale) -> &'static Promotion {
    by_locale!(Promotion, locale, { en_us: EN, en_gb: EN, en_ca: EN, de: DE, fr: FR, fr_ca: FR_CA, ja: JA, ko: KO })
}

const EN: Promotion = Promotion {
    how_percent: "{rate} of {base}, rounded once for the whole order.",
    how_amount: "{amount} off the items that it counts for, at most what they cost.",
    how_delivery: "Standard delivery costs nothing.",
    how_fixed: "{price} each for {count} of your items.",
    how_free: "Free in each group of {size}: {get}, the cheapest first ({groups} × here). The saving is spread over the whole group.",
    how_less: "{rate} off in each group of {size}: {get}, the cheapest first ({groups} × here). The saving is spread over the whole group.",
    how_pieces: "{off} off from {from} items on; you have {count}.",
    how_value: "{off} off from {from} on; your items come to {value}.",
    not_applied: "What did not apply",
    not_yet: "It begins on {date}.",
    over: "It has ended.",
    used_up: "It has been used up.",
    used_by_you: "It has already been used with this email address.",
    below_minimum: "{amount} more is needed.",
    elsewhere: "It is not valid in this country ({country}).",
    nothing: "It does not apply to anything in this order.",
    beaten: "“{title}” saves you as much or more, and the two do not go together.",
    not_combinable: "It does not go together with “{title}”, which saves you more in this order.",
    more_value: "{amount} more for: {title}",
    too_few: Plural { one: "{count} more item is needed.", other: "{count} more items are needed." },
    more_pieces: Plural { one: "{count} more item for: {title}", other: "{count} more items for: {title}" },
};

const DE: Promotion = Promotion {
    how_percent: "{rate} von {base}, einmal für die ganze Bestellung gerundet.",
    how_amount: "{amount} auf die Artikel, die zählen; höchstens, was sie kosten.",
    how_delivery: "Der Standardversand ist kostenlos.",
    how_fixed: "Je {price} für {count} Ihrer Artikel.",
    how_free: "Von je {size} Artikeln kostenlos: {get}, der günstigste zuerst (hier {groups}-mal). Die Ersparnis verteilt sich auf alle {size}.",
    how_less: "Von je {size} Artikeln um {rate} reduziert: {get}, der günstigste zuerst (hier {groups}-mal). Die Ersparnis verteilt sich auf alle {size}.",
    how_pieces: "{off} Rabatt ab {from} Artikeln; es sind {count}.",
    how_value: "{off} Rabatt ab {from}; Ihre Artikel kosten {value}.",
    not_applied: "Was nicht galt",
    not_yet: "Das gilt ab dem {date}.",
    over: "Das gilt nicht mehr.",
    used_up: "Das ist aufgebraucht.",
    used_by_you: "Das wurde mit dieser E-Mail-Adresse schon eingelöst.",
    below_minimum: "Es fehlen noch {amount}.",
    elsewhere: "Das gilt nicht in diesem Land ({country}).",
    nothing: "Das passt auf nichts in dieser Bestellung.",
    beaten: "Mit „{title}“ sparen Sie genauso viel oder mehr, und beides zusammen geht nicht.",
    not_combinable: "Das geht nicht zusammen mit „{title}“; so sparen Sie in dieser Bestellung mehr.",
    more_value: "Noch {amount} bis: {title}",
    too_few: Plural { one: "Es fehlt noch {count} Artikel.", other: "Es fehlen noch {count} Artikel." },
    more_pieces: Plural { one: "Noch {count} Artikel bis: {title}", other: "Noch {count} Artikel bis: {title}" },
};

const FR: Promotion = Promotion {
    how_percent: "{rate} de {base}, arrondi une seule fois pour toute la commande.",
    how_amount: "{amount} de moins sur les articles concernés, au plus ce qu’ils coûtent.",
    how_delivery: "La livraison standard est offerte.",
    how_fixed: "{price} pièce pour {count} de vos articles.",
    how_free: "Offert par groupe de {size} : {get}, en commençant par le moins cher (ici {groups} fois). L’économie se répartit sur tout le groupe.",
    how_less: "{rate} de moins par groupe de {size} : {get}, en commençant par le moins cher (ici {groups} fois). L’économie se répartit sur tout le groupe.",
    how_pieces: "{off} de moins à partir de {from} articles ; vous en avez {count}.",
    how_value: "{off} de moins à partir de {from} ; vos articles coûtent {value}.",
    not_applied: "Ce qui ne s’est pas appliqué",
    not_yet: "Valable à partir du {date}.",
    over: "L’offre est terminée.",
    used_up: "L’offre est épuisée.",
    used_by_you: "L’offre a déjà été utilisée avec cette adresse e-mail.",
    below_minimum: "Il manque encore {amount}.",
    elsewhere: "L’offre n’est pas valable dans ce pays ({country}).",
    nothing: "Rien dans cette commande n’est concerné.",
    beaten: "« {title} » vous fait économiser autant ou plus, et les deux ne se cumulent pas.",
    not_combinable: "Non cumulable avec « {title} », plus avantageux pour cette commande.",
    more_value: "Encore {amount} pour : {title}",
    too_few: Plural { one: "Il manque encore {count} article.", other: "Il manque encore {count} articles." },
    more_pieces: Plural { one: "Encore {count} article pour : {title}", other: "Encore {count} articles pour : {title}" },
};

/// In Canada no space stands before a semicolon, and an email is a courriel.
const FR_CA: Promotion = Promotion {
    how_pieces: "{off} de moins à partir de {from} articles; vous en avez {count}.",
    how_value: "{off} de moins à partir de {from}; vos articles coûtent {value}.",
    used_by_you: "L’offre a déjà été utilisée avec cette adresse courriel.",
    ..FR
};

const JA: Promotion = Promotion {
    how_percent: "{base}の{rate}です。端数処理は注文全体で1回です。",
    how_amount: "対象商品から{amount}引きです（商品の金額が上限）。",
    how_delivery: "通常配送が無料です。",
    how_fixed: "対象の{count}点が各{price}になります。",
    how_free: "{size}点ごとに、お手頃な{get}点が無料です（{groups}組）。割引額はその組の全点に割り振られます。",
    how_less: "{size}点ごとに、お手頃な{get}点が{rate}引きです（{groups}組）。割引額はその組の全点に割り振られます。",
    how_pieces: "{from}点以上で{off}引きです（現在{count}点）。",
    how_value: "{from}以上で{off}引きです（対象商品の合計{value}）。",
    not_applied: "適用されなかったもの",
    not_yet: "{date}からご利用いただけます。",
    over: "有効期間は終了しました。",
    used_up: "利用上限に達しました。",
    used_by_you: "このメールアドレスですでにご利用済みです。",
    below_minimum: "あと{amount}必要です。",
    elsewhere: "この国（{country}）ではご利用いただけません。",
    nothing: "対象となるものが、このご注文にありません。",
    beaten: "「{title}」のほうが割引額が同じか大きく、併用はできません。",
    not_combinable: "「{title}」とは併用できません。このご注文ではそちらがお得です。",
    more_value: "あと{amount}で：{title}",
    too_few: Plural::same("あと{count}点必要です。"),
    more_pieces: Plural::same("あと{count}点で：{title}"),
};

const KO: Promotion = Promotion {
    how_percent: "{base}의 {rate}이며, 주문 전체에 대해 한 번 반올림합니다.",
    how_amount: "대상 상품에서 {amount} 할인됩니다(상품 금액 한도).",
    how_delivery: "일반 배송이 무료입니다.",
    how_fixed: "대상 상품 {count}개가 개당 {price}입니다.",
    how_free: "{size}개마다 가장 저렴한 {get}개가 무료입니다({groups}묶음). 할인 금액은 묶음 전체에 나누어집니다.",
    how_less: "{size}개마다 가장 저렴한 {get}개가 {rate} 할인됩니다({groups}묶음). 할인 금액은 묶음 전체에 나누어집니다.",
    how_pieces: "{from}개부터 {off} 할인됩니다(현재 {count}개).",
    how_value: "{from}부터 {off} 할인됩니다(대상 상품 금액 {value}).",
    not_applied: "적용되지 않은 혜택",
    not_yet: "{date}부터 사용할 수 있습니다.",
    over: "기간이 끝났습니다.",
    used_up: "모두 사용되었습니다.",
    used_by_you: "이 이메일 주소로 이미 사용했습니다.",
    below_minimum: "{amount}이(가) 더 필요합니다.",
    elsewhere: "이 국가({country})에서 사용할 수 없습니다.",
    nothing: "이 주문에는 적용되는 것이 없습니다.",
    beaten: "“{title}” 혜택이 같거나 더 크고, 함께 쓸 수 없습니다.",
    not_combinable: "“{title}”와(과) 함께 쓸 수 없으며, 이 주문에서는 그쪽이 더 유리합니다.",
    more_value: "{amount} 더 담으면: {title}",
    too_few: Plural::same("{count}개가 더 필요합니다."),
    more_pieces: Plural::same("{count}개 더 담으면: {title}"),
};
