namespace Telemetry.Dashboard.Live;

/// <summary>What keeps the pages from showing what is now.</summary>
/// <param name="What">nothing, loading, nats, database or partitions.</param>
/// <param name="SinceMicros">Since when the pages are behind; <see cref="long.MinValue"/> for not at all.</param>
/// <param name="Text">The same in words; empty for nothing.</param>
public sealed record FeedHealth(string What, long SinceMicros, string Text)
{
    public static readonly FeedHealth Good = new("nothing", long.MinValue, "");
}
