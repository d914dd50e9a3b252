//! Dates and times: days or microseconds since 2000-01-01.

use crate::{
    dialect::moment::{self, Moment},
    row::{Misfit, Value},
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(2000, 1, 1);

pub(super) fn date(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let days = text(value).and_then(moment::date).zip(EPOCH).map(|(date, epoch)| (date - epoch).num_days());
    out.extend_from_slice(&i32::try_from(days.ok_or(Misfit::Unusual)?).map_err(|_| Misfit::Unusual)?.to_be_bytes());
    Ok(())
}

pub(super) fn time(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let time = text(value).and_then(moment::time).and_then(micros_of);
    out.extend_from_slice(&time.ok_or(Misfit::Unusual)?.to_be_bytes());
    Ok(())
}

/// The wall clock's time. Of zones only UTC is taken: what becomes of another one is the server's to decide.
pub(super) fn timestamp(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let moment = text(value).and_then(moment::moment).filter(|moment| moment.offset.is_none_or(|offset| offset == 0));
    put(moment, 0, out)
}

/// A point in time. Without a zone it depends on the session's, which the server knows.
pub(super) fn timestamptz(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let moment = text(value).and_then(moment::moment);
    let offset = moment.and_then(|moment| moment.offset).ok_or(Misfit::Unusual)?;
    put(moment, offset, out)
}

fn put(moment: Option<Moment>, offset: i32, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let micros = moment.and_then(|moment| micros_since_epoch(moment, offset)).ok_or(Misfit::Unusual)?;
    out.extend_from_slice(&micros.to_be_bytes());
    Ok(())
}

fn micros_since_epoch(moment: Moment, offset: i32) -> Option<i64> {
    let epoch = NaiveDateTime::new(EPOCH?, NaiveTime::MIN);
    let day = NaiveDateTime::new(moment.date, NaiveTime::MIN);
    let utc = day - TimeDelta::seconds(offset.into());
    (utc - epoch).num_microseconds()?.checked_add(micros_of(moment.time)?)
}

/// Rounded as the server does, except at a tie.
fn micros_of(time: NaiveTime) -> Option<i64> {
    let (micros, rest) = (i64::from(time.nanosecond() / 1000), time.nanosecond() % 1000);
    let up = match rest {
        0..500 => 0,
        500 => return None,
        _ => 1,
    };
    Some(i64::from(time.num_seconds_from_midnight()) * 1_000_000 + micros + up)
}

fn text(value: Value<'_>) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}
