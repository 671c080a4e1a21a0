"""Puts ids of things that are there into input that Schemathesis made up, since a made-up id only ever finds a 404 or 422.

Only input that is meant to be good is touched, and of that three parts in four; which, is told by the input itself, so that a run can be repeated.
"""

import json
import os
import urllib.error
import urllib.request
import zlib

import schemathesis

with open(os.environ["TANDEM_SEEDED"], encoding="utf-8") as seeded:
    SEEDED = json.load(seeded)
FOUND = SEEDED["found"]

# What stands behind `{id}`, by the word of the path before it.
BEHIND = {
    "api-keys": "api_key", "attributes": "attribute", "carts": "cart", "categories": "category", "channels": "channel",
    "contacts": "contact", "customers": "customer", "delivery-methods": "method", "locations": "locations", "markets": "market",
    "networks": "network", "price-lists": "price_list", "products": "product", "roles": "role", "staff": "staff", "tax-zones": "tax_zone",
    "variants": "variant",
}
# Every other parameter and field that names a thing; `lines` of a return name lines of an order, those of a path lines of a cart.
NAMED = {
    "tree": "tree", "order": "orders", "payment": "payments", "return": "return", "fulfilment_order": "fulfilment_order", "line": "cart_line",
    "hold": "hold", "variant": "variant", "variants": "variant", "location": "locations", "locations": "locations",
    "pickup_locations": "locations", "channel": "channel", "channels": "channel", "market": "market", "network": "network",
    "pickup_network": "network", "price_list": "price_list", "customer": "customer", "method": "method", "categories": "category",
    "category": "category", "category_tree": "tree", "serve_from": "locations",
}
WORDS = {"sku": "MUG", "tax_class": "standard", "currency": "GBP", "country": "GB", "time_zone": "Europe/London", "language": "en-GB",
         "role": "counter", "tax_zone": "gb", "code": "MUG-1", "number": "1", "prefix": "21"}
# What is left alone by every other operation, since it does not outlive this one.
ENDING = {"/v1/customers/{id}/erase": "leaving_customer", "/v1/contacts/{id}/erase": "leaving_contact"}


class Turns:
    """Says for one place after the other whether it is filled, and with which of several."""

    def __init__(self, text):
        self.state = zlib.crc32(text.encode())

    def next(self):
        self.state = zlib.crc32(self.state.to_bytes(4, "big"))
        return self.state

    def pick(self, name, given):
        """A real thing under this name, or what was given."""
        if self.next() % 4 == 0:
            return given
        if name in WORDS:
            return WORDS[name]
        found = FOUND[name]
        return found[self.next() % len(found)] if isinstance(found, list) else found


def fill(value, turns, in_order):
    """The same body with real ids and words where it names a thing."""
    if isinstance(value, list):
        return [fill(one, turns, in_order) for one in value]
    if not isinstance(value, dict):
        return value
    filled = {}
    for field, given in value.items():
        name = "order_line" if in_order and field == "line" else NAMED.get(field, field if field in WORDS and field != "code" else None)
        if name and isinstance(given, str):
            filled[field] = turns.pick(name, given)
        elif name and isinstance(given, list) and all(isinstance(one, str) for one in given):
            filled[field] = [turns.pick(name, one) for one in given[:1]]
        else:
            filled[field] = fill(given, turns, in_order)
    return filled


def version(path):
    """The ETag of what is there, so that a change is one of what was read."""
    headers = {"Authorization": f"Bearer {SEEDED['key']}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(SEEDED["address"] + path, headers=headers), timeout=20) as answer:
            return answer.headers["ETag"]
    except urllib.error.HTTPError:
        return None


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    if case.meta is None or case.meta.generation.mode.is_positive:
        turns = Turns(repr((path, case.path_parameters, case.query, case.body)))
        words = path.strip("/").split("/")
        for name, given in (case.path_parameters or {}).items():
            before = words[words.index("{" + name + "}") - 1]
            known = BEHIND.get(before) if name == "id" else NAMED.get(name) or (name if name in WORDS else None)
            known = ENDING.get(path, known)
            if known:
                case.path_parameters[name] = turns.pick(known, given)
        for name, given in (case.query or {}).items():
            if name in NAMED and isinstance(given, str):
                case.query[name] = turns.pick(NAMED[name], given)
        if isinstance(case.body, (dict, list)):
            case.body = fill(case.body, turns, "/orders/" in path)
        if path.endswith("/merge") and isinstance(case.body, dict):
            case.body["from"] = FOUND["ending_cart"]
        if "If-Match" in (case.headers or {}) and turns.next() % 4 != 0:
            read = path.removesuffix("/roles").format(**case.path_parameters)
            case.headers["If-Match"] = version(read) or case.headers["If-Match"]
    # Whoever revokes the key of the test learns nothing more.
    for name, given in (case.path_parameters or {}).items():
        if given == SEEDED["key_id"]:
            case.path_parameters[name] = FOUND["api_key"]
