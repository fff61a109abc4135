//! A deterministic simulation of the order core: shoppers, two servers, a sweeper, a reconciler, staff and a payment provider, with crashes
//! between any two operations, calls that fail, messages that are lost, doubled and overtaken, and clocks that jump. What the shop decides
//! is decided by `domain`'s own functions; what must never be is looked at after every transaction. A seed tells the whole history.

mod deeds;
pub mod dice;
mod draw;
mod invariants;
mod ops;
pub mod provider;
mod rules;
mod shelves;
pub mod store;
mod tasks;
pub mod twin;
mod world;

pub use deeds::Deed;
pub use ops::{Answer, Fate, Op, Task};
pub use rules::Rules;
pub use world::{Counts, RefundWord, Stage, Step, World};

#[cfg(test)]
mod broken;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use dice::Dice;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A history that ended in something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub seed: u64,
    pub fault: String,
    /// As few steps as were found to lead there.
    pub steps: Vec<Step>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.fault)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>4}  {step:?}", number + 1)?;
        }
        write!(f, "{}", History { is_gated: false, steps: self.steps.clone() }.line())
    }
}

/// A history as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Tasks pause only where they call the provider: it can be lived by the real order core as well.
    pub is_gated: bool,
    pub steps: Vec<Step>,
}

impl History {
    /// How to make a test of it.
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self).expect("steps are plain data");
        format!("to keep it as a test, add this line to server/src/simulation/once_broken.jsonl:\n{line}")
    }

    /// What comes of its steps, and of what is still to be done after them.
    pub fn replay(&self, rules: Rules) -> World {
        replay(rules, self.is_gated, &self.steps)
    }
}

/// Histories that were once broken, one a line: each is lived again by the tests.
pub fn once_broken() -> Vec<History> {
    let lines = include_str!("once_broken.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a history is a line of JSON")).collect()
}

/// Lives the history of `seed`, until everything is at rest: what happened in it.
pub fn live(seed: u64, rules: Rules) -> Result<Counts, Box<Broken>> {
    let (world, steps) = unfold(seed, rules, false, false);
    match world.fault {
        None => Ok(world.counts),
        Some(_) => Err(Box::new(shrunk(seed, rules, steps))),
    }
}

/// The world at the end of the history of `seed`, and its steps if they are asked for or if it is broken. `is_gated`: tasks pause only
/// where they call the provider.
pub fn unfold(seed: u64, rules: Rules, is_gated: bool, records: bool) -> (World, Vec<Step>) {
    let mut dice = Dice::new(seed);
    let mut world = World::new(rules);
    world.is_gated = is_gated;
    let mut steps = Vec::new();
    let temper = draw::Temper::draw(&mut dice, is_gated);
    let opening = draw::opening(&mut dice);
    let (mut rounds, mut drawn) = (0, 0);
    let mut opened = opening.into_iter();
    while world.fault.is_none() {
        let step = match opened.next() {
            Some(step) => step,
            None if drawn < temper.steps => {
                drawn += 1;
                draw::draw(&world, &mut dice, temper)
            }
            None => match draw::rest(&world, &mut rounds) {
                Some(step) => step,
                None => break,
            },
        };
        if records {
            steps.push(step);
        }
        world.apply(step);
    }
    if world.fault.is_none()
        && let Err(fault) = invariants::at_rest(&world)
    {
        world.fail(fault);
    }
    if world.fault.is_some() && !records { unfold(seed, rules, is_gated, true) } else { (world, steps) }
}

/// What comes of these steps, and of what is still to be done after them.
fn replay(rules: Rules, is_gated: bool, steps: &[Step]) -> World {
    let mut world = World::new(rules);
    world.is_gated = is_gated;
    for step in steps {
        world.apply(*step);
        if world.fault.is_some() {
            return world;
        }
    }
    let mut rounds = 0;
    while let Some(step) = draw::rest(&world, &mut rounds) {
        world.apply(step);
        if world.fault.is_some() {
            return world;
        }
    }
    if let Err(fault) = invariants::at_rest(&world) {
        world.fail(fault);
    }
    world
}

/// Leaves out whatever can be left out of a broken history: halves first, single steps last.
fn shrunk(seed: u64, rules: Rules, mut steps: Vec<Step>) -> Broken {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let fewer: Vec<Step> = steps[..at].iter().chain(steps.get(at + size..).unwrap_or_default()).copied().collect();
            if replay(rules, false, &fewer).fault.is_some() {
                steps = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    let fault = replay(rules, false, &steps).fault.unwrap_or_else(|| "only with all of its steps".to_owned());
    Broken { seed, fault, steps }
}

/// Lives the histories of many seeds on all cores: the sum of what happened, or the first that broke.
pub fn many(seeds: std::ops::Range<u64>, rules: Rules) -> Result<Counts, Box<Broken>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = |core: usize| seeds.clone().skip(core).step_by(cores);
    let outcomes: Vec<Result<Counts, Box<Broken>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|core| {
                let seeds = share(core);
                scope.spawn(move || -> Result<Counts, Box<Broken>> {
                    let mut sum = Counts::new();
                    for seed in seeds {
                        add(&mut sum, &live(seed, rules)?);
                    }
                    Ok(sum)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a history does not panic")).collect()
    });
    let mut sum = Counts::new();
    for outcome in outcomes {
        add(&mut sum, &outcome?);
    }
    Ok(sum)
}

fn add(sum: &mut Counts, more: &Counts) {
    for (what, count) in more {
        *sum.entry(what).or_default() += count;
    }
}
