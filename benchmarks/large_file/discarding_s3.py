#!/usr/bin/env python3
"""An S3 server that keeps nothing but what it must give back, for measuring: 20 GB need a store, not a disk.

  discarding_s3.py      serve on a free port of 127.0.0.1, print `http://127.0.0.1:PORT`, stop when standard input ends

Bodies of parts are read and dropped; their sizes stay. Kept, in memory, are objects below a `staging/` and small ones. Signatures are
not looked at. S3's limits are: part numbers 1 to 10,000, parts of 5 MiB to 5 GiB but for the last, parts named in order and as they were
uploaded (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). `GET /?summary` tells of every upload that was completed.
"""

import hashlib
import itertools
import json
import re
import socket
import sys
import threading
import urllib.parse

MIN_PART = 5 << 20
MAX_PART = 5 << 30
KEPT = 64 << 10
PIECE = 1 << 20


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status = status
        self.body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.counter = itertools.count(1)
        self.objects = {}  # key → (size, etag, content or None)
        self.uploads = {}  # id → (key, {number: (size, etag)})
        self.completed = []

    def etag(self):
        return f"{next(self.counter):032x}"

    def parts_of(self, upload):
        if upload not in self.uploads:
            raise Refusal(404, "NoSuchUpload")
        return self.uploads[upload][1]

    def put(self, key, body):
        etag = self.etag()
        kept = body.kept if "staging/" in key or body.size <= KEPT else None
        self.objects[key] = (body.size, etag, kept)
        return etag

    def put_part(self, upload, number, body):
        parts = self.parts_of(upload)
        if not 1 <= number <= 10_000:
            raise Refusal(400, "InvalidArgument", f"part number {number}")
        if body.size > MAX_PART:
            raise Refusal(400, "EntityTooLarge")
        parts[number] = (body.size, self.etag())
        return parts[number][1]

    def complete(self, upload, document):
        key, parts = self.uploads.get(upload) or (None, None)
        if key is None:
            raise Refusal(404, "NoSuchUpload")
        named = [(int(number), etag) for number, etag in
                 re.findall(r"<Part>\s*<PartNumber>(\d+)</PartNumber>\s*<ETag>(?:&quot;|\")?([0-9a-f]+)", document)]
        if not named or [number for number, _ in named] != sorted({number for number, _ in named}):
            raise Refusal(400, "InvalidPartOrder")
        for position, (number, etag) in enumerate(named):
            if number not in parts or parts[number][1] != etag:
                raise Refusal(400, "InvalidPart", f"part {number}")
            if parts[number][0] < MIN_PART and position + 1 < len(named):
                raise Refusal(400, "EntityTooSmall", f"part {number}")
        sizes = [parts[number][0] for number, _ in named]
        etag = hashlib.md5(b"".join(bytes.fromhex(etag) for _, etag in named)).hexdigest() + f"-{len(named)}"
        self.objects[key] = (sum(sizes), etag, None)
        self.completed.append({"key": key, "bytes": sum(sizes), "parts": len(named), "uploaded": len(parts), "highest_number": named[-1][0],
                               "smallest_part": min(sizes[:-1], default=sizes[-1]), "largest_part": max(sizes), "last_part": sizes[-1]})
        del self.uploads[upload]
        return key, etag

    def listing(self, prefix):
        found = sorted(key for key in self.objects if key.startswith(prefix))[:1000]
        entries = "".join(f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{self.objects[key][1]}&quot;</ETag>"
                          f"<Size>{self.objects[key][0]}</Size></Contents>" for key in found)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>{len(found)}</KeyCount>{entries}</ListBucketResult>"

    def listed_uploads(self, prefix):
        entries = "".join(f"<Upload><Key>{key}</Key><UploadId>{upload}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
                          for upload, (key, _) in self.uploads.items() if key.startswith(prefix))
        return f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{entries}</ListMultipartUploadsResult>"

    def listed_parts(self, upload):
        entries = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size></Part>"
                          for number, (size, etag) in sorted(self.parts_of(upload).items()))
        return f"<ListPartsResult><IsTruncated>false</IsTruncated>{entries}</ListPartsResult>"


class Body:
    """A request's body, read to its end; its bytes only if they may have to be given back."""

    def __init__(self, connection, length, keep):
        self.size = length
        left = length
        pieces = []
        while left:
            taken = connection.take(left)
            if keep:
                pieces.append(bytes(taken))
            left -= len(taken)
        self.kept = b"".join(pieces) if keep else b""


class Connection:
    def __init__(self, store, client):
        self.store = store
        self.client = client
        self.buffer = memoryview(bytearray(PIECE))
        self.begin = self.end = 0

    def take(self, most):
        """Up to so many bytes, at least one."""
        if self.begin == self.end:
            self.begin, self.end = 0, self.client.recv_into(self.buffer)
            if not self.end:
                raise EOFError
        piece = self.buffer[self.begin:min(self.end, self.begin + most)]
        self.begin += len(piece)
        return piece

    def head(self):
        """The words of the request line, and the headers."""
        text = bytearray()
        while (stop := text.find(b"\r\n\r\n")) < 0:
            text += self.take(PIECE)
        self.begin -= len(text) - stop - 4  # what is of the body is still in the buffer: it came with the last piece
        lines = text[:stop].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return lines[0].split(" "), headers

    def serve(self):
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                (method, target, _), headers = self.head()
                length = int(headers.get("content-length", 0))
                if headers.get("expect", "").lower() == "100-continue":
                    self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                path, _, query = target.partition("?")
                key = urllib.parse.unquote(path).lstrip("/").partition("/")[2]
                words = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
                body = Body(self, length, "partNumber" not in words and ("staging/" in key or length <= KEPT or method == "POST"))
                try:
                    with self.store.lock:
                        status, fields, answer = self.answer(method, key, words, headers, body)
                except Refusal as refusal:
                    status, fields, answer = refusal.status, {}, refusal.body
                size = fields.pop("Content-Length", len(answer))
                head = f"HTTP/1.1 {status} OK\r\nContent-Length: {size}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                self.client.sendall(head.encode() + b"\r\n" + (b"" if method == "HEAD" else answer))
        except (EOFError, OSError):
            self.client.close()

    def answer(self, method, key, words, headers, body):
        """(status, headers, body)"""
        store = self.store
        upload = words.get("uploadId")
        if "summary" in words:
            return 200, {}, json.dumps(store.completed).encode()
        if method == "PUT":
            etag = store.put_part(upload, int(words["partNumber"]), body) if upload else store.put(key, body)
            return 200, {"ETag": f'"{etag}"'}, b""
        if method == "POST" and "uploads" in words:
            upload = f"upload{next(store.counter)}"
            store.uploads[upload] = (key, {})
            return 200, {}, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode()
        if method == "POST":
            key, etag = store.complete(upload, body.kept.decode())
            return 200, {}, f"<CompleteMultipartUploadResult><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag></CompleteMultipartUploadResult>".encode()
        if method == "DELETE":
            if upload:
                store.parts_of(upload)
                del store.uploads[upload]
            else:
                store.objects.pop(key, None)
            return 204, {}, b""
        if upload:
            return 200, {}, store.listed_parts(upload).encode()
        if "uploads" in words:
            return 200, {}, store.listed_uploads(words.get("prefix", "")).encode()
        if not key:
            return 200, {}, store.listing(words.get("prefix", "")).encode()
        if key not in store.objects:
            raise Refusal(404, "NoSuchKey")
        size, etag, content = store.objects[key]
        fields = {"ETag": f'"{etag}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if method == "HEAD":
            return 200, {**fields, "Content-Length": size}, b""
        if content is None:
            raise Refusal(500, "Discarded")
        first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", f"bytes=0-{size - 1}")).groups()
        piece = content[int(first):int(last) + 1]
        return (206 if "range" in headers else 200), {**fields, "Content-Range": f"bytes {first}-{int(first) + len(piece) - 1}/{size}"}, piece


def main():
    store = Store()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)

    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=Connection(store, client).serve, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
