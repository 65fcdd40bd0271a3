using static Telemetry.Mqtt.Packets.PropertyPlace;

namespace Telemetry.Mqtt.Packets;

/// <summary>Which property may stand where, in which shape, with which values. Source: MQTT 5.0, table 2-4.</summary>
internal static class PropertyRules
{
    private static readonly (PropertyShape Shape, uint Places)[] Rules = Build();

    public static PropertyShape Shape(PropertyId id) =>
        (int)id < Rules.Length ? Rules[(int)id].Shape : PropertyShape.Unknown;

    public static bool IsAllowed(PropertyId id, PropertyPlace place) => (Rules[(int)id].Places & 1u << (int)place) != 0;

    /// <summary>True for a property that may stand more than once in one packet.</summary>
    public static bool MayRepeat(PropertyId id, PropertyPlace place) =>
        id == PropertyId.UserProperty || (id == PropertyId.SubscriptionIdentifier && place == Publish);

    /// <exception cref="MqttProtocolException">0x82, or 0x94 for alias 0.</exception>
    public static void CheckNumber(PropertyId id, uint value)
    {
        bool valid = id switch
        {
            PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionIdentifier =>
                value != 0,
            PropertyId.TopicAlias => value != 0
                ? true : throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "topic alias 0"),
            PropertyId.ServerKeepAlive => true,
            _ => Shape(id) != PropertyShape.Byte || value <= 1,
        };
        if (!valid) throw MqttProtocolException.Protocol($"value {value} of property {id}");
    }

    private static (PropertyShape, uint)[] Build()
    {
        var rules = new (PropertyShape, uint)[0x2B];
        void Add(PropertyId id, PropertyShape shape, params ReadOnlySpan<PropertyPlace> places)
        {
            uint mask = 0;
            foreach (var place in places) mask |= 1u << (int)place;
            rules[(int)id] = (shape, mask);
        }
        Add(PropertyId.PayloadFormatIndicator, PropertyShape.Byte, Publish, Will);
        Add(PropertyId.MessageExpiryInterval, PropertyShape.UInt32, Publish, Will);
        Add(PropertyId.ContentType, PropertyShape.Text, Publish, Will);
        Add(PropertyId.ResponseTopic, PropertyShape.Text, Publish, Will);
        Add(PropertyId.CorrelationData, PropertyShape.Binary, Publish, Will);
        Add(PropertyId.SubscriptionIdentifier, PropertyShape.VariableInt, Publish, Subscribe);
        Add(PropertyId.SessionExpiryInterval, PropertyShape.UInt32, Connect, ConnAck, Disconnect);
        Add(PropertyId.AssignedClientIdentifier, PropertyShape.Text, ConnAck);
        Add(PropertyId.ServerKeepAlive, PropertyShape.UInt16, ConnAck);
        Add(PropertyId.AuthenticationMethod, PropertyShape.Text, Connect, ConnAck, Auth);
        Add(PropertyId.AuthenticationData, PropertyShape.Binary, Connect, ConnAck, Auth);
        Add(PropertyId.RequestProblemInformation, PropertyShape.Byte, Connect);
        Add(PropertyId.WillDelayInterval, PropertyShape.UInt32, Will);
        Add(PropertyId.RequestResponseInformation, PropertyShape.Byte, Connect);
        Add(PropertyId.ResponseInformation, PropertyShape.Text, ConnAck);
        Add(PropertyId.ServerReference, PropertyShape.Text, ConnAck, Disconnect);
        Add(PropertyId.ReasonString, PropertyShape.Text,
            ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect, Auth);
        Add(PropertyId.ReceiveMaximum, PropertyShape.UInt16, Connect, ConnAck);
        Add(PropertyId.TopicAliasMaximum, PropertyShape.UInt16, Connect, ConnAck);
        Add(PropertyId.TopicAlias, PropertyShape.UInt16, Publish);
        Add(PropertyId.MaximumQos, PropertyShape.Byte, ConnAck);
        Add(PropertyId.RetainAvailable, PropertyShape.Byte, ConnAck);
        Add(PropertyId.UserProperty, PropertyShape.Pair, Connect, ConnAck, Publish, PubAck, PubRec, PubRel, PubComp,
            Subscribe, SubAck, Unsubscribe, UnsubAck, Disconnect, Auth, Will);
        Add(PropertyId.MaximumPacketSize, PropertyShape.UInt32, Connect, ConnAck);
        Add(PropertyId.WildcardSubscriptionAvailable, PropertyShape.Byte, ConnAck);
        Add(PropertyId.SubscriptionIdentifierAvailable, PropertyShape.Byte, ConnAck);
        Add(PropertyId.SharedSubscriptionAvailable, PropertyShape.Byte, ConnAck);
        return rules;
    }
}
