//! Units of work on a server.

use super::{
    fixture::{OnServer, Speaks, on_every_server},
    transactions::step,
};
use crate::fixture::{commit, lease};
use batch_core::{
    Transactions,
    repository::{Commit, CommitError, UnitStart},
};
use batch_sql::Server;

on_every_server!(a_unit_is_not_done_where_its_function_ended_the_transaction);

/// On a server without transactional statements left, what follows would be committed by itself.
async fn a_unit_is_not_done_where_its_function_ended_the_transaction<K: Speaks>(f: OnServer<K>) {
    let (me, step) = step(&f).await;
    let instance = f.number("SELECT instance_id FROM batch_step").await;
    let start = UnitStart {
        lease: lease(step.execution_id, &me),
        instance,
        step: step.id,
        name: step.name.clone(),
        key: "1".to_owned(),
        at: step.started,
    };
    for end in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"] {
        let unit = f.repository.start_unit(&start).await.unwrap();
        let mut tx = f.first.begin().await.unwrap();
        K::run(Server::<K>::conn(&mut tx), end).await.unwrap();
        let commit = Commit { units: vec![unit.succeeded(step.started)], ..commit(&step, &me) };
        assert!(matches!(f.first.commit(tx, &commit).await, Err(CommitError::Refused(_))), "{end}");
        assert_eq!(f.number("SELECT count(*) FROM batch_unit WHERE status = 'SUCCESS'").await, 0, "{end}");
    }
}
