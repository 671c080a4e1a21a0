"""Opens a small shop over the public API, the same each time, so that a contract test finds something behind every path.

    seed.py ADDRESS SETUP_TOKEN FILE

Becomes the first owner by the set-up token, makes an API key that may do everything, a market with its places and goods, and two orders, one
of them shipped and partly returned. Writes to FILE the key and, by the name of a path parameter, the ids there are.
"""

import json
import sys
import urllib.error
import urllib.request

PASSWORD = "seven bridges of koenigsberg"


class Shop:
    """The API of a running shop, asked with a key once there is one."""

    def __init__(self, address):
        self.address = address
        self.headers = {"Content-Type": "application/json"}
        self.asked = 0

    def ask(self, method, path, body=None, **headers):
        """The answer's JSON; anything but success ends the run with what was answered."""
        self.asked += 1
        headers = self.headers | {"Idempotency-Key": f"seed-{self.asked}"} | headers
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.cookie = answer.headers.get("Set-Cookie", "").split(";")[0]
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            sys.exit(f"seed: {method} {path} was answered {refused.code}: {refused.read().decode()}")

    def post(self, path, body=None):
        return self.ask("POST", path, body)


def key_for_everything(shop, token):
    """Sets up the owner and makes a key with all permissions and a second one to be looked at and revoked."""
    owner = {"token": token, "name": "Ada Owner", "email": "ada@example.com", "password": PASSWORD}
    session = shop.post("/v1/setup", owner)
    by_cookie = {"Cookie": shop.cookie, "X-CSRF-Token": session["csrf_token"]}
    permissions = [one["name"] for one in shop.ask("GET", "/v1/permissions", None, **by_cookie)["items"]]
    made = {}
    for name in ("contract test", "spare"):
        key = {"name": name, "kind": "secret", "permissions": permissions}
        made[name] = shop.ask("POST", "/v1/api-keys", key, **by_cookie)
    return made["contract test"], made["spare"]


def places(shop):
    """A market, two locations, a channel, and a way to deliver."""
    shop.post("/v1/tax-classes", {"code": "standard", "name": "Standard"})
    zone = shop.post("/v1/tax-zones", {"code": "gb", "name": "Britain", "areas": ["GB"], "external_id": "gb"})
    shop.ask("PUT", f"/v1/tax-zones/{zone['id']}/rates", {"tax_class": "standard", "rate_ppm": 200000})
    market = {"code": "gb", "name": "Britain", "countries": ["GB"], "currency": "GBP", "prices_include_tax": True,
              "language": "en-GB", "time_zone": "Europe/London", "tax_zone": zone["id"], "external_id": "gb"}
    market = shop.post("/v1/markets", market)
    locations = []
    for code in ("leeds", "york"):
        location = {"code": code, "name": code.title(), "kind": "store", "time_zone": "Europe/London", "can_ship": True,
                    "can_pick_up": True, "can_receive": True, "can_return": True, "external_id": code}
        locations.append(shop.post("/v1/locations", location)["id"])
    network = {"code": "all", "name": "All", "members": [{"location": one} for one in locations], "external_id": "all"}
    network = shop.post("/v1/networks", network)
    channel = {"code": "web", "name": "Web", "kind": "web", "market": market["id"], "network": network["id"],
               "payment_kinds": ["cash", "manual", "card_record"], "external_id": "web"}
    channel = shop.post("/v1/channels", channel)
    method = {"code": "parcel", "name": {"text": "Parcel"}, "kind": "ship", "zone": [{"country": "GB"}], "channels": ["web"],
              "rates": {"measure": "value", "bands": [{"from": 0, "price": {"amount": 499, "currency": "GBP"}}]},
              "tax_class": "standard", "lead_days_min": 1, "lead_days_max": 3, "external_id": "parcel"}
    method = shop.post("/v1/delivery-methods", method)
    return {"tax_zone": zone["id"], "market": market["id"], "locations": locations, "network": network["id"],
            "channel": channel["id"], "method": method["id"]}


def goods(shop, found):
    """A product with a price, on two shelves, in a tree of categories."""
    attribute = shop.post("/v1/attributes", {"code": "care", "name": "Care", "kind": "text"})
    tree = shop.post("/v1/category-trees", {"code": "web", "name": "Web"})
    category = shop.post(f"/v1/category-trees/{tree['id']}/categories", {"title": {"text": "Mugs"}, "external_id": "mugs"})
    product = {"title": {"text": "Mug"}, "status": "active", "tax_class": "standard", "categories": [category["id"]], "external_id": "mug",
               "variants": [{"sku": "MUG", "weight_grams": 350, "external_id": "MUG", "barcodes": [{"code": "MUG-1", "kind": "internal"}]}]}
    product = shop.post("/v1/products", product)
    variant = product["variants"][0]["id"]
    prices = {"code": "retail", "name": "Retail", "currency": "GBP", "market": found["market"], "priority": 0, "external_id": "retail"}
    prices = shop.post("/v1/price-lists", prices)
    shop.post("/v1/prices", {"price_list": prices["id"], "variant": variant, "amount": 999})
    for location in found["locations"]:
        line = {"variant": variant, "quantity": 100000}
        shop.post("/v1/stock/receipts", {"location": location, "opening": True, "lines": [line]})
    hold = {"variant": variant, "location": found["locations"][0], "quantity": 1, "expires_at": "2099-01-01T00:00:00Z", "reference": "counter"}
    hold = shop.post("/v1/stock/holds", hold)
    return found | {"attribute": attribute["id"], "tree": tree["id"], "category": category["id"], "product": product["id"],
                    "variant": variant, "price_list": prices["id"], "hold": hold["id"]}


def ada():
    return {"name": "Ada Quince", "street": ["17 Zebrafinch Lane"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB",
            "email": "ada.quince@example.com", "phone": "+442079460958"}


def cart(shop, found, customer):
    """A cart that can be ordered."""
    new = {"channel": found["channel"], "customer": customer, "lines": [{"variant": found["variant"], "quantity": 3}],
           "contact": ada(), "delivery": {"method": found["method"]}}
    return shop.post("/v1/carts", new)


def orders(shop, found):
    """Two customers, carts, and three orders: to be paid by hand, paid and waiting for its parcel, shipped and partly come back."""
    customer = shop.post("/v1/customers", {"contact": ada(), "external_id": "ada"})
    leaving = shop.post("/v1/customers", {"contact": ada() | {"email": "leaving@example.com"}, "external_id": "leaving"})
    by_hand, waiting, shipped = (
        shop.post(f"/v1/carts/{cart(shop, found, customer['id'])['id']}/checkout", {"payments": [{"kind": kind}]})
        for kind in ("manual", "cash", "cash")
    )
    parcel = shipped["fulfilment_orders"][0]["id"]
    shop.post(f"/v1/orders/{shipped['id']}/fulfilment-orders/{parcel}/ship", {"tracking": "PARCEL-1"})
    line = {"line": shipped["lines"][0]["id"], "quantity": 1, "condition": "resellable"}
    back = {"location": found["locations"][1], "reason": "too small", "lines": [line]}
    back = shop.post(f"/v1/orders/{shipped['id']}/returns", back)
    filled, ending = cart(shop, found, customer["id"]), cart(shop, found, customer["id"])
    return found | {
        "customer": customer["id"], "contact": customer["contact"], "cart": filled["id"], "cart_line": filled["lines"][0]["id"],
        "leaving_customer": leaving["id"], "leaving_contact": leaving["contact"], "ending_cart": ending["id"],
        "orders": [by_hand["id"], waiting["id"], shipped["id"]], "order_line": shipped["lines"][0]["id"], "return": back["id"],
        "fulfilment_order": waiting["fulfilment_orders"][0]["id"],
        "payments": [one["payments"][0]["id"] for one in (by_hand, waiting)],
    }


def people(shop, found):
    """A role and a member of staff."""
    role = shop.post("/v1/roles", {"code": "counter", "name": "Counter", "permissions": ["orders:read"]})
    member = {"name": "Grace", "email": "grace@example.com", "roles": [{"role": "counter", "location": found["locations"][0]}]}
    return found | {"role": role["id"], "staff": shop.post("/v1/staff", member)["staff"]["id"]}


def main(address, token, file):
    shop = Shop(address)
    key, spare = key_for_everything(shop, token)
    shop.headers["Authorization"] = f"Bearer {key['token']}"
    found = people(shop, orders(shop, goods(shop, places(shop))))
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"address": address, "key": key["token"], "key_id": key["id"], "found": found | {"api_key": spare["id"]}}, out, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
