using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>UNSUBSCRIBE.</summary>
/// <remarks>
/// <code>packet id (2) · properties · { filter (text) }, at least one</code>
/// Source: MQTT 5.0, 3.10.
/// </remarks>
internal sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters, PropertyList Properties)
{
    public static UnsubscribePacket Read(ref BodyReader reader)
    {
        ushort packetId = reader.PacketId();
        var properties = PropertyList.Read(ref reader, PropertyPlace.Unsubscribe);
        var filters = new List<string>();
        do
        {
            if (filters.Count == SubscribePacket.FiltersMax)
                throw new MqttProtocolException(MqttReasonCode.QuotaExceeded,
                    $"more than {SubscribePacket.FiltersMax} filters");
            if (reader.AtEnd) throw MqttProtocolException.Protocol("no topic filter");
            filters.Add(reader.Text());
        }
        while (!reader.AtEnd);
        return new UnsubscribePacket(packetId, filters, properties);
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Bytes() => PacketWriter.PacketBytes(BodyBytes());

    public void Write(IBufferWriter<byte> output)
    {
        var writer = PacketWriter.Begin(output, PacketType.Unsubscribe, BodyBytes(), 0x02);
        writer.UInt16(PacketId);
        Properties.Write(ref writer);
        foreach (string filter in Filters) writer.Text(filter);
        writer.End();
    }

    private int BodyBytes() => 2 + Properties.Bytes() + Filters.Sum(PacketWriter.TextBytes);
}
