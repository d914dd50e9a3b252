//! oxide-batch's own batch writer, for comparison with the one here.

use crate::{
    R,
    product::{Product, rfc3339, to_product},
};

use oxide_batch::{
    item_components::{DelimitedRecord, PostgresBatchMode, PostgresBatchWriter, postgres_batch_writer},
    *,
};

/// Price and time as text: a value has no such kinds, and borrows from the item.
pub struct TextItem {
    pub p: Product,
    pub price: String,
    pub at: String,
}

pub struct TextProc;
pub struct TextProc7;

pub fn text_item(p: Product) -> TextItem {
    let mut at = String::with_capacity(20);
    rfc3339(&mut at, &p.updated_at);
    let price = p.price.to_string();
    TextItem { p, price, at }
}

impl ItemProcessor<DelimitedRecord, TextItem> for TextProc {
    async fn process(&self, r: &DelimitedRecord, _c: ProcessContext<'_>) -> Result<ProcessOutcome<TextItem>, ProcessorError> {
        Ok(ProcessOutcome::Item(text_item(
            to_product(r).ok_or_else(|| ProcessorError::with_category(FailureCategory::UserComponent))?,
        )))
    }
}

impl ItemProcessor<DelimitedRecord, TextItem> for TextProc7 {
    async fn process(&self, r: &DelimitedRecord, _c: ProcessContext<'_>) -> Result<ProcessOutcome<TextItem>, ProcessorError> {
        let mut p = to_product(r).ok_or_else(|| ProcessorError::with_category(FailureCategory::UserComponent))?;
        if p.id % 1000 == 0 {
            p.price = -p.price
        }
        Ok(ProcessOutcome::Item(text_item(p)))
    }
}

pub fn own_text(mode: PostgresBatchMode) -> R<PostgresBatchWriter<TextItem>> {
    Ok(postgres_batch_writer::<TextItem>(
        "INSERT INTO product(id,sku,name,category,price,stock,updated_at) SELECT a,b,c,d,e::numeric,f::int,g::timestamptz FROM (VALUES",
        Some(") v(a,b,c,d,e,f,g)"),
        7,
        mode,
        |t| {
            vec![
                BusinessValue::i64(t.p.id),
                BusinessValue::text(&t.p.sku),
                BusinessValue::text(&t.p.name),
                BusinessValue::text(&t.p.category),
                BusinessValue::text(&t.price),
                BusinessValue::i64(i64::from(t.p.stock)),
                BusinessValue::text(&t.at),
            ]
        },
    )?)
}
