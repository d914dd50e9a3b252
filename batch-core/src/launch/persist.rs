//! Calls to the repository that must not be lost.

use crate::{clock::Clock, error::Error};
use std::{future::Future, time::Duration};

/// Repeats `call` while its error is transient, for as long as the lease lasts. An answer may have been lost: before it is repeated,
/// `settled` says whether the call took effect already.
pub(super) async fn persist<V, Call, Look>(
    clock: &dyn Clock,
    ttl: Duration,
    call: impl Fn() -> Call,
    settled: impl Fn() -> Look,
) -> Result<V, Error>
where
    Call: Future<Output = Result<V, Error>>,
    Look: Future<Output = Option<V>>,
{
    let give_up = clock.uptime() + ttl;
    let mut wait = Duration::from_millis(20);
    loop {
        let error = match call().await {
            Err(error) if error.is_transient() && clock.uptime() < give_up => error,
            other => return other,
        };
        tracing::warn!(error = error.report(), "the repository did not answer; trying again");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(1));
        if let Some(value) = settled().await {
            return Ok(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::persist;
    use crate::{
        clock::SystemClock,
        error::{Error, ErrorKind},
    };
    use std::{cell::Cell, time::Duration};

    fn away() -> Error {
        Error::new(ErrorKind::Unavailable, "no answer").transient()
    }

    #[tokio::test(start_paused = true)]
    async fn what_took_effect_is_not_done_again() {
        let (calls, minute) = (Cell::new(0), Duration::from_secs(60));
        let call = async || {
            calls.set(calls.get() + 1);
            Err::<u8, _>(away())
        };
        let found = persist(&SystemClock, minute, call, async || (calls.get() == 2).then_some(7)).await;
        assert_eq!((found.unwrap(), calls.get()), (7, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_waiting_does_not_cure_is_final() {
        let call = async || Err::<u8, _>(Error::new(ErrorKind::NotOwner, "taken over"));
        let error = persist(&SystemClock, Duration::from_secs(60), call, async || panic!("nothing to look up")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOwner);
    }
}
