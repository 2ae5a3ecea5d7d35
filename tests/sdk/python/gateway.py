"""Where the gateway is: BASE_URL (scheme, host, port) and KEY come from the environment."""

import os

BASE_URL = os.environ["BASE_URL"].rstrip("/")
KEY = os.environ["KEY"]

WORDS = "sandbox-small"
VECTORS = "sandbox-embedding"
UNKNOWN = "no-such-model"

# The runtime is mounted twice: as the vendors have it, and below the portal's path.
MOUNTS = (BASE_URL, f"{BASE_URL}/api/llm-gateway")

# A key of the right shape that was never issued: only its checksum could be wrong, or nobody has it.
BAD_KEY = "bd-" + "A" * 38
