using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The times of a frame's groups. Series that are read together share their times: such a group names an earlier
/// column.
/// <code>
/// 1       1: times of an earlier group
///   gamma   which one, 1 to 16, counted back from the last column that is not shared itself; it has as many readings
/// 0: a column of its own
///   number  zigzag of its first time minus that of the last such column (minus 0 for the first), in microseconds
///   2       unit, if there are two readings or more: 0 microseconds, 1 milliseconds, 2 seconds, 3 minutes
///   ...     integers (time - first time) / unit; the first is 0 and not written, see <see cref="IntegerColumn"/>
/// </code>
/// </summary>
internal ref struct TimeColumns(Span<long> times)
{
    private const int RecentMax = 16, UnitBits = 2;

    private readonly Span<long> _times = times;
    private Recent _recent;
    private int _columns, _lastCount;
    private long _first;
    private (int Unit, int Count, long Bits) _grid;

    /// <summary>Writes the times of the rows from <paramref name="start"/> on.</summary>
    public void Write(BitWriter writer, int start, int count, ColumnScratch scratch)
    {
        var mine = _times.Slice(start, count);
        var back = BackOf(start, count);
        writer.Bit(back > 0);
        if (back > 0)
        {
            writer.Gamma((ulong)back);
            return;
        }

        writer.Number(ZigZag.Of(mine[0] - _first), NumberContext.Time);
        Remember(start, count);
        if (count == 1)
        {
            return;
        }

        var integers = scratch.Integers.Of(count);
        var unit = TimeUnit.Divide(mine, integers);
        writer.Write((ulong)unit, UnitBits);
        var prediction = Plan(integers, unit);
        IntegerColumn.Write(writer, integers, prediction, scratch.Residuals.Of(count));
    }

    /// <summary>Reads the times of the rows from <paramref name="start"/> on.</summary>
    public void Read(ref BitReader reader, int start, int count)
    {
        var mine = _times.Slice(start, count);
        if (reader.Bit())
        {
            var back = reader.Gamma();
            if (back > (ulong)Math.Min(_columns, RecentMax))
            {
                throw reader.Malformed($"times of {back} columns back, of {_columns}");
            }

            var other = _recent[(_columns - (int)back) & (RecentMax - 1)];
            if (other.Count != count)
            {
                throw reader.Malformed($"{count} readings share the times of {other.Count}");
            }

            _times.Slice(other.Start, count).CopyTo(mine);
            return;
        }

        var first = _first + ZigZag.Back(reader.Number(NumberContext.Time));
        mine[0] = first;
        Remember(start, count);
        if (count == 1)
        {
            return;
        }

        var unit = TimeUnit.Micros((int)reader.Read(UnitBits));
        mine[0] = 0;
        IntegerColumn.Read(ref reader, mine);
        for (var i = 0; i < mine.Length; i++)
        {
            mine[i] = (mine[i] * unit) + first;
        }
    }

    /// <summary>Records a column that later groups may share.</summary>
    public void Remember(int start, int count)
    {
        _first = _times[start];
        _lastCount = count;
        _recent[_columns++ & (RecentMax - 1)] = new Column(_first, start, count);
    }

    /// <summary>
    /// The columns of a frame often jitter in the same way. Where the last planned column is a grid, one with as many
    /// times and about as many bits becomes a grid too, without comparing other predictions.
    /// </summary>
    private Prediction Plan(ReadOnlySpan<long> integers, int unit)
    {
        if (_grid.Unit == unit && _grid.Count == integers.Length
            && IntegerColumn.IsGridOf(integers, _grid.Bits, out var grid))
        {
            return grid;
        }

        var prediction = IntegerColumn.Plan(integers, IntegerMeaning.Times, out var bits);
        _grid = prediction.Kind == PredictionKind.Grid ? (unit, integers.Length, bits) : default;
        return prediction;
    }

    /// <summary>How many columns back there is one with exactly these times; 0 when there is none.</summary>
    private readonly int BackOf(int start, int count)
    {
        ReadOnlySpan<Column> recent = _recent;
        var first = _times[start];
        for (var back = 1; back <= Math.Min(_columns, RecentMax); back++)
        {
            var column = recent[(_columns - back) & (RecentMax - 1)];
            if (column.First == first && column.Count == count
                && (count == 1 || _times.Slice(start, count).SequenceEqual(_times.Slice(column.Start, count))))
            {
                return back;
            }
        }

        return 0;
    }

    private readonly record struct Column(long First, int Start, int Count);

    [InlineArray(RecentMax)]
    private struct Recent
    {
        private Column _first;
    }
}
