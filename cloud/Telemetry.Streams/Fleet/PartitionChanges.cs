using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Streams.Fleet;

/// <summary>What commits changed of one gateway: its totals as they are now.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Accepted">Readings that its outboxes accepted, as far as it said so.</param>
/// <param name="Stored">Readings stored.</param>
/// <param name="Rejected">Readings kept as dead letters.</param>
/// <param name="Dropped">Readings declared as dropped.</param>
/// <param name="Lost">Readings that nobody has any more.</param>
/// <param name="WatermarkMicros">Its watermark; <see cref="long.MinValue"/> before the first.</param>
/// <param name="Fork">Forks that no operator has explained, one per line; empty for none.</param>
public sealed record GatewayChange(
    GatewayId Gateway, long Accepted, long Stored, long Rejected, long Dropped, long Lost, long WatermarkMicros,
    string Fork)
{
    /// <summary>True when the state of an alert rule of this gateway changed.</summary>
    public bool AlertsChanged { get; init; }
}

/// <summary>
/// What one or more commits of a partition changed. <paramref name="From"/> and <paramref name="To"/> are the
/// partition's count of commits before and after: who knows another count than <paramref name="From"/> has missed
/// something, and reads the partition from the database.
/// <code>
/// byte version, 1; varint partition, varint from, varint to; 7 time of the commit
/// varint gateways, each: text gateway, byte bits (0 watermark, 1 alerts changed), varints accepted, stored, rejected,
///     dropped, lost, 7 watermark (bit 0), text fork
/// </code>
/// </summary>
/// <param name="Partition">The partition.</param>
/// <param name="From">Its count of commits before.</param>
/// <param name="To">Its count of commits now.</param>
/// <param name="AtMicros">When the last of these commits was done, by the owner's clock.</param>
/// <param name="Gateways">What changed; often nothing.</param>
public sealed record PartitionChanges(
    int Partition, long From, long To, long AtMicros, IReadOnlyList<GatewayChange> Gateways)
{
    /// <summary>
    /// The most gateways of one message. An owner that changed more sends none, so that the dashboards see a jump.
    /// </summary>
    public const int GatewaysMax = 4000;

    /// <summary>The most bytes of a fork's text; the rest is read from the database.</summary>
    public const int ForkCharactersMax = 200;

    private const byte FormatVersion = 1, WatermarkBit = 1, AlertsBit = 2;

    /// <summary>Writes it.</summary>
    public void Write(WireWriter writer)
    {
        writer.Byte(FormatVersion);
        writer.Varint((ulong)Partition);
        writer.Varint(From);
        writer.Varint(To);
        writer.Time(AtMicros);
        writer.Varint((ulong)Gateways.Count);
        foreach (var gateway in Gateways)
        {
            writer.Text(gateway.Gateway.Value);
            writer.Byte((byte)((gateway.WatermarkMicros == long.MinValue ? 0 : WatermarkBit)
                | (gateway.AlertsChanged ? AlertsBit : 0)));
            writer.Varint(gateway.Accepted);
            writer.Varint(gateway.Stored);
            writer.Varint(gateway.Rejected);
            writer.Varint(gateway.Dropped);
            writer.Varint(gateway.Lost);
            if (gateway.WatermarkMicros != long.MinValue)
            {
                writer.Time(gateway.WatermarkMicros);
            }

            writer.Text(gateway.Fork.Length <= ForkCharactersMax ? gateway.Fork : gateway.Fork[..ForkCharactersMax]);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; throws <see cref="WireFormatException"/>.</summary>
    public static PartitionChanges Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        if (reader.Byte() is not FormatVersion and var version)
        {
            throw new WireFormatException($"not the changes of a partition in a known version ({version})", 0);
        }

        var partition = (int)reader.Varint((long)int.MaxValue);
        var (from, to, at) = (reader.Varint(long.MaxValue), reader.Varint(long.MaxValue), reader.Time());
        var gateways = new GatewayChange[reader.Count(GatewaysMax, 8)];
        for (var i = 0; i < gateways.Length; i++)
        {
            gateways[i] = ReadGateway(ref reader);
        }

        reader.End();
        return new PartitionChanges(partition, from, to, at, gateways);
    }

    private static GatewayChange ReadGateway(ref WireReader reader)
    {
        if (!GatewayId.TryParse(reader.Text(1024), out var gateway))
        {
            throw new WireFormatException("not a gateway id", reader.Offset);
        }

        var bits = reader.Byte();
        return new GatewayChange(
            gateway, reader.Varint(long.MaxValue), reader.Varint(long.MaxValue), reader.Varint(long.MaxValue),
            reader.Varint(long.MaxValue), reader.Varint(long.MaxValue),
            (bits & WatermarkBit) != 0 ? reader.Time() : long.MinValue, reader.Text(ForkCharactersMax * 4))
        {
            AlertsChanged = (bits & AlertsBit) != 0,
        };
    }
}
