using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>
/// Decodes frames that <see cref="FrameWriter"/> sealed. A frame never yields more readings than it declares.
/// </summary>
public static class FrameReader
{
    /// <summary>
    /// The kind of a message by its first byte; false if it has no known version. Schemas have version 0.
    /// </summary>
    public static bool TryKind(ReadOnlySpan<byte> message, out FrameKind kind)
    {
        kind = message.IsEmpty ? FrameKind.Readings : (FrameKind)(message[0] & 15);
        return !message.IsEmpty && kind switch
        {
            FrameKind.Readings or FrameKind.Tombstone => message[0] >> 4 <= FrameHeader.VersionMax,
            FrameKind.Schema => message[0] >> 4 == SchemaMessage.Version,
            _ => false,
        };
    }

    /// <summary>
    /// How many readings a frame claims to have, checked only against the limit of a frame; 0 for a tombstone, a
    /// schema, and bytes that are not a frame. For planning only: <see cref="Header"/> is authoritative.
    /// </summary>
    public static int ReadingsClaimed(ReadOnlySpan<byte> message)
    {
        if (!TryKind(message, out var kind) || kind != FrameKind.Readings)
        {
            return 0;
        }

        try
        {
            var reader = new WireReader(message);
            reader.Bytes(FrameHeader.SequencesOffset);
            reader.Varint(FrameHeader.SequenceMax);
            var count = reader.Varint((long)FrameHeader.CountMax);
            return (int)(count - (FrameHeader.HasDropped(message[1]) ? reader.Varint(count) : 0));
        }
        catch (WireFormatException)
        {
            // The code that reads the frame reports the error.
            return 0;
        }
    }

    /// <summary>Checks the checksum and reads the header. Throws <see cref="WireFormatException"/>.</summary>
    public static FrameHeader Header(ReadOnlySpan<byte> frame, out ulong checksum)
    {
        checksum = FrameHeader.Checksum(frame);
        var reader = new WireReader(frame[..^FrameHeader.ChecksumBytes]);
        return FrameHeader.Read(ref reader);
    }

    /// <summary>
    /// Reads a whole frame whose checksum was checked: adds its readings to <paramref name="into"/> and its
    /// declarations to <paramref name="declarations"/>. <paramref name="types"/> has the type of each series of its
    /// schema. Throws <see cref="WireFormatException"/>; the caller must then discard what was added.
    /// </summary>
    public static FrameHeader Read(
        ReadOnlySpan<byte> frame, ReadOnlySpan<MetricType> types, ReadingBatch into, List<Declaration> declarations)
    {
        var reader = new WireReader(frame[..^FrameHeader.ChecksumBytes]);
        var header = FrameHeader.Read(ref reader);
        var before = into.Count;
        var dropped = 0;
        if (header.Dropped > 0)
        {
            for (var i = reader.Count(FrameHeader.CountMax, Declaration.BytesMin); i > 0; i--)
            {
                var declaration = Declaration.Read(ref reader, header.Dropped - dropped);
                if (declaration.Series >= types.Length)
                {
                    throw new WireFormatException($"series {declaration.Series} is not in the schema", reader.Offset);
                }

                dropped += declaration.Count;
                declarations.Add(declaration);
            }
        }

        if (header.Version > 0 && header.Present > 0)
        {
            CompactColumns.Read(ref reader, into, header.Present, types);
        }
        else
        {
            ReadingColumns.Read(ref reader, into, header.Present, types);
        }

        return dropped == header.Dropped && into.Count - before == header.Present
            ? header
            : throw new WireFormatException(
                $"{header.Key} has {into.Count - before} readings and {dropped} declared", reader.Offset);
    }
}
