//! A connection with its prepared statements, and the guarded checkpoint.

use crate::{R, binary};
use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::{Client, NoTls, Statement};

/// The only epoch here; a restart would raise it, and whoever holds an older one could commit no more.
pub const EPOCH: i64 = 1;
/// Raises on the server where the row is not ours, since the COMMIT that travels with it would be carried out whatever the client
/// makes of "no rows": in a failed transaction it rolls back.
const SAVE: &str = "WITH u AS (UPDATE limit_ck SET pos = $1, commit_no = commit_no + 1
    WHERE id = 1 AND epoch = $2 AND commit_no = $3 RETURNING 1) SELECT 1 / count(*) FROM u";

/// Where the database is.
pub fn url() -> String {
    std::env::var("BENCH_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:54329/bench?sslmode=disable".into())
}

pub async fn connect() -> R<Client> {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(client)
}

/// An empty table and a checkpoint at the beginning.
pub async fn set_up() -> R<()> {
    let client = connect().await?;
    client.batch_execute(include_str!("../../../schema.sql")).await?;
    let checkpoint = format!(
        "DROP TABLE IF EXISTS limit_ck;
         CREATE TABLE limit_ck (id int PRIMARY KEY, pos bigint NOT NULL, epoch bigint NOT NULL, commit_no bigint NOT NULL);
         INSERT INTO limit_ck VALUES (1, 0, {EPOCH}, 0)"
    );
    Ok(client.batch_execute(&checkpoint).await?)
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, PartialEq)]
pub enum Wait {
    Disk,
    Nothing,
}

pub struct Connection {
    client: Client,
    copy: Statement,
    save: Statement,
}

impl Connection {
    pub async fn open() -> R<Self> {
        let client = connect().await?;
        let (copy, save) = (client.prepare(binary::COPY).await?, client.prepare(SAVE).await?);
        Ok(Self { client, copy, save })
    }

    pub async fn begin(&self, wait: Wait) -> R<()> {
        let begin = if wait == Wait::Disk { "BEGIN" } else { "BEGIN; SET LOCAL synchronous_commit = off" };
        Ok(self.client.batch_execute(begin).await?)
    }

    pub async fn copy(&self, data: Bytes) -> R<u64> {
        copy(&self.client, &self.copy, data).await
    }

    /// Checkpoint and COMMIT in one round trip.
    pub async fn commit(&self, end: i64, epoch: i64, commit_no: i64) -> R<()> {
        let save = async { self.client.query(&self.save, &[&end, &epoch, &commit_no]).await };
        let (saved, committed) = tokio::join!(save, self.client.batch_execute("COMMIT"));
        saved?;
        Ok(committed?)
    }
}

pub async fn copy(client: &Client, copy: &Statement, data: Bytes) -> R<u64> {
    let sink = client.copy_in::<_, Bytes>(copy).await?;
    futures_util::pin_mut!(sink);
    sink.send(data).await?;
    Ok(sink.finish().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};

    /// Needs the server of `postgres.sh`, or BENCH_URL; replaces the tables there.
    #[tokio::test]
    async fn only_the_owner_of_the_checkpoint_commits() {
        set_up().await.unwrap();
        let connection = Connection::open().await.unwrap();
        for (epoch, commit_no, rows) in [(EPOCH - 1, 0, 0), (EPOCH, 1, 0), (EPOCH, 0, 1), (EPOCH, 0, 1)] {
            connection.begin(Wait::Disk).await.unwrap();
            connection
                .client
                .batch_execute("INSERT INTO product SELECT 1, '', '', '', 1, 1, now() ON CONFLICT DO NOTHING")
                .await
                .unwrap();
            let mut empty = BytesMut::from(binary::HEADER);
            empty.put_i16(-1);
            connection.copy(empty.freeze()).await.unwrap();
            let before = connection.client.query_one("SELECT commit_no FROM limit_ck", &[]).await.unwrap().get::<_, i64>(0);
            let done = connection.commit(7, epoch, commit_no).await;
            assert_eq!(done.is_ok(), (epoch, commit_no) == (EPOCH, before));
            let found = connection.client.query_one("SELECT count(*) FROM product", &[]).await.unwrap().get::<_, i64>(0);
            assert_eq!(found, rows);
        }
    }
}
