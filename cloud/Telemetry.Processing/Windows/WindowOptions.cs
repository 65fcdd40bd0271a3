namespace Telemetry.Processing.Windows;

/// <summary>How windows are folded. Every limit says what happens at it.</summary>
public sealed record WindowOptions
{
    /// <summary>True to keep no windows. For measurements only: no configuration key sets it.</summary>
    public bool IsOff { get; init; }

    /// <summary>
    /// How often the widths of windows are read again. A new entry is valid at earliest an hour after it was added, so
    /// every processor knows it in time.
    /// </summary>
    public TimeSpan ReadWidthsEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How far the event time of a live reading may be from its arrival for its part to stay in memory. The part of a
    /// window further away is written in the transaction that stores its readings.
    /// </summary>
    public TimeSpan MemoryReach { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long after the end of its window, or after its first reading if that is later, a part stays in memory at
    /// most. It is then written, and further readings of the window make another part.
    /// </summary>
    public TimeSpan MemoryTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The most parts in the memory of one processor. Beyond it the parts of some gateways are written early, until a
    /// quarter of the memory is free; further readings of these windows make further parts.
    /// </summary>
    public int PartsMax { get; init; } = 200_000;

    /// <summary>
    /// How long one transaction may wait for gateways whose parts were in the memory of an owner that is gone to be
    /// folded anew, unless a single gateway takes longer. The rest follows in the next transactions; until then the
    /// watermark of such a gateway stands still.
    /// </summary>
    public TimeSpan RebuildTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The most readings that are read back at once to fold open windows anew. A gateway with more of them is read
    /// slice by slice of event time, one in each transaction; the readings of one microsecond are never divided. Until
    /// the last slice the gateway's watermark stands still, and other gateways go on as always.
    /// </summary>
    public int RebuildReadingsMax { get; init; } = 30_000;
}
