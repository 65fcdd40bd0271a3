using System.IO.Hashing;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>
/// Seals frames: header, declarations of what was dropped, readings as columns, checksum. The payload is
/// <code>
/// varint  number of declarations, then each: byte reason, varint series, varint count, 7 first time, 7 last time
///                                                              (only where something is dropped)
/// ...     columns, in version 0 <see cref="ReadingColumns"/>, in version 1 <see cref="CompactColumns"/>
///                                                              (not in a tombstone)
/// </code>
/// </summary>
public static class FrameWriter
{
    /// <summary>
    /// Writes a frame and returns its checksum. The header's count must be the rows of <paramref name="order"/> plus
    /// the declared ones; otherwise, and when the frame is over its limits, throws <see cref="ArgumentException"/>.
    /// </summary>
    public static ulong Write(
        WireWriter writer,
        in FrameHeader header,
        ReadOnlySpan<Declaration> declarations,
        ReadingBatch batch,
        ReadOnlySpan<int> order,
        ReadOnlySpan<MetricType> types)
    {
        var dropped = 0;
        foreach (var declaration in declarations)
        {
            dropped += declaration.Count;
        }

        if (header.Version > FrameHeader.VersionMax || header.Key.Count is < 1 or > FrameHeader.CountMax
            || header.Dropped != dropped || header.Present != order.Length)
        {
            throw new ArgumentException(
                $"{header.Key} with {header.Dropped} dropped, {order.Length} rows and {dropped} declared");
        }

        var start = writer.Length;
        header.Write(writer);
        if (dropped > 0)
        {
            writer.Varint((ulong)declarations.Length);
            foreach (var declaration in declarations)
            {
                declaration.Write(writer);
            }
        }

        if (header.Version > 0 && header.Present > 0)
        {
            CompactColumns.Write(writer, batch, order, types);
        }
        else
        {
            ReadingColumns.Write(writer, batch, order, types);
        }

        var checksum = XxHash64.HashToUInt64(writer.Written[start..]);
        writer.UInt64(checksum);
        return writer.Length - start <= FrameHeader.BytesMax
            ? checksum
            : throw new ArgumentException(
                $"a frame of {writer.Length - start} bytes, at most {FrameHeader.BytesMax} are allowed");
    }
}
