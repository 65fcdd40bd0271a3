using System.Buffers.Binary;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Schemas;

/// <summary>
/// The identity of a series outside of one database: the first 128 bits of SHA-256 over gateway, device, metric, labels
/// and type. Nobody can construct two series with one identity, so a hostile gateway cannot block the series of another
/// one. The default value identifies no series.
/// </summary>
public readonly record struct SeriesIdentity(ulong High, ulong Low)
{
    /// <summary>How many bytes an identity takes.</summary>
    public const int Bytes = 16;

    /// <summary>The identity of a gateway's series.</summary>
    public static SeriesIdentity Of(GatewayId gateway, SeriesDefinition series)
    {
        var writer = new WireWriter();
        writer.Text(gateway.Value);
        series.WriteIdentity(writer);
        return Hash(writer.Written);
    }

    /// <summary>The identity of a device, by the same rule: over gateway and device.</summary>
    public static SeriesIdentity OfDevice(GatewayId gateway, string device)
    {
        var writer = new WireWriter();
        writer.Text(gateway.Value);
        writer.Text(device);
        return Hash(writer.Written);
    }

    /// <summary>Reads an identity from its 16 bytes.</summary>
    public static SeriesIdentity Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{High:x16}{Low:x16}";

    private static SeriesIdentity Hash(ReadOnlySpan<byte> bytes)
    {
        var (high, low) = IdentityHash.Of(bytes, []);
        return new(high, low);
    }
}
