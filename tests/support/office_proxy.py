"""A proxy as offices have them: every call goes through it, and it shows certificates of an authority of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("sheets.googleapis.com", "oauth2.googleapis.com", "app.tokportal.com")


class OfficeProxy(ThreadingTCPServer):
    """Takes CONNECT for any host, and has the sandbox answer in its place. `asked` are the hosts, `plain` the rest."""

    daemon_threads = True

    def __init__(self, folder: Path, to: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.plain: list[str] = []
        self.to, self.says = to, "200 Connection established"
        self.authority = folder / "authority.pem"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(_certificates(folder, self.authority))

    @property
    def url(self) -> str:
        """As the environment names it."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(StreamRequestHandler):
    server: OfficeProxy

    def handle(self) -> None:
        """One connection: CONNECT, and then TLS with a certificate of ours."""
        first = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        method, target = first.split()[:2]
        (self.server.asked if method == "CONNECT" else self.server.plain).append(target)
        self.wfile.write(f"HTTP/1.1 {self.server.says}\r\n\r\n".encode())
        if method != "CONNECT" or not self.server.says.startswith("200"):
            return
        try:
            with (
                self.server.tls.wrap_socket(self.request, server_side=True) as secure,
                socket.create_connection(self.server.to) as sandbox,
            ):
                back = threading.Thread(target=_pour, args=(sandbox, secure), daemon=True)
                back.start()
                _pour(secure, sandbox)
                back.join()
        except OSError:
            pass  # who does not trust the certificate hangs up


def _pour(source: socket.socket, into: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            for host in HOSTS:  # the sandbox serves nobody who means another host
                data = data.replace(f"Host: {host}".encode(), b"Host: localhost")
            into.sendall(data)
        into.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _certificates(folder: Path, authority: Path) -> Path:
    """A file with key and certificate for the hosts; the authority that signed it is written, too."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Office authority")])

    def begun(subject: x509.Name, of: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(of.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        return builder.not_valid_after(now + timedelta(days=1))

    usage = x509.KeyUsage(True, *[False] * 4, True, True, False, False)
    signed = begun(name, root).add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    signed = signed.add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), False)
    authority.write_bytes(signed.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    leaf = begun(x509.Name([]), key).add_extension(hosts, True).add_extension(issuer, False)
    shown = leaf.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "proxy.pem"
    path.write_bytes(secret + shown)
    return path


@contextmanager
def office_proxy(folder: Path, to: tuple[str, int]) -> Iterator[OfficeProxy]:
    """The proxy, for as long as it is needed."""
    with OfficeProxy(folder, to) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy
        proxy.shutdown()
