using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// The bytes of an unsealed segment. Earlier agents wrote plain columns without any head; they stay readable as long as
/// a file of theirs can exist.
/// <code>
/// 80 00   what plain columns never begin with: a series of 0 in two bytes
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
    /// Adds exactly <paramref name="count"/> readings to <paramref name="into"/>; throws
    /// <see cref="WireFormatException"/>, and then what was added must be thrown away.
    /// </summary>
    public static void Read(ReadOnlySpan<byte> segment, ReadingBatch into, int count, ReadOnlySpan<MetricType> types)
    {
        var reader = new WireReader(segment);
        if (segment.StartsWith(Head))
        {
            reader.Bytes(Head.Length);
            if (reader.Byte() is var version && version != Version)
            {
                throw new WireFormatException($"a segment of version {version}", Head.Length);
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
