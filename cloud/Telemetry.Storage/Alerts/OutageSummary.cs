namespace Telemetry.Storage.Alerts;

/// <summary>What became known late of one gateway: alerts that nobody was told of when they fired.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Fired">How many alerts fired.</param>
/// <param name="Open">How many of them are open.</param>
/// <param name="FirstAt">When the first of them became known.</param>
/// <param name="LastAt">When the last of them became known.</param>
/// <param name="FromMicros">When the first of them began, by event time.</param>
/// <param name="ToMicros">When the last of them fired or ended, by event time.</param>
/// <param name="Names">The first ten by event time, in words.</param>
public sealed record OutageSummary(
    string Gateway, long Fired, long Open, DateTimeOffset FirstAt, DateTimeOffset LastAt, long FromMicros,
    long ToMicros, IReadOnlyList<string> Names)
{
    /// <summary>How many alerts are named.</summary>
    public const int NamesMax = 10;

    /// <summary>The sites of the gateway's devices, in order; empty where there are none.</summary>
    public IReadOnlyList<string> Sites { get; init; } = [];
}
