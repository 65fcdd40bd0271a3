using System.Diagnostics;
using System.Text.Json;
using Telemetry.Model.Tracing;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>Writes the relay's spans of alerts; docs/reference/traces.md lists them.</summary>
public static class RelayTracing
{
    private static readonly FrameSpans Spans = new(FrameSpans.CloudSource);

    /// <summary>
    /// The sink's transaction with these rows of the alert outbox committed; <paramref name="since"/> is the timestamp
    /// at which their publishing began. A row whose JSON is not ours gets no span.
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
