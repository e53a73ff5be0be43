"""TLS in front of a PostgreSQL whose build has none; run as a program of its own, with the standard library alone.

A client that asks for encryption gets it, and what it sends then goes to the server's local socket. Whoever does not
ask is refused as RDS refuses with `rds.force_ssl`, or let through without it.

    python tls_proxy.py ADDRESS PORT SOCKET CERTIFICATE KEY FORCE     SOCKET: abstract name; FORCE: 1 or 0
"""

import asyncio
import contextlib
import ssl
import struct
import sys

# Request codes that stand where the protocol's version would (PostgreSQL manual, "Message Formats").
_CANCEL, _SSL, _GSS = 80877102, 80877103, 80877104
_LONGEST_START = 10_000  # bytes of a startup packet, as in the server
_CHUNK_BYTES = 1 << 16


class Proxy:
    """Takes connections of one server.

    Args:
        socket_name: the server's abstract socket.
        context: with the server's certificate.
        force: refuse clients without encryption.
    """

    def __init__(self, socket_name: str, context: ssl.SSLContext, *, force: bool) -> None:
        self._socket_name = socket_name
        self._context = context
        self._force = force

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client to its end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            encrypted = False
            while True:
                packet, code = await _first_packet(reader)
                if code == _GSS:
                    writer.write(b"N")
                elif code == _SSL and not encrypted:
                    writer.write(b"S")
                    await writer.start_tls(self._context)
                    encrypted = True
                else:
                    break
            if self._force and not encrypted and code != _CANCEL:
                writer.write(_refusal(packet))
                await writer.drain()
            else:
                await self._join(packet, reader, writer)
        writer.close()

    async def _join(self, packet: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(f"\0{self._socket_name}")
        there_writer.write(packet)
        pumps = {
            asyncio.create_task(_pump(reader, there_writer)),
            asyncio.create_task(_pump(there_reader, writer)),
        }
        _, running = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in running:
            pump.cancel()
        there_writer.close()


async def _first_packet(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """Return a startup packet and its code.

    Raises:
        ConnectionError: it is none.
    """
    head = await reader.readexactly(8)
    length, code = struct.unpack("!II", head)
    if not len(head) <= length <= _LONGEST_START:
        raise ConnectionError("not a client of PostgreSQL")
    return head + await reader.readexactly(length - len(head)), code


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await source.read(_CHUNK_BYTES):
            sink.write(data)
            await sink.drain()


def _refusal(packet: bytes) -> bytes:
    """Return the error that a server with `rds.force_ssl` gives."""
    words = packet[8:].decode(errors="replace").split("\0")
    given = dict(zip(words[::2], words[1::2], strict=False))
    user = given.get("user", "")
    database = given.get("database") or user
    message = f'no pg_hba.conf entry for user "{user}", database "{database}", no encryption'
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": message}
    body = b"".join(f"{kind}{value}".encode() + b"\0" for kind, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


async def main() -> None:
    """Serve until this process is ended; see the module's text for the arguments."""
    address, port, socket_name, certificate, key, force = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # as Aurora PostgreSQL
    context.load_cert_chain(certificate, key)
    proxy = Proxy(socket_name, context, force=force == "1")
    server = await asyncio.start_server(proxy.serve, address, int(port))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
