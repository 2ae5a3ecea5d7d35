"""Where the mock vendor is: MOCK_URL comes from the environment."""

import os

MOCK_URL = os.environ["MOCK_URL"].rstrip("/")

TEXT = "Hello from the mock."
CITY = "Zürich 🏔"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
