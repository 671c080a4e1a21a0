//! Routing: how long one order and one wave take, in process; and everything written down, so that another solver can be asked the same.

mod instance;

use std::path::Path;

use domain::routing::decision::{Decision, Proof, place};
use domain::routing::wave::{self, Effort, Order, Wave};
use serde_json::{Value, json};

use self::instance::{Instance, SORTS, Sort};
use super::crowd::micros_now;
use super::figure::{Amount, Figure};
use crate::fault::Fault;

/// The least of so many runs is the time of a choice: what others do on the machine does not count.
const RUNS: usize = 5;
/// Each run lasts at least so long.
const RUN_MICROS: u64 = 300;
/// Orders and locations of the wave.
const WAVE: (u64, u64) = (200, 50);
/// So many waves.
const WAVES: u64 = 2;

/// Measures it, and writes the instances with what we found into a file, if one is named.
///
/// # Errors
/// When the file cannot be written.
pub fn measure(to: Option<&Path>) -> Result<Vec<Figure>, Fault> {
    let mut figures = Vec::new();
    let mut written = Vec::new();
    for sort in &SORTS {
        let (figure, instances) = orders(sort)?;
        figures.extend(figure);
        written.extend(instances);
    }
    let mut waves = Vec::new();
    for number in 0..WAVES {
        let (figure, instance) = one_wave(number)?;
        figures.push(figure);
        waves.push(instance);
    }
    if let Some(path) = to {
        let text = json!({ "orders": written, "waves": waves }).to_string();
        std::fs::write(path, text)
            .map_err(|error| Fault::environment(format!("writing {}", path.display()), error))?;
    }
    Ok(figures)
}

fn orders(sort: &Sort) -> Result<(Vec<Figure>, Vec<Value>), Fault> {
    let mut nanos = Vec::new();
    let mut written = Vec::new();
    for number in 0..sort.many {
        let instance = instance::make(sort, number)?;
        let choose = || place(&instance.strategy, &instance.wanted, &instance.candidates);
        let taken = timed(&choose);
        nanos.push(taken);
        written.push(order_json(&instance, &choose(), taken));
    }
    nanos.sort_unstable();
    let mean = nanos.iter().sum::<u64>() / nanos.len().max(1) as u64;
    let of = format!("{} orders", nanos.len());
    let micros = |nanos: u64| Amount::Micros(nanos.div_ceil(1_000));
    let most = nanos.last().copied().unwrap_or(0);
    let figures = vec![
        Figure::new(format!("routing, {}: mean", sort.name), micros(mean), &of),
        slowest(sort, Figure::new(format!("routing, {}: slowest", sort.name), micros(most), of)),
    ];
    Ok((figures, written))
}

/// Orders of the ordinary size have a goal.
fn slowest(sort: &Sort, figure: Figure) -> Figure {
    if sort.is_ordinary() { figure.under(Amount::Micros(5_000)) } else { figure }
}

/// Nanoseconds that a choice takes.
fn timed(choose: &dyn Fn() -> Decision) -> u64 {
    let run = |_| {
        let (began, mut times) = (micros_now(), 0);
        loop {
            std::hint::black_box(choose());
            times += 1;
            let taken = micros_now() - began;
            if taken >= RUN_MICROS {
                return taken * 1_000 / times;
            }
        }
    };
    (0..RUNS).map(run).min().unwrap_or(0)
}

fn one_wave(number: u64) -> Result<(Figure, Value), Fault> {
    let instances = instance::make_wave(WAVE.0, WAVE.1, number)?;
    let orders: Vec<Order<'_>> = instances
        .iter()
        .map(|one| Order { strategy: &one.strategy, wanted: &one.wanted, candidates: &one.candidates })
        .collect();
    let began = cpu_micros();
    let wave = wave::route(&orders, Effort::USUAL);
    let micros = cpu_micros() - began;
    let figure = Figure::new(
        format!("routing, wave {number} of {} x {}, processor time", WAVE.0, WAVE.1),
        Amount::Micros(micros),
        "1 wave",
    );
    Ok((figure.under(Amount::Micros(1_000_000)), wave_json(&instances, &wave, micros)))
}

/// The processor time of this thread so far, in microseconds; the clock where the system does not tell.
fn cpu_micros() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.as_deref().and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    nanos.map_or_else(micros_now, |nanos| nanos / 1_000)
}

fn order_json(instance: &Instance, decision: &Decision, nanos: u64) -> Value {
    let gap = match decision.proof {
        Proof::Best | Proof::Plain => json!(0),
        Proof::Open { stage, gap } => json!(format!("{stage:?} {gap}")),
    };
    let lines = instance.wanted.lines.iter();
    json!({
        "sort": instance.sort,
        "lines": lines.map(|line| json!([line.quantity, line.value_minor])).collect::<Vec<_>>(),
        "places": instance.candidates.iter().map(|one| place_json(instance, one)).collect::<Vec<_>>(),
        "parts_max": instance.strategy.limits.parts_max,
        "part_value_minor": instance.strategy.limits.part_value_minor,
        "ours": {
            "cost_minor": decision.cost.total_minor(),
            "value_minor": value_placed(instance, decision),
            "parts": decision.parts.len(),
            "gap": gap,
            "nanos": nanos,
        },
    })
}

fn place_json(instance: &Instance, one: &domain::routing::wanted::Candidate) -> Value {
    let supply = |line: &domain::routing::wanted::Line| one.supply.get(&line.variant);
    let kilometres = (one.distance_m.unwrap_or(0) + 999) / 1_000;
    json!({
        "open_minor": one.tariff.parcel_minor + kilometres * one.tariff.kilometre_minor,
        "units_left": one.units_left,
        "stock": instance.wanted.lines.iter().map(|line| supply(line).map_or(0, |s| s.free)).collect::<Vec<_>>(),
        "unit_minor": instance.wanted.lines.iter()
            .map(|line| one.tariff.item_minor - supply(line).map_or(0, |s| s.markdown_minor)).collect::<Vec<_>>(),
    })
}

fn wave_json(instances: &[Instance], wave: &Wave, micros: u64) -> Value {
    let order = |one: &Instance| {
        let lines = one.wanted.lines.iter();
        json!({
            "lines": lines.map(|line| json!([line.variant.to_string(), line.quantity])).collect::<Vec<_>>(),
            "places": one.candidates.iter().map(|place| place_json(one, place)).collect::<Vec<_>>(),
            "parts_max": one.strategy.limits.parts_max,
        })
    };
    let cost: i64 = wave.decisions.iter().map(|decision| decision.cost.total_minor()).sum();
    let unplaced: i64 = wave
        .decisions
        .iter()
        .flat_map(|decision| &decision.unplaced)
        .map(|short| short.asked - short.found)
        .sum();
    let parcels = instances.first().and_then(|one| one.candidates.first()).and_then(|one| one.parcels_left);
    json!({
        "orders": instances.iter().map(order).collect::<Vec<_>>(),
        "parcels": parcels,
        "ours": {
            "cost_minor": cost,
            "unplaced": unplaced,
            "burden_minor": wave.burden_minor,
            "least_minor": wave.least_minor,
            "micros": micros,
        },
    })
}

/// What the goods placed are worth, in minor units.
fn value_placed(instance: &Instance, decision: &Decision) -> i64 {
    let value = |variant| {
        instance.wanted.lines.iter().find(|line| line.variant == variant).map_or(0, |line| line.value_minor)
    };
    decision.allocations().map(|given| given.quantity * value(given.variant)).sum()
}
