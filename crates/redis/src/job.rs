//! Carries out the calls of a batch.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::{Pipeline, Value};
use tokio::time::{Instant, sleep, timeout_at};

use crate::call::{Call, Reply, Script};
use crate::counts::{Counts, add};
use crate::failure::Failure;
use crate::node::Node;
use crate::store::Store;
use crate::verdict::Verdict;

/// Before a call is sent again that Redis could not carry out, or that was sent around.
const PAUSE: Duration = Duration::from_millis(1);
/// As often the pause doubles.
const DOUBLINGS: u32 = 4;
/// As often a call is sent on at once.
const TURNS: u32 = 4;

/// The calls of one batch, and what they need.
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store,
    pub(crate) counts: &'a Counts,
    pub(crate) script: &'a Script,
    pub(crate) calls: &'a [Call],
    pub(crate) deadline: Instant,
}

/// What the calls came to so far.
struct Outcome {
    replies: Vec<Option<Result<Reply, Failure>>>,
    /// What stood in the way last.
    cause: Option<Box<str>>,
}

/// A call that has no reply yet.
struct Pending {
    call: usize,
    /// Whether Redis does not have the script.
    load: bool,
    /// The node that the slot's owner sent it to.
    ask: Option<Arc<Node>>,
    turns: u32,
}

/// Calls for one node, or for none yet.
type Group = Vec<Pending>;

enum Event {
    Answered(Arc<Node>, Group, Result<Vec<Value>, Failure>),
    /// Where they go can be found out again.
    Rested(Group, Result<(), Failure>),
}

type Steps<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Event> + Send + 'a>>>;

impl Job<'_> {
    /// A reply or a failure for each call, at the deadline at the latest.
    pub(crate) async fn run(&self) -> Vec<Result<Reply, Failure>> {
        let mut outcome = Outcome { replies: vec![None; self.calls.len()], cause: None };
        // Late already, where the thread had too much to do: what is not sent costs nobody anything.
        if Instant::now() < self.deadline {
            _ = timeout_at(self.deadline, self.carry_out(&mut outcome)).await;
        }
        let Outcome { replies, cause } = outcome;
        let late = replies.iter().filter(|reply| reply.is_none()).count();
        add(&self.counts.timeouts, late);
        replies.into_iter().map(|reply| reply.unwrap_or_else(|| Err(Failure::Timeout(cause.clone())))).collect()
    }

    async fn carry_out(&self, outcome: &mut Outcome) {
        let mut steps = Steps::new();
        let pending = |call| Pending { call, load: false, ask: None, turns: 0 };
        self.send(&steps, (0..self.calls.len()).map(pending).collect());
        while let Some(event) = steps.next().await {
            match event {
                Event::Answered(node, group, Ok(answers)) => self.read(&steps, outcome, &node, group, answers),
                Event::Answered(_, group, Err(failure)) => {
                    self.store.lost();
                    outcome.fail(&group, &failure);
                }
                Event::Rested(group, Ok(())) => self.send(&steps, group),
                Event::Rested(group, Err(failure)) => outcome.fail(&group, &failure),
            }
        }
    }

    /// One pipeline a node. Calls whose node is unknown wait until it may be known.
    fn send<'a>(&'a self, steps: &Steps<'a>, pending: Group) {
        let mut groups: Vec<(Arc<Node>, bool, Group)> = Vec::new();
        let mut homeless = Vec::new();
        for mut pending in pending {
            let ask = pending.ask.take();
            let asking = ask.is_some();
            let Some(node) = ask.or_else(|| self.store.owner(&self.calls[pending.call])) else {
                homeless.push(pending);
                continue;
            };
            match groups.iter_mut().find(|(other, by_asking, _)| Arc::ptr_eq(other, &node) && *by_asking == asking) {
                Some((.., group)) => group.push(pending),
                None => groups.push((node, asking, vec![pending])),
            }
        }
        for (node, asking, group) in groups {
            let commands = self.commands(&group, asking);
            steps.push(Box::pin(async move {
                let answers = node.send(&commands).await;
                let answers = answers.map(|all| if asking { every_second(all) } else { all });
                Event::Answered(node, group, answers)
            }));
        }
        if let Some(cluster) = self.store.cluster()
            && !homeless.is_empty()
        {
            steps.push(Box::pin(async move { Event::Rested(homeless, cluster.next_reading().await) }));
        }
    }

    fn commands(&self, group: &Group, asking: bool) -> Pipeline {
        let mut commands = Pipeline::with_capacity(group.len() * (1 + usize::from(asking)));
        // Redis keeps the script that one call carries for those behind it.
        let loading = group.iter().position(|pending| pending.load);
        for (place, pending) in group.iter().enumerate() {
            if asking {
                commands.cmd("ASKING");
            }
            commands.add_command(self.calls[pending.call].command(self.script, loading == Some(place)));
        }
        add(&self.counts.loaded, usize::from(loading.is_some()));
        commands
    }

    fn read<'a>(&'a self, steps: &Steps<'a>, outcome: &mut Outcome, node: &Node, group: Group, answers: Vec<Value>) {
        let (mut at_once, mut later) = (Vec::new(), Vec::new());
        for (mut pending, answer) in group.into_iter().zip(answers) {
            pending.turns += 1;
            match self.judge(&mut pending, outcome, node, answer) {
                When::Never => {}
                When::AtOnce if pending.turns < TURNS => at_once.push(pending),
                _ => later.push(pending),
            }
        }
        add(&self.counts.repeated, later.len());
        self.send(steps, at_once);
        self.rest(steps, later);
    }

    fn judge(&self, pending: &mut Pending, outcome: &mut Outcome, node: &Node, answer: Value) -> When {
        match (Verdict::of(answer), self.store.cluster()) {
            (Verdict::Done(reply), _) => {
                outcome.replies[pending.call] = Some(reply);
                return When::Never;
            }
            (Verdict::Load, _) => pending.load = true,
            (Verdict::Moved(slot, address), Some(cluster)) => {
                add(&self.counts.redirected, 1);
                cluster.moved(slot, address);
            }
            (Verdict::Ask(address), Some(cluster)) => {
                add(&self.counts.redirected, 1);
                pending.ask = Some(cluster.node(address));
            }
            (Verdict::Moved(..) | Verdict::Ask(_), None) => {
                let text = "this server is a node of a Cluster: give its nodes as \"cluster\"";
                outcome.replies[pending.call] = Some(Err(Failure::Server(text.into())));
                return When::Never;
            }
            (Verdict::Wait(cause), _) => {
                outcome.cause = Some(cause);
                return When::Later;
            }
            (Verdict::Doubt(cause), _) => {
                outcome.cause = Some(cause);
                self.store.demoted(node);
                return When::Later;
            }
        }
        When::AtOnce
    }

    /// Sends calls again after a pause.
    fn rest<'a>(&'a self, steps: &Steps<'a>, group: Group) {
        let Some(turns) = group.iter().map(|pending| pending.turns).min() else { return };
        let pause = PAUSE * (1 << turns.saturating_sub(1).min(DOUBLINGS));
        steps.push(Box::pin(async move {
            sleep(pause).await;
            Event::Rested(group, Ok(()))
        }));
    }
}

/// When a call is to be sent again.
enum When {
    Never,
    AtOnce,
    Later,
}

impl Outcome {
    fn fail(&mut self, group: &Group, failure: &Failure) {
        for pending in group {
            self.replies[pending.call] = Some(Err(failure.clone()));
        }
    }
}

fn every_second(values: Vec<Value>) -> Vec<Value> {
    values.into_iter().skip(1).step_by(2).collect()
}
