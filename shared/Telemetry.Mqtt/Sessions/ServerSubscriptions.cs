using System.Buffers;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Topics;

namespace Telemetry.Mqtt.Sessions;

/// <summary>
/// The filters that a listener's session was granted. At most <paramref name="filtersMax"/>; one more gets 0x97.
/// </summary>
internal sealed class ServerSubscriptions(int filtersMax, Func<string, MqttQos, MqttReasonCode> authorize)
{
    private readonly Dictionary<string, MqttQos> _granted = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Filters => _granted.Keys;

    /// <summary>The greatest QoS granted to a filter that the topic matches; null when none does.</summary>
    public MqttQos? Granted(string topic)
    {
        MqttQos? best = null;
        foreach (var (filter, qos) in _granted)
            if ((best is null || qos > best) && TopicFilter.Matches(filter, topic)) best = qos;
        return best;
    }

    public void Subscribe(SubscribePacket packet, IBufferWriter<byte> output, Queue<SessionEvent> events)
    {
        if (packet.Properties.Number(PropertyId.SubscriptionIdentifier) is not null)
            throw new MqttProtocolException(MqttReasonCode.SubscriptionIdentifiersNotSupported,
                "subscription identifier");
        var codes = new MqttReasonCode[packet.Filters.Count];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = Grant(packet.Filters[i]);
            if (codes[i] >= MqttReasonCode.UnspecifiedError) events.Enqueue(new SubscribeRefused(codes[i]));
        }
        new SubscribeAckPacket(PacketType.SubAck, packet.PacketId, codes, PropertyList.Empty).Write(output);
    }

    public void Unsubscribe(UnsubscribePacket packet, IBufferWriter<byte> output)
    {
        var codes = new MqttReasonCode[packet.Filters.Count];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = _granted.Remove(packet.Filters[i])
                ? MqttReasonCode.Success : MqttReasonCode.NoSubscriptionExisted;
        }
        new SubscribeAckPacket(PacketType.UnsubAck, packet.PacketId, codes, PropertyList.Empty).Write(output);
    }

    private MqttReasonCode Grant(SubscribeFilter wish)
    {
        if (!TopicFilter.IsValid(wish.Filter)) return MqttReasonCode.TopicFilterInvalid;
        if (TopicFilter.IsShared(wish.Filter)) return MqttReasonCode.SharedSubscriptionsNotSupported;
        var qos = wish.Qos == MqttQos.AtMostOnce ? MqttQos.AtMostOnce : MqttQos.AtLeastOnce;
        if (!_granted.ContainsKey(wish.Filter) && _granted.Count >= filtersMax) return MqttReasonCode.QuotaExceeded;
        var verdict = authorize(wish.Filter, qos);
        if (verdict >= MqttReasonCode.UnspecifiedError) return verdict;
        _granted[wish.Filter] = qos;
        return (MqttReasonCode)qos;
    }
}
