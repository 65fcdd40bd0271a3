using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Streams.Fleet;

/// <summary>
/// What an ingress says at intervals: that it is alive, and which gateways came, went or changed. It repeats those that
/// are connected from time to time, so that a lost report is made up for.
/// <code>
/// byte version, 1; text ingress, u64 run; 7 time of the report
/// varint gateways, each: text gateway, byte bits (0 connected, 1 clock offset known, 2 clock synchronised),
///     7 since, varint session, text version, i64 clock offset (bit 1)
/// </code>
/// </summary>
/// <param name="Ingress">The name of the ingress' process.</param>
/// <param name="Run">Random for each run of an ingress.</param>
/// <param name="AtMicros">When it was said, by the ingress' clock.</param>
/// <param name="Gateways">At most <see cref="GatewaysMax"/>.</param>
public sealed record PresenceReport(string Ingress, ulong Run, long AtMicros, IReadOnlyList<GatewayPresence> Gateways)
{
    /// <summary>The most gateways of one report.</summary>
    public const int GatewaysMax = 1000;

    /// <summary>The most bytes of an agent's version; what an agent says beyond is cut off.</summary>
    public const int VersionBytesMax = 64;

    private const int NameBytesMax = 1024;

    private const byte FormatVersion = 1, ConnectedBit = 1, OffsetBit = 2, SynchronisedBit = 4;

    /// <summary>Writes it.</summary>
    public byte[] ToBytes()
    {
        var writer = new WireWriter(64 + (Gateways.Count * 64));
        writer.Byte(FormatVersion);
        writer.Text(Ingress);
        writer.UInt64(Run);
        writer.Time(AtMicros);
        writer.Varint((ulong)Gateways.Count);
        foreach (var gateway in Gateways)
        {
            writer.Text(gateway.Gateway.Value);
            writer.Byte((byte)((gateway.Connected ? ConnectedBit : 0)
                | (gateway.ClockOffsetMicros is null ? 0 : OffsetBit)
                | (gateway.ClockSynchronised ? SynchronisedBit : 0)));
            writer.Time(gateway.SinceMicros);
            writer.Varint(gateway.Session);
            writer.Text(gateway.Version);
            if (gateway.ClockOffsetMicros is { } offset)
            {
                writer.Int64(offset);
            }
        }

        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; throws <see cref="WireFormatException"/>.</summary>
    public static PresenceReport Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        if (reader.Byte() is not FormatVersion and var version)
        {
            throw new WireFormatException($"not a presence report of a known version ({version})", 0);
        }

        var (ingress, run, at) = (reader.Text(NameBytesMax), reader.UInt64(), reader.Time());
        var gateways = new GatewayPresence[reader.Count(GatewaysMax, 12)];
        for (var i = 0; i < gateways.Length; i++)
        {
            gateways[i] = ReadGateway(ref reader);
        }

        reader.End();
        return new PresenceReport(ingress, run, at, gateways);
    }

    private static GatewayPresence ReadGateway(ref WireReader reader)
    {
        if (!GatewayId.TryParse(reader.Text(NameBytesMax), out var gateway))
        {
            throw new WireFormatException("not a gateway id", reader.Offset);
        }

        var bits = reader.Byte();
        return new GatewayPresence(gateway, (bits & ConnectedBit) != 0, reader.Time(), reader.Varint(long.MaxValue))
        {
            Version = reader.Text(VersionBytesMax),
            ClockSynchronised = (bits & SynchronisedBit) != 0,
            ClockOffsetMicros = (bits & OffsetBit) != 0 ? reader.Int64() : null,
        };
    }
}
