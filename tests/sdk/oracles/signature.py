"""Signs a request again with botocore and compares. Reads it as JSON from standard input: `method`,
`url`, `headers` (names in lower case), `body` (base64), and the credentials it must be signed with.
"""

import base64
import json
import re
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

seen = json.load(sys.stdin)
given = dict(seen["headers"])
parts = re.fullmatch(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
    given["authorization"],
)
assert parts, given["authorization"]
key, day, region, service, signed, signature = parts.groups()
assert key == seen["access_key_id"], key
assert given["x-amz-date"].startswith(day)
assert {"host", "x-amz-date"} <= set(signed.split(";")), signed
if seen.get("session_token"):
    assert given["x-amz-security-token"] == seen["session_token"]
    assert "x-amz-security-token" in signed.split(";"), signed

request = AWSRequest(
    method=seen["method"],
    url=seen["url"],
    headers={name: given[name] for name in signed.split(";")},
    data=base64.b64decode(seen["body"]),
)
request.context["timestamp"] = given["x-amz-date"]
credentials = Credentials(key, seen["secret_access_key"], seen.get("session_token"))
auth = SigV4Auth(credentials, service, region)
again = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
assert again == signature, f"botocore signs {again}, the gateway {signature}:\n" + (
    auth.canonical_request(request)
)
print("the same signature")
