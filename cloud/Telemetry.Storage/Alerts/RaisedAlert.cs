namespace Telemetry.Storage.Alerts;

/// <summary>Where a page of <see cref="IRaisedAlerts.ReadAsync"/> goes on.</summary>
public sealed record RaisedAlertKey(string Gateway, string Rule, ReadOnlyMemory<byte> Series, string Severity)
{
    /// <summary>Before the first one.</summary>
    public static readonly RaisedAlertKey None = new("", "", ReadOnlyMemory<byte>.Empty, "");
}

/// <summary>The newest alert instance of a rule on a series: open, or closed a short time ago.</summary>
/// <param name="Key">The rule and the series.</param>
/// <param name="Id">32 hex digits: the instance.</param>
/// <param name="State">What is known of it.</param>
/// <param name="BeganMicros">When its condition began to hold.</param>
/// <param name="FiredMicros">When it had held for as long as the rule requires.</param>
/// <param name="EndedMicros">When it ended; null while it is open.</param>
/// <param name="ChangedAt">When the row was last written, by the database's clock.</param>
/// <param name="Peak">The most extreme value.</param>
public sealed record RaisedAlert(
    RaisedAlertKey Key, string Id, AlertInstanceState State, long BeganMicros, long FiredMicros, long? EndedMicros,
    DateTimeOffset ChangedAt, double Peak)
{
    public required string Device { get; init; }

    public required string Metric { get; init; }

    /// <summary>The site of the device's metadata; empty where there is none.</summary>
    public string Site { get; init; } = "";

    /// <summary>The labels of the series.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>();
}
