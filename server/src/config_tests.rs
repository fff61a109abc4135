//! What is taken from options, variables and a file, and what is refused.

use super::*;

fn options(set: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    set(&mut options);
    options
}

#[test]
fn defaults_serve_everything_embedded() -> anyhow::Result<()> {
    let config = Config::checked(Options::default(), Options::default())?;
    assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
    assert_eq!(&*config.url, "http://127.0.0.1:3000");
    assert_eq!(config.database_url, "sqlite:./data/shop.db");
    assert!(config.demo && config.rate_limits && !config.is_https());
    assert_eq!((config.dynamodb, config.test_provider), (Place::Embedded { file: Some("./data/table.db".into()) }, TestProvider::Spawn));
    Ok(())
}

#[test]
fn options_win_over_the_file_and_the_file_over_defaults() -> anyhow::Result<()> {
    let file: Options =
        toml::from_str("addr = '0.0.0.0:80'\ndata = '/srv'\ndemo = false\nrate-limits = false\ntrusted_proxies = ['10.0.0.0/8', '::1']")?;
    let config = Config::checked(options(|o| o.addr = Some("[::1]:81".to_owned())), file)?;
    assert_eq!(config.addr.to_string(), "[::1]:81");
    assert_eq!(&*config.url, "http://[::1]:81");
    let everywhere = Config::checked(options(|o| o.addr = Some("0.0.0.0:82".to_owned())), Options::default())?;
    assert_eq!((everywhere.addr.to_string().as_str(), &*everywhere.url), ("0.0.0.0:82", "http://127.0.0.1:82"));
    assert_eq!(config.database_url, "sqlite:/srv/shop.db");
    assert!(!config.demo && !config.rate_limits);
    assert!(config.trusts("10.1.2.3".parse()?) && config.trusts("::ffff:10.1.2.3".parse()?) && !config.trusts("11.0.0.1".parse()?));
    Ok(())
}

#[test]
fn bad_values_are_refused_with_what_to_set() {
    type Set = fn(&mut Options);
    let table: [(&str, Set); 12] = [
        ("RUST_LOG", |o| o.log_filter = Some("server=loud".to_owned())),
        ("NEXTGEN_ADDR", |o| o.addr = Some("3000".to_owned())),
        ("NEXTGEN_URL", |o| o.url = Some("shop.example".to_owned())),
        ("NEXTGEN_URL", |o| o.url = Some("https://shop.example/de".to_owned())),
        ("NEXTGEN_DEMO", |o| o.demo = Some("yes".to_owned())),
        ("DATABASE_URL", |o| o.database_url = Some("mysql://root@localhost/shop".to_owned())),
        ("NEXTGEN_DYNAMODB", |o| o.dynamodb = Some("local".to_owned())),
        ("NEXTGEN_DYNAMODB_TABLE", |o| o.dynamodb_table = Some("a b c".to_owned())),
        ("NEXTGEN_RATE_LIMITS", |o| o.rate_limits = Some("no".to_owned())),
        ("NEXTGEN_TRUSTED_PROXIES", |o| o.trusted_proxies = Some("10.0.0.0/33".to_owned())),
        ("NEXTGEN_TEST_PROVIDER", |o| o.test_provider = Some("stripe".to_owned())),
        ("NEXTGEN_PAYMENTS", |o| o.payments = Some("paypal".to_owned())),
    ];
    for (name, set) in table {
        let said = Config::checked(options(set), Options::default()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(name) && said.contains("set it") || said.contains("must begin"), "{name}: {said:?}");
        assert!(!said.contains('\n'), "one sentence: {said}");
    }
}

#[test]
fn unknown_names_are_refused() {
    assert!(refuse_unknown(["NEXTGEN_ADRR".to_owned()].into_iter()).is_err_and(|error| error.to_string().contains("NEXTGEN_ADRR")));
    assert!(refuse_unknown(["NEXTGEN_ADDR".to_owned(), "PATH".to_owned()].into_iter()).is_ok());
    assert!(toml::from_str::<Options>("adress = '127.0.0.1:3000'").is_err());
}

#[test]
fn stripe_needs_its_two_secrets() -> anyhow::Result<()> {
    let stripe = |key: &str, webhook: &str, base: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let set = Options { payments: some("stripe"), stripe_secret_key: some(key), stripe_webhook_secret: some(webhook), ..Options::default() };
        Config::checked(Options { stripe_api_base: some(base), ..set }, Options::default()).map(|config| config.stripe)
    };
    let access = stripe("sk_test_1", "whsec_1, whsec_2", "")?.expect("an account");
    assert_eq!((&*access.api_base, access.checkout_origin()), ("https://api.stripe.com", "https://checkout.stripe.com"));
    assert_eq!(access.webhook_secrets, ["whsec_1", "whsec_2"]);
    assert!(!format!("{access:?}").contains("_1"), "secrets stay out of logs");
    let local = stripe("rk_live_1", "whsec_1", "http://127.0.0.1:12111")?.expect("an account");
    assert_eq!((&*local.api_base, local.checkout_origin()), ("http://127.0.0.1:12111", "http://127.0.0.1:12111"));
    for (key, webhook, base, name) in [
        ("", "whsec_1", "", "STRIPE_SECRET_KEY"),
        ("pk_test_1", "whsec_1", "", "STRIPE_SECRET_KEY"),
        ("sk_test_1\n", "whsec_1", "ftp://x", "STRIPE_API_BASE"),
        ("sk_te st", "whsec_1", "", "STRIPE_SECRET_KEY"),
        ("sk_test_1", "", "", "STRIPE_WEBHOOK_SECRET"),
        ("sk_test_1", "whsec_1, secret", "", "STRIPE_WEBHOOK_SECRET"),
        ("sk_test_1", "whsec_1", "http://127.0.0.1.evil.example", "STRIPE_API_BASE"),
        ("sk_test_1", "whsec_1", "https://api.stripe.com/v1", "STRIPE_API_BASE"),
    ] {
        let said = stripe(key, webhook, base).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(name) && said.contains("set ") && !said.contains('\n'), "{name}: {said:?}");
        assert!(!said.contains("sk_te"), "no key in a sentence: {said}");
    }
    assert!(Config::checked(options(|o| o.stripe_secret_key = Some("sk_test_1".to_owned())), Options::default())?.stripe.is_none());
    Ok(())
}
