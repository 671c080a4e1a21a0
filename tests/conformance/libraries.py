"""How each library for Python tells the story.

    libraries.py LIBRARY ADDRESS KEY TURN STEP…
"""

import sys


def segment(address, key, user, browser, steps):
    import segment.analytics as analytics

    analytics.write_key, analytics.host, analytics.sync_mode = key, address, True
    tell_as_segment(analytics, user, browser, steps)


def rudder(address, key, user, browser, steps):
    import rudderstack.analytics as analytics

    analytics.write_key, analytics.dataPlaneUrl, analytics.sync_mode = key, address, True
    tell_as_segment(analytics, user, browser, steps)
    analytics.flush()


def tell_as_segment(analytics, user, browser, steps):
    tell = {
        "look": lambda: analytics.track(anonymous_id=browser, event="Looked", properties={"sku": "TEAPOT"}),
        "sign_in": lambda: analytics.identify(user, anonymous_id=browser, traits={"email": f"{user}@example.com"}),
        "buy": lambda: analytics.track(user, "Bought", {"total": 19.5}),
    }
    for step in steps:
        tell[step]()


def posthog(address, key, user, browser, steps):
    from posthog import Posthog

    client = Posthog(key, host=f"{address}/posthog", sync_mode=True)
    tell = {
        "look": lambda: client.capture("Looked", distinct_id=browser, properties={"$process_person_profile": False}),
        "sign_in": lambda: client.capture(
            "$identify",
            distinct_id=user,
            properties={"$anon_distinct_id": browser, "$set": {"email": f"{user}@example.com"}},
        ),
        "buy": lambda: client.capture("Bought", distinct_id=user),
    }
    for step in steps:
        tell[step]()
    client.shutdown()


LIBRARIES = {"segment-python": segment, "rudder-python": rudder, "posthog-python": posthog}

if __name__ == "__main__":
    library, address, key, turn, *steps = sys.argv[1:]
    LIBRARIES[library](address, key, f"{library}-{turn}", f"browser-of-{library}-{turn}", steps)
