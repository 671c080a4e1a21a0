//! How far two texts are from one another: Jaro–Winkler in thousandths, and Damerau's count of slips of the keys. Whole numbers only, the
//! same on every machine.

/// The most letters of a text that are looked at.
const LETTERS_MAX: usize = 64;
/// The most letters in front that count double by Winkler.
const FRONT_MAX: usize = 4;

/// Jaro–Winkler in thousandths: 1000 for equal texts.
pub fn likeness(one: &str, other: &str) -> u32 {
    over(one, other, likeness_of, likeness_of)
}

/// How many slips of the keys part two texts: a letter more, less, other, or two neighbours swapped. Counted up to `most`, then `most + 1`.
pub fn slips(one: &str, other: &str, most: usize) -> usize {
    over(one, other, |a, b| slips_of(a, b, most), |a, b| slips_of(a, b, most))
}

/// Looks at bytes where both are plain, else at characters.
fn over<R>(
    one: &str,
    other: &str,
    plain: impl FnOnce(&[u8], &[u8]) -> R,
    wide: impl FnOnce(&[char], &[char]) -> R,
) -> R {
    if one.is_ascii() && other.is_ascii() {
        let cut = |text: &'_ str| text.len().min(LETTERS_MAX);
        return plain(&one.as_bytes()[..cut(one)], &other.as_bytes()[..cut(other)]);
    }
    let characters = |text: &str| text.chars().take(LETTERS_MAX).collect::<Vec<char>>();
    wide(&characters(one), &characters(other))
}

fn likeness_of<T: Copy + Ord>(one: &[T], other: &[T]) -> u32 {
    if one == other {
        return 1000;
    }
    // The shorter first, so that the answer does not depend on who is asked.
    let (one, other) = if (one.len(), one) <= (other.len(), other) { (one, other) } else { (other, one) };
    if one.is_empty() {
        return 0;
    }
    let reach = (other.len() / 2).saturating_sub(1);
    let (mut met_one, mut met_other) = (0u64, 0u64);
    for (at, letter) in one.iter().enumerate() {
        let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(other.len()));
        let meets = |place: &usize| met_other >> place & 1 == 0 && other[*place] == *letter;
        if let Some(place) = (from..to).find(meets) {
            met_one |= 1 << at;
            met_other |= 1 << place;
        }
    }
    let met = u64::from(met_one.count_ones());
    if met == 0 {
        return 0;
    }
    let moved = moved(one, other, met_one, met_other);
    let (short, long) = (one.len() as u64, other.len() as u64);
    // The mean of met/short, met/long and (met - moved/2)/met, in thousandths.
    let jaro = (1000 * met / short + 1000 * met / long + 1000 * (2 * met - moved) / (2 * met)) / 3;
    let front = one.iter().zip(other).take(FRONT_MAX).take_while(|(a, b)| a == b).count() as u64;
    let winkler = jaro + front * (1000 - jaro) / 10;
    u32::try_from(winkler).unwrap_or(1000)
}

/// How many of the letters that met stand in another order.
fn moved<T: PartialEq>(one: &[T], other: &[T], met_one: u64, met_other: u64) -> u64 {
    let (mut left, mut right, mut moved) = (met_one, met_other, 0);
    while left != 0 && right != 0 {
        moved += u64::from(one[left.trailing_zeros() as usize] != other[right.trailing_zeros() as usize]);
        left &= left - 1;
        right &= right - 1;
    }
    moved
}

fn slips_of<T: Copy + PartialEq>(one: &[T], other: &[T], most: usize) -> usize {
    let front = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[front..], &other[front..]);
    let back = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - back], &other[..other.len() - back]);
    if one.len().abs_diff(other.len()) > most {
        return most + 1;
    }
    let mut rows = [[0usize; LETTERS_MAX + 1]; 3];
    (0..=other.len()).for_each(|place| rows[0][place] = place);
    for at in 1..=one.len() {
        let (now, before, earlier) = (at % 3, (at + 2) % 3, (at + 1) % 3);
        rows[now][0] = at;
        let mut least = at;
        for place in 1..=other.len() {
            let is_other = usize::from(one[at - 1] != other[place - 1]);
            let mut slips = (rows[before][place] + 1)
                .min(rows[now][place - 1] + 1)
                .min(rows[before][place - 1] + is_other);
            if at > 1 && place > 1 && one[at - 1] == other[place - 2] && one[at - 2] == other[place - 1] {
                slips = slips.min(rows[earlier][place - 2] + 1);
            }
            rows[now][place] = slips;
            least = least.min(slips);
        }
        if least > most + 1 {
            return most + 1;
        }
    }
    rows[one.len() % 3][other.len()].min(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_examples() {
        let expected = [("martha", "marhta", 961), ("dwayne", "duane", 840), ("dixon", "dicksonx", 813)];
        for (one, other, thousandths) in expected {
            assert!(
                likeness(one, other).abs_diff(thousandths) <= 1,
                "{one} {other} {}",
                likeness(one, other)
            );
        }
        assert_eq!((likeness("", ""), likeness("a", ""), likeness("abc", "xyz")), (1000, 0, 0));
        assert_eq!(likeness("中村一郎", "中村一朗"), likeness("abcd", "abce"));
        assert_eq!(
            (slips("smith", "smiht", 3), slips("smith", "smth", 3), slips("ab", "xyzab", 3)),
            (1, 1, 3)
        );
        assert_eq!(
            (slips("kitten", "sitting", 5), slips("kitten", "sitting", 2), slips("", "abc", 9)),
            (3, 3, 3)
        );
    }

    /// Every way of typing, without a bound.
    fn by_trying(one: &[u8], other: &[u8]) -> usize {
        let (Some((a, one_rest)), Some((b, other_rest))) = (one.split_first(), other.split_first()) else {
            return one.len() + other.len();
        };
        let kept = by_trying(one_rest, other_rest) + usize::from(a != b);
        let mut least = kept.min(by_trying(one_rest, other) + 1).min(by_trying(one, other_rest) + 1);
        if one.len() > 1 && other.len() > 1 && one[0] == other[1] && one[1] == other[0] {
            least = least.min(by_trying(&one[2..], &other[2..]) + 1);
        }
        least
    }

    proptest! {
        #[test]
        fn both_are_the_same_from_either_side(one in "[a-c中]{0,8}", other in "[a-c中]{0,8}") {
            prop_assert_eq!(likeness(&one, &other), likeness(&other, &one));
            prop_assert!(likeness(&one, &other) <= 1000);
            prop_assert_eq!(slips(&one, &other, 3), slips(&other, &one, 3));
        }

        #[test]
        fn slips_are_the_least_of_all_ways(one in "[a-c]{0,5}", other in "[a-c]{0,5}") {
            let least = by_trying(one.as_bytes(), other.as_bytes());
            prop_assert_eq!(slips(&one, &other, 9), least);
            prop_assert_eq!(slips(&one, &other, 1), least.min(2));
        }
    }
}
