"""The package against the C headers and the C compiler: layouts, numbers, signatures."""

import ctypes
import subprocess
from ctypes import c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_uint16, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Dict

import contract
import pytest
from conftest import ROOT
from corbel import (
    _bundle_follow,
    _bundle_structs,
    _constants,
    _http_structs,
    _library,
    _pg_statement,
    _pg_structs,
    _queue_structs,
    _signatures,
    _structs,
    metrics,
    webhook,
)

STRUCTS = {
    "bytes": _structs.Bytes,
    "call": _structs.Call,
    "runtime_options": _structs.RuntimeOptions,
    "field": _structs.Field,
    "redis_options": _structs.RedisOptions,
    "redis_stats": _structs.RedisStats,
    "sub_options": _structs.SubOptions,
    "monitor_options": _structs.MonitorOptions,
    "queue_lane": _queue_structs.QueueLane,
    "queue_admission": _queue_structs.QueueAdmission,
    "queue_options": _queue_structs.QueueOptions,
    "put": _queue_structs.Put,
    "lane_event": _queue_structs.LaneEvent,
    "lane_events": _queue_structs.LaneEvents,
    "unworked_view": _queue_structs.UnworkedView,
    "heartbeat_options": _queue_structs.HeartbeatOptions,
    "settle": _queue_structs.Settle,
    "health_report": _structs.HealthReport,
    "bundles_options": _bundle_structs.BundlesOptions,
    "bundle_source": _bundle_structs.BundleSource,
    "bundle_lock": _bundle_structs.BundleLockStruct,
    "bundle_access": _bundle_structs.BundleAccessStruct,
    "bundle_follow_options": _bundle_follow.BundleFollowOptions,
    "webhook": webhook.Webhook,
    "bundle_runner_options": _bundle_structs.BundleRunnerOptions,
    "http_options": _http_structs.HttpOptions,
    "http_answer": _http_structs.HttpAnswer,
    "metric_options": metrics.MetricOptions,
    "pg_options": _pg_structs.PgOptions,
    "pg_stats": _pg_structs.PgStats,
    "pg_begin": _pg_structs.PgBegin,
    "pg_listener_options": _pg_structs.PgListenerOptions,
}
BY_STRUCT = {
    "event": _structs.EVENT,
    "record": _structs.RECORD,
    "answer": _structs.ANSWER,
    "pg_statement": _pg_statement.HEAD,
    "message_view": _queue_structs.MESSAGE_VIEW,
    "dead_record": _queue_structs.DEAD_RECORD,
    "dead_attempt": _queue_structs.DEAD_ATTEMPT,
}
KINDS = {
    "pointer": {c_void_p, c_char_p},
    "text": {c_char_p},
    "corbel_status": {c_int32},
    "int32_t": {c_int32},
    "int64_t": {c_int64},
    "int": {c_int},
    "uint16_t": {c_uint16},
    "uint32_t": {c_uint32},
    "uint64_t": {c_uint64},
    "corbel_ticket": {c_uint64},
    "size_t": {c_size_t},
    "double": {c_double},
    "corbel_bytes": {_structs.Bytes},
    "void": {None},
}
BYTES = 16  # of a corbel_bytes, which is packed as an address and a size


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, int]:
    """What the compiler says: "call" -> size, "call.flags" -> offset, "call.flags size" -> size."""
    lines = []
    for name, members in contract.structs().items():
        lines.append(f'printf("{name}=%zu\\n", sizeof(corbel_{name}));')
        for member in members:
            lines.append(f'printf("{name}.{member}=%zu\\n", offsetof(corbel_{name}, {member}));')
            lines.append(f'printf("{name}.{member} size=%zu\\n", sizeof(((corbel_{name} *)0)->{member}));')
    directory: Path = tmp_path_factory.mktemp("layout")
    source = directory / "layout.c"
    source.write_text("#include <corbel.h>\n#include <stdio.h>\nint main(void) {" + "\n".join(lines) + "return 0; }\n")
    program = directory / "layout"
    subprocess.run(["gcc", "-std=c99", f"-I{ROOT / 'include'}", str(source), "-o", str(program)], check=True)
    rows = subprocess.run([str(program)], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {name: int(number) for name, number in (row.rsplit("=", 1) for row in rows)}


def test_every_struct_of_the_headers_is_known() -> None:
    assert set(contract.structs()) == set(STRUCTS) | set(BY_STRUCT)


@pytest.mark.parametrize("name", STRUCTS)
def test_layout_of_a_struct(name: str, compiled: Dict[str, int]) -> None:
    ours = STRUCTS[name]
    assert [field[0] for field in ours._fields_] == contract.structs()[name]
    assert ctypes.sizeof(ours) == compiled[name]
    for field in ours._fields_:
        descriptor = getattr(ours, field[0])
        assert descriptor.offset == compiled[f"{name}.{field[0]}"], field[0]
        assert descriptor.size == compiled[f"{name}.{field[0]} size"], field[0]


@pytest.mark.parametrize("name", BY_STRUCT)
def test_layout_of_what_is_read_by_struct(name: str, compiled: Dict[str, int]) -> None:
    """Packs a different number into every member and finds each where the compiler puts that member."""
    ours, cells = BY_STRUCT[name], []
    for member in contract.structs()[name]:
        start, size = compiled[f"{name}.{member}"], compiled[f"{name}.{member} size"]
        cells += [(start, 8), (start + 8, 8)] if size == BYTES else [(start, size)]
    assert ours.size == compiled[name]
    packed = ours.pack(*range(1, len(cells) + 1))
    for number, (start, size) in enumerate(cells, 1):
        assert int.from_bytes(packed[start : start + size], "little") == number, (name, number)


def test_numbers_are_those_of_the_headers() -> None:
    ours = {name: value for name, value in vars(_constants).items() if name.isupper()}
    theirs = contract.constants()
    assert len(ours) > 50
    assert ours == {name: theirs[name] for name in ours}
    assert _library.HEADER_VERSION == theirs["VERSION"]


def test_every_function_without_a_callback_is_declared() -> None:
    theirs = contract.functions()
    assert len(theirs) > 60
    assert set(_signatures.SIGNATURES) == {name for name, (_, kinds) in theirs.items() if "callback" not in kinds}


@pytest.mark.parametrize("name", _signatures.SIGNATURES)
def test_signature_of_a_function(name: str) -> None:
    result, parameters = _signatures.SIGNATURES[name]
    their_result, their_parameters = contract.functions()[name]
    assert result in KINDS[their_result]
    assert len(parameters) == len(their_parameters)
    for ours, theirs in zip(parameters, their_parameters):
        assert ours in KINDS[theirs]
