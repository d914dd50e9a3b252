//! Which parts of a step need how many connections, and whether there are as many.

use super::ChunkStep;
use crate::{
    error::{Error, ErrorKind},
    item::{Processor, Reader},
    step::StepRun,
    transaction::Transactions,
};

/// A part, and the connections that it has in hand while the others have theirs.
struct Need {
    who: String,
    connections: usize,
}

/// How many chunks may be filled while one is being written: none where that would wait for the connection of the one that is written.
///
/// # Errors
/// Kind `Configuration` where the parts need more connections than there are: they would wait for each other; or where several workers are to
/// process chunks that nobody reads ahead.
pub(super) fn chunks_ahead<R, P, W, T>(step: &ChunkStep<R, P, W, T>, run: &StepRun) -> Result<usize, Error>
where
    R: Reader,
    P: Processor<R::Item>,
    T: Transactions,
{
    let needs = [
        Need { who: format!("the reader `{}` keeps", short(std::any::type_name::<R>())), connections: step.reader.connections() },
        Need { who: "the writer's transaction needs".to_owned(), connections: 1 },
    ];
    let left = left(step.transactions.connections(), &needs).map_err(|why| run.error(ErrorKind::Configuration, why))?;
    // The next chunk's reader or processor may ask for one too.
    let ahead = if left == Some(0) { 0 } else { step.options.ahead };
    let workers = step.options.workers;
    if ahead == 0 && workers > 1 {
        let why = "no chunk is read ahead, so that there is never more than one to process";
        let message = format!("{why}; leave out `.workers({workers})`, or change the step");
        return Err(run.error(ErrorKind::Configuration, message));
    }
    Ok(ahead)
}

/// What is left of `all` when each part has what it needs; `None` is without limit.
fn left(all: Option<usize>, needs: &[Need]) -> Result<Option<usize>, String> {
    let Some(all) = all else { return Ok(None) };
    let needed = needs.iter().map(|need| need.connections).sum();
    all.checked_sub(needed).map(Some).ok_or_else(|| {
        let parts: Vec<String> = needs.iter().map(|need| format!("{} {}", need.who, need.connections)).collect();
        let parts = parts.join(", ");
        format!(
            "the step needs {needed} connections at once and there are {all}: {parts}; give the pool more, or take a reader that keeps \
             none"
        )
    })
}

/// A type's name without its path and parameters.
fn short(name: &'static str) -> &'static str {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{Need, left, short};

    fn needs(reader: usize) -> [Need; 2] {
        [("the reader keeps", reader), ("the writer needs", 1)].map(|(who, connections)| Need { who: who.to_owned(), connections })
    }

    #[test]
    fn parts_that_need_more_than_there_is_are_named() {
        let why = left(Some(2), &needs(2)).unwrap_err();
        let expected = "the step needs 3 connections at once and there are 2: the reader keeps 2, the writer needs 1; give the pool more, or \
                        take a reader that keeps none";
        assert_eq!(why, expected);
    }

    #[test]
    fn what_is_left_is_for_reading_ahead() {
        assert_eq!(left(Some(1), &needs(0)), Ok(Some(0)));
        assert_eq!(left(Some(3), &needs(1)), Ok(Some(1)));
        assert_eq!(left(None, &needs(9)), Ok(None));
    }

    #[test]
    fn types_are_named_as_users_write_them() {
        assert_eq!(short(std::any::type_name::<Vec<Option<u8>>>()), "Vec");
        assert_eq!(short("a::b::Cursor"), "Cursor");
    }
}
