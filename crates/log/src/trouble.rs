//! Something that does not work, and when it is tried again.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Between attempts; doubles up to the second.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Nothing, at first.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Option<Lasting>);

#[derive(Debug)]
struct Lasting {
    since: Instant,
    pause: Duration,
    retry: Instant,
    failure: Failure,
}

impl Trouble {
    /// It failed; returns whether it worked before.
    pub(crate) fn begin(&mut self, failure: Failure, now: Instant) -> bool {
        let (since, pause) = match &self.0 {
            Some(lasting) => (lasting.since, (lasting.pause * 2).min(LONGEST_PAUSE)),
            None => (now, LEAST_PAUSE),
        };
        let is_new = self.0.is_none();
        self.0 = Some(Lasting { since, pause, retry: now + pause, failure });
        is_new
    }

    /// It works; returns for how long it did not.
    pub(crate) fn end(&mut self, now: Instant) -> Option<Duration> {
        self.0.take().map(|lasting| now - lasting.since)
    }

    /// The time, or the next one at which it may be tried.
    pub(crate) fn earliest(&self, time: Instant) -> Instant {
        self.0.as_ref().map_or(time, |lasting| time.max(lasting.retry))
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.0.as_ref().map(|lasting| &lasting.failure)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::Trouble;
    use crate::failure::{Failure, Step};

    #[test]
    fn pauses_double_up_to_two_seconds() {
        let failure = |text: &str| Failure::of(Step::Write, Path::new("app.log"))(io::Error::other(text.to_owned()));
        let (mut trouble, start) = (Trouble::default(), Instant::now());
        assert_eq!((trouble.earliest(start), trouble.end(start)), (start, None));
        let mut now = start;
        for (count, pause) in [50, 100, 200, 400, 800, 1600, 2000, 2000].into_iter().enumerate() {
            assert_eq!(trouble.begin(failure("it is full"), now), count == 0);
            let retry = now + Duration::from_millis(pause);
            assert_eq!(trouble.earliest(now), retry);
            assert_eq!(trouble.earliest(retry + Duration::from_millis(1)), retry + Duration::from_millis(1));
            now = retry;
        }
        trouble.begin(failure("it is away"), now);
        assert_eq!(trouble.failure(), Some(&failure("it is away")));
        assert_eq!(trouble.end(now), Some(now - start));
        assert_eq!((trouble.earliest(start), trouble.failure()), (start, None));
    }
}
