"""Records Authorization headers made by requests-oauthlib 2.0.0, for tests/requests_oauthlib.rs.

Run with `pip install requests-oauthlib==2.0.0`, in this folder: python record.py > requests-oauthlib-2.0.0.tsv
A line is: signature method, HTTP method, URL as sent, form body ("-" for none), Authorization header.
"""

import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256
from requests_oauthlib import OAuth1

KEY = "dummy key/1"
SECRET = "dummy-secret & more+\u00e9"

REQUESTS = [
    ("GET", "http://localhost:2602/generic/seller/", None),
    ("GET", "http://example.com:80/generic/seller/?uuid=solitude:1", None),
    ("GET", "https://example.com:443/a?b=c", None),
    ("GET", "http://example.com:443/a?b=c", None),
    ("GET", "http://EXAMPLE.com/Case?Key=Value", None),
    ("GET", "http://example.com/?b=2&a=2&b=1&a=10&a=1", None),
    ("GET", "http://example.com/?empty=&bare&x==y", None),
    ("GET", "http://example.com/?a=b%20c&d=e+f&g=h%2Bi", None),
    ("GET", "http://example.com/a%20b/%C3%A9;v=1?q=%C3%A9%E2%82%AC%F0%9F%92%B6", None),
    ("GET", "http://example.com/?reserved=!*'();:@,/~%25%26%3D%3F", None),
    ("PUT", "http://[::1]:8080/x?array[]=1&array[]=2", None),
    ("PATCH", "http://127.0.0.1/generic/transaction/1/", None),
    ("DELETE", "http://example.com", None),
    ("POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", [("c2", ""), ("a3", "2 q")]),
    ("POST", "http://example.com/form", [("k", "v+w"), ("k", "\u00e9"), ("z", "&="), ("a b", "1")]),
]

for signature_method in (SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256):
    for realm in (None, "solitude"):
        for method, url, form in REQUESTS:
            auth = OAuth1(KEY, SECRET, signature_method=signature_method, realm=realm)
            auth.client.nonce = "n0nce" + str(len(url))
            auth.client.timestamp = "1700000000"
            sent = requests.Request(method, url, data=form, auth=auth).prepare()
            body = sent.body if form else "-"
            body = body.decode() if isinstance(body, bytes) else body
            header = sent.headers["Authorization"]
            header = header.decode() if isinstance(header, bytes) else header
            print(signature_method, method, sent.url, body, header, sep="\t")
