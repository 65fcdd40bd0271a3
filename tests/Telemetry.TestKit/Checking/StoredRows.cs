using System.Buffers.Binary;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// Reads PostgreSQL's binary COPY of telemetry.reading row by row, without holding more than one row.
/// <code>
/// 11 bytes signature, i32 flags, i32 length of the extension and the extension
/// rows: i16 number of columns (-1: the end), each column i32 length (-1: null) and its bytes, big-endian
/// </code>
/// </summary>
internal sealed class StoredRows(Stream copy)
{
    /// <summary>What to copy out; times come as microseconds since 2000-01-01.</summary>
    public const string Copy =
        "COPY (SELECT series, time, flags, i, f, t FROM telemetry.reading) TO STDOUT (FORMAT BINARY)";

    private const int Columns = 6;
    private const long MicrosFrom1970To2000 = 946_684_800_000_000;
    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private bool _begun;

    public delegate void Take(in StoredRow row);

    /// <summary>Reads all rows that are left.</summary>
    public async Task ReadAllAsync(Take take, CancellationToken cancellationToken)
    {
        while (!ReadWhatIsThere(take))
        {
            MakeRoom();
            var read = await copy.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            _end += read > 0 ? read : throw new EndOfStreamException("the COPY ended in the middle of a row");
        }
    }

    private bool ReadWhatIsThere(Take take)
    {
        if (!_begun)
        {
            const int header = 11 + 4 + 4;
            if (_end < header)
            {
                return false;
            }

            _start = header + BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(header - 4));
            _begun = true;
        }

        while (TryRow(_buffer.AsSpan(_start.._end), take, out var length))
        {
            if (length < 0)
            {
                return true;
            }

            _start += length;
        }

        return false;
    }

    // A length of -1 is the end of the rows.
    private static bool TryRow(ReadOnlySpan<byte> bytes, Take take, out int length)
    {
        length = -1;
        if (bytes.Length < 2)
        {
            return false;
        }

        var columns = BinaryPrimitives.ReadInt16BigEndian(bytes);
        if (columns == -1)
        {
            return true;
        }

        if (columns != Columns)
        {
            throw new InvalidDataException($"a row of {columns} columns");
        }

        var at = 2;
        if (!TryColumn(bytes, ref at, out var series, out _)
            || !TryColumn(bytes, ref at, out var time, out _) || !TryColumn(bytes, ref at, out var flags, out _)
            || !TryColumn(bytes, ref at, out var i, out var hasI) || !TryColumn(bytes, ref at, out var f, out var hasF)
            || !TryColumn(bytes, ref at, out var t, out var hasT))
        {
            return false;
        }

        take(new StoredRow
        {
            Series = BinaryPrimitives.ReadInt32BigEndian(series),
            Time = BinaryPrimitives.ReadInt64BigEndian(time) + MicrosFrom1970To2000,
            Flags = BinaryPrimitives.ReadInt16BigEndian(flags),
            Integer = hasI ? BinaryPrimitives.ReadInt64BigEndian(i) : null,
            Float = hasF ? BinaryPrimitives.ReadDoubleBigEndian(f) : null,
            HasText = hasT,
            Text = t,
        });
        length = at;
        return true;
    }

    private static bool TryColumn(ReadOnlySpan<byte> row, ref int at, out ReadOnlySpan<byte> value, out bool present)
    {
        value = default;
        present = false;
        if (row.Length - at < 4)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(row[at..]);
        at += 4;
        if (length < 0)
        {
            return true;
        }

        if (row.Length - at < length)
        {
            return false;
        }

        value = row.Slice(at, length);
        at += length;
        present = true;
        return true;
    }

    private void MakeRoom()
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }
}
