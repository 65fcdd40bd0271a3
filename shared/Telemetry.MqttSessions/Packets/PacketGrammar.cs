namespace Telemetry.MqttSessions.Packets;

/// <summary>
/// Checks a client's packet against the standard before the codec reads it: MQTTnet's decoder replaces broken UTF-8,
/// takes packet identifier 0, reserved bits, properties that stand twice and bytes behind the end. Nothing is allocated
/// here, so a broken packet costs no memory.
/// </summary>
internal static class PacketGrammar
{
    /// <summary>The protocol level of MQTT 5.0.</summary>
    public const byte Level5 = 5;

    /// <summary>At most so many filters a packet; more are refused with 0x97.</summary>
    public const int FiltersMax = 256;

    /// <summary>
    /// The protocol level of a CONNECT (3 for MQIsdp, 4 for 3.1.1, 5), for an answer in the client's own version.
    /// </summary>
    /// <exception cref="MqttProtocolException">0x81, or 0x84 for another protocol's name.</exception>
    public static byte ConnectLevel(ref BodyScanner body)
    {
        var name = body.Text();
        if (!name.SequenceEqual("MQTT"u8) && !name.SequenceEqual("MQIsdp"u8))
            throw new MqttProtocolException(MqttReasonCode.UnsupportedProtocolVersion, "protocol name is not MQTT");
        return body.Byte();
    }

    /// <summary>What follows the level of a CONNECT, which has to be 5.</summary>
    /// <remarks>
    /// <code>
    ///   flags · keep-alive (2, seconds) · properties
    ///   client id (text) · [will properties · will topic · will payload] · [user name] · [password]
    ///   flags: user name | password | will retain | will QoS (2 bits) | will | clean start | 0
    /// </code>
    /// Source: MQTT 5.0, 3.1.
    /// </remarks>
    /// <exception cref="MqttProtocolException">The packet is broken.</exception>
    public static void CheckConnect(ref BodyScanner body)
    {
        byte flags = body.Byte();
        bool hasWill = (flags & 0x04) != 0;
        if ((flags & 0x01) != 0 || (flags & 0x18) == 0x18 || (!hasWill && (flags & 0x38) != 0))
            throw MqttProtocolException.Malformed("connect flags");
        body.UInt16();
        PropertyGrammar.Check(ref body, PropertyPlace.Connect);
        body.Text();
        if (hasWill)
        {
            PropertyGrammar.Check(ref body, PropertyPlace.Will);
            body.Text();
            body.SkipBinary();
        }
        if ((flags & 0x80) != 0) body.Text();
        if ((flags & 0x40) != 0) body.SkipBinary();
        body.ExpectEnd();
    }

    /// <summary>Checks a PUBLISH and returns where its payload begins.</summary>
    /// <remarks>
    /// <code>
    ///   flags: duplicate | QoS (2 bits) | retain
    ///   topic (text) · [packet id (2), QoS above 0] · properties · payload (the rest)
    /// </code>
    /// Source: MQTT 5.0, 3.3.
    /// </remarks>
    /// <exception cref="MqttProtocolException">The packet is broken.</exception>
    public static int CheckPublish(byte flags, ReadOnlySpan<byte> packet)
    {
        bool atMostOnce = (flags & 0x06) == 0;
        if (atMostOnce && (flags & 0x08) != 0) throw MqttProtocolException.Malformed("duplicate flag with QoS 0");
        var body = new BodyScanner(packet);
        body.Text();
        if (!atMostOnce) body.SkipPacketId();
        PropertyGrammar.Check(ref body, PropertyPlace.Publish);
        return body.Position;
    }

    /// <summary>Checks any other packet that a client may send.</summary>
    /// <exception cref="MqttProtocolException">The packet is broken, or of a type that is not expected.</exception>
    public static void Check(PacketType type, ReadOnlySpan<byte> packet)
    {
        var body = new BodyScanner(packet);
        switch (type)
        {
            case PacketType.PubAck:
                body.SkipPacketId();
                CheckOutcome(ref body, PropertyPlace.PubAck);
                break;
            case PacketType.Subscribe:
                CheckFilters(ref body, PropertyPlace.Subscribe);
                break;
            case PacketType.Unsubscribe:
                CheckFilters(ref body, PropertyPlace.Unsubscribe);
                break;
            case PacketType.Disconnect:
                CheckOutcome(ref body, PropertyPlace.Disconnect);
                break;
            case PacketType.PingReq:
                body.ExpectEnd();
                break;
            default:
                throw MqttProtocolException.Protocol($"{type} is not expected from a client");
        }
    }

    /// <summary>
    /// <c>[reason code (1, absent: success) · [properties (absent: none)]]</c>. Source: MQTT 5.0, 3.4 and 3.14.
    /// </summary>
    private static void CheckOutcome(ref BodyScanner body, PropertyPlace place)
    {
        if (!body.AtEnd) body.Byte();
        if (!body.AtEnd) PropertyGrammar.Check(ref body, place);
        body.ExpectEnd();
    }

    /// <summary>
    /// <c>packet id (2) · properties · { filter (text) · [options (1), SUBSCRIBE] }, at least one</c>.
    /// The options: <c>0 0 | retain handling (2 bits) | retain as published | no local | QoS (2 bits)</c>.
    /// Source: MQTT 5.0, 3.8 and 3.10.
    /// </summary>
    private static void CheckFilters(ref BodyScanner body, PropertyPlace place)
    {
        body.SkipPacketId();
        PropertyGrammar.Check(ref body, place);
        for (int count = 0; count == 0 || !body.AtEnd; count++)
        {
            if (count == FiltersMax)
                throw new MqttProtocolException(MqttReasonCode.QuotaExceeded, $"more than {FiltersMax} filters");
            if (body.AtEnd) throw MqttProtocolException.Protocol("topic filter is missing");
            body.Text();
            if (place == PropertyPlace.Unsubscribe) continue;
            byte options = body.Byte();
            if ((options & 0xC0) != 0 || (options & 0x03) == 3 || (options & 0x30) == 0x30)
                throw MqttProtocolException.Malformed("subscription options");
        }
    }
}
