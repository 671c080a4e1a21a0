//! What is kept of a segment's members is what its last steps say, and who makes prices is told of members only.

use store::Tx;
use store::segment::member::{Astray, astray, mistold};

use super::Difference;
use crate::Failure;

/// Whoever came in last is in, and whoever fell out last is not; and nobody else is told to be in.
pub fn steps(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |entered: bool| if entered { "in it" } else { "not in it" };
    let difference = |(segment, subject, entered): Astray| {
        Difference::new("segments", format!("{subject} in {segment}"), tell(entered), tell(!entered))
    };
    let told = |(customer, code)| {
        Difference::new("segments", format!("{customer} told of \"{code}\""), tell(true), tell(false))
    };
    let astray = astray(tx)?.into_iter().map(difference);
    let mistold = mistold(tx)?.into_iter().map(told);
    Ok(astray.chain(mistold).collect())
}
