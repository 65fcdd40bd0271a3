using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Ingress;

/// <summary>The kinds of topics that a gateway publishes to.</summary>
internal enum IngressTopicKind
{
    /// <summary>Outside <c>tm/1/GATEWAY/</c>.</summary>
    Foreign,

    /// <summary>Inside it, but not a topic for messages from gateways.</summary>
    Unknown,

    /// <summary>A lane: frames and schemas.</summary>
    Lane,

    /// <summary>Hellos.</summary>
    Hello,
}

/// <summary>Parses the topics that gateways publish to.</summary>
internal static class IngressTopic
{
    /// <summary>
    /// The kind of <paramref name="topic"/> for <paramref name="gateway"/>, and the lane if it is a lane's topic.
    /// </summary>
    public static IngressTopicKind Read(GatewayId gateway, ReadOnlySpan<char> topic, out Lane lane)
    {
        lane = default;
        if (!topic.StartsWith(MqttTopics.Prefix, StringComparison.Ordinal))
        {
            return IngressTopicKind.Foreign;
        }

        var rest = topic[MqttTopics.Prefix.Length..];
        var slash = rest.IndexOf('/');
        if (slash < 0 || !rest[..slash].SequenceEqual(gateway.Value))
        {
            return IngressTopicKind.Foreign;
        }

        var last = rest[(slash + 1)..];
        return last is "hello" ? IngressTopicKind.Hello
            : Lanes.TryParse(last, out lane) ? IngressTopicKind.Lane
            : IngressTopicKind.Unknown;
    }
}
