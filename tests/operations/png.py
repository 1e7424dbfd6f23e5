"""Reads the colours of a PNG picture of 8 bits a channel, as browsers write screenshots."""
import collections
import struct
import zlib


def chunks(data):
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def rows(data):
    """Each row's bytes without their filter, and how many make a pixel."""
    parts = list(chunks(data))
    width, height, depth, kind = struct.unpack(">IIBB", dict(parts)[b"IHDR"][:10])
    assert depth == 8 and kind in (2, 6), "not a picture of 8 bits a channel"
    step = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    above = bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + width * step])
        for i in range(len(row)) if how else ():
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            add = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[how]
            row[i] = (row[i] + add) & 255
        yield row, step
        above = row


def colours(data):
    """How many pixels have each colour."""
    counted = collections.Counter()
    for row, step in rows(data):
        counted.update(zip(row[0::step], row[1::step], row[2::step]))
    return counted
