"""A gateway before the mock vendors: BASE_URL (scheme, host, port) and KEY come from the environment.

Each vendor is reached by an alias of its own. What the mocks say and count is in
`tests/it/support/mock/dialects`.
"""

import functools
import os

BASE_URL = os.environ["BASE_URL"].rstrip("/")
KEY = os.environ["KEY"]

# One for each format that vendors speak, and then the places where two of them are spoken, too.
FORMATS = ("openai", "anthropic", "gemini", "bedrock")
VENDORS = (*FORMATS, "vertex", "vertex-claude", "bedrock-claude")
BAD_KEY = "bd-" + "A" * 38

TEXT = "Hello from the mock."
CITY = "Zürich 🏔"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

# Two of the mocks say something else in streams, to have letters of several bytes.
STREAMED = dict.fromkeys(VENDORS, TEXT) | {"openai": "Hello wörld 🌍."}

# Tokens by vendor: all of the prompt, those of it read from the cache and written to it, the answer's.
USAGE = {"openai": (19, 4, 0, 10), "gemini": (21, 5, 0, 9), "bedrock": (23, 0, 0, 11)}
USAGE["vertex"] = USAGE["gemini"]

for claude in ("anthropic", "vertex-claude", "bedrock-claude"):
    STREAMED[claude] = "Hello wörld"
    USAGE[claude] = (36, 6, 5, 15)


def model(vendor):
    """The alias behind which only this vendor is."""
    return f"on-{vendor}"


def on_each(test):
    """The test once for each vendor, so that one that fails hides no other."""

    @functools.wraps(test)
    def on_all(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor):
                test(self, vendor)

    return on_all
