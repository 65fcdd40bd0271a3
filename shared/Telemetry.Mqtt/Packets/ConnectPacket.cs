using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>
/// The message a client leaves to be published when it vanishes. Source: MQTT 5.0, 3.1.3.2 to 3.1.3.4.
/// </summary>
internal sealed record ConnectWill(string Topic, byte[] Payload, byte Qos, bool Retain, PropertyList Properties);

/// <summary>CONNECT: the first packet of a client.</summary>
/// <remarks>
/// <code>
///   protocol name (text "MQTT") · level (5) · flags · keep-alive (2, seconds) · properties
///   client id (text) · [will properties · will topic · will payload] · [user name] · [password]
///   flags: user name | password | will retain | will QoS (2 bits) | will | clean start | 0
/// </code>
/// Source: MQTT 5.0, 3.1.
/// </remarks>
internal sealed record ConnectPacket
{
    public const byte Level5 = 5;

    public required string ClientId { get; init; }
    public bool CleanStart { get; init; } = true;
    public ushort KeepAliveSeconds { get; init; }
    public string? UserName { get; init; }
    public byte[]? Password { get; init; }
    public ConnectWill? Will { get; init; }
    public PropertyList Properties { get; init; } = PropertyList.Empty;

    /// <summary>
    /// The protocol level alone (3 for MQIsdp, 4 for 3.1.1, 5), for an answer in the peer's own version.
    /// </summary>
    /// <exception cref="MqttProtocolException">0x81, or 0x84 for another protocol's name.</exception>
    public static byte ReadLevel(ref BodyReader reader)
    {
        string name = reader.Text();
        if (name is not ("MQTT" or "MQIsdp"))
            throw new MqttProtocolException(MqttReasonCode.UnsupportedProtocolVersion, "protocol name is not MQTT");
        return reader.Byte();
    }

    /// <summary>Reads all that follows the level, which has to be 5.</summary>
    public static ConnectPacket ReadRest(ref BodyReader reader)
    {
        byte flags = reader.Byte();
        byte willQos = (byte)(flags >> 3 & 3);
        bool hasWill = (flags & 0x04) != 0;
        if ((flags & 0x01) != 0 || willQos == 3 || (!hasWill && (flags & 0x38) != 0))
            throw MqttProtocolException.Malformed("connect flags");
        ushort keepAlive = reader.UInt16();
        var properties = PropertyList.Read(ref reader, PropertyPlace.Connect);
        string clientId = reader.Text();
        ConnectWill? will = null;
        if (hasWill)
        {
            var willProperties = PropertyList.Read(ref reader, PropertyPlace.Will);
            will = new ConnectWill(
                reader.Text(), reader.Binary().ToArray(), willQos, (flags & 0x20) != 0, willProperties);
        }
        var packet = new ConnectPacket
        {
            CleanStart = (flags & 0x02) != 0,
            KeepAliveSeconds = keepAlive,
            Properties = properties,
            ClientId = clientId,
            Will = will,
            UserName = (flags & 0x80) != 0 ? reader.Text() : null,
            Password = (flags & 0x40) != 0 ? reader.Binary().ToArray() : null,
        };
        reader.ExpectEnd();
        return packet;
    }

    public void Write(IBufferWriter<byte> output)
    {
        int bytes = 10 + Properties.Bytes() + PacketWriter.TextBytes(ClientId);
        if (Will is not null)
            bytes += Will.Properties.Bytes() + PacketWriter.TextBytes(Will.Topic) + 2 + Will.Payload.Length;
        if (UserName is not null) bytes += PacketWriter.TextBytes(UserName);
        if (Password is not null) bytes += 2 + Password.Length;
        var writer = PacketWriter.Begin(output, PacketType.Connect, bytes);
        writer.Text("MQTT");
        writer.Byte(Level5);
        writer.Byte(Flags());
        writer.UInt16(KeepAliveSeconds);
        Properties.Write(ref writer);
        writer.Text(ClientId);
        if (Will is not null)
        {
            Will.Properties.Write(ref writer);
            writer.Text(Will.Topic);
            writer.Binary(Will.Payload);
        }
        if (UserName is not null) writer.Text(UserName);
        if (Password is not null) writer.Binary(Password);
        writer.End();
    }

    private byte Flags()
    {
        int flags = CleanStart ? 0x02 : 0;
        if (Will is not null) flags |= 0x04 | Will.Qos << 3 | (Will.Retain ? 0x20 : 0);
        if (Password is not null) flags |= 0x40;
        if (UserName is not null) flags |= 0x80;
        return (byte)flags;
    }
}
