//! Matching persons: what must hold of every pair and every crowd, and stories of people who are one, or are not.

use domain::customer::matching::block::{CANDIDATES_MAX, Key, candidates, finer, keys};
use domain::customer::matching::bulk::{Effort, Threads, pairs};
use domain::customer::matching::cluster::{Linkage, clusters};
use domain::customer::matching::explain::Step;
use domain::customer::matching::level::{Agreement, Level, Pattern};
use domain::customer::matching::model::{Bands, ModelError, Parts, Share};
use domain::customer::matching::person::{FIELDS, Place};
use domain::customer::matching::train::{Dice, train};
use domain::customer::matching::{Band, Crowd, Facts, Field, Model, Person, compare, explain, pattern};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn own(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

/// Given and family name, date of birth, street, postal code, town, e-mail.
fn facts(texts: [&str; 7]) -> Facts {
    let [given, family, birth, street, postal_code, city, email] = texts;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Facts {
        given_names: own(given),
        family_names: own(family),
        birth_dates: own(birth),
        addresses: vec![Place {
            street: own(street),
            postal_code: some(postal_code),
            city: some(city),
            region: None,
        }],
        emails: own(email),
        ..Facts::default()
    }
}

fn person(texts: [&str; 7]) -> Person {
    Person::new(&facts(texts))
}

const ADA: [&str; 7] =
    ["Ada", "Lovelace", "1815-12-10", "12 St James Square", "SW1Y 4JH", "London", "ada@lovelace.example"];

#[test]
fn one_person_is_known_again_with_slips_and_another_surname() {
    let model = Model::built_in();
    let again = person(["Ada", "Lovelcae", "10.12.1815", "St. James Sq. 12", "SW1Y4JH", "london", ""]);
    let married =
        person(["ADA", "King", "1815-12-10", "Ockham Park", "KT11", "Ockham", "Ada+shop@lovelace.example"]);
    for other in [again, married] {
        let said = compare(&model, &person(ADA), &other);
        assert_eq!(said.band, Band::Automatic, "{said:?}");
    }
    let stranger = person(["Ada", "Byron", "1852-11-27", "Newstead Abbey 1", "NG15 8NA", "Ravenshead", ""]);
    assert_eq!(compare(&model, &person(ADA), &stranger).band, Band::None);
}

#[test]
fn a_household_is_not_a_person() {
    let model = Model::built_in().among(1_000);
    let at_home =
        |given, birth| person([given, "Lovelace", birth, "12 St James Square", "SW1Y 4JH", "London", ""]);
    let husband = compare(&model, &person(ADA), &at_home("William", ""));
    assert_eq!(husband.band, Band::None);
    assert!(husband.steps.iter().any(|(step, _)| *step == Step::Household), "{husband:?}");
    assert_eq!(compare(&model, &person(ADA), &at_home("", "")).band, Band::Review);
    assert_eq!(compare(&model, &person(ADA), &at_home("Ada", "")).band, Band::Automatic);
    assert_eq!(compare(&model, &person(ADA), &at_home("Anne", "1815-12-10")).band, Band::Review, "twins");
    assert_eq!(
        compare(&model, &person(ADA), &at_home("Ada", "1836-05-12")).band,
        Band::Review,
        "her daughter, or a slip"
    );
}

#[test]
fn of_a_name_that_many_have_a_father_and_his_son_are_two() {
    let called =
        |given: &str| person([given, "Lovelace", "", "12 St James Square", "SW1Y 4JH", "London", ""]);
    let model = Model::built_in();
    let score = |given: &str, times| {
        let counted = called(given).counted(|field, _| (field == Field::Given).then_some((times, 1_000)));
        compare(&model, &counted, &called(given))
    };
    assert_eq!(score("John", 60).band, Band::Review);
    assert_eq!(score("Peregrine", 1).band, Band::Automatic);
    let more = score("Peregrine", 1).score - score("Peregrine", 2).score;
    assert!((0..100).contains(&more), "named after him: no name is rarer in a house: {more}");
}

/// Four in ten share a house with somebody, or nobody does: what is learnt of the same slips is not the same.
#[test]
fn a_crowd_teaches_whether_people_live_together() {
    let crowd = |has_households: bool| -> Crowd {
        let mut dice = Dice(5);
        let mut persons: Vec<[String; 7]> = Vec::new();
        for number in 0..900u32 {
            let (given, family) = (word(dice.below(90)), word(1_000 + dice.below(600)));
            let birth =
                format!("19{:02}-{:02}-{:02}", dice.below(90) + 10, dice.below(12) + 1, dice.below(28) + 1);
            let street = format!("{} {} street", dice.below(90) + 1, word(2_000 + dice.below(300)));
            let (postal_code, city) = (format!("{}", 1_000 + dice.below(200)), word(3_000 + dice.below(90)));
            let one = [given, family, birth, street, postal_code, city, String::new()];
            let mut other = one.clone();
            match number % 5 {
                0 | 1 if has_households => {
                    other[0] = word(dice.below(90));
                    other[2] =
                        format!("19{:02}-0{}-1{}", dice.below(90) + 10, dice.below(9) + 1, dice.below(9));
                    persons.push(other);
                }
                2 => {
                    other[(number / 5 % 3) as usize].insert(1, 'x');
                    persons.push(other);
                }
                _ => {}
            }
            persons.push(one);
        }
        persons.iter().map(|texts| person(std::array::from_fn(|at| texts[at].as_str()))).collect()
    };
    let learnt = |has_households| {
        let crowd = crowd(has_households);
        let model = train(&crowd, &Model::built_in().among(crowd.len()), 4).unwrap();
        model.parts().household
    };
    assert!(
        (-3_000..0).contains(&learnt(true)),
        "two in three pairs of a house are two persons: {}",
        learnt(true)
    );
    assert!(learnt(false) > 4_000, "nobody lives with anybody: {}", learnt(false));
}

#[test]
fn a_decision_tells_its_reasons() {
    let crowd: Crowd =
        [person(ADA), person(ADA), person(["Ada", "King", "", "", "", "", ""])].into_iter().collect();
    let said = compare(&Model::built_in(), &crowd.person(0), &crowd.person(1));
    let reasons: Vec<String> = said.steps.iter().map(|(step, _)| step.reason()).collect();
    assert_eq!(
        reasons[..3],
        [
            "before anything is compared",
            "given_name: the same, as one in 1 has it",
            "family_name: the same, as one in 2 has it"
        ]
    );
    assert_eq!((said.version, said.probability_ppm), (1, 999_996));
}

#[test]
fn a_model_is_kept_as_numbers_and_bad_ones_are_refused() {
    let parts = Model::built_in().parts().clone();
    assert_eq!(Model::new(parts.clone()), Ok(Model::built_in()));
    let mut zero = parts.clone();
    zero.shares[0][1] = Share { same: 0, others: 1, housemates: 1 };
    assert_eq!(Model::new(zero), Err(ModelError::Share(Field::Given, Level::Close)));
    let crossed = Parts { bands: Bands { review: 9, automatic: 8 }, ..parts.clone() };
    assert_eq!(Model::new(crossed), Err(ModelError::Bands));
    assert_eq!(Model::new(Parts { prior: i32::MAX, ..parts }), Err(ModelError::Weight("prior")));
}

#[test]
fn never_more_than_200_are_compared_and_the_rarest_keys_first() {
    let crowded = vec![(Key::kept(1), (0..1_000).collect::<Vec<u32>>()), (Key::kept(2), vec![999, 77])];
    let chosen = candidates(&crowded);
    assert_eq!((chosen.len(), &chosen[..2]), (CANDIDATES_MAX, &[77, 999][..]));
    assert_eq!(candidates::<u32>(&[]), Vec::<u32>::new());
}

#[test]
fn nobody_teaches_nothing() {
    let nobody = Crowd::default();
    assert_eq!(train(&nobody, &Model::built_in(), 1), Ok(Model::built_in()));
    let effort = Effort { threads: Threads::Two, floor: 0 };
    assert!(pairs(&nobody, &Model::built_in(), effort).unwrap().pairs.is_empty());
    assert!(keys(&person([""; 7])).is_empty());
}

/// People of few names, so that many agree in something.
fn some_facts() -> impl Strategy<Value = Facts> {
    let names = || vec(prop_oneof!["[ab]n[ne]", "lee|li|lea", "j|john|jon", "[a-c]{1,4}"], 0..3);
    let place =
        (prop_oneof!["[1-3] (elm|oak) street", "oak rd"], option::of("[12]{3}"), option::of("bath|bat"));
    let place = place.prop_map(|(street, postal_code, city)| Place {
        street: vec![street],
        postal_code,
        city,
        region: None,
    });
    let birth = vec("19[0-2]0-0[1-3]-1[0-3]", 0..2);
    let email = vec("[ab]{1,3}@[xy]\\.example", 0..2);
    (names(), names(), birth, vec(place, 0..2), email).prop_map(
        |(given, family, birth, addresses, emails)| Facts {
            given_names: given,
            family_names: family,
            birth_dates: birth,
            addresses,
            emails,
            ..Facts::default()
        },
    )
}

fn some_person() -> impl Strategy<Value = Person> {
    some_facts().prop_map(|facts| Person::new(&facts))
}

fn some_pattern() -> impl Strategy<Value = Vec<Option<(usize, Option<i32>)>>> {
    vec(option::of((0usize..5, option::of(0i32..20_000))), FIELDS)
}

fn made(levels: &[Option<(usize, Option<i32>)>]) -> Pattern {
    std::array::from_fn(|field| {
        levels[field].map(|(place, rarity)| {
            let level = Level::ALL[place];
            Agreement { level, rarity: rarity.filter(|_| level == Level::Equal) }
        })
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_who_is_first(one in some_person(), other in some_person()) {
        prop_assert_eq!(pattern(&one, &other), pattern(&other, &one));
    }

    #[test]
    fn the_order_of_values_does_not_matter(facts in some_facts(), other in some_person()) {
        let mut turned = facts.clone();
        for texts in [&mut turned.given_names, &mut turned.family_names, &mut turned.birth_dates] {
            texts.reverse();
        }
        turned.addresses.reverse();
        prop_assert_eq!(pattern(&Person::new(&facts), &other), pattern(&Person::new(&turned), &other));
    }

    #[test]
    fn steps_sum_to_the_score_and_the_score_decides(levels in some_pattern(), held in any::<bool>()) {
        let parts = Parts { household: if held { 0 } else { 100_000 }, ..Model::built_in().parts().clone() };
        let model = Model::new(parts).unwrap();
        let said = explain(&model, &made(&levels));
        prop_assert_eq!(said.steps.iter().map(|(_, weight)| weight).sum::<i32>(), said.score);
        prop_assert_eq!(said.score, model.score(&made(&levels)));
        prop_assert_eq!(said.band, model.band(said.score));
    }

    #[test]
    fn more_agreement_never_lowers_a_score(levels in some_pattern(), field in 0..FIELDS) {
        let model = Model::built_in().among(1_000);
        let mut better = levels.clone();
        let Some((place, rarity)) = levels[field] else { return Ok(()) };
        better[field] = Some((place.saturating_sub(1), rarity));
        prop_assert!(model.score(&made(&better)) >= model.score(&made(&levels)));
    }

    #[test]
    fn a_crowd_scores_as_two_by_themselves(persons in vec(some_person(), 2..12), floor in -9_000i32..3_000) {
        let model = Model::built_in().among(50);
        let crowd: Crowd = persons.into_iter().collect();
        let one = pairs(&crowd, &model, Effort { threads: Threads::One, floor }).unwrap();
        let two = pairs(&crowd, &model, Effort { threads: Threads::Two, floor }).unwrap();
        prop_assert_eq!(&one, &two);
        let mut expected = Vec::new();
        for a in 0..crowd.len() {
            for b in a + 1..crowd.len() {
                let (one, other) = (crowd.person(a), crowd.person(b));
                let score = model.score(&pattern(&one, &other));
                let theirs = keys(&other);
                if score >= floor && keys(&one).iter().any(|key| theirs.contains(key)) {
                    expected.push((a, b, score));
                }
            }
        }
        prop_assert_eq!(one.pairs.iter().map(|p| (p.one, p.other, p.score)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn clusters_do_not_depend_on_the_order_of_pairs(
        scores in vec((0u8..9, 0u8..9, -9i32..9), 0..30),
        seed in any::<u64>(),
    ) {
        let mut turned: Vec<(u8, u8, i32)> = scores.iter().map(|(a, b, score)| (*b, *a, *score)).collect();
        let mut dice = Dice(seed);
        for at in (1..turned.len()).rev() {
            turned.swap(at, dice.below(at as u32 + 1) as usize);
        }
        let linkage = Linkage { least: 0, absent: -5 };
        let made = clusters(&scores, linkage);
        prop_assert_eq!(&made, &clusters(&turned, linkage));
        let mut members: Vec<u8> = made.concat();
        members.sort_unstable();
        members.dedup();
        prop_assert_eq!(members.len(), made.iter().map(Vec::len).sum::<usize>(), "nobody is in two clusters");
    }

    #[test]
    fn finer_keys_are_of_their_rule(one in some_person()) {
        let all = keys(&one);
        for key in &all {
            prop_assert_eq!(Key::kept(key.number()), *key);
            prop_assert!(finer(&one, *key).iter().all(|finer| !all.contains(finer)));
        }
    }
}

/// Six hundred people with slips: what is learnt finds them again, the same at every run.
#[test]
fn a_crowd_teaches_its_own_model() {
    let mut dice = Dice(3);
    let mut persons = Vec::new();
    for number in 0..600u32 {
        let (given, family) = (word(dice.below(60)), word(1_000 + dice.below(400)));
        let birth =
            format!("19{:02}-{:02}-{:02}", dice.below(90) + 10, dice.below(12) + 1, dice.below(28) + 1);
        let street = format!("{} {} street", dice.below(90) + 1, word(2_000 + dice.below(300)));
        let postal_code = format!("{}", 1_000 + dice.below(200));
        let city = word(3_000 + dice.below(90));
        let one =
            [&given, &family, &birth, &street, &postal_code, &city, ""].map(|text: &str| text.to_owned());
        persons.push(one.clone());
        if number % 3 == 0 {
            let mut again = one;
            let field = dice.below(6) as usize;
            again[field].insert(1, 'x');
            again[(field + 1) % 6].clear();
            persons.push(again);
        }
    }
    let crowd: Crowd =
        persons.iter().map(|texts| person(std::array::from_fn(|at| texts[at].as_str()))).collect();
    let model = train(&crowd, &Model::built_in().among(crowd.len()), 9).unwrap();
    assert_eq!(Ok(&model), train(&crowd, &Model::built_in().among(crowd.len()), 9).as_ref());
    assert_eq!(model.parts().version, 2);
    let found = pairs(&crowd, &model, Effort { threads: Threads::Two, floor: 0 }).unwrap();
    assert!((190..=210).contains(&found.pairs.len()), "200 are known twice: {}", found.pairs.len());
    assert!(found.pairs.iter().filter(|pair| pair.other == pair.one + 1).count() >= 190);
}

fn word(number: u32) -> String {
    let mut dice = Dice(u64::from(number));
    (0..3)
        .map(|_| ["ka", "mo", "ri", "te", "su", "na", "vel", "dor", "pi", "gal"][dice.below(10) as usize])
        .collect()
}
