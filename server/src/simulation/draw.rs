//! What happens next: drawn by seeded dice, or, at the end, whatever is still to be done.

use super::{
    deeds::Deed,
    dice::Dice,
    ops::{Fate, Op},
    provider::Session,
    store::{Form, LOCATIONS, VARIANTS},
    world::{RefundWord, Stage, Step, World},
};
use domain::{dispute::DisputeStage, offer::Instant, order::Pieces, refund::RefundNews};

const SECOND_US: Instant = 1_000_000;
const HOUR_US: Instant = 3_600 * SECOND_US;
/// Orders in one history; more would only be more of the same.
const ORDERS_MAX: usize = 5;
/// Tasks at once.
const TASKS_MAX: usize = 6;

/// What a history is like.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    servers: usize,
    carts: usize,
    /// One call of the provider in so many goes wrong.
    faults_in: usize,
    /// Whether anything is done with paid orders.
    has_house: bool,
    /// Whether clocks are put back.
    goes_back: bool,
    /// How many steps are drawn before everything comes to rest.
    pub steps: usize,
}

impl Temper {
    pub fn draw(dice: &mut Dice, is_gated: bool) -> Self {
        Self {
            servers: 1 + dice.below(2),
            carts: 1 + dice.below(3),
            faults_in: [3, 8, 30][dice.below(3)],
            has_house: dice.below(3) > 0,
            goes_back: !is_gated && dice.one_in(4),
            steps: 40 + dice.below(120),
        }
    }
}

/// What is on the shelves at first.
pub fn opening(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    for variant in 0..VARIANTS {
        for location in 0..LOCATIONS {
            let pieces = u32::try_from(dice.below(3)).unwrap_or(0) + u32::from(location == 0);
            steps.push(Step::Receive { variant, location, pieces });
        }
    }
    steps
}

/// Something that may happen now.
pub fn draw(world: &World, dice: &mut Dice, temper: Temper) -> Step {
    let server = u8::try_from(dice.below(temper.servers)).unwrap_or(0);
    let (orders, accounts, mails) = (world.store.orders.len(), world.provider.accounts.len(), world.provider.mail.len());
    if !world.tasks.is_empty() && (world.tasks.len() >= TASKS_MAX || dice.below(100) < 55) {
        let task = dice.below(world.tasks.len());
        return Step::Run { task, fate: fate(world, dice, temper, task) };
    }
    if temper.has_house && orders > 0 && dice.one_in(4) {
        return Step::Do { order: dice.below(orders), deed: deed(dice) };
    }
    match dice.below(100) {
        0..12 if orders < ORDERS_MAX => Step::Place { server, form: form(dice, temper) },
        12..18 if orders > 0 => Step::PayAgain { server, order: dice.below(orders) },
        18..20 if orders > 0 => cancel(world, dice, server),
        20..22 => Step::Crash { server },
        22..46 if accounts > 0 => become_(world, dice),
        46..51 if accounts > 0 && temper.has_house => settle(world, dice),
        51..55 if accounts > 0 && temper.has_house => dispute(world, dice),
        55..76 if mails > 0 => Step::Deliver { server, mail: dice.below(mails), again: dice.one_in(4) },
        76..79 if mails > 0 => Step::Lose { mail: dice.below(mails) },
        79..88 => Step::Clock { us: clock(dice, temper) },
        88 => Step::Receive { variant: dice.below(VARIANTS), location: dice.below(LOCATIONS), pieces: 1 },
        _ => Step::Tend { server },
    }
}

/// Whoever cancels sees whether the order is paid; that it may be a moment later is left to chance.
fn cancel(world: &World, dice: &mut Dice, server: u8) -> Step {
    let order = dice.below(world.store.orders.len());
    if world.store.orders[order].order.pieces == Pieces::Sold {
        return Step::Tend { server };
    }
    Step::CancelUnpaid { server, order }
}

fn fate(world: &World, dice: &mut Dice, temper: Temper, task: usize) -> Fate {
    let sends = matches!(world.tasks[task].ops.last(), Some(Op::Send { .. } | Op::Refund { .. }));
    match dice.below(temper.faults_in * 2) {
        0 => Fate::RequestLost,
        1 => Fate::ReplyLost,
        2 | 3 if sends => Fate::Refused,
        // A refund that takes its time is told of by a message.
        4 | 5 if sends && temper.has_house => Fate::Slow,
        _ => Fate::Well,
    }
}

fn form(dice: &mut Dice, temper: Temper) -> Form {
    let small = |n| u8::try_from(n).unwrap_or(0);
    let (cart, version) = (small(dice.below(temper.carts)), small(dice.below(4) / 3));
    // The same version of a cart always holds the same.
    let wanted = [1 + (cart + version) % 2, (cart ^ version) % 2];
    Form { cart, version, address: small(dice.below(6) / 5), key: small(dice.below(4)), wanted }
}

fn clock(dice: &mut Dice, temper: Temper) -> Instant {
    match dice.below(12) {
        0 | 1 => SECOND_US,
        2..5 => 31 * SECOND_US,
        5..9 => 31 * 60 * SECOND_US,
        9 => 7 * HOUR_US,
        // Longer than anybody waits for a carrier's word.
        10 if dice.one_in(4) => 15 * 24 * HOUR_US,
        11 if temper.goes_back => -40 * 60 * SECOND_US,
        _ => 2 * 60 * SECOND_US,
    }
}

fn become_(world: &World, dice: &mut Dice) -> Step {
    let account = dice.below(world.provider.accounts.len());
    let asked = world.provider.accounts[account].asked.minor;
    let session = match (world.provider.accounts[account].session, dice.below(20)) {
        (Session::Open, 0..3) | (Session::Pending, 0..5) => Session::Failed,
        (Session::Open, 3..6) => Session::Pending,
        (Session::Open, 6) if dice.one_in(4) => Session::Captured(asked - 1),
        (Session::Closed | Session::Failed, 2..) => Session::Open,
        _ => Session::Captured(asked),
    };
    Step::Become { account, session }
}

fn settle(world: &World, dice: &mut Dice) -> Step {
    let account = dice.below(world.provider.accounts.len());
    let refund = dice.below(world.provider.accounts[account].refunds.len());
    Step::Settle { account, refund, state: if dice.one_in(3) { RefundWord::Bounced } else { RefundWord::Issued } }
}

fn dispute(world: &World, dice: &mut Dice) -> Step {
    let account = dice.below(world.provider.accounts.len());
    let stage = match world.provider.accounts[account].dispute {
        None if dice.one_in(6) => Stage::Inquiry,
        None => Stage::Open,
        Some(DisputeStage::Inquiry { .. } | DisputeStage::InquiryAnswered) => [Stage::Answered, Stage::Open, Stage::Won][dice.below(3)],
        Some(_) => [Stage::UnderReview, Stage::Won, Stage::Lost][dice.below(3)],
    };
    Step::Dispute { account, stage }
}

fn deed(dice: &mut Dice) -> Deed {
    let line = u32::from(dice.one_in(3));
    let pieces = 1 + u32::from(dice.one_in(3));
    match dice.below(30) {
        0..6 => Deed::Pack { line, pieces },
        6 => Deed::Unpack,
        7..12 => Deed::Ship,
        12..16 => Deed::Deliver,
        16..19 => Deed::Cancel { line: (!dice.one_in(3)).then_some(line), pieces },
        19..21 => Deed::Goodwill { minor: [500, 5_000, 11_900, 12_390][dice.below(4)] },
        21 => Deed::RetryRefund,
        22 => Deed::SettleOutside,
        23..26 => Deed::AskReturn { line, pieces, exchanges: dice.one_in(2) },
        26..28 => Deed::Receive { is_fit: !dice.one_in(3), kept_back: [0, 0, 700][dice.below(3)] },
        28 => Deed::RefuseReturn,
        _ => Deed::CallOffReturn,
    }
}

/// Rounds of tending, seven hours apart, after which nothing can be due: the longest wait between two tries is six hours.
const ROUNDS: u8 = 3;

/// What is still to be done; `None`: nothing.
pub fn rest(world: &World, rounds: &mut u8) -> Option<Step> {
    if !world.tasks.is_empty() {
        return Some(Step::Run { task: 0, fate: Fate::Well });
    }
    if !world.provider.mail.is_empty() {
        return Some(Step::Deliver { server: 0, mail: 0, again: false });
    }
    for (account, known) in world.provider.accounts.iter().enumerate() {
        if known.session == Session::Pending {
            let session = if account % 2 == 0 { Session::Captured(known.asked.minor) } else { Session::Failed };
            return Some(Step::Become { account, session });
        }
        if let Some(refund) = known.refunds.iter().position(|sent| sent.state == RefundNews::Pending) {
            return Some(Step::Settle { account, refund, state: RefundWord::Issued });
        }
        if known.dispute.is_some_and(|stage| !matches!(stage, DisputeStage::Won | DisputeStage::Lost)) {
            let is_lost = known.dispute.is_some_and(DisputeStage::claims) && account % 2 == 1;
            return Some(Step::Dispute { account, stage: if is_lost { Stage::Lost } else { Stage::Won } });
        }
    }
    if *rounds == 2 * ROUNDS {
        return None;
    }
    *rounds += 1;
    Some(if *rounds % 2 == 1 { Step::Clock { us: 7 * HOUR_US } } else { Step::Tend { server: 0 } })
}
