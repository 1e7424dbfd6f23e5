# Lesson: one call opens an HTTP server with /livez, /readyz, /health and /metrics; a route of the host's own is an async
# function. Here the program asks itself, as a load balancer would.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     python3 examples/lessons/python/serve_health.py
import asyncio

import corbel


async def get(port: int, path: str) -> None:
    """Prints the status and the body of a GET."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    print(f"{path}: {head[9:12]} {body}")


async def main() -> None:
    print("lesson: serve_health")
    async with corbel.Runtime(name="serve_health", log_level="error") as rt, rt.http() as server:

        @server.route("GET", "/hello")
        async def hello(request: corbel.Request) -> str:
            return f"hello {request.parameter('name')}"

        await get(server.port, "/readyz")
        await get(server.port, "/readyz?verbose")
        await get(server.port, "/hello?name=lesson")
        rt.health.drain()  # from now on a load balancer sends nothing new
        await get(server.port, "/readyz")
        await server.stop(5)  # completes the requests under way


asyncio.run(main())
