# Lesson: a transaction by scope: committed at the block's end, rolled back when an exception leaves it. retry() runs a
# function in one, and again when the server says that another transaction was in the way.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     DATABASE_URL=postgresql://postgres@localhost/postgres python3 examples/lessons/python/transaction.py
import asyncio
import os

import corbel

URL = os.environ.get("DATABASE_URL", "postgresql://postgres@localhost/postgres")


async def show(pool: corbel.Postgres, when: str) -> None:
    print(f"after the {when}:", await pool.fetchval("SELECT money FROM lesson_accounts WHERE id = 1"))


async def main() -> None:
    print("lesson: transaction")
    async with corbel.Runtime(name="transaction") as rt, rt.postgres(URL) as pool:
        await pool.execute("DROP TABLE IF EXISTS lesson_accounts")
        await pool.execute("CREATE TABLE lesson_accounts (id int PRIMARY KEY, money int CHECK (money >= 0))")
        await pool.executemany("INSERT INTO lesson_accounts VALUES ($1, $2)", [(1, 100), (2, 0)])

        async def move(tx: corbel.Transaction, amount: int) -> None:
            await tx.execute("UPDATE lesson_accounts SET money = money + $1 WHERE id = 2", amount)
            await tx.execute("UPDATE lesson_accounts SET money = money - $1 WHERE id = 1", amount)

        try:
            async with pool.transaction() as tx:
                await move(tx, 300)  # more than there is
        except corbel.Refused as error:
            print("refused:", error.field("constraint"))
        await show(pool, "rollback")

        await pool.retry(lambda tx: move(tx, 30), isolation="serializable")
        await show(pool, "commit")
        await pool.execute("DROP TABLE lesson_accounts")


asyncio.run(main())
