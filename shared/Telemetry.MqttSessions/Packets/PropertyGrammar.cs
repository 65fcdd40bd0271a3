using static MQTTnet.Protocol.MqttPropertyId;
using static Telemetry.MqttSessions.Packets.PropertyPlace;
using PropertyId = MQTTnet.Protocol.MqttPropertyId;

namespace Telemetry.MqttSessions.Packets;

/// <summary>Where a client's properties stand: a packet, or the will inside a CONNECT.</summary>
internal enum PropertyPlace : byte { Connect, Will, Publish, PubAck, Subscribe, Unsubscribe, Disconnect }

/// <summary>
/// Checks the properties of a client's packet: which may stand where, in which shape, with which values.
/// </summary>
/// <remarks>
/// <code>length (variable byte integer) · { identifier (1 byte) · value }</code>
/// Source: MQTT 5.0, 2.2.2 and table 2-4.
/// </remarks>
internal static class PropertyGrammar
{
    /// <summary>
    /// At most so many properties a packet; more are refused with 0x97, so that tiny ones cannot fill memory.
    /// </summary>
    public const int PropertiesMax = 64;

    /// <summary>At most so many user properties are sent, so that they fit beside all others of any packet.</summary>
    public const int UserPropertiesMax = 48;

    private enum Shape : byte { Unknown, Byte, UInt16, UInt32, VariableInt, Text, Binary, Pair }

    private static readonly (Shape Shape, uint Places)[] Rules = Build();

    /// <exception cref="MqttProtocolException">0x81, 0x82, 0x94 or 0x97.</exception>
    public static void Check(ref BodyScanner body, PropertyPlace place)
    {
        var list = new BodyScanner(body.Take((int)body.VariableInt()));
        ulong seen = 0;
        for (int count = 0; !list.AtEnd; count++)
        {
            int id = list.Byte();
            var (shape, places) = id < Rules.Length ? Rules[id] : default;
            if ((places & 1u << (int)place) == 0)
                throw MqttProtocolException.Malformed($"property {id} is not allowed here");
            if ((seen & 1ul << id) != 0 && (PropertyId)id != UserProperty)
                throw MqttProtocolException.Protocol($"property {(PropertyId)id} stands twice");
            if (count == PropertiesMax)
                throw new MqttProtocolException(MqttReasonCode.QuotaExceeded, $"more than {PropertiesMax} properties");
            seen |= 1ul << id;
            CheckValue(ref list, (PropertyId)id, shape);
        }
    }

    private static void CheckValue(ref BodyScanner list, PropertyId id, Shape shape)
    {
        switch (shape)
        {
            case Shape.Text:
                list.Text();
                break;
            case Shape.Binary:
                list.SkipBinary();
                break;
            case Shape.Pair:
                list.Text();
                list.Text();
                break;
            case Shape.Byte:
                CheckNumber(id, list.Byte(), largest: 1);
                break;
            case Shape.UInt16:
                CheckNumber(id, list.UInt16());
                break;
            case Shape.UInt32:
                CheckNumber(id, list.UInt32());
                break;
            default:
                CheckNumber(id, list.VariableInt());
                break;
        }
    }

    private static void CheckNumber(PropertyId id, uint value, uint largest = uint.MaxValue)
    {
        if (id == TopicAlias && value == 0)
            throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "topic alias 0");
        bool mayBeZero = id is not (ReceiveMaximum or MaximumPacketSize or SubscriptionIdentifier);
        if (value > largest || (value == 0 && !mayBeZero))
            throw MqttProtocolException.Protocol($"value {value} of property {id}");
    }

    private static (Shape, uint)[] Build()
    {
        var rules = new (Shape, uint)[0x2B];
        void Add(PropertyId id, Shape shape, params ReadOnlySpan<PropertyPlace> places)
        {
            uint mask = 0;
            foreach (var place in places) mask |= 1u << (int)place;
            rules[(int)id] = (shape, mask);
        }
        Add(PayloadFormatIndicator, Shape.Byte, Publish, Will);
        Add(MessageExpiryInterval, Shape.UInt32, Publish, Will);
        Add(ContentType, Shape.Text, Publish, Will);
        Add(ResponseTopic, Shape.Text, Publish, Will);
        Add(CorrelationData, Shape.Binary, Publish, Will);
        Add(SubscriptionIdentifier, Shape.VariableInt, Subscribe);
        Add(SessionExpiryInterval, Shape.UInt32, Connect, Disconnect);
        Add(AuthenticationMethod, Shape.Text, Connect);
        Add(AuthenticationData, Shape.Binary, Connect);
        Add(RequestProblemInformation, Shape.Byte, Connect);
        Add(WillDelayInterval, Shape.UInt32, Will);
        Add(RequestResponseInformation, Shape.Byte, Connect);
        Add(ReasonString, Shape.Text, PubAck, Disconnect);
        Add(ReceiveMaximum, Shape.UInt16, Connect);
        Add(TopicAliasMaximum, Shape.UInt16, Connect);
        Add(TopicAlias, Shape.UInt16, Publish);
        Add(UserProperty, Shape.Pair, Connect, Will, Publish, PubAck, Subscribe, Unsubscribe, Disconnect);
        Add(MaximumPacketSize, Shape.UInt32, Connect);
        return rules;
    }
}
