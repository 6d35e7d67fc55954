#!/usr/bin/env python3
"""An update page with https on a link of mdns.py: PORT CERTIFICATE KEY. It asks for a password (Basic), and says
"got METHOD" of each request that has one."""

import socket
import ssl
import sys

FORM = b"<form method='post' action='/update' enctype='multipart/form-data'><input type='file' name='update'></form>"


def answer(connection):
    stream = connection.makefile("rb")
    method = stream.readline().decode().split()[0]
    head = {}
    for line in iter(stream.readline, b"\r\n"):
        name, _, value = line.decode().partition(":")
        head[name.lower()] = value.strip()
    stream.read(int(head.get("content-length", 0)))
    body, lines = FORM if method == "GET" else b"OK", ["HTTP/1.1 200 OK"]
    if "authorization" in head:
        print("got", method, flush=True)
    else:
        body, lines = b"", ["HTTP/1.1 401 Unauthorized", 'WWW-Authenticate: Basic realm="x"']
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)


def main(port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = socket.create_server(("", int(port)))
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        connection.settimeout(60)
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                answer(secure)
        except (OSError, IndexError) as error:  # the client did not trust it
            print("left:", error, flush=True)


main(*sys.argv[1:])
