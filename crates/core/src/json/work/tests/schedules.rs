//! All orders in which threads can take their turns.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::job::Bounds;
use super::super::machine::{Machine, Progress};
use super::super::{Goal, Job, Op, Plan};
use super::driver::{Driver, Step, pieces, plan};

/// A deterministic stand-in for threads: every interleaving of the main thread with two others is tried, one choice
/// for each section under a lock.
struct World {
    driver: Driver,
    waiting: bool,
    done: bool,
    woken: Arc<AtomicBool>,
    queue: Arc<Mutex<VecDeque<Arc<Job>>>>,
    workers: [Option<Working>; 2],
    machine: Machine,
}

enum Working {
    Claimed,
    Began(Vec<Op>, Progress),
}

impl World {
    fn new(text: &str, step: usize, bounds: Bounds) -> Self {
        let woken = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&woken);
        let notify = Arc::new(move || flag.store(true, Ordering::Relaxed));
        let job = Arc::new(Job::with_bounds(plan(Goal::Build), 1, notify, bounds));
        Self {
            driver: Driver::new(job, pieces(text, step)),
            waiting: false,
            done: false,
            woken,
            queue: Arc::default(),
            workers: [None, None],
            machine: Machine::new(Plan { group_bytes: 8, ..plan(Goal::Build) }),
        }
    }

    fn enabled(&self) -> Vec<usize> {
        let main = !self.done && (!self.waiting || self.woken.load(Ordering::Relaxed));
        let queued = !self.queue.lock().expect("one thread").is_empty();
        let worker = |index: usize| self.workers[index].is_some() || queued;
        // An idle worker is as good as another.
        let twins = self.workers[0].is_none() && self.workers[1].is_none();
        [(0, main), (1, worker(0)), (2, worker(1) && !twins)]
            .into_iter()
            .filter_map(|(actor, can)| can.then_some(actor))
            .collect()
    }

    fn act(&mut self, actor: usize) {
        let queue = Arc::clone(&self.queue);
        let enqueue = |job: &Arc<Job>| queue.lock().expect("one thread").push_back(Arc::clone(job));
        if actor == 0 {
            self.waiting = false;
            self.woken.store(false, Ordering::Relaxed);
            match self.driver.step(|job| {
                if job.claim() {
                    enqueue(job);
                }
            }) {
                Step::On => {}
                Step::Wait => self.waiting = true,
                Step::Done => self.done = true,
            }
            return;
        }
        let job = Arc::clone(&self.driver.job);
        self.workers[actor - 1] = match self.workers[actor - 1].take() {
            None => {
                queue.lock().expect("one thread").pop_front().expect("something is queued");
                let other = &self.workers[2 - actor];
                assert!(other.is_none(), "two threads work on one job");
                Some(Working::Claimed)
            }
            Some(Working::Claimed) => job.begin().map(|(piece, ended)| {
                let mut ops = Vec::new();
                let progress = self.machine.advance(piece, ended, &mut ops);
                Working::Began(ops, progress)
            }),
            Some(Working::Began(ops, progress)) => {
                if job.report(ops, progress, Duration::ZERO) {
                    enqueue(&job);
                }
                None
            }
        };
    }
}

/// Runs the world by `choices`, then by first choices; returns the choices there were at each step.
fn run_world(text: &str, step: usize, bounds: Bounds, choices: &[usize]) -> Vec<(usize, usize)> {
    let mut world = World::new(text, step, bounds);
    let mut taken = Vec::new();
    loop {
        let enabled = world.enabled();
        if enabled.is_empty() {
            break;
        }
        let choice = choices.get(taken.len()).copied().unwrap_or(0);
        taken.push((choice, enabled.len()));
        world.act(enabled[choice]);
    }
    assert!(world.done, "nobody can go on after {taken:?}");
    assert!(matches!(world.driver.built.last, Some(Op::Done)), "{:?}", world.driver.built.last);
    assert_eq!(world.driver.built.text(), text);
    taken
}

#[test]
fn no_order_of_events_loses_a_wake_or_an_op() {
    let text = r#"["a","b","c"]"#;
    let tight = Bounds { input_high: 9, input_low: 5, output_high: 1 };
    let mut runs = 0;
    for (step, bounds, most) in [(5, tight, 15_000), (13, tight, 15_000), (3, tight, 15_000)] {
        // Depth first through all schedules, from the last choice backwards.
        let (mut choices, mut left) = (Vec::new(), most);
        loop {
            let mut taken = run_world(text, step, bounds, &choices);
            (runs, left) = (runs + 1, left - 1);
            while taken.last().is_some_and(|&(choice, count)| choice + 1 == count) {
                taken.pop();
            }
            let Some((last, _)) = taken.pop() else { break };
            if left == 0 {
                break;
            }
            choices = taken.iter().map(|&(choice, _)| choice).collect();
            choices.push(last + 1);
        }
    }
    assert!(runs > 1_000, "{runs} schedules");
}
