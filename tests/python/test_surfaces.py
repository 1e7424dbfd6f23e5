"""The two faces have the same names, parameters and defaults; one waits with `await`, the other blocks."""

import inspect

import corbel
import corbel.blocking
import pytest

FACES = [(getattr(corbel, name), getattr(corbel.blocking, name)) for name in corbel.blocking.__all__]
DUNDERS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}


def public(kind):
    """Public members, and those that make the class usable in with and for, by their blocking names."""
    found = {}
    for name in dir(kind):
        if not name.startswith("_") or name in DUNDERS or name in DUNDERS.values():
            found[DUNDERS.get(name, name)] = inspect.getattr_static(kind, name)
    found.pop("receive", None)  # the pump's way in, which the blocking face does not have
    return found


def test_every_class_has_its_twin():
    classes = {name for name in corbel.__all__ if inspect.isclass(getattr(corbel, name))}
    waiting = {name for name in classes if any(map(inspect.iscoroutinefunction, vars(getattr(corbel, name)).values()))}
    assert waiting == set(corbel.blocking.__all__) - {"Lease"} | {"Lease"}
    assert all(ours is not theirs for ours, theirs in FACES)


@pytest.mark.parametrize("ours, theirs", FACES, ids=corbel.blocking.__all__)
def test_same_names(ours, theirs):
    assert set(public(ours)) == set(public(theirs))


@pytest.mark.parametrize("ours, theirs", FACES, ids=corbel.blocking.__all__)
def test_same_parameters(ours, theirs):
    for name, member in public(ours).items():
        if inspect.isfunction(member):
            mine, its = inspect.signature(member), inspect.signature(public(theirs)[name])
            assert list(mine.parameters.values()) == list(its.parameters.values()), name
    if ours.__name__ == "Runtime":
        assert inspect.signature(ours) == inspect.signature(theirs)


@pytest.mark.parametrize("ours, theirs", FACES, ids=corbel.blocking.__all__)
def test_every_public_method_is_described(ours, theirs):
    for kind in (ours, theirs):
        assert inspect.getdoc(kind)
        for name, member in public(kind).items():
            if not name.startswith("__"):
                assert inspect.getdoc(member), f"{kind.__name__}.{name}"
