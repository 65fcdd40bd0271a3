using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Ingress;

/// <summary>What a gateway's publish is for.</summary>
internal enum IngressTopicKind
{
    /// <summary>Outside <c>tm/1/GATEWAY/</c>.</summary>
    Foreign,

    /// <summary>Inside it, but no topic that goes up.</summary>
    Unknown,

    /// <summary>A lane: frames and schemas.</summary>
    Lane,

    /// <summary>Hellos.</summary>
    Hello,
}

/// <summary>Reads topics that gateways publish to.</summary>
internal static class IngressTopic
{
    /// <summary>
    /// The kind of <paramref name="topic"/> for <paramref name="gateway"/>; the lane where it is one.
    /// </summary>
    public static IngressTopicKind Read(GatewayId gateway, ReadOnlySpan<char> topic, out Lane lane)
    {
        lane = default;
        if (!topic.StartsWith(Routes.TopicPrefix, StringComparison.Ordinal))
        {
            return IngressTopicKind.Foreign;
        }

        var rest = topic[Routes.TopicPrefix.Length..];
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
