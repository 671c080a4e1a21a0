"""Asks HiGHS, a solver of mixed-integer programmes, what `tandem bench routing --write-routing` asked our router, and prints both.

Every order is modelled anew from its bare numbers: y[i] = 1 when place i sends a part, x[i, l] units of line l from place i. Placing
comes first: where not everything that is in stock can be placed, the most value is looked for, then the least cost for it.
"""

import hashlib
import json
import pathlib
import sys
import time

import highspy
import numpy as np

ORDER_SECONDS_MAX = 60.0
WAVE_SECONDS_MAX = float(sys.argv[2]) if len(sys.argv) > 2 else 120.0
INFINITY = highspy.kHighsInf


class Programme:
    """A mixed-integer programme, row by row."""

    def __init__(self):
        self.costs, self.upper, self.rows, self.lower, self.most = [], [], [], [], []

    def column(self, cost, upper):
        self.costs.append(float(cost))
        self.upper.append(float(upper))
        return len(self.costs) - 1

    def row(self, least, terms, most):
        self.lower.append(least)
        self.rows.append(terms)
        self.most.append(most)

    def solve(self, seconds, costs=None):
        """Status, objective, bound and solution; None when there is none."""
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("time_limit", seconds)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("mip_abs_gap", 0.999)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.costs), len(self.rows)
        model.col_cost_ = np.array(self.costs if costs is None else costs, dtype=float)
        model.col_lower_ = np.zeros(len(self.costs))
        model.col_upper_ = np.array(self.upper)
        model.row_lower_, model.row_upper_ = np.array(self.lower), np.array(self.most)
        starts = np.cumsum([0] + [len(terms) for terms in self.rows])
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = starts.astype(np.int32)
        model.a_matrix_.index_ = np.array([c for terms in self.rows for c, _ in terms], dtype=np.int32)
        model.a_matrix_.value_ = np.array([v for terms in self.rows for _, v in terms], dtype=float)
        model.integrality_ = [highspy.HighsVarType.kInteger] * len(self.costs)
        solver.passModel(model)
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible or info.primal_solution_status != 2:
            return None
        is_proven = status == highspy.HighsModelStatus.kOptimal
        return is_proven, info.objective_function_value, info.mip_dual_bound, solver.getSolution().col_value


def order_programme(order):
    """The programme of one order, with every line served as far as there is stock; and its pieces."""
    programme = Programme()
    lines, places = order["lines"], order["places"]
    demand = [min(q, sum(p["stock"][l] for p in places)) for l, (q, _) in enumerate(lines)]
    is_whole = all(d == q for d, (q, _) in zip(demand, lines))
    opened = [programme.column(p["open_minor"], 1) for p in places]
    given = {}
    for i, place in enumerate(places):
        for l in range(len(lines)):
            most = min(place["stock"][l], demand[l])
            if most > 0:
                given[i, l] = programme.column(place["unit_minor"][l], most)
                programme.row(-INFINITY, [(given[i, l], 1), (opened[i], -most)], 0)
        mine = [(given[i, l], l) for l in range(len(lines)) if (i, l) in given]
        if place["units_left"] is not None:
            programme.row(-INFINITY, [(x, 1) for x, _ in mine], place["units_left"])
        if order["part_value_minor"] > 0:
            least = order["part_value_minor"]
            terms = [(x, lines[l][1]) for x, l in mine] + [(opened[i], -least)]
            if is_whole:
                # A part may be small when it is everything.
                whole = programme.column(0, 1)
                terms.append((whole, least))
                for x, l in mine:
                    programme.row(0, [(x, 1), (whole, -demand[l])], INFINITY)
                if len(mine) < len(lines):
                    programme.row(0, [(whole, 1)], 0)
            programme.row(0, terms, INFINITY)
    programme.row(-INFINITY, [(y, 1) for y in opened], order["parts_max"])
    by_line = [[x for (_, m), x in given.items() if m == l] for l in range(len(lines))]
    return programme, by_line, demand


def solve_order(order):
    """Value placed and cost by HiGHS, whether both are proven, and the processor time."""
    began = time.process_time()
    programme, by_line, demand = order_programme(order)
    kept = len(programme.rows)
    for xs, units in zip(by_line, demand):
        programme.row(units, [(x, 1) for x in xs], units)
    solved = programme.solve(ORDER_SECONDS_MAX)
    value = sum(units * line[1] for units, line in zip(demand, order["lines"]))
    if solved is None:
        for part in (programme.rows, programme.lower, programme.most):
            del part[kept:]
        worth = np.zeros(len(programme.costs))
        for l, xs in enumerate(by_line):
            programme.row(-INFINITY, [(x, 1) for x in xs], demand[l])
            worth[xs] = -order["lines"][l][1]
        _, least, _, _ = programme.solve(ORDER_SECONDS_MAX, worth)
        value = round(-least)
        programme.row(value - 0.5, [(c, -v) for c, v in enumerate(worth) if v], INFINITY)
        solved = programme.solve(ORDER_SECONDS_MAX)
    is_proven, cost, _, _ = solved
    return value, round(cost), is_proven, time.process_time() - began


def solve_wave(wave):
    """Cost and bound by HiGHS for a wave in which everything is placed."""
    began = time.process_time()
    programme, shelves, parcels = Programme(), {}, {}
    for order in wave["orders"]:
        by_line = [[] for _ in order["lines"]]
        opened = []
        for i, place in enumerate(order["places"]):
            offers = [(l, min(s, order["lines"][l][1])) for l, s in enumerate(place["stock"]) if s > 0]
            if not offers:
                continue
            y = programme.column(place["open_minor"], 1)
            opened.append((y, 1))
            parcels.setdefault(i, []).append((y, 1))
            for l, most in offers:
                x = programme.column(place["unit_minor"][l], most)
                programme.row(-INFINITY, [(x, 1), (y, -most)], 0)
                by_line[l].append((x, 1))
                shelves.setdefault((i, order["lines"][l][0], place["stock"][l]), []).append((x, 1))
        programme.row(-INFINITY, opened, order["parts_max"])
        for l, (_, units) in enumerate(order["lines"]):
            programme.row(units, by_line[l], units)
    for (_, _, free), terms in shelves.items():
        programme.row(-INFINITY, terms, free)
    for terms in parcels.values():
        programme.row(-INFINITY, terms, wave["parcels"])
    solved = programme.solve(WAVE_SECONDS_MAX)
    return solved and solved[:3], time.process_time() - began


class Memory:
    """HiGHS's answers, kept beside the file that was asked: they do not change when our router does."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}

    def answer(self, asked, limit, solve):
        bare = {key: value for key, value in asked.items() if key != "ours"}
        key = hashlib.sha256(json.dumps([bare, limit], sort_keys=True).encode()).hexdigest()
        if key not in self.known:
            self.known[key] = solve(asked)
            self.path.write_text(json.dumps(self.known))
        return self.known[key]


def main():
    memory = Memory(pathlib.Path(sys.argv[1]).with_name("routing-highs.json"))
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    sorts = {}
    for order in asked["orders"]:
        sorts.setdefault(order["sort"], []).append(order)
    print("| orders | n | proven by us | as good as HiGHS | worst gap | ours, mean | ours, slowest | HiGHS, mean | HiGHS, slowest |")
    print("|---|---|---|---|---|---|---|---|---|")
    wrong = 0
    for sort, orders in sorts.items():
        proven = equal = 0
        worst, ours, theirs = 0.0, [], []
        for order in orders:
            value, cost, is_proven, seconds = memory.answer(order, ORDER_SECONDS_MAX, solve_order)
            mine = order["ours"]
            ours.append(mine["nanos"] / 1e6)
            theirs.append(seconds * 1e3)
            proven += mine["gap"] == 0
            is_equal = mine["value_minor"] == value and mine["cost_minor"] <= cost
            equal += is_equal
            if mine["value_minor"] == value:
                worst = max(worst, (mine["cost_minor"] - cost) / max(abs(cost), 1))
            # What we call proven must be the best; what HiGHS calls proven cannot be beaten.
            if (mine["gap"] == 0 and not is_equal) or (
                is_proven and (mine["value_minor"], -mine["cost_minor"]) > (value, -cost)
            ):
                wrong += 1
                print(f"WRONG: {sort}: ours {mine}, HiGHS {value} {cost}", file=sys.stderr)
        mean = lambda times: sum(times) / len(times)
        print(
            f"| {sort} | {len(orders)} | {proven} | {equal} | {worst:.2%} | {mean(ours):.2f} ms | {max(ours):.2f} ms "
            f"| {mean(theirs):.0f} ms | {max(theirs):.0f} ms |",
            flush=True,
        )
    print("\n| wave | ours | our bound | our gap | our time | HiGHS | its bound | its time | ours over the best bound |")
    print("|---|---|---|---|---|---|---|---|---|")
    for number, wave in enumerate(asked["waves"]):
        solved, seconds = memory.answer(wave, WAVE_SECONDS_MAX, solve_wave)
        mine = wave["ours"]
        left = f", {mine['unplaced']} units left" if mine["unplaced"] else ""
        gap = (mine["burden_minor"] - mine["least_minor"]) / max(mine["burden_minor"], 1)
        cost, bound = (f"{solved[1]:.0f}", solved[2]) if solved else ("none", mine["least_minor"])
        best = max(bound, mine["least_minor"])
        print(
            f"| {number} of {len(wave['orders'])} x {len(wave['orders'][0]['places'])} | {mine['cost_minor']}{left} | {mine['least_minor']} | {gap:.2%} "
            f"| {mine['micros'] / 1e6:.2f} s | {cost} | {bound:.0f} | {seconds:.0f} s "
            f"| {(mine['burden_minor'] - best) / max(best, 1):.2%} |",
            flush=True,
        )
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
