mod driver;
mod schedules;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::driver::{Bell, Driver, Step, array, drive, pieces, plan};
use super::job::Bounds;
use super::{Goal, Job, Op, Piece, Plan, Pool};
use crate::json::{Container, Limits, Sink, document::Document};

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn many_jobs_in_tiny_pieces_with_random_pauses_and_cancels_all_end_right() {
    let pool = Pool::new(3, || {}).expect("threads");
    let bell = Arc::new(Bell::default());
    let mut random = Random(3);
    let text = array(40);
    let look = |job: &Arc<Job>| pool.look(job);
    let (mut finished, mut cancelled) = (0, 0);
    for _ in 0..20 {
        let mut drivers: Vec<Driver> = (0..50)
            .map(|_| {
                let bell = Arc::clone(&bell);
                let high = 1 + random.below(300);
                let bounds =
                    Bounds { input_high: high, input_low: 1 + random.below(high), output_high: 1 + random.below(500) };
                let notify = Arc::new(move || bell.ring());
                let job = Arc::new(Job::with_bounds(plan(Goal::Build), random.below(3), notify, bounds));
                Driver::new(job, pieces(&text, 1 + random.below(40)))
            })
            .collect();
        let mut ready: Vec<usize> = (0..drivers.len()).collect();
        let mut left = drivers.len();
        let mut waiting = Vec::new();
        while left > 0 {
            if ready.is_empty() {
                bell.wait();
                ready.append(&mut waiting);
            }
            let index = ready.swap_remove(random.below(ready.len()));
            let driver = &mut drivers[index];
            if random.below(2_000) == 0 {
                driver.job.cancel();
                assert!(driver.job.take().is_none(), "a cancelled job tells nothing");
                (left, cancelled) = (left - 1, cancelled + 1);
                continue;
            }
            match driver.step(look) {
                Step::On => ready.push(index),
                Step::Wait => waiting.push(index),
                Step::Done => {
                    assert_eq!(driver.built.text(), text);
                    (left, finished) = (left - 1, finished + 1);
                }
            }
        }
    }
    assert_eq!(finished + cancelled, 1_000);
    assert!(finished > 100 && cancelled > 10, "{finished} finished, {cancelled} cancelled");
}

#[test]
fn a_job_is_idle_while_its_next_piece_is_awaited_and_only_then() {
    let job = Job::new(plan(Goal::Build), 1, Arc::new(|| {}));
    let text = array(20);
    assert!(job.is_idle());
    job.push(Piece::Bytes(text.as_bytes()[..200].to_vec()));
    assert!(!job.is_idle());
    assert!(job.claim());
    assert!(!job.is_idle());
    while job.run() {}
    assert!(!job.is_idle(), "ops wait");
    while job.take().is_some() {}
    assert!(job.is_idle());
    job.push(Piece::Bytes(text.as_bytes()[200..].to_vec()));
    job.end();
    assert!(job.claim());
    while job.run() {}
    assert!(!job.is_idle(), "the end was not taken");
}

#[test]
fn strings_and_bytes_may_follow_each_other_anywhere() {
    let pool = Pool::new(1, || {}).expect("threads");
    let text = array(30);
    for step in 1..6 {
        let chars: Vec<char> = text.chars().collect();
        let mixed = chars.chunks(step).enumerate().map(|(index, chars)| {
            let text: String = chars.iter().collect();
            if index % 2 == 0 { Piece::Bytes(text.into_bytes()) } else { Piece::Units(text.encode_utf16().collect()) }
        });
        let built = drive(&pool, plan(Goal::Build), mixed.collect());
        assert!(matches!(built.last, Some(Op::Done)), "{:?}", built.last);
        assert_eq!(built.text(), text);
    }
    // Halves of characters do not meet across the border.
    let halves = vec![Piece::Bytes(b"[\"\xc3".to_vec()), Piece::Units(vec![0xd83d]), Piece::Bytes(b"\xa9\"]".to_vec())];
    let built = drive(&pool, Plan { limits: Limits::default(), ..plan(Goal::Keep) }, halves);
    let Some(Op::Document(document)) = built.last else { panic!("{:?}", built.last) };
    assert_eq!(document.text(), b"[\"\xef\xbf\xbd\xed\xa0\xbd\xef\xbf\xbd\"]");
}

/// What becomes of a text that is to be kept, by a machine on its own.
fn kept(text: &[u8], limits: &Limits, step: usize) -> Op {
    let mut machine = super::machine::Machine::new(Plan { limits: limits.clone(), ..plan(Goal::Keep) });
    let mut ops = Vec::new();
    for piece in text.chunks(step) {
        machine.advance(Some(Piece::Bytes(piece.to_vec())), false, &mut ops);
        if !ops.is_empty() {
            break;
        }
    }
    while ops.is_empty() {
        machine.advance(None, true, &mut ops);
    }
    assert_eq!(ops.len(), 1);
    ops.remove(0)
}

#[test]
fn a_document_is_refused_as_the_scanner_would() {
    let text = format!("[{}", "{\"key\": [\"é\", {}]},\n".repeat(60));
    let bytes = |max| Limits { max_bytes: Some(max), ..Limits::default() };
    let depth = Limits { max_depth: Some(2), ..Limits::default() };
    let keys = Limits { max_keys: Some(7), max_bytes: Some(400), ..Limits::default() };
    for text in [text.clone(), format!("{text}x"), format!("{text}1]"), format!("[,{text}")] {
        for limits in [Limits::default(), bytes(0), bytes(300), bytes(text.len() as u64), depth.clone(), keys.clone()] {
            for step in [1, 7, 100, 10_000] {
                let mut due = crate::json::scan::Scanner::new(64, &limits);
                let due = due.feed(text.as_bytes(), &mut Nobody).and_then(|()| due.finish(&mut Nobody));
                match (kept(text.as_bytes(), &limits, step), due) {
                    (Op::Document(document), Ok(())) => assert_eq!(document.text(), text.as_bytes()),
                    (Op::Fault(fault), Err(due)) => {
                        let place = |fault: &crate::json::Fault| (fault.position, fault.line, fault.column);
                        assert_eq!((fault.kind, &fault.message, place(&fault)), (due.kind, &due.message, place(&due)));
                    }
                    (op, due) => panic!("{op:?} for {due:?}"),
                }
            }
        }
    }
}

struct Nobody;

impl Sink for Nobody {
    fn open(&mut self, _: Container, _: Option<&[u8]>) {}
    fn close(&mut self) {}
    fn group(&mut self, _: Container, _: &[u8], _: u32) {}
}

#[test]
fn a_document_that_nobody_wants_any_more_is_not_indexed_to_its_end() {
    let mut machine = super::machine::Machine::new(plan(Goal::Keep));
    let mut ops = Vec::new();
    machine.advance(Some(Piece::Bytes(array(100).into_bytes())), false, &mut ops);
    machine.cancelled().store(true, Ordering::Relaxed);
    assert!(!machine.advance(None, true, &mut ops).more);
    assert!(ops.is_empty(), "{ops:?}");

    let asked = AtomicUsize::new(0);
    let give_up = || asked.fetch_add(1, Ordering::Relaxed) == 3;
    let document = Document::new_unless(array(100).into_bytes(), &Limits::default(), &give_up);
    assert!(document.is_ok_and(|document| document.is_none()));
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[test]
fn a_job_that_inflates_takes_no_piece_that_it_cannot_use_yet() {
    let bomb = zstd::encode_all(vec![b' '; 8_000_000].as_slice(), 1).expect("memory");
    let job = Job::new(plan(Goal::Build), 1, Arc::new(|| {}));
    job.push(Piece::Bytes(bomb));
    job.push(Piece::Bytes(vec![0; 100]));
    assert!(job.claim());
    for _ in 0..5 {
        assert!(job.run());
    }
    assert_eq!(job.input_bytes(), 100);
}

#[test]
fn a_job_that_nobody_holds_is_gone_before_its_turn() {
    let pool = Pool::new(1, || {}).expect("threads");
    let (started, start) = channel();
    let (release, released) = channel::<()>();
    let text = array(2_000);
    let document = Arc::new(Document::new(text.clone().into_bytes(), &Limits::default()).expect("JSON"));
    // The only thread is held up in the notification of this one.
    let (started, released) = (Mutex::new(started), Mutex::new(released));
    let blocker = Arc::new(Job::new(
        plan(Goal::Part(Arc::clone(&document), 0..text.len())),
        0,
        Arc::new(move || {
            started.lock().expect("no panic").send(()).expect("the test waits");
            let _ = released.lock().expect("no panic").recv();
        }),
    ));
    assert!(blocker.take().is_none());
    pool.look(&blocker);
    start.recv().expect("the thread began");
    let queued = Arc::new(Job::new(plan(Goal::Part(document, 0..text.len())), 0, Arc::new(|| {})));
    let weak = Arc::downgrade(&queued);
    pool.look(&queued);
    drop(queued);
    assert!(weak.upgrade().is_none());
    drop(release);
}

#[test]
fn the_last_thread_to_end_says_so_once() {
    let ends = Arc::new(AtomicUsize::new(0));
    let (send, receive) = channel();
    let counted = Arc::clone(&ends);
    let send = Mutex::new(send);
    let pool = Pool::new(4, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        send.lock().expect("no panic").send(()).expect("the test waits");
    })
    .expect("threads");
    assert_eq!(pool.live(), 4);
    pool.close();
    receive.recv_timeout(Duration::from_secs(30)).expect("all threads end");
    assert_eq!((pool.live(), ends.load(Ordering::Relaxed)), (0, 1));
    drop(pool);
    assert_eq!(ends.load(Ordering::Relaxed), 1);
}

/// All that a text is told as, by a machine on its own.
fn told(text: &[u8], compiled: bool) -> Vec<Op> {
    let mut machine = super::machine::Machine::new(Plan { compiled, group_bytes: 65_536, ..plan(Goal::Build) });
    let mut ops = Vec::new();
    let mut progress = machine.advance(Some(Piece::Bytes(text.to_vec())), true, &mut ops);
    while progress.more {
        progress = machine.advance(None, true, &mut ops);
    }
    ops
}

#[test]
fn deep_nesting_takes_few_and_small_ops() {
    assert!(size_of::<Op>() <= 32);
    let depth = 300_000;
    let ends = |open: &str, close: &str| [open.repeat(depth), close.repeat(depth)].concat();
    for text in [ends("[", "]"), ends("{\"a\":", "}").replace(":}", ":1}"), ends("[{\"b\":", "}]").replace(":}", ":1}")]
    {
        let ops = told(text.as_bytes(), true);
        assert!(ops.len() < 500, "{} ops", ops.len());
        assert!(ops.iter().map(Op::weight).sum::<usize>() < 2 * text.len());
        let (mut opened, mut closed) = (0, 0);
        for op in &ops {
            match op {
                Op::Open(levels) => {
                    assert!(levels.kinds.len() <= 4_096);
                    opened += levels.kinds.len();
                }
                Op::Close(levels) => {
                    assert!(*levels <= 4_096);
                    closed += *levels as usize;
                }
                _ => {}
            }
        }
        assert!(opened == closed && opened > depth / 2, "{opened} opened, {closed} closed");
    }
}

#[test]
fn what_ops_hold_is_counted() {
    let key = format!("\"{}\"", "k".repeat(100_000));
    let open = told(format!("{{{key}:[{}1]}}", "1,".repeat(40_000)).as_bytes(), false);
    assert!(open.iter().any(|op| matches!(op, Op::Open(_)) && op.weight() > 100_000));
    let shapes = told(format!("[{}1]", "{\"long name\":1},".repeat(4_000)).as_bytes(), true);
    assert!(shapes.iter().any(|op| matches!(op, Op::Shape(text) if op.weight() == size_of::<Op>() + text.len())));
    let fault = told(b"[\"some text\", x]", false);
    assert!(fault.iter().any(|op| matches!(op, Op::Fault(_)) && op.weight() > size_of::<Op>() + 40));
}
