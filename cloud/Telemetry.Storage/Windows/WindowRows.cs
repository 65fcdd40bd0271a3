using Telemetry.Model.Identity;

namespace Telemetry.Storage.Windows;

/// <summary>Why the number of a complete window changed.</summary>
public enum RevisionCause : byte
{
    /// <summary>Its readings are older than the agent had promised.</summary>
    Late = 1,

    /// <summary>Its readings had been booked as lost.</summary>
    Recovered = 2,

    /// <summary>A dead letter was retried.</summary>
    Retried = 3,
}

/// <summary>A change of a complete window: the row is written by the commit that makes the change.</summary>
/// <param name="Gateway">The gateway of the frame.</param>
/// <param name="Frame">The frame that brought the readings.</param>
/// <param name="Cause">The cause.</param>
/// <param name="Part">What was added.</param>
public readonly record struct WindowRevisionRow(
    GatewayId Gateway, FrameKey Frame, RevisionCause Cause, WindowPart Part);

/// <summary>
/// The event times of a gateway's windows whose parts are in its owner's memory alone: [from, to), whole windows.
/// </summary>
/// <param name="From">In microseconds since 1970 UTC.</param>
/// <param name="To">In microseconds since 1970 UTC.</param>
public readonly record struct OpenSpan(long From, long To)
{
    /// <summary>No window is in memory alone.</summary>
    public static readonly OpenSpan None = new(long.MaxValue, long.MinValue);

    /// <summary>True when there is no such window.</summary>
    public bool IsEmpty => From >= To;

    /// <summary>True when a window lies wholly within it.</summary>
    public bool Contains(WindowSpan window) => window.Start >= From && window.End <= To;

    /// <summary>The span that contains both.</summary>
    public OpenSpan And(long from, long to) => new(Math.Min(From, from), Math.Max(To, to));
}

/// <summary>
/// A gateway's parts that are removed because its owner folded the readings anew: those of its windows within the span
/// that are not complete at the watermark.
/// </summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Span">The event times.</param>
/// <param name="Watermark">The gateway's watermark before this commit.</param>
public readonly record struct PartRemoval(GatewayId Gateway, OpenSpan Span, long Watermark);
