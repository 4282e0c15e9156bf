#!/usr/bin/python3
"""Signatures by botocore, the signer of AWS's own Python client, for many awkward keys, queries and headers.

Prints one JSON object a line: what is signed (texts in hexadecimal UTF-8, since they hold everything) and the Authorization
header or presigned URL that botocore makes of it. The cases are the same every time. Needs the package python3-boto3.
"""

import datetime
import json
import random
import types
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

CHARACTERS = list("abcXYZ019-._~/ !\"#$%&'()*+,:;<=>?@[\\]^`{|}") + ["ä", "é", "ß", "日本", "🙂", "\u00a0", "%2F", "//"]
random.seed(4)


def hexed(text):
    return text.encode().hex()


def text(limit):
    return "".join(random.choice(CHARACTERS) for _ in range(random.randint(1, limit)))


class Moment(datetime.datetime):
    now_is = None

    @classmethod
    def utcnow(cls):
        return cls.now_is


botocore.auth.datetime = types.SimpleNamespace(datetime=Moment, timedelta=datetime.timedelta)


def case(number):
    Moment.now_is = datetime.datetime(2015, 1, 1) + datetime.timedelta(seconds=random.randint(0, 10**9))
    region = random.choice(["us-east-1", "eu-central-1", "cn-north-1"])
    token = random.choice(["", "FwoGZXIvYXdzE/////+Q==" + text(10).encode().hex()])
    secret = "".join(random.choice("abcABC012/+") for _ in range(40))
    credentials = botocore.credentials.Credentials("AKIA" + str(number), secret, token or None)
    host = random.choice(["bucket.s3.amazonaws.com", "127.0.0.1:7480", "s3.example.org:8443"])
    key = text(30).lstrip("/")
    path = "/" + urllib.parse.quote(key, safe="/~")
    query = {text(8): random.choice(["", text(12)]) for _ in range(random.randint(0, 5))}
    method = random.choice(["GET", "PUT", "POST", "DELETE", "HEAD"])
    body = random.choice(["", text(50)]) if method in ("PUT", "POST") else ""
    headers = {}
    for name in ("Content-Type", "Range", "x-amz-meta-Mixed", "x-amz-storage-class", "Content-MD5"):
        if random.random() < 0.4:
            headers[name] = random.choice(["a", "a  b", " two   blanks ", "bytes=0-9", "a,b;c=d"])
    out = {"time": int(Moment.now_is.replace(tzinfo=datetime.timezone.utc).timestamp()), "region": region, "token": token,
           "secret": secret, "id": "AKIA" + str(number), "host": host, "key": hexed(key), "method": method,
           "query": [[hexed(name), hexed(value)] for name, value in query.items()], "path": path}

    if number % 2:
        request = botocore.awsrequest.AWSRequest(method=method, url=f"http://{host}{path}", params=query, headers=headers,
                                                 data=body.encode())
        botocore.auth.S3SigV4Auth(credentials, "s3", region).add_auth(request)
        out.update(body=hexed(body), headers=[[name, value] for name, value in headers.items()],
                   authorization=request.headers["Authorization"])
    else:
        encoded = "&".join(urllib.parse.quote(n, safe="-_.~") + "=" + urllib.parse.quote(v, safe="-_.~") for n, v in query.items())
        # Parameters without a value get lost on botocore's way, not on ours; there they are not compared.
        if any(not value for value in query.values()):
            encoded, out["query"] = "", []
        request = botocore.awsrequest.AWSRequest(method="GET", url=f"http://{host}{path}" + ("?" + encoded if encoded else ""))
        lifetime = random.choice([1, 300, 86400, 604800])
        botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=lifetime).add_auth(request)
        out.update(lifetime=lifetime, url=request.url)
    return out


for number in range(400):
    print(json.dumps(case(number)))
