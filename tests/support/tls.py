"""A server whose certificate nobody has reason to trust, for S3 and for Postgres."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    if speaks_postgres:
                        connection.recv(SSL_REQUEST_BYTES)
                        connection.sendall(b"S")
                    context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
