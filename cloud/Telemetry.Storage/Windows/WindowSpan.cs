namespace Telemetry.Storage.Windows;

/// <summary>The time of a window: [start, start + width).</summary>
/// <param name="Start">In microseconds since 1970 UTC; a multiple of the width.</param>
/// <param name="WidthSeconds">In seconds.</param>
/// <param name="HasQuantiles">Whether its values are counted by size.</param>
public readonly record struct WindowSpan(long Start, int WidthSeconds, bool HasQuantiles = false)
{
    public const long MicrosOfSecond = 1_000_000;

    /// <summary>The first microsecond that is not in the window.</summary>
    public long End => Start + (WidthSeconds * MicrosOfSecond);

    /// <summary>True when a time is in the window.</summary>
    public bool Contains(long time) => time >= Start && time < End;

    /// <summary>The window of this width that a time is in.</summary>
    public static WindowSpan Of(long time, int widthSeconds, bool hasQuantiles = false)
    {
        var width = widthSeconds * MicrosOfSecond;
        var into = time % width;
        return new WindowSpan(time - (into < 0 ? into + width : into), widthSeconds, hasQuantiles);
    }
}
