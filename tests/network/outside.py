"""What stands between a bot and the world: a CONNECT proxy, TLS with an own authority, a line that can fall silent."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "proxy-user", "proxy-s3cret"
CHUNK: Final = 64 * 1024

Mood = Literal["fine", "407", "504", "hang", "cut"]


class Line:
    """A TCP relay in front of a server. `silent`: what stands is read and forwarded no more, and nothing is closed."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.fall_silent()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _abort(self._writers)

    def fall_silent(self) -> None:
        """Let every connection that stands be half open from now on; new ones work."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, to]
        self.connections += 1
        for source, target in ((reader, to), (there, writer)):
            task = asyncio.create_task(_forward(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _abort(writers: Iterable[asyncio.StreamWriter]) -> None:
    """Cut connections, and let the loop learn of it."""
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.05)


async def _forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Forward until the end, and then close; a cancelled one closes nothing."""
    try:
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    target.close()


class Proxy:
    """A CONNECT proxy with a password, the only one who knows the names of the outside.

    `names`: host:port → the local port that answers there. `mood`: what it does with the next requests.
    `seen`: every host:port that was asked for with the right password.
    """

    def __init__(self, names: Mapping[str, int]) -> None:
        self.names = dict(names)
        self.mood: Mood = "fine"
        self.seen: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """What HTTPS_PROXY is set to."""
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    async def start(self, listening: socket.socket | None = None) -> Self:
        """Listen on this socket, or on loopback; again on the same port after `die`."""
        if listening is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        else:
            self._server = await asyncio.start_server(self._serve, sock=listening)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def die(self) -> None:
        """Close the port and cut every tunnel."""
        assert self._server is not None
        self._server.close()
        await _abort(list(self._writers))

    async def __aenter__(self) -> Self:
        return self if self._server is not None else await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.die()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._connect(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, *_ = head.split(" ")
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        status = {"407": 407, "504": 504}.get(self.mood, 200 if wanted in head else 407)
        if method != "CONNECT" or (status == 200 and target not in self.names):
            status = 502
        if self.mood == "hang":
            await asyncio.sleep(3600)
        if self.mood == "cut":
            return
        writer.write(f"HTTP/1.1 {status} Said\r\n{'' if status == 200 else 'Content-Length: 0'}\r\n\r\n".encode())
        if status != 200:
            return
        self.seen.append(target)
        there, to = await asyncio.open_connection("127.0.0.1", self.names[target])
        self._writers.add(to)
        try:
            await asyncio.gather(_forward(reader, to), _forward(there, writer))
        finally:
            self._writers.discard(to)
            to.close()


class Authority:
    """An authority of a company, and one certificate for all names below `outside.test`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "authority.pem"
        own, key = self._issue("The Company", None, None)
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))
        leaf, leaf_key = self._issue("outside.test", own, key)
        pem = folder / "server.pem"
        pem.write_bytes(
            leaf_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
        )
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.load_cert_chain(pem)
        self._servers: list[asyncio.Server] = []
        self._writers: list[asyncio.StreamWriter] = []

    @staticmethod
    def _issue(
        name: str, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey | None
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer_key or key
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if issuer is None:
            usage = x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            built = built.add_extension(usage, critical=True)
        else:
            names = [x509.DNSName("*.outside.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return built.sign(signer, hashes.SHA256()), key

    async def tls(self, port: int) -> int:
        """Serve TLS in front of a local port; return the port of it."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, to = await asyncio.open_connection("127.0.0.1", port)
            self._writers += [writer, to]
            await asyncio.gather(_forward(reader, to), _forward(there, writer))

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self._server)
        self._servers.append(server)
        number: int = server.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        """Listen no more, and cut what stands."""
        for server in self._servers:
            server.close()
        await _abort(self._writers)


async def until(predicate: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it is true."""
    async with asyncio.timeout(seconds):
        while not predicate():
            await asyncio.sleep(0.05)
