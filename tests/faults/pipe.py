"""The way to a server: `python tests/faults/pipe.py PORT SERVER_PORT` hands on what comes in, until it is killed.

A server that keeps its things in memory loses them with its process; killed is the way to it, and every connection.
"""

import asyncio
import sys
from contextlib import suppress


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    writer.close()


async def main(port: int, server: int) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server)
        await asyncio.gather(hand_on(reader, back), hand_on(there, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", port) as serving:
        await serving.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
