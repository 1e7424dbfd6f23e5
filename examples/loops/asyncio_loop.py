# The event queue in an asyncio loop with ctypes alone: one descriptor, add_reader, and a drain that unpacks all events in
# one go. The package in bindings/python does this and more; here is what is at the bottom of it, for other languages too.
#
#     REDIS_URL=redis://localhost:6379 CORBEL_LIBRARY=build/dev/libcorbel.so.0 python3 examples/loops/asyncio_loop.py
#
# Every 10 ms a call is started; the loop sleeps until the timer or the queue has something.
import asyncio
import ctypes
import os
import struct
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, sizeof

corbel = ctypes.CDLL(os.environ.get("CORBEL_LIBRARY", "libcorbel.so.0"))
corbel.corbel_events_take.argtypes = [c_void_p, c_void_p, c_size_t, c_size_t, c_int64]
corbel.corbel_events_take.restype = c_size_t
corbel.corbel_reply_root.restype = c_void_p
corbel.corbel_node_integer.restype = c_int64
corbel.corbel_error_message.restype = c_char_p

EVENT = struct.Struct("@QQiiiIqQPP")  # ticket, user, kind, status, source, flags, value, epoch, object, error
WANTED = 20


class Bytes(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class RedisOptions(ctypes.Structure):  # the members behind url stay 0, their defaults
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("max", c_uint32 * 2), ("url", c_char_p)]
    _fields_ += [("rest", c_uint64 * 13)]


class Call(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("timeout_ms", c_int64)]
    _fields_ += [("to", c_void_p), ("user", c_uint64), ("err", c_void_p)]


def check(status: int, error: c_void_p) -> None:
    if status:
        raise SystemExit(corbel.corbel_error_message(error).decode())


async def main() -> None:
    print("loop: asyncio")
    runtime, queue, pool, error = c_void_p(), c_void_p(), c_void_p(), c_void_p()
    options = RedisOptions(sizeof(RedisOptions), url=os.environ.get("REDIS_URL", "redis://localhost:6379").encode())
    check(corbel.corbel_runtime_open(None, byref(runtime), byref(error)), error)
    check(corbel.corbel_events_open(runtime, 0, byref(queue), byref(error)), error)
    check(corbel.corbel_redis_open(runtime, byref(options), byref(pool), byref(error)), error)

    loop = asyncio.get_running_loop()
    waiting = {}
    batch = ctypes.create_string_buffer(64 * EVENT.size)

    def drain() -> None:
        """The descriptor is readable as long as the queue is not empty."""
        taken = corbel.corbel_events_take(queue, batch, 64, EVENT.size, 0)
        for ticket, user, _, status, _, _, _, _, reply, failure in EVENT.iter_unpack(batch[: taken * EVENT.size]):
            check(status, c_void_p(failure))
            root = c_void_p(corbel.corbel_reply_root(c_void_p(reply)))
            waiting.pop(ticket).set_result((user, corbel.corbel_node_integer(root)))
            corbel.corbel_reply_free(c_void_p(reply))

    loop.add_reader(corbel.corbel_events_fd(queue), drain)
    for number in range(1, WANTED + 1):
        await asyncio.sleep(0.01)
        incr = (Bytes * 2)((b"INCR", 4), (b"loops:asyncio", 13))
        call, ticket = Call(sizeof(Call), to=queue, user=number, err=ctypes.addressof(error)), c_uint64()
        check(corbel.corbel_redis_send(pool, incr, c_size_t(2), byref(call), byref(ticket)), error)
        answer = waiting[ticket.value] = loop.create_future()
        print("call %d: counter is %d" % await answer)

    loop.remove_reader(corbel.corbel_events_fd(queue))
    corbel.corbel_redis_free(pool)
    corbel.corbel_runtime_shutdown(runtime, c_int64(0), None)
    corbel.corbel_events_free(queue)
    corbel.corbel_runtime_free(runtime)


asyncio.run(main())
