using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// Cuts sorted readings to the size of one segment or frame. The size of plain columns (version 0) is computed. Compact
/// columns never take more; for them as many rows as their texts allow are encoded and measured.
/// </summary>
internal static class FrameSizeLimit
{
    /// <summary>
    /// The most series in one segment or frame, so that declarations of all of them fit into one tombstone of 64 KiB
    /// (22 bytes each) if the readings are damaged or refused.
    /// </summary>
    public const int SeriesMax = 2048;

    /// <summary>
    /// How many bytes compact columns may take beyond plain ones: their layout, and a segment's head.
    /// </summary>
    private const int CompactHeadBytes = 4;

    [ThreadStatic]
    private static WireWriter? _trial;

    private const int CountAndTypeBytes = 2 + 1, FixedBytes = 16, TextLengthBytes = 2;

    /// <summary>
    /// How many rows of <paramref name="order"/>, sorted by (series, time), fit; at least 1 unless there are none.
    /// </summary>
    public static int Length(
        ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types, int readingsMax, int bytesMax,
        byte version) => Length(batch, order, types, readingsMax, bytesMax, version, out _);

    /// <summary>The same, and about how many bytes their columns take.</summary>
    public static int Length(
        ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types, int readingsMax, int bytesMax,
        byte version, out int bytes)
    {
        if (version == 0)
        {
            return PlainLength(batch, order, types, readingsMax, bytesMax, out bytes);
        }

        bytesMax -= CompactHeadBytes;
        var plain = PlainLength(batch, order, types, readingsMax, bytesMax, out bytes);
        var length = RowsMax(batch, order[..Math.Min(order.Length, readingsMax)], types, bytesMax);
        var trial = _trial ??= new WireWriter(64 * 1024);
        while (length > plain)
        {
            trial.Clear();
            CompactColumns.Write(trial, batch, order[..length], types);
            if (trial.Length <= bytesMax)
            {
                bytes = trial.Length;
                return length;
            }

            length /= 2;
        }

        return plain;
    }

    /// <summary>The number of rows that the limits of series and of text bytes allow.</summary>
    private static int RowsMax(
        ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types, int textBytesMax)
    {
        int series = 0, last = -1, textBytes = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var row = order[i];
            series += batch.Series[row] == last ? 0 : 1;
            last = batch.Series[row];
            textBytes += types[last] == MetricType.Text ? batch.Text(batch.Bits[row]).Length : 0;
            if (series > SeriesMax || textBytes > textBytesMax)
            {
                return i;
            }
        }

        return order.Length;
    }

    private static int PlainLength(
        ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types, int readingsMax, int bytesMax,
        out int bytes)
    {
        bytes = 0;
        int groups = 0, group = -1, groupRows = 0;
        var groupFlags = false;
        for (var i = 0; i < order.Length; i++)
        {
            var row = order[i];
            var flagged = batch.Flags[row] != ReadingFlags.None;
            if (batch.Series[row] != group)
            {
                group = batch.Series[row];
                groups++;
                groupRows = 0;
                groupFlags = false;
                bytes += VarintBytes((uint)group) + CountAndTypeBytes;
            }

            groupRows++;
            bytes += RowBytes(batch, row, types[group]);
            if (flagged || groupFlags)
            {
                bytes += groupFlags ? 1 : groupRows;
                groupFlags = true;
            }

            if (i == readingsMax || groups > SeriesMax || (bytes > bytesMax && i > 0))
            {
                return i;
            }
        }

        return order.Length;
    }

    private static int RowBytes(ReadingBatch batch, int row, MetricType type) =>
        type != MetricType.Text ? FixedBytes
        : (batch.Flags[row] & ReadingFlags.Null) != 0 ? 8 + TextLengthBytes
        : 8 + TextLengthBytes + batch.Text(batch.Bits[row]).Length;

    private static int VarintBytes(uint value) =>
        value < 1u << 7 ? 1 : value < 1u << 14 ? 2 : value < 1u << 21 ? 3 : value < 1u << 28 ? 4 : 5;
}
