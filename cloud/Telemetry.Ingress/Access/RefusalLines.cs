namespace Telemetry.Ingress.Access;

/// <summary>
/// Bounds what is logged of refused publishes: so many lines per stretch of time, whoever is refused. A line that is
/// held back is counted, and the next one that is logged says how many were; the metrics count them all. Any thread may
/// call.
/// </summary>
internal sealed class RefusalLines(TimeProvider time)
{
    /// <summary>Lines per <see cref="Stretch"/>; what comes beyond them is held back.</summary>
    public const int LinesMax = 5;

    /// <summary>The stretch begins with a line, and the next one with the first line after its end.</summary>
    public static readonly TimeSpan Stretch = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long? _began;
    private int _lines;
    private long _heldBack;

    /// <summary>True: log it, and that <paramref name="heldBack"/> before it were not. False: hold it back.</summary>
    public bool TryTake(out long heldBack)
    {
        lock (_gate)
        {
            if (_began is not { } began || time.GetElapsedTime(began) >= Stretch)
            {
                (_began, _lines) = (time.GetTimestamp(), 0);
            }

            if (_lines == LinesMax)
            {
                heldBack = ++_heldBack;
                return false;
            }

            _lines++;
            (heldBack, _heldBack) = (_heldBack, 0);
            return true;
        }
    }
}
