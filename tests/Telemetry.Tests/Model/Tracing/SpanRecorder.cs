using System.Collections.Concurrent;
using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Tests.Model.Tracing;

/// <summary>
/// Listens to sources and keeps what ends. Sources are the process': tests that run beside this one write to the same,
/// so a test asks for spans of a gateway of its own.
/// </summary>
internal sealed class SpanRecorder : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public SpanRecorder(params string[] sources)
        : this(ActivitySamplingResult.AllDataAndRecorded, sources)
    {
    }

    public SpanRecorder(ActivitySamplingResult sampling, params string[] sources)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => sources.Contains(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => sampling,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> Of(GatewayId gateway) =>
        [.. _ended.Where(span => (string?)span.GetTagItem(FrameSpans.GatewayTag) == gateway.Value)];

    public void Dispose() => _listener.Dispose();
}
