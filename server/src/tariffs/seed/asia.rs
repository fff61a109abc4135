//! Consumption tax of Japan and value added tax of Korea, both in the price.

use super::{Row, day};
use domain::tax::{DELIVERY, Scope};

pub(super) fn rows() -> impl Iterator<Item = Row> {
    ASIA.iter().copied()
}

const JAPAN: Row = Row {
    country: "JP",
    region: "",
    category: "",
    name: "consumption tax",
    millionths: 80_000,
    scope: Scope::All,
    estimated: false,
    from: day(2014, 4, 1),
    source: "消費税法 第29条, 地方税法 第72条の83",
};
const KOREA: Row = Row {
    country: "KR",
    region: "",
    category: "",
    name: "VAT",
    millionths: 100_000,
    scope: Scope::All,
    estimated: false,
    from: day(1977, 7, 1),
    source: "부가가치세법 제30조; https://www.law.go.kr/법령/부가가치세법/제30조",
};

const ASIA: &[Row] = &[
    JAPAN,
    Row {
        millionths: 100_000,
        from: day(2019, 10, 1),
        source: "消費税法 第29条, 地方税法 第72条の83; https://www.nta.go.jp/taxes/shiraberu/taxanswer/shohi/6303.htm",
        ..JAPAN
    },
    // Delivery that is charged beside food is no price of food: it bears the general rate (消費税の軽減税率制度に関するQ&A 個別事例編).
    Row {
        category: "food",
        from: day(2019, 10, 1),
        source: "消費税法 別表第一, 第2条第1項第9号の2; https://www.nta.go.jp/taxes/shiraberu/taxanswer/shohi/6102.htm",
        ..JAPAN
    },
    KOREA,
    Row { category: "books", millionths: 0, from: day(1977, 7, 1), source: "부가가치세법 제26조 제1항 제8호", ..KOREA },
    Row {
        category: DELIVERY, millionths: 0, scope: Scope::AsGoods, source: "부가가치세법 제14조 (부수 재화 및 부수 용역의 공급)", ..KOREA
    },
];
