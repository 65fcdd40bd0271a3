#!/usr/bin/env python3
"""Decodes frames of versions 0 and 1; written from docs/reference/frame-format.md alone.

Each line of standard input is a frame: the types of the schema's series as digits, a space, the frame in hexadecimal
digits. For each frame lines are printed and then an empty one:

    frame VERSION KIND LANE EPOCH FIRST COUNT DROPPED SCHEMA
    predecessor EPOCH CRITICAL LIVE BACKLOG
    promise W DIGEST
    open EPOCH CRITICAL LIVE BACKLOG                     the frame's own epoch, then the others
    declared SERIES COUNT TIME-FIRST TIME-LAST REASON
    SERIES TIME FLAGS VALUE                              null, 16 hexadecimal digits, or a text's bytes

or, of a frame that is no frame: malformed at byte OFFSET: WHY
"""

import struct
import sys
import zlib

FLOAT, TEXT = 0, 4  # of the types of series, those that are unlike the others
NULL = 4  # the bit in a reading's flags
FRAME_MAX = 65536
SEQUENCES_MAX, SEQUENCE_MAX = 8192, 1 << 60
TEXT_MAX, TEXTS_MAX = 4096, 65536
U64 = (1 << 64) - 1


class Malformed(Exception):
    """Bytes that break a rule of the format, and where they stand in the frame."""

    def __init__(self, offset, why):
        super().__init__(f"malformed at byte {offset}: {why}")


def signed(x):
    """The lowest 64 bits of x in two's complement."""
    return ((x + (1 << 63)) & U64) - (1 << 63)


def zagzig(r):
    """Z(r): the signed integer whose zigzag is r."""
    return (r >> 1) ^ -(r & 1)


def xxh64(data):
    """XXH64 of the bytes with seed 0."""
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & U64

    def step(accumulator, lane):
        return rotate((accumulator + lane * p2) & U64, 31) * p1 & U64

    at = len(data) & ~31
    if at:
        a, b, c, d = (p1 + p2) & U64, p2, 0, -p1 & U64
        for w, x, y, z in struct.iter_unpack("<4Q", data[:at]):
            a, b, c, d = step(a, w), step(b, x), step(c, y), step(d, z)
        h = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) & U64
        for accumulator in (a, b, c, d):
            h = ((h ^ step(0, accumulator)) * p1 + p4) & U64
    else:
        h = p5
    h = (h + len(data)) & U64
    while at + 8 <= len(data):
        h = (rotate(h ^ step(0, int.from_bytes(data[at:at + 8], "little")), 27) * p1 + p4) & U64
        at += 8
    if at + 4 <= len(data):
        h = (rotate(h ^ (int.from_bytes(data[at:at + 4], "little") * p1 & U64), 23) * p2 + p3) & U64
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ (byte * p5 & U64), 11) * p1 & U64
    h = (h ^ h >> 33) * p2 & U64
    h = (h ^ h >> 29) * p3 & U64
    return h ^ h >> 32


class Bytes:
    """Reads bytes and integers of whole bytes, from an offset to an end."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def check(self, good, why, at=None):
        """Complains about what stands here, or at another offset, unless it is good."""
        if not good:
            raise Malformed(self.at if at is None else at, why)

    def take(self, count, what):
        """The next bytes, so many."""
        self.check(count <= self.end - self.at, f"{what}: {count} bytes wanted, {self.end - self.at} are left")
        self.at += count
        return self.data[self.at - count:self.at]

    def unsigned(self, size, what):
        return int.from_bytes(self.take(size, what), "little")

    def time(self, what):
        """A time: microseconds since 1970-01-01 UTC."""
        return int.from_bytes(self.take(7, what), "little", signed=True)

    def varint(self, what, least=0, most=U64):
        """A varint from least to most."""
        start, value = self.at, 0
        for shift in range(0, 70, 7):
            byte = self.unsigned(1, what)
            value |= (byte & 127) << shift
            if byte < 128:
                self.check(least <= value <= most, f"{what} is {value}, not {least} to {most}", start)
                return value
        raise Malformed(start, f"{what}: a varint of more than 10 bytes")


class Bits(Bytes):
    """Reads compact columns bit by bit. Has the contexts of near and number."""

    def __init__(self, data, at, end):
        super().__init__(data, at, end)
        self.bit = 0  # of the byte at self.at
        self.contexts = dict.fromkeys(("time", "step", "width", "count", "first0", "first1", "first2"), 0)

    def peek(self, count):
        """The next bits; zeros behind the end. At most 64."""
        some = self.data[self.at:min(self.at + 9, self.end)]
        return int.from_bytes(some, "little") >> self.bit & ((1 << count) - 1)

    def skip(self, count, what):
        """Goes on by so many bits."""
        at, bit = divmod(self.at * 8 + self.bit + count, 8)
        self.check(at * 8 + bit <= self.end * 8, f"{what}: the bits end here")
        self.at, self.bit = at, bit

    def bits(self, count, what):
        """An unsigned integer of so many bits."""
        value = self.peek(count)
        self.skip(count, what)
        return value

    def zeros(self, most, what):
        """How many zeros stand here, at most so many. Takes them, and the one behind fewer than the most."""
        ahead = self.peek(most) | 1 << most
        count = (ahead & -ahead).bit_length() - 1
        self.skip(min(count + 1, most), what)
        return count

    def below(self, length, what):
        """An unsigned integer of so many bits, of which only those below the highest are there."""
        return 1 << (length - 1) | self.bits(length - 1, what) if length else 0

    def gamma(self, what):
        """An integer from 1 to 2^32 - 1."""
        zeros = self.zeros(32, what)
        self.check(zeros < 32, f"{what}: a gamma of more than 32 bits")
        return self.below(zeros + 1, what)

    def near(self, context, what):
        """An integer by its difference from the last one in the context; all of them are 0 to 64."""
        value = self.contexts[context] + zagzig(self.gamma(what) - 1)
        self.check(0 <= value <= 64, f"{what}: {value} in {context} is not 0 to 64")
        self.contexts[context] = value
        return value

    def number(self, context, what, least=0, most=U64):
        """An unsigned integer from least to most, behind its length."""
        value = self.below(self.near(context, what), what)
        self.check(least <= value <= most, f"{what} is {value}, not {least} to {most}")
        return value

    def residuals(self, m):
        """m unsigned integers in blocks of 32."""
        w = self.near("width", "width")
        if w == 0:
            return [0] * m
        found = []
        while len(found) < m:
            block = range(min(32, m - len(found)))
            k = self.bits((w + 1).bit_length(), "selector") - 1
            self.check(k == w or k < w and k <= 48, f"selector {k + 1} with width {w}")
            found += [0 if k < 0 else self.bits(w, "residual") if k == w else self.residual(k, w) for _ in block]
        return found

    def residual(self, k, w):
        """A residual of a block that has k bits below."""
        q = self.zeros(8, "residual")
        return self.bits(w, "residual") if q == 8 else (q << k) + self.bits(k, "residual")

    def integers(self, first, n):
        """n integers, signed, of which the first is known."""
        x = [signed(first)]
        if n == 1:
            return x
        prediction = self.bits(3, "prediction")
        self.check(prediction < 7, f"prediction {prediction}")
        p = self.number("step", "parameter") if prediction in (2, 4, 5) else 0
        s, d = zagzig(p), 0
        self.check(prediction != 4 or 0 <= s < 1 << 50, f"grid over {s}")
        r = [0] * (n - 1) if prediction == 0 else self.residuals(n - 1)
        predict = (
            lambda i, r: x[0],
            lambda i, r: x[-1] + zagzig(r),
            lambda i, r: x[-1] + s + zagzig(r),
            lambda i, r: x[-1] + d,
            lambda i, r: x[0] + i * s // (n - 1) + zagzig(r),
            lambda i, r: x[0] - p + r,
            lambda i, r: x[-1] ^ r)[prediction]
        for i, residual in enumerate(r, 1):
            d += zagzig(residual)  # the slope, which only prediction 3 has
            x.append(signed(predict(i, residual)))
        return x

    def integers_in(self, first, n, least, most, what):
        """n integers from least to most."""
        x = self.integers(first, n)
        self.check(least <= min(x) and max(x) <= most, f"{what} is not {least} to {most}")
        return x


INTEGERS, DECIMALS, BITS, DICTIONARY, RUNS = range(5)


class CompactColumns:
    """The columns of version 1 in layout 1."""

    def __init__(self, bits, types, present):
        self.bits, self.types, self.present = bits, types, present
        self.forms = [(DECIMALS, 1)] + [(INTEGERS, 0)] * 3  # of the last plain column of each type
        self.own_times, self.lengths, self.texts_size = [], [], 0  # lengths of distinct texts; size of all readings' texts

    def read(self):
        """The readings: (series, time, flags, value)."""
        groups, series, n, left = [], -1, 1, self.present
        while left:
            series += self.bits.gamma("series")
            self.bits.check(series < len(self.types), f"series {series} is not in the schema")
            if not self.bits.bits(1, "as many readings"):
                n = self.bits.number("count", "readings", 1, left)
            self.bits.check(n <= left, f"a group of {n} readings, {left} are left")
            left -= n
            times, flags = self.times(n), self.flags(n)
            v = sum(not f & NULL for f in flags)
            values = []
            if v:
                values = self.text_numbers(v) if self.types[series] == TEXT else self.values(self.types[series], v)
            groups.append((series, times, flags, values))
        texts = self.texts()
        readings = []
        for series, times, flags, values in groups:
            value = iter(values if self.types[series] != TEXT else [texts[number] for number in values])
            readings += [(series, t, f, None if f & NULL else next(value)) for t, f in zip(times, flags)]
        return readings

    def times(self, n):
        """The times of a group of n readings."""
        bits = self.bits
        if bits.bits(1, "earlier times"):
            which = bits.gamma("which times")
            bits.check(which <= min(16, len(self.own_times)), f"times of own column {which} before, there is none")
            times = self.own_times[-which]
            bits.check(len(times) == n, f"times of {len(times)} readings for {n}")
            return times
        last = self.own_times[-1][0] if self.own_times else 0
        first = signed(last + zagzig(bits.number("time", "first time")))
        times = [first]
        if n > 1:
            unit = (1, 1_000, 1_000_000, 60_000_000)[bits.bits(2, "unit")]
            times = [signed(first + x * unit) for x in bits.integers(0, n)]
        self.own_times.append(times)
        return times

    def flags(self, n):
        """The flags of a group of n readings."""
        if not self.bits.bits(1, "flags"):
            return [0] * n
        flags = []
        while len(flags) < n:
            run = self.bits.bits(4, "flags")
            flags += [run] * self.bits.number("count", "readings with these flags", 1, n - len(flags))
        return flags

    def values(self, kind, v, only_plain=False):
        """A column of v values of a type, as 64 bits."""
        bits = self.bits
        form, parameter = self.forms[kind]
        if not bits.bits(1, "same form"):
            form = bits.bits(3, "form")
            parameter = bits.bits({DECIMALS: 5, BITS: 6}.get(form, 0), "parameter")
            never = (INTEGERS,) if kind == FLOAT else (DECIMALS, BITS)
            bits.check(form <= (BITS if only_plain else RUNS) and form not in never, f"form {form} of type {kind}")
            bits.check(form != DECIMALS or parameter <= 17, f"exponent {parameter}")
        if form in (DICTIONARY, RUNS):
            d = bits.number("count", "values", 1, v)
            column = self.values(kind, d, only_plain=True)
            first = bits.number("count", "y[0]", 0, v)
            if form == DICTIONARY:
                return [column[y] for y in bits.integers_in(first, v, 0, d - 1, "place")]
            runs = bits.integers_in(first, d, 1, v, "run")
            bits.check(sum(runs) == v, f"runs of {sum(runs)} values, not {v}")
            return [value for value, run in zip(column, runs) for _ in range(run)]
        self.forms[kind] = form, parameter
        first = bits.number(f"first{form}", "x[0]")
        if form == DECIMALS:
            return self.decimals(zagzig(first), v, parameter)
        x = bits.integers(first if form == BITS else zagzig(first), v)
        return [i << (parameter if form == BITS else 0) & U64 for i in x]

    def decimals(self, first, v, exponent):
        """A column of v doubles, each a decimal or an exception."""
        bits = self.bits
        x = bits.integers_in(first, v, -1 << 51, (1 << 51) - 1, "decimal")
        power = float(10 ** exponent)
        values = [int.from_bytes(struct.pack("<d", float(i) / power), "little") for i in x]
        if bits.bits(1, "exceptions"):
            place = -1
            for _ in range(bits.number("count", "exceptions", 1, v)):
                place += bits.number("count", "place of an exception", 1, v - 1 - place)
                values[place] = bits.bits(64, "exception")
        return values

    def text_numbers(self, v):
        """The numbers of v readings' texts among the distinct texts of all groups."""
        bits, before = self.bits, len(self.lengths)
        d = bits.number("count", "distinct texts", 1, v)
        lengths = bits.integers_in(bits.number("count", "l[0]", 0, TEXT_MAX), d, 0, TEXT_MAX, "length of a text")
        y = bits.integers_in(0, v, 0, d - 1, "number of a text") if d > 1 else [0] * v
        self.lengths += lengths
        self.texts_size += sum(lengths[i] for i in y)
        bits.check(max(self.texts_size, sum(self.lengths)) <= TEXTS_MAX, f"texts of more than {TEXTS_MAX} bytes")
        return [before + i for i in y]

    def texts(self):
        """The distinct texts of all groups, from the end of the bits to the end of the columns."""
        bits, size = self.bits, sum(self.lengths)
        deflated = size > 0 and bits.bits(1, "deflated")
        bits.check(bits.bits(-bits.bit % 8, "end of the bits") == 0, "ones behind the bits")
        start = bits.at
        piece = bits.take(bits.end - start, "texts")
        if deflated:
            try:
                piece = zlib.decompressobj(-15).decompress(piece, size + 1)
            except zlib.error as error:
                raise Malformed(start, f"texts: {error}") from None
        bits.check(len(piece) == size, f"texts of {len(piece)} bytes, not {size}", start)
        texts, at = [], 0
        for length in self.lengths:
            texts.append(piece[at:at + length])
            at += length
        return texts


def plain_columns(source, types, present):
    """The columns of version 0; the readings: (series, time, flags, value)."""
    readings = []
    while source.at < source.end:
        series = source.varint("series", 0, len(types) - 1)
        n = source.varint("count of a group", 1, present - len(readings))
        kind = source.unsigned(1, "type")
        source.check(kind & ~8 == types[series], f"type {kind & ~8} of a series of type {types[series]}", source.at - 1)
        times = [t for t, in struct.iter_unpack("<q", source.take(8 * n, "times"))]
        flags = source.take(n, "flags") if kind & 8 else bytes(n)
        source.check(max(flags) < 16, "flags of more than 4 bits")
        if types[series] == TEXT:
            sizes = [source.varint("length of a text", 0, TEXT_MAX) for _ in flags]
            values = [source.take(size, "text") for size in sizes]
        else:
            values = [value for value, in struct.iter_unpack("<Q", source.take(8 * n, "values"))]
        readings += [(series, t, f, None if f & NULL else value) for t, f, value in zip(times, flags, values)]
    source.check(len(readings) == present, f"{len(readings)} readings, not {present}")
    return readings


def lasts(source):
    """Last sequences: critical, live, backlog."""
    return [source.varint("last sequence", 0, SEQUENCE_MAX) for _ in range(3)]


def promise(source, parts, epoch, lane, last):
    """The lines of a promise."""
    w = source.time("W")
    own = [source.varint("last sequence", 0, SEQUENCE_MAX) for _ in range(2)]
    own.insert(lane, last)
    epochs = [(epoch, own)]
    for _ in range(source.varint("other epochs", 1, 15) if parts & 32 else 0):
        epochs.append((source.unsigned(8, "other epoch"), lasts(source)))
    digest = source.unsigned(8, "digest") if parts & 64 else 0
    source.check(digest or not parts & 64, "a digest of 0")
    return [f"promise {w} {digest}"] + [f"open {e} {' '.join(map(str, of))}" for e, of in epochs]


def declarations(source, types, dropped):
    """The lines of the declarations."""
    lines, total = [], 0
    for _ in range(source.varint("declarations", 1, SEQUENCES_MAX)):
        reason = source.unsigned(1, "reason")
        source.check(1 <= reason <= 5, f"reason {reason}", source.at - 1)
        series = source.varint("series declared", 0, len(types) - 1)
        count = source.varint("count declared", 1, dropped - total)
        total += count
        lines.append(f"declared {series} {count} {source.time('time first')} {source.time('time last')} {reason}")
    source.check(total == dropped, f"declarations of {total}, {dropped} are dropped")
    return lines


def decode(types, data):
    """The lines that say what a frame says; types are those of the schema's series."""
    end = len(data) - 8
    if end < 2 or len(data) > FRAME_MAX:
        raise Malformed(0, f"a frame of {len(data)} bytes")
    if xxh64(data[:end]) != int.from_bytes(data[end:], "little"):
        raise Malformed(end, "the checksum is another")
    source = Bytes(data, 0, end)
    head, parts = source.unsigned(1, "version"), source.unsigned(1, "parts")
    version, kind, lane = head >> 4, head & 15, parts & 3
    source.check(version <= 1 and kind <= 1, f"version {version}, kind {kind}", 0)
    source.check(lane < 3 and parts < 128, f"parts {parts:#x}", 1)
    source.check(not kind or not parts & 4, "a tombstone with dropped inside", 1)
    source.check(parts & 16 or not parts & 96, "parts of a promise that is not there", 1)
    epoch = source.unsigned(8, "epoch")
    source.check(epoch, "an epoch of 0")
    first = source.varint("first sequence", 1, SEQUENCE_MAX)
    count = source.varint("count", 1, min(SEQUENCES_MAX, SEQUENCE_MAX - first + 1))
    dropped = count if kind else source.varint("dropped", 1, count) if parts & 4 else 0
    schema = source.take(16, "schema id")
    lines = [f"frame {version} {kind} {lane} {epoch} {first} {count} {dropped} {schema.hex()}"]
    if parts & 8:
        lines.append(f"predecessor {source.unsigned(8, 'predecessor')} {' '.join(map(str, lasts(source)))}")
    if parts & 16:
        lines += promise(source, parts, epoch, lane, first + count - 1)
    if dropped:
        lines += declarations(source, types, dropped)
    if count > dropped:
        layout = source.unsigned(1, "layout") if version else 0
        source.check(layout <= 1, f"layout {layout}")
        bits = Bits(data, source.at, end)
        present = count - dropped
        readings = CompactColumns(bits, types, present).read() if layout else plain_columns(source, types, present)
        for series, time, flags, value in readings:
            text = "null" if value is None else value.hex() if types[series] == TEXT else f"{value:016x}"
            lines.append(f"{series} {time} {flags} {text}")
    else:
        source.check(source.at == end, "bytes behind the declarations")
    return lines


def main():
    """Decodes the lines of standard input."""
    for line in sys.stdin:
        types, _, digits = line.rstrip("\n").partition(" ")
        try:
            lines = decode([int(digit) for digit in types], bytes.fromhex(digits))
        except Malformed as error:
            lines = [str(error)]
        print("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
