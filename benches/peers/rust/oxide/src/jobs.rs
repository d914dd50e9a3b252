//! The workloads.

use crate::{
    CSV, R,
    env::{Env, cfg, rev},
    own::{TextProc, TextProc7, own_text},
    product::{Plus1, Proc, Proc3, Row3, SumWriter, Take},
    writer::Unnest,
};

use oxide_batch::{
    item_components::{
        DelimitedDialect, DelimitedRecord, IterReader, KeysetColumn, PostgresBatchMode, PostgresCursorFormat,
        delimited_file_reader, delimited_writer, postgres_cursor_reader,
    },
    *,
};

use rust_decimal::Decimal;
use std::sync::Mutex;

pub async fn job(e: &Env) -> R<(bool, u64)> {
    let rid = ComponentStreamIdentity::new("bench.reader")?;
    let csv = || {
        delimited_file_reader::<DelimitedRecord>(
            CSV,
            DelimitedDialect::csv().with_headers(true),
            ComponentStreamIdentity::new("bench.reader").unwrap(),
        )
    };
    let proc_ = |mode| Proc { mode, seen: Mutex::default() };
    match e.wl.as_str() {
        "w1" | "w5" | "w5r" => {
            let (r, s, c) = csv()?;
            e.launch(e.builder(r, proc_(0), Unnest { bisect: false })?.with_stream(rid, s, c, rev("s-v1")?)).await
        }
        "w1own" => {
            let (r, s, c) = csv()?;
            e.launch(
                e.builder(r, TextProc, own_text(PostgresBatchMode::MultiRowValues { max_parameters_per_statement: 65_535 })?)?
                    .with_stream(rid, s, c, rev("s-v1")?),
            )
            .await
        }
        "w1own2000" => {
            let (r, s, c) = csv()?;
            e.launch(e.builder(r, TextProc, own_text(PostgresBatchMode::multi_row_values())?)?.with_stream(rid, s, c, rev("s-v1")?))
                .await
        }
        "w2" => {
            let (r, s, c) = csv()?;
            let wid = ComponentStreamIdentity::new("bench.writer")?;
            let (w, ws, wc) = delimited_writer("out/oxide-batch-w2.csv", DelimitedDialect::csv(), wid.clone())?;
            e.launch(e.builder(r, proc_(0), w)?.with_stream(rid, s, c, rev("s-v1")?).with_stream(wid, ws, wc, rev("s-v1")?)).await
        }
        "w3" => {
            let (r, s, c) = postgres_cursor_reader(
                cfg()?,
                "SELECT id,sku,name,category,price::text AS price,stock,updated_at::text AS at FROM product_src",
                vec![KeysetColumn::i64("id")],
                PostgresCursorFormat::new().with_fetch_size(e.chunk as usize),
                |x| {
                    Ok(Row3 {
                        id: x.i64("id")?,
                        sku: x.text("sku")?,
                        name: x.text("name")?,
                        category: x.text("category")?,
                        price: Decimal::from_str_exact(&x.text("price")?).map_err(|_| ReaderError::new())?,
                        stock: x.i32("stock")?,
                        at: x.text("at")?,
                    })
                },
                rid.clone(),
            )?;
            e.launch(e.builder(r, Proc3, Unnest { bisect: false })?.with_stream(rid, s, c, rev("s-v1")?)).await
        }
        "w4" | "w4m" => e.launch(e.builder(IterReader::new(0..10_000_000u64), Plus1, SumWriter)?).await,
        "w6" => e.launch(e.builder(IterReader::new(Vec::<u64>::new()), Plus1, SumWriter)?).await,
        "w7" | "w7own" => {
            let (r, s, c) = csv()?;
            let r = Take { inner: r, left: 100_000 };
            let f = e.fault(
                vec![FaultRule::new(
                    FaultPhase::Write,
                    FailureCategory::UserComponent,
                    FaultAction::skip(RollbackDisposition::Rollback),
                )?],
                0,
                1_000_000,
            )?;
            if e.wl == "w7" {
                e.launch(
                    e.builder(r, proc_(7), Unnest { bisect: true })?.with_stream(rid, s, c, rev("s-v1")?).with_fault_runtime(f),
                )
                .await
            } else {
                e.launch(
                    e.builder(r, TextProc7, own_text(PostgresBatchMode::PerRowStatements)?)?
                        .with_stream(rid, s, c, rev("s-v1")?)
                        .with_fault_runtime(f),
                )
                .await
            }
        }
        "w8" => {
            let (r, s, c) = csv()?;
            let r = Take { inner: r, left: 100_000 };
            let f = e.fault(vec![FaultRule::new(FaultPhase::Process, FailureCategory::Timeout, FaultAction::retry())?], 3, 0)?;
            e.launch(e.builder(r, proc_(8), Unnest { bisect: false })?.with_stream(rid, s, c, rev("s-v1")?).with_fault_runtime(f))
                .await
        }
        w => Err(format!("unknown {w}").into()),
    }
}
