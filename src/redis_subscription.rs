//! Channels of Redis for JavaScript: what happens is fetched after one callback, however much it is. See
//! lib/redis/native.ts.

use std::collections::VecDeque;

use keelson_redis::{Event, Link, Subscription};
use napi::sys;

use crate::error::Result;
use crate::raw::{Args, Instance, Object};
use crate::wake::Wake;

/// What `take` answers; lib/redis/native.ts repeats them. A loss is the code of its failure below 0.
const NOTHING: i32 = 0;
const SUBSCRIBED: i32 = 1;
const MESSAGE: i32 = 2;

struct State {
    /// Both are None once it is closed. The function that is called keeps whatever it reaches, which is this too.
    subscription: Option<Subscription>,
    wake: Option<Wake>,
    /// Fetched, and not yet by JavaScript.
    events: VecDeque<Event>,
    /// Of what was taken last.
    payload: Vec<u8>,
    text: String,
}

impl State {
    /// Fetches all there is now, and returns how much that is: what comes later has JavaScript called again.
    fn fetch(&mut self) -> u32 {
        if let Some(subscription) = &self.subscription {
            self.events.extend(subscription.take_all());
        }
        self.events.len() as u32
    }

    fn take(&mut self) -> i32 {
        match self.events.pop_front() {
            None => NOTHING,
            Some(Event::Subscribed) => SUBSCRIBED,
            Some(Event::Message(payload)) => {
                self.payload = payload;
                MESSAGE
            }
            Some(Event::Lost(failure)) => {
                self.text = failure.to_string();
                -i32::from(failure.code())
            }
        }
    }
}

/// Begins to listen; `wake` is called when there is something to fetch.
pub(crate) fn subscribe(env: sys::napi_env, link: &Link, channel: Vec<u8>, wake: sys::napi_value) -> Result<Object> {
    let wake = Wake::new(env, wake)?;
    let waker = wake.waker();
    let subscription = link.subscribe(channel, move || waker.wake());
    let state = State {
        subscription: Some(subscription),
        wake: Some(wake),
        events: VecDeque::new(),
        payload: Vec::new(),
        text: String::new(),
    };
    Ok(Instance::new(env, state)?
        .function("fetch", |state, _: Args<0>| Ok(state.fetch()))?
        .function("take", |state, _: Args<0>| Ok(state.take()))?
        .function("payload", |state, args: Args<0>| args.buffer(&std::mem::take(&mut state.payload)))?
        .function("text", |state, args: Args<0>| args.utf16(&state.text.encode_utf16().collect::<Vec<_>>()))?
        .function("close", |state, _: Args<0>| {
            (state.subscription, state.wake) = (None, None);
            state.events.clear();
            Ok(())
        })?
        .finish())
}
