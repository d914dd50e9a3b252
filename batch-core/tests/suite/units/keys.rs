//! The reader of the keys, and what else the step depends on.

use super::{Users, run};
use batch_core::{BoxError, ErrorKind, Job, Memory, Parameters, Reader, Result, Retry, Transient, UnitStatus};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// Yields 0, 1, 2, and before each number what a script says.
#[derive(Clone, Default)]
struct FlakyKeys {
    next: i64,
    script: Arc<Mutex<Vec<(i64, BoxError)>>>,
    closed: Arc<Mutex<u32>>,
}

impl Reader for FlakyKeys {
    type Item = i64;
    type Position = i64;

    async fn open(&mut self, resume: Option<i64>) -> Result<()> {
        assert_eq!(resume, None, "keys are read from the beginning");
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<i64>> {
        let fault = {
            let mut script = self.script.lock();
            script.iter().position(|(at, _)| *at == self.next).map(|at| script.remove(at).1)
        };
        match fault {
            Some(error) if error.to_string() == "panic" => panic!("the keys"),
            Some(error) => return Err(error),
            None => self.next += 1,
        }
        Ok((self.next <= 3).then(|| self.next - 1))
    }

    fn position(&self) -> i64 {
        self.next
    }

    async fn close(&mut self) -> Result<()> {
        *self.closed.lock() += 1;
        Ok(())
    }
}

fn job(keys: &FlakyKeys, users: &Users, memory: &Memory) -> Job<Memory> {
    let keys = keys.clone();
    users.job(memory, move |users, s| s.units(keys.clone(), users.work()).retry(Retry::times(3).constant(Duration::from_secs(1))))
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_of_the_keys_is_retried() {
    let (memory, users, keys) = (Memory::new(), Users::new(3), FlakyKeys::default());
    keys.script.lock().extend([1, 1, 2, 2].map(|at| (at, Transient("busy".into()).into())));
    assert_eq!(
        (run(&job(&keys, &users, &memory), &memory).await.tells(), *keys.closed.lock()),
        ("COMPLETED R=3 W=3".to_owned(), 1)
    );
    assert_eq!(users.tried(), [0, 1, 2]);
}

#[tokio::test]
async fn keys_that_cannot_be_read_fail_the_step_and_what_is_done_stays() {
    for error in ["damaged", "panic"] {
        let (memory, users, keys) = (Memory::new(), Users::new(3), FlakyKeys::default());
        keys.script.lock().push((1, error.into()));
        let job = job(&keys, &users, &memory);
        let ran = run(&job, &memory).await;
        assert_eq!((ran.tells(), *keys.closed.lock()), ("FAILED".to_owned(), 1));
        assert!(ran.message().starts_with("the keys cannot be read (job statistics, step users): "), "{}", ran.message());
        assert_eq!(run(&job, &memory).await.tells(), "COMPLETED R=3 W=3");
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_ends_the_step_after_the_unit_under_way() {
    let (memory, users) = (Memory::new(), Users::new(9));
    let job = users.job(&memory, |users, s| {
        let users = users.clone();
        let keys = users.keys();
        let work = async move |_: &mut (), user: i64| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            users.meet(user).await
        };
        s.units(keys, work).time_limit(Duration::from_millis(2500))
    });
    let ran = run(&job, &memory).await;
    assert_eq!((ran.tells(), ran.log(UnitStatus::Success)), ("FAILED R=3 W=3".to_owned(), "0x1 1x1 2x1".to_owned()));
    assert!(ran.message().contains("the step took longer than 2.5s"), "{}", ran.message());
    assert_eq!(run(&job, &memory).await.tells(), "FAILED R=3 W=3");
}

#[tokio::test]
async fn keys_that_do_not_serialise_are_refused() {
    #[derive(Clone)]
    struct Key;
    impl serde::Serialize for Key {
        fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no key"))
        }
    }
    let memory = Memory::new();
    let job = Job::new("statistics", &memory)
        .step("users", |s| Ok(s.units(batch_core::ListReader::new(vec![Key]), async move |_: &mut (), _: Key| Ok(()))));
    assert_eq!(job.run(Parameters::new()).await.unwrap_err().kind(), ErrorKind::Configuration);
}
