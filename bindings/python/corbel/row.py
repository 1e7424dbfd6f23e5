"""Rows of results."""

from typing import Any, Dict, ItemsView, Iterator, Sequence, Tuple, Type


class Row(Tuple[Any, ...]):
    """One row: a tuple of its values, which can also be had by column name.

        row[0], row["name"], id, name = row, dict(row), row.get("name", "nobody")

    Of columns of one name, the name means the last.
    """

    __slots__ = ()
    _index: Dict[str, int] = {}
    _names: Tuple[str, ...] = ()

    def __getitem__(self, key: Any) -> Any:
        if type(key) is str:
            key = self._index[key]
        return tuple.__getitem__(self, key)

    def keys(self) -> Tuple[str, ...]:
        """The columns' names."""
        return self._names

    def values(self) -> Iterator[Any]:
        """The values, in the columns' order."""
        return iter(self)

    def items(self) -> ItemsView[str, Any]:
        """Pairs of name and value."""
        return dict(zip(self._names, self)).items()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a column, or the default when there is no such column."""
        at = self._index.get(name)
        return default if at is None else tuple.__getitem__(self, at)

    def __repr__(self) -> str:
        return "<Row " + " ".join(f"{name}={value!r}" for name, value in zip(self._names, self)) + ">"

    def __reduce__(self) -> Any:
        return _restored, (self._names, tuple(self))


def row_type(names: Sequence[str]) -> Type[Row]:
    """The type of rows with these columns."""
    return type(
        "Row", (Row,), {"__slots__": (), "_names": tuple(names), "_index": {name: i for i, name in enumerate(names)}}
    )


def _restored(names: Sequence[str], values: Sequence[Any]) -> Row:
    return row_type(names)(values)
