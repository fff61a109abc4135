//! Messages about discount codes: the field, each reason why a code gives nothing, and how an amount came about.

use super::{by_locale, messages};
use domain::locale::Locale;

messages! {
    /// What cart, checkout and order pages say about discount codes.
    Coupon {
        field,
        apply,
        remove_of,
        said_applied,
        said_removed,
        missing,
        unknown,
        not_yet,
        over,
        used_up,
        used_by_you,
        below_minimum,
        elsewhere,
        nothing,
        too_many,
        why_percent,
        why_amount,
        why_delivery,
    }
    plural {}
}

/// The messages of a locale.
pub fn coupon(locale: Locale) -> &'static Coupon {
    by_locale!(Coupon, locale, { en_us: EN, en_gb: EN, en_ca: EN, de: DE, fr: FR, fr_ca: FR_CA, ja: JA, ko: KO })
}

const EN: Coupon = Coupon {
    field: "Discount code",
    apply: "Apply",
    remove_of: "Remove discount code: {code}",
    said_applied: "Discount code applied: {code}",
    said_removed: "The discount code was removed.",
    missing: "Please type a code first.",
    unknown: "We do not know the code {code}. Please check how it is spelled.",
    not_yet: "The code {code} is valid from {date} on.",
    over: "The code {code} has ended.",
    used_up: "The code {code} has been used up.",
    used_by_you: "The code {code} has already been used with this email address.",
    below_minimum: "{amount} more is needed for the code {code}.",
    elsewhere: "The code {code} is not valid in this country ({country}).",
    nothing: "The code {code} does not apply to anything in this order.",
    too_many: "That was a lot of codes in a short time. Please wait a minute and try again.",
    why_percent: "{rate} of {base}, rounded once for the whole order.",
    why_amount: "{amount} off the items that the code counts for, at most what they cost.",
    why_delivery: "Standard delivery costs nothing with this code.",
};

const DE: Coupon = Coupon {
    field: "Rabattcode",
    apply: "Einlösen",
    remove_of: "Rabattcode entfernen: {code}",
    said_applied: "Rabattcode eingelöst: {code}",
    said_removed: "Der Rabattcode wurde entfernt.",
    missing: "Bitte geben Sie zuerst einen Code ein.",
    unknown: "Den Code {code} kennen wir nicht. Bitte prüfen Sie die Schreibweise.",
    not_yet: "Der Code {code} gilt ab dem {date}.",
    over: "Der Code {code} ist abgelaufen.",
    used_up: "Der Code {code} ist aufgebraucht.",
    used_by_you: "Der Code {code} wurde mit dieser E-Mail-Adresse schon eingelöst.",
    below_minimum: "Für den Code {code} fehlen noch {amount}.",
    elsewhere: "Der Code {code} gilt nicht in diesem Land ({country}).",
    nothing: "Der Code {code} passt auf nichts in dieser Bestellung.",
    too_many: "Das waren viele Codes in kurzer Zeit. Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal.",
    why_percent: "{rate} von {base}, einmal für die ganze Bestellung gerundet.",
    why_amount: "{amount} auf die Artikel, für die der Code zählt; höchstens, was sie kosten.",
    why_delivery: "Mit diesem Code ist der Standardversand kostenlos.",
};

const FR: Coupon = Coupon {
    field: "Code promo",
    apply: "Appliquer",
    remove_of: "Retirer le code promo : {code}",
    said_applied: "Code promo appliqué : {code}",
    said_removed: "Le code promo a été retiré.",
    missing: "Veuillez d’abord saisir un code.",
    unknown: "Nous ne connaissons pas le code {code}. Veuillez vérifier l’orthographe.",
    not_yet: "Le code {code} est valable à partir du {date}.",
    over: "Le code {code} a expiré.",
    used_up: "Le code {code} est épuisé.",
    used_by_you: "Le code {code} a déjà été utilisé avec cette adresse e-mail.",
    below_minimum: "Il manque {amount} pour le code {code}.",
    elsewhere: "Le code {code} n’est pas valable dans ce pays ({country}).",
    nothing: "Le code {code} ne s’applique à rien dans cette commande.",
    too_many: "Cela fait beaucoup de codes en peu de temps. Patientez une minute, puis réessayez.",
    why_percent: "{rate} de {base}, arrondi une fois pour toute la commande.",
    why_amount: "{amount} sur les articles concernés par le code, au plus leur prix.",
    why_delivery: "Avec ce code, la livraison standard est gratuite.",
};

const FR_CA: Coupon = Coupon { field: "Code promotionnel", used_by_you: "Le code {code} a déjà été utilisé avec cette adresse courriel.", ..FR };

const JA: Coupon = Coupon {
    field: "クーポンコード",
    apply: "適用する",
    remove_of: "クーポンコードを外す：{code}",
    said_applied: "クーポンコードを適用しました：{code}",
    said_removed: "クーポンコードを外しました。",
    missing: "コードを入力してください。",
    unknown: "コード「{code}」は見つかりませんでした。入力内容をご確認ください。",
    not_yet: "コード「{code}」は{date}からご利用いただけます。",
    over: "コード「{code}」の有効期間は終了しました。",
    used_up: "コード「{code}」は利用上限に達しました。",
    used_by_you: "コード「{code}」は、このメールアドレスですでにご利用済みです。",
    below_minimum: "コード「{code}」のご利用には、あと{amount}必要です。",
    elsewhere: "コード「{code}」はこの国（{country}）ではご利用いただけません。",
    nothing: "コード「{code}」の対象となるものが、このご注文にありません。",
    too_many: "短時間に多くのコードが入力されました。1分ほど待ってから、もう一度お試しください。",
    why_percent: "{base}の{rate}です。端数処理は注文全体で1回です。",
    why_amount: "対象商品から{amount}引きです（商品の金額が上限）。",
    why_delivery: "このコードで通常配送が無料になります。",
};

const KO: Coupon = Coupon {
    field: "쿠폰 코드",
    apply: "적용",
    remove_of: "쿠폰 코드 삭제: {code}",
    said_applied: "쿠폰 코드를 적용했습니다: {code}",
    said_removed: "쿠폰 코드를 삭제했습니다.",
    missing: "코드를 먼저 입력해 주세요.",
    unknown: "{code} 코드를 찾을 수 없습니다. 철자를 확인해 주세요.",
    not_yet: "{code} 코드는 {date}부터 사용할 수 있습니다.",
    over: "{code} 코드의 사용 기간이 끝났습니다.",
    used_up: "{code} 코드는 모두 사용되었습니다.",
    used_by_you: "{code} 코드는 이 이메일 주소로 이미 사용했습니다.",
    below_minimum: "{code} 코드를 쓰려면 {amount}이(가) 더 필요합니다.",
    elsewhere: "{code} 코드는 이 국가({country})에서 사용할 수 없습니다.",
    nothing: "이 주문에는 {code} 코드가 적용되는 것이 없습니다.",
    too_many: "짧은 시간에 코드를 너무 많이 입력했습니다. 1분 뒤에 다시 시도해 주세요.",
    why_percent: "{base}의 {rate}이며, 주문 전체에 대해 한 번 반올림합니다.",
    why_amount: "코드가 적용되는 상품에서 {amount} 할인됩니다(상품 금액 한도).",
    why_delivery: "이 코드로 일반 배송이 무료입니다.",
};
