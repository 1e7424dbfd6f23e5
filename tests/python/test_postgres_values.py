"""Values on their way to PostgreSQL and back: types by Python type, NULL, arrays, what Python cannot hold."""

import datetime as dt
import enum
import math
import pickle
import uuid
from decimal import Decimal

import corbel
import pytest

UTC = dt.timezone.utc
SAME = [
    True,
    False,
    0,
    -1,
    2**31 - 1,
    2**31,
    -(2**63),
    1.5,
    -0.0,
    1e300,
    math.inf,
    b"\0\xff bytes",
    b"",
    Decimal("-12.340"),
    Decimal("1" + 40 * "0"),
    uuid.UUID("123e4567-e89b-12d3-a456-426614174000"),
    dt.date(1, 1, 1),
    dt.date(9999, 12, 31),
    dt.time(23, 59, 59, 999999),
    dt.datetime(2024, 2, 29, 1, 2, 3, 4),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    dt.timedelta(days=-3, microseconds=1),
    [1, None, -3],
    [2**40, 1],
    [1.5, math.inf],
    ["a", 'quo"te', "back\\slash", "NULL", "", "{,}", None],
    [[1, 2], [3, 4]],
    [b"\0", b""],
    [Decimal("1.10"), Decimal("2")],
    [uuid.UUID(int=7)],
    [dt.date(2020, 1, 2), None],
    [dt.datetime(2020, 1, 2, tzinfo=UTC)],
    [dt.timedelta(hours=1)],
    [True, False],
    [{"a": [1, "x"]}, {}],
]


@pytest.mark.parametrize("value", SAME, ids=repr)
def test_a_value_comes_back_as_it_went(run, postgres, value):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            got = await pool.fetchval("SELECT $1", value)
            assert got == value and type(got) is type(value)
            assert repr(got) == repr(value)

    run(main())


def test_text_and_json_take_the_type_that_the_statement_wants(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            assert await pool.fetchval("SELECT $1::int + 1", "41") == 42
            assert await pool.fetchval("SELECT $1", "text") == "text"
            assert await pool.fetchval("SELECT $1::jsonb", {"a": [1, None]}) == {"a": [1, None]}
            assert await pool.fetchval("SELECT $1::json", corbel.Json([1, "x"])) == [1, "x"]
            assert await pool.fetchval("SELECT '5' = ANY($1)", ["4", "5"]) is True
            assert await pool.fetchval("SELECT array_length($1::int[], 1)", []) is None
            assert await pool.fetchval("SELECT repeat('ab', $1)", 2) == "abab"

    run(main())


def test_null_in_any_place(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            rows = await pool.fetch("SELECT nullif(i, 2), i FROM generate_series(1, 3) i")
            assert rows == [(1, 1), (None, 2), (3, 3)]
            assert await pool.fetch("SELECT NULL::int FROM generate_series(1, 3)") == [(None,)] * 3
            assert await pool.fetchrow("SELECT NULL::int FROM generate_series(1, 3)") == (None,)
            assert await pool.fetchval("SELECT $1::text", None) is None
            assert await pool.fetchval("SELECT 1 WHERE false") is None
            assert await pool.fetchrow("SELECT 1 WHERE false") is None

    run(main())


def test_types_without_a_python_type_come_as_text(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            row = await pool.fetchrow("SELECT '10.0.0.0/8'::cidr c, int4range(1, 5) r, point(1, 2) p, '{10.0.0.1}'::inet[] a")
            assert dict(row) == {"c": "10.0.0.0/8", "r": "[1,5)", "p": "(1,2)", "a": "{10.0.0.1}"}

    run(main())


def test_the_ends_of_time(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            row = await pool.fetchrow("SELECT 'infinity'::timestamptz, '-infinity'::timestamp, 'infinity'::date")
            assert row == (dt.datetime.max.replace(tzinfo=UTC), dt.datetime.min, dt.date.max)
            assert await pool.fetchval("SELECT '-1 year -2 mons 3 days'::interval") == dt.timedelta(days=-365 - 60 + 3)
            for far in ("'20000-01-01'::date", "'20000-01-01'::timestamptz", "'24:00'::time"):
                with pytest.raises(corbel.Invalid, match="cast it to text"):
                    await pool.fetchval(f"SELECT {far}")
            assert await pool.fetchval("SELECT '20000-01-01'::date::text") == "20000-01-01"

    run(main())


def test_another_date_style_falls_back_to_text(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool, pool.acquire() as k:
            await k.execute("SET datestyle = 'German'")
            assert await k.fetchrow("SELECT date '2024-02-29' AS day, 7 AS n") == ("29.02.2024", 7)
            k.discard()

    run(main())


def test_what_derives_from_a_type_goes_as_it(run, postgres):
    class Colour(enum.IntEnum):
        RED = 7

    class Name(str):
        pass

    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            assert await pool.fetchrow("SELECT $1, $2", Colour.RED, Name("x")) == (7, "x")
            with pytest.raises(TypeError, match="object"):
                await pool.fetchval("SELECT $1", object())
            with pytest.raises(corbel.Invalid, match="different types"):
                await pool.fetchval("SELECT $1", [1, "x"])

    run(main())


def test_many_and_large_parameters(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            many = list(range(300))
            total = " + ".join(f"${i + 1}::int" for i in range(300))
            assert await pool.fetchval(f"SELECT {total}", *many) == sum(many)
            large = "x" * 1_000_000
            assert await pool.fetchrow("SELECT $1::text, $2::int, $3::text", large, 5, None) == (large, 5, None)

    run(main())


def test_a_row_is_a_tuple_with_names(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            return await pool.fetchrow("SELECT 1 AS id, 'x' AS name")

    row = run(main())
    number, name = row
    assert (number, name) == (1, "x") == row and isinstance(row, tuple) and isinstance(row, corbel.Row)
    assert row[0] == row["id"] == row.get("id") == 1 and row[-1] == "x" and row[:1] == (1,)
    assert row.get("none") is None and row.get("none", 5) == 5
    assert row.keys() == ("id", "name") and list(row.values()) == [1, "x"] and dict(row.items()) == dict(row)
    assert dict(row) == {"id": 1, "name": "x"}
    assert repr(row) == "<Row id=1 name='x'>"
    copy = pickle.loads(pickle.dumps(row))
    assert copy == row and copy["name"] == "x"
    with pytest.raises(KeyError):
        row["none"]
    with pytest.raises(IndexError):
        row[2]
