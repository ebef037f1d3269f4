//! The timing wheel for JavaScript: operations come in batches through shared arrays.

use keelson_core::timer::Wheel;
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::Result;
use crate::raw::{self, Args, Instance, Shared};

/// Ticks of the wheel in a millisecond: fine enough that rounding up to a tick is no delay.
const TICKS: f64 = 16.0;
/// What an operation's deadline says when it is not a time: take the slot out.
const CANCEL: f64 = -1.0;
/// The `place` of a slot that is in the wheel.
const IN_WHEEL: i32 = -1;
/// The `place` of a slot that `advance` has handed out.
const EXPIRED: i32 = -2;

/// A wheel and the arrays that it shares with the facade.
struct TimerWheel {
    wheel: Wheel,
    /// Slot of each queued operation.
    op_slots: Shared<i32>,
    /// Deadline of each queued operation in milliseconds; [`CANCEL`] takes the slot out, anything below passes it over.
    op_deadlines: Shared<f64>,
    /// Where each slot is: [`IN_WHEEL`], [`EXPIRED`], or the facade's own numbers from 0 on.
    place: Shared<i32>,
    /// Slots that `advance` hands out.
    expired: Shared<i32>,
}

impl TimerWheel {
    /// Carries out the first `count` queued operations.
    fn apply(&mut self, count: usize) {
        let place = self.place.as_mut_slice();
        let ops = self.op_slots.as_slice().iter().zip(self.op_deadlines.as_slice());
        for (&slot, &deadline) in ops.take(count) {
            let Ok(index) = u32::try_from(slot) else { continue };
            if deadline >= 0.0 {
                // Rounded up, so that no timer is early.
                if self.wheel.insert(index, (deadline * TICKS).ceil() as u64) {
                    place[index as usize] = IN_WHEEL;
                }
            } else if deadline == CANCEL {
                self.wheel.remove(index);
            }
        }
    }

    /// Fills `expired` with slots that are due at `now`, and returns how many.
    fn advance(&mut self, now: f64) -> u32 {
        let place = self.place.as_mut_slice();
        let slots = self.expired.as_mut_slice();
        let mut count = 0;
        self.wheel.advance((now * TICKS) as u64, slots.len(), |slot, _| {
            slots[count] = slot.cast_signed();
            place[slot as usize] = EXPIRED;
            count += 1;
        });
        count as u32
    }

    /// Takes larger slot and operation arrays into use; every queued operation must have been applied.
    fn resize(&mut self, args: &Args<3>) -> Result<()> {
        (self.place, self.op_slots, self.op_deadlines) = (args.shared(0)?, args.shared(1)?, args.shared(2)?);
        self.wheel.grow(self.place.as_slice().len() as u32);
        Ok(())
    }
}

/// Makes a timing wheel over the facade's arrays: see `TimerWheel` in lib/native.ts.
#[napi(ts_return_type = "object")]
pub fn create_timer_wheel(
    env: Env,
    place: Unknown,
    op_slots: Unknown,
    op_deadlines: Unknown,
    expired: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let place: Shared<i32> = Shared::new(env, place.raw())?;
    let state = TimerWheel {
        wheel: Wheel::new(place.as_slice().len() as u32, 0),
        op_slots: Shared::new(env, op_slots.raw())?,
        op_deadlines: Shared::new(env, op_deadlines.raw())?,
        place,
        expired: Shared::new(env, expired.raw())?,
    };
    let object = Instance::new(env, state)?
        .function("apply", |timers, args: Args<1>| {
            timers.apply(args.u32(0)? as usize);
            Ok(())
        })?
        .function("advance", |timers, args: Args<1>| Ok(timers.advance(args.f64(0)?)))?
        .function("nextDeadline", |timers, _: Args<0>| {
            Ok(timers.wheel.next_deadline().map_or(f64::INFINITY, |deadline| deadline as f64 / TICKS))
        })?
        .function("deadline", |timers, args: Args<1>| {
            Ok(timers.wheel.deadline(args.u32(0)?).map_or(f64::NAN, |deadline| deadline as f64 / TICKS))
        })?
        .function("resize", |timers, args: Args<3>| timers.resize(&args))?
        .function("clear", |timers, _: Args<0>| {
            timers.wheel.clear();
            Ok(())
        })?;
    Ok(object.finish())
}
