//! The search among promotions that exclude each other: which of a knot to leave out, so that the rest saves most. Branch and bound: each is taken
//! or left out, those first that save the greatest part, and a branch is given up when all that could still be taken would save no more than the
//! best choice so far.

use super::{Able, Set};
use crate::discount::{Lines, Open};

/// Knots of so many are searched to the end: of all choices to which nothing can be added, the best one. There are at most 2^10 of them, and the
/// bound leaves a few.
pub(super) const EXACT_MAX: usize = 10;

/// What a search in a larger knot may cost: choices reckoned times promotions in the knot. Two choices of eighty are, the first of them what saves
/// the greatest part, whatever it costs.
const WORK_MAX: usize = 160;
/// How many decisions such a search may make on the way.
const DECISIONS_MAX: usize = 60;

/// Grants each the lines that are left to it. `able` is in the order of what saves the greatest part, at most as many as a set holds.
pub(super) fn choose(able: &mut [Able<'_, '_>], open: &Open) {
    for at in 1..able.len() {
        let (before, from) = able.split_at_mut(at);
        let one = &mut from[0];
        for (other, rival) in before.iter_mut().enumerate() {
            if rival.is_in_the_way_of(one) {
                rival.rivals |= 1 << at;
                one.rivals |= 1 << other;
            }
        }
    }
    let mut tied: Set = (0..able.len()).filter(|at| able[*at].rivals != 0).fold(0, |tied, at| tied | 1 << at);
    while tied != 0 {
        let near = near(&able[tied.trailing_zeros() as usize], able);
        let plan = Search::new(able, near & tied, near & !tied, open).best_plan();
        for at in places(near & tied) {
            able[at].granted = plan[at];
        }
        tied &= !near;
    }
}

/// All that touch the lines of one, or lines of those that do: what one of them takes may matter to every other.
fn near(one: &Able<'_, '_>, able: &[Able<'_, '_>]) -> Set {
    let (mut lines, mut near): (_, Set) = (one.claim, 0);
    loop {
        let touched = (0..able.len()).filter(|at| able[*at].claim & lines != 0).fold(0, |touched, at| touched | 1 << at);
        if touched == near {
            return near;
        }
        near = touched;
        lines = places(near).fold(lines, |lines, at| lines | able[at].claim);
    }
}

fn places(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = set.trailing_zeros();
        set &= set.checked_sub(1)?;
        Some(at as usize)
    })
}

struct Search<'a, 'c, 's> {
    able: &'s [Able<'a, 'c>],
    /// What is decided on.
    knot: Set,
    /// The places of these and of those that apply beside them anyway, in the order in which they apply.
    by_turn: Vec<usize>,
    open: &'s Open,
    scratch: Open,
    shares: Vec<i64>,
    /// By place: the most that one takes of any part of its lines, and the lines that are granted to it, none if it is left out.
    most: Vec<i64>,
    plan: Vec<Lines>,
    /// By place: its lines without those of rivals in the plan; and what they were before, for the way back.
    left: Vec<Lines>,
    undo: Vec<(usize, Lines)>,
    /// What the best plan saves, the sum of its priorities, and the plan.
    best: Option<(i64, i64, Vec<Lines>)>,
    tries: usize,
    tries_max: usize,
    decisions: usize,
    decisions_max: usize,
}

/// What is decided about the first of a knot, and what the others may come to.
#[derive(Clone, Copy, Default)]
struct Decided {
    taken: Set,
    /// Those that could have been taken.
    left_out: Set,
    /// What those taken would save, each alone on its lines, and the sum of their priorities.
    sum: i64,
    priority: i64,
    /// The most that the undecided would save, and the greatest sum of their priorities.
    rest: i64,
    lift: i64,
}

impl<'a, 'c, 's> Search<'a, 'c, 's> {
    /// `beside`: those that touch the same lines and are in nobody's way.
    fn new(able: &'s [Able<'a, 'c>], knot: Set, beside: Set, open: &'s Open) -> Self {
        let members = knot.count_ones() as usize;
        let mut by_turn: Vec<_> = places(knot | beside).collect();
        by_turn.sort_unstable_by_key(|at| able[*at].turn);
        let most = able.iter().map(|one| open.most(&one.candidate.rule.effect, one.lines, one.alone)).collect();
        let exact = members <= EXACT_MAX;
        let tries_max = if exact { usize::MAX } else { (WORK_MAX / members).max(2) };
        let decisions_max = if exact { usize::MAX } else { DECISIONS_MAX };
        let (scratch, shares, mut plan) = (open.clone(), vec![0; open.lines.len()], vec![0; able.len()]);
        for at in places(beside) {
            plan[at] = able[at].lines;
        }
        let left = able.iter().map(|one| one.lines).collect();
        Self {
            able,
            knot,
            by_turn,
            open,
            scratch,
            shares,
            most,
            plan,
            left,
            undo: vec![],
            best: None,
            tries: 0,
            tries_max,
            decisions: 0,
            decisions_max,
        }
    }

    /// The lines of each, by place.
    fn best_plan(mut self) -> Vec<Lines> {
        let sum = self.by_turn.iter().filter(|at| self.plan[**at] != 0).fold(0_i64, |sum, at| sum.saturating_add(self.able[*at].alone));
        let decided = places(self.knot).fold(Decided { sum, ..Decided::default() }, |decided, at| Decided {
            rest: decided.rest.saturating_add(self.most[at]),
            lift: decided.lift + self.lift(at),
            ..decided
        });
        self.descend(self.knot, decided);
        self.best.map_or(self.plan, |(_, _, plan)| plan)
    }

    /// Decides on the first of those that are `undecided`, and then on the others.
    fn descend(&mut self, undecided: Set, decided: Decided) {
        if self.is_hopeless(decided) {
            return;
        }
        if undecided == 0 {
            self.reckon(decided);
            return;
        }
        self.decisions += 1;
        let at = undecided.trailing_zeros() as usize;
        let (one, others) = (&self.able[at], undecided & (undecided - 1));
        let decided = self.without(at, decided);
        let (lines, mut left_out) = (self.left[at], decided.left_out);
        if let Some(saves) = self.worth(at, lines) {
            let (sum, priority) = (decided.sum.saturating_add(saves), decided.priority + i64::from(one.candidate.rule.priority));
            let (mut with, mut beside, before) = (Decided { taken: decided.taken | 1 << at, sum, priority, ..decided }, others, self.undo.len());
            for rival in places(one.rivals & others).filter(|rival| self.able[*rival].lines & lines != 0) {
                self.undo.push((rival, self.left[rival]));
                self.left[rival] &= !lines;
                // One to whom no line is left is out.
                if self.left[rival] == 0 {
                    (beside, with) = (beside & !(1 << rival), self.without(rival, with));
                }
            }
            self.plan[at] = lines;
            self.descend(beside, with);
            self.plan[at] = 0;
            for (rival, lines) in self.undo.drain(before..).rev() {
                self.left[rival] = lines;
            }
            left_out |= 1 << at;
        }
        // Nobody is left out who keeps nothing from those that come after and are not left out themselves.
        if places(left_out & (one.rivals | 1 << at)).all(|at| self.able[at].rivals & (Set::MAX << at) & (decided.taken | others) != 0) {
            self.descend(others, Decided { left_out, ..decided });
        }
    }

    /// With one less that is undecided.
    fn without(&self, at: usize, decided: Decided) -> Decided {
        Decided { rest: decided.rest.saturating_sub(self.most[at]), lift: decided.lift - self.lift(at), ..decided }
    }

    fn lift(&self, at: usize) -> i64 {
        i64::from(self.able[at].candidate.rule.priority.max(0))
    }

    /// Whether nothing that can come of this is better than what was found. What is taken one after the other is no more than what each takes alone.
    fn is_hopeless(&self, decided: Decided) -> bool {
        let Some((best, priority, _)) = self.best.as_ref() else { return false };
        if self.tries >= self.tries_max || self.decisions >= self.decisions_max {
            return true;
        }
        let most = decided.sum.saturating_add(decided.rest);
        most < *best || (most == *best && decided.priority + decided.lift <= *priority)
    }

    /// What it would save alone on these of its lines, if anything.
    fn worth(&mut self, at: usize, lines: Lines) -> Option<i64> {
        let one = &self.able[at];
        if lines == one.lines {
            return Some(one.alone);
        }
        if lines == 0 {
            return None;
        }
        self.shares.fill(0);
        self.open.reckon(&one.candidate.rule.effect, lines, one.before, &mut self.shares).ok().map(|taken| taken.minor)
    }

    /// What the plan saves, applied in turn; keeps the plan if it is the best.
    fn reckon(&mut self, decided: Decided) {
        self.tries += 1;
        self.scratch.clone_from(self.open);
        let mut saved = 0;
        for at in &self.by_turn {
            let (one, lines) = (&self.able[*at], self.plan[*at]);
            if lines == 0 {
                continue;
            }
            self.shares.fill(0);
            if let Ok(taken) = self.scratch.reckon(&one.candidate.rule.effect, lines, one.before, &mut self.shares) {
                self.scratch.take(&taken, lines, &mut self.shares);
                saved += taken.minor;
            }
        }
        if self.best.as_ref().is_none_or(|(best, priority, _)| (saved, decided.priority) > (*best, *priority)) {
            self.best = Some((saved, decided.priority, self.plan.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
