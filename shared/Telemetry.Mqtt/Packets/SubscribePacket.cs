using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>One wish of a SUBSCRIBE. Only the QoS of the options matters to us; the rest is kept as it came.</summary>
internal readonly record struct SubscribeFilter(string Filter, byte Options)
{
    public MqttQos Qos => (MqttQos)(Options & 0x03);
}

/// <summary>SUBSCRIBE.</summary>
/// <remarks>
/// <code>
///   packet id (2) · properties · { filter (text) · options (1) }, at least one
///   options: 0 0 | retain handling (2 bits) | retain as published | no local | QoS (2 bits)
/// </code>
/// Source: MQTT 5.0, 3.8.
/// </remarks>
internal sealed record SubscribePacket(ushort PacketId, IReadOnlyList<SubscribeFilter> Filters, PropertyList Properties)
{
    /// <summary>At most so many filters a packet; more are refused with 0x97.</summary>
    public const int FiltersMax = 256;

    public static SubscribePacket Read(ref BodyReader reader)
    {
        ushort packetId = reader.PacketId();
        var properties = PropertyList.Read(ref reader, PropertyPlace.Subscribe);
        var filters = new List<SubscribeFilter>();
        do
        {
            if (filters.Count == FiltersMax)
                throw new MqttProtocolException(MqttReasonCode.QuotaExceeded, $"more than {FiltersMax} filters");
            if (reader.AtEnd) throw MqttProtocolException.Protocol("no topic filter");
            string filter = reader.Text();
            byte options = reader.Byte();
            if ((options & 0xC0) != 0 || (options & 0x03) == 3 || (options & 0x30) == 0x30)
                throw MqttProtocolException.Malformed("subscription options");
            filters.Add(new SubscribeFilter(filter, options));
        }
        while (!reader.AtEnd);
        return new SubscribePacket(packetId, filters, properties);
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Bytes() => PacketWriter.PacketBytes(BodyBytes());

    public void Write(IBufferWriter<byte> output)
    {
        var writer = PacketWriter.Begin(output, PacketType.Subscribe, BodyBytes(), 0x02);
        writer.UInt16(PacketId);
        Properties.Write(ref writer);
        foreach (var filter in Filters)
        {
            writer.Text(filter.Filter);
            writer.Byte(filter.Options);
        }
        writer.End();
    }

    private int BodyBytes() => 2 + Properties.Bytes() + Filters.Sum(f => PacketWriter.TextBytes(f.Filter) + 1);
}
