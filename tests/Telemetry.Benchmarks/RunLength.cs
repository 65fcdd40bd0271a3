namespace Telemetry.Benchmarks;

/// <summary>How long a run is. The short form says that a benchmark still works; its figures mean nothing.</summary>
internal sealed record RunLength(bool IsShort)
{
    private const int ShortPart = 10, ShortGateways = 20;

    /// <summary>A stretch of so many seconds in a whole run.</summary>
    public TimeSpan Seconds(double whole) => TimeSpan.FromSeconds(IsShort ? whole / ShortPart : whole);

    /// <summary>A fleet that is so large in a whole run.</summary>
    public int Gateways(int whole) => IsShort ? ShortGateways : whole;
}
