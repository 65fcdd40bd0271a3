using System.Diagnostics;
using Telemetry.Model.Identity;

namespace Telemetry.Model.Tracing;

/// <summary>
/// Where one kind of process writes the spans of frames: an <see cref="ActivitySource"/> of a documented name
/// (docs/traces.md). A span is written when what it tells of is over, in one go, so that none is open across an await.
/// Its times come from the caller's clock. While nobody listens nothing is made. Safe for any thread.
/// </summary>
/// <param name="source">The source's name.</param>
public sealed class FrameSpans(string source)
{
    /// <summary>Gateway and key as text: what an alert names as its cause.</summary>
    public const string FrameTag = "telemetry.frame";

    /// <summary>The gateway.</summary>
    public const string GatewayTag = "telemetry.gateway";

    /// <summary>The lane's word.</summary>
    public const string LaneTag = "telemetry.lane";

    /// <summary>The name of the source of every cloud process.</summary>
    public const string CloudSource = "Telemetry.Cloud";

    private readonly ActivitySource _source = new(source);

    /// <summary>True while somebody listens. Ask before gathering what only a span needs.</summary>
    public bool Wanted => _source.HasListeners();

    /// <summary>
    /// Begins a span of a frame that will be ended by <see cref="End"/> before the caller does anything else; null when
    /// nobody wants one of this trace. It is a child of <see cref="FrameTrace.Parent"/> unless
    /// <paramref name="parent"/> says otherwise.
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

    /// <summary>As the other one, where a trace context is all that is known of the frame.</summary>
    public Activity? Begin(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset from)
    {
        var span = _source.StartActivity(name, kind, parent, tags: null, links: null, from);
        if (span is { IsAllDataRequested: false })
        {
            // Made only so that a context could be handed on, which the frame's key does.
            span.Dispose();
            return null;
        }

        return span;
    }

    /// <summary>Ends a span. <paramref name="error"/>: what went wrong, if something did.</summary>
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
