//! The hosted page's words in five languages, and its own way to write an amount. The shop's messages are not the provider's.

use super::cards::Behaviour;
use domain::{money::Money, payment::Decline};

/// Everything the page says.
pub struct Words {
    pub tag: &'static str,
    pub title: &'static str,
    pub order: &'static str,
    pub amount: &'static str,
    pub card: &'static str,
    pub number: &'static str,
    pub expiry: &'static str,
    pub code: &'static str,
    pub name: &'static str,
    pub pay: &'static str,
    pub cancel: &'static str,
    pub wrong_number: &'static str,
    pub wrong_expiry: &'static str,
    pub wrong_code: &'static str,
    pub wrong_name: &'static str,
    pub summary: &'static str,
    pub challenge_title: &'static str,
    pub challenge_text: &'static str,
    pub confirm: &'static str,
    pub refuse: &'static str,
    pub test_title: &'static str,
    pub test_text: &'static str,
    /// What the three groups of cards are called.
    pub groups: [&'static str; 3],
    pays: &'static str,
    challenges: &'static str,
    pays_later: &'static str,
    pays_days_later: &'static str,
    fails_days_later: &'static str,
    declines: [&'static str; 5],
    refunds_later: &'static str,
    refunds_bounce: &'static str,
    refunds_refused: &'static str,
    /// Won, lost.
    disputes: [&'static str; 2],
    inquires: &'static str,
}

impl Words {
    /// By the locale in the merchant's request, English for any other.
    pub fn of(locale: &str) -> &'static Self {
        match locale.get(..2) {
            Some("de") => &DE,
            Some("fr") => &FR,
            Some("ja") => &JA,
            Some("ko") => &KO,
            _ => &EN,
        }
    }

    /// What a card does.
    pub fn does(&self, behaviour: Behaviour) -> &'static str {
        match behaviour {
            Behaviour::Pays => self.pays,
            Behaviour::Challenges => self.challenges,
            Behaviour::PaysLater => self.pays_later,
            Behaviour::PaysDaysLater => self.pays_days_later,
            Behaviour::FailsDaysLater => self.fails_days_later,
            Behaviour::Declines(reason) => {
                let at = Decline::ALL.iter().position(|known| *known == reason).unwrap_or(0);
                self.declines[at]
            }
            Behaviour::RefundsLater => self.refunds_later,
            Behaviour::RefundsBounce => self.refunds_bounce,
            Behaviour::RefundsRefused => self.refunds_refused,
            Behaviour::Disputes { won: true } => self.disputes[0],
            Behaviour::Disputes { won: false } => self.disputes[1],
            Behaviour::Inquires => self.inquires,
        }
    }
}

/// An amount as people in that locale write it.
pub fn amount(money: Money, locale: &str) -> String {
    let decimal = money.decimal();
    let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
    let (group, point) = match locale {
        "de-de" => (".", ","),
        "fr-fr" | "fr-ca" => ("\u{202f}", ","),
        _ => (",", "."),
    };
    let mut figure = String::new();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            figure.push_str(group);
        }
        figure.push(digit);
    }
    if !fraction.is_empty() {
        figure.push_str(point);
        figure.push_str(fraction);
    }
    let code = money.currency.code();
    let symbol = match (code, locale) {
        ("USD", "en-us") | ("CAD", "en-ca" | "fr-ca") => "$",
        ("USD", _) => "US$",
        ("CAD", _) => "CA$",
        ("GBP", _) => "£",
        ("EUR", _) => "€",
        ("JPY", "ja-jp") => "￥",
        ("JPY", _) => "¥",
        ("KRW", _) => "₩",
        _ => code,
    };
    if matches!(locale, "de-de" | "fr-fr" | "fr-ca") || symbol == code { format!("{figure}\u{a0}{symbol}") } else { format!("{symbol}{figure}") }
}

static EN: Words = Words {
    tag: "en",
    title: "Pay",
    order: "Order",
    amount: "Amount",
    card: "Card",
    number: "Card number",
    expiry: "Expiry date (MM / YY)",
    code: "Security code",
    name: "Name on card",
    pay: "Pay",
    cancel: "Cancel and return",
    wrong_number: "Check the card number: a digit is wrong or missing.",
    wrong_expiry: "Enter the date on the card, for example 04 / 30.",
    wrong_code: "Enter the three or four digits of the security code.",
    wrong_name: "Enter the name as it stands on the card.",
    summary: "Some fields need another look",
    challenge_title: "Confirm with your bank",
    challenge_text: "Your bank asks whether you want to make this payment (3-D Secure).",
    confirm: "Confirm payment",
    refuse: "Refuse",
    test_title: "Test cards",
    test_text: "This is a test payment page: no money moves. Any future date, code and name will do. Other numbers are declined.",
    groups: ["Pay", "Don’t pay", "Pay, with an aftermath"],
    pays: "pays",
    challenges: "asks for 3-D Secure",
    pays_later: "pays ten seconds later",
    pays_days_later: "is under way, and pays three days later",
    fails_days_later: "is under way, and fails three days later",
    declines: ["is declined", "has insufficient funds", "has expired", "has a wrong security code", "fails 3-D Secure"],
    refunds_later: "refunds are under way for two days",
    refunds_bounce: "refunds arrive, and come back five days later",
    refunds_refused: "refunds are refused",
    disputes: ["is disputed; you win after two weeks", "is disputed; you lose after two weeks"],
    inquires: "its bank asks, and claims the money after a week; you win two weeks later",
};

static DE: Words = Words {
    tag: "de",
    title: "Bezahlen",
    order: "Bestellung",
    amount: "Betrag",
    card: "Karte",
    number: "Kartennummer",
    expiry: "Gültig bis (MM / JJ)",
    code: "Prüfnummer",
    name: "Name auf der Karte",
    pay: "Bezahlen",
    cancel: "Abbrechen und zurück",
    wrong_number: "Bitte die Kartennummer prüfen: Eine Ziffer fehlt oder ist falsch.",
    wrong_expiry: "Bitte das Datum von der Karte eingeben, zum Beispiel 04 / 30.",
    wrong_code: "Bitte die drei oder vier Ziffern der Prüfnummer eingeben.",
    wrong_name: "Bitte den Namen so eingeben, wie er auf der Karte steht.",
    summary: "Einige Felder stimmen noch nicht",
    challenge_title: "Bei der Bank bestätigen",
    challenge_text: "Ihre Bank fragt, ob Sie diese Zahlung ausführen möchten (3-D Secure).",
    confirm: "Zahlung bestätigen",
    refuse: "Ablehnen",
    test_title: "Testkarten",
    test_text: "Dies ist eine Testseite: Es fließt kein Geld. Datum in der Zukunft, Prüfnummer und Name sind beliebig. Andere Nummern werden abgelehnt.",
    groups: ["Bezahlen", "Bezahlen nicht", "Bezahlen, mit Nachspiel"],
    pays: "bezahlt",
    challenges: "verlangt 3-D Secure",
    pays_later: "bezahlt zehn Sekunden später",
    pays_days_later: "ist unterwegs und bezahlt drei Tage später",
    fails_days_later: "ist unterwegs und scheitert drei Tage später",
    declines: ["wird abgelehnt", "ist nicht gedeckt", "ist abgelaufen", "hat eine falsche Prüfnummer", "scheitert an 3-D Secure"],
    refunds_later: "Erstattungen sind zwei Tage unterwegs",
    refunds_bounce: "Erstattungen kommen an und nach fünf Tagen zurück",
    refunds_refused: "Erstattungen werden abgelehnt",
    disputes: ["wird angefochten; Sie gewinnen nach zwei Wochen", "wird angefochten; Sie verlieren nach zwei Wochen"],
    inquires: "ihre Bank fragt nach und fordert nach einer Woche das Geld zurück; Sie gewinnen zwei Wochen später",
};

static FR: Words = Words {
    tag: "fr",
    title: "Paiement",
    order: "Commande",
    amount: "Montant",
    card: "Carte",
    number: "Numéro de carte",
    expiry: "Date d’expiration (MM / AA)",
    code: "Code de sécurité",
    name: "Nom sur la carte",
    pay: "Payer",
    cancel: "Annuler et revenir",
    wrong_number: "Vérifiez le numéro de carte : un chiffre est faux ou manque.",
    wrong_expiry: "Saisissez la date de la carte, par exemple 04 / 30.",
    wrong_code: "Saisissez les trois ou quatre chiffres du code de sécurité.",
    wrong_name: "Saisissez le nom tel qu’il figure sur la carte.",
    summary: "Certains champs sont à revoir",
    challenge_title: "Confirmez auprès de votre banque",
    challenge_text: "Votre banque demande si vous souhaitez effectuer ce paiement (3-D Secure).",
    confirm: "Confirmer le paiement",
    refuse: "Refuser",
    test_title: "Cartes de test",
    test_text: "Ceci est une page de test : aucun argent ne circule. Date future, code et nom au choix. Les autres numéros sont refusés.",
    groups: ["Paient", "Ne paient pas", "Paient, avec des suites"],
    pays: "paie",
    challenges: "demande 3-D Secure",
    pays_later: "paie dix secondes plus tard",
    pays_days_later: "est en cours et paie trois jours plus tard",
    fails_days_later: "est en cours et échoue trois jours plus tard",
    declines: ["est refusée", "n’est pas approvisionnée", "a expiré", "a un code de sécurité erroné", "échoue à 3-D Secure"],
    refunds_later: "les remboursements sont en cours deux jours",
    refunds_bounce: "les remboursements arrivent et reviennent cinq jours plus tard",
    refunds_refused: "les remboursements sont refusés",
    disputes: ["est contestée ; vous gagnez après deux semaines", "est contestée ; vous perdez après deux semaines"],
    inquires: "sa banque se renseigne, puis réclame l’argent après une semaine ; vous gagnez deux semaines plus tard",
};

static JA: Words = Words {
    tag: "ja",
    title: "お支払い",
    order: "ご注文番号",
    amount: "お支払い金額",
    card: "カード",
    number: "カード番号",
    expiry: "有効期限（月 / 年）",
    code: "セキュリティコード",
    name: "カード名義",
    pay: "支払う",
    cancel: "キャンセルして戻る",
    wrong_number: "カード番号をご確認ください。数字が間違っているか、足りません。",
    wrong_expiry: "カードに記載の有効期限をご入力ください（例：04 / 30）。",
    wrong_code: "3桁または4桁のセキュリティコードをご入力ください。",
    wrong_name: "カードに記載のお名前をご入力ください。",
    summary: "入力内容をご確認ください",
    challenge_title: "カード会社での確認",
    challenge_text: "このお支払いを行ってよいか、カード会社が確認しています（3Dセキュア）。",
    confirm: "支払いを確認する",
    refuse: "拒否する",
    test_title: "テストカード",
    test_text: "これはテスト用の支払いページです。実際の請求はありません。有効期限（将来の日付）、コード、名義は任意です。下記以外の番号は拒否されます。",
    groups: ["支払い成功", "支払い失敗", "支払い後に動きあり"],
    pays: "支払い成功",
    challenges: "3Dセキュア認証あり",
    pays_later: "10秒後に支払い成功",
    pays_days_later: "処理中になり、3日後に支払い成功",
    fails_days_later: "処理中になり、3日後に失敗",
    declines: ["拒否", "残高不足", "期限切れ", "セキュリティコード誤り", "3Dセキュア認証失敗"],
    refunds_later: "返金は2日間処理中",
    refunds_bounce: "返金は完了するが、5日後に戻される",
    refunds_refused: "返金は拒否",
    disputes: ["異議申し立てあり、2週間後に勝訴", "異議申し立てあり、2週間後に敗訴"],
    inquires: "銀行からの照会あり、1週間後に異議申し立て、その2週間後に勝訴",
};

static KO: Words = Words {
    tag: "ko",
    title: "결제",
    order: "주문 번호",
    amount: "결제 금액",
    card: "카드",
    number: "카드 번호",
    expiry: "유효기간 (월 / 년)",
    code: "보안 코드",
    name: "카드 소유자 이름",
    pay: "결제하기",
    cancel: "취소하고 돌아가기",
    wrong_number: "카드 번호를 확인해 주세요. 숫자가 틀렸거나 빠졌습니다.",
    wrong_expiry: "카드에 적힌 유효기간을 입력해 주세요. 예: 04 / 30",
    wrong_code: "보안 코드 3자리 또는 4자리를 입력해 주세요.",
    wrong_name: "카드에 적힌 이름을 입력해 주세요.",
    summary: "입력 내용을 다시 확인해 주세요",
    challenge_title: "카드사 본인 인증",
    challenge_text: "카드사에서 이 결제를 진행할지 확인하고 있습니다(3-D Secure).",
    confirm: "결제 승인",
    refuse: "거절",
    test_title: "테스트 카드",
    test_text: "테스트용 결제 페이지입니다. 실제로 청구되지 않습니다. 유효기간(미래 날짜), 보안 코드, 이름은 아무거나 입력할 수 있습니다. 다른 번호는 거절됩니다.",
    groups: ["결제됨", "결제되지 않음", "결제 후 문제 발생"],
    pays: "결제됨",
    challenges: "3-D Secure 인증 요청",
    pays_later: "10초 뒤 결제됨",
    pays_days_later: "처리 중이며 3일 뒤 결제됨",
    fails_days_later: "처리 중이며 3일 뒤 실패",
    declines: ["거절됨", "잔액 부족", "유효기간 만료", "보안 코드 오류", "3-D Secure 인증 실패"],
    refunds_later: "환불이 이틀 동안 처리 중",
    refunds_bounce: "환불이 완료되었다가 5일 뒤 되돌아옴",
    refunds_refused: "환불 거절됨",
    disputes: ["이의 제기됨, 2주 뒤 승소", "이의 제기됨, 2주 뒤 패소"],
    inquires: "은행이 문의하고 1주 뒤 이의 제기, 그 2주 뒤 승소",
};

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Currency;

    #[test]
    fn amounts_have_their_currencys_decimals() {
        for (minor, currency, locale, expected) in [
            (4800, Currency::USD, "en-us", "$48.00"),
            (123_456_789, Currency::USD, "en-gb", "US$1,234,567.89"),
            (123_456, Currency::EUR, "de-de", "1.234,56\u{a0}€"),
            (123_456, Currency::CAD, "fr-ca", "1\u{202f}234,56\u{a0}$"),
            (4620, Currency::JPY, "ja-jp", "￥4,620"),
            (64_000, Currency::KRW, "ko-kr", "₩64,000"),
            (999, Currency::GBP, "en-gb", "£9.99"),
        ] {
            assert_eq!(amount(Money::new(minor, currency), locale), expected);
        }
    }
}
