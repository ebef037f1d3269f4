//! The breaker: random games against the model, and each rule by example.

use proptest::prelude::*;

use super::model::play;
use super::{Breaker, Event, Options, Outcome, Span, State, Tally};
use crate::choices::Choices;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn the_breaker_keeps_its_promises(choices in proptest::collection::vec(any::<u8>(), 0..500)) {
        play(Choices(&choices));
    }
}

const CALLS: Span = Span::Calls(4);
const TIME: Span = Span::Time { ms: 1_000.0, slices: 10 };

fn breaker(span: Span) -> Breaker {
    Breaker::new(Options { span, min_calls: 4.0, reset_timeout: 100.0, ..Options::default() })
}

/// Makes calls that end at once.
fn call(breaker: &mut Breaker, now: f64, outcomes: &[Outcome]) {
    for &outcome in outcomes {
        assert!(breaker.permit(now), "the call is let through");
        breaker.record(now, breaker.epoch(), outcome, 1.0);
    }
}

use Outcome::{Failure as F, Success as S};

#[test]
fn opens_at_the_rate_and_not_below_the_volume() {
    for span in [CALLS, TIME] {
        let mut breaker = breaker(span);
        call(&mut breaker, 0.0, &[F, F, S]);
        assert_eq!(breaker.state(), State::Closed, "three calls say nothing");
        call(&mut breaker, 0.0, &[F]);
        assert_eq!(breaker.state(), State::Open);
        assert!(!breaker.permit(99.0));
    }
}

#[test]
fn a_success_never_opens() {
    let mut breaker = breaker(TIME);
    call(&mut breaker, 0.0, &[F, F, F, S]);
    assert_eq!(breaker.tally(0.0), Tally { calls: 4, failures: 3, slow: 0 });
    assert_eq!(breaker.state(), State::Closed);
    call(&mut breaker, 0.0, &[F]);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_time_window_forgets_a_slice_at_a_time() {
    let mut breaker = breaker(TIME);
    call(&mut breaker, 50.0, &[F, F]);
    call(&mut breaker, 150.0, &[F]);
    assert_eq!(breaker.tally(999.0).failures, 3);
    assert_eq!(breaker.tally(1_000.0).failures, 1);
    assert_eq!(breaker.tally(1_100.0).failures, 0);
}

#[test]
fn slow_calls_open_too() {
    let options = Options { slow_after: 10.0, slow_rate: 50.0, min_calls: 2.0, ..Options::default() };
    let mut breaker = Breaker::new(options);
    breaker.record(0.0, 0, S, 9.9);
    breaker.record(0.0, 0, S, 10.0);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_probe_closes_with_an_empty_window_or_opens_again() {
    let mut breaker = breaker(CALLS);
    call(&mut breaker, 0.0, &[F, F, F, F]);
    call(&mut breaker, 100.0, &[F]);
    assert_eq!((breaker.state(), breaker.due()), (State::Open, 200.0));
    assert!(!breaker.permit(199.0));
    assert!(breaker.permit(200.0));
    assert!(!breaker.permit(200.0), "one probe");
    breaker.record(201.0, breaker.epoch(), S, 1.0);
    assert_eq!(breaker.state(), State::Closed);
    call(&mut breaker, 201.0, &[F, F, F]);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_round_is_decided_as_soon_as_it_is_certain() {
    let options = Options { min_calls: 1.0, reset_timeout: 100.0, probes: 5, ..Options::default() };
    for (outcomes, state) in [(vec![S, S, S], State::Closed), (vec![S, F, S, F, F], State::Open)] {
        let mut breaker = Breaker::new(options.clone());
        call(&mut breaker, 0.0, &[F]);
        call(&mut breaker, 100.0, &outcomes);
        assert_eq!(breaker.state(), state);
    }
}

#[test]
fn what_began_before_tells_nothing_of_now() {
    let mut breaker = breaker(CALLS);
    let old = breaker.epoch();
    call(&mut breaker, 0.0, &[F, F, F, F]);
    breaker.tick(100.0);
    breaker.record(100.0, old, S, 100.0);
    assert_eq!(breaker.state(), State::HalfOpen, "it is no probe");
    call(&mut breaker, 100.0, &[S]);
    for _ in 0..10 {
        breaker.record(101.0, old, F, 101.0);
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.figures(101.0).outcomes[Outcome::Failure as usize], 14, "but it is told of");
}

#[test]
fn a_probe_that_never_ends_gives_its_place_up() {
    let mut breaker = breaker(CALLS);
    call(&mut breaker, 0.0, &[F, F, F, F]);
    assert!(breaker.permit(100.0));
    let lost = breaker.epoch();
    assert!(!breaker.permit(199.0));
    assert!(breaker.permit(200.0));
    breaker.record(201.0, lost, F, 101.0);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.record(202.0, breaker.epoch(), S, 2.0);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn an_ignored_probe_makes_room_for_another() {
    let mut breaker = breaker(CALLS);
    call(&mut breaker, 0.0, &[Outcome::Ignored, F, F, F, F]);
    call(&mut breaker, 100.0, &[Outcome::Ignored, Outcome::Ignored, S]);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn forced_open_stays_until_told() {
    let mut breaker = breaker(CALLS);
    breaker.go(0.0, State::ForcedOpen);
    breaker.open(0.0, 10.0);
    assert!(!breaker.permit(1e12));
    breaker.go(0.0, State::Closed);
    assert!(breaker.permit(1e12));
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut breaker = breaker(TIME);
    call(&mut breaker, 5_000.0, &[F, F]);
    call(&mut breaker, 0.0, &[F, F]);
    assert_eq!((breaker.state(), breaker.due()), (State::Open, 5_100.0));
}

#[test]
fn a_window_is_taken_along() {
    for (span, left) in [(CALLS, 3), (TIME, 1)] {
        let mut old = breaker(span);
        call(&mut old, 10.0, &[F, S]);
        call(&mut old, 500.0, &[F]);
        let numbers = old.dump(900.0);
        let mut new = breaker(span);
        new.load(7.0, &numbers, 300.0);
        assert_eq!(new.tally(7.0).calls, left, "{span:?}");
        assert_eq!(new.dump(7.0).len(), if left == 3 { 3 } else { 4 });
    }
}

#[test]
fn nonsense_is_left_out() {
    let mut breaker = breaker(TIME);
    let numbers = [f64::NAN, 1.0, 1.0, 1.0, -500.0, 1.0, 1.0, 1.0, 0.0, 2.0, 99.0, -3.0, 1.0];
    breaker.load(10_000.0, &numbers, 0.0);
    assert_eq!(breaker.tally(10_000.0), Tally { calls: 2, failures: 2, slow: 0 });
}

#[test]
fn figures_tell_what_happened() {
    let mut breaker = breaker(CALLS);
    call(&mut breaker, 0.0, &[S, Outcome::Timeout]);
    for event in [Event::Reject, Event::Reject, Event::Fallback, Event::Full] {
        breaker.count(5.0, event);
    }
    let figures = breaker.figures(9_999.0);
    assert_eq!((figures.outcomes, figures.events), ([1, 1, 1, 0], [2, 1, 1]));
    assert_eq!((figures.mean, figures.percentiles[0]), (1.0, 1.0));
    assert_eq!(breaker.figures(10_000.0).outcomes, [0; 4]);
}
