using System.Diagnostics;
using System.Text.Json;
using Telemetry.Cloud.Alerts;
using Telemetry.Cloud.Storage;
using Telemetry.Model;

namespace Telemetry.Cloud.Tracing;

/// <summary>
/// The spans that a cloud process writes, one a frame and step; docs/reference/traces.md lists them. Lengths are by the
/// monotonic clock.
/// </summary>
internal static class CloudTracing
{
    /// <summary>The name of the source.</summary>
    public const string SourceName = "Telemetry.Cloud";

    private static readonly FrameSpans Spans = new(SourceName);

    /// <summary>True while somebody listens.</summary>
    public static bool Wanted => Spans.Wanted;

    /// <summary>
    /// The log took a frame, or did not: <paramref name="error"/>. <paramref name="since"/> is the timestamp of the
    /// publish's arrival.
    /// </summary>
    public static void Appended(
        GatewayId gateway, FrameKey frame, string stream, int bytes, long sequence, string? error, long since,
        TimeProvider time)
    {
        if (!Spans.Wanted)
        {
            return;
        }

        var now = time.GetUtcNow();
        if (Spans.Begin(
            "append frame", ActivityKind.Producer, gateway, frame, now - time.GetElapsedTime(since)) is { } span)
        {
            span.SetTag("messaging.system", "nats")
                .SetTag("messaging.operation.type", "send")
                .SetTag("messaging.destination.name", stream)
                .SetTag("messaging.message.body.size", bytes);
            if (error is null)
            {
                span.SetTag("telemetry.log.sequence", sequence);
            }

            FrameSpans.End(span, now, error);
        }
    }

    /// <summary>
    /// A frame's transaction committed. <paramref name="since"/> and <paramref name="appliedAt"/> are the timestamps
    /// between which it was taken from the log and evaluated; <paramref name="alerts"/>: transitions that it made.
    /// </summary>
    public static void Stored(
        FrameRegisterRow frame, int alerts, long since, long appliedAt, DateTimeOffset now, TimeProvider time)
    {
        var from = now - time.GetElapsedTime(since);
        if (Spans.Begin("store frame", ActivityKind.Consumer, frame.Gateway, frame.Key, from) is not { } span)
        {
            return;
        }

        span.SetTag("messaging.system", "nats")
            .SetTag("messaging.operation.type", "process")
            .SetTag("db.system.name", "postgresql")
            .SetTag("telemetry.frame.stored", frame.Stored)
            .SetTag("telemetry.frame.rejected", frame.Rejected)
            .SetTag("telemetry.frame.dropped", frame.Dropped);
        if (alerts > 0
            && Spans.Begin("evaluate alerts", ActivityKind.Internal, frame.Gateway, frame.Key, from, span) is { } inner)
        {
            inner.SetTag("telemetry.alerts.transitions", alerts);
            FrameSpans.End(inner, now - time.GetElapsedTime(appliedAt));
        }

        FrameSpans.End(span, now);
    }

    /// <summary>
    /// The sink's transaction that carries these rows of the alert outbox committed; <paramref name="since"/> is the
    /// timestamp at which their publishing began. A row that is none of ours gets no span.
    /// </summary>
    public static void Published(IEnumerable<AlertOutboxRow> rows, string topic, long since, TimeProvider time)
    {
        if (!Spans.Wanted)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var row in rows)
        {
            if (Read(row) is { } alert
                && ActivityContext.TryParse(alert.TraceParent, null, isRemote: true, out var parent))
            {
                Published(alert, parent, topic, now - time.GetElapsedTime(since), now);
            }
        }
    }

    private static void Published(
        AlertTransition alert, ActivityContext parent, string topic, DateTimeOffset from, DateTimeOffset now)
    {
        if (Spans.Begin("publish alert", ActivityKind.Producer, parent, from) is { } span)
        {
            span.SetTag(FrameSpans.FrameTag, alert.Frame)
                .SetTag(FrameSpans.GatewayTag, alert.Gateway)
                .SetTag("messaging.system", "kafka")
                .SetTag("messaging.operation.type", "send")
                .SetTag("messaging.destination.name", topic)
                .SetTag("messaging.message.id", alert.Id)
                .SetTag("messaging.kafka.message.key", alert.Device)
                .SetTag("telemetry.alert.rule", alert.Rule)
                .SetTag("telemetry.alert.kind", alert.Kind == AlertKind.Firing ? "firing" : "resolved")
                .SetTag("telemetry.alert.late", alert.Late);
            FrameSpans.End(span, now);
        }
    }

    private static AlertTransition? Read(AlertOutboxRow row)
    {
        try
        {
            return AlertTransition.FromJson(row.Json.Span);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
