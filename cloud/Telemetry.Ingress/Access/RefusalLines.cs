namespace Telemetry.Ingress.Access;

/// <summary>
/// Limits the log lines about refused publishes to a number per period, for all senders together. A suppressed line is
/// counted, and the next line that is logged contains the count; the metrics count all refusals. May be used on any
/// thread.
/// </summary>
internal sealed class RefusalLines(TimeProvider time)
{
    /// <summary>The lines per <see cref="Stretch"/>; further ones are suppressed.</summary>
    public const int LinesMax = 5;

    /// <summary>A period begins with a line, and the next one with the first line after its end.</summary>
    public static readonly TimeSpan Stretch = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long? _began;
    private int _lines;
    private long _heldBack;

    /// <summary>
    /// True: log the line, and that <paramref name="heldBack"/> lines before it were suppressed. False: suppress it.
    /// </summary>
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
