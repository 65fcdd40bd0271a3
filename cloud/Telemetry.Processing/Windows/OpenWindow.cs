using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Windows;

/// <summary>
/// A window of one series that gathers in memory, as its gateway's windows keep it. Objects are used again.
/// </summary>
internal sealed class OpenWindow
{
    public WindowKey Key { get; private set; }

    public WindowSpan Span { get; private set; }

    /// <summary>The place of the series in the gateway's list; negative when it is not known.</summary>
    public int Index { get; private set; }

    /// <summary>The part whose readings are in the database; null before the first commit.</summary>
    public WindowPart? Gathered { get; set; }

    /// <summary>What the current transaction adds to it.</summary>
    public WindowPart? Added { get; set; }

    /// <summary>When the part is written at the latest.</summary>
    public long DueMicros { get; set; }

    /// <summary>True when the current transaction writes the part.</summary>
    public bool IsWritten { get; set; }

    /// <summary>Begins another window, without any part.</summary>
    public OpenWindow Begin(WindowKey key, WindowSpan span, int index)
    {
        (Key, Span, Index) = (key, span, index);
        (Gathered, Added, DueMicros, IsWritten) = (null, null, 0, false);
        return this;
    }

    /// <summary>True for a window of this series that contains this time.</summary>
    public bool Contains(SeriesEntry series, long time) => Span.Contains(time) && Key.Series == series.Identity;
}
