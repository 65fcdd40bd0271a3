using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The times of a frame's groups. Series that are read together share their times: such a group names an earlier column.
/// <code>
/// 1       1: times of an earlier group
///   gamma   how many columns back, 1 to 16: among those of their own, 1 being the last; it has as many readings
/// 0: a column of its own
///   number  zigzag of its first time less the first time of the last such column (0 before any), microseconds
///   2       unit, if there are two readings or more: 0 microseconds, 1 milliseconds, 2 seconds, 3 minutes
///   ...     integers (time less first time) / unit; the first is 0 and not written, see <see cref="IntegerColumn"/>
/// </code>
/// </summary>
internal ref struct TimeColumns(Span<long> times)
{
    private const int RecentMax = 16, UnitBits = 2;

    private static readonly long[] Units = [1, 1_000, 1_000_000, 60_000_000];

    private readonly Span<long> _times = times;
    private Recent _recent;
    private int _columns;
    private long _first;

    /// <summary>Writes the times of the rows from <paramref name="start"/> on.</summary>
    public void Write(BitWriter writer, int start, int count, ColumnScratch scratch)
    {
        var mine = _times.Slice(start, count);
        for (var back = 1; back <= Math.Min(_columns, RecentMax); back++)
        {
            var (otherStart, otherCount) = _recent[(_columns - back) % RecentMax];
            if (otherCount == count && mine.SequenceEqual(_times.Slice(otherStart, count)))
            {
                writer.Bit(true);
                writer.Gamma((ulong)back);
                return;
            }
        }

        writer.Bit(false);
        writer.Number(ZigZag.Of(mine[0] - _first), NumberContext.Time);
        Remember(start, count);
        if (count == 1)
        {
            return;
        }

        var unit = UnitOf(mine);
        var integers = scratch.Integers.Of(count);
        Divide(mine, unit, integers);
        writer.Write((ulong)unit, UnitBits);
        IntegerColumn.Write(writer, integers, IntegerColumn.Plan(integers, IntegerMeaning.Times, out _), scratch.Residuals.Of(count));
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

            var (otherStart, otherCount) = _recent[(_columns - (int)back) % RecentMax];
            if (otherCount != count)
            {
                throw reader.Malformed($"{count} readings share the times of {otherCount}");
            }

            _times.Slice(otherStart, count).CopyTo(mine);
            return;
        }

        var first = _first + ZigZag.Back(reader.Number(NumberContext.Time));
        mine[0] = first;
        Remember(start, count);
        if (count == 1)
        {
            return;
        }

        var unit = Units[(int)reader.Read(UnitBits)];
        mine[0] = 0;
        IntegerColumn.Read(ref reader, mine);
        for (var i = 0; i < mine.Length; i++)
        {
            mine[i] = (mine[i] * unit) + first;
        }
    }

    private void Remember(int start, int count)
    {
        _recent[_columns++ % RecentMax] = (start, count);
        _first = _times[start];
    }

    /// <summary>The largest unit that all differences from the first are whole in.</summary>
    private static int UnitOf(ReadOnlySpan<long> times)
    {
        var unit = Units.Length - 1;
        for (var i = 1; i < times.Length && unit > 0; i++)
        {
            var difference = times[i] - times[0];
            while (!IsWhole(difference, unit))
            {
                unit--;
            }
        }

        return unit;
    }

    // Constant divisors, which the compiler turns into multiplications.
    private static bool IsWhole(long difference, int unit) => unit switch
    {
        3 => difference % 60_000_000 == 0,
        2 => difference % 1_000_000 == 0,
        1 => difference % 1_000 == 0,
        _ => true,
    };

    private static void Divide(ReadOnlySpan<long> times, int unit, Span<long> into)
    {
        var first = times[0];
        for (var i = 0; i < times.Length; i++)
        {
            var difference = times[i] - first;
            into[i] = unit switch
            {
                3 => difference / 60_000_000,
                2 => difference / 1_000_000,
                1 => difference / 1_000,
                _ => difference,
            };
        }
    }

    [InlineArray(RecentMax)]
    private struct Recent
    {
        private (int Start, int Count) _first;
    }
}
