//! Names of hosts in other scripts than ours, as whatever makes requests reads them: `edge/idna` stands for the crate that knows Unicode.

/// Examples of RFC 5891 to 5893 and of UTS 46, as browsers read them.
#[test]
fn names_of_hosts_are_read_as_browsers_read_them() {
    for (name, host) in [
        ("Shop.Example", "shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("ｓｈｏｐ。example", "shop.example"),
        ("ショップ.example", "xn--xckya1d0c.example"),
        ("상점.example", "xn--hg4bs7k.example"),
        ("مثال.example", "xn--mgbh0fb.example"),
        ("नी\u{200d}.example", ""),
        ("क\u{94d}\u{200d}ष.example", "xn--11b2ezcw70k.example"),
        ("\u{300}a.example", ""),
        ("1א.example", ""),
        ("xn--a.example", ""),
    ] {
        let read = reqwest::Url::parse(&format!("https://{name}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host.is_empty() {
            assert_eq!(read, None, "{name}");
        } else {
            assert_eq!(read.as_deref(), Some(host), "{name}");
        }
    }
}
