"""A server whose certificate nobody has reason to trust, for S3 and for Postgres."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.answering import answering

SSL_REQUEST_BYTES = 8


def make_certificate(folder: Path, name: str = "localhost") -> Path:
    """A certificate for ``name`` that it has signed itself, in one file with its key."""
    path = folder / f"{name}.pem"
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    path.write_text(key.read_text() + certificate.read_text())
    return path


@contextmanager
def tls_server(certificate: Path, *, speaks_postgres: bool = False) -> Iterator[int]:
    """Shows its certificate to whoever connects, and hangs up; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def show(connection: socket.socket) -> None:
        if speaks_postgres:
            connection.recv(SSL_REQUEST_BYTES)
            connection.sendall(b"S")
        context.wrap_socket(connection, server_side=True).close()

    with answering(show) as port:
        yield port
