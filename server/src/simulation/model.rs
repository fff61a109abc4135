//! The protocol of hold, payment, webhook, sweeper and reconciler, checked in every order of its steps within small bounds: two orders want
//! the same two pieces, over a network that loses and doubles. The steps and the world are the simulation's.

use super::{
    Fate, Rules, Step, World, draw, invariants,
    provider::{Session, Told},
    store::{Form, VARIANTS},
};
use domain::{
    order::{HOLD_US, Pieces, Status},
    payment::PaymentState,
    refund::{RefundReason, RefundState},
};
use stateright::{Checker as _, Model, Property};
use std::{
    hash::{Hash, Hasher},
    mem::discriminant,
};

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    orders: u8,
    pays_again: u8,
    rounds: u8,
    clocks: u8,
    /// Servers killed, calls of which the answer is lost, messages that are lost or come twice.
    faults: u8,
    late: u8,
}

/// A world, and what may still happen in it. The checker takes two of them for the same when they hash the same, so that everything on which
/// the future depends is hashed; when exactly something was captured is not.
#[derive(Clone, Debug)]
struct Point {
    world: World,
    left: Left,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &World, b: &World| a.now == b.now && a.store == b.store && a.provider == b.provider && a.tasks == b.tasks;
        self.left == other.left && same(&self.world, &other.world)
    }
}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let World { now, store, provider, tasks, fault, .. } = &self.world;
        (self.left, now, fault.is_some(), &store.keys, &store.heard).hash(state);
        for balance in store.balances.iter().flatten() {
            (balance.free, balance.held).hash(state);
        }
        for row in &store.orders {
            (&row.kept, &row.touched, &row.due, row.claims, discriminant(&row.order.pieces)).hash(state);
            if let Pieces::Held { until } = row.order.pieces {
                until.hash(state);
            }
            for payment in &row.order.payments {
                (discriminant(&payment.state), payment.created_at).hash(state);
            }
            for refund in &row.order.refunds {
                (refund.id, refund.payment, refund.amount, discriminant(&refund.reason), discriminant(&refund.state)).hash(state);
                if let RefundState::Requested { attempts } = refund.state {
                    attempts.hash(state);
                }
            }
        }
        for account in &provider.accounts {
            (account.payment, account.session, account.refunds.len()).hash(state);
            for sent in &account.refunds {
                (sent.refund, sent.state).hash(state);
            }
        }
        for mail in &provider.mail {
            (mail.event, mail.payment, if let Told::Payment(news) = &mail.told { Some(news) } else { None }).hash(state);
        }
        for task in tasks {
            task.hash(state);
        }
    }
}

struct Protocol {
    left: Left,
}

fn form(cart: u8) -> Form {
    let mut wanted = [0; VARIANTS];
    wanted[0] = 2;
    Form { cart, version: 0, address: 0, key: 0, wanted }
}

impl Protocol {
    fn spent(left: Left, world: &World, step: Step) -> Option<Left> {
        let mut left = left;
        let budget = match step {
            Step::Place { .. } => &mut left.orders,
            Step::PayAgain { .. } => &mut left.pays_again,
            Step::Tend { .. } => &mut left.rounds,
            Step::Clock { .. } => &mut left.clocks,
            Step::Crash { .. }
            | Step::Run { fate: Fate::ReplyLost | Fate::RequestLost, .. }
            | Step::Lose { .. }
            | Step::Deliver { again: true, .. } => &mut left.faults,
            Step::Become { account, .. } if !world.provider.accounts[account].session.is_payable() => &mut left.late,
            _ => return Some(left),
        };
        *budget = budget.checked_sub(1)?;
        Some(left)
    }
}

impl Model for Protocol {
    type State = Point;
    type Action = Step;

    fn init_states(&self) -> Vec<Point> {
        let mut world = World::new(Rules::OURS);
        world.apply(Step::Receive { variant: 0, location: 0, pieces: 2 });
        vec![Point { world, left: self.left }]
    }

    fn actions(&self, state: &Point, actions: &mut Vec<Step>) {
        let Point { world, left } = state;
        if world.fault.is_some() {
            return;
        }
        // Carts order one after the other; which is which makes no difference, and nothing comes of it while all is held or sold.
        if world.store.balances[0][0].free == 2 {
            actions.push(Step::Place { server: 0, form: form(self.left.orders - left.orders) });
        }
        actions.push(Step::Tend { server: 1 });
        actions.push(Step::Clock { us: HOLD_US });
        actions.extend((0..world.store.orders.len()).map(|order| Step::PayAgain { server: 0, order }));
        for (task, doing) in world.tasks.iter().enumerate() {
            actions.push(Step::Run { task, fate: Fate::Well });
            if doing.waits() {
                actions.extend([Fate::ReplyLost, Fate::RequestLost].map(|fate| Step::Run { task, fate }));
            }
            if !world.tasks[..task].iter().any(|other| other.server == doing.server) {
                actions.push(Step::Crash { server: doing.server });
            }
        }
        for (account, known) in world.provider.accounts.iter().enumerate() {
            let captured = Session::Captured(known.asked.minor);
            match known.session {
                Session::Open => {
                    // A payment that fails matters where it can be tried again.
                    let other = if self.left.pays_again > 0 { Session::Failed } else { Session::Pending };
                    actions.extend([captured, other].map(|session| Step::Become { account, session }));
                }
                Session::Pending | Session::Closed | Session::Failed => actions.push(Step::Become { account, session: captured }),
                Session::Captured(_) => {}
            }
        }
        for mail in 0..world.provider.mail.len() {
            actions.push(Step::Deliver { server: 0, mail, again: false });
            actions.push(Step::Deliver { server: 0, mail, again: true });
            actions.push(Step::Lose { mail });
        }
        actions.retain(|step| Self::spent(*left, world, *step).is_some());
    }

    fn next_state(&self, last: &Point, step: Step) -> Option<Point> {
        let left = Self::spent(last.left, &last.world, step)?;
        let mut world = last.world.clone();
        world.apply(step);
        world.counts.clear();
        Some(Point { world, left })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always("nothing happens that must never happen", |_, state: &Point| state.world.fault.is_none()),
            Property::always("from everywhere everything comes to rest", |_, state: &Point| comes_to_rest(state)),
            Property::sometimes("an order is sold", |_, state: &Point| any(state, |order| matches!(order.status(), Status::Paid { .. }))),
        ];
        if self.left.pays_again > 0 {
            all.push(Property::sometimes("a second capture goes back", |_, state: &Point| goes_back(state, RefundReason::PaidTwice)));
            return all;
        }
        all.extend([
            Property::sometimes("both orders are placed", |_, state: &Point| state.world.store.orders.len() == 2),
            Property::sometimes("a hold lapses", |_, state: &Point| any(state, |order| order.pieces == Pieces::Lapsed)),
            Property::sometimes("late money takes the pieces again", |_, state: &Point| {
                state.left.late == 0 && state.world.store.orders.len() == 1 && any(state, |order| order.pieces == Pieces::Sold)
            }),
            Property::sometimes("late money finds no pieces", |_, state: &Point| goes_back(state, RefundReason::SoldOutMeanwhile)),
            Property::sometimes("a payment is waited for beyond its hold", |_, state: &Point| {
                any(state, |order| {
                    state.world.now >= order.placed_at + HOLD_US && order.payments.iter().any(|payment| payment.state == PaymentState::Pending)
                })
            }),
        ]);
        all
    }
}

fn goes_back(state: &Point, reason: RefundReason) -> bool {
    any(state, |order| order.refunds.iter().any(|refund| refund.reason == reason))
}

fn any(state: &Point, holds: impl Fn(&domain::order::Order) -> bool) -> bool {
    state.world.store.orders.iter().any(|row| holds(&row.order))
}

/// Whether nothing is left undone once faults end: what is under way is finished, messages arrive, rounds go on.
fn comes_to_rest(state: &Point) -> bool {
    if !state.world.tasks.is_empty() || state.world.fault.is_some() {
        // Looked at where they end.
        return true;
    }
    let mut world = state.world.clone();
    let mut rounds = 0;
    while let Some(step) = draw::rest(&world, &mut rounds) {
        world.apply(step);
    }
    world.fault.is_none() && invariants::at_rest(&world).is_ok()
}

fn check(what: &str, left: Left) {
    let begun = tokio::time::Instant::now();
    let checker = Protocol { left }.checker().threads(2).spawn_bfs().join();
    println!("{what}: {} steps to {} different states in {:?}", checker.state_count(), checker.unique_state_count(), begun.elapsed());
    checker.assert_properties();
}

#[test]
fn two_orders_for_the_same_pieces_hold_in_every_order_of_their_steps() {
    check("two orders", Left { orders: 2, pays_again: 0, rounds: 1, clocks: 1, faults: 1, late: 1 });
}

#[test]
fn two_payments_of_one_order_hold_in_every_order_of_their_steps() {
    check("two payments", Left { orders: 1, pays_again: 1, rounds: 0, clocks: 0, faults: 1, late: 1 });
}

#[test]
fn two_payments_beside_the_sweeper_and_the_reconciler_hold_in_every_order_of_their_steps() {
    check("two payments, swept and asked about", Left { orders: 1, pays_again: 1, rounds: 1, clocks: 1, faults: 0, late: 1 });
}
