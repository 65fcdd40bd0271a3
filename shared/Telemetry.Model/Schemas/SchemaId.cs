using System.Buffers.Binary;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Schemas;

/// <summary>
/// Identifies a gateway's list of series at one moment: the first 16 bytes of SHA-256(parent id, additions). The
/// default value is the id of the empty list, which every gateway starts with.
/// </summary>
public readonly record struct SchemaId(ulong High, ulong Low)
{
    /// <summary>How many bytes an id takes.</summary>
    public const int Bytes = 16;

    /// <summary>The id that follows from a parent and the encoded additions.</summary>
    public static SchemaId Of(SchemaId parent, ReadOnlySpan<byte> additions)
    {
        Span<byte> parentBytes = stackalloc byte[Bytes];
        parent.Write(parentBytes);
        var (high, low) = IdentityHash.Of(parentBytes, additions);
        return new(high, low);
    }

    /// <summary>Reads an id from its first 16 bytes.</summary>
    public static SchemaId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Reads an id.</summary>
    public static SchemaId Read(ref WireReader reader) => Read(reader.Bytes(Bytes));

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(WireWriter writer) => Write(writer.Reserve(Bytes));

    /// <inheritdoc/>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
