//! Jobs as users write them, each run for real.

use batch_core::{
    BatchStatus, BoxReader, Chunk, Context, Job, ListReader, ListWriter, MultiReader, Parameters, Reader, Repeat, Result, Retry,
    Writer,
};
use batch_csv::{CsvReader, CsvWriter};
use batch_sql::{SqlInsert, SqlWriter, Sqlite};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Product {
    id: i64,
    sku: String,
    price: f64,
}

fn valid(p: Product) -> Result<Product> {
    if p.price < 0.0 {
        return Err(format!("price {} is negative", p.price).into());
    }
    Ok(p)
}

/// A folder with a database and an input of four rows, the third of which has a negative price.
struct Place {
    folder: TempDir,
    db: Sqlite,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Sqlite::open(&format!("sqlite://{}", folder.path().join("jobs.db").display())).await.unwrap();
        for sql in ["CREATE TABLE product(id INTEGER PRIMARY KEY, sku TEXT, price REAL)", "CREATE TABLE audit(product_id INTEGER)"]
        {
            sqlx::query(sql).execute(db.pool()).await.unwrap();
        }
        fs::write(folder.path().join("in.csv"), "id,sku,price\n1,SKU-1,5\n2,SKU-2,2.5\n3,SKU-3,-1\n4,SKU-4,1\n").unwrap();
        Self { folder, db }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn input(&self) -> Parameters {
        Parameters::new().set("input", self.path("in.csv").display().to_string())
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.pool()).await.unwrap()
    }
}

async fn completes(job: &Job<Sqlite>, parameters: Parameters) {
    let execution = job.run(parameters).await.unwrap();
    assert_eq!(execution.status, BatchStatus::Completed, "{}", execution.exit_status.message);
}

#[tokio::test]
async fn a_file_into_a_table_with_bad_rows_left_out() {
    let place = Place::new().await;
    let job = Job::new("import", &place.db).step("load", |s| {
        Ok(s.chunk(1000, CsvReader::open(s.parameter::<String>("input")?)).map(valid).writer(SqlInsert::into("product")).skip(100))
    });
    completes(&job, place.input()).await;
    assert_eq!(place.count("SELECT count(*) FROM product").await, 3);
}

#[tokio::test]
async fn a_file_into_a_file_with_a_filter() {
    let place = Place::new().await;
    let job = Job::new("clean", &place.db).step("copy", |s| {
        Ok(s.chunk(1000, CsvReader::<Product>::open(s.parameter::<String>("input")?))
            .filter(|p| p.price > 0.0)
            .writer(CsvWriter::create(s.parameter::<String>("output")?)))
    });
    completes(&job, place.input().set("output", place.path("out.csv").display().to_string())).await;
    assert_eq!(fs::read_to_string(place.path("out.csv")).unwrap(), "id,sku,price\n1,SKU-1,5.0\n2,SKU-2,2.5\n4,SKU-4,1.0\n");
}

#[derive(Clone)]
struct Rates;

impl Rates {
    async fn of(&self, sku: &str) -> Result<f64, std::io::Error> {
        tokio::task::yield_now().await;
        Ok(if sku.is_empty() { 0.0 } else { 2.0 })
    }
}

#[tokio::test]
async fn a_service_asked_for_sixteen_items_at_once() {
    let place = Place::new().await;
    let rates = Rates;
    let job = Job::new("enrich", &place.db).step("rates", move |s| {
        let rates = rates.clone();
        Ok(s.chunk(100, CsvReader::open(s.parameter::<String>("input")?))
            .then(async move |mut p: Product| {
                p.price *= rates.of(&p.sku).await?;
                Ok(p)
            })
            .writer(SqlInsert::into("product"))
            .retry(Retry::times(3).exponential(Duration::from_millis(100)))
            .concurrent(16))
    });
    completes(&job, place.input()).await;
    assert_eq!(place.count("SELECT CAST(sum(price) AS INTEGER) FROM product").await, 15);
}

#[tokio::test]
async fn two_tables_and_a_file_agree_after_a_bad_row() {
    let place = Place::new().await;
    sqlx::query("INSERT INTO product VALUES (2, 'there already', 1)").execute(place.db.pool()).await.unwrap();
    let file = place.path("audited.csv");
    let job = Job::new("audited", &place.db).step("load", move |s| {
        let audit = SqlWriter::new("INSERT INTO audit(product_id) VALUES (?)", |q, p: &Product| q.bind(p.id));
        Ok(s.chunk(1000, CsvReader::open(s.parameter::<String>("input")?))
            .writer((CsvWriter::create(&file), SqlInsert::into("product"), audit))
            .skip(10))
    });
    completes(&job, place.input()).await;
    assert_eq!(place.count("SELECT count(*) FROM product WHERE sku LIKE 'SKU%'").await, 3);
    assert_eq!(place.count("SELECT count(*) FROM audit").await, 3);
    assert_eq!(fs::read_to_string(place.path("audited.csv")).unwrap().lines().count(), 1 + 3);
}

#[tokio::test]
async fn several_files_as_one() {
    let place = Place::new().await;
    fs::write(place.path("more.csv"), "id,sku,price\n61,SKU-61,5\n62,SKU-62,2\n").unwrap();
    let job = Job::new("import-all", &place.db).step("load", |s| {
        let files: Vec<String> = s.parameter("inputs")?;
        Ok(s.chunk(3, MultiReader::new(files, CsvReader::<Product>::open)).writer(SqlInsert::into("product")))
    });
    let files: Vec<String> = ["in.csv", "more.csv"].map(|f| place.path(f).display().to_string()).into();
    completes(&job, Parameters::new().set("inputs", files)).await;
    assert_eq!(place.count("SELECT count(*) FROM product").await, 6);
}

async fn purge(db: &mut SqliteConnection, context: &mut Context) -> Result<()> {
    let done = sqlx::query("DELETE FROM product WHERE price < 0").execute(db).await?;
    context.set("purged", done.rows_affected())
}

async fn highest(db: &mut SqliteConnection, context: &mut Context) -> Result<()> {
    let id: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM product").fetch_one(db).await?;
    context.set("highest", id)
}

#[tokio::test]
async fn steps_that_hand_values_on() {
    let place = Place::new().await;
    let job = Job::new("three", &place.db)
        .step("import", |s| {
            Ok(s.chunk(10, CsvReader::<Product>::open(s.parameter::<String>("input")?)).writer(SqlInsert::into("product")))
        })
        .step("purge", |s| Ok(s.tasklet(purge)))
        .step("highest", |s| Ok(s.tasklet(highest)))
        .step("append", |s| {
            let from: i64 = s.context("highest")?;
            let one = Product { id: 0, sku: "SKU-x".into(), price: 1.0 };
            Ok(s.chunk(10, ListReader::new(vec![one]))
                .map(move |p| Ok(Product { id: p.id + from + 1, ..p }))
                .writer(SqlInsert::into("product")))
        })
        .step("shrink", |s| {
            Ok(s.tasklet(async move |db: &mut SqliteConnection, _: &mut Context| {
                let gone = sqlx::query("DELETE FROM product WHERE id IN (SELECT id FROM product WHERE id < 5 LIMIT 1)")
                    .execute(db)
                    .await?;
                Ok(if gone.rows_affected() > 0 { Repeat::Again } else { Repeat::Finished })
            }))
        });
    completes(&job, place.input()).await;
    assert_eq!(place.count("SELECT min(id) FROM product").await, 5);
}

/// A source chosen at run time.
fn source(from: &str) -> BoxReader<Product> {
    if from.ends_with(".csv") { CsvReader::open(from).boxed() } else { ListReader::new(vec![]).boxed() }
}

#[tokio::test]
async fn a_reader_chosen_at_run_time() {
    let place = Place::new().await;
    let job = Job::new("export", &place.db)
        .step("export", |s| Ok(s.chunk(2, source(&s.parameter::<String>("input")?)).writer(SqlInsert::into("product"))));
    completes(&job, place.input()).await;
    assert_eq!(place.count("SELECT count(*) FROM product").await, 4);
}

/// A paged service as a reader of one's own.
struct Pages {
    page: Vec<i64>,
    at: Cursor,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Cursor {
    page: i64,
    offset: usize,
}

impl Pages {
    async fn fetch(&self) -> Result<Vec<i64>> {
        tokio::task::yield_now().await;
        Ok(if self.at.page < 3 { (0..5).map(|i| i + 5 * self.at.page).collect() } else { vec![] })
    }
}

impl Reader for Pages {
    type Item = i64;
    type Position = Cursor;

    async fn open(&mut self, resume: Option<Cursor>) -> Result<()> {
        self.at = resume.unwrap_or_default();
        self.page = self.fetch().await?;
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<i64>> {
        if self.at.offset == self.page.len() && !self.page.is_empty() {
            let next = Pages { page: vec![], at: Cursor { page: self.at.page + 1, offset: 0 } };
            let page = next.fetch().await?;
            *self = Pages { page, at: next.at };
        }
        let item = self.page.get(self.at.offset).copied();
        self.at.offset += usize::from(item.is_some());
        Ok(item)
    }

    fn position(&self) -> Cursor {
        self.at.clone()
    }
}

/// A broker as a writer of one's own: no transaction, an idempotency key an item.
#[derive(Clone)]
struct Topic(ListWriter<(String, i64)>);

impl<Conn: Send> Writer<i64, Conn> for Topic {
    async fn write(&mut self, _: &mut Conn, items: Chunk<'_, i64>) -> Result<()> {
        let messages: Vec<(String, i64)> = items.keyed().map(|(key, item)| (key, *item)).collect();
        self.0.write(&mut (), Chunk::from(&messages[..])).await?;
        Writer::<(String, i64)>::flush(&mut self.0).await.map(drop)
    }
}

#[tokio::test]
async fn a_reader_and_a_writer_of_ones_own() {
    let place = Place::new().await;
    let topic = Topic(ListWriter::new());
    let target = topic.clone();
    let job = Job::new("pages", &place.db).step("send", move |s| {
        Ok(s.chunk(4, Pages { page: vec![], at: Cursor::default() })
            .filter(|n| n % 2 == 0)
            .without_transaction()
            .writer(target.clone()))
    });
    completes(&job, Parameters::new()).await;
    let sent = topic.0.items();
    assert_eq!(sent.len(), 8);
    assert_eq!(sent[7], ("1/send/14".to_owned(), 14), "the key is instance, step and the record's number");
}
