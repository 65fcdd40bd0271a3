namespace Telemetry.MqttSessions.Topics;

/// <summary>Patterns that subscriptions are made with. Source: MQTT 5.0, 4.7 and 4.8.2.</summary>
internal static class TopicFilter
{
    private const string SharedPrefix = "$share/";

    public static bool IsShared(string filter) => filter.StartsWith(SharedPrefix, StringComparison.Ordinal);

    /// <summary>
    /// True when '+' and '#' stand for whole levels, '#' last, and a shared filter has a name and a filter.
    /// </summary>
    public static bool IsValid(string filter)
    {
        if (filter.Length == 0 || filter.Contains('\0') || !WireText.Fits(filter)) return false;
        var rest = filter.AsSpan();
        if (IsShared(filter))
        {
            rest = rest[SharedPrefix.Length..];
            int slash = rest.IndexOf('/');
            if (slash <= 0 || slash == rest.Length - 1 || rest[..slash].IndexOfAny('+', '#') >= 0) return false;
            rest = rest[(slash + 1)..];
        }
        for (int i = 0; i < rest.Length; i++)
        {
            if (rest[i] is not ('+' or '#')) continue;
            bool beginsLevel = i == 0 || rest[i - 1] == '/';
            bool endsLevel = i == rest.Length - 1 || (rest[i + 1] == '/' && rest[i] == '+');
            if (!beginsLevel || !endsLevel) return false;
        }
        return true;
    }

    /// <summary>
    /// True when <paramref name="topic"/> is among what the valid, not shared <paramref name="filter"/> means.
    /// </summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> topic)
    {
        if (topic.Length > 0 && topic[0] == '$' && filter.Length > 0 && filter[0] is ('+' or '#')) return false;
        while (true)
        {
            var filterLevel = TakeLevel(ref filter, out bool filterHasMore);
            if (filterLevel is "#") return true;
            var topicLevel = TakeLevel(ref topic, out bool topicHasMore);
            if (filterLevel is not "+" && !filterLevel.SequenceEqual(topicLevel)) return false;
            if (!topicHasMore) return !filterHasMore || filter is "#";
            if (!filterHasMore) return false;
        }
    }

    private static ReadOnlySpan<char> TakeLevel(ref ReadOnlySpan<char> rest, out bool hasMore)
    {
        int slash = rest.IndexOf('/');
        hasMore = slash >= 0;
        var level = hasMore ? rest[..slash] : rest;
        rest = hasMore ? rest[(slash + 1)..] : default;
        return level;
    }
}
