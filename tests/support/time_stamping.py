"""A time stamping authority on this machine (RFC 3161): OpenSSL answers, behind a small HTTP server that can be down."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_CONFIGURATION = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class TimeStamping:
    """The authority: its address, the file of its root, whether it is down, and how often it was asked."""

    folder: Path
    url: str = ""
    down: bool = False
    asked: list[bytes] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The root that its stamps are judged by."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """What the authority answers to a query."""
        (self.folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", str(self.folder / "tsa.cnf"), "-queryfile"]
        subprocess.run(
            [*command, str(self.folder / "query"), "-out", str(self.folder / "reply")], check=True, capture_output=True
        )
        return (self.folder / "reply").read_bytes()


@contextmanager
def time_stamping(folder: Path, *, ends: timedelta = timedelta(days=400)) -> Iterator[TimeStamping]:
    """The authority while a test runs; `ends`: how long from now its own certificate is valid."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_keys(folder, ends)
    (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01\n")
    authority = TimeStamping(folder)
    lock = threading.Lock()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                authority.asked.append(query)
                down = authority.down or self.headers["Content-Type"] != "application/timestamp-query"
                content = b"" if down else authority.reply(query)
            self.send_response(503 if down else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _make_keys(folder: Path, ends: timedelta) -> None:
    now = datetime.now(UTC)
    root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("A TSA root", "A TSA")]
    for subject, public, ca, path in (
        (names[0], root_key.public_key(), True, "root.pem"),
        (names[1], key.public_key(), False, "tsa.pem"),
    ):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(names[0]).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=400))
        builder = builder.not_valid_after(now + (timedelta(days=400) if ca else ends))
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        usage = x509.KeyUsage(not ca, not ca, False, False, False, ca, ca, False, False)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = builder.add_extension(issued_by, critical=False)
        if not ca:
            purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(purpose, critical=True)
        made = builder.sign(root_key, hashes.SHA256())
        (folder / path).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tsa.key").write_bytes(pem)
