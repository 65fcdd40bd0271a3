namespace Telemetry.Model.Identity;

/// <summary>
/// One of the three sequences in which an outbox drains side by side. Critical frames are sent before live ones, and
/// live ones before backlog.
/// </summary>
public enum Lane : byte
{
    /// <summary>Never waits: sealed at once, sent first.</summary>
    Critical = 0,

    /// <summary>Readings sealed while the link is up.</summary>
    Live = 1,

    /// <summary>Readings that waited unsealed: merged into full frames and sent beside live.</summary>
    Backlog = 2,
}

/// <summary>Properties of <see cref="Lane"/> that all parts use.</summary>
public static class Lanes
{
    /// <summary>The number of lanes.</summary>
    public const int Count = 3;

    /// <summary>The lane's name in MQTT topics: <c>critical</c>, <c>live</c>, <c>backlog</c>.</summary>
    public static string Name(this Lane lane) => lane switch
    {
        Lane.Critical => "critical",
        Lane.Live => "live",
        Lane.Backlog => "backlog",
        _ => throw new ArgumentOutOfRangeException(nameof(lane), lane, "unknown lane"),
    };

    /// <summary>Finds the lane with a name in a topic; false when there is none.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out Lane lane)
    {
        lane = name switch { "critical" => Lane.Critical, "backlog" => Lane.Backlog, _ => Lane.Live };
        return name is "critical" or "live" or "backlog";
    }
}
