namespace Telemetry.Model.Identity;

/// <summary>
/// One of the three sequences in which an outbox drains side by side. Critical goes before live, live before backlog.
/// </summary>
public enum Lane : byte
{
    /// <summary>Never waits: sealed at once, sent first.</summary>
    Critical = 0,

    /// <summary>What is sealed while the link is up.</summary>
    Live = 1,

    /// <summary>What waited unsealed: merged into full frames and sent beside live.</summary>
    Backlog = 2,
}

/// <summary>Facts about <see cref="Lane"/> that every part shares.</summary>
public static class Lanes
{
    /// <summary>How many lanes there are.</summary>
    public const int Count = 3;

    /// <summary>The lane's word in MQTT topics: <c>critical</c>, <c>live</c>, <c>backlog</c>.</summary>
    public static string Name(this Lane lane) => lane switch
    {
        Lane.Critical => "critical",
        Lane.Live => "live",
        Lane.Backlog => "backlog",
        _ => throw new ArgumentOutOfRangeException(nameof(lane), lane, "no such lane"),
    };

    /// <summary>The lane of a topic's word; false when there is none of that name.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out Lane lane)
    {
        lane = name switch { "critical" => Lane.Critical, "backlog" => Lane.Backlog, _ => Lane.Live };
        return name is "critical" or "live" or "backlog";
    }
}
