using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// The bytes of an unsealed segment. Earlier agents wrote plain columns without a head; these stay readable, because a
/// file of such an agent may still exist.
/// <code>
/// 80 00   plain columns never begin with this: a series of 0 in two bytes
/// 01      version
/// ...     compact columns, see <see cref="CompactColumns"/>
/// </code>
/// </summary>
public static class SegmentColumns
{
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Head => [0x80, 0x00];

    /// <summary>Writes rows that are in the order (series, time).</summary>
    public static void Write(
        WireWriter writer, ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types)
    {
        writer.Bytes(Head);
        writer.Byte(Version);
        CompactColumns.Write(writer, batch, order, types);
    }

    /// <summary>
    /// Adds exactly <paramref name="count"/> readings to <paramref name="into"/>. Throws <see
    /// cref="WireFormatException"/>; the caller must then discard what was added.
    /// </summary>
    public static void Read(ReadOnlySpan<byte> segment, ReadingBatch into, int count, ReadOnlySpan<MetricType> types)
    {
        var reader = new WireReader(segment);
        if (segment.StartsWith(Head))
        {
            reader.Bytes(Head.Length);
            if (reader.Byte() is var version && version != Version)
            {
                throw new WireFormatException($"unknown segment version {version}", Head.Length);
            }

            CompactColumns.Read(ref reader, into, count, types);
            return;
        }

        var before = into.Count;
        ReadingColumns.Read(ref reader, into, count, types);
        if (into.Count - before != count)
        {
            throw new WireFormatException($"{into.Count - before} readings where {count} were stored", reader.Offset);
        }
    }
}
