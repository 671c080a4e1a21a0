#!/usr/bin/env python3
"""Make the demo retailer's committed data from the public files it comes from.

Run by hand, once, when the data or its layout changes; `make demo` never runs it.

    pip install pandas pyarrow
    python3 demo/make_data.py uci_online_retail.parquet geonames_cities5000.csv.gz

writes `demo/online_retail.gz` and `demo/locations.csv` beside this script. Both come out the same, byte for
byte, on every run; the script reads its own file back and compares every field before it is content.

Layout of `online_retail.gz`: gzip of UTF-8 text. The first line is `tandem demo data 1`. Then come sections, each
a line `[name count]` and `count` lines. Lines of an invoice stand together, invoices in the order of the source.

    countries         name of the country
    codes             stock code, then its descriptions, tab-separated; an empty one means "none in the source"
    prices            unit prices of the code on the same line of `codes`, in ten-thousandths of a pound
    invoice_numbers   letter (or nothing) and the step from the number before
    invoice_minutes   minutes since the invoice before (the first: since 2010-12-01 00:00, the shop's wall clock)
    invoice_customers customer number, empty for a guest
    invoice_countries index into countries
    invoice_lines     how many lines the invoice has
    line_codes        index into codes
    line_descriptions index into the descriptions of that code
    line_quantities   pieces, negative where the source is
    line_prices       index into the prices of that code
    late_lines        index of a line written later than its invoice began, and by how many minutes
"""

import csv
import gzip
import io
import sys
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
FIRST_LINE = "tandem demo data 1"
EPOCH = pd.Timestamp("2010-12-01")

WEEK = "mo-sa 09:00-18:00; su 11:00-17:00"
LATE = "mo-we 09:00-18:00; th 09:00-20:00; fr-sa 09:00-18:00; su 11:00-17:00"
DOCK = "mo-fr 06:00-22:00; sa 07:00-15:00"
STORE = "ship pickup receive return"
# code, name, kind, town in GeoNames (None: the web shop is nowhere), street and postcode (invented), opening
# hours, what the location can do
LOCATIONS = [
    ("web", "Lanternfold web shop", "virtual", None, "", "", "", ""),
    ("wh-daventry", "Daventry warehouse", "warehouse", "Daventry", "1 Teaselmoor Way", "NN11 9ZZ", DOCK, "ship receive return"),
    ("wh-wakefield", "Wakefield warehouse", "warehouse", "Wakefield", "40 Bobbinwheel Road", "WF1 9ZZ", DOCK, "ship receive return"),
    ("bath", "Lanternfold Bath", "store", "Bath", "7 Quillpin Passage", "BA1 9ZZ", WEEK, STORE),
    ("brighton", "Lanternfold Brighton", "store", "Brighton", "22 Periwinkle Steps", "BN1 9ZZ", LATE, STORE),
    ("bristol", "Lanternfold Bristol", "store", "Bristol", "15 Tidemark Row", "BS1 9ZZ", LATE, STORE),
    ("cambridge", "Lanternfold Cambridge", "store", "Cambridge", "3 Sedgewing Lane", "CB1 9ZZ", WEEK, STORE),
    ("cardiff", "Lanternfold Cardiff", "store", "Cardiff", "31 Copperleek Arcade", "CF10 9ZZ", LATE, STORE),
    ("chester", "Lanternfold Chester", "store", "Chester", "9 Upper Rushlight Row", "CH1 9ZZ", WEEK, STORE),
    ("edinburgh", "Lanternfold Edinburgh", "store", "Edinburgh", "64 Thistlewhin Street", "EH1 9ZZ", LATE, STORE),
    ("exeter", "Lanternfold Exeter", "store", "Exeter", "12 Honeyslate Hill", "EX1 9ZZ", WEEK, STORE),
    ("leeds", "Lanternfold Leeds", "store", "Leeds", "88 Spindleshuttle Street", "LS1 9ZZ", LATE, STORE),
    ("norwich", "Lanternfold Norwich", "store", "Norwich", "5 Mustardseed Plain", "NR1 9ZZ", WEEK, STORE),
    ("nottingham", "Lanternfold Nottingham", "store", "Nottingham", "27 Laceholly Gate", "NG1 9ZZ", LATE, STORE),
    ("york", "Lanternfold York", "store", "York", "2 Little Candlegate", "YO1 9ZZ", WEEK, STORE),
]
LOCATION_COLUMNS = ["external_id", "name", "kind", "street", "city", "postal_code", "country", "latitude", "longitude",
                 "time_zone", "opening_hours", "capabilities"]


def ranked(values):
    """The distinct values, most frequent first, ties by value, so that indices are small."""
    counts = values.value_counts()
    return sorted(counts.index, key=lambda value: (-counts[value], value))


def read_source(path):
    """The whole file with prices as ten-thousandths; refuses a price that is not exact in them."""
    rows = pd.read_parquet(path)
    rows["Price"] = (rows.UnitPrice * 10_000).round().astype("int64")
    if ((rows.Price / 10_000 - rows.UnitPrice).abs() > 1e-9).any():
        sys.exit("a unit price has more than four decimals: widen the layout first")
    if rows.Description.eq("").any() or rows.Description.fillna("").str.contains("[\t\r\n]").any():
        sys.exit("a description is empty or holds a tab or line break: widen the layout first")
    rows["Description"] = rows.Description.fillna("")
    rows["Minute"] = (rows.InvoiceDate - EPOCH) // pd.Timedelta(minutes=1)
    if (EPOCH + pd.to_timedelta(rows.Minute, unit="min") != rows.InvoiceDate).any():
        sys.exit("a time has seconds: widen the layout first")
    first_seen = {number: at for at, number in enumerate(rows.InvoiceNo.drop_duplicates())}
    rows["Invoice"] = rows.InvoiceNo.map(first_seen)
    return rows.sort_values("Invoice", kind="stable").reset_index(drop=True)


def steps(values):
    """Each value less the one before; the first as it is."""
    before = 0
    for value in values:
        yield value - before
        before = value


def sections(rows):
    """Name and lines of every section."""
    invoices = rows.groupby("Invoice").agg(
        number=("InvoiceNo", "first"), minute=("Minute", "first"), customer=("CustomerID", "first"),
        country=("Country", "first"), lines=("Minute", "size"))
    countries, codes = ranked(rows.Country), ranked(rows.StockCode)
    descriptions = rows.groupby("StockCode").Description.agg(ranked)
    prices = rows.groupby("StockCode").Price.agg(ranked)
    letters = invoices.number.str.extract(r"^(\D?)(\d+)$")
    late = rows.Minute - rows.Invoice.map(invoices.minute)
    index = {"country": {name: at for at, name in enumerate(countries)},
             "code": {code: at for at, code in enumerate(codes)}}
    description_at = {code: {text: at for at, text in enumerate(texts)} for code, texts in descriptions.items()}
    price_at = {code: {price: at for at, price in enumerate(known)} for code, known in prices.items()}

    yield "countries", countries
    yield "codes", ["\t".join([code, *descriptions[code]]) for code in codes]
    yield "prices", ["\t".join(map(str, prices[code])) for code in codes]
    yield "invoice_numbers", [f"{letter}{step}" for letter, step in zip(letters[0], steps(letters[1].astype(int)))]
    yield "invoice_minutes", list(steps(invoices.minute))
    yield "invoice_customers", ["" if pd.isna(number) else number for number in invoices.customer]
    yield "invoice_countries", [index["country"][name] for name in invoices.country]
    yield "invoice_lines", list(invoices.lines)
    yield "line_codes", [index["code"][code] for code in rows.StockCode]
    yield "line_descriptions", [description_at[code][text] for code, text in zip(rows.StockCode, rows.Description)]
    yield "line_quantities", list(rows.Quantity)
    yield "line_prices", [price_at[code][price] for code, price in zip(rows.StockCode, rows.Price)]
    yield "late_lines", [f"{at}\t{minutes}" for at, minutes in late.items() if minutes]


def write_text(rows):
    text = io.StringIO()
    text.write(FIRST_LINE + "\n")
    for name, lines in sections(rows):
        text.write(f"[{name} {len(lines)}]\n")
        text.writelines(f"{line}\n" for line in lines)
    return text.getvalue()


def read_back(text):
    """What a reader gets out of the text, as rows: number, code, description, quantity, minute, price, customer, country."""
    lines = iter(text.split("\n"))
    assert next(lines) == FIRST_LINE
    section = {}
    for head in lines:
        if head:
            name, count = head.strip("[]").split()
            section[name] = [next(lines) for _ in range(int(count))]
    codes = [line.split("\t") for line in section["codes"]]
    prices = [list(map(int, line.split("\t"))) for line in section["prices"]]
    late = dict(tuple(map(int, line.split("\t"))) for line in section["late_lines"])
    number = minute = at = 0
    for i, step in enumerate(section["invoice_numbers"]):
        letter = step[0] if step[0].isalpha() else ""
        number += int(step[len(letter):])
        minute += int(section["invoice_minutes"][i])
        customer = section["invoice_customers"][i]
        country = section["countries"][int(section["invoice_countries"][i])]
        for _ in range(int(section["invoice_lines"][i])):
            code = int(section["line_codes"][at])
            yield (f"{letter}{number}", codes[code][0], codes[code][1 + int(section["line_descriptions"][at])],
                   int(section["line_quantities"][at]), minute + late.get(at, 0),
                   prices[code][int(section["line_prices"][at])], customer, country)
            at += 1


def write_orders(source):
    rows = read_source(source)
    text = write_text(rows)
    customers = ["" if pd.isna(number) else str(number) for number in rows.CustomerID]
    written = zip(rows.InvoiceNo, rows.StockCode, rows.Description, rows.Quantity, rows.Minute, rows.Price, customers, rows.Country)
    for at, (want, have) in enumerate(zip(written, read_back(text), strict=True)):
        if want != have:
            sys.exit(f"row {at} does not come back as it was: {want} became {have}")
    out = FOLDER / "online_retail.gz"
    out.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{out}: {len(rows):,} lines, {out.stat().st_size:,} bytes, total {(rows.Price * rows.Quantity).sum() / 10_000:,.4f}")


def write_locations(cities_path):
    cities = pd.read_csv(cities_path, keep_default_na=False).query("countrycode == 'GB'")
    out = FOLDER / "locations.csv"
    with out.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(LOCATION_COLUMNS)
        for code, name, kind, town, street, postcode, hours, abilities in LOCATIONS:
            latitude = longitude = ""
            if town:
                found = cities[cities.name == town].sort_values("population").iloc[-1]
                latitude, longitude = found.latitude, found.longitude
            table.writerow([code, name, kind, street, town or "", postcode, "GB", latitude, longitude,
                            "Europe/London", hours, abilities])
    print(f"{out}: {len(LOCATIONS)} locations")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} uci_online_retail.parquet geonames_cities5000.csv.gz")
    write_orders(sys.argv[1])
    write_locations(sys.argv[2])
