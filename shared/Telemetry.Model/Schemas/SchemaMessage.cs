using System.IO.Hashing;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Schemas;

/// <summary>
/// One step of a gateway's append-only list of series: parent id and additions. It travels in the streams that frames
/// travel in, has no sequence, settles nothing, and is harmless when it comes twice.
/// <code>
/// byte    version (high 4 bits), kind (low 4 bits, 2 = schema)
/// byte    lane
/// 16      parent id
/// varint  number of additions, then each series (see <see cref="SeriesDefinition"/>): together at most 16 KiB
/// u64     checksum: XxHash64 of all before
/// </code>
/// </summary>
public sealed record SchemaMessage(SchemaId Parent, ReadOnlyMemory<byte> Additions)
{
    /// <summary>The most bytes of encoded additions in one message.</summary>
    public const int AdditionBytesMax = 16 * 1024;

    /// <summary>The version of schema messages; frames count theirs apart.</summary>
    public const byte Version = 0;

    private const int HeaderBytes = 2 + SchemaId.Bytes;

    /// <summary>The id of the list that it makes.</summary>
    public SchemaId Id { get; } = SchemaId.Of(Parent, Additions.Span);

    /// <summary>Encodes additions; throws when they are over <see cref="AdditionBytesMax"/>.</summary>
    public static SchemaMessage Of(SchemaId parent, IReadOnlyCollection<SeriesDefinition> additions)
    {
        var writer = new WireWriter();
        writer.Varint((ulong)additions.Count);
        foreach (var series in additions)
        {
            series.Write(writer);
        }

        return writer.Length <= AdditionBytesMax
            ? new SchemaMessage(parent, writer.ToArray())
            : throw new ArgumentException(
                $"additions of {writer.Length} bytes, at most {AdditionBytesMax} are allowed");
    }

    /// <summary>The series that it adds; throws <see cref="WireFormatException"/> on malformed ones.</summary>
    public IReadOnlyList<SeriesDefinition> Series()
    {
        var reader = new WireReader(Additions.Span);
        var series = new SeriesDefinition[reader.Count(AdditionBytesMax, 7)];
        for (var i = 0; i < series.Length; i++)
        {
            series[i] = SeriesDefinition.Read(ref reader);
        }

        reader.End();
        return series;
    }

    /// <summary>Writes the message for a lane.</summary>
    public void Write(WireWriter writer, Lane lane)
    {
        var start = writer.Length;
        writer.Byte(Version << 4 | (byte)FrameKind.Schema);
        writer.Byte((byte)lane);
        Parent.Write(writer);
        writer.Bytes(Additions.Span);
        writer.UInt64(XxHash64.HashToUInt64(writer.Written[start..]));
    }

    /// <summary>Reads a message, checksum and additions checked; throws <see cref="WireFormatException"/>.</summary>
    public static SchemaMessage Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is < HeaderBytes + 1 + 8 or > HeaderBytes + AdditionBytesMax + 8)
        {
            throw new WireFormatException($"a schema of {bytes.Length} bytes", 0);
        }

        if (bytes[0] != (Version << 4 | (byte)FrameKind.Schema) || bytes[1] > (byte)Lane.Backlog)
        {
            throw new WireFormatException("not a schema of a known version", 0);
        }

        var body = bytes[..^8];
        var reader = new WireReader(bytes[^8..]);
        if (reader.UInt64() != XxHash64.HashToUInt64(body))
        {
            throw new WireFormatException("checksum differs", body.Length);
        }

        var message = new SchemaMessage(SchemaId.Read(bytes[2..]), body[HeaderBytes..].ToArray());
        message.Series();
        return message;
    }
}
