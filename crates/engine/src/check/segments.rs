//! What is kept of a segment's members is what its last steps say.

use store::Tx;
use store::segment::member::{Astray, astray};

use super::Difference;
use crate::Failure;

/// Whoever came in last is in, and whoever fell out last is not.
pub fn steps(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |entered: bool| if entered { "in it" } else { "not in it" };
    let difference = |(segment, subject, entered): Astray| {
        Difference::new("segments", format!("{subject} in {segment}"), tell(entered), tell(!entered))
    };
    Ok(astray(tx)?.into_iter().map(difference).collect())
}
