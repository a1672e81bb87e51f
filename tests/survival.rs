//! Operations survive: whatever the moment in which the program is killed, no effect is lost, none is doubled, and of
//! each operation is known what became of it. Told as thousands of tales, each with a seed.
//!
//! `SURVIVAL_SEED=n` tells the tale of one seed, `SURVIVAL_RUNS=n` that many.
#![expect(clippy::indexing_slicing, reason = "what the tests work with fails as tests do")]

#[path = "survival/chance.rs"]
mod chance;
#[path = "survival/clock.rs"]
mod clock;
#[path = "survival/hand.rs"]
mod hand;
#[path = "survival/mortal.rs"]
mod mortal;
#[path = "survival/operators.rs"]
mod operators;
#[path = "survival/platform.rs"]
mod platform;
#[path = "survival/tale.rs"]
mod tale;
#[path = "survival/truth.rs"]
mod truth;

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use hand::Wrong;
use tale::{Tally, tell};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

/// What `tell` says of each of the first `many` seeds, or of the one that is asked for, told by as many at once as there
/// are processors.
fn each<T: Send>(many: u64, tell: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let (first, end) = match number("SURVIVAL_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("SURVIVAL_RUNS").unwrap_or(many)),
    };
    let (next, all) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let tellers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..tellers {
            scope.spawn(|| {
                let seeds = std::iter::repeat_with(|| next.fetch_add(1, Ordering::SeqCst));
                let told: Vec<T> = seeds.take_while(|seed| *seed < end).map(&tell).collect();
                all.lock().expect("no teller panics holding it").extend(told);
            });
        }
    });
    all.into_inner().expect("every teller has ended")
}

/// What is wrong, of the first that went wrong.
fn all_went_well<T>(told: Vec<Result<T, String>>) -> Vec<T> {
    let (well, wrong): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    assert!(
        wrong.is_empty(),
        "{} went wrong, such as:\n{}",
        wrong.len(),
        wrong.concat().get(..6_000).unwrap_or(&wrong[0])
    );
    well.into_iter().filter_map(Result::ok).collect()
}

#[test]
fn no_effect_is_lost_or_doubled_whenever_the_program_is_killed() {
    let mut tally = Tally::default();
    for told in all_went_well(each(10_000, |seed| tell(seed, Wrong::Nothing))) {
        tally.add(told);
    }
    println!("{tally:#?}");
}

#[test]
fn of_operators_side_by_side_one_wins_and_the_others_are_told_why() {
    let mut outcomes = operators::Outcomes::new();
    for told in all_went_well(each(1_000, operators::play)) {
        for (why, times) in told {
            *outcomes.entry(why).or_default() += times;
        }
    }
    println!("{outcomes:#?}");
}

/// A program that is wrong is found out: else the tales above prove nothing.
#[test]
fn a_program_that_is_wrong_is_found_out() {
    let wrongs = [
        Wrong::SendsAgain,
        Wrong::SkipsTheLine,
        Wrong::LookingSends,
        Wrong::GivesUpEarly,
        Wrong::LooksAtTheLast,
        Wrong::ForgetsWhich,
        Wrong::AllAtOnce,
    ];
    for wrong in wrongs {
        let found = (0..).take(2_000).find(|seed| tell(*seed, wrong).is_err());
        println!("{wrong:?}: found out by seed {found:?}");
        assert!(found.is_some(), "{wrong:?} was not found out");
    }
}
