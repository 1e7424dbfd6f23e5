# Lesson: statements with parameters on a PostgreSQL pool. Many tasks share its connections; each statement has its own
# outcome, and a server's error says its SQLSTATE and what it is about.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     DATABASE_URL=postgresql://postgres@localhost/postgres python3 examples/lessons/python/query.py
import asyncio
import os

import corbel

URL = os.environ.get("DATABASE_URL", "postgresql://postgres@localhost/postgres")


async def main() -> None:
    print("lesson: query")
    async with corbel.Runtime(name="query") as rt, rt.postgres(URL) as pool:
        await pool.execute("DROP TABLE IF EXISTS lesson_people")
        await pool.execute("CREATE TABLE lesson_people (name text PRIMARY KEY, age int)")
        await pool.execute("INSERT INTO lesson_people VALUES ($1, $2)", "ada", 36)
        await pool.execute("INSERT INTO lesson_people VALUES ($1, $2)", "bob", None)

        for name, age in await pool.fetch("SELECT name, age FROM lesson_people ORDER BY name"):  # a row is a tuple
            print(f"{name} is {'unknown' if age is None else age}")

        try:
            await pool.execute("INSERT INTO lesson_people VALUES ($1, $2)", "ada", 36)
        except corbel.Refused as error:
            print(f"REFUSED: {error.native}, {error.field('constraint')}")
        await pool.execute("DROP TABLE lesson_people")


asyncio.run(main())
