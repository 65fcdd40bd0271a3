using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Topics;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>
/// The filters that a session was granted. At most <paramref name="filtersMax"/>; one more gets 0x97.
/// </summary>
internal sealed class ServerSubscriptions(int filtersMax, Func<string, MqttQos, MqttReasonCode> authorize)
{
    private readonly Dictionary<string, MqttQos> _granted = new(StringComparer.Ordinal);

    /// <summary>The greatest QoS granted to a filter that the topic matches; null when none does.</summary>
    public MqttQos? Granted(string topic)
    {
        MqttQos? best = null;
        foreach (var (filter, qos) in _granted)
            if ((best is null || qos > best) && TopicFilter.Matches(filter, topic)) best = qos;
        return best;
    }

    /// <summary>Answers each filter by itself; a refused one is an event too.</summary>
    /// <exception cref="MqttProtocolException">0xA1 for a subscription identifier.</exception>
    public MqttSubAckPacket Subscribe(MqttSubscribePacket packet, Queue<SessionEvent> events)
    {
        if (packet.SubscriptionIdentifier != 0)
            throw new MqttProtocolException(MqttReasonCode.SubscriptionIdentifiersNotSupported,
                "subscription identifier");
        var codes = new List<MqttSubscribeReasonCode>(packet.TopicFilters.Count);
        foreach (var wish in packet.TopicFilters)
        {
            var code = Grant(wish);
            if (code >= MqttReasonCode.UnspecifiedError) events.Enqueue(new SubscribeRefused(code));
            codes.Add((MqttSubscribeReasonCode)code);
        }
        return new MqttSubAckPacket { PacketIdentifier = packet.PacketIdentifier, ReasonCodes = codes };
    }

    public MqttUnsubAckPacket Unsubscribe(MqttUnsubscribePacket packet) => new()
    {
        PacketIdentifier = packet.PacketIdentifier,
        ReasonCodes = packet.TopicFilters.ConvertAll(filter => _granted.Remove(filter)
            ? MqttUnsubscribeReasonCode.Success : MqttUnsubscribeReasonCode.NoSubscriptionExisted),
    };

    private MqttReasonCode Grant(MqttTopicFilter wish)
    {
        if (!TopicFilter.IsValid(wish.Topic)) return MqttReasonCode.TopicFilterInvalid;
        if (TopicFilter.IsShared(wish.Topic)) return MqttReasonCode.SharedSubscriptionsNotSupported;
        var qos = wish.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce
            ? MqttQos.AtMostOnce : MqttQos.AtLeastOnce;
        if (!_granted.ContainsKey(wish.Topic) && _granted.Count >= filtersMax) return MqttReasonCode.QuotaExceeded;
        var verdict = authorize(wish.Topic, qos);
        if (verdict >= MqttReasonCode.UnspecifiedError) return verdict;
        _granted[wish.Topic] = qos;
        return (MqttReasonCode)qos;
    }
}
