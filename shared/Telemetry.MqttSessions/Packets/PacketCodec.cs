using System.Buffers;
using System.Text;
using MQTTnet.Adapter;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using CodecProperty = MQTTnet.Packets.MqttUserProperty;

namespace Telemetry.MqttSessions.Packets;

/// <summary>
/// MQTTnet's codec for MQTT 5.0 behind our own checks. It keeps nothing from one packet to the next, so each thread has
/// one for all its sessions; no call waits in between. MQTT 3.1.1 would be a second formatter here.
/// </summary>
internal static class PacketCodec
{
    private const int FirstBytes = 1024;
    private const int KeptBytes = 64 * 1024;

    [ThreadStatic]
    private static MqttPacketFormatterAdapter? t_formatter;

    private static MqttPacketFormatterAdapter Formatter => t_formatter ??=
        new MqttPacketFormatterAdapter(MqttProtocolVersion.V500, new MqttBufferWriter(FirstBytes, KeptBytes));

    /// <summary>Reads a CONNECT of version 5 that was checked.</summary>
    public static MqttConnectPacket ReadConnect(ReadOnlySpan<byte> body) =>
        (MqttConnectPacket)Decode(PacketType.Connect, 0, body.ToArray());

    /// <summary>
    /// Checks and reads a PUBLISH. Its bytes are copied once, into memory that the payload keeps.
    /// </summary>
    /// <exception cref="MqttProtocolException">The packet is broken.</exception>
    public static (MqttPublishPacket Packet, ReadOnlyMemory<byte> Payload) ReadPublish(in RawPacket raw)
    {
        var body = GC.AllocateUninitializedArray<byte>((int)raw.Body.Length);
        raw.Body.CopyTo(body);
        int payloadAt = PacketGrammar.CheckPublish(raw.Flags, body);
        // Without its payload, which the codec would copy again.
        var packet = Decode(PacketType.Publish, raw.Flags, new ArraySegment<byte>(body, 0, payloadAt));
        return ((MqttPublishPacket)packet, body.AsMemory(payloadAt));
    }

    /// <summary>Checks and reads any other packet that a client may send.</summary>
    /// <exception cref="MqttProtocolException">The packet is broken, or of a type that is not expected.</exception>
    public static MqttPacket Read(in RawPacket raw)
    {
        var body = raw.Body.ToArray();
        PacketGrammar.Check(raw.Type, body);
        return Decode(raw.Type, raw.Flags, body);
    }

    /// <summary>Writes one packet.</summary>
    /// <returns>Its bytes.</returns>
    public static int Write(MqttPacket packet, IBufferWriter<byte> output) =>
        TryWrite(packet, output, long.MaxValue, out int bytes)
            ? bytes : throw new InvalidOperationException("no packet is beyond that limit");

    /// <summary>Writes one packet, unless it is larger than the peer takes.</summary>
    public static bool TryWrite(MqttPacket packet, IBufferWriter<byte> output, long bytesMax, out int bytes)
    {
        var formatter = Formatter;
        var encoded = formatter.Encode(packet);
        bytes = encoded.Length;
        bool fits = bytes <= bytesMax;
        if (fits)
        {
            output.Write(encoded.Packet.AsSpan());
            foreach (var part in encoded.Payload) output.Write(part.Span);
        }
        formatter.Cleanup();
        return fits;
    }

    /// <summary>User properties as the codec takes them; null for none.</summary>
    public static List<CodecProperty>? ToCodec(IReadOnlyList<MqttUserProperty>? properties)
    {
        int count = properties?.Count ?? 0;
        if (count == 0) return null;
        var list = new List<CodecProperty>(count);
        for (int i = 0; i < count; i++)
            list.Add(new CodecProperty(properties![i].Name, Encoding.UTF8.GetBytes(properties[i].Value)));
        return list;
    }

    /// <summary>User properties as the application sees them.</summary>
    public static IReadOnlyList<MqttUserProperty> FromCodec(List<CodecProperty>? properties) =>
        properties is null or { Count: 0 } ? []
            : properties.ConvertAll(p => new MqttUserProperty(p.Name, p.ReadValueAsString()));

    private static MqttPacket Decode(PacketType type, byte flags, ArraySegment<byte> body)
    {
        try
        {
            byte first = (byte)((byte)type << 4 | flags);
            return Formatter.Decode(new ReceivedMqttPacket(first, body, body.Count + 2));
        }
        catch (MqttProtocolViolationException e)
        {
            throw MqttProtocolException.Malformed(e.Message);
        }
    }
}
