"""Peers that mean harm to the bot's one port, each in a process of its own, so that only the bot's time is measured.

`python -m tests.attacks.attackers NAME PORT` attacks until its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import zlib
from collections.abc import Awaitable, Callable, Mapping

POST = b"POST /slack/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALVES = 1100
"""Connections with half a header: more than a process may usually open."""
LARGE = 40 * 1024 * 1024


def bomb() -> bytes:
    """Pack a gigabyte into one megabyte."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1000)) + packer.flush()


async def bombs(port: int) -> None:
    """Send bodies that unpack to a gigabyte, over four connections, without a signature."""
    body = await asyncio.to_thread(bomb)
    head = POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    await asyncio.gather(*(again(port, head + body) for _ in range(4)))


async def declared(port: int) -> None:
    """Declare forty megabytes, and send them as long as they are taken."""
    head = POST + b"Content-Length: %d\r\n\r\n" % LARGE
    await asyncio.gather(*(again(port, head + bytes(LARGE)) for _ in range(4)))


async def brotli(port: int) -> None:
    """Send encodings that nobody can read, and chunks of a size that cannot be."""
    br = POST + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"
    chunk = POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10000000000000000\r\nabc"
    await asyncio.gather(again(port, br), again(port, chunk), again(port, chunk))


async def halves(port: int) -> None:
    """Send half a header over many connections, and hold them; a new one for each that is cut."""
    await asyncio.gather(*(held(port, POST + b"X-Slow: ", number / 500) for number in range(HALVES)))


async def trickles(port: int) -> None:
    """Send bodies that never end over many connections."""
    await asyncio.gather(
        *(held(port, POST + b"Content-Length: 900000\r\n\r\n{", number / 500) for number in range(HALVES))
    )


async def silence(port: int) -> None:
    """Open connections, and say nothing."""
    await asyncio.gather(*(held(port, b"", number / 500) for number in range(HALVES)))


async def unsigned(port: int) -> None:
    """Send requests without a signature as fast as they are refused."""
    await asyncio.gather(*(again(port, POST + b"Content-Length: 2\r\n\r\n{}") for _ in range(8)))


ATTACKS: Mapping[str, Callable[[int], Awaitable[None]]] = {
    "bombs": bombs,
    "declared": declared,
    "brotli": brotli,
    "halves": halves,
    "trickles": trickles,
    "silence": silence,
    "unsigned": unsigned,
}


async def again(port: int, data: bytes) -> None:
    """Send it, wait for the response, and again."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                sending = asyncio.create_task(sent(writer, data))
                await reader.readuntil(b"\r\n\r\n")
                await sending
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.01)


async def sent(writer: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(OSError):
        for start in range(0, len(data), 1 << 16):
            writer.write(data[start : start + (1 << 16)])
            await writer.drain()


async def held(port: int, data: bytes, after: float) -> None:
    """Send it and hold the connection as long as it is let; then wait a little, and again."""
    await asyncio.sleep(after)
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            await reader.read()
            writer.transport.abort()
        await asyncio.sleep(5.0)


async def main(name: str, port: int) -> None:
    attack = asyncio.ensure_future(ATTACKS[name](port))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    attack.cancel()
    await asyncio.gather(attack, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
