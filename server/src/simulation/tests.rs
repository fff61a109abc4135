//! Ten thousand histories, and those that were once broken.

use super::{
    Deed, Fate, History, Rules, Step, live, many, once_broken,
    provider::Session,
    store::{DELIVERY_MINOR, Form, PRICE_MINOR},
};

/// Seeds of histories that once broke; each is lived again. What a seed tells changes with what is drawn: what is to stay is kept as steps.
const KNOWN: [u64; 2] = [1_536, 2_872];

#[test]
fn ten_thousand_histories_break_no_rule() {
    let counts = many(0..10_000, Rules::OURS).unwrap_or_else(|broken| panic!("{broken}"));
    for (what, count) in &counts {
        println!("{count:>9} {what}");
    }
    // A simulation in which nothing happens proves nothing.
    for what in [
        "lapsed orders paid late and sold",
        "lapsed orders paid late, pieces gone",
        "servers killed at work",
        "messages heard twice",
        "messages lost",
        "replies lost",
        "clocks put back",
        "wrong amounts captured",
        "failed refunds asked for again",
        "inquiries that became disputes",
        "disputes lost",
        "returns exchanged",
        "paid pieces cancelled",
    ] {
        assert!(counts.contains_key(what), "never: {what}");
    }
}

#[test]
fn histories_that_once_broke_stay_whole() {
    for seed in KNOWN {
        live(seed, Rules::OURS).unwrap_or_else(|broken| panic!("{broken}"));
    }
    for history in once_broken() {
        assert_eq!(history.replay(Rules::OURS).fault, None, "{history:?}");
    }
}

#[test]
fn a_refund_that_failed_and_was_replaced_is_not_paid_outside_as_well() {
    let total = PRICE_MINOR + DELIVERY_MINOR;
    let form = Form { cart: 0, version: 0, address: 0, key: 0, wanted: [1, 0] };
    let run = |times: usize| std::iter::repeat_n(Step::Run { task: 0, fate: Fate::Refused }, times);
    let mut steps = vec![Step::Receive { variant: 0, location: 0, pieces: 1 }, Step::Place { server: 0, form }];
    steps.extend(run(7));
    steps.push(Step::Become { account: 0, session: Session::Captured(total) });
    steps.push(Step::Deliver { server: 0, mail: 0, again: false });
    steps.push(Step::Do { order: 0, deed: Deed::Cancel { line: None, pieces: 0 } });
    steps.push(Step::Tend { server: 0 });
    steps.extend(run(5));
    steps.push(Step::Do { order: 0, deed: Deed::Goodwill { minor: total } });
    steps.push(Step::Do { order: 0, deed: Deed::SettleOutside });
    let world = History { is_gated: false, steps }.replay(Rules::OURS);
    assert_eq!(world.fault, None);
    assert!(world.counts.contains_key("goodwill refunds") && !world.counts.contains_key("stuck refunds settled outside"), "{:?}", world.counts);
}

#[test]
fn a_seed_tells_the_whole_history() {
    assert_eq!(live(7, Rules::OURS).ok(), live(7, Rules::OURS).ok());
}

#[test]
fn a_broken_history_prints_a_line_that_lives_it_again() {
    let believes_everything = Rules { hear_refund: |order, refund, _| order.hear_refund(refund, domain::refund::RefundNews::Issued), ..Rules::OURS };
    let broken = many(0..2_000, believes_everything).expect_err("it counts refunds that were refused");
    let printed = broken.to_string();
    let line = printed.lines().last().expect("a line");
    let kept: History = serde_json::from_str(line).expect("a line of the file");
    assert_eq!(kept.steps, broken.steps);
    assert!(kept.replay(believes_everything).fault.is_some() && kept.replay(Rules::OURS).fault.is_none(), "{printed}");
}
