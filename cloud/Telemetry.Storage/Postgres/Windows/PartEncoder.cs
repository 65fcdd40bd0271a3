using System.Buffers.Binary;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>
/// Encodes parts of windows as rows of a binary COPY into one reused buffer; the column stored_at has the time of the
/// transaction as its default. The format is that of <see cref="Readings.ReadingEncoder"/>.
/// </summary>
internal sealed class PartEncoder
{
    public const string CopySql = """
        COPY telemetry.window_part (start, f_squares, f_integral, hash_sum, series, width, readings, numbers, nulls,
            uncertain, bad, first_at, last_at, flags, i_sum, i_min, i_max, i_first, i_last, f_sum, f_min, f_max,
            f_first, f_last, sketch) FROM STDIN (FORMAT BINARY)
        """;

    /// <summary>
    /// A part's flags: bit 0 late, bit 1 unordered, bits 8-11 one more than the decimals of exact values.
    /// </summary>
    public const int LateBit = 1, UnorderedBit = 2, DecimalsShift = 8;

    private const int ChunkBytes = 128 * 1024, Columns = 25;
    private const int RowBytesMax = 2 + (Columns * 12) + QuantileSketch.BytesMax;
    private const long MicrosTo2000 = 946_684_800_000_000;

    private readonly byte[] _buffer = new byte[ChunkBytes];
    private int _length;
    private int _row;

    /// <summary>Starts again.</summary>
    public void Begin()
    {
        _row = 0;
        "PGCOPY\n"u8.CopyTo(_buffer);
        ReadOnlySpan<byte> rest = [0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];
        rest.CopyTo(_buffer.AsSpan(7));
        _length = 7 + rest.Length;
    }

    /// <summary>The next chunk of bytes, valid until the next call; empty when all rows were returned.</summary>
    public ReadOnlyMemory<byte> Next(List<WindowPart> parts)
    {
        if (_row > parts.Count)
        {
            return default;
        }

        for (; _row < parts.Count; _row++)
        {
            if (_length + RowBytesMax + 2 > _buffer.Length)
            {
                return Take();
            }

            Encode(parts[_row]);
        }

        Short(-1);
        _row++;
        return Take();
    }

    private ReadOnlyMemory<byte> Take()
    {
        var chunk = _buffer.AsMemory(0, _length);
        _length = 0;
        return chunk;
    }

    private void Encode(WindowPart part)
    {
        if (part.Series.Number <= 0)
        {
            throw new InvalidOperationException("a part of a series that is not registered");
        }

        var (values, numbers) = (part.Values > 0, part.Values > 0 && part.HasNumbers);
        Short(Columns);
        Long((ulong)(part.Start - MicrosTo2000), true);
        Double(part.SquaredDeviations, numbers);
        Double(part.Integral, numbers && !part.IsUnordered);
        Long(part.HashSum, true);
        Integer(part.Series.Number, true);
        Integer(part.WidthSeconds, true);
        Integer(part.Count, true);
        Integer(part.Values, true);
        Integer(part.Nulls, true);
        Integer(part.Uncertain, true);
        Integer(part.Bad, true);
        Integer((int)(part.FirstTime - part.Start), values);
        Integer((int)(part.LastTime - part.Start), values);
        Flags(part, numbers);
        var (exact, sum) = (numbers && part.IsExact, part.ExactSum);
        Long((ulong)sum.GetValueOrDefault(), exact && sum is not null);
        Long(part.MinBits, exact);
        Long(part.MaxBits, exact);
        Long(part.FirstBits, exact);
        Long(part.LastBits, exact);
        Double(part.Sum, numbers && !(exact && sum is not null));
        Long(part.MinBits, numbers && !exact);
        Long(part.MaxBits, numbers && !exact);
        Long(part.FirstBits, numbers && !exact);
        Long(part.LastBits, numbers && !exact);
        Sketch(numbers ? part.Sketch : null);
    }

    private void Sketch(QuantileSketch? sketch)
    {
        var length = sketch?.WriteTo(_buffer.AsSpan(_length + 4)) ?? -1;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), length);
        _length += 4 + Math.Max(0, length);
    }

    private void Flags(WindowPart part, bool numbers)
    {
        var flags = (part.IsLate ? LateBit : 0) | (part.IsUnordered ? UnorderedBit : 0)
            | (numbers && part.IsExact ? (part.Decimals + 1) << DecimalsShift : 0);
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), 2);
        _length += 4;
        Short((short)flags);
    }

    private void Short(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(_buffer.AsSpan(_length), value);
        _length += 2;
    }

    private void Integer(int value, bool isPresent)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), isPresent ? 4 : -1);
        _length += 4;
        if (isPresent)
        {
            BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), value);
            _length += 4;
        }
    }

    private void Double(double value, bool isPresent) => Long(BitConverter.DoubleToUInt64Bits(value), isPresent);

    private void Long(ulong value, bool isPresent)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), isPresent ? 8 : -1);
        _length += 4;
        if (isPresent)
        {
            BinaryPrimitives.WriteUInt64BigEndian(_buffer.AsSpan(_length), value);
            _length += 8;
        }
    }
}
