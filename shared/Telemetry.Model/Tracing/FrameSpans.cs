using System.Diagnostics;
using Telemetry.Model.Identity;

namespace Telemetry.Model.Tracing;

/// <summary>
/// Writes the spans of frames of one kind of process: an <see cref="ActivitySource"/> with a documented name
/// (docs/reference/traces.md). A span is written in one step after its work has ended, so that none is open across an
/// await. Its times come from the caller's clock. While no listener is attached nothing is made. May be used on any
/// thread.
/// </summary>
/// <param name="source">The source's name.</param>
public sealed class FrameSpans(string source)
{
    /// <summary>Gateway and key as text: the value that an alert names as its cause.</summary>
    public const string FrameTag = "telemetry.frame";

    /// <summary>The gateway.</summary>
    public const string GatewayTag = "telemetry.gateway";

    /// <summary>The name of the lane.</summary>
    public const string LaneTag = "telemetry.lane";

    /// <summary>The name of every agent's source.</summary>
    public const string EdgeSource = "Telemetry.Edge";

    /// <summary>The name of every cloud process's source.</summary>
    public const string CloudSource = "Telemetry.Cloud";

    private readonly ActivitySource _source = new(source);

    /// <summary>True while a listener is attached. Check it before gathering what only a span needs.</summary>
    public bool Wanted => _source.HasListeners();

    /// <summary>
    /// Begins a span of a frame, which the caller ends with <see cref="End"/> before it does anything else; null when
    /// no listener wants a span of this trace. It is a child of <see cref="FrameTrace.Parent"/> unless <paramref
    /// name="parent"/> is given.
    /// </summary>
    public Activity? Begin(
        string name, ActivityKind kind, GatewayId gateway, FrameKey frame, DateTimeOffset from, Activity? parent = null)
    {
        if (!Wanted)
        {
            return null;
        }

        var span = Begin(name, kind, parent?.Context ?? FrameTrace.Of(gateway, frame).Parent, from);
        return span?
            .SetTag(FrameTag, $"{gateway}/{frame}")
            .SetTag(GatewayTag, gateway.Value)
            .SetTag(LaneTag, frame.Lane.Name());
    }

    /// <summary>The same for a frame of which only a trace context is known.</summary>
    public Activity? Begin(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset from)
    {
        var span = _source.StartActivity(name, kind, parent, tags: null, links: null, from);
        if (span is { IsAllDataRequested: false })
        {
            // The listener only wants a context to propagate, and the frame's key serves for that.
            span.Dispose();
            return null;
        }

        return span;
    }

    /// <summary>Ends a span. <paramref name="error"/> is the error, if there was one.</summary>
    public static void End(Activity span, DateTimeOffset at, string? error = null)
    {
        if (error is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, error);
        }

        span.SetEndTime(at.UtcDateTime);
        span.Dispose();
    }
}
