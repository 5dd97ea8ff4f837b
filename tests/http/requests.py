# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests for parsers to disagree about: written by hand, and changed.

requests() yields them as bytes, always the same. What is written by hand is
whole: a parser that takes it needs no more. Changed ones are two good requests
with one byte at each place taken out, replaced, or put before another.
"""

CRLF = b"\r\n"
BODY = b"hello"

LINES = [
    b"GET / HTTP/1.1", b"GET / HTTP/1.0", b"get / HTTP/1.1",
    b"FOO / HTTP/1.1", b"PRI * HTTP/2.0", b"PRI / HTTP/1.1",
    b"M-SEARCH * HTTP/1.1", b"OPTIONS * HTTP/1.1", b"OPTIONS *x HTTP/1.1",
    b"GET * HTTP/1.1", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1",
    b" GET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET\t/ HTTP/1.1",
    b"GET /\tHTTP/1.1", b"GET /", b"GET", b"", b"\r\nGET / HTTP/1.1",
    b"\r\n\r\nGET / HTTP/1.1", b"\nGET / HTTP/1.1", b"\rGET / HTTP/1.1",
    b"GET / HTTP/0.9", b"GET / HTTP/1.2", b"GET / HTTP/1.9",
    b"GET / HTTP/2.0", b"GET / HTTP/11.1", b"GET / HTTP/1.10",
    b"GET / HTTP/1", b"GET / http/1.1", b"GET / HTTPS/1.1",
    b"GET / ICE/1.0", b"GET / x HTTP/1.1", b"GET /a b HTTP/1.1",
    b"GET a HTTP/1.1", b"GET ?a HTTP/1.1", b"GET /a#b HTTP/1.1",
    b"GET /a?b#c HTTP/1.1", b"GET /a\\b HTTP/1.1", b"GET /?a\\b HTTP/1.1",
    b"GET /% HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET /?%zz HTTP/1.1",
    b"GET /%00 HTTP/1.1", b"GET /%2e%2e/ HTTP/1.1", b"GET /../ HTTP/1.1",
    b"GET //a HTTP/1.1", b"GET /a|b HTTP/1.1", b"GET /\"<>[]^`{|} HTTP/1.1",
    b"GET /?\"<>[]^`{|} HTTP/1.1", b"GET /\xc3\xa4 HTTP/1.1",
    b"GET /?\xc3\xa4 HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /\x7f HTTP/1.1",
    b"GET http://a/ HTTP/1.1", b"GET http://a HTTP/1.1",
    b"GET http://a?b HTTP/1.1", b"GET http://A:80/ HTTP/1.1",
    b"GET HTTP://a/ HTTP/1.1", b"GET http://b/ HTTP/1.1",
    b"GET https://a/ HTTP/1.1", b"GET ftp://a/ HTTP/1.1",
    b"GET http:///a HTTP/1.1", b"GET http:/a HTTP/1.1",
    b"GET http://u@a/ HTTP/1.1", b"GET http://u:p@a/ HTTP/1.1",
    b"GET http://a:x/ HTTP/1.1", b"GET http://a:99999/ HTTP/1.1",
    b"GET http://[::1]/ HTTP/1.1", b"GET http://a#b HTTP/1.1",
    b"CONNECT a:443 HTTP/1.1", b"CONNECT / HTTP/1.1", b"GET a:443 HTTP/1.1",
    b"G(T / HTTP/1.1", b"G\xc3T / HTTP/1.1", b"GET: / HTTP/1.1",
    b"G\0T / HTTP/1.1", b"GET /\0 HTTP/1.1", b"GET / HTTP/1.1\0",
    b"A" * 32 + b" / HTTP/1.1", b"A" * 33 + b" / HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-OpenSSH_9.2p1 Debian-2",
    b"EHLO mail.example",
]

FIELDS = [
    b"X: a", b"X:a", b"X:", b"X: ", b"X: \t a \t", b"X : a", b"X\t: a",
    b"X", b": a", b"", b" X: a", b"\tX: a", b"X Y: a", b"X(: a", b"X/Y: a",
    b"X@: a", b"X\x01: a", b"X\x7f: a", b"X\xa0: a", b"X\0: a",
    b"\xef\xbb\xbfX: a", b"X_Y: a", b"X: a\r\n b", b"X: a\r\n\tb",
    b"X:\r\n a", b"X: a\r\n \r\nY: b", b"X: a\nY: b", b"X: a\rY: b",
    b"X: a\r\rb", b"X: a\n b", b"X: a\0b", b"X: a\x01", b"X: \x0b",
    b"X: a\x1f", b"X: a\x7f", b"X: \x1b[0m", b"X: \x80\xff", b"X: \xc3\xa4",
    b"Content-Length: 0", b"Content_Length: 5", b"Content-Length : 5",
    b"Connection: close", b"Connection: keep-alive", b"Connection: x y",
    b"Connection: close, , x", b"Connection: upgrade",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
    b"Upgrade: websocket", b"Expect: 100-continue", b"Expect: x",
    b"TE: trailers", b"TE: gzip, trailers;q=0.5", b"Trailer: X",
    b"Host: a", b"Host: b", b"HOST: a", b"Transfer-Encoding:",
    b"\r\n" + b"X: a", b"X" * 40 + b": a", b"X: " + b"a" * 300,
    b"\r\n".join(b"X%d: a" % i for i in range(100)),
    b"\r\n".join(b"X%d: a" % i for i in range(127)),
    b"\r\n".join(b"X%d: a" % i for i in range(128)),
]

HOSTS = [
    b"a", b"", b"A.example.", b"a:80", b"a:", b"a:0", b"a:65535", b"a:65536",
    b"a:000080", b"a:x", b"a:80:80", b":80", b"u@a", b"u:p@a", b"a b",
    b"a, b", b"a,b", b"a;b", b"a/b", b"a?b", b"a#b", b"a\\b", b"a%2eb",
    b"http://a", b"a_b", b"a~b", b"[::1]", b"[::1]:80", b"::1", b"[::1",
    b"[::1]x", b"[a]", b"[v1.a]", b"[fe80::1%25eth0]", b"\xc3\xa4", b"a\tb",
    b"a\x01b", b"a\0b", b"<a>", b"a'b", b"a(b)", b"a|b",
]

LENGTHS = [
    b"5", b"05", b"0005", b"", b" ", b"x", b"-5", b"+5", b"0x5", b"5x",
    b"5 5", b"5,", b"5, 5", b"5,5", b"5, 6", b"5.0", b"5e0", b"\"5\"",
    b"5;a", b"5\xa0", b"\x0b5", b"9223372036854775808",
    b"18446744073709551616", b"18446744073709551621",
    b"00000000000000000000000000000005",
]

ENCODINGS = [
    b"chunked", b"Chunked", b"CHUNKED", b" chunked ", b"chunked,", b",chunked",
    b"chunked, chunked", b"chunked;q=1", b"\"chunked\"", b"xchunked",
    b"chunkedx", b"chun ked", b"identity", b"gzip", b"gzip, chunked",
    b"chunked, gzip", b"chunked, identity", b"identity, chunked", b"",
    b"\x0bchunked", b"chunked\xa0",
]

GOOD_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
CHUNKS = [
    b"0\r\n\r\n", b"000\r\n\r\n", GOOD_CHUNKS, b"05\r\nhello\r\n0\r\n\r\n",
    b"A\r\n0123456789\r\n0\r\n\r\n", b"a\r\n0123456789\r\n0\r\n\r\n",
    b"5;a\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", b"5 ; a\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"\\\"\"\r\nhello\r\n0;b\r\n\r\n", b"5;\r\nhello\r\n0\r\n\r\n",
    b"5;;a\r\nhello\r\n0\r\n\r\n", b"5;=\r\nhello\r\n0\r\n\r\n",
    b"5;a=\r\nhello\r\n0\r\n\r\n", b"5;a b\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"\r\nhello\r\n0\r\n\r\n", b"5;\x01\r\nhello\r\n0\r\n\r\n",
    b"5;\x80\r\nhello\r\n0\r\n\r\n", b"5;\0\r\nhello\r\n0\r\n\r\n",
    b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n", b"5\t\r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5_\r\nhello\r\n0\r\n\r\n", b"x\r\nhello\r\n0\r\n\r\n",
    b"\r\n5\r\nhello\r\n0\r\n\r\n", b";a\r\nhello\r\n0\r\n\r\n",
    b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n",
    b"5\rhello\r\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n",
    b"5\r\nhelloworld\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
    b"8000000000000000\r\nhello\r\n0\r\n\r\n",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"100000005\r\nhello\r\n0\r\n\r\n"[1:],
    b"000000000000000000005\r\nhello\r\n0\r\n\r\n",
    b"5;" + b"a" * 252 + b"\r\nhello\r\n0\r\n\r\n",
    b"5;" + b"a" * 400 + b"\r\nhello\r\n0\r\n\r\n",
    b"0\r\nX: a\r\n\r\n", b"0\r\nX: a\r\nY: b\r\n\r\n", b"0\r\nX : a\r\n\r\n",
    b"0\r\n X: a\r\n\r\n", b"0\r\nX: a\r\n b\r\n\r\n", b"0\r\nX\r\n\r\n",
    b"0\r\n: a\r\n\r\n", b"0\r\nX: \0\r\n\r\n", b"0\r\nX: \x01\r\n\r\n",
    b"0\r\nX: a\n\r\n", b"0\r\nHost: b\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nTransfer-Encoding: x\r\n\r\n",
    b"0\r\nAuthorization: a\r\n\r\n", b"0\r\nX-Forwarded-For: a\r\n\r\n",
]

GOOD = [
    b"POST /a?b HTTP/1.1\r\nHost: a\r\nX-Y: c d\r\nContent-Length: 5\r\n\r\n"
    + BODY,
    b"PUT /%41 HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n0\r\nX: c\r\n\r\n",
]
OTHERS = [b"\0", b"\t", b"\n", b"\r", b" ", b"#", b",", b":", b";", b"\x7f",
          b"\x80", b"\r\n"]


def head(line, *fields, body=b""):
    return CRLF.join((line,) + fields) + CRLF + CRLF + body


def by_hand():
    post, host = b"POST / HTTP/1.1", b"Host: a"
    length = b"Content-Length: 5"
    encoding = b"Transfer-Encoding: chunked"
    for line in LINES:
        yield head(line, host)
        yield head(line)
    for field in FIELDS:
        yield head(b"GET / HTTP/1.1", host, field)
        yield head(b"GET / HTTP/1.1", field, host)
    for value in HOSTS:
        yield head(b"GET / HTTP/1.1", b"Host: " + value)
    for value in LENGTHS:
        yield head(post, host, b"Content-Length: " + value, body=BODY)
        yield head(post, host, length, b"Content-Length: " + value, body=BODY)
    for value in ENCODINGS:
        field = b"Transfer-Encoding: " + value
        yield head(post, host, field, body=GOOD_CHUNKS)
        yield head(post, host, encoding, field, body=GOOD_CHUNKS)
        yield head(b"POST / HTTP/1.0", host, field, body=GOOD_CHUNKS)
        yield head(post, host, field, length, body=GOOD_CHUNKS)
        yield head(post, host, length, field, body=GOOD_CHUNKS)
    for chunks in CHUNKS:
        yield head(post, host, encoding, body=chunks)
    for pair in ((b"a", b"a"), (b"a", b"b"), (b"", b"a")):
        yield head(b"GET / HTTP/1.1", *(b"Host: " + h for h in pair))
    for line in (b"GET http://a/ HTTP/1.1", b"GET http://a:81/ HTTP/1.0"):
        for value in (b"a", b"A", b"a:80", b"a:81", b"b", b""):
            yield head(line, b"Host: " + value)


def changed():
    for good in GOOD:
        for i in range(len(good)):
            yield good[:i] + good[i + 1:]
            for other in OTHERS:
                yield good[:i] + other + good[i:]
                yield good[:i] + other + good[i + 1:]


def requests():
    seen = set()
    for request in list(by_hand()) + list(changed()):
        if request not in seen:
            seen.add(request)
            yield request
