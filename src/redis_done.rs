//! What the thread of the links does for JavaScript, and leaves in its mailbox.

use keelson_redis::{Call, Failure, Layout, Reply, Work};

use crate::mailbox::Mailbox;

/// Something that is done.
pub(crate) struct Done {
    pub(crate) ticket: u32,
    pub(crate) outcome: Outcome,
}

/// What it came to.
pub(crate) enum Outcome {
    /// Numbers of checks, and why some of them failed.
    Rows(Vec<f64>, Option<Failure>),
    /// What a script returned.
    Reply(Result<Reply, Failure>),
}

/// One call of a script.
pub(crate) struct Run {
    pub(crate) ticket: u32,
    pub(crate) call: Call,
    pub(crate) mailbox: Mailbox<Done>,
}

impl Work for Run {
    fn calls(&mut self, _layout: Layout) -> Vec<Call> {
        vec![std::mem::take(&mut self.call)]
    }

    fn done(self: Box<Self>, outcome: Result<Vec<Result<Reply, Failure>>, Failure>) {
        let reply = outcome.and_then(|mut replies| replies.pop().unwrap_or(Err(Failure::Closed)));
        self.mailbox.leave(Done { ticket: self.ticket, outcome: Outcome::Reply(reply) });
    }
}
