//! What was cleared by hand stays cleared, and asks for the opposite when it turns out to be no difference.

use super::{Line, Outcome, Report};

/// What of a report is new, and what was cleared before and is no difference any more; the latter as lines that ask for the opposite.
pub fn since_cleared(report: Report, cleared: &[Line]) -> Vec<Line> {
    let mut left: Vec<&Line> = cleared.iter().collect();
    let mut lines = report.lines;
    lines.retain(|line| match left.iter().position(|before| before.is_same(line)) {
        Some(place) => {
            left.swap_remove(place);
            false
        }
        None => true,
    });
    let in_vain = |before: &Line| Line {
        outcome: Outcome::ClearedInVain,
        theirs: before.ours,
        ours: before.theirs,
        ..before.clone()
    };
    // What was cleared in vain and then cleared itself has come to nothing.
    let mut vain: Vec<Line> = Vec::new();
    for before in left {
        let undone = vain.iter().position(|other| {
            (other.side, &other.reference, &other.key, other.currency, other.lacks())
                == (before.side, &before.reference, &before.key, before.currency, before.lacks())
        });
        match undone {
            Some(place) => drop(vain.swap_remove(place)),
            None => vain.push(in_vain(before)),
        }
    }
    lines.extend(vain);
    lines
}
