# Lesson: COPY is the quick way for many rows into a table. They come from any iterator; nothing is kept unless all of them
# went in. Results larger than memory come back a few at a time too.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     DATABASE_URL=postgresql://postgres@localhost/postgres python3 examples/lessons/python/copy_in.py
import asyncio
import os

import corbel

URL = os.environ.get("DATABASE_URL", "postgresql://postgres@localhost/postgres")


async def main() -> None:
    print("lesson: copy_in")
    async with corbel.Runtime(name="copy_in") as rt, rt.postgres(URL) as pool:
        await pool.execute("DROP TABLE IF EXISTS lesson_numbers")
        await pool.execute("CREATE TABLE lesson_numbers (n int, square bigint)")

        rows = ((n, n * n) for n in range(1, 10001))  # text or bytes in COPY's own format will do as well
        print("copied", await pool.copy_in("COPY lesson_numbers FROM STDIN", rows), "rows")

        seen = 0
        async for row in pool.stream("SELECT n, square FROM lesson_numbers", chunk=500):
            seen += row["square"] == row["n"] ** 2
        print("streamed", seen, "rows")
        await pool.execute("DROP TABLE lesson_numbers")


asyncio.run(main())
