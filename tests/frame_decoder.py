#!/usr/bin/env python3
"""Reads frames as docs/frame-format.md describes them: a second decoder, written from that page alone.

    frame_decoder.py < LINES

Each line of input is the types of the schema's series (one digit each) and a frame in hexadecimal digits. Of each frame
the header, the declarations and the readings are printed, one a line, and an empty line; of a malformed one the line
"malformed: " and why. Only the standard library is used.
"""

import struct
import sys
import zlib

BYTES_MAX, COUNT_MAX, SEQUENCE_MAX, TEXT_MAX = 65536, 8192, 1 << 60, 4096
FLOAT, INT, UINT, BOOL, TEXT = range(5)
INTEGERS, DECIMALS, BITS, DICTIONARY, RUNS = range(5)
MASK = (1 << 64) - 1


class Malformed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Malformed(what)


def xxh64(data):
    p1, p2, p3, p4, p5 = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579,
                          2870177450012600261)

    def rotate(x, r):
        return ((x << r) | (x >> (64 - r))) & MASK

    def mix(acc, lane):
        return rotate((acc + lane * p2) & MASK, 31) * p1 & MASK

    at = 0
    if len(data) >= 32:
        accs = [(p1 + p2) & MASK, p2, 0, -p1 & MASK]
        while at + 32 <= len(data):
            for i, lane in enumerate(struct.unpack_from("<4Q", data, at)):
                accs[i] = mix(accs[i], lane)
            at += 32
        h = sum(rotate(acc, r) for acc, r in zip(accs, (1, 7, 12, 18))) & MASK
        for acc in accs:
            h = ((h ^ mix(0, acc)) * p1 + p4) & MASK
    else:
        h = p5
    h = (h + len(data)) & MASK
    while at + 8 <= len(data):
        h = (rotate(h ^ mix(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (rotate(h ^ (struct.unpack_from("<I", data, at)[0] * p1 & MASK), 23) * p2 + p3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ (byte * p5 & MASK), 11) * p1 & MASK
    h = (h ^ (h >> 33)) * p2 & MASK
    h = (h ^ (h >> 29)) * p3 & MASK
    return h ^ (h >> 32)


def signed(x):
    x &= MASK
    return x - (1 << 64) if x >> 63 else x


def unzigzag(x):
    return (x >> 1) if x & 1 == 0 else -((x + 1) >> 1)


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(self.at + count <= len(self.data), "ends early")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.take(1)[0]

    def u64(self):
        return int.from_bytes(self.take(8), "little")

    def time(self):
        return int.from_bytes(self.take(7), "little", signed=True)

    def varint(self, most=MASK):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            check(shift < 70, "varint of more than 64 bits")
        check(value <= most, f"{value} is over {most}")
        return value

    def rest(self):
        return self.take(len(self.data) - self.at)

    def left(self):
        return len(self.data) - self.at


class Bits:
    def __init__(self, data):
        self.data, self.length, self.at, self.contexts = data, len(data) * 8, 0, {}

    def bits(self, count):
        check(self.at + count <= self.length, "the bits end early")
        start = self.at >> 3
        word = int.from_bytes(self.data[start:start + 10], "little") >> (self.at & 7)
        self.at += count
        return word & ((1 << count) - 1)

    def gamma(self):
        zeros = 0
        while not self.bits(1):
            zeros += 1
            check(zeros < 32, "gamma of more than 32 bits")
        return (1 << zeros) | self.bits(zeros)

    def near(self, context, most):
        value = self.contexts.get(context, 0) + unzigzag(self.gamma() - 1)
        check(0 <= value <= most, f"{value} is not in 0..{most}")
        self.contexts[context] = value
        return value

    def number(self, context):
        length = self.near(context, 64)
        return 0 if length == 0 else (1 << (length - 1)) | self.bits(length - 1)

    def count(self, most):
        value = self.number("count")
        check(1 <= value <= most, f"{value} is not in 1..{most}")
        return value

    def residuals(self, m):
        width = self.near("width", 64)
        if width == 0:
            return [0] * m
        values = []
        while len(values) < m:
            block = min(32, m - len(values))
            selector = self.bits((width + 1).bit_length())
            if selector == 0:
                values += [0] * block
            elif selector == width + 1:
                values += [self.bits(width) for _ in range(block)]
            else:
                k = selector - 1
                check(k <= 48 and k < width, f"selector {selector} of width {width}")
                values += [self.rice(k, width) for _ in range(block)]
        return values

    def rice(self, k, width):
        zeros = 0
        while zeros < 8:
            if self.bits(1):
                return (zeros << k) + self.bits(k)
            zeros += 1
        return self.bits(width)

    def integers(self, first, n):
        x = [first]
        if n == 1:
            return x
        prediction = self.bits(3)
        check(prediction <= 6, f"prediction {prediction}")
        if prediction == 0:
            return x * n
        p = self.number("step") if prediction in (2, 4, 5) else 0
        s = unzigzag(p)
        check(prediction != 4 or 0 <= s < 1 << 50, f"a grid over {s}")
        d = 0
        for i, r in enumerate(self.residuals(n - 1), 1):
            if prediction == 1:
                value = x[-1] + unzigzag(r)
            elif prediction == 2:
                value = x[-1] + s + unzigzag(r)
            elif prediction == 3:
                d += unzigzag(r)
                value = x[-1] + d
            elif prediction == 4:
                value = first + i * s // (n - 1) + unzigzag(r)
            elif prediction == 5:
                value = first - p + r
            else:
                value = x[-1] ^ r
            x.append(signed(value))
        return x


class Columns:
    """Compact columns: gives (series, time, flags, value), of text its bytes and of null None."""

    def __init__(self, data, present, types):
        self.bits, self.types = Bits(data), types
        self.times, self.forms = [], {FLOAT: (DECIMALS, 1)}
        self.text_ends, self.readings = [0], []
        groups, series, count = [], -1, 1
        while present > 0:
            series += self.bits.gamma()
            check(series < len(types), f"series {series}")
            if not self.bits.bits(1):
                count = self.bits.count(present)
            check(count <= present, "more readings than stated")
            present -= count
            groups.append((series, self.read_times(count), *self.read_values(series, count)))
        texts = self.read_texts(data)
        total = 0
        for series, times, flags, values in groups:
            values = iter(values)
            for time, flag in zip(times, flags):
                value = None if flag & 4 else next(values)
                if value is not None and types[series] == TEXT:
                    value = texts[self.text_ends[value]:self.text_ends[value + 1]]
                    total += len(value)
                self.readings.append((series, time, flag, value))
        check(total <= BYTES_MAX, "too much text")

    def read_times(self, count):
        bits = self.bits
        if bits.bits(1):
            back = bits.gamma()
            check(back <= min(16, len(self.times)) and len(self.times[-back]) == count, f"times of {back} back")
            return self.times[-back]
        before = self.times[-1][0] if self.times else 0
        first = signed(before + unzigzag(bits.number("time")))
        times = [first]
        if count > 1:
            unit = (1, 1_000, 1_000_000, 60_000_000)[bits.bits(2)]
            times = [signed(first + x * unit) for x in bits.integers(0, count)]
        self.times.append(times)
        return times

    def read_values(self, series, count):
        bits, flags = self.bits, []
        if not bits.bits(1):
            flags = [0] * count
        while len(flags) < count:
            flag = bits.bits(4)
            flags += [flag] * bits.count(count - len(flags))
        v = sum(1 for flag in flags if not flag & 4)
        if v == 0:
            return flags, []
        if self.types[series] == TEXT:
            return flags, self.text_numbers(v)
        return flags, [x & MASK for x in self.column(self.types[series], v, False)]

    def text_numbers(self, v):
        d = self.bits.count(v)
        base = len(self.text_ends) - 1
        for length in self.bits.integers(self.bits.number("count"), d):
            check(0 <= length <= TEXT_MAX, f"a text of {length} bytes")
            self.text_ends.append(self.text_ends[-1] + length)
        check(self.text_ends[-1] <= BYTES_MAX, "too much text")
        numbers = self.bits.integers(0, v) if d > 1 else [0] * v
        check(all(0 <= number < d for number in numbers), "no such text")
        return [base + number for number in numbers]

    def read_texts(self, data):
        bits, length = self.bits, self.text_ends[-1]
        deflated = length > 0 and bits.bits(1)
        check(bits.bits(-bits.at % 8) == 0, "bits behind the end")
        texts = data[bits.at // 8:]
        if deflated:
            inflate = zlib.decompressobj(-15)
            try:
                texts = inflate.decompress(texts, length + 1)
            except zlib.error as error:
                raise Malformed(f"texts: {error}")
        check(len(texts) == length, f"{len(texts)} bytes of text, not {length}")
        return texts

    def column(self, kind, v, must_be_plain):
        bits = self.bits
        form, parameter = self.forms.get(kind, (INTEGERS, 0))
        if not bits.bits(1):
            form = bits.bits(3)
            check(form <= RUNS and (form >= DICTIONARY or (form != INTEGERS) == (kind == FLOAT)), f"form {form}")
            parameter = bits.bits(5) if form == DECIMALS else bits.bits(6) if form == BITS else 0
            check(form != DECIMALS or parameter <= 17, f"exponent {parameter}")
            if form <= BITS:
                self.forms[kind] = (form, parameter)
        if form <= BITS:
            return self.plain(form, parameter, v)
        check(not must_be_plain, "no plain column")
        d = bits.count(v)
        entries = self.column(kind, d, True)
        y = bits.integers(bits.number("count"), v if form == DICTIONARY else d)
        if form == DICTIONARY:
            check(all(0 <= place < d for place in y), "no such place")
            return [entries[place] for place in y]
        check(all(length >= 1 for length in y) and sum(y) == v, "runs do not add up")
        return [entry for entry, length in zip(entries, y) for _ in range(length)]

    def plain(self, form, parameter, v):
        bits = self.bits
        if form == BITS:
            return [x << parameter for x in bits.integers(signed(bits.number("first2")), v)]
        x = bits.integers(unzigzag(bits.number(f"first{form}")), v)
        if form == INTEGERS:
            return x
        check(all(-1 << 51 <= value < 1 << 51 for value in x), "a decimal out of range")
        power = float(10 ** parameter)
        values = [struct.unpack("<q", struct.pack("<d", float(value) / power))[0] for value in x]
        if bits.bits(1):
            place = -1
            for _ in range(bits.count(v)):
                place += bits.count(v - 1 - place)
                values[place] = bits.bits(64)
        return values


def plain_columns(data, present, types):
    reader, readings = Bytes(data), []
    while reader.left():
        series, count, kind = reader.varint(), reader.varint(COUNT_MAX), reader.u8()
        check(1 <= count and kind < 16 and series < len(types) and types[series] == kind & 7, "no such group")
        times = [int.from_bytes(reader.take(8), "little", signed=True) for _ in range(count)]
        flags = list(reader.take(count)) if kind & 8 else [0] * count
        check(all(flag < 16 for flag in flags), "unknown flags")
        if kind & 7 == TEXT:
            values = [reader.take(length) for length in [reader.varint(TEXT_MAX) for _ in range(count)]]
        else:
            values = [reader.u64() for _ in range(count)]
        readings += [(series, *row[:2], None if row[1] & 4 else row[2]) for row in zip(times, flags, values)]
    check(len(readings) == present, "another number of readings than stated")
    return readings


def decode(frame, types):
    check(8 < len(frame) <= BYTES_MAX, f"{len(frame)} bytes")
    check(int.from_bytes(frame[-8:], "little") == xxh64(frame[:-8]), "checksum")
    reader = Bytes(frame[:-8])
    first, bits = reader.u8(), reader.u8()
    version, kind, lane = first >> 4, first & 15, bits & 3
    check(version <= 1 and kind <= 1 and lane <= 2 and bits < 128, "unknown version, kind or bits")
    epoch, sequence, count = reader.u64(), reader.varint(SEQUENCE_MAX), reader.varint(COUNT_MAX)
    dropped = reader.varint(count) if bits & 4 else 0
    dropped = count if kind == 1 else dropped
    check(epoch and sequence and count, "epoch, sequence or count is 0")
    lines = [f"frame {version} {kind} {lane} {epoch} {sequence} {count} {dropped} {reader.take(16).hex()}"]
    last = lambda: reader.varint(SEQUENCE_MAX)
    if bits & 8:
        lines.append(f"predecessor {reader.u64()} {last()} {last()} {last()}")
    if bits & 16:
        w, lasts = reader.time(), [last(), last()]
        lasts.insert(lane, sequence + count - 1)
        others = [(reader.u64(), last(), last(), last()) for _ in range(reader.varint(15) if bits & 32 else 0)]
        digest = reader.u64() if bits & 64 else 0
        lines.append(f"promise {w} {digest}")
        lines += [" ".join(map(str, ("open", *row))) for row in [(epoch, *lasts)] + others]
    declared = 0
    for _ in range(reader.varint(COUNT_MAX) if dropped else 0):
        reason, series, number = reader.u8(), reader.varint(), reader.varint(COUNT_MAX)
        check(1 <= reason <= 5 and number and series < len(types), "no such declaration")
        lines.append(f"declared {series} {number} {reader.time()} {reader.time()} {reason}")
        declared += number
    check(declared == dropped, "declarations do not add up")
    present, readings = count - dropped, []
    if version == 0 or (present > 0 and reader.u8() == 0):
        readings = plain_columns(reader.rest(), present, types)
    elif present > 0:
        check(frame[reader.at - 1] == 1, "unknown layout")
        readings = Columns(reader.rest(), present, types).readings
    check(reader.left() == 0, "bytes behind the end")
    for series, time, flags, value in readings:
        text = "null" if value is None else value.hex() if isinstance(value, bytes) else f"{value:016x}"
        lines.append(f"{series} {time} {flags} {text}")
    return lines


def main():
    for line in sys.stdin:
        types, frame = line.split()
        try:
            print("\n".join(decode(bytes.fromhex(frame), [int(kind) for kind in types])))
        except Malformed as error:
            print(f"malformed: {error}")
        print()


if __name__ == "__main__":
    main()
