//! The cache against the plainest model there is: a vector in the order of use.

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Log(Vec<(u32, Vec<u16>, Reason)>);

impl Watch for Log {
    fn freed(&mut self, slot: u32, _mark: u16, key: Text, reason: Reason) {
        self.0.push((slot, key.to_units().unwrap_or_default(), reason));
    }

    fn rescheduled(&mut self, _slot: u32, _mark: u16, _expires: f64) {}
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn cache(max_size: usize, policy: Policy) -> Cache {
    Cache::new(Options { max_size, max_weight: f64::INFINITY, policy })
}

fn lasting(expires: f64) -> Entry {
    Entry { expires, grace: 0.0, weight: 1.0 }
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, u32, u32, u32),
    Get(u8),
    Delete(u8),
    Advance(u32),
    Rewind(u32),
    Sweep,
    Shrink(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    // Times to live from one tick to beyond the wheel's reach, so that every level and its cascade take part.
    let ttl = prop_oneof![1_u32..70, 1_u32..5_000, 1_u32..40_000_000, Just(u32::MAX)];
    let advance = prop_oneof![0_u32..70, 0_u32..5_000, 0_u32..80_000_000];
    prop_oneof![
        8 => (0_u8..40, ttl, 1_u32..6, prop_oneof![4 => Just(0_u32), 1 => 1_u32..2_000])
            .prop_map(|(key, ttl, weight, grace)| Step::Set(key, ttl, weight, grace)),
        8 => (0_u8..40).prop_map(Step::Get),
        1 => (0_u8..40).prop_map(Step::Delete),
        4 => advance.prop_map(Step::Advance),
        1 => (0_u32..10_000).prop_map(Step::Rewind),
        1 => Just(Step::Sweep),
        1 => (0_usize..20).prop_map(Step::Shrink),
        1 => Just(Step::Clear),
    ]
}

#[derive(Clone, Debug)]
struct Kept {
    key: u8,
    expires: f64,
    grace: f64,
    weight: f64,
}

/// Most recently used last.
struct Model {
    entries: Vec<Kept>,
    max_size: usize,
    max_weight: f64,
}

impl Model {
    fn weight(&self) -> f64 {
        self.entries.iter().map(|kept| kept.weight).sum()
    }

    fn full(&self, incoming: &Kept) -> bool {
        let weight = self.weight() + incoming.weight;
        self.entries.len() >= self.max_size || weight > self.max_weight
    }

    fn get(&mut self, key: u8, now: f64) -> bool {
        let Some(at) = self.entries.iter().position(|kept| kept.key == key && now <= kept.expires) else {
            return false;
        };
        let kept = self.entries.remove(at);
        self.entries.push(kept);
        true
    }
}

/// Plays `steps` on a cache, and compares it after each with what a model may hold.
///
/// Which of several dead entries goes first is not promised, so the model takes that from the cache and checks
/// that it was dead; which live one goes first is promised to the letter.
fn play(steps: &[Step], max_size: usize, max_weight: f64) {
    let mut cache = Cache::new(Options { max_size, max_weight, policy: Policy::Lru });
    let mut model = Model { entries: Vec::new(), max_size, max_weight };
    let mut now = 1_000_000.0;
    for step in steps {
        let mut log = Log::default();
        match *step {
            Step::Set(key, ttl, weight, grace) => {
                let expires = if ttl == u32::MAX { f64::INFINITY } else { now + f64::from(ttl) };
                let kept = Kept { key, expires, grace: f64::from(grace), weight: f64::from(weight) };
                let entry = Entry { expires, grace: kept.grace, weight: kept.weight };
                let outcome = cache.insert(&[u16::from(key)], now, entry, &mut log);
                assert_eq!(outcome == Inserted::TooHeavy, kept.weight > max_weight);
                set(&mut model, kept, now, &log);
            }
            Step::Get(key) => {
                let found = cache.find(&[u16::from(key)]).filter(|slot| now <= cache.expires(*slot));
                assert_eq!(found.is_some(), model.get(key, now), "a hit is a hit");
                if let Some(slot) = found {
                    cache.touch(slot);
                }
            }
            Step::Delete(key) => {
                if let Some(slot) = cache.find(&[u16::from(key)]) {
                    cache.remove(slot, Reason::Deleted, &mut log);
                }
                model.entries.retain(|kept| kept.key != key);
            }
            Step::Advance(by) => now += f64::from(by),
            Step::Rewind(by) => now -= f64::from(by),
            Step::Sweep => {
                cache.sweep(now, usize::MAX, &mut log);
                model.entries.retain(|kept| now <= kept.expires + kept.grace);
                let live = model.entries.iter().filter(|kept| now <= kept.expires).count();
                assert_eq!(cache.len() - cache.stale(), live, "what is in its grace is told apart");
            }
            Step::Shrink(length) => {
                cache.shrink(length, now, &mut log);
                drop_logged(&mut model, &log, now);
                assert!(model.entries.len() <= length);
            }
            Step::Clear => {
                cache.clear();
                model.entries.clear();
            }
        }
        cache.validate();
        assert_eq!(cache.len(), model.entries.len());
        let live = model.entries.iter().rev().filter(|kept| now <= kept.expires);
        let expected: Vec<Vec<u16>> = live.map(|kept| vec![u16::from(kept.key)]).collect();
        let found: Vec<Vec<u16>> =
            cache.by_recency(now).iter().filter_map(|slot| cache.text(*slot).to_units()).collect();
        assert_eq!(found, expected, "recency is exact");
    }
}

/// Takes out of the model what the cache says it dropped, checking that each was the one to go.
fn drop_logged(model: &mut Model, log: &Log, now: f64) {
    for (_, key, reason) in &log.0 {
        let at = model.entries.iter().position(|kept| u16::from(kept.key) == key[0]).expect("it was there");
        let dead = |kept: &Kept| now > kept.expires;
        if *reason == Reason::Expired {
            assert!(dead(&model.entries[at]), "only the dead expire");
        } else {
            assert_eq!(at, 0, "the least recently used goes");
            assert!(!model.entries.iter().any(dead), "the dead go first");
        }
        model.entries.remove(at);
    }
}

fn set(model: &mut Model, kept: Kept, now: f64, log: &Log) {
    if let Some(at) = model.entries.iter().position(|old| old.key == kept.key && now <= old.expires) {
        // Its own place is given back before others make room for it.
        model.entries.remove(at);
        let others = Log(log.0.iter().filter(|(_, key, _)| key[0] != u16::from(kept.key)).cloned().collect());
        drop_logged(model, &others, now);
    } else {
        drop_logged(model, log, now);
    }
    if kept.weight <= model.max_weight {
        assert!(!model.full(&kept), "there is room now");
        model.entries.push(kept);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn follows_the_model(steps in proptest::collection::vec(step(), 1..120), max_size in 1_usize..24) {
        play(&steps, max_size, f64::INFINITY);
    }

    #[test]
    fn follows_the_model_by_weight(steps in proptest::collection::vec(step(), 1..120), max_weight in 3_u32..30) {
        play(&steps, 1_000, f64::from(max_weight));
    }

    #[test]
    fn s3_fifo_stays_whole(steps in proptest::collection::vec(step(), 1..200), max_size in 1_usize..24, heavy in any::<bool>()) {
        let max_weight = if heavy { 20.0 } else { f64::INFINITY };
        let mut cache = Cache::new(Options { max_size, max_weight, policy: Policy::S3Fifo });
        let (mut now, mut log) = (0.0, Log::default());
        for step in steps {
            match step {
                Step::Set(key, ttl, weight, grace) => {
                    let entry = Entry { expires: now + f64::from(ttl), grace: f64::from(grace), weight: f64::from(weight) };
                    let outcome = cache.insert(&[u16::from(key)], now, entry, &mut log);
                    prop_assert_eq!(outcome == Inserted::TooHeavy, f64::from(weight) > max_weight);
                    prop_assert_eq!(cache.find(&[u16::from(key)]).is_some(), outcome != Inserted::TooHeavy);
                }
                Step::Get(key) => cache.find(&[u16::from(key)]).into_iter().for_each(|slot| cache.touch(slot)),
                Step::Delete(key) => {
                    if let Some(slot) = cache.find(&[u16::from(key)]) {
                        cache.remove(slot, Reason::Deleted, &mut log);
                    }
                }
                Step::Advance(by) => now += f64::from(by),
                Step::Rewind(by) => now -= f64::from(by),
                Step::Sweep => drop(cache.sweep(now, 3, &mut log)),
                Step::Shrink(length) => drop(cache.shrink(length, now, &mut log)),
                Step::Clear => cache.clear(),
            }
            cache.validate();
        }
    }
}

#[test]
fn insertion_order_outlives_use_and_replacement() {
    let mut cache = cache(10, Policy::Lru);
    let mut log = Log::default();
    for key in ["a", "b", "c"] {
        cache.insert(&units(key), 0.0, lasting(10.0), &mut log);
    }
    let Some(a) = cache.find(&units("a")) else { panic!("a is there") };
    cache.touch(a);
    cache.insert(&units("b"), 0.0, lasting(10.0), &mut log);
    let keys: Vec<_> = cache.by_insertion(0.0).iter().filter_map(|slot| cache.text(*slot).to_units()).collect();
    assert_eq!(keys, [units("a"), units("b"), units("c")]);
}

#[test]
fn an_entry_is_live_in_its_last_millisecond() {
    let mut cache = cache(10, Policy::Lru);
    let mut log = Log::default();
    cache.insert(&units("a"), 100.0, lasting(150.0), &mut log);
    assert_eq!(cache.sweep(150.0, 9, &mut log), 0);
    assert_eq!(cache.sweep(151.0, 9, &mut log), 1);
}

#[test]
fn what_is_in_its_grace_goes_before_what_lives() {
    let mut cache = cache(2, Policy::Lru);
    let mut log = Log::default();
    cache.insert(&units("live"), 0.0, lasting(f64::INFINITY), &mut log);
    let kept = Entry { expires: 10.0, grace: f64::INFINITY, weight: 1.0 };
    cache.insert(&units("kept"), 0.0, kept, &mut log);
    assert_eq!((cache.sweep(11.0, 9, &mut log), cache.len(), cache.stale()), (0, 2, 1));
    assert_eq!((cache.sweep(10.0, 9, &mut log), cache.stale()), (0, 0), "a clock that steps back revives it");
    cache.validate();
    cache.insert(&units("new"), 11.0, lasting(20.0), &mut log);
    assert_eq!(log.0, [(1, units("kept"), Reason::Expired)]);
    cache.validate();
}

/// What a sweep costs is what expires: each entry moves once a level at most, and what lives long hardly moves.
#[test]
fn a_sweep_looks_at_what_expires_and_at_little_else() {
    let mut cache = cache(100_000, Policy::Lru);
    let mut log = Log::default();
    for key in 0..50_000_u32 {
        cache.insert(&units(&format!("long {key}")), 1e12, lasting(1e12 + 1e9 + f64::from(key)), &mut log);
    }
    for key in 0..1_000_u32 {
        cache.insert(&units(&format!("short {key}")), 1e12, lasting(1e12 + f64::from(key)), &mut log);
    }
    let before = cache.wheel.work;
    let mut swept = 0;
    for at in 1..=1_000 {
        swept += cache.sweep(1e12 + f64::from(at), usize::MAX, &mut log);
    }
    let work = cache.wheel.work - before;
    assert_eq!((swept, cache.len()), (1_000, 50_000));
    // A bucket or two at each tick, and each entry moved a few times; a scan would look at 50,000 each time.
    assert!(work < 10_000, "looked at {work}");
}

#[test]
fn a_renewal_keeps_the_grace() {
    let mut cache = cache(2, Policy::Lru);
    let mut log = Log::default();
    cache.insert(&units("a"), 0.0, Entry { expires: 10.0, grace: 5.0, weight: 1.0 }, &mut log);
    cache.renew(0, 20.0, &mut log);
    assert_eq!((cache.sweep(25.0, 9, &mut log), cache.stale()), (0, 1));
    assert_eq!((cache.sweep(26.0, 9, &mut log), cache.stale()), (1, 0));
}

#[test]
fn a_foreign_key_is_known_by_its_slot_alone() {
    let mut cache = cache(2, Policy::Lru);
    let mut log = Log::default();
    let Inserted::New(slot) = cache.insert_foreign(0.0, lasting(9.0), &mut log) else { panic!("it fits") };
    assert_eq!(cache.find(&[]), None, "the empty text is another key");
    cache.insert(&[], 0.0, lasting(9.0), &mut log);
    cache.validate();
    cache.touch(slot);
    cache.insert(&units("x"), 0.0, lasting(9.0), &mut log);
    assert!(cache.is_used(slot));
    assert_eq!(log.0, [(1, vec![], Reason::Size)]);
}

proptest! {
    #[test]
    fn noted_uses_count_as_uses_in_their_order(notes in proptest::collection::vec(0_i32..12, 0..900), s3_fifo in any::<bool>()) {
        let policy = if s3_fifo { Policy::S3Fifo } else { Policy::Lru };
        let (mut noted, mut touched, mut log) = (cache(12, policy), cache(12, policy), Log::default());
        for key in 0..12 {
            noted.insert(&[key], 0.0, lasting(9.0), &mut log);
            touched.insert(&[key], 0.0, lasting(9.0), &mut log);
        }
        // More batches than the counter of batches has numbers.
        for batch in notes.chunks(3) {
            noted.note(batch);
            batch.iter().for_each(|slot| touched.touch(*slot as u32));
        }
        prop_assert_eq!(noted.by_recency(0.0), touched.by_recency(0.0));
        noted.shrink(6, 0.0, &mut log);
        touched.shrink(6, 0.0, &mut log);
        noted.validate();
        prop_assert_eq!(noted.by_recency(0.0), touched.by_recency(0.0));
    }
}

#[test]
fn a_mark_comes_back_with_its_slot() {
    struct Marks(Vec<(u32, u16)>);
    impl Watch for Marks {
        fn freed(&mut self, slot: u32, mark: u16, _key: Text, _reason: Reason) {
            self.0.push((slot, mark));
        }

        fn rescheduled(&mut self, slot: u32, mark: u16, expires: f64) {
            assert_eq!((slot, mark, expires), (1, 8, 20.0));
        }
    }
    let (mut cache, mut marks) = (cache(2, Policy::Lru), Marks(Vec::new()));
    cache.insert(&units("a"), 0.0, lasting(9.0), &mut marks);
    cache.insert(&units("b"), 0.0, lasting(9.0), &mut marks);
    cache.note(&[1, !7, 0]);
    cache.insert(&units("b"), 0.0, lasting(20.0), &mut marks);
    cache.shrink(0, 0.0, &mut marks);
    assert_eq!(marks.0, [(0, 0), (1, 8)]);
}

/// A small generator is enough here, and keeps the trace the same from run to run.
struct Xorshift(u64);

impl Xorshift {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Ranks of a Zipf distribution by inverting its continuous counterpart.
fn zipf(random: &mut Xorshift, keys: f64, skew: f64) -> u32 {
    let power = 1.0 - skew;
    ((random.unit() * (keys.powf(power) - 1.0) + 1.0).powf(1.0 / power)) as u32
}

fn hit_ratio(policy: Policy) -> f64 {
    let mut cache = cache(1_000, policy);
    let (mut random, mut log, mut hits) = (Xorshift(88_172_645_463_325_252), Log::default(), 0);
    let draws = 200_000;
    for _ in 0..draws {
        let key = units(&zipf(&mut random, 1e6, 0.99).to_string());
        match cache.find(&key) {
            Some(slot) => {
                hits += 1;
                cache.touch(slot);
            }
            None => drop(cache.insert(&key, 0.0, lasting(f64::INFINITY), &mut log)),
        }
        log.0.clear();
    }
    f64::from(hits) / f64::from(draws)
}

#[test]
fn s3_fifo_hits_eight_points_more_than_lru_on_a_skewed_load() {
    let (lru, s3) = (hit_ratio(Policy::Lru), hit_ratio(Policy::S3Fifo));
    assert!(s3 - lru > 0.08, "S3-FIFO {s3:.3}, LRU {lru:.3}");
}
