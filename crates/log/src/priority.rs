//! How threads of a log stand to those of the application.

/// Has this thread not interrupt others when it has something to do, as far as the system knows the difference: whoever logs
/// wakes it, and would otherwise be held up on a busy machine until a batch is written.
#[cfg(target_os = "linux")]
pub(crate) fn yield_to_others() {
    // SAFETY: plain data without pointers, for which zero is a value.
    let param: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: it reads the parameters, and is about the calling thread. Where it is not allowed nothing changes.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const param) };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn yield_to_others() {}
